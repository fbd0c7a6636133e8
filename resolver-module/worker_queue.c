// SPDX-License-Identifier: BSD-2-Clause
/*
 * worker_queue.c - counters and queues of the workers, in one block of memory.
 *
 * Promises: an event takes some ten nanoseconds to queue, and never waits; each event is popped once, in the order of
 * its queue. There is no lock. The block reserves 66 MB of address space; pages that are not used take no memory.
 */
#include "resolver-module/worker_queue.h"
#include "resolver-module/queue.h"
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define SHORT_EVENT 112 /* octets; two cache lines together with the queue's own header */
#define TOLD 64         /* a power of two */

struct worker_queue {
    _Alignas(QUEUE_ALIGN) struct queue
        *events; /* short events: nearly all, and small enough to stay in the processor's cache */
    atomic_uint_fast64_t states[DECIDE_STATE_COUNT];
    atomic_uint_fast64_t refused, would, dropped;
    /* hash of zone and state, and the writer's round in which a reason for them was last queued */
    uint64_t told[TOLD];
};

struct worker_queues {
    struct worker_queue own[WORKER_QUEUE_MAX];
    /* for threads without a queue, and for all long events; its counters are atomic */
    struct worker_queue common;
    atomic_uint taken;
    atomic_uint ready[WORKER_QUEUE_MAX]; /* the worker's queue is there */
    atomic_uint_fast64_t swept;
    atomic_uint round; /* of the writer, from 1 */
    atomic_bool want_names;
    size_t octets, stride; /* of the block; of one worker's queue in it */
    unsigned char *queues;
};

static size_t up(size_t n)
{
    return (n + QUEUE_ALIGN - 1) / QUEUE_ALIGN * QUEUE_ALIGN;
}

struct worker_queues *worker_queue_new(void)
{
    size_t head = up(sizeof(struct worker_queues)),
           long_one = up(queue_octets(sizeof(struct zones_event), WORKER_QUEUE_QUEUE_LONG));
    size_t stride = (queue_octets(SHORT_EVENT, WORKER_QUEUE_QUEUE) + 4095) / 4096 * 4096,
           octets = head + long_one + 4096 + WORKER_QUEUE_MAX * stride;
    struct worker_queues *l =
        mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (l == MAP_FAILED)
        return NULL;
    l->octets = octets;
    l->stride = stride;
    l->common.events = queue_in((unsigned char *)l + head, sizeof(struct zones_event), WORKER_QUEUE_QUEUE_LONG);
    l->queues = (unsigned char *)l + (head + long_one + 4095) / 4096 * 4096;
    return l;
}

struct worker_queues *worker_queue_free(struct worker_queues *l)
{
    if (l)
        munmap(l, l->octets);
    return NULL;
}

/* ---- from the workers ---- */

struct worker_queue *worker_queue_take(struct worker_queues *l)
{
    unsigned i = atomic_fetch_add(&l->taken, 1);
    if (i >= WORKER_QUEUE_MAX)
        return NULL;
    l->own[i].events = queue_in(l->queues + i * l->stride, SHORT_EVENT, WORKER_QUEUE_QUEUE);
    atomic_store(&l->ready[i], 1);
    return &l->own[i];
}

void worker_queue_expect(const struct worker_queue *own)
{
    if (own)
        queue_expect(own->events);
}

static void counter_add(struct worker_queues *l, const struct worker_queue *own, atomic_uint_fast64_t *counter,
                        uint64_t n)
{
    if (own == &l->common)
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    else
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* A zone's record holds only the last reason. So it is enough to queue one in each of the writer's rounds, and a flood
 * of refusals does not fill the queue of long events. */
static bool told_of_late(const struct worker_queues *all, struct worker_queue *l, const struct zones_event *e)
{
    uint32_t h = UINT32_C(2166136261) ^ e->state;
    for (const char *c = e->zone; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT32_C(16777619);
    uint64_t now = (uint64_t)h << 32 | atomic_load_explicit(&all->round, memory_order_relaxed);
    uint64_t *told = &l->told[(h ^ h >> 16) & (TOLD - 1)];
    bool again = *told == now;
    *told = now;
    return again;
}

static bool push_without_reason(struct worker_queue *own, const struct zones_event *e, size_t size)
{
    struct zones_event bare;
    memcpy(&bare, e, size);
    bare.has_reason = false;
    return queue_push_alone(own->events, &bare, size);
}

static bool push(struct worker_queues *l, struct worker_queue *own, const struct zones_event *e)
{
    size_t size = zones_event_size(e), bare = offsetof(struct zones_event, zone) + strlen(e->zone) + 1;
    if (own && size <= SHORT_EVENT)
        return queue_push_alone(own->events, e, size);
    if (own && e->has_reason && !e->has_name && bare <= SHORT_EVENT && told_of_late(l, own, e))
        return push_without_reason(own, e, bare);
    return queue_push(l->common.events, e, size);
}

void worker_queue_event(struct worker_queues *l, struct worker_queue *own, const struct zones_event *e)
{
    struct worker_queue *c = own ? own : &l->common;
    counter_add(l, c, &c->states[e->state], e->weight);
    if (e->refused)
        counter_add(l, c, &c->refused, e->weight);
    if (e->would)
        counter_add(l, c, &c->would, e->weight);
    if (e->state == DECIDE_STATE_FAILED) /* counted only: a failure says nothing about the zone */
        return;
    if (!push(l, own, e))
        counter_add(l, c, &c->dropped, e->weight);
}

void worker_queue_swept(struct worker_queues *l, uint64_t entries)
{
    atomic_fetch_add_explicit(&l->swept, entries, memory_order_relaxed);
}

bool worker_queue_want_names(const struct worker_queues *l)
{
    return atomic_load_explicit(&l->want_names, memory_order_relaxed);
}

static void add_counts(struct worker_queue_counts *out, const struct worker_queue *l)
{
    for (int i = 0; i < DECIDE_STATE_COUNT; i++)
        out->states[i] += atomic_load_explicit(&l->states[i], memory_order_relaxed);
    out->refused += atomic_load_explicit(&l->refused, memory_order_relaxed);
    out->would += atomic_load_explicit(&l->would, memory_order_relaxed);
    out->dropped += atomic_load_explicit(&l->dropped, memory_order_relaxed);
}

void worker_queue_counts(const struct worker_queues *l, struct worker_queue_counts *out)
{
    *out = (struct worker_queue_counts){.swept = atomic_load_explicit(&l->swept, memory_order_relaxed)};
    add_counts(out, &l->common);
    for (size_t i = 0; i < WORKER_QUEUE_MAX; i++)
        if (atomic_load(&l->ready[i]))
            add_counts(out, &l->own[i]);
}

/* ---- the writer ---- */

void worker_queue_next_round(struct worker_queues *l, bool want_names)
{
    atomic_fetch_add_explicit(&l->round, 1, memory_order_relaxed);
    atomic_store_explicit(&l->want_names, want_names, memory_order_relaxed);
}

static void take_in_from(struct worker_queues *l, struct queue *queue,
                         bool (*take)(const struct zones_event *e, void *arg), void *arg)
{
    struct zones_event e;
    for (size_t i = queue_capacity(queue) * 4; i > 0 && queue_pop(queue, &e); i--)
        if (!take(&e, arg))
            counter_add(l, &l->common, &l->common.dropped, e.weight);
}

void worker_queue_take_in(struct worker_queues *l, bool (*take)(const struct zones_event *e, void *arg), void *arg)
{
    take_in_from(l, l->common.events, take, arg);
    for (size_t i = 0; i < WORKER_QUEUE_MAX; i++)
        if (atomic_load(&l->ready[i]))
            take_in_from(l, l->own[i].events, take, arg);
}

void worker_queue_fill(const struct worker_queues *l, size_t *length, size_t *capacity)
{
    *length = queue_length(l->common.events);
    *capacity = queue_capacity(l->common.events);
    for (size_t i = 0; i < WORKER_QUEUE_MAX; i++)
        if (atomic_load(&l->ready[i])) {
            *length += queue_length(l->own[i].events);
            *capacity += queue_capacity(l->own[i].events);
        }
}
