// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisation_groups.c - which organisations stood in which lists of the policy, day by day (organisations.h).
 *
 * Promises that membership is that of the day: days that are over are looked at once, by the policy that was in force
 * then or at the first chance after. One transaction; on failure nothing of it is there, and the caller tries again.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "ledger/organisations.h"
#include "ledger/timestamp.h"
#include "policy/map.h"
#include <string.h>

#define ARENA_MOST ((size_t)512 << 20)
#define STATE "groups_day" /* in ledger_state: the first day that is to be looked at again */

struct grouping {
    struct store *store;
    struct arena *arena;
    struct map orgs, entries;
    const char **names;
    bool *in; /* of the list at hand, by organisation */
    size_t count;
};

static enum status read_organisations(struct grouping *g, int64_t from)
{
    int64_t n = 0;
    enum status st = store_ask_number(
        g->store, 0, &n, "SELECT count(*) FROM (SELECT DISTINCT org FROM org_day WHERE day >= $1) AS seen", "i", from);
    g->names = st == STATUS_OK ? ARENA_ARRAY(g->arena, const char *, (size_t)n + 1) : NULL;
    g->in = st == STATUS_OK ? ARENA_ARRAY(g->arena, bool, (size_t)n + 1) : NULL;
    if (!g->names || !g->in)
        return st == STATUS_OK ? STATUS_NOMEM : st;
    struct store_rows *r = store_ask(g->store, "SELECT DISTINCT org FROM org_day WHERE day >= $1", "i", from);
    bool memory = true;
    while (memory && g->count < (size_t)n && store_next(r)) {
        const char *name = arena_strdup(g->arena, store_text(r, 0));
        memory = name && (!*name || map_put(&g->orgs, slice_str(name), g->count) == STATUS_OK);
        g->names[g->count++] = name;
    }
    st = store_done(r);
    return memory ? st : STATUS_NOMEM;
}

/* The list holds the organisation, a domain above it, or one of its own below it. */
static enum status find_members(struct grouping *g, const struct policy *p, const char *list)
{
    char entry[POLICY_ENTRY_TEXT];
    size_t at = 0;
    memset(g->in, 0, g->count * sizeof *g->in);
    map_init(&g->entries, 1);
    while (policy_list_next(p, list, &at, entry)) {
        if (!domain_is_kept(entry))
            continue;
        const char *kept = arena_strdup(g->arena, entry);
        if (!kept || map_put(&g->entries, slice_str(kept), 1) != STATUS_OK)
            return STATUS_NOMEM;
        for (const char *name = kept; name; name = domain_parent(name)) {
            const uint64_t *org = map_get(&g->orgs, slice_str(name));
            if (org)
                g->in[*org] = true;
        }
    }
    for (size_t i = 0; i < g->count; i++)
        for (const char *name = g->names[i]; name && *name && !g->in[i]; name = domain_parent(name))
            g->in[i] = map_get(&g->entries, slice_str(name)) != NULL;
    return STATUS_OK;
}

static enum status keep_list(struct grouping *g, const struct policy *p, const char *list, int64_t from)
{
    enum status st = find_members(g, p, list);
    map_release(&g->entries);
    for (size_t i = 0; i < g->count && st == STATUS_OK; i++)
        if (g->in[i])
            st = store_run(g->store, &(int64_t){0},
                           "INSERT INTO org_group_day (day, name, org) SELECT DISTINCT day, $1, org FROM org_day WHERE "
                           "org = $2 AND day >= $3 ON CONFLICT DO NOTHING",
                           "tti", list, g->names[i], from);
    return st;
}

enum status organisations_keep_groups(struct store *s, const struct policy *p)
{
    struct grouping g = {.store = s, .arena = arena_new(ARENA_MOST)};
    const struct policy_statement *x;
    int64_t from = 0, today = timestamp_day(clock_wall_us());
    map_init(&g.orgs, 1);
    enum status st = g.arena ? store_begin(s) : STATUS_NOMEM;
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &from, "SELECT number FROM ledger_state WHERE name = '" STATE "'", "");
    if (st == STATUS_OK)
        st = read_organisations(&g, from);
    for (size_t i = 0; st == STATUS_OK && (x = policy_statement_at(p, i)); i++)
        if (x->kind == POLICY_LIST && x->name)
            st = keep_list(&g, p, x->name, from);
    if (st == STATUS_OK)
        st = store_run(s, &(int64_t){0},
                       "INSERT INTO ledger_state (name, number) VALUES ('" STATE "', $1) ON CONFLICT (name) DO UPDATE "
                       "SET number = excluded.number",
                       "i", today - 1);
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK && g.arena)
        store_rollback(s);
    map_release(&g.orgs);
    arena_free(g.arena);
    return st;
}
