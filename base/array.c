// SPDX-License-Identifier: BSD-2-Clause
/*
 * array.c - lets arrays on the heap grow (array.h).
 *
 * Promises that a product of counts never wraps around. Failure: NULL, and the array is as before.
 */
#include "base/array.h"
#include <stdint.h>
#include <stdlib.h>

void *array_grow(void *items, size_t *room, size_t first, size_t size)
{
    if (*room > SIZE_MAX / 2)
        return NULL;
    const size_t wanted = *room ? *room * 2 : first;
    if (wanted > SIZE_MAX / size)
        return NULL;
    void *more = realloc(items, wanted * size);
    if (more)
        *room = wanted;
    return more;
}
