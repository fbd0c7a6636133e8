// SPDX-License-Identifier: BSD-2-Clause
/*
 * published.c - the tables published and published_set (published.h).
 *
 * Promises that of two programs that publish at once one sees what the other showed: SQLite has one writer; PostgreSQL
 * is asked for a lock that ends with the transaction.
 */
#include "ledger/published.h"

enum status published_begin(struct store *s)
{
    enum status st = store_begin(s);
    if (st == STATUS_OK && store_is_shared(s)) /* one at a time; the number means nothing */
        st = store_run(s, &(int64_t){0}, "SELECT pg_advisory_xact_lock(4155536)", "");
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}

enum status published_each(struct store *s, const char *place, published_each_fn *each, void *context)
{
    struct store_rows *r = store_ask(s,
                                     "SELECT CASE WHEN place = $1 THEN 1 ELSE 0 END, list, organisations, meets FROM "
                                     "published ORDER BY 1 DESC, day DESC, list, place",
                                     "t", place);
    while (store_next(r))
        each(context, store_number(r, 0) == 1, store_text(r, 1), store_number(r, 2), store_number(r, 3));
    return store_done(r);
}

enum status published_put(struct store *s, const char *place, int64_t day, const char *list, int64_t organisations,
                          int64_t meets)
{
    return store_run(s, &(int64_t){0},
                     "INSERT INTO published (place, list, day, organisations, meets) VALUES ($1, $2, $3, $4, $5) "
                     "ON CONFLICT (place, list) DO UPDATE SET day = excluded.day, organisations = "
                     "excluded.organisations, meets = excluded.meets",
                     "ttiii", place, list, day, organisations, meets);
}

enum status published_sets_each(struct store *s, int64_t most, published_set_fn *each, void *context)
{
    struct store_rows *r = store_ask(s,
                                     "SELECT list, organisations, meets, members FROM published_set ORDER BY day DESC, "
                                     "list, mark LIMIT $1",
                                     "i", most);
    while (store_next(r) && each(context, store_text(r, 0), store_number(r, 1), store_number(r, 2), store_text(r, 3)))
        continue;
    return store_done(r);
}

enum status published_set_put(struct store *s, const char *mark, int64_t day, const char *list, int64_t organisations,
                              int64_t meets, const char *members)
{
    return store_run(s, &(int64_t){0},
                     "INSERT INTO published_set (mark, list, day, organisations, meets, members) VALUES ($1, $2, $3, "
                     "$4, $5, $6) ON CONFLICT (mark, list) DO NOTHING",
                     "ttiiit", mark, list, day, organisations, meets, members);
}
