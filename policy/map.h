// SPDX-License-Identifier: BSD-2-Clause
/*
 * map.h - from short texts to numbers, while a policy is read. Keys are kept by pointer: they must live as long as the
 * map.
 */
#ifndef ASSAY_POLICY_MAP_H
#define ASSAY_POLICY_MAP_H

#include "base/slice.h"
#include "base/status.h"
#include <stdint.h>

struct map_slot {
    struct slice key; /* n 0: free */
    uint64_t value;
};

struct map {
    uint64_t seed;
    struct map_slot *slots;
    size_t slot_count, count;
};

void map_init(struct map *m, uint64_t seed);
void map_release(struct map *m);

/* The value of a key, or NULL. Good until the next map_put. */
uint64_t *map_get(const struct map *m, struct slice key);

/* Puts a key that is not there yet; one that is gets the new value. The empty key is STATUS_INVALID. */
enum status map_put(struct map *m, struct slice key, uint64_t value) MUST_CHECK;

#endif
