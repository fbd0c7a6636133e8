// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisation_lists.c - in which lists of the policy an organisation stands (organisation_lists.h).
 *
 * Promises: a list holds an organisation if one of its entries is the organisation's domain, a domain above it, or one
 * below it. The first two are asked of the policy's own table; for the third the domains above all entries are kept
 * here, each once. Pure. Out of memory: organisation_lists_new() gives NULL.
 */
#include "ledger/organisation_lists.h"
#include "base/arena.h"
#include "base/domain.h"
#include "policy/map.h"
#include <stdlib.h>

#define ARENA_MOST ((size_t)512 << 20)

struct organisation_lists {
    const struct policy *policy;
    struct arena *arena;
    const char *names[ORGANISATION_LISTS_MAX];
    size_t count;
    struct map above; /* a domain above an entry: the lists that hold such an entry, a bit each */
};

struct organisation_lists *organisation_lists_free(struct organisation_lists *l)
{
    if (l) {
        map_release(&l->above);
        arena_free(l->arena);
        policy_unref(l->policy);
    }
    free(l);
    return NULL;
}

static enum status add_above(struct organisation_lists *l, const char *entry, uint64_t bit)
{
    for (const char *name = domain_parent(entry); name && *name; name = domain_parent(name)) {
        uint64_t *known = map_get(&l->above, slice_str(name));
        if (known && (*known & bit)) /* then those above it, too */
            return STATUS_OK;
        if (known) {
            *known |= bit;
            continue;
        }
        const char *kept = arena_strdup(l->arena, name);
        if (!kept || map_put(&l->above, slice_str(kept), bit) != STATUS_OK)
            return STATUS_NOMEM;
    }
    return STATUS_OK;
}

static enum status add_list(struct organisation_lists *l, const char *name)
{
    char entry[POLICY_ENTRY_TEXT];
    size_t at = 0;
    enum status st = STATUS_OK;
    l->names[l->count] = name;
    while (st == STATUS_OK && policy_list_next(l->policy, name, &at, entry))
        if (domain_is_kept(entry))
            st = add_above(l, entry, UINT64_C(1) << l->count);
    l->count++;
    return st;
}

struct organisation_lists *organisation_lists_new(const struct policy *p)
{
    struct organisation_lists *l = calloc(1, sizeof *l);
    const struct policy_statement *x;
    enum status st = STATUS_OK;
    if (!l)
        return NULL;
    l->policy = policy_ref(p);
    l->arena = arena_new(ARENA_MOST);
    map_init(&l->above, 1);
    for (size_t i = 0; l->arena && st == STATUS_OK && (x = policy_statement_at(p, i)); i++)
        if (x->kind == POLICY_LIST && x->name && l->count < ORGANISATION_LISTS_MAX)
            st = add_list(l, x->name);
    return l->arena && st == STATUS_OK ? l : organisation_lists_free(l);
}

size_t organisation_lists_of(const struct organisation_lists *l, const char *org,
                             const char *names[ORGANISATION_LISTS_MAX])
{
    const uint64_t *below = l && *org ? map_get(&l->above, slice_str(org)) : NULL;
    size_t n = 0;
    for (size_t i = 0; l && i < l->count; i++)
        if ((below && (*below & UINT64_C(1) << i)) || policy_list_has(l->policy, l->names[i], org))
            names[n++] = l->names[i];
    return n;
}
