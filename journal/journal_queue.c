// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal_queue.c - a bounded ring without locks (after D. Vyukov's bounded queue).
 *
 * Promises that a writer never waits: it gets a slot by compare-and-swap, or learns that there is none. Slot i is free
 * for turn t when its sequence is t * size + i, and holds a record when it is one more; the reader hands it to the next
 * turn by adding the size. On failure nothing is kept: the record is not in the queue and its octets are released to
 * the bound.
 */
#include "journal/journal_queue.h"
#include <stdint.h>
#include <stdlib.h>

enum status journal_queue_init(struct journal_queue *q, unsigned records, size_t bytes)
{
    size_t size = 2;
    while (size < records && size < ((size_t)1 << 30))
        size *= 2;
    *q = (struct journal_queue){.mask = size - 1, .bytes_max = bytes};
    q->slots = calloc(size, sizeof *q->slots);
    if (!q->slots)
        return STATUS_NOMEM;
    for (size_t i = 0; i < size; i++)
        atomic_init(&q->slots[i].sequence, i);
    return STATUS_OK;
}

static bool reserve(struct journal_queue *q, size_t n)
{
    if (atomic_fetch_add(&q->bytes, n) + n <= q->bytes_max)
        return true;
    atomic_fetch_sub(&q->bytes, n);
    return false;
}

static struct journal_queue_slot *claim(struct journal_queue *q, size_t *turn)
{
    size_t at = atomic_load_explicit(&q->head, memory_order_relaxed);
    for (;;) {
        struct journal_queue_slot *slot = &q->slots[at & q->mask];
        size_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
        intptr_t ahead = (intptr_t)sequence - (intptr_t)at;
        if (ahead == 0) {
            if (atomic_compare_exchange_weak_explicit(&q->head, &at, at + 1, memory_order_relaxed,
                                                      memory_order_relaxed)) {
                *turn = at;
                return slot;
            }
        } else if (ahead < 0) {
            return NULL;
        } else {
            at = atomic_load_explicit(&q->head, memory_order_relaxed);
        }
    }
}

enum status journal_queue_put(struct journal_queue *q, struct slice record)
{
    size_t n = record.n + 1;
    if (!reserve(q, n))
        return STATUS_LIMIT;
    char *copy = malloc(n);
    if (!copy) {
        atomic_fetch_sub(&q->bytes, n);
        return STATUS_NOMEM;
    }
    if (record.n)
        memcpy(copy, record.p, record.n);
    copy[record.n] = '\n';
    size_t turn = 0;
    struct journal_queue_slot *slot = claim(q, &turn);
    if (!slot) {
        free(copy);
        atomic_fetch_sub(&q->bytes, n);
        return STATUS_LIMIT;
    }
    slot->text = copy;
    slot->n = n;
    atomic_fetch_add(&q->count, 1);
    atomic_store_explicit(&slot->sequence, turn + 1, memory_order_release);
    return STATUS_OK;
}

struct slice journal_queue_take(struct journal_queue *q)
{
    struct journal_queue_slot *slot = &q->slots[q->tail & q->mask];
    if (atomic_load_explicit(&slot->sequence, memory_order_acquire) != q->tail + 1)
        return SLICE_NULL;
    struct slice out = slice_of(slot->text, slot->n);
    slot->text = NULL;
    atomic_store_explicit(&slot->sequence, q->tail + q->mask + 1, memory_order_release);
    q->tail++;
    atomic_fetch_sub(&q->count, 1);
    atomic_fetch_sub(&q->bytes, out.n);
    return out;
}

int journal_queue_half(const struct journal_queue *q)
{
    return atomic_load_explicit(&q->count, memory_order_relaxed) > q->mask / 2 ||
           atomic_load_explicit(&q->bytes, memory_order_relaxed) > q->bytes_max / 2;
}

void journal_queue_free(struct journal_queue *q)
{
    if (!q->slots)
        return;
    for (size_t i = 0; i <= q->mask; i++)
        free(q->slots[i].text);
    free(q->slots);
    q->slots = NULL;
}
