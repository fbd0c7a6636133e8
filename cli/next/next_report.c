// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_report.c - the next steps of a policy, for a report (next_report.h): the steps of `assay next`, weighed by fewer
 * mails, so that a page is made in seconds.
 *
 * Promises that a step is the one that the command would show and write.
 */
#include "cli/next/next_report.h"
#include "base/clock.h"
#include "cli/harden/edit.h"
#include "cli/next/next.h"

#define DAY_US INT64_C(86400000000)
#define OWN_MOST 8
#define WEIGHED_MOST 10000
#define DAYS_LEAST 14
#define MAILS_LEAST 100

static enum status steps_collect(struct next *n, struct store *s)
{
    const char *own[OWN_MOST], *why = NULL;
    size_t own_count = 0;
    struct edit *set = edit_new(n->arena);
    bool exists;
    n->days_least = DAYS_LEAST;
    n->mails_least = MAILS_LEAST;
    n->mails_most = WEIGHED_MOST;
    n->since_us = clock_wall_us() - n->days_least * 2 * DAY_US;
    n->now = set ? policy_load(n->path, NULL) : NULL;
    if (!n->now || edit_text(set, n->path, &n->text, &exists, &why) != STATUS_OK)
        return set ? STATUS_MISSING : STATUS_NOMEM;
    enum status st = next_own_domains(n, s, own, OWN_MOST, &own_count);
    if (st == STATUS_OK && !next_find_steps(n, own, own_count, &why))
        st = STATUS_INVALID;
    return st == STATUS_OK ? next_weigh(n, s) : st;
}

/* Ready steps first: they can be decided today. */
static void steps_add(const struct next *n, bool ready, struct report_decision *out, size_t most, size_t *count)
{
    for (size_t i = 0; i < n->count && *count < most; i++) {
        const struct next_step *s = &n->steps[i];
        if ((s->state == NEXT_READY) != ready || s->state == NEXT_SAY || s->names)
            continue;
        out[(*count)++] = (struct report_decision){.id = arena_strdup(n->arena, s->id),
                                                   .title = arena_strdup(n->arena, s->title),
                                                   .about = s->about ? arena_strdup(n->arena, s->about) : NULL,
                                                   .line = arena_strdup(n->arena, s->line),
                                                   .ready = ready,
                                                   .mode = s->is_mode,
                                                   .mails = s->mails,
                                                   .senders = (int64_t)s->hit_count + s->more_domains,
                                                   .stopped = s->stopped};
    }
}

enum status next_decisions(struct arena *a, const char *path, struct store *s, struct report_decision *out, size_t most,
                           size_t *count)
{
    struct next n = {.arena = a, .path = path};
    enum status st = steps_collect(&n, s);
    *count = 0;
    if (st == STATUS_OK) {
        steps_add(&n, true, out, most, count);
        steps_add(&n, false, out, most, count);
    }
    next_end(&n);
    return st == STATUS_AGAIN || st == STATUS_NOMEM ? st : STATUS_OK;
}
