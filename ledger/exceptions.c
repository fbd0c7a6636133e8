// SPDX-License-Identifier: BSD-2-Clause
/*
 * exceptions.c - the register of exceptions in the ledger.
 *
 * Promises: rows are never changed, so that hosts which may only insert can write them, and two hosts that write the
 * same row do no harm. On failure nothing of a policy's exceptions is there, and the caller tries again later.
 */
#include "ledger/exceptions.h"
#include "base/clock.h"
#include "ledger/timestamp.h"

static const char *kind_of(const struct policy_statement *st)
{
    return st->kind == POLICY_EXEMPT    ? "exemption"
           : st->kind == POLICY_TRUST   ? "trust"
           : st->kind == POLICY_SUSPEND ? "suspension"
                                        : NULL;
}

bool exceptions_is_one(const struct policy_statement *st)
{
    return kind_of(st) != NULL;
}

static const char *text_or_empty(const char *s)
{
    return s ? s : "";
}

static enum status keep_one(struct store *s, const struct policy *p, const struct policy_statement *st, int64_t day)
{
    struct buf scope = BUF_INIT;
    policy_scope(st, false, &scope);
    const char *words = scope.failed ? NULL : scope.p;
    enum status status =
        !words
            ? STATUS_NOMEM
            : store_run(s, &(int64_t){0},
                        "INSERT INTO exception (policy, statement, kind, scope, because, agreed_by, ref, until, day) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
                        "tttttttii", policy_hash(p), st->id, kind_of(st), words, text_or_empty(st->because),
                        text_or_empty(st->agreed_by), text_or_empty(st->ref), (int64_t)st->until, day);
    buf_release(&scope);
    return status;
}

enum status exceptions_keep(struct store *s, const struct policy *p)
{
    const struct policy_statement *st;
    int64_t day = timestamp_day(clock_wall_us());
    enum status status = store_begin(s);

    for (size_t i = 0; status == STATUS_OK && (st = policy_statement_at(p, i)); i++)
        if (exceptions_is_one(st))
            status = keep_one(s, p, st, day);
    if (status == STATUS_OK)
        status = store_commit(s);
    if (status != STATUS_OK)
        store_rollback(s);
    return status;
}

/* The current policy is also looked up by its own id: it may be newer than the one assay-ledger has read. */
#define SAME_AS(column)                                                                                                \
    "((policy = $1 AND " column " = $2) OR (policy <> $1 AND (policy, " column ") IN "                                 \
    "(SELECT policy, statement FROM exception WHERE scope = $3 AND kind = $4)))"

enum status exceptions_used(struct store *s, const struct policy *p, const struct policy_statement *st,
                            const char *standard, int64_t *count, int64_t *last)
{
    struct buf scope = BUF_INIT;
    policy_scope(st, false, &scope);
    const char *words = scope.failed ? NULL : scope.p;
    *count = *last = 0;
    if (!words) {
        buf_release(&scope);
        return STATUS_NOMEM;
    }
    struct store_rows *r =
        standard
            ? store_ask(s,
                        "SELECT sum(count), max(last_seen) FROM outcome_day WHERE " SAME_AS(
                            "exemption") " AND exemption <> '' AND standard = $5",
                        "ttttt", policy_hash(p), st->id, words, kind_of(st), standard)
            : store_ask(s,
                        "SELECT sum(count), max(last_seen) FROM outcome_day WHERE " SAME_AS("trust") " AND trust <> ''",
                        "tttt", policy_hash(p), st->id, words, kind_of(st));
    if (store_next(r)) {
        *count = store_number(r, 0);
        *last = store_number(r, 1);
    }
    buf_release(&scope);
    return store_done(r);
}

enum status exceptions_state(struct store *s, const struct policy_statement *st, const char *standard, time_t at,
                             enum exceptions_state *state)
{
    int64_t passed = 0, failed = 0, unsure = 0;
    bool ended = st->until <= at;
    *state = ended ? EXCEPTIONS_ENDED : EXCEPTIONS_EXPLAINED;
    if (!s || st->kind != POLICY_EXEMPT || (st->who.kind != POLICY_DOMAIN && st->who.kind != POLICY_ONLY))
        return STATUS_OK;
    struct store_rows *r =
        store_ask(s,
                  "SELECT result, sum(count) FROM subject_day WHERE subject = $1 AND scope = 'mail' AND standard = $2 "
                  "AND day >= $3 GROUP BY result",
                  "tti", st->who.name, standard, (int64_t)at / 86400 - EXCEPTIONS_RECENT_DAYS);
    while (store_next(r)) {
        enum result result = result_from_name(slice_str(store_text(r, 0)));
        int64_t *to = result == RESULT_PASS                                     ? &passed
                      : result == RESULT_TEMPERROR || result == RESULT_UNTESTED ? &unsure
                                                                                : &failed;
        *to += store_number(r, 1);
    }
    enum status status = store_done(r);
    if (status != STATUS_OK)
        return status;
    if (passed && !failed && !unsure)
        *state = EXCEPTIONS_APPLIED;
    else if (unsure && !passed && !failed)
        *state = EXCEPTIONS_COULD_NOT_TEST;
    else if (failed && ended)
        *state = EXCEPTIONS_ENDED_NOT_APPLIED;
    return STATUS_OK;
}

struct store_rows *exceptions_ask(struct store *s, int64_t since_day, int64_t until_day, int64_t most)
{
    return store_ask(
        s,
        "WITH used AS (SELECT COALESCE(e.scope, o.id) AS scope, o.standard AS standard, o.kind AS kind, "
        "count(DISTINCT o.subject) AS subjects, sum(o.count) AS n FROM "
        "(SELECT CASE WHEN exemption <> '' THEN exemption ELSE trust END AS id, "
        "CASE WHEN exemption <> '' THEN 'exemption' ELSE 'trust' END AS kind, standard, policy, subject, count FROM "
        "outcome_day WHERE day >= $1 AND day <= $2 AND (exemption <> '' OR trust <> '')) o "
        "LEFT JOIN exception e ON e.policy = o.policy AND e.statement = o.id "
        "GROUP BY COALESCE(e.scope, o.id), o.standard, o.kind) "
        "SELECT scope, standard, subjects, n, "
        "(SELECT because FROM exception e WHERE e.scope = used.scope AND e.kind = used.kind ORDER BY until DESC LIMIT "
        "1), "
        "(SELECT agreed_by FROM exception e WHERE e.scope = used.scope AND e.kind = used.kind ORDER BY until DESC "
        "LIMIT "
        "1), (SELECT max(until) FROM exception e WHERE e.scope = used.scope AND e.kind = used.kind) "
        "FROM used ORDER BY n DESC, scope, standard LIMIT $3",
        "iii", since_day, until_day, most);
}

bool exceptions_next(struct store_rows *r, struct exceptions_use *out)
{
    if (!store_next(r))
        return false;
    *out = (struct exceptions_use){.scope = store_text(r, 0),
                                   .standard = store_text(r, 1),
                                   .subjects = store_number(r, 2),
                                   .count = store_number(r, 3),
                                   .because = store_text(r, 4),
                                   .agreed_by = store_text(r, 5),
                                   .until = store_number(r, 6)};
    return true;
}
