// SPDX-License-Identifier: BSD-2-Clause
/*
 * refusal_cache.c - a table of the last refusals, one slot for each hash of a question.
 *
 * Promises: fixed memory; no waiting (a slot is only tried; readers do not exclude each other); a name is compared in
 * full, without regard to case (RFC 4343), so two questions are never taken for one another; a repeat that is counted
 * is handed over once. On failure (slot in use, another name in it) the result is "not known", and the caller judges
 * the answer again. A question gets its slot at its second refusal; at the first only a hash is stored. So random names
 * that are asked for once neither cause a write into a slot nor displace names that are asked for again and again.
 */
#include "resolver-module/refusal_cache.h"
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define READ_TRIES 200
#define WRITER (INT_MIN / 2)

struct slot {
    atomic_int users; /* readers; WRITER: below 0 */
    uint8_t name[256];
    uint16_t length; /* 0: empty */
    uint16_t type;
    unsigned version;
    time_t until;
    struct zones_event event;
};

struct refusal_cache {
    atomic_bool repeated;                     /* some slot may have repeats */
    atomic_uint repeats[REFUSAL_CACHE_SLOTS]; /* apart from the slots, so that looking for some is one pass over 8 kB */
    atomic_uint seen[REFUSAL_CACHE_SLOTS];    /* hash of the question last refused for the first time */
    struct slot slots[REFUSAL_CACHE_SLOTS];
};

static uint8_t name_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c; /* a length octet is below 64: never in that range */
}

static uint64_t hash_of(const struct refusal_key *k)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ k->type ^ (uint64_t)k->length << 16;
    for (size_t i = 0; i < k->length; i += sizeof h) {
        uint64_t eight = 0;
        memcpy(&eight, k->name + i, k->length - i < sizeof eight ? k->length - i : sizeof eight);
        h = (h ^ (eight | UINT64_C(0x2020202020202020))) *
            UINT64_C(0x9e3779b97f4a7c15); /* either case; is_of() tells apart */
        h ^= h >> 29;
    }
    return h;
}

static size_t index_of(uint64_t hash)
{
    return (size_t)(hash ^ hash >> 32) & (REFUSAL_CACHE_SLOTS - 1);
}

static bool is_of(const struct slot *s, const struct refusal_key *k)
{
    if (s->length != k->length || s->type != k->type)
        return false;
    if (memcmp(s->name, k->name, k->length) == 0)
        return true;
    for (size_t i = 0; i < k->length; i++)
        if (s->name[i] != name_lower(k->name[i]))
            return false;
    return true;
}

struct refusal_cache *refusal_cache_new(void)
{
    return calloc(1, sizeof(struct refusal_cache));
}

struct refusal_cache *refusal_cache_free(struct refusal_cache *r)
{
    free(r);
    return NULL;
}

/* Readers hold it together; a writer alone, and only where nobody else does. */
static bool write_lock(struct slot *s)
{
    int none = 0;
    return atomic_compare_exchange_strong_explicit(&s->users, &none, WRITER, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void write_unlock(struct slot *s)
{
    atomic_fetch_sub_explicit(&s->users, WRITER, memory_order_release);
}

static void read_unlock(struct slot *s)
{
    atomic_fetch_sub_explicit(&s->users, 1, memory_order_release);
}

/* A writer copies a few hundred octets: unless it was interrupted just there, it is done within these tries. */
static bool read_lock(struct slot *s)
{
    for (int i = 0; i < READ_TRIES; i++) {
        if (atomic_fetch_add_explicit(&s->users, 1, memory_order_acquire) >= 0)
            return true;
        read_unlock(s);
    }
    return false;
}

void refusal_cache_put(struct refusal_cache *r, const struct refusal_key *k, time_t until,
                       const struct zones_event *event, struct refusal_left *left)
{
    uint64_t hash = hash_of(k);
    size_t i = index_of(hash);
    struct slot *s = &r->slots[i];
    left->event.weight = left->length = 0;
    if (k->length == 0 || k->length > sizeof s->name)
        return;
    if (atomic_load_explicit(&r->seen[i], memory_order_relaxed) != (unsigned)hash) {
        atomic_store_explicit(&r->seen[i], (unsigned)hash, memory_order_relaxed);
        return;
    }
    if (!write_lock(s))
        return;
    unsigned repeats = atomic_exchange(&r->repeats[i], 0);
    if (repeats && s->length) {
        left->event = s->event;
        left->event.weight = repeats;
    }
    if (s->length && !is_of(s, k)) {
        memcpy(left->name, s->name, s->length);
        left->length = s->length;
        left->type = s->type;
    }
    for (size_t n = 0; n < k->length; n++)
        s->name[n] = name_lower(k->name[n]);
    s->length = (uint16_t)k->length;
    s->type = k->type;
    s->version = k->version;
    s->until = until;
    s->event = *event;
    write_unlock(s);
}

bool refusal_cache_get(struct refusal_cache *r, const struct refusal_key *k, time_t now, char text[DECIDE_TEXT])
{
    size_t i = index_of(hash_of(k));
    struct slot *s = &r->slots[i];
    if (!read_lock(s))
        return false;
    bool known = s->version == k->version && now < s->until && is_of(s, k);
    if (known) {
        memcpy(text, s->event.reason, DECIDE_TEXT);
        atomic_fetch_add_explicit(&r->repeats[i], 1, memory_order_relaxed);
        if (!atomic_load_explicit(&r->repeated, memory_order_relaxed)) /* read first: a write would take the line */
            atomic_store_explicit(&r->repeated, true, memory_order_release);
    }
    read_unlock(s);
    return known;
}

bool refusal_cache_repeated(struct refusal_cache *r)
{
    return atomic_load_explicit(&r->repeated, memory_order_relaxed) &&
           atomic_exchange_explicit(&r->repeated, false, memory_order_acquire);
}

bool refusal_cache_take(struct refusal_cache *r, size_t i, struct zones_event *out)
{
    struct slot *s = &r->slots[i];
    if (atomic_load_explicit(&r->repeats[i], memory_order_relaxed) == 0 || !read_lock(s))
        return false;
    unsigned repeats = atomic_exchange(&r->repeats[i], 0);
    *out = s->event;
    out->weight = repeats;
    read_unlock(s);
    return repeats > 0;
}
