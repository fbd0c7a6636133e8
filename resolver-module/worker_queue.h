// SPDX-License-Identifier: BSD-2-Clause
/*
 * worker_queue.h - the workers' side of recording: counters, and the events on their way to the writer. A lane belongs to one worker, so that counting and
 * handing over takes no step that others could contend for.
 *
 * All of it lies in memory that a process forked later shares, at the same address: the writer may be a thread or such a process. Pages that
 * nobody wrote to cost nothing.
 *
 * Threads: new and free while nobody else is at it; of the rest what each says.
 */
#ifndef ASSAY_RESOLVER_MODULE_WORKER_QUEUE_H
#define ASSAY_RESOLVER_MODULE_WORKER_QUEUE_H

#include "resolver-module/zones.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES_MAX 64    /* workers with a lane of their own; others share one */
#define LANES_QUEUE 8192     /* events of one lane, 128 octets each */
#define LANES_QUEUE_LONG 2048 /* ... of all that have a reason, a sampled name or a very long zone; some 2 MB */

struct lanes;
struct lane;

struct lanes_counts {
    uint64_t states[DECIDE_STATE_COUNT];
    uint64_t refused, would, dropped, swept;
};

struct lanes *lanes_new(void);                 /* NULL when out of memory */
struct lanes *lanes_free(struct lanes *l);     /* NULL is fine; returns NULL */

/* ---- any thread ---- */

/* A lane for the calling thread alone. NULL: there is none left; do without. */
struct lane *lanes_take(struct lanes *l);

/* An event comes soon: what it will be written to is fetched from memory meanwhile. A hint. */
void lanes_expect(const struct lane *lane);

/* With its own lane or NULL; never waits. What there is no room for is counted as dropped. */
void lanes_event(struct lanes *l, struct lane *lane, const struct zones_event *e);
void lanes_swept(struct lanes *l, uint64_t entries); /* cached answers marked for another judgement */
void lanes_counts(const struct lanes *l, struct lanes_counts *out);
bool lanes_want_names(const struct lanes *l); /* whether sampled names are wanted */

/* ---- the writer ---- */

/* A new round begins: one more reason may come for each zone. */
void lanes_next_round(struct lanes *l, bool want_names);

/* Calls take for all that has come; false from take: there was no room for it, and it is counted as dropped. */
void lanes_take_in(struct lanes *l, bool (*take)(const struct zones_event *e, void *arg), void *arg);

void lanes_fill(const struct lanes *l, size_t *length, size_t *capacity); /* of all queues together; about */

#endif
