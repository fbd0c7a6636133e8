// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_seen.h - for tests of report_in.h: the first report of a file, and a report's rows kept in memory.
 */
#ifndef ASSAY_TESTS_UNIT_REPORT_SEEN_H
#define ASSAY_TESTS_UNIT_REPORT_SEEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "feedback/report_in.h"
#include <stdio.h>

#define REPORT_SEEN_MOST 20000

struct report_seen {
    struct arena *arena;
    struct report_in_row *row;
    size_t count;
};

static inline bool report_seen_take(void *context, const struct report_in_row *row)
{
    struct report_seen *s = context;
    if (!s->row)
        s->row = ARENA_ARRAY(s->arena, struct report_in_row, REPORT_SEEN_MOST);
    if (!s->row || s->count == REPORT_SEEN_MOST)
        return false;
    struct report_in_row *to = &s->row[s->count++];
    *to = *row;
    const char **const texts[] = {&to->source, &to->result, &to->dkim, &to->spf, &to->header_from, &to->detail};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = arena_strdup(s->arena, *texts[i]);
    return true;
}

static inline enum status report_seen_parse(struct report_seen *s, struct slice text, struct report_in *out, char *why)
{
    s->count = 0;
    return report_in_parse(s->arena, text, &(struct report_in_rows){report_seen_take, s}, out, why);
}

struct report_first {
    struct buf *out;
    char *why;
    bool have;
};

static inline void report_first_found(void *context, const char *where, struct slice text)
{
    struct report_first *f = context;
    (void)where;
    if (!f->have)
        buf_addslice(f->out, text);
    f->have = true;
}

static inline void report_first_unread(void *context, const char *where, const char *why, enum status st)
{
    struct report_first *f = context;
    (void)where, (void)st;
    snprintf(f->why, REPORT_IN_WHY, "%s", why);
}

static inline enum status report_first(struct slice file, struct buf *out, char *why)
{
    struct report_first f = {.out = out, .why = why};
    report_in_walk(file, "", &(struct report_in_walker){report_first_found, report_first_unread, NULL, &f});
    return !f.have ? STATUS_INVALID : out->failed ? STATUS_NOMEM : STATUS_OK;
}

#endif
