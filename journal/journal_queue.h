// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal_queue.h - records on their way to the journal's thread: bounded, many writers, one reader, no lock.
 *
 * A ring of slots with sequence numbers: a writer claims a slot by one compare-and-swap and publishes it by one store,
 * so that a writer that is descheduled delays the reader only, never another writer. Bounded by records and by octets.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_QUEUE_H
#define ASSAY_JOURNAL_JOURNAL_QUEUE_H

#include "base/slice.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stddef.h>

struct journal_queue_slot {
    atomic_size_t sequence;
    char *text; /* malloc'ed; the reader frees it */
    size_t n;
};

struct journal_queue {
    struct journal_queue_slot *slots;
    size_t mask;
    size_t bytes_max;
    atomic_size_t head; /* next to be claimed by a writer */
    size_t tail;        /* next to be read: the reader's own */
    atomic_size_t bytes;
    atomic_size_t count;
};

/* records is rounded up to a power of two. STATUS_NOMEM, or STATUS_OK. */
enum status journal_queue_init(struct journal_queue *q, unsigned records, size_t bytes) MUST_CHECK;

/* Copies the record in, with a newline behind. STATUS_LIMIT: full; STATUS_NOMEM. Any thread. */
enum status journal_queue_put(struct journal_queue *q, struct slice record) MUST_CHECK;

/* Takes the oldest; p is NULL when there is none. The caller frees p. One thread. */
struct slice journal_queue_take(struct journal_queue *q);

/* Tells whether it is more than half full. Any thread. */
int journal_queue_half(const struct journal_queue *q);

/* Frees all, records too. */
void journal_queue_free(struct journal_queue *q);

#endif
