// SPDX-License-Identifier: BSD-2-Clause
/*
 * array.c - lets arrays on the heap and in an arena grow (array.h).
 *
 * Promises that a product of counts never wraps around. Failure: NULL, and the array is as before.
 */
#include "base/array.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Twice as many, or the first ones. 0: more than can be counted. */
static size_t array_next_room(size_t room, size_t first, size_t size)
{
    if (room > SIZE_MAX / 2)
        return 0;
    const size_t wanted = room ? room * 2 : first;
    return wanted > SIZE_MAX / size ? 0 : wanted;
}

void *array_grow(void *items, size_t *room, size_t first, size_t size)
{
    const size_t wanted = array_next_room(*room, first, size);
    void *more = wanted ? realloc(items, wanted * size) : NULL;
    if (more)
        *room = wanted;
    return more;
}

void *array_grow_in(struct arena *a, const void *items, size_t *room, size_t first, size_t size)
{
    const size_t wanted = array_next_room(*room, first, size);
    void *more = arena_array(a, wanted ? wanted : SIZE_MAX, size); /* SIZE_MAX: the arena remembers that it failed */
    if (!more)
        return NULL;
    if (*room)
        memcpy(more, items, *room * size);
    *room = wanted;
    return more;
}
