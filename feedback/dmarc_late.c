// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_late.c - mails that came too late for their report.
 *
 * Promises to find every mail that the ledger would have reported and has not, where it knows what was reported
 * (report_out.mails; reports sent by a version that did not keep it have none and are skipped), and to change nothing.
 * Rows left out of a report for its size are not late: the report itself says so. On failure of the store some may have
 * been told already.
 */
#include "feedback/dmarc_late.h"
#include "base/words.h"
#include "base/buf.h"
#include "feedback/dmarc_rua.h"
#include <stdio.h>

#define BOUND ((size_t)1 << 20)

typedef void seen_function(void *context, const struct dmarc_late *late);

static enum status late_notify(struct store *s, struct dmarc_late *l, seen_function *seen, void *context)
{
    struct buf hosts = BUF_INIT;
    struct store_rows *q = store_ask(
        s,
        "SELECT host, CAST(sum(count) AS BIGINT) FROM dmarc_behind WHERE day = $1 AND domain = $2 AND after >= $3 "
        "GROUP BY host ORDER BY sum(count) DESC, host LIMIT $4",
        "itii", l->day, l->domain, (int64_t)!l->first, (int64_t)DMARC_LATE_HOSTS);
    while (store_next(q))
        buf_printf(&hosts, "%s%s %lld", hosts.n ? ", " : "", store_text(q, 0), (long long)store_number(q, 1));
    enum status st = store_done(q);
    l->hosts = hosts.p ? hosts.p : "";
    if (st == STATUS_OK && !hosts.failed)
        seen(context, l);
    buf_release(&hosts);
    return st;
}

static enum status after_the_report(struct store *s, int64_t since, int64_t last, seen_function *seen, void *context)
{
    enum status st = STATUS_OK;
    struct store_rows *q = store_ask(
        s,
        "SELECT o.day, o.domain, o.destination, CAST(n.mails - o.mails AS BIGINT) FROM report_out o JOIN (SELECT day, "
        "domain, sum(count) AS mails FROM dmarc_row WHERE day >= $1 AND day <= $2 GROUP BY day, domain) n ON n.day = "
        "o.day AND n.domain = o.domain WHERE o.state = 'sent' AND o.mails > 0 AND n.mails > o.mails "
        "ORDER BY o.day, o.domain, o.destination",
        "ii", since, last);
    while (st == STATUS_OK && store_next(q)) {
        struct dmarc_late l = {.day = store_number(q, 0),
                               .mails = store_number(q, 3),
                               .domain = store_text(q, 1),
                               .destination = store_text(q, 2),
                               .why = "came after the report was sent"};
        st = late_notify(s, &l, seen, context);
    }
    enum status done = store_done(q);
    return done != STATUS_OK ? done : st;
}

static enum status without_a_report(struct store *s, int64_t since, int64_t last, seen_function *seen, void *context)
{
    enum status st = STATUS_OK;
    struct arena *a = arena_new(BOUND);
    if (!a)
        return STATUS_NOMEM;
    struct store_rows *q = store_ask(
        s,
        "SELECT d.day, d.domain, d.rua, CAST(sum(r.count) AS BIGINT) FROM dmarc_domain d JOIN dmarc_row r ON r.day = "
        "d.day AND r.domain = d.domain WHERE d.day >= $1 AND d.day <= $2 AND EXISTS (SELECT 1 FROM report_out o WHERE "
        "o.day = d.day) AND NOT EXISTS (SELECT 1 FROM report_out p WHERE p.day = d.day AND "
        "p.domain = d.domain) GROUP BY d.day, d.domain, d.rua ORDER BY d.day, d.domain",
        "ii", since, last);
    while (st == STATUS_OK && store_next(q)) {
        struct dmarc_rua rua;
        arena_reset(a);
        st = dmarc_rua_parse(a, slice_str(store_text(q, 2)), &rua);
        struct dmarc_late l = {.day = store_number(q, 0),
                               .mails = store_number(q, 3),
                               .domain = store_text(q, 1),
                               .destination = rua.address[0],
                               .why = "came after the last day on which a first report is made",
                               .first = true};
        if (st == STATUS_OK && rua.count)
            st = late_notify(s, &l, seen, context);
    }
    enum status done = store_done(q);
    arena_free(a);
    return done != STATUS_OK ? done : st;
}

/* Reports that were never handed over while their day was looked back at: our mail command failed all the time. */
static enum status never_sent(struct store *s, int64_t since, int64_t last, seen_function *seen, void *context)
{
    enum status st = STATUS_OK;
    char why[400];
    struct store_rows *q = store_ask(
        s,
        "SELECT o.day, o.domain, o.destination, n.mails, o.reason FROM report_out o JOIN (SELECT day, domain, "
        "CAST(sum(count) AS BIGINT) AS mails FROM dmarc_row WHERE day >= $1 AND day <= $2 GROUP BY day, domain) n ON "
        "n.day = o.day AND n.domain = o.domain WHERE o.state IN ('new', 'retry', 'sending') ORDER BY o.day, o.domain, "
        "o.destination",
        "ii", since, last);
    while (st == STATUS_OK && store_next(q)) {
        const char *reason = store_text(q, 4);
        snprintf(why, sizeof why, "are in no report, which could not be sent%s%.300s", reason && *reason ? ": " : "",
                 reason ? reason : "");
        struct dmarc_late l = {.day = store_number(q, 0),
                               .mails = store_number(q, 3),
                               .domain = store_text(q, 1),
                               .destination = store_text(q, 2),
                               .hosts = "",
                               .why = why};
        seen(context, &l);
    }
    enum status done = store_done(q);
    return done != STATUS_OK ? done : st;
}

static enum status whole_days(struct store *s, int64_t since, int64_t last, seen_function *seen, void *context)
{
    char why[200];
    struct store_rows *q = store_ask(
        s,
        "SELECT d.day, CAST(sum(r.count) AS BIGINT), count(DISTINCT d.domain) FROM dmarc_domain d JOIN dmarc_row r ON "
        "r.day = d.day AND r.domain = d.domain WHERE d.day >= $1 AND d.day <= $2 AND NOT EXISTS (SELECT 1 FROM "
        "report_out o WHERE o.day = d.day) GROUP BY d.day ORDER BY d.day",
        "ii", since, last);
    while (store_next(q)) {
        snprintf(why, sizeof why, "of %lld domain%s are in no report: none of this day was made in time",
                 (long long)store_number(q, 2), words_s(store_number(q, 2)));
        struct dmarc_late l = {.day = store_number(q, 0),
                               .mails = store_number(q, 1),
                               .domain = "",
                               .destination = "",
                               .hosts = "",
                               .first = true,
                               .why = why};
        seen(context, &l);
    }
    return store_done(q);
}

enum status dmarc_late_find(struct store *s, int64_t since, int64_t last, int64_t closed, seen_function *seen,
                            void *context)
{
    enum status st = after_the_report(s, since, last, seen, context);
    last = closed < last ? closed : last;
    if (st == STATUS_OK)
        st = without_a_report(s, since, last, seen, context);
    if (st == STATUS_OK)
        st = never_sent(s, since, last, seen, context);
    return st == STATUS_OK ? whole_days(s, since, last, seen, context) : st;
}
