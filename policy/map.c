// SPDX-License-Identifier: BSD-2-Clause
/*
 * map.c - open addressing, at most half full, hashed as in keyset.c. A failed map_put changes nothing.
 */
#include "policy/map.h"
#include "policy/keyset.h"
#include <stdlib.h>

void map_init(struct map *m, uint64_t seed)
{
    *m = (struct map){.seed = seed};
}

void map_release(struct map *m)
{
    free(m->slots);
    map_init(m, m->seed);
}

static struct map_slot *slot_of(const struct map *m, struct slice key)
{
    size_t mask = m->slot_count - 1, i = keyset_hash(m->seed, key) & mask;
    while (m->slots[i].key.n && !slice_eq(m->slots[i].key, key))
        i = (i + 1) & mask;
    return &m->slots[i];
}

uint64_t *map_get(const struct map *m, struct slice key)
{
    if (!m->slot_count || !key.n)
        return NULL;
    struct map_slot *s = slot_of(m, key);
    return s->key.n ? &s->value : NULL;
}

static enum status slots_grow(struct map *m)
{
    struct map bigger = {.seed = m->seed, .slot_count = m->slot_count ? m->slot_count * 2 : 32, .count = m->count};
    bigger.slots = calloc(bigger.slot_count, sizeof *bigger.slots);
    if (!bigger.slots)
        return STATUS_NOMEM;
    for (size_t i = 0; i < m->slot_count; i++)
        if (m->slots[i].key.n)
            *slot_of(&bigger, m->slots[i].key) = m->slots[i];
    free(m->slots);
    *m = bigger;
    return STATUS_OK;
}

enum status map_put(struct map *m, struct slice key, uint64_t value)
{
    if (!key.n)
        return STATUS_INVALID;
    if (m->count >= m->slot_count / 2 && slots_grow(m) != STATUS_OK)
        return STATUS_NOMEM;
    struct map_slot *s = slot_of(m, key);
    m->count += !s->key.n;
    *s = (struct map_slot){key, value};
    return STATUS_OK;
}
