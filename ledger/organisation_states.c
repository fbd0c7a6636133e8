// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisation_states.c - writes the states of organisations for SQL (organisation_states.h).
 *
 * Promises the report's figures: they are those of organisations_ask(), and nothing is counted here but how many
 * organisations are in each state. On SQLite the states are written in short transactions, since others wait for the
 * file. Meanwhile each row is the old or the new one; after a failure it stays so until the next time. The counts come
 * last, in one transaction: on failure they are as they were.
 */
#include "ledger/organisation_states.h"
#include "ledger/organisations.h"
#include "policy/map.h"
#include <stdlib.h>
#include <string.h>

#define ARENA_MOST ((size_t)512 << 20)
#define STEP 1000                     /* rows */
#define LISTS_MAX 64                  /* further lists are not counted */
#define ALL_ASKED STANDARD_MAIL_COUNT /* in the place of a standard */

static const char *const words[ORGANISATION_STATES] = {
    [ORGANISATION_TOO_FEW] = "too-few", [ORGANISATION_NOT_ASKED] = "not-asked", [ORGANISATION_UNTESTED] = "untested",
    [ORGANISATION_MEETS] = "meets",     [ORGANISATION_EXPLAINED] = "explained", [ORGANISATION_MISSES] = "misses"};

struct counts {
    const char *list;
    int64_t n[STANDARD_MAIL_COUNT + 1][ORGANISATION_STATES];
};

struct stale {
    struct stale *next;
    const char *org;
};

struct keeping {
    struct store *store;
    const struct policy *policy;
    struct arena *arena;
    int64_t day;
    struct organisations all;
    struct map by_name;    /* their places */
    struct stale *stale;   /* what has a row and is to have none */
    struct counts *counts; /* the first: of all organisations */
    size_t count;
};

static void counts_add(struct counts *c, const struct organisation *o)
{
    for (int s = 0; s <= ALL_ASKED; s++)
        c->n[s][organisation_state_of(o, (enum standard)s)]++;
}

static struct counts *counts_of(struct keeping *k, const char *list)
{
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->counts[i].list, list) == 0)
            return &k->counts[i];
    const char *kept = k->count < LISTS_MAX ? arena_strdup(k->arena, list) : NULL;
    if (!kept)
        return NULL;
    k->counts[k->count] = (struct counts){.list = kept};
    return &k->counts[k->count++];
}

static const struct organisation *organisation_find(const struct keeping *k, const char *org)
{
    const uint64_t *at = org && *org ? map_get(&k->by_name, slice_str(org)) : NULL;
    return at ? &k->all.all[*at] : NULL;
}

static enum status count_lists(struct keeping *k)
{
    struct store_rows *r = store_ask(k->store,
                                     "SELECT DISTINCT name, org FROM org_group_day WHERE day > $1 AND "
                                     "day <= $2",
                                     "ii", k->day - ORGANISATION_STATES_DAYS, k->day);
    while (store_next(r)) {
        const char *list = store_text(r, 0);
        const struct organisation *o = organisation_find(k, store_text(r, 1));
        struct counts *c = o && list && *list ? counts_of(k, list) : NULL;
        if (c)
            counts_add(c, o);
    }
    return store_done(r);
}

static enum status find_stale(struct keeping *k)
{
    struct store_rows *r = store_ask(k->store, "SELECT org FROM org_state", "");
    while (store_next(r) && !arena_failed(k->arena)) {
        const struct organisation *o = organisation_find(k, store_text(r, 0));
        struct stale *old = o && o->state != ORGANISATION_TOO_FEW ? NULL : arena_alloc(k->arena, sizeof *old);
        if (old) {
            *old = (struct stale){k->stale, arena_strdup(k->arena, store_text(r, 0))};
            k->stale = old;
        }
    }
    enum status st = store_done(r);
    return arena_failed(k->arena) ? STATUS_NOMEM : st;
}

static enum status read_all(struct keeping *k)
{
    size_t kept = 0;
    k->counts = ARENA_ARRAY(k->arena, struct counts, LISTS_MAX);
    if (!k->counts)
        return STATUS_NOMEM;
    enum status st = organisations_ask(k->store, k->arena, k->day - ORGANISATION_STATES_DAYS + 1, k->day, &k->all);
    if (st != STATUS_OK)
        return st;
    k->counts[k->count++] = (struct counts){.list = ""};
    for (size_t i = 0; i < k->all.count; i++)
        if (!policy_is_own_domain(k->policy, k->all.all[i].name)) {
            k->all.all[kept] = k->all.all[i];
            counts_add(&k->counts[0], &k->all.all[kept++]);
        }
    k->all.count = kept;
    for (size_t i = 0; i < kept && st == STATUS_OK; i++)
        st = map_put(&k->by_name, slice_str(k->all.all[i].name), i);
    if (st == STATUS_OK)
        st = count_lists(k);
    return st == STATUS_OK ? find_stale(k) : st;
}

/* After each STEP rows, the other writers of a file have their turn. PostgreSQL keeps nobody waiting. */
static enum status end_step(struct keeping *k, size_t rows)
{
    if (store_is_shared(k->store) || rows % STEP)
        return STATUS_OK;
    enum status st = store_commit(k->store);
    if (st != STATUS_OK)
        return st;
    store_give_way(k->store, store_held_ms(k->store) * 1000);
    return store_begin(k->store);
}

#define CHANGED(column) "org_state." column " <> excluded." column

static enum status write_states(struct keeping *k)
{
    enum status st = STATUS_OK;
    size_t rows = 0;
    for (const struct stale *old = k->stale; old && st == STATUS_OK; old = old->next) {
        st = store_run(k->store, NULL, "DELETE FROM org_state WHERE org = $1", "t", old->org);
        if (st == STATUS_OK)
            st = end_step(k, ++rows);
    }
    for (size_t i = 0; i < k->all.count && st == STATUS_OK; i++) {
        const struct organisation *o = &k->all.all[i];
        if (o->state == ORGANISATION_TOO_FEW)
            continue;
        st = store_run(
            k->store, NULL,
            "INSERT INTO org_state (org, mails, met, explained, untested, stopped, state) VALUES ($1, $2, "
            "$3, $4, $5, $6, $7) ON CONFLICT (org) DO UPDATE SET mails = excluded.mails, met = "
            "excluded.met, explained = excluded.explained, untested = excluded.untested, stopped = "
            "excluded.stopped, state = excluded.state WHERE " CHANGED("mails") " OR " CHANGED("met") " OR " CHANGED(
                "explained") " OR " CHANGED("untested") " OR " CHANGED("stopped") " OR " CHANGED("state"),
            "tiiiiit", o->name, o->mails, o->met, o->explained, o->untested, o->stopped, words[o->state]);
        if (st == STATUS_OK)
            st = end_step(k, ++rows);
    }
    return st;
}

static enum status write_counts(struct keeping *k)
{
    enum status st = store_run(k->store, NULL, "DELETE FROM org_state_count WHERE day = $1", "i", k->day);
    for (size_t i = 0; i < k->count; i++)
        for (int s = 0; s <= ALL_ASKED; s++)
            for (int state = ORGANISATION_NOT_ASKED; state < ORGANISATION_STATES && st == STATUS_OK; state++) {
                bool of_one = s < STANDARD_MAIL_COUNT;
                if (!k->counts[i].n[s][state] || (of_one && state == ORGANISATION_NOT_ASKED))
                    continue;
                st = store_run(k->store, NULL,
                               "INSERT INTO org_state_count (day, list, standard, state, organisations) VALUES ($1, "
                               "$2, $3, $4, $5)",
                               "ittti", k->day, k->counts[i].list, of_one ? standard_name((enum standard)s) : "",
                               words[state], k->counts[i].n[s][state]);
            }
    return st;
}

enum status organisation_states_keep(struct store *s, const struct policy *p)
{
    struct keeping k = {.store = s, .policy = p, .arena = arena_new(ARENA_MOST)};
    map_init(&k.by_name, 1);
    enum status st = k.arena ? store_ask_number(s, 0, &k.day, "SELECT max(day) FROM org_day", "") : STATUS_NOMEM;
    if (st == STATUS_OK && k.day) {
        st = read_all(&k);
        if (st == STATUS_OK)
            st = store_begin(s);
        if (st == STATUS_OK && store_is_shared(s)) /* one host at a time */
            st = store_run(s, NULL, "LOCK TABLE org_state, org_state_count IN EXCLUSIVE MODE", "");
        if (st == STATUS_OK)
            st = write_states(&k);
        if (st == STATUS_OK)
            st = write_counts(&k);
        if (st == STATUS_OK)
            st = store_commit(s);
        if (st != STATUS_OK)
            store_rollback(s);
    }
    map_release(&k.by_name);
    organisations_free(&k.all);
    arena_free(k.arena);
    return st;
}
