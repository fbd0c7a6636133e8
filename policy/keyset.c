// SPDX-License-Identifier: BSD-2-Clause
/*
 * keyset.c - open addressing with linear probing over one block of keys.
 *
 * Promises that a key is found whatever the order of adding, that a failed addition leaves the set as it was, and that
 * asking reads at most the run of occupied slots behind the hash. Offsets are 32 bits: a set holds at most 4 GiB of
 * keys. Growing doubles the table and places each key again by the 32 bits of hash kept beside it, without reading the
 * keys. Tables never pass 2^31 slots, so those bits suffice.
 */
#include "policy/keyset.h"
#include <stdlib.h>
#include <sys/mman.h>

#define SLOTS_FIRST 16u
#define HUGE_PAGE ((uintptr_t)2 << 20)

/* Large blocks are accessed at random: huge pages halve the time of a look-up, if the system provides them. Only a
 * hint. */
static void advise(void *p, size_t n)
{
    uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), to = ((uintptr_t)p + n) & ~(HUGE_PAGE - 1);
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void keyset_init(struct keyset *k, uint64_t seed)
{
    *k = (struct keyset){.seed = seed};
}

void keyset_release(struct keyset *k)
{
    free(k->octets);
    free(k->slots);
    keyset_init(k, k->seed);
}

/* A key is hashed from its end, four octets per step; up to three remain at its start and form the last step, with
 * their number. So the hash of a suffix does not depend on what is before it. */
static uint64_t hash_step(uint64_t h, uint32_t four)
{
    h = (h ^ four) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

static uint32_t four_octets(const char *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* The hash of a suffix whose whole steps gave h, with the 0 to 3 octets at its start. */
static uint64_t hash_finish(uint64_t h, const char *start, size_t n)
{
    uint32_t w = (uint32_t)n << 24;
    for (size_t i = 0; i < n; i++)
        w |= (uint32_t)(unsigned char)start[i] << (8 * i);
    h = hash_step(h, w) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ (h >> 32);
}

uint64_t keyset_hash(uint64_t seed, struct slice key)
{
    uint64_t h = seed;
    size_t i = key.n;
    for (; i >= 4; i -= 4)
        h = hash_step(h, four_octets(key.p + i - 4));
    return hash_finish(h, key.p, i);
}

void keyset_name(uint64_t seed, const char *domain, struct keyset_name *out)
{
    size_t n = strlen(domain);
    uint64_t h = seed;
    out->name = domain;
    out->labels = 0;
    out->length = (unsigned char)(n > LIMIT_DOMAIN ? LIMIT_DOMAIN : n);
    if (n > LIMIT_DOMAIN || n == 0)
        return;
    for (size_t end = n;;) {
        size_t most = end < 4 ? end : 3; /* suffixes that begin up to so many octets before `end` */
        for (size_t k = 0; k <= most; k++) {
            size_t at = end - k;
            if (at < n && (at == 0 || domain[at - 1] == '.') && out->labels < KEYSET_LABELS_MAX) {
                out->parent[out->labels].at = (unsigned char)at;
                out->parent[out->labels++].hash = hash_finish(h, domain + at, k);
            }
        }
        if (end < 4)
            return;
        end -= 4;
        h = hash_step(h, four_octets(domain + end));
    }
}

static struct slice key_at(const struct keyset *k, uint32_t offset)
{
    const unsigned char *p = k->octets + (offset - 1);
    return slice_of((const char *)p + 1, p[0]);
}

static bool key_find(const struct keyset *k, uint64_t hash, struct slice key)
{
    size_t mask = k->slot_count - 1;
    uint32_t h = (uint32_t)hash;
    for (size_t i = h & mask; k->slots[i].offset; i = (i + 1) & mask)
        if (k->slots[i].hash == h && slice_eq(key_at(k, k->slots[i].offset), key))
            return true;
    return false;
}

bool keyset_has(const struct keyset *k, struct slice key)
{
    return k->count && key_find(k, keyset_hash(k->seed, key), key);
}

static void slot_place(struct keyset_slot *slots, size_t count, struct keyset_slot s)
{
    size_t mask = count - 1, i = s.hash & mask;
    while (slots[i].offset)
        i = (i + 1) & mask;
    slots[i] = s;
}

static enum status grow_slots(struct keyset *k, size_t count)
{
    if (count > (size_t)1 << 31)
        return STATUS_LIMIT;
    struct keyset_slot *slots = calloc(count, sizeof *slots);
    if (!slots)
        return STATUS_NOMEM;
    advise(slots, count * sizeof *slots);
    for (size_t i = 0; i < k->slot_count; i++)
        if (k->slots[i].offset)
            slot_place(slots, count, k->slots[i]);
    free(k->slots);
    k->slots = slots;
    k->slot_count = count;
    return STATUS_OK;
}

static enum status grow_octets(struct keyset *k, size_t more)
{
    size_t size = k->size ? k->size : 256;
    if (k->used + more >= UINT32_MAX)
        return STATUS_LIMIT;
    while (size < k->used + more)
        size += size / 2;
    unsigned char *p = realloc(k->octets, size);
    if (!p)
        return STATUS_NOMEM;
    k->octets = p;
    k->size = size;
    advise(p, size);
    return STATUS_OK;
}

void keyset_reserve(struct keyset *k, size_t count, size_t octets)
{
    size_t slots = SLOTS_FIRST;
    while (slots / 3 * 2 <= count && slots < (size_t)1 << 30)
        slots *= 2;
    if (slots > k->slot_count && grow_slots(k, slots) != STATUS_OK)
        return;
    if (octets + count > k->size - k->used && grow_octets(k, octets + count) != STATUS_OK)
        return;
}

enum status keyset_add(struct keyset *k, struct slice key, bool *added)
{
    enum status s = STATUS_OK;
    *added = false;
    if (key.n == 0 || key.n > KEYSET_KEY_MAX)
        return STATUS_LIMIT;
    if (k->count + 1 > k->slot_count / 3 * 2)
        s = grow_slots(k, k->slot_count ? k->slot_count * 2 : SLOTS_FIRST);
    if (s == STATUS_OK && k->size - k->used < key.n + 1)
        s = grow_octets(k, key.n + 1);
    if (s != STATUS_OK)
        return s;
    uint64_t hash = keyset_hash(k->seed, key);
    if (key_find(k, hash, key))
        return STATUS_OK;
    slot_place(k->slots, k->slot_count, (struct keyset_slot){(uint32_t)k->used + 1, (uint32_t)hash});
    k->octets[k->used] = (unsigned char)key.n;
    memcpy(k->octets + k->used + 1, key.p, key.n);
    k->used += key.n + 1;
    k->count++;
    *added = true;
    return STATUS_OK;
}

enum status keyset_add_domain(struct keyset *k, const char *domain, bool *added)
{
    size_t labels = 1, n = 0;
    for (; domain[n]; n++)
        labels += domain[n] == '.';
    enum status s = keyset_add(k, slice_of(domain, n), added);
    if (s == STATUS_OK)
        k->label_counts |= UINT32_C(1) << (labels < 31 ? labels : 31);
    return s;
}

enum status keyset_add_net(struct keyset *k, const struct ip_net *net, bool *added)
{
    char key[KEYSET_NET_KEY];
    enum status s = keyset_add(k, keyset_net_key(net, key), added);
    if (s == STATUS_OK && net->base.family == 4)
        k->prefix4 |= UINT64_C(1) << net->bits;
    else if (s == STATUS_OK)
        k->prefix6[net->bits / 64] |= UINT64_C(1) << (net->bits % 64);
    return s;
}

void keyset_trim(struct keyset *k)
{
    if (k->used && k->used < k->size) {
        unsigned char *p = realloc(k->octets, k->used);
        if (p) {
            k->octets = p;
            k->size = k->used;
        }
    }
}

struct slice keyset_next(const struct keyset *k, size_t *at)
{
    if (*at >= k->used)
        return SLICE_NULL;
    struct slice key = key_at(k, (uint32_t)*at + 1);
    *at += key.n + 1;
    return key;
}

void keyset_expect(const struct keyset *k, const struct keyset_name *n)
{
    for (unsigned i = n->labels; k->label_counts && i-- > 0;)
        if (k->label_counts >> (i + 1 < 31 ? i + 1 : 31) & 1)
            __builtin_prefetch(&k->slots[(uint32_t)n->parent[i].hash & (k->slot_count - 1)]);
}

void keyset_expect_key(const struct keyset *k, const struct keyset_name *n)
{
    size_t mask = k->slot_count - 1;
    for (unsigned i = n->labels; k->label_counts && i-- > 0;) {
        uint32_t h = (uint32_t)n->parent[i].hash;
        if (!(k->label_counts >> (i + 1 < 31 ? i + 1 : 31) & 1))
            continue;
        for (size_t at = h & mask; k->slots[at].offset; at = (at + 1) & mask) {
            if (k->slots[at].hash == h) {
                __builtin_prefetch(k->octets + k->slots[at].offset - 1);
                break;
            }
        }
    }
}

unsigned keyset_longest(const struct keyset *k, const struct keyset_name *n)
{
    if (!k->label_counts)
        return 0;
    for (unsigned i = n->labels; i-- > 0;) {
        unsigned at = n->parent[i].at;
        if ((k->label_counts >> (i + 1 < 31 ? i + 1 : 31) & 1) &&
            key_find(k, n->parent[i].hash, slice_of(n->name + at, (size_t)n->length - at)))
            return i + 1;
    }
    return 0;
}

unsigned keyset_longest_net(const struct keyset *k, const struct ip *a)
{
    char key[KEYSET_NET_KEY];
    unsigned width = a->family == 4 ? 32 : a->family == 6 ? 128 : 0;
    if (!width)
        return 0;
    for (unsigned bits = width + 1; bits-- > 0;) {
        bool have = a->family == 4 ? k->prefix4 >> bits & 1 : k->prefix6[bits / 64] >> (bits % 64) & 1;
        if (!have)
            continue;
        struct ip_net net = ip_net_of(a, bits);
        if (keyset_has(k, keyset_net_key(&net, key)))
            return bits + 1;
    }
    return 0;
}

size_t keyset_overhead(const struct keyset *k)
{
    return k->slot_count * sizeof *k->slots + k->size - keyset_text(k);
}

size_t keyset_text(const struct keyset *k)
{
    return k->used - k->count;
}

struct slice keyset_net_key(const struct ip_net *net, char out[KEYSET_NET_KEY])
{
    out[0] = (char)net->base.family;
    out[1] = (char)net->bits;
    memcpy(out + 2, net->base.octets, 16);
    return slice_of(out, KEYSET_NET_KEY);
}

bool keyset_key_net(struct slice key, struct ip_net *out)
{
    if (key.n != KEYSET_NET_KEY || (key.p[0] != 4 && key.p[0] != 6))
        return false;
    *out = (struct ip_net){.base.family = (uint8_t)key.p[0], .bits = (uint8_t)key.p[1]};
    memcpy(out->base.octets, key.p + 2, 16);
    return true;
}
