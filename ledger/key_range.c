// SPDX-License-Identifier: BSD-2-Clause
/*
 * key_range.c - a table in ranges of its key.
 *
 * Promises: each row that exists during the whole pass is in exactly one range, and finding a range reads no more rows
 * than the range has. On failure the range is over.
 *
 * SQLite reads from one bound to the other. PostgreSQL finds the lower bound by all columns of the key, but ends only
 * where the first column is above the upper one: of a key that begins with a day it would read that day to its end for
 * each range. So there the rows of a range are found by a subquery, which ends after as many as were counted, and taken
 * by their place (ctid): a join by the key sometimes became a nested loop over both sides. Only the table of mails has
 * partitions, in which places are not unique, and its key is one column.
 */
#include "ledger/key_range.h"
#include <stdlib.h>
#include <string.h>

/* Columns of keys that are numbers. SQLite uses the index for the columns that are compared with plain parameters of
 * their own type; after a CAST it uses only the first column. */
static bool is_number(const char *name, size_t n)
{
    static const char *const numbers[] = {"t", "day", "hour", "days", "pass", "row", "number"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strlen(numbers[i]) == n && memcmp(numbers[i], name, n) == 0)
            return true;
    return false;
}

static void keys_drop(char **key, size_t *count)
{
    while (*count)
        free(key[--*count]);
}

void key_range_free(struct key_range *r)
{
    keys_drop(r->from, &r->from_count);
    keys_drop(r->to, &r->to_count);
    r->over = true;
}

static void put_bound(const char *key, const char *sign, unsigned first, size_t count, struct buf *sql)
{
    buf_printf(sql, "(%s) %s (", key, sign);
    for (size_t i = 0; i < count; i++)
        buf_printf(sql, "%s$%u", i ? ", " : "", first + (unsigned)i);
    buf_adds(sql, ")");
}

static void put_bounds(const struct key_range *r, unsigned first, struct buf *sql)
{
    if (r->from_count)
        put_bound(r->key, ">", first, r->from_count, sql);
    if (r->from_count && r->to_count)
        buf_adds(sql, " AND ");
    if (r->to_count)
        put_bound(r->key, "<=", first + (unsigned)r->from_count, r->to_count, sql);
    if (!r->from_count && !r->to_count)
        buf_adds(sql, "1 = 1");
}

void key_range_put(const struct key_range *r, unsigned first, struct buf *sql)
{
    bool counted = r->shared && r->to_count && strchr(r->key, ',');
    if (counted)
        buf_printf(sql, "ctid = ANY (ARRAY(SELECT ctid FROM %s WHERE ", r->table);
    put_bounds(r, first, sql);
    if (counted)
        buf_printf(sql, " ORDER BY %s LIMIT %lld))", r->key, (long long)r->rows);
}

static size_t add_bound(const char *key, char *const *bound, size_t count, struct store_value *v, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(key, ",");
        v[n] = (struct store_value){.text = bound[i], .is_number = is_number(key, length)};
        if (v[n].is_number)
            v[n].number = strtoll(bound[i], NULL, 10);
        n++;
        key += length + strspn(key + length, ", ");
    }
    return n;
}

size_t key_range_add(const struct key_range *r, struct store_value *v, size_t n)
{
    n = add_bound(r->key, r->from, r->from_count, v, n);
    return add_bound(r->key, r->to, r->to_count, v, n);
}

/* The key of the row, as `to`. */
static enum status read_key(struct key_range *r, const struct store_rows *row)
{
    size_t columns = 1;
    for (const char *p = r->key; *p; p++)
        columns += *p == ',';
    for (size_t i = 0; i < columns && i < KEY_RANGE_COLUMNS; i++) {
        const char *text = store_text(row, (int)i);
        r->to[i] = strdup(text ? text : "");
        if (!r->to[i])
            return STATUS_NOMEM;
        r->to_count++;
    }
    return STATUS_OK;
}

/* The next range begins where this one ended. */
static void go_on(struct key_range *r)
{
    keys_drop(r->from, &r->from_count);
    memcpy(r->from, r->to, sizeof r->from);
    r->from_count = r->to_count;
    r->to_count = 0;
}

static enum status ask_count(struct store *s, const char *count, const struct store_value *v, size_t n, int64_t *rows)
{
    struct store_rows *found = store_ask_values(s, count, v, n);
    *rows = store_next(found) ? store_number(found, 0) : 0;
    return store_done(found);
}

enum status key_range_change(struct store *s, const char *count, const char *change, const struct store_value *v,
                             size_t n, int64_t *rows)
{
    *rows = 0;
    if (count && !store_is_shared(s)) {
        enum status st = ask_count(s, count, v, n, rows);
        if (st != STATUS_OK || *rows == 0)
            return st;
    }
    enum status st = store_begin(s);
    if (st == STATUS_OK)
        st = store_run_values(s, rows, change, v, n);
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK) {
        store_rollback(s);
        *rows = 0;
    }
    return st;
}

enum status key_range_next(struct store *s, struct key_range *r, int64_t rows)
{
    if (r->begun && !r->to_count && !r->again) { /* the one before was the last one */
        key_range_free(r);
        return STATUS_OK;
    }
    if (r->again)
        keys_drop(r->to, &r->to_count);
    else
        go_on(r);
    r->again = false;
    r->begun = true;
    r->shared = store_is_shared(s);
    r->rows = rows > 1 ? rows : 1;
    struct store_value v[KEY_RANGE_PARAMETERS];
    struct buf sql = BUF_INIT;
    buf_printf(&sql, "SELECT %s FROM %s WHERE ", r->key, r->table);
    put_bounds(r, 1, &sql);
    buf_printf(&sql, " ORDER BY %s LIMIT 1 OFFSET %lld", r->key, (long long)r->rows - 1);
    struct store_rows *found = sql.failed ? NULL : store_ask_values(s, sql.p, v, key_range_add(r, v, 0));
    enum status st = store_next(found) ? read_key(r, found) : STATUS_OK;
    enum status done = store_done(found);
    buf_release(&sql);
    st = st == STATUS_OK ? done : st;
    if (st != STATUS_OK)
        key_range_free(r);
    return st;
}
