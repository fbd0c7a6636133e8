// SPDX-License-Identifier: BSD-2-Clause
/*
 * most_seen.c - answers which subjects were seen most, from lists where these decide it.
 *
 * Promises the same rows as the sum over all subjects, in the same order; and to write nothing. On failure the rows say
 * so (store_done).
 */
#include "ledger/most_seen.h"
#include "base/buf.h"
#include "ledger/most_seen_state.h"
#include "ledger/questions.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MOST 400 /* of a query; more only where lists are being made for the first time */

struct asking {
    struct store *store;
    const char *standard, *state, *condition;
    int64_t first, last, limit;
    struct buf blocks; /* a condition on days and day */
    int64_t bound;     /* of whoever is in no list */
};

/* Disjoint blocks from first to last, the largest that fit. *fit false: the lists are not all made, or too many. */
static enum status choose_blocks(struct asking *a, bool *fit)
{
    int64_t ready = 0, next = a->first, chosen = 0;
    enum status st =
        store_ask_number(a->store, 0, &ready, "SELECT number FROM ledger_state WHERE name = $1", "t", MOST_SEEN_READY);
    struct store_rows *r = store_ask(
        a->store, "SELECT days, day FROM most_seen_block WHERE day >= $1 AND day <= $2 ORDER BY day, days DESC", "ii",
        a->first, a->last);
    while (st == STATUS_OK && store_next(r)) {
        int64_t days = store_number(r, 0), day = store_number(r, 1);
        if (day < next || day + days - 1 > a->last)
            continue;
        buf_printf(&a->blocks, "%s(days = %" PRId64 " AND day = %" PRId64 ")", chosen ? " OR " : "", days, day);
        next = day + days;
        chosen++;
    }
    if (!chosen)
        buf_adds(&a->blocks, "days = 0");
    enum status done = store_done(r);
    *fit = ready && chosen <= BLOCKS_MOST;
    return st != STATUS_OK ? st : a->blocks.failed ? STATUS_NOMEM : done;
}

static enum status find_bound(struct asking *a)
{
    struct buf sql = BUF_INIT;
    buf_printf(&sql,
               "SELECT max(n) FROM (SELECT sum(bound) AS n FROM most_seen_bound WHERE standard = $1 AND %s AND (%s) "
               "GROUP BY scope, result, security) x",
               a->condition, a->blocks.p);
    enum status st =
        sql.failed ? STATUS_NOMEM : store_ask_number(a->store, 0, &a->bound, sql.p, "tt", a->standard, a->state);
    buf_release(&sql);
    return st;
}

/* Joins the rows of subject_day that belong to each row before it, looked up by the key, whatever the planner believes
 * of the tables' sizes: SQLite keeps the order of a CROSS JOIN and finds no index for `condition`; PostgreSQL runs what
 * is behind LATERAL, with OFFSET, once for each row. */
static void join_subject_day(const struct asking *a, struct buf *sql, const char *alias, const char *where)
{
    bool shared = store_is_shared(a->store);
    /* Only DNSSEC is recorded of names, too (ingest_record.c). */
    const char *scope = strcmp(a->standard, "dnssec") == 0 ? "IN ('mail', 'names')" : "= 'mail'";
    buf_printf(sql, " CROSS JOIN %s %s WHERE %s AND %s.scope %s AND %s.standard = $1 AND %s.%s%s%s",
               shared ? "LATERAL (SELECT * FROM subject_day" : "subject_day", alias, where, alias, scope, alias, alias,
               a->condition, shared ? " OFFSET 0) " : "", shared ? alias : "");
}

/* least: the count that a subject in no list needs since the lists were made; -1: listed ones only. A subject that was
 * seen in two passes of one day, or in two scopes, may be added twice to what is compared with `least`: it is then
 * looked at for nothing. */
static struct store_rows *add_up(struct asking *a, int64_t least)
{
    struct buf sql = BUF_INIT;
    buf_printf(
        &sql,
        "SELECT s.subject, s.scope, s.result, s.security, sum(s.count), min(s.first_seen), max(s.last_seen) FROM "
        "(SELECT subject FROM most_seen WHERE standard = $1 AND %s AND (%s)",
        a->condition, a->blocks.p);
    if (least >= 0) {
        buf_adds(&sql,
                 " UNION SELECT subject FROM (SELECT d.subject AS subject FROM (SELECT day, subject FROM subject_seen "
                 "WHERE day >= $3 AND day <= $4) n");
        join_subject_day(a, &sql, "d", "d.subject = n.subject AND d.day = n.day");
        buf_printf(&sql, " GROUP BY d.subject HAVING sum(d.count) >= %" PRId64 ") y", least);
    } else {
        buf_adds(&sql, " UNION SELECT '' AS subject");
    }
    buf_adds(&sql, ") x");
    join_subject_day(a, &sql, "s", "s.subject = x.subject AND s.day >= $3 AND s.day <= $4");
    buf_adds(&sql, " GROUP BY s.subject, s.scope, s.result, s.security ORDER BY sum(s.count) DESC, s.subject, s.scope, "
                   "s.result, s.security LIMIT $5");
    struct store_rows *r =
        sql.failed ? NULL : store_ask(a->store, sql.p, "ttiii", a->standard, a->state, a->first, a->last, a->limit);
    buf_release(&sql);
    return r;
}

/* The count of the last of `limit` rows; 0: there are fewer. */
static enum status last_count(struct store_rows *r, int64_t limit, int64_t *out)
{
    int64_t n = 0;
    for (*out = 0; store_next(r);)
        if (++n == limit)
            *out = store_number(r, 4);
    return store_done(r);
}

static struct store_rows *add_up_all(struct asking *a, bool is_result)
{
    const char *sql = is_result ? (strcmp(a->state, "pass") == 0 ? QUESTION_TOP_PASSED : QUESTION_TOP_NOT_PASSED)
                      : strcmp(a->standard, "dnssec") == 0 ? QUESTION_TOP_DNSSEC
                                                           : QUESTION_TOP_SECURITY;
    return store_ask(a->store, sql, "ttiii", a->standard, a->state, a->first, a->last, a->limit);
}

struct store_rows *most_seen_ask(struct store *s, const char *standard, const char *state, bool is_result,
                                 int64_t first, int64_t last, int64_t limit, bool *by_lists)
{
    struct asking a = {.store = s,
                       .standard = standard,
                       .state = state,
                       .first = first,
                       .last = last,
                       .limit = limit,
                       .condition = is_result ? "result || '' = $2" : "security || '' = $2",
                       .blocks = BUF_INIT};
    int64_t listed = 0, shown;
    bool fit = false;
    enum status st = choose_blocks(&a, &fit);
    if (st == STATUS_OK && fit)
        st = find_bound(&a);
    if (st == STATUS_OK && fit)
        st = last_count(add_up(&a, -1), limit, &listed);
    int64_t least = listed > a.bound ? listed - a.bound : 1;
    shown = listed; /* at least: those in no list can only raise it */
    if (st == STATUS_OK && fit && a.bound && shown <= a.bound)
        st = last_count(add_up(&a, least), limit, &shown);
    /* Nobody else can have as many. On failure the sum over all reports it. */
    bool decided = st == STATUS_OK && fit && (a.bound == 0 || shown > a.bound);
    struct store_rows *r = decided ? add_up(&a, least) : add_up_all(&a, is_result);
    if (by_lists)
        *by_lists = decided;
    buf_release(&a.blocks);
    return r;
}
