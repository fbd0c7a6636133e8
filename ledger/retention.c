// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention.c - deletes data that is older than it may be kept.
 *
 * Promises that after retention_run (not stopped, STATUS_OK) no queue-id, Message-ID, HELO name, exact address or raw
 * record older than keep.identity is in the store or, on SQLite, in its write-ahead log (readers permitting). On
 * failure the steps that were committed stay; the next run goes on from there.
 */
#include "ledger/retention.h"
#include "base/arena.h"
#include "ledger/dmarc_row.h"
#include "ledger/inbox.h"
#include "ledger/key_range.h"
#include "ledger/store_convert.h"
#include "ledger/store_lease.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct steps {
    struct store *store;
    bool (*stop)(void);
    int64_t size, rows;
    enum status status;
};

/* After a step: its log kept short, the next one as large as may be, others let in. What counts is how long others were
 * kept out: the wait for our own turn and for the disk keep nobody out, and on a busy machine or a slow disk would make
 * each step the least one. */
static void end_step(struct steps *t)
{
    const int64_t took = store_held_ms(t->store);
    store_write_back(t->store);
    if (took > RETENTION_STEP_MS && t->size / 2 >= RETENTION_STEP_LEAST)
        t->size /= 2;
    else if (took < RETENTION_STEP_MS / 4 && t->size * 2 <= RETENTION_STEP)
        t->size *= 2;
    store_give_way(t->store, took * 1000);
}

/* After a table, of which rows were deleted if there are more now than before. */
static void end_table(struct steps *t, int64_t before)
{
    if (t->rows > before)
        store_checkpoint(t->store);
}

/* A statement that is repeated until it changes nothing. */
struct step {
    const char *sql;  /* $1 the limit, $2 how many rows at most; $1 alone where there is `last` */
    const char *last; /* NULL, or a question with these two, whose answer is the limit of this step */
};

/* The limit is asked for by itself, so that PostgreSQL knows it when it chooses a plan: for one that a subquery finds
 * it expects a third of the table. */
static enum status run_step(struct steps *t, const struct step *step, int64_t before, int64_t *n)
{
    if (!step->last)
        return store_run(t->store, n, step->sql, "ii", before, t->size);
    int64_t last = 0;
    enum status st = store_ask_number(t->store, INT64_MIN, &last, step->last, "ii", before, t->size);
    return st == STATUS_OK ? store_run(t->store, n, step->sql, "i", last) : st;
}

static void repeat(struct steps *t, const struct step *step, int64_t before)
{
    const int64_t rows = t->rows;
    int64_t n = 1;
    while (n > 0 && t->status == STATUS_OK && !(t->stop && t->stop())) {
        enum status st = store_begin(t->store);
        if (st == STATUS_OK)
            st = run_step(t, step, before, &n);
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
    end_table(t, rows);
}

static void in_steps(struct steps *t, const char *sql, int64_t before)
{
    repeat(t, &(struct step){.sql = sql}, before);
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
}

/* Old rows of a table, deleted by ranges of its key: `where`, with $1, the limit; the range; `more`. Or `what` in place
 * of DELETE FROM the table. In small steps, where a range has more rows to delete than it has keys. */
struct ranges {
    const char *table, *key;
    const char *where, *more, *what;
    int64_t before;
    bool in_steps;
    int64_t stop_at; /* no range begins at this number or above, the first column of the key; 0: none */
};

/* How many ranges' worth of rows a step of the table reads, since most of them stay. */
#define RANGE_ROWS 4
#define POLICIES_MEMORY ((size_t)16 << 20) /* names of the policies of a range */

static void put_statement(const struct ranges *r, const struct key_range *range, const char *does, struct buf *sql)
{
    if (r->what)
        buf_adds(sql, r->what);
    else
        buf_printf(sql, "%s FROM %s WHERE ", does, r->table);
    buf_adds(sql, r->where ? r->where : "");
    key_range_put(range, 2, sql);
    buf_adds(sql, r->more ? r->more : "");
}

static enum status delete_range(struct steps *t, const struct ranges *r, const struct key_range *range, int64_t *n)
{
    struct store_value v[1 + KEY_RANGE_PARAMETERS] = {{.number = r->before, .is_number = true}};
    struct buf count = BUF_INIT, change = BUF_INIT;
    if (!r->what)
        put_statement(r, range, "SELECT count(*)", &count);
    put_statement(r, range, "DELETE", &change);
    if (r->in_steps)
        buf_printf(&change, " LIMIT %lld)", (long long)t->size);
    const size_t values = key_range_add(range, v, 1);
    enum status st = STATUS_NOMEM;
    if (!count.failed && !change.failed)
        st = key_range_change(t->store, r->what ? NULL : count.p, change.p, v, values, n);
    buf_release(&count);
    buf_release(&change);
    return st;
}

/* Whether the range is done; if not, it is tried once more, smaller or for the rows that are left. */
static bool end_range(struct steps *t, const struct ranges *r, enum status st, int64_t n)
{
    if (st == STATUS_AGAIN && t->size > RETENTION_STEP_LEAST) {
        store_checkpoint(t->store);
        t->size /= 4;
        return false;
    }
    t->status = st;
    t->rows += st == STATUS_OK ? n : 0;
    if (st == STATUS_OK && n)
        end_step(t);
    return !r->in_steps || n == 0;
}

static void in_ranges(struct steps *t, const struct ranges *r)
{
    struct key_range range = {.table = r->table, .key = r->key};
    const int64_t rows = t->rows;
    while (t->status == STATUS_OK && !(t->stop && t->stop())) {
        t->status = key_range_next(t->store, &range, t->size * RANGE_ROWS);
        if (t->status != STATUS_OK || range.over)
            break;
        if (r->stop_at && range.from_count && strtoll(range.from[0], NULL, 10) >= r->stop_at)
            break;
        int64_t n = 0;
        enum status st = delete_range(t, r, &range, &n);
        range.again = !end_range(t, r, st, n);
    }
    key_range_free(&range);
    end_table(t, rows);
}

/* Tables whose key does not begin with a time. */
static void tables_by_name(struct steps *t, int64_t days, int64_t segments)
{
    const int64_t seen = days * TIMESTAMP_DAY;
    const struct ranges tables[] = {
        {"subject_day", "subject, scope, standard, day", "day < $1 AND ", .before = days},
        {"org_source", "org, net", "last_seen < $1 AND ", .before = seen},
        {"selector", "domain, selector", "last_seen < $1 AND ", .before = seen},
        {"zone", "name, state", "last_seen < $1 AND ", .before = seen},
        {"segment", "id", "state = 'done' AND changed < $1 AND ", .before = segments},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        in_ranges(t, &tables[i]);
}

/* Reports of others: their rows first, by the reports that are old. */
static void reports_of_others(struct steps *t, int64_t days)
{
    const char *key = "kind, org, report_id, domain";
    in_ranges(t, &(struct ranges){.table = "report_in",
                                  .key = key,
                                  .what = "WITH i AS MATERIALIZED (SELECT kind, org, report_id, domain FROM report_in "
                                          "WHERE ends < $1 AND taken < CAST($1 AS BIGINT) * 1000000 AND ",
                                  .more = ") DELETE FROM report_in_row WHERE (kind, org, report_id, domain, row) IN "
                                          "(SELECT w.kind, w.org, w.report_id, w.domain, w.row FROM i CROSS JOIN "
                                          "report_in_row w WHERE w.kind = i.kind AND w.org = i.org AND w.report_id = "
                                          "i.report_id AND w.domain = i.domain",
                                  .before = days * 86400,
                                  .in_steps = true});
    in_ranges(t, &(struct ranges){.table = "report_in",
                                  .key = key,
                                  .where = "ends < $1 AND taken < CAST($1 AS BIGINT) * 1000000 AND ",
                                  .before = days * 86400});
}

/* Policies that have old exceptions. */
struct old_policy {
    struct old_policy *next;
    const char *name;
};

/* The first column of rows of a range, by "... $1 AND " and the range. */
static struct store_rows *ask_range(struct steps *t, const char *what, int64_t first, const struct key_range *range)
{
    struct store_value v[1 + KEY_RANGE_PARAMETERS] = {{.number = first, .is_number = true}};
    struct buf sql = BUF_INIT;
    buf_adds(&sql, what);
    key_range_put(range, 2, &sql);
    struct store_rows *rows = sql.failed ? NULL : store_ask_values(t->store, sql.p, v, key_range_add(range, v, 1));
    buf_release(&sql);
    return rows;
}

static struct old_policy *old_policies(struct steps *t, int64_t days, const struct key_range *range, struct arena *a)
{
    struct old_policy *list = NULL;
    struct store_rows *rows = ask_range(t, "SELECT DISTINCT policy FROM exception WHERE day < $1 AND ", days, range);
    while (store_next(rows) && !arena_failed(a)) {
        struct old_policy *p = ARENA_NEW(a, struct old_policy);
        if (p)
            *p = (struct old_policy){list, arena_strdup(a, store_text(rows, 0))};
        list = p ? p : list;
    }
    t->status = store_done(rows);
    if (t->status == STATUS_OK && arena_failed(a))
        t->status = STATUS_NOMEM;
    return list;
}

/* Takes those off the list that judged a mail which is still counted. */
static void drop_policies_in_use(struct steps *t, int64_t days, struct old_policy **list)
{
    struct key_range range = {.table = "outcome_day", .key = "day, standard, subject, result, level, action"};
    while (*list && t->status == STATUS_OK) {
        if (t->stop && t->stop()) {
            *list = NULL; /* what is not known to be unused is in use */
            break;
        }
        t->status = key_range_next(t->store, &range, t->size * RANGE_ROWS);
        if (t->status != STATUS_OK || range.over)
            break;
        struct store_rows *rows =
            ask_range(t, "SELECT DISTINCT policy FROM outcome_day WHERE +day >= $1 AND ", days, &range);
        while (store_next(rows))
            for (struct old_policy **p = list; *p;)
                if (strcmp((*p)->name, store_text(rows, 0)) == 0)
                    *p = (*p)->next;
                else
                    p = &(*p)->next;
        t->status = store_done(rows);
    }
    key_range_free(&range);
}

/* Exceptions of a policy last as long as what it decided. */
static void exceptions(struct steps *t, int64_t days)
{
    struct key_range range = {.table = "exception", .key = "policy, statement"};
    const int64_t rows = t->rows;
    while (t->status == STATUS_OK && !(t->stop && t->stop())) {
        t->status = key_range_next(t->store, &range, t->size * RANGE_ROWS);
        if (t->status != STATUS_OK || range.over)
            break;
        struct arena *a = arena_new(POLICIES_MEMORY);
        struct old_policy *old = a ? old_policies(t, days, &range, a) : NULL;
        t->status = a ? t->status : STATUS_NOMEM;
        drop_policies_in_use(t, days, &old);
        for (; old && t->status == STATUS_OK && !(t->stop && t->stop()); old = old->next) {
            int64_t n = 0;
            t->status =
                store_run(t->store, &n, "DELETE FROM exception WHERE policy = $1 AND day < $2", "ti", old->name, days);
            t->rows += n;
        }
        arena_free(a);
    }
    key_range_free(&range);
    end_table(t, rows);
}

/* A list is used where its block is in most_seen_block: that goes first. */
static void lists(struct steps *t, int64_t days)
{
    in_steps(t, DELETE_BY("most_seen_block", "day, days", "day"), days);
    in_steps(t, DELETE_BY("most_seen_bound", "day, days, standard, scope, result, security", "day"), days);
    in_steps(t, DELETE_BY("most_seen", "day, days, standard, scope, result, security, subject", "day"), days);
}

/* Rows of reports by day, but those of domains whose report of that day was not sent and can be asked for. +day: one
 * upper bound for each statement, that of the range (see delete_old). */
static void rows_of_reports(struct steps *t, int64_t before)
{
    in_ranges(t, &(struct ranges){.table = "dmarc_row",
                                  .key = "day, domain, mark, source_ip, header_from, envelope_from",
                                  .where = "+day < $1 AND ",
                                  .more = " AND NOT EXISTS (SELECT 1 FROM report_out o WHERE o.day = dmarc_row.day "
                                          "AND o.domain = dmarc_row.domain AND o.state IN ('left out', 'suppressed', "
                                          "'dead', 'refused', 'asked', 'new', 'retry'))",
                                  .before = before,
                                  .stop_at = before});
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
    repeat(&t,
           &(struct step){"DELETE FROM mail WHERE t <= $1",
                          "SELECT max(t) FROM (SELECT t FROM mail WHERE t < $1 ORDER BY t LIMIT $2) x"},
           mails);
    repeat(&t,
           &(struct step){"UPDATE mail SET queue_id = NULL, message_id = NULL, helo = NULL, client = NULL, reference = "
                          "NULL, record = NULL, exact = 0 WHERE exact = 1 AND t <= $1",
                          "SELECT max(t) FROM (SELECT t FROM mail WHERE exact = 1 AND t < $1 ORDER BY t LIMIT $2) x"},
           identity);
    tables_by_day(&t, today - exact, reports, sent, hours, days);
    if (can_be_asked)
        rows_of_reports(&t, today - exact);
    in_steps(&t, DELETE_BY("correspondent", "domain, how, day", "day"), today - RETENTION_CORRESPONDENT_DAYS);
    exceptions(&t, days);
    tables_by_name(&t, days, now - 400 * TIMESTAMP_DAY);
    in_steps(&t, DELETE_BY("subject_seen", "day, pass, subject", "day"), days);
    lists(&t, days);
    reports_of_others(&t, days);
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
    store_go_by_keys(s, true);
    st = delete_old(s, keep, now, stop, rows);
    store_go_by_keys(s, false);
    store_lease_leave(s);
    return st;
}
