// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention.c - deletes data that is older than it may be kept.
 *
 * Promises that after retention_run (not stopped, STATUS_OK) no queue-id, Message-ID, HELO name, exact address or raw
 * record older than keep.identity is in the store or, on SQLite, in its write-ahead log (readers permitting). On
 * failure the steps that were committed stay; the next run goes on from there.
 */
#include "ledger/retention.h"
#include "ledger/dmarc_row.h"
#include "ledger/inbox.h"
#include "ledger/store_convert.h"
#include "ledger/store_lease.h"
#include "ledger/timestamp.h"
#include <stdio.h>

struct steps {
    struct store *store;
    bool (*stop)(void);
    int64_t size, rows;
    enum status status;
};

/* After a step: its log emptied, the next one as large as may be, others let in. What counts is how long others were
 * kept out: the wait for our own turn and the checkpoint keep nobody out, and on a busy machine or a slow disk would
 * make each step the least one. */
static void end_step(struct steps *t)
{
    const int64_t took = store_held_ms(t->store);
    store_checkpoint(t->store);
    if (took > RETENTION_STEP_MS && t->size / 2 >= RETENTION_STEP_LEAST)
        t->size /= 2;
    else if (took < RETENTION_STEP_MS / 4 && t->size * 2 <= RETENTION_STEP)
        t->size *= 2;
    store_give_way(t->store, took * 1000);
}

/* Repeats one statement until it changes nothing: $1 the limit, $2 how many rows at most. */
static void in_steps(struct steps *t, const char *sql, int64_t before)
{
    int64_t n = 1;
    while (n > 0 && t->status == STATUS_OK && !(t->stop && t->stop())) {
        enum status st = store_begin(t->store);
        if (st == STATUS_OK)
            st = store_run(t->store, &n, sql, "ii", before, t->size);
        if (st == STATUS_OK)
            st = store_commit(t->store);
        if (st != STATUS_OK) {
            store_rollback(t->store);
            store_checkpoint(t->store); /* a full disk: the write-ahead log may take up the missing space */
            n = 1;
            if (st == STATUS_AGAIN && t->size > RETENTION_STEP_LEAST)
                t->size /= 4;
            else
                t->status = st;
            continue;
        }
        t->rows += n;
        if (n)
            end_step(t);
    }
}

/* Tables whose key begins with a day or an hour: a step is a range of the key. */
#define DELETE_BY(table, key, column)                                                                                  \
    "DELETE FROM " table " WHERE (" key ") IN (SELECT " key " FROM " table " WHERE " column " < $1 LIMIT $2)"

static void tables_by_day(struct steps *t, int64_t exact, int64_t reports, int64_t sent, int64_t hours, int64_t days)
{
    in_steps(t, DELETE_BY("dmarc_row", "day, domain, " DMARC_ROW_NAMES, "day"), reports);
    in_steps(t, DELETE_BY("dmarc_domain", "day, domain", "day"), reports);
    in_steps(t, DELETE_BY("dmarc_policy", "day, domain, mark", "day"), reports);
    in_steps(t, DELETE_BY("dmarc_behind", "day, domain, host, after", "day"), exact);
    in_steps(t, DELETE_BY("failure_out", "destination, report_id", "day"), exact);
    in_steps(t, DELETE_BY("report_out", "day, domain, destination", "day"), sent);
    in_steps(t, DELETE_BY("standard_hour", "hour, host, scope, standard, result, security", "hour"), hours);
    in_steps(t, DELETE_BY("verdict_hour", "hour, host, source, action, would", "hour"), hours);
    in_steps(t, DELETE_BY("standard_day", "day, scope, standard, result, security", "day"), days);
    in_steps(t,
             DELETE_BY("outcome_day",
                       "day, standard, subject, result, level, action, statement, exemption, expired, trust, policy",
                       "day"),
             days);
    in_steps(t, DELETE_BY("signer_day", "day, domain", "day"), days);
    in_steps(t, DELETE_BY("org_day", "day, org, asked", "day"), days);
    in_steps(t, DELETE_BY("org_miss_day", "day, org, standard", "day"), days);
    in_steps(t, DELETE_BY("org_failed_day", "day, org, net, standard", "day"), days);
    in_steps(t, DELETE_BY("org_group_day", "day, name, org", "day"), days);
    in_steps(t, DELETE_BY("org_state_count", "day, list, standard, state", "day"), days);
    in_steps(t, DELETE_BY("domain_check", "day, domain", "day"), days);
    in_steps(t, DELETE_BY("org_source", "org, net", "last_seen"), days * TIMESTAMP_DAY);
    in_steps(
        t,
        DELETE_BY("exception", "policy, statement", "policy NOT IN (SELECT DISTINCT policy FROM outcome_day) AND day"),
        days);
    in_steps(t, DELETE_BY("selector", "domain, selector, algorithm, bits, result", "last_seen"), days * TIMESTAMP_DAY);
    in_steps(t, DELETE_BY("zone", "name, state", "last_seen"), days * TIMESTAMP_DAY);
}

/* One pass over a table in ranges of a text column of its key. `next` tells where a range ends ($1 its beginning, $2
 * the day, $3 how many rows); `text` with `end`, which the last range does without, and `more` deletes in it ($1 its
 * beginning, $2 its end, $3 the day). SQLite counts parameters as they come, so they stand in this order. */
struct ranges {
    const char *next, *text, *end, *more;
    int64_t day;
};

static enum status delete_range(struct steps *t, const struct ranges *r, const char *from, const char *to, bool last,
                                int64_t *n)
{
    char sql[1024];
    snprintf(sql, sizeof sql, "%s%s%s", r->text, last ? " AND $2 = $2" : r->end, r->more);
    enum status st = store_begin(t->store);
    if (st == STATUS_OK)
        st = store_run(t->store, n, sql, "tti", from, to, r->day);
    if (st == STATUS_OK)
        st = store_commit(t->store);
    if (st != STATUS_OK)
        store_rollback(t->store);
    return st;
}

static void in_ranges(struct steps *t, const struct ranges *r)
{
    char from[STORE_ERROR * 4] = "", to[STORE_ERROR * 4];
    bool more = true;
    int64_t wider = 1; /* one name has more rows than a step: the range that holds it does */
    while (more && t->status == STATUS_OK && !(t->stop && t->stop())) {
        struct store_rows *rows = store_ask(t->store, r->next, "tii", from, r->day, t->size * 4 * wider);
        more = store_next(rows);
        snprintf(to, sizeof to, "%s", more ? store_text(rows, 0) : "");
        t->status = store_done(rows);
        if (t->status != STATUS_OK)
            return;
        if (more && strcmp(from, to) == 0) {
            wider *= 2;
            continue;
        }
        int64_t n = 0;
        enum status st = delete_range(t, r, from, to, !more, &n);
        if (st == STATUS_AGAIN && t->size > RETENTION_STEP_LEAST) {
            store_checkpoint(t->store);
            t->size /= 4;
            more = true;
            continue;
        }
        t->status = st;
        t->rows += st == STATUS_OK ? n : 0;
        if (n)
            end_step(t);
        wider = 1;
        snprintf(from, sizeof from, "%s", to);
    }
}

static void subjects(struct steps *t, int64_t days)
{
    in_ranges(t, &(struct ranges){.next = "SELECT subject FROM subject_day WHERE subject >= $1 AND $2 = $2 ORDER BY "
                                          "subject LIMIT 1 OFFSET $3",
                                  .text = "DELETE FROM subject_day WHERE subject >= $1",
                                  .end = " AND subject <= $2",
                                  .more = " AND day < $3",
                                  .day = days});
}

/* A list is used where its block is in most_seen_block: that goes first. */
static void lists(struct steps *t, int64_t days)
{
    in_steps(t, DELETE_BY("most_seen_block", "day, days", "day"), days);
    in_steps(t, DELETE_BY("most_seen_bound", "day, days, standard, scope, result, security", "day"), days);
    in_steps(t, DELETE_BY("most_seen", "day, days, standard, scope, result, security, subject", "day"), days);
}

/* Rows of reports by day, but those of domains whose report of that day was not sent and can be asked for. */
static void rows_of_reports(struct steps *t, int64_t before)
{
    int64_t day = 0, none = before;
    t->status = t->status == STATUS_OK ? store_ask_number(t->store, none, &day, "SELECT min(day) FROM dmarc_row", "")
                                       : t->status;
    for (; day < before && t->status == STATUS_OK && !(t->stop && t->stop()); day++)
        in_ranges(t, &(struct ranges){
                         .next = "SELECT domain FROM dmarc_row WHERE domain >= $1 AND day = $2 ORDER BY "
                                 "domain LIMIT 1 OFFSET $3",
                         .text = "DELETE FROM dmarc_row WHERE domain >= $1",
                         .end = " AND domain <= $2",
                         .more = " AND day = $3 AND NOT EXISTS (SELECT 1 FROM report_out o WHERE o.day = dmarc_row.day "
                                 "AND o.domain = dmarc_row.domain AND o.state IN ('left out', "
                                 "'suppressed', 'dead', 'refused', 'asked', 'new', 'retry'))",
                         .day = day});
}

static enum status delete_old(struct store *s, const struct retention_keep *keep, int64_t now, bool (*stop)(void),
                              int64_t *rows)
{
    int64_t today = timestamp_day(now);
    int64_t identity = now - keep->identity * TIMESTAMP_SECOND, mails = now - keep->mails * TIMESTAMP_SECOND;
    int64_t days = today - keep->days / 86400, hours = (today - RETENTION_HOURS_DAYS) * 24;
    /* Rows of reports hold exact addresses: they are deleted at the same age, but never before their day's report was
     * due; those that can still be asked for later, unless identities are to be kept shorter than by default. */
    int64_t exact = keep->identity / 86400 > 3 ? keep->identity / 86400 : 3;
    bool can_be_asked = exact >= RETENTION_IDENTITY_DAYS && exact < RETENTION_RESEND_DAYS;
    int64_t reports = today - (can_be_asked ? RETENTION_RESEND_DAYS : exact);
    int64_t sent =
        today - (keep->identity / 86400 > RETENTION_REPORTS_DAYS ? keep->identity / 86400 : RETENTION_REPORTS_DAYS);
    struct steps t = {.store = s, .stop = stop, .size = RETENTION_STEP / 8}; /* how fast this disk is shows then */
    *rows = 0;
    t.status = store_convert(s, &(struct store_convert){.stop = stop});
    bool whole = false;
    if (t.status == STATUS_OK)
        t.status = store_converted(s, &whole);
    if (t.status != STATUS_OK || !whole)
        return t.status;
    t.status = store_months(s, today, today + STORE_MONTHS_AHEAD_DAYS);
    if (t.status == STATUS_OK)
        t.status = store_drop_months(s, mails);
    /* One upper bound for each statement: given two, SQLite goes by the first, and each step reads all that is old. */
    in_steps(&t,
             "DELETE FROM mail WHERE t <= (SELECT max(t) FROM (SELECT t FROM mail WHERE t < $1 ORDER BY t "
             "LIMIT $2) x)",
             mails);
    in_steps(&t,
             "UPDATE mail SET queue_id = NULL, message_id = NULL, helo = NULL, client = NULL, reference = NULL, record "
             "= NULL, exact = 0 "
             "WHERE exact = 1 AND t <= (SELECT max(t) FROM (SELECT t FROM mail WHERE exact = 1 AND t < $1 "
             "ORDER BY t LIMIT $2) x)",
             identity);
    tables_by_day(&t, today - exact, reports, sent, hours, days);
    if (can_be_asked)
        rows_of_reports(&t, today - exact);
    in_steps(&t, DELETE_BY("correspondent", "domain, how, day", "day"), today - RETENTION_CORRESPONDENT_DAYS);
    if (t.status == STATUS_OK)
        subjects(&t, days);
    in_steps(&t, DELETE_BY("subject_seen", "day, pass, subject", "day"), days);
    lists(&t, days);
    in_steps(
        &t,
        "DELETE FROM report_in_row WHERE (kind, org, report_id, domain, row) IN (SELECT w.kind, w.org, w.report_id, "
        "w.domain, w.row FROM report_in_row w JOIN report_in i ON i.kind = w.kind AND i.org = w.org AND i.report_id "
        "= w.report_id AND i.domain = w.domain WHERE i.ends < $1 AND i.taken < CAST($1 AS BIGINT) * 1000000 LIMIT $2)",
        days * 86400);
    in_steps(&t,
             DELETE_BY("report_in", "kind, org, report_id, domain", "taken < CAST($1 AS BIGINT) * 1000000 AND ends"),
             days * 86400);
    in_steps(&t, DELETE_BY("segment", "id", "state = 'done' AND changed"), now - 400 * TIMESTAMP_DAY);
    if (store_is_shared(s))
        in_steps(&t, DELETE_BY("inbox", "segment, at, upto, done, role", "refused IS NOT NULL AND sent"),
                 now - INBOX_REFUSED_DAYS * TIMESTAMP_DAY);
    *rows = t.rows;
    return t.status == STATUS_OK && (*rows || store_is_shared(s)) ? store_vacuum(s) : t.status;
}

enum status retention_run(struct store *s, const struct retention_keep *keep, int64_t now, bool (*stop)(void),
                          int64_t *rows)
{
    *rows = 0;
    enum status st = store_lease_take(s, "retention");
    if (st != STATUS_OK)
        return st;
    st = delete_old(s, keep, now, stop, rows);
    store_lease_leave(s);
    return st;
}
