// SPDX-License-Identifier: BSD-2-Clause
/*
 * domain_checks.c - the tables domain_check and domain_watch (domain_checks.h).
 *
 * Promises that a row is there wholly or not at all: each is put by one statement. On failure nothing has changed.
 */
#include "ledger/domain_checks.h"

enum status domain_check_put(struct store *s, int64_t day, const char *domain, const char *facts)
{
    return store_run(s, &(int64_t){0},
                     "INSERT INTO domain_check (day, domain, facts) VALUES ($1, $2, $3) "
                     "ON CONFLICT (day, domain) DO UPDATE SET facts = excluded.facts",
                     "itt", day, domain, facts);
}

enum status domain_check_each(struct store *s, int64_t until_day, int64_t most,
                              void (*each)(void *context, struct slice facts), void *context)
{
    struct store_rows *r = store_ask(
        s, "SELECT facts FROM domain_check WHERE day <= $1 ORDER BY day DESC, domain LIMIT $2", "ii", until_day, most);
    while (store_next(r))
        each(context, slice_str(store_text(r, 0)));
    return store_done(r);
}

enum status domain_watch_each(struct store *s, void (*each)(void *context, const char *domain, const char *state),
                              void *context)
{
    struct store_rows *r = store_ask(s, "SELECT domain, state FROM domain_watch ORDER BY domain", "");
    while (store_next(r))
        each(context, store_text(r, 0), store_text(r, 1));
    return store_done(r);
}

enum status domain_watch_put(struct store *s, const char *domain, const char *state)
{
    return store_run(s, &(int64_t){0},
                     "INSERT INTO domain_watch (domain, state) VALUES ($1, $2) "
                     "ON CONFLICT (domain) DO UPDATE SET state = excluded.state",
                     "tt", domain, state);
}
