// SPDX-License-Identifier: BSD-2-Clause
/*
 * array.h - arrays on the heap or in an arena that grow by doubling.
 *
 *     if (l->count == l->room) {
 *         struct item *more = array_grow(l->items, &l->room, 64, sizeof *more);
 *         if (!more)
 *             return false;
 *         l->items = more;
 *     }
 *     l->items[l->count++] = item;
 *
 * The caller owns an array on the heap, and gives it back by free(). An array in an arena lives as long as the arena.
 */
#ifndef ASSAY_BASE_ARRAY_H
#define ASSAY_BASE_ARRAY_H

#include "base/arena.h"
#include "base/status.h"
#include <stddef.h>

/* An array of *room elements of `size` octets each gets room for twice as many, or for `first` if *room is 0. Returns
 * it, and *room is the new number. NULL: no memory, or too large to count; items and *room are then as before. */
void *array_grow(void *items, size_t *room, size_t first, size_t size) MUST_CHECK;

/* The same in an arena: returns a copy, whose new elements are zero octets. The old array stays in the arena unused:
 * over all growth, at most as much memory again. items may be NULL only if *room is 0. */
void *array_grow_in(struct arena *a, const void *items, size_t *room, size_t first, size_t size) MUST_CHECK;

#endif
