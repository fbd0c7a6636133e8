// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy.c - creates, references and frees a policy, and returns its properties.
 *
 * load.c fills a new one. A loaded policy never changes; only its reference count does, atomically.
 */
#include "policy/policy_settings.h"
#include "policy/model.h"
#include "base/clock.h"
#include <stdlib.h>
#include <sys/random.h>

static void release_lists(struct policy *p)
{
    for (size_t i = 0; i < p->list_count; i++)
        keyset_release(&p->lists[i]->keys);
    free(p->lists);
}

void policy_release(struct policy *p)
{
    for (size_t i = 0; i < p->unit_count; i++)
        free((void *)(uintptr_t)p->units[i]->text.p);
    free(p->units);
    release_lists(p);
    settings_release(p);
    keyset_release(&p->own.domains);
    keyset_release(&p->own.networks);
    keyset_release(&p->own.relays);
    map_release(&p->list_names);
    index_release(p);
    free(p->items);
    arena_free(p->arena);
    free(p);
}

const struct policy *policy_ref(const struct policy *p)
{
    if (p)
        atomic_fetch_add(&((struct policy *)(uintptr_t)p)->refs, 1);
    return p;
}

void policy_unref(const struct policy *p)
{
    if (p && atomic_fetch_sub(&((struct policy *)(uintptr_t)p)->refs, 1) == 1)
        policy_release((struct policy *)(uintptr_t)p);
}

struct policy *policy_new(void)
{
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->refs = 1;
    if (getrandom(&p->seed, sizeof p->seed, GRND_NONBLOCK) != (ssize_t)sizeof p->seed)
        p->seed = (uint64_t)clock_wall_us() * UINT64_C(0x9e3779b97f4a7c15);
    p->arena = arena_new(POLICY_ARENA_MAX);
    keyset_init(&p->own.domains, p->seed);
    keyset_init(&p->own.networks, p->seed);
    keyset_init(&p->own.relays, p->seed);
    map_init(&p->list_names, p->seed);
    p->title = p->owner = "";
    if (!p->arena || settings_init(p) != STATUS_OK) {
        policy_release(p);
        return NULL;
    }
    return p;
}

const char *policy_hash(const struct policy *p)
{
    return p->hash;
}

const char *policy_title(const struct policy *p)
{
    return p->title;
}

const char *policy_owner(const struct policy *p)
{
    return p->owner;
}

time_t policy_loaded_at(const struct policy *p)
{
    return p->loaded_at;
}

const struct policy_statement *policy_statement_at(const struct policy *p, size_t i)
{
    return i < p->item_count ? &p->items[i].s : NULL;
}

const char *policy_mta_socket(const struct policy *p)
{
    return p->mta_socket;
}

const char *policy_mta_tls_policy_socket(const struct policy *p)
{
    return p->mta_tls_policy_socket;
}
