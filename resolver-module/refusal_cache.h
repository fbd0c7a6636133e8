// SPDX-License-Identifier: BSD-2-Clause
/*
 * refusal_cache.h - a cache of the last refusals, so that repeated queries for a refused name cost little.
 *
 * A refusal is remembered for one question (name, type), one version of the policy, and as long as the answer it was
 * judged by may be cached. It is only an optimisation: the caller must still check that the answer is in the resolver's
 * cache, so that flushing a name there flushes it here. Repeats are counted in place, and reported as one event with
 * their number.
 *
 * Fixed memory. Threads: all functions from any thread. A slot that another thread writes is tried a few times, then
 * skipped, never waited for; one that others read is not written.
 */
#ifndef ASSAY_RESOLVER_MODULE_REFUSAL_CACHE_H
#define ASSAY_RESOLVER_MODULE_REFUSAL_CACHE_H

#include "resolver-module/zones.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define REFUSAL_CACHE_SLOTS 2048 /* 1.6 MB; a power of two */

struct refusal_key {
    const uint8_t *name; /* wire form, any case */
    size_t length;       /* at most 255 */
    uint16_t type;
    unsigned version; /* of the policy (watch_version) */
};

struct refusal_cache;

struct refusal_cache *refusal_cache_new(void);
struct refusal_cache *refusal_cache_free(struct refusal_cache *r); /* NULL is allowed; returns NULL */

/* What stood in a slot before. */
struct refusal_left {
    struct zones_event event; /* its repeats; weight 0: none */
    uint8_t name[256];        /* another question that is not remembered any more */
    uint16_t length;          /* 0: there is none */
    uint16_t type;
};

/* Remembers, from a question's second refusal on; `event` is what the refusal was recorded as, its reason the text
 * for the client. */
void refusal_cache_put(struct refusal_cache *r, const struct refusal_key *k, time_t until,
                       const struct zones_event *event, struct refusal_left *left);

/* Tells whether the question is among the last refusals; then its text is copied, and the repeat counted. */
bool refusal_cache_get(struct refusal_cache *r, const struct refusal_key *k, time_t now, char text[DECIDE_TEXT]);

/* Tells whether there may be repeats to take since it was last asked. */
bool refusal_cache_repeated(struct refusal_cache *r);

/* Takes the repeats counted in slot i (0 to REFUSAL_CACHE_SLOTS - 1) since the last time. False: none. */
bool refusal_cache_take(struct refusal_cache *r, size_t i, struct zones_event *out);

#endif
