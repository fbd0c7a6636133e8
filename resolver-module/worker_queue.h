// SPDX-License-Identifier: BSD-2-Clause
/*
 * worker_queue.h - the workers' side of recording: counters, and the events on their way to the writer. Each worker has
 * a queue of its own, so that no two workers contend for one. Pages of memory that nobody wrote to cost nothing.
 *
 * Threads: new and free while no other thread uses it; the others as each says.
 */
#ifndef ASSAY_RESOLVER_MODULE_WORKER_QUEUE_H
#define ASSAY_RESOLVER_MODULE_WORKER_QUEUE_H

#include "resolver-module/zones.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKER_QUEUE_MAX 64          /* workers with a queue of their own; others share one */
#define WORKER_QUEUE_QUEUE 8192      /* events of one worker's queue, 128 octets each */
#define WORKER_QUEUE_QUEUE_LONG 2048 /* ... of all that have a reason, a sampled name or a very long zone; some 2 MB */

struct worker_queues;
struct worker_queue;

struct worker_queue_counts {
    uint64_t states[DECIDE_STATE_COUNT];
    uint64_t refused, would, dropped, swept;
};

struct worker_queues *worker_queue_new(void);                     /* NULL when out of memory */
struct worker_queues *worker_queue_free(struct worker_queues *l); /* NULL is allowed; returns NULL */

/* ---- any thread ---- */

/* A queue for the calling thread alone. NULL: there is none left; use NULL in its place. */
struct worker_queue *worker_queue_take(struct worker_queues *l);

/* Prefetches the queue slot that the next event will be written to. */
void worker_queue_expect(const struct worker_queue *own);

/* `own`: the thread's own queue, or NULL. Never waits; an event that does not fit is counted as dropped. */
void worker_queue_event(struct worker_queues *l, struct worker_queue *own, const struct zones_event *e);
void worker_queue_swept(struct worker_queues *l, uint64_t entries); /* cached answers marked for another judgement */
void worker_queue_counts(const struct worker_queues *l, struct worker_queue_counts *out);
bool worker_queue_want_names(const struct worker_queues *l); /* whether sampled names are wanted */

/* ---- the writer ---- */

/* Starts a reporting period: each zone may report one more reason. */
void worker_queue_next_round(struct worker_queues *l, bool want_names);

/* Calls take for each queued event; if take returns false there was no room for it, and it is counted as dropped. */
void worker_queue_take_in(struct worker_queues *l, bool (*take)(const struct zones_event *e, void *arg), void *arg);

void worker_queue_fill(const struct worker_queues *l, size_t *length,
                       size_t *capacity); /* events in all queues together; approximate */

#endif
