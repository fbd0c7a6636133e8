// SPDX-License-Identifier: BSD-2-Clause
/*
 * arena.h - memory that is released all at once.
 *
 * One arena per message, per policy, per look-up set: what is allocated from it lives as long as it does, and error
 * paths have nothing to free. An arena has an upper bound; when it is reached, or malloc fails, arena_alloc returns
 * NULL and the arena remembers it (arena_failed), so that a long calculation may check once at its end.
 *
 * Threads: an arena belongs to one thread at a time. It takes no lock.
 */
#ifndef ASSAY_BASE_ARENA_H
#define ASSAY_BASE_ARENA_H

#include "base/slice.h"
#include "base/status.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new arena of at most `bound` octets in all. NULL if memory ran out. */
struct arena *arena_new(size_t bound);

/* The same, whose first block has `first` octets: for an arena that is kept for long and holds little. */
struct arena *arena_new_sized(size_t bound, size_t first);

/* Frees everything. NULL is allowed; returns NULL, so that callers write a = arena_free(a). */
struct arena *arena_free(struct arena *a);

/* Frees all that was allocated, clears the failure mark, and keeps one block for the next use. */
void arena_reset(struct arena *a);

/* n zeroed octets, aligned for any type. NULL if the bound is reached or memory runs out. n == 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t n) MUST_CHECK;

/* The same, but not zeroed: for what its caller writes before anybody reads it. */
void *arena_room(struct arena *a, size_t n) MUST_CHECK;

/* An array of count times size; NULL on overflow too. */
void *arena_array(struct arena *a, size_t count, size_t size) MUST_CHECK;

/* A copy of n octets, followed by a NUL. */
char *arena_copy(struct arena *a, const void *p, size_t n) MUST_CHECK;

/* A copy of a C string; of NULL: NULL. */
char *arena_strdup(struct arena *a, const char *s) MUST_CHECK;

/* A copy of a slice, as slice; the octet after it is NUL. */
struct slice arena_slice(struct arena *a, struct slice s) MUST_CHECK;

/* Formatted text. NULL when out of memory. */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF_LIKE(2, 0) MUST_CHECK;

/* The same for what is made for every mail, without a format to read: texts one after the other, none of them NULL. */
#define arena_texts(a, ...) arena_list(a, (const char *const[]){__VA_ARGS__, NULL})
char *arena_list(struct arena *a, const char *const *texts) MUST_CHECK;

/* Tells whether any allocation has failed since the arena was made or reset. */
bool arena_failed(const struct arena *a);

/* Octets allocated so far. */
size_t arena_used(const struct arena *a);

/* Octets of memory that it takes, used or not. */
size_t arena_octets(const struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

#endif
