// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention_forget.c - deletes everything about one subject from the store.
 *
 * Promises that afterwards no column which subjects.def marks holds the subject or a name below it, in any spelling of
 * case, nor, on SQLite, the write-ahead log. Sums over all domains are unchanged, because they name nobody. Goes
 * through each table in steps by its leading column; on failure the committed steps stay, and the call can be repeated.
 */
#include "base/buf.h"
#include "ledger/retention.h"
#include <stdio.h>
#include <string.h>

enum kind { NONE, NAME, TEXT, NOTE };

struct column {
    const char *table, *name;
    enum kind kind;
};

struct table {
    const char *name, *lead;
};

// clang-format off
static const struct table tables[] = {
#define TABLE(t, l) {#t, #l},
#define COLUMN(t, c, k)
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
};
static const struct column columns[] = {
#define TABLE(t, l)
#define COLUMN(t, c, k) {#t, #c, k},
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
};
// clang-format on

#define COLUMNS (sizeof columns / sizeof *columns)

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
    char below[600];
    bool dry_run;
    int64_t rows;
};

/* The end of the next step by the leading column; false: the rest of the table. */
static enum status step_end(struct forgetting *f, const struct table *t, const char *from, char *to, size_t size,
                            bool *more)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "SELECT CAST(%s AS TEXT) FROM %s WHERE %s >= CAST($1 AS %s) ORDER BY %s LIMIT 1 OFFSET %d", t->lead,
             t->name, t->lead, strchr("tdh", t->lead[0]) && strcmp(t->lead, "domain") != 0 ? "BIGINT" : "TEXT", t->lead,
             RETENTION_STEP);
    struct store_rows *r = store_ask(f->store, sql, "t", from);
    *more = store_next(r);
    snprintf(to, size, "%s", *more ? store_text(r, 0) : "");
    return store_done(r);
}

static enum status run_step(struct forgetting *f, const char *sql, const char *from, const char *to)
{
    int64_t n = 0;
    if (f->dry_run) {
        enum status st = store_ask_number(f->store, 0, &n, sql, "tttt", f->subject, f->below, from, to);
        f->rows += n;
        return st;
    }
    enum status st = store_begin(f->store);
    if (st == STATUS_OK)
        st = store_run(f->store, &n, sql, "tttt", f->subject, f->below, from, to);
    if (st == STATUS_OK)
        st = store_commit(f->store);
    if (st != STATUS_OK)
        store_rollback(f->store);
    f->rows += st == STATUS_OK ? n : 0;
    if (n)
        store_checkpoint(f->store);
    return st;
}

static enum status walk(struct forgetting *f, const struct table *t, const char *what, const char *where)
{
    const char *type = strchr("tdh", t->lead[0]) && strcmp(t->lead, "domain") != 0 ? "BIGINT" : "TEXT";
    char from[2200], to[2200];
    bool more = true;
    struct buf sql = BUF_INIT;
    enum status st = STATUS_OK;
    snprintf(from, sizeof from, "%s", type[0] == 'B' ? "-9000000000000000000" : "");
    while (st == STATUS_OK && more) {
        st = step_end(f, t, from, to, sizeof to, &more);
        if (st != STATUS_OK)
            break;
        buf_reset(&sql);
        buf_printf(
            &sql,
            "%s WHERE (%s) AND $2 = $2 AND %s >= CAST($3 AS %s) AND ($4 = '' OR %s <= CAST(NULLIF($4, '') AS %s))",
            what, where, t->lead, type, t->lead, type);
        st = sql.failed ? STATUS_NOMEM : run_step(f, sql.p, from, to);
        if (strcmp(from, to) == 0)
            break; /* one value fills more than a step: the whole of it was looked at */
        snprintf(from, sizeof from, "%s", to);
    }
    buf_release(&sql);
    return st;
}

static enum status forget_table(struct forgetting *f, const struct table *t)
{
    struct buf where = BUF_INIT, what = BUF_INIT;
    enum status st = STATUS_OK;
    condition(f->store, t->name, NAME, TEXT, &where);
    buf_printf(&what, f->dry_run ? "SELECT count(*) FROM %s" : "DELETE FROM %s", t->name);
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
    return st;
}

enum status retention_forget(struct store *s, const char *subject, bool dry_run, int64_t *rows)
{
    struct forgetting f = {.store = s, .subject = subject, .dry_run = dry_run};
    size_t n = (size_t)snprintf(f.below, sizeof f.below, "%%.");
    for (const char *p = subject; *p && n + 3 < sizeof f.below; p++) { /* LIKE's wildcards are plain characters here */
        if (*p == '_' || *p == '%' || *p == '!')
            f.below[n++] = '!';
        f.below[n++] = *p;
    }
    f.below[n] = '\0';
    *rows = 0;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && st == STATUS_OK; i++)
        st = forget_table(&f, &tables[i]);
    if (st == STATUS_OK && store_is_shared(s) && !dry_run)
        st = store_run(s, &(int64_t){0},
                       "DELETE FROM inbox WHERE refused IS NOT NULL AND strpos(lower(encode(lines, 'escape')), $1) > 0",
                       "t", subject);
    *rows = f.rows;
    return st == STATUS_OK && f.rows && !dry_run ? store_vacuum(s) : st;
}
