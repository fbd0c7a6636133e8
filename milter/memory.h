// SPDX-License-Identifier: BSD-2-Clause
/*
 * memory.h - what is remembered from one delivery attempt to the next: since when a mail could not be judged, and which
 * class a recipient belonged to when recipients' policies differed. Bounded; any thread.
 *
 * Keys are hashed with a secret of this process, so that nobody can produce two mails with one key. If the table is
 * full, the entry that expires first is replaced; the worst effect is that a sender is asked once more to try again.
 */
#ifndef ASSAY_MILTER_MEMORY_H
#define ASSAY_MILTER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define MEMORY_ENTRIES 65536              /* of 32 octets */
#define MEMORY_UNSURE_SECONDS (5 * 86400) /* as long as senders try (RFC 5321 4.5.4.1) */
#define MEMORY_SPLIT_SECONDS 86400

struct memory;
struct memory *memory_new(void); /* NULL: out of memory or randomness */
struct memory *memory_free(struct memory *m);

/* When this was first noted; if it is new, notes `now` and returns 0. parts: n texts, each may be NULL. */
time_t memory_first(struct memory *m, const char *const *parts, size_t n, time_t now, time_t keep);

/* A value that is not 0, kept until `until`. memory_get: 0 if there is none. */
void memory_put(struct memory *m, const char *const *parts, size_t n, time_t now, time_t keep, uint64_t value);
uint64_t memory_get(struct memory *m, const char *const *parts, size_t n, time_t now);

/* A random number that is not 0. */
uint32_t memory_random(struct memory *m);

#endif
