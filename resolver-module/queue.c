// SPDX-License-Identifier: BSD-2-Clause
/*
 * queue.c - the bounded queue between the resolver's workers and the one thread that writes.
 *
 * Promises: a push is a few atomic operations and one copy, whatever the reader does; an item that was pushed is popped
 * exactly once, in the order of its number; a full queue refuses the push and stays as it was. Each cell's sequence
 * number says whose turn it is: equal to the number, a writer's; number + 1, the reader's; the reader then adds the
 * number of cells for the next round.
 */
#include "resolver-module/queue.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE QUEUE_ALIGN

/* In front of each item. */
struct cell {
    atomic_size_t turn;
    size_t used; /* octets of the item that were pushed: the reader touches no more memory than the writer did */
};

struct queue {
    _Alignas(LINE) atomic_size_t head; /* next number to write */
    _Alignas(LINE) atomic_size_t tail; /* next number to read */
    _Alignas(LINE) size_t mask;
    size_t item;
    size_t stride;
    unsigned char *cells;
};

static struct cell *cell_of(const struct queue *q, size_t number)
{
    return (struct cell *)(void *)(q->cells + (number & q->mask) * q->stride);
}

static size_t round_up(size_t cells)
{
    size_t n = 2;
    while (n < cells && n < SIZE_MAX / 4)
        n *= 2;
    return n;
}

static size_t stride_of(size_t item_size)
{
    return (sizeof(struct cell) + item_size + LINE - 1) / LINE * LINE;
}

size_t queue_octets(size_t item_size, size_t cells)
{
    size_t n = round_up(cells), stride = stride_of(item_size);
    return n > (SIZE_MAX - sizeof(struct queue)) / stride ? SIZE_MAX : sizeof(struct queue) + n * stride;
}

struct queue *queue_in(void *memory, size_t item_size, size_t cells)
{
    struct queue *q = memory;
    size_t n = round_up(cells);
    memset(q, 0, sizeof *q);
    q->item = item_size;
    q->stride = stride_of(item_size);
    q->mask = n - 1;
    q->cells = (unsigned char *)(q + 1); /* a struct queue fills whole lines */
    for (size_t i = 0; i < n; i++)
        atomic_init(&cell_of(q, i)->turn, i);
    return q;
}

struct queue *queue_new(size_t item_size, size_t cells)
{
    size_t octets = queue_octets(item_size, cells);
    void *memory = octets == SIZE_MAX ? NULL : aligned_alloc(LINE, octets);
    return memory ? queue_in(memory, item_size, cells) : NULL;
}

struct queue *queue_free(struct queue *q)
{
    free(q);
    return NULL;
}

bool queue_push(struct queue *q, const void *item, size_t size)
{
    size_t number = atomic_load_explicit(&q->head, memory_order_relaxed);
    for (;;) {
        struct cell *c = cell_of(q, number);
        intptr_t ahead = (intptr_t)atomic_load_explicit(&c->turn, memory_order_acquire) - (intptr_t)number;
        if (ahead < 0)
            return false;
        if (ahead > 0) {
            number = atomic_load_explicit(&q->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&q->head, &number, number + 1, memory_order_relaxed,
                                                         memory_order_relaxed)) {
            c->used = size < q->item ? size : q->item;
            memcpy(c + 1, item, c->used);
            atomic_store_explicit(&c->turn, number + 1, memory_order_release);
            return true;
        }
    }
}

void queue_expect(const struct queue *q)
{
    const char *c = (const char *)cell_of(q, atomic_load_explicit(&q->head, memory_order_relaxed));
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + LINE, 1);
}

bool queue_push_alone(struct queue *q, const void *item, size_t size)
{
    size_t number = atomic_load_explicit(&q->head, memory_order_relaxed);
    struct cell *c = cell_of(q, number);
    if (atomic_load_explicit(&c->turn, memory_order_acquire) != number)
        return false;
    c->used = size < q->item ? size : q->item;
    memcpy(c + 1, item, c->used);
    atomic_store_explicit(&c->turn, number + 1, memory_order_release);
    atomic_store_explicit(&q->head, number + 1, memory_order_relaxed);
    return true;
}

bool queue_pop(struct queue *q, void *item)
{
    size_t number = atomic_load_explicit(&q->tail, memory_order_relaxed);
    struct cell *c = cell_of(q, number);
    intptr_t ahead = (intptr_t)atomic_load_explicit(&c->turn, memory_order_acquire) - (intptr_t)(number + 1);
    if (ahead < 0)
        return false;
    memcpy(item, c + 1, c->used);
    atomic_store_explicit(&c->turn, number + q->mask + 1, memory_order_release);
    atomic_store_explicit(&q->tail, number + 1, memory_order_relaxed);
    return true;
}

size_t queue_length(const struct queue *q)
{
    size_t head = atomic_load_explicit(&q->head, memory_order_relaxed),
           tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    return head > tail ? head - tail : 0;
}

size_t queue_capacity(const struct queue *q)
{
    return q->mask + 1;
}
