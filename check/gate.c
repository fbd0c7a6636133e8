// SPDX-License-Identifier: BSD-2-Clause
/*
 * gate.c - the entries of gate.h, one for each address that was asked in this run.
 *
 * Promises that no more than GATE_AT_ONCE are inside one address, and that two beginnings lie at least the pace apart.
 * One lock for all; waiting threads sleep on one condition, which is enough for the some dozen threads of a run.
 */
#include "check/gate.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 4096

struct place {
    struct place *next;
    struct ip address;
    unsigned inside;
    int64_t last; /* of clock_mono_ms */
};

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t left;
    unsigned pace;
    struct place *buckets[BUCKETS];
};

struct gate *gate_new(unsigned pace_ms)
{
    struct gate *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->pace = pace_ms;
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->left, NULL);
    return g;
}

struct gate *gate_free(struct gate *g)
{
    if (!g)
        return NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct place *p = g->buckets[i], *next; p; p = next) {
            next = p->next;
            free(p);
        }
    pthread_cond_destroy(&g->left);
    pthread_mutex_destroy(&g->lock);
    free(g);
    return NULL;
}

static struct place *place_of(struct gate *g, const struct ip *address)
{
    size_t hash = address->family;
    for (size_t i = 0; i < sizeof address->octets; i++)
        hash = hash * 31 + address->octets[i];
    struct place **bucket = &g->buckets[hash % BUCKETS];
    for (struct place *p = *bucket; p; p = p->next)
        if (ip_eq(&p->address, address))
            return p;
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->address = *address;
    p->last = INT64_MIN / 2;
    p->next = *bucket;
    return *bucket = p;
}

bool gate_enter(struct gate *g, const struct ip *address)
{
    pthread_mutex_lock(&g->lock);
    struct place *p = place_of(g, address);
    for (; p;) {
        int64_t wait = p->last + g->pace - clock_mono_ms();
        if (p->inside >= GATE_AT_ONCE) {
            pthread_cond_wait(&g->left, &g->lock);
        } else if (wait > 0) {
            pthread_mutex_unlock(&g->lock);
            clock_sleep_ms(wait);
            pthread_mutex_lock(&g->lock);
        } else {
            p->inside++;
            p->last = clock_mono_ms();
            break;
        }
    }
    pthread_mutex_unlock(&g->lock);
    return p != NULL;
}

void gate_leave(struct gate *g, const struct ip *address)
{
    pthread_mutex_lock(&g->lock);
    struct place *p = place_of(g, address);
    if (p && p->inside)
        p->inside--;
    pthread_cond_broadcast(&g->left);
    pthread_mutex_unlock(&g->lock);
}
