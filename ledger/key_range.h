// SPDX-License-Identifier: BSD-2-Clause
/*
 * key_range.h - a table in ranges of its key, so that one statement reads at most so many rows, however large the table
 * and however many rows share the beginning of a key. For work that passes over a whole table in steps.
 *
 *     struct key_range r = {.table = "zone", .key = "name, state"};
 *     while ((st = key_range_next(s, &r, 2000)) == STATUS_OK && !r.over)
 *         key_range_change("DELETE FROM zone WHERE last_seen < $1 AND " key_range_put(..., 2)) with the values of
 *         key_range_add()
 */
#ifndef ASSAY_LEDGER_KEY_RANGE_H
#define ASSAY_LEDGER_KEY_RANGE_H

#include "base/buf.h"
#include "ledger/store.h"

#define KEY_RANGE_COLUMNS 15
/* Parameters that the bounds take, at most. */
#define KEY_RANGE_PARAMETERS (2 * KEY_RANGE_COLUMNS)

struct key_range {
    const char *table, *key; /* "a, b, c": columns that begin an index; none is null */
    /* Set by key_range_next(): behind `from`, up to `to`; no bound where the count is 0. */
    char *from[KEY_RANGE_COLUMNS], *to[KEY_RANGE_COLUMNS];
    size_t from_count, to_count;
    int64_t rows;
    bool shared; /* the store is used by several hosts (PostgreSQL) */
    bool begun, over;
    bool again; /* set by the caller: the same beginning once more, with another number of rows */
};

/* The next range, of about `rows` rows; after the last one `over` is true. What it holds is freed then, and on failure.
 */
enum status key_range_next(struct store *s, struct key_range *r, int64_t rows) MUST_CHECK;

/* Adds the condition "the key is in the range", with parameters from $first on. */
void key_range_put(const struct key_range *r, unsigned first, struct buf *sql);

/* Adds the values of these parameters behind v[n]; returns how many there are then. They are good until the next range.
 */
size_t key_range_add(const struct key_range *r, struct store_value *v, size_t n);

/* A step, in a transaction of its own: `change`, a DELETE or UPDATE of rows in the range, with these values; *rows: how
 * many, 0 on failure. `count`, which may be NULL, is the question how many there are. SQLite is asked it first: what
 * the disk must read is then read while others may write, and their lock is taken only if there is something to change.
 */
enum status key_range_change(struct store *s, const char *count, const char *change, const struct store_value *v,
                             size_t n, int64_t *rows) MUST_CHECK;

void key_range_free(struct key_range *r); /* For a range that was not followed to its end. */

#endif
