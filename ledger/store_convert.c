// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_convert.c - rows of schemas 1 to 9, brought to schema 10.
 *
 * Promises that each row of a DMARC report is in the old table or in the new one, never in both or in neither: it is
 * written to the one and deleted from the other in one transaction. Two rows that become one (they differed in what no
 * report shows) add up. A row that is not the JSON it should be keeps its count, under the address "": reports leave
 * it out, as they did before. On failure the step is undone, and the steps before it stay.
 */
#include "ledger/store_convert.h"
#include "base/arena.h"
#include "ledger/aggregate.h"
#include "ledger/dmarc_row.h"
#include "ledger/store_engine.h"
#include "ledger/value.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP 500
#define CHECKPOINT_EVERY 4 /* steps: the write-ahead log stays small, since the disk may be full */
#define STEP_OCTETS ((size_t)64 << 20)

struct converting {
    struct store *store;
    struct arena *arena;
    struct aggregate *aggregate;
    int64_t rows;
};

struct old_row {
    int64_t day, count;
    const char *domain, *tuple;
};

struct old_mail {
    int64_t t;
    const char *record;
};

enum status store_converted(struct store *s, bool *done)
{
    int64_t left = 0;
    enum status st =
        store_ask_number(s, 0, &left, "SELECT count(*) FROM ledger_state WHERE name = $1", "t", STORE_CONVERT_STATE);
    *done = st == STATUS_OK && left == 0;
    if (left)
        snprintf(s->error, sizeof s->error,
                 "the ledger is still being brought to schema version 10 (assay-ledger does it): try again later");
    return st;
}

enum status store_convert_left(struct store *s, int64_t *rows)
{
    int64_t mails = 0;
    enum status st = store_ask_number(s, 0, rows, "SELECT count(*) FROM dmarc_row_9", "");
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &mails,
                              "SELECT count(*) FROM mail WHERE t >= (SELECT number FROM ledger_state WHERE name = $1)",
                              "t", STORE_CONVERT_STATE);
    *rows += mails;
    return st;
}

/* ---- rows of reports ---- */

static const char *signatures_of(const struct value *v, struct arena *a)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < value_count(v); i++) {
        const struct value *s = value_at(v, i);
        const char *d = value_text(s, "d"), *selector = value_text(s, "s"), *r = value_text(s, "r");
        if (d && selector)
            dmarc_row_add_signature(&b, d, selector, r ? r : "");
    }
    const char *text = b.failed ? NULL : arena_strdup(a, b.p);
    buf_release(&b);
    return text;
}

/* A tuple of schema 9, in columns. */
static bool row_of(const char *tuple, struct arena *a, struct dmarc_row *out)
{
    static const struct {
        enum dmarc_row_column column;
        const char *key;
    } keys[] = {{DMARC_ROW_MARK, "policy"},
                {DMARC_ROW_SOURCE_IP, "ip"},
                {DMARC_ROW_HEADER_FROM, "from"},
                {DMARC_ROW_ENVELOPE_FROM, "mail_from"},
                {DMARC_ROW_DISPOSITION, "disposition"},
                {DMARC_ROW_DKIM, "dkim"},
                {DMARC_ROW_SPF, "spf"},
                {DMARC_ROW_REASON, "type"},
                {DMARC_ROW_COMMENT, "comment"},
                {DMARC_ROW_SPF_DOMAIN, "spf_domain"},
                {DMARC_ROW_SPF_SCOPE, "spf_scope"},
                {DMARC_ROW_SPF_RESULT, "spf_result"}};
    struct value *v = value_parse(slice_str(tuple), NULL);
    bool ok = true;
    *out = (struct dmarc_row){0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && ok; i++) {
        const char *text = value_text(v, keys[i].key);
        ok = !text || (out->column[keys[i].column] = arena_strdup(a, text)) != NULL;
    }
    out->column[DMARC_ROW_SIGNATURES] = signatures_of(value_get(v, "dkim_auth"), a);
    value_free(v);
    return ok && out->column[DMARC_ROW_SIGNATURES];
}

static enum status read_rows(struct converting *c, struct old_row *rows, size_t *n)
{
    struct store_rows *r =
        store_ask(c->store, "SELECT day, domain, tuple, count FROM dmarc_row_9 ORDER BY day, domain, tuple LIMIT $1",
                  "i", (int64_t)STEP);
    for (*n = 0; *n < STEP && store_next(r); ++*n)
        rows[*n] = (struct old_row){.day = store_number(r, 0),
                                    .domain = arena_strdup(c->arena, store_text(r, 1)),
                                    .tuple = arena_strdup(c->arena, store_text(r, 2)),
                                    .count = store_number(r, 3)};
    enum status st = store_done(r);
    return st == STATUS_OK && arena_failed(c->arena) ? STATUS_NOMEM : st;
}

static enum status move_rows(struct converting *c, size_t *n)
{
    struct old_row *rows = ARENA_ARRAY(c->arena, struct old_row, STEP);
    enum status st = rows ? read_rows(c, rows, n) : STATUS_NOMEM;
    for (size_t i = 0; st == STATUS_OK && i < *n; i++) {
        struct dmarc_row row;
        char day[24];
        snprintf(day, sizeof day, "%" PRId64, rows[i].day);
        if (!row_of(rows[i].tuple, c->arena, &row))
            return STATUS_NOMEM;
        row.count = rows[i].count;
        aggregate_dmarc_row(c->aggregate, day, rows[i].domain, &row, 0);
        st = store_run(c->store, NULL, "DELETE FROM dmarc_row_9 WHERE day = $1 AND domain = $2 AND tuple = $3", "itt",
                       rows[i].day, rows[i].domain, rows[i].tuple);
    }
    return st == STATUS_OK ? aggregate_flush(c->aggregate, c->store) : st;
}

/* ---- mails ---- */

static enum status read_mails(struct converting *c, int64_t from, struct old_mail *mails, size_t *n)
{
    struct store_rows *r =
        store_ask(c->store, "SELECT t, record FROM mail WHERE t >= $1 AND record NOT LIKE '1%' ORDER BY t LIMIT $2",
                  "ii", from, (int64_t)STEP);
    for (*n = 0; *n < STEP && arena_used(c->arena) < STEP_OCTETS / 2 && store_next(r); ++*n)
        mails[*n] = (struct old_mail){store_number(r, 0), arena_strdup(c->arena, store_text(r, 1))};
    enum status st = store_done(r);
    return st == STATUS_OK && arena_failed(c->arena) ? STATUS_NOMEM : st;
}

/* Two mails of one moment with one record are changed together; the second change finds nothing. */
static enum status pack_mails(struct converting *c, size_t *n)
{
    struct old_mail *mails = ARENA_ARRAY(c->arena, struct old_mail, STEP);
    int64_t from = 0;
    enum status st = store_ask_number(c->store, INT64_MAX, &from, "SELECT number FROM ledger_state WHERE name = $1",
                                      "t", STORE_CONVERT_STATE);
    if (st == STATUS_OK)
        st = mails ? read_mails(c, from, mails, n) : STATUS_NOMEM;
    for (size_t i = 0; st == STATUS_OK && i < *n; i++)
        st = store_run(c->store, NULL, "UPDATE mail SET record = $1, ruf = $2 WHERE t = $3 AND record = $4", "ziit",
                       mails[i].record, (int64_t)(strstr(mails[i].record, "\"ruf\":\"") != NULL), mails[i].t,
                       mails[i].record);
    if (st == STATUS_OK && *n)
        st = store_run(c->store, NULL, "UPDATE ledger_state SET number = $1 WHERE name = $2", "it", mails[*n - 1].t,
                       STORE_CONVERT_STATE);
    return st;
}

/* ---- steps ---- */

enum status store_convert_end(struct store *s)
{
    enum status st = store_run(s, &(int64_t){0}, "DELETE FROM ledger_state WHERE name = $1", "t", STORE_CONVERT_STATE);
    return st == STATUS_OK ? store_run(s, &(int64_t){0}, "DROP TABLE IF EXISTS dmarc_row_9", "") : st;
}

/* Rows of reports first: reports wait for them. */
static enum status convert_step(struct converting *c, bool *done)
{
    size_t n = 0;
    enum status st = store_begin(c->store);
    if (st == STATUS_OK && c->store->engine->shared) /* one at a time; the number means nothing */
        st = store_run(c->store, &(int64_t){0}, "SELECT pg_advisory_xact_lock(4155536)", "");
    if (st == STATUS_OK)
        st = store_converted(c->store, done);
    if (st == STATUS_OK && !*done)
        st = move_rows(c, &n);
    if (st == STATUS_OK && !*done && n == 0)
        st = pack_mails(c, &n);
    if (st == STATUS_OK && !*done && n == 0)
        st = store_convert_end(c->store);
    if (st == STATUS_OK && !*done && n == 0 && !store_is_shared(c->store)) /* a file alone is rebuilt */
        st = store_run(c->store, &(int64_t){0},
                       "INSERT INTO ledger_state (name, number) VALUES ($1, 1) ON CONFLICT (name) DO NOTHING", "t",
                       STORE_REBUILD_STATE);
    if (st == STATUS_OK)
        st = store_commit(c->store);
    if (st != STATUS_OK) {
        store_rollback(c->store);
        aggregate_reset(c->aggregate);
        return st;
    }
    c->rows += (int64_t)n;
    *done = *done || n == 0;
    return STATUS_OK;
}

enum status store_convert(struct store *s, const struct store_convert *how)
{
    bool done = false;
    enum status st = store_converted(s, &done);
    if (st != STATUS_OK || done)
        return st;
    struct converting c = {.store = s, .arena = arena_new(STEP_OCTETS * 2), .aggregate = aggregate_new()};
    st = c.arena && c.aggregate ? STATUS_OK : STATUS_NOMEM;
    for (unsigned n = 1; st == STATUS_OK && !done && !(how->stop && how->stop()); n++) {
        arena_reset(c.arena);
        st = convert_step(&c, &done);
        if (n % CHECKPOINT_EVERY == 0 || done)
            store_checkpoint(s);
        if (st == STATUS_OK && how->progress)
            how->progress(how->context, c.rows);
    }
    arena_free(c.arena);
    aggregate_free(c.aggregate);
    return st;
}
