// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_report_in.c - a report that somebody sent: unpacked and read, both kinds, any wrapping; and the messages of the
 * process that reads them.
 */
#include "base/arena.h"
#include "feedback/report_in.h"
#include "feedback/report_message.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *context, const struct report_in_row *row)
{
    size_t *rows = context;
    if (row->count < 1 || !row->source || !row->detail || !row->header_from)
        abort();
    ++*rows;
    return true;
}

static void found(void *context, const char *where, struct slice text)
{
    char why[REPORT_IN_WHY];
    struct arena *a = arena_new(1 << 22);
    struct report_in r, again;
    size_t rows = 0;
    (void)context, (void)where;
    if (a && report_in_parse(a, text, NULL, &r, why) == STATUS_OK) {
        if (!*r.org || !*r.id || !r.domain_count || r.row_count > REPORT_IN_ROWS ||
            report_in_parse(a, text, &(struct report_in_rows){take, &rows}, &again, why) != STATUS_OK ||
            rows != r.row_count)
            abort();
    }
    arena_free(a);
}

static void unread(void *context, const char *where, const char *why, enum status st)
{
    (void)context, (void)where, (void)why, (void)st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    struct report_message m;
    report_in_walk(in, "fuzz", &(struct report_in_walker){found, unread, NULL, NULL});
    while (report_message_take(&in, &m) == STATUS_OK)
        ;
    return 0;
}
