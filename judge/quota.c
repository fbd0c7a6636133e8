// SPDX-License-Identifier: BSD-2-Clause
/*
 * quota.c - leaky buckets by client network, in a table of fixed size.
 *
 * A network has eight possible slots, chosen by a hash with a random key. A new one replaces the lowest level among
 * them, so that a network over its limit is not displaced by others that send little. Levels are in thousandths of a
 * question; the leak is computed when a level is read. One lock, held for a few comparisons. Nothing fails.
 */
#include "judge/quota.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SETS 1024u
#define PLACES 8u

struct place {
    struct ip network; /* family 0: free */
    int64_t seen;      /* ms */
    uint64_t level;    /* thousandths */
};

struct quota {
    pthread_mutex_t lock;
    uint64_t key;
    struct place place[SETS][PLACES];
};

struct quota *quota_new(void)
{
    struct quota *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    pthread_mutex_init(&q->lock, NULL);
    if (getrandom(&q->key, sizeof q->key, 0) != sizeof q->key)
        q->key = (uint64_t)(uintptr_t)q;
    return q;
}

struct quota *quota_free(struct quota *q)
{
    if (q)
        pthread_mutex_destroy(&q->lock);
    free(q);
    return NULL;
}

static struct place *set_of(struct quota *q, const struct ip *network)
{
    uint64_t h = q->key;
    for (unsigned i = 0; i < 16; i++)
        h = (h ^ network->octets[i]) * 0xff51afd7ed558ccdu;
    return q->place[(h >> 32) % SETS];
}

static uint64_t level_now(const struct place *p, unsigned per_minute, int64_t now)
{
    uint64_t leaked = now > p->seen ? (uint64_t)(now - p->seen) * per_minute / 60 : 0;
    return p->level > leaked ? p->level - leaked : 0;
}

/* Returns the slot of a network; if it has none, clears the one with the lowest level for it. */
static struct place *place_find(struct quota *q, const struct ip *network, unsigned per_minute, int64_t now)
{
    struct place *set = set_of(q, network), *lowest = &set[0];
    for (unsigned i = 0; i < PLACES; i++) {
        if (set[i].network.family && ip_eq(&set[i].network, network))
            return &set[i];
        if (level_now(&set[i], per_minute, now) < level_now(lowest, per_minute, now))
            lowest = &set[i];
    }
    *lowest = (struct place){.network = *network, .seen = now};
    return lowest;
}

static struct ip network_of(const struct ip *client)
{
    return ip_net_of(client, client->family == 6 ? 56 : 24).base;
}

bool quota_take(struct quota *q, const struct ip *client, unsigned questions, unsigned per_minute, int64_t now)
{
    if (!q || client->family == 0 || per_minute == 0)
        return true;
    struct ip network = network_of(client);
    pthread_mutex_lock(&q->lock);
    struct place *p = place_find(q, &network, per_minute, now);
    const uint64_t level = level_now(p, per_minute, now);
    const bool allowed = level < (uint64_t)per_minute * 1000;
    p->level = allowed ? level + (uint64_t)questions * 1000 : level;
    p->seen = now;
    pthread_mutex_unlock(&q->lock);
    return allowed;
}
