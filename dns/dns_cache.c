// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_cache.c - a sharded hash table of answers, with an LRU list in each shard.
 *
 * Invariants, under a shard's lock: every entry is in one chain and in the list once; `bytes` is the sum of their sizes
 * and is within the shard's part of the bound after each put and each growth; what a network's entries sum up to, over
 * all shards, is in `network`, which is atomic: threads that add at the same moment may pass its bound by one entry
 * each. An expired answer is never returned; it is freed when it
 * is found. The hash is keyed by a random number of this process, so that nobody can choose names that fall into one
 * chain.
 */
#include "dns/dns_cache.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#define SHARDS 16u
#define OCTETS_PER_BUCKET 512u /* about one small answer */
#define NETWORKS 4096u         /* places for their sums */
#define NOBODY NETWORKS        /* the place of what was asked on nobody's behalf; not bounded */
#define LOOKED_AT 64u          /* oldest entries of a shard among which a network's own are searched for */

struct held {
    struct held *chain;
    struct held *newer, *older;
    uint64_t hash;
    struct dns_result *result;
    size_t bytes;
    unsigned network;
    enum dns_type type;
    char name[];
};

struct shard {
    pthread_mutex_t lock;
    struct held **bucket;
    struct held *newest, *oldest;
    size_t bytes, answers;
    uint64_t hits;
};

struct dns_cache {
    uint64_t key;
    size_t buckets; /* of each shard; a power of two */
    size_t bound;   /* of each shard */
    _Atomic size_t network[NETWORKS + 1];
    struct shard shard[SHARDS];
};

static uint64_t cache_hash(const struct dns_cache *c, const struct dns_question *q)
{
    uint64_t h = c->key ^ (uint64_t)q->type * 0x9e3779b97f4a7c15u;
    for (const char *p = q->name; *p; p++) {
        h = (h ^ (unsigned char)*p) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h ^ h >> 29;
}

static unsigned network_of(const struct dns_cache *c, const struct ip *client)
{
    if (client->family == 0)
        return NOBODY;
    const struct ip_net net = ip_net_of(client, client->family == 6 ? 56 : 24);
    uint64_t h = c->key;
    for (size_t i = 0; i < sizeof net.base.octets; i++) {
        h = (h ^ net.base.octets[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return (unsigned)(h % NETWORKS);
}

struct dns_cache *dns_cache_new(size_t bytes)
{
    struct dns_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    if (getrandom(&c->key, sizeof c->key, 0) != sizeof c->key)
        c->key = (uint64_t)(uintptr_t)c;
    c->bound = bytes / SHARDS;
    c->buckets = 64;
    while (c->buckets * OCTETS_PER_BUCKET < c->bound)
        c->buckets *= 2;
    for (unsigned i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&c->shard[i].lock, NULL);
        c->shard[i].bucket = calloc(c->buckets, sizeof(struct held *));
        if (!c->shard[i].bucket)
            return dns_cache_free(c);
    }
    return c;
}

static struct held **cache_place(struct dns_cache *c, struct shard *s, uint64_t h, const struct dns_question *q)
{
    struct held **at = &s->bucket[(h / SHARDS) & (c->buckets - 1)];
    while (*at && !((*at)->hash == h && (*at)->type == q->type && strcmp((*at)->name, q->name) == 0))
        at = &(*at)->chain;
    return at;
}

static void list_remove(struct shard *s, struct held *e)
{
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
}

static void list_first(struct shard *s, struct held *e)
{
    e->newer = NULL;
    e->older = s->newest;
    *(e->older ? &e->older->newer : &s->oldest) = e;
    s->newest = e;
}

static void discard(struct dns_cache *c, struct shard *s, struct held *e)
{
    struct held **at = &s->bucket[(e->hash / SHARDS) & (c->buckets - 1)];
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    list_remove(s, e);
    s->bytes -= e->bytes;
    s->answers--;
    atomic_fetch_sub_explicit(&c->network[e->network], e->bytes, memory_order_relaxed);
    dns_result_drop(e->result);
    free(e);
}

struct dns_cache *dns_cache_free(struct dns_cache *c)
{
    if (!c)
        return NULL;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shard[i];
        while (s->oldest)
            discard(c, s, s->oldest);
        free(s->bucket);
        if (s->bucket)
            pthread_mutex_destroy(&s->lock);
    }
    free(c);
    return NULL;
}

struct dns_result *dns_cache_get(struct dns_cache *c, const struct dns_question *q, int64_t now)
{
    uint64_t h = cache_hash(c, q);
    struct shard *s = &c->shard[h % SHARDS];
    struct dns_result *r = NULL;
    pthread_mutex_lock(&s->lock);
    struct held *e = *cache_place(c, s, h, q);
    if (e && e->result->expires <= now) {
        discard(c, s, e);
    } else if (e) {
        list_remove(s, e);
        list_first(s, e);
        s->hits++;
        r = dns_result_hold(e->result);
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

static bool is_to_keep(const struct dns_cache *c, const struct dns_result *r, int64_t now)
{
    return (r->state == DNS_FOUND || r->state == DNS_NODATA || r->state == DNS_NXDOMAIN) && r->expires > now &&
           r->bytes < c->bound / 8;
}

static bool is_key(const char *name)
{
    return strncmp(name, "_domainkey.", 11) == 0 || strstr(name, "._domainkey.");
}

uint32_t dns_cache_ttl(const char *name, uint32_t ttl)
{
    const uint32_t most = is_key(name) ? LIMIT_DNS_CACHE_KEY_TTL : LIMIT_DNS_CACHE_TTL;
    return ttl < most ? ttl : most;
}

static bool network_is_over(struct dns_cache *c, unsigned network)
{
    return network != NOBODY && atomic_load_explicit(&c->network[network], memory_order_relaxed) >
                                    c->bound * SHARDS / LIMIT_DNS_CACHE_NETWORK;
}

/* With the shard's lock held, after `e` was added or has grown: drops others until all bounds hold; `e` itself if its
 * network has no other that could go. */
static void make_room(struct dns_cache *c, struct shard *s, struct held *e)
{
    unsigned looked_at = 0;
    struct held *next;
    for (struct held *old = s->oldest; old && old != e && looked_at < LOOKED_AT && network_is_over(c, e->network);
         old = next, looked_at++) {
        next = old->newer;
        if (old->network == e->network)
            discard(c, s, old);
    }
    if (network_is_over(c, e->network))
        discard(c, s, e);
    while (s->bytes > c->bound)
        discard(c, s, s->oldest);
}

void dns_cache_put(struct dns_cache *c, const struct dns_question *q, struct dns_result *r, int64_t now)
{
    size_t length = strlen(q->name) + 1;
    struct held *e = is_to_keep(c, r, now) ? malloc(sizeof *e + length) : NULL;
    if (!e)
        return;
    uint64_t h = cache_hash(c, q);
    struct shard *s = &c->shard[h % SHARDS];
    *e = (struct held){.hash = h,
                       .result = dns_result_hold(r),
                       .type = q->type,
                       .network = network_of(c, &q->client),
                       .bytes = sizeof *e + length + r->bytes};
    memcpy(e->name, q->name, length);

    pthread_mutex_lock(&s->lock);
    struct held *old = *cache_place(c, s, h, q);
    if (old)
        discard(c, s, old);
    struct held **first = &s->bucket[(h / SHARDS) & (c->buckets - 1)];
    e->chain = *first;
    *first = e;
    list_first(s, e);
    s->bytes += e->bytes;
    s->answers++;
    atomic_fetch_add_explicit(&c->network[e->network], e->bytes, memory_order_relaxed);
    make_room(c, s, e);
    pthread_mutex_unlock(&s->lock);
}

void dns_cache_grew(struct dns_cache *c, const struct dns_question *q, const struct dns_result *r, size_t octets)
{
    uint64_t h = cache_hash(c, q);
    struct shard *s = &c->shard[h % SHARDS];
    pthread_mutex_lock(&s->lock);
    struct held *e = *cache_place(c, s, h, q);
    if (e && e->result == r) {
        e->bytes += octets;
        s->bytes += octets;
        atomic_fetch_add_explicit(&c->network[e->network], octets, memory_order_relaxed);
        list_remove(s, e);
        list_first(s, e);
        make_room(c, s, e);
    }
    pthread_mutex_unlock(&s->lock);
}

void dns_cache_clear(struct dns_cache *c)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shard[i];
        pthread_mutex_lock(&s->lock);
        while (s->oldest)
            discard(c, s, s->oldest);
        pthread_mutex_unlock(&s->lock);
    }
}

uint64_t dns_cache_hits(struct dns_cache *c)
{
    uint64_t hits = 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&c->shard[i].lock);
        hits += c->shard[i].hits;
        pthread_mutex_unlock(&c->shard[i].lock);
    }
    return hits;
}

void dns_cache_size(struct dns_cache *c, size_t *answers, size_t *bytes)
{
    *answers = *bytes = 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&c->shard[i].lock);
        *answers += c->shard[i].answers;
        *bytes += c->shard[i].bytes;
        pthread_mutex_unlock(&c->shard[i].lock);
    }
}
