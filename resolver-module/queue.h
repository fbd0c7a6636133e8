// SPDX-License-Identifier: BSD-2-Clause
/*
 * queue.h - a bounded lock-free queue from many threads to one, which never waits.
 *
 * Built for the resolver's workers: a push copies the item into its cell or says that there is no room, and never does
 * anything else. Cells are numbered; a push takes a number by one atomic step, and the reader sees the cell when its
 * sequence number says so (the bounded queue of D. Vyukov).
 *
 * Threads: queue_push from any; queue_pop from one at a time.
 */
#ifndef ASSAY_RESOLVER_MODULE_QUEUE_H
#define ASSAY_RESOLVER_MODULE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

/* `cells` is rounded up to a power of two. NULL when out of memory. */
struct queue *queue_new(size_t item_size, size_t cells);
struct queue *queue_free(struct queue *q); /* NULL is allowed; returns NULL */

/* The same in memory of the caller's, queue_octets() of it, aligned to QUEUE_ALIGN; never fails, and is not freed
 * here. */
#define QUEUE_ALIGN 64
size_t queue_octets(size_t item_size, size_t cells);
struct queue *queue_in(void *memory, size_t item_size, size_t cells);

/* Copies the first `size` octets of the item (at most the item size); what is behind them is not defined at the other
 * end. False: full. */
bool queue_push(struct queue *q, const void *item, size_t size);
/* The same for a queue into which only this thread pushes: avoids the atomic read-modify-write, which would wait until
 * the processor's store buffer is empty. */
bool queue_push_alone(struct queue *q, const void *item, size_t size);
void queue_expect(const struct queue *q);    /* prefetches the cell of the next push */
bool queue_pop(struct queue *q, void *item); /* false: empty */
size_t queue_length(const struct queue *q);  /* approximate */
size_t queue_capacity(const struct queue *q);

#endif
