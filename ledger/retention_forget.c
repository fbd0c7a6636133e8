// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention_forget.c - deletes everything about one subject from the store.
 *
 * Promises that afterwards no column which subjects.def marks holds the subject or a name below it, in any spelling of
 * case, nor, on SQLite, the write-ahead log. Sums over all domains are unchanged, because they name nobody. Goes
 * through each table in steps by its key; on failure the committed steps stay, and the call can be repeated.
 */
#include "base/buf.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/domain.h"
#include "ledger/key_range.h"
#include "ledger/mention.h"
#include "ledger/retention.h"
#include "ledger/store_convert.h"
#include "ledger/store_lease.h"
#include "ledger/store_rebuild.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NONE, NAME, TEXT, NOTE, RECORD };

struct column {
    const char *table, *name;
    enum kind kind;
};

struct table {
    const char *name, *key;
};

// clang-format off
static const struct table tables[] = {
#define TABLE(t, ...) {#t, #__VA_ARGS__},
#define COLUMN(t, c, k)
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
};
static const struct column columns[] = {
#define TABLE(t, ...)
#define COLUMN(t, c, k) {#t, #c, k},
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
};
// clang-format on

#define COLUMNS (sizeof columns / sizeof *columns)
#define SHORT_STEP_MS 5

/* "x = $1 OR x LIKE $2 ... OR mentions(y, $1)": rows of the table that are about the subject. Empty: none can be. */
static void condition(const struct store *s, const char *table, enum kind from, enum kind to, struct buf *out)
{
    char text[512];
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct column *c = &columns[i];
        if (strcmp(c->table, table) != 0 || c->kind < from || c->kind > to)
            continue;
        buf_adds(out, out->n ? " OR " : "");
        if (c->kind == NAME) /* a host name in capitals, or an address in a longer spelling, is the same subject */
            buf_printf(out, "lower(%s) = $1 OR lower(%s) LIKE $2 ESCAPE '!'", c->name, c->name);
        else
            buf_adds(out, store_mentions(s, c->name, text, sizeof text));
    }
}

struct forgetting {
    struct store *store;
    const char *subject;
    char below[600], shown[MENTION_SHOWN];
    bool dry_run;
    int64_t rows;
};

/* Those who wait for the file are let in where it was held for long, or where rows went. */
static void end_step(struct forgetting *f, int64_t rows, int64_t began_ms)
{
    if (rows)
        store_write_back(f->store);
    int64_t took = clock_mono_ms() - began_ms;
    if (rows || took > SHORT_STEP_MS)
        store_give_way(f->store, took * 1000);
}

/* After a table, of which rows were deleted if there are more now than before. */
static void end_table(struct forgetting *f, int64_t before)
{
    if (f->rows > before && !f->dry_run)
        store_checkpoint(f->store);
}

static enum status run_step(struct forgetting *f, const char *count, const char *change, const struct key_range *r)
{
    struct store_value v[3 + KEY_RANGE_PARAMETERS] = {{.text = f->subject}, {.text = f->below}, {.text = f->shown}};
    const size_t values = key_range_add(r, v, 3);
    int64_t n = 0;
    if (f->dry_run) {
        struct store_rows *rows = store_ask_values(f->store, count, v, values);
        f->rows += store_next(rows) ? store_number(rows, 0) : 0;
        return store_done(rows);
    }
    int64_t began = clock_mono_ms();
    enum status st = key_range_change(f->store, count, change, v, values, &n);
    f->rows += n;
    end_step(f, n, began);
    return st;
}

/* `what` is the change of the rows. COALESCE: PostgreSQL takes the condition for one that half of all rows meet, so it
 * goes by the range; for one that few rows meet, as it believes of `where`, it would look for them in all of the table.
 */
static enum status walk(struct forgetting *f, const struct table *t, const char *what, const char *where)
{
    struct key_range r = {.table = t->name, .key = t->key};
    struct buf rows = BUF_INIT, count = BUF_INIT, change = BUF_INIT;
    enum status st;
    while ((st = key_range_next(f->store, &r, RETENTION_STEP)) == STATUS_OK && !r.over) {
        buf_reset(&rows);
        buf_reset(&count);
        buf_reset(&change);
        buf_printf(&rows, "WHERE COALESCE((%s), false) AND $2 = $2 AND $3 = $3 AND ", where);
        key_range_put(&r, 4, &rows);
        buf_printf(&count, "SELECT count(*) FROM %s %s", t->name, rows.p);
        buf_printf(&change, "%s %s", what, rows.p);
        st = rows.failed || count.failed || change.failed ? STATUS_NOMEM : run_step(f, count.p, change.p, &r);
        if (st != STATUS_OK)
            break;
    }
    key_range_free(&r);
    buf_release(&rows);
    buf_release(&count);
    buf_release(&change);
    return st;
}

static enum status forget_table(struct forgetting *f, const struct table *t)
{
    struct buf where = BUF_INIT, what = BUF_INIT;
    enum status st = STATUS_OK;
    const int64_t rows = f->rows;
    condition(f->store, t->name, NAME, TEXT, &where);
    buf_printf(&what, "DELETE FROM %s", t->name);
    if (where.n && !where.failed)
        st = walk(f, t, what.p, where.p);
    for (size_t i = 0; i < COLUMNS && st == STATUS_OK && !f->dry_run; i++) {
        const struct column *c = &columns[i];
        char text[512];
        if (c->kind != NOTE || strcmp(c->table, t->name) != 0)
            continue;
        buf_reset(&what);
        buf_printf(&what, "UPDATE %s SET %s = ''", t->name, c->name);
        st = walk(f, t, what.p, store_mentions(f->store, c->name, text, sizeof text));
    }
    if (where.failed || what.failed)
        st = STATUS_NOMEM;
    buf_release(&where);
    buf_release(&what);
    end_table(f, rows);
    return st;
}

/* ---- records: they are compressed, so no statement can look into them ---- */

struct found {
    int64_t t;
    char *record; /* as it is stored */
};

struct records {
    struct found *at;
    size_t count, room;
    int64_t seen, first, last; /* rows looked at, and their moments */
};

static enum status add_found(struct records *r, int64_t t, const char *stored)
{
    if (r->count == r->room) {
        struct found *grown = array_grow(r->at, &r->room, 256, sizeof *grown);
        if (!grown)
            return STATUS_NOMEM;
        r->at = grown;
    }
    r->at[r->count] = (struct found){t, strdup(stored)};
    return r->at[r->count].record ? (r->count++, STATUS_OK) : STATUS_NOMEM;
}

static void drop_found(struct records *r, size_t from)
{
    while (r->count > from)
        free(r->at[--r->count].record);
}

static enum status find_records(struct forgetting *f, const char *sql, int64_t from, int64_t most, struct records *r)
{
    struct store_rows *rows = store_ask(f->store, sql, "tttii", f->subject, f->below, f->shown, from, most);
    enum status st = STATUS_OK;
    r->seen = 0;
    while (st == STATUS_OK && store_next(rows)) {
        r->last = store_number(rows, 0);
        r->first = r->seen++ ? r->first : r->last;
        const char *record = store_record(rows, 1);
        if (record && mention_of(record, f->subject))
            st = add_found(r, r->last, store_text(rows, 1));
    }
    enum status done = store_done(rows);
    if (r->seen == most) /* of the last moment more may follow: they come in the next step */
        for (; r->count && r->at[r->count - 1].t == r->last;)
            drop_found(r, r->count - 1);
    return st == STATUS_OK ? done : st;
}

static enum status delete_records(struct forgetting *f, const struct records *r)
{
    int64_t rows = 0, began = clock_mono_ms();
    enum status st = store_begin(f->store);
    for (size_t i = 0; i < r->count && st == STATUS_OK; i++) {
        int64_t n = 0;
        st =
            store_run(f->store, &n, "DELETE FROM mail WHERE t = $1 AND record = $2", "it", r->at[i].t, r->at[i].record);
        rows += n;
    }
    if (st == STATUS_OK)
        st = store_commit(f->store);
    if (st != STATUS_OK)
        store_rollback(f->store);
    f->rows += st == STATUS_OK ? rows : 0;
    end_step(f, rows, began);
    return st;
}

/* One pass over the mails that are not about the subject by their columns, by time. exact = 1: where retention has
 * cleared it there is no record. */
static enum status forget_records(struct forgetting *f)
{
    struct records r = {0};
    struct buf sql = BUF_INIT, where = BUF_INIT;
    int64_t from = INT64_MIN, most = RETENTION_STEP;
    const int64_t rows = f->rows;
    condition(f->store, "mail", NAME, TEXT, &where);
    buf_printf(&sql,
               "SELECT t, record FROM mail WHERE exact = 1 AND (%s) IS NOT TRUE AND $2 = $2 AND $3 = $3 AND t >= $4 "
               "AND record IS NOT "
               "NULL ORDER BY t LIMIT $5",
               where.p);
    enum status st = sql.failed || where.failed ? STATUS_NOMEM : STATUS_OK;
    while (st == STATUS_OK) {
        st = find_records(f, sql.p, from, most, &r);
        if (st == STATUS_OK && f->dry_run)
            f->rows += (int64_t)r.count;
        else if (st == STATUS_OK && r.count)
            st = delete_records(f, &r);
        drop_found(&r, 0);
        if (r.seen < most)
            break;
        most = r.first == r.last ? most * 2 : RETENTION_STEP; /* a step full of one moment: a larger one */
        from = r.last;
    }
    free(r.at);
    buf_release(&sql);
    buf_release(&where);
    end_table(f, rows);
    return st;
}

static enum status subject_forget(struct store *s, const char *subject, bool dry_run, int64_t *rows)
{
    struct forgetting f = {.store = s, .subject = subject, .dry_run = dry_run};
    size_t n = (size_t)snprintf(f.below, sizeof f.below, "%%.");
    for (const char *p = subject; *p && n + 3 < sizeof f.below; p++) { /* LIKE's wildcards are plain characters here */
        if (*p == '_' || *p == '%' || *p == '!')
            f.below[n++] = '!';
        f.below[n++] = *p;
    }
    f.below[n] = '\0';
    (void)domain_to_unicode(subject, f.shown, sizeof f.shown);
    enum status st = store_convert(s, &(struct store_convert){.stop = NULL});
    if (st == STATUS_OK && !dry_run)
        st = store_rebuild_end(s);
    for (size_t i = 0; i < sizeof tables / sizeof *tables && st == STATUS_OK; i++)
        st = forget_table(&f, &tables[i]);
    if (st == STATUS_OK)
        st = forget_records(&f);
    if (st == STATUS_OK && store_is_shared(s) && !dry_run)
        st = store_run(s, &(int64_t){0},
                       "DELETE FROM inbox WHERE refused IS NOT NULL AND strpos(lower(encode(lines, 'escape')), $1) > 0",
                       "t", subject);
    *rows = f.rows;
    return st == STATUS_OK && f.rows && !dry_run ? store_vacuum(s) : st;
}

enum status retention_forget(struct store *s, const char *subject, bool dry_run, int64_t *rows)
{
    *rows = 0;
    enum status st = dry_run ? STATUS_OK : store_lease_take(s, "forget");
    if (st != STATUS_OK)
        return st;
    store_go_by_keys(s, true);
    st = subject_forget(s, subject, dry_run, rows);
    store_go_by_keys(s, false);
    if (!dry_run)
        store_lease_leave(s);
    return st;
}
