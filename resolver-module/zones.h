// SPDX-License-Identifier: BSD-2-Clause
/*
 * zones.h - what the resolver saw, added up: one entry for each zone cut and state.
 *
 * Bounded, because anybody can make a resolver ask for invented names: at most ZONES_MAX entries, and at most
 * ZONES_PER_ORG cuts below one organisational domain (public suffix list); further ones are counted in one entry for
 * the whole organisational domain, marked `collapsed`. Entries not seen for an hour and already written are forgotten
 * when room is needed.
 *
 * Threads: one (the writer's).
 */
#ifndef ASSAY_RESOLVER_MODULE_ZONES_H
#define ASSAY_RESOLVER_MODULE_ZONES_H

#include "base/limits.h"
#include "resolver-module/decide.h"
#include <stdbool.h>
#include <stdint.h>

#define ZONES_MAX 50000
#define ZONES_PER_ORG 64
#define ZONES_TYPES 16  /* different query types kept for each entry; the rest as "other" */
#define ZONES_SAMPLES 5 /* names kept for each entry, by setting only */

/* One judged answer (or `weight` alike), as a worker hands it over. Plain data. The texts stand at the end, so that
 * what has none is handed over short: zones_event_size() octets of it count. */
struct zones_event {
    uint8_t state;     /* enum decide_state */
    uint8_t algorithm; /* DNSKEY algorithm number of what is signed (RFC 8624); 0: not known */
    uint16_t key_bits; /* 0: not known */
    uint16_t type;     /* asked for */
    bool refused, would, unneeded;
    bool has_name, has_reason;
    bool whole_org;              /* the cut is not known: count it for the organisational domain of `zone` */
    uint32_t weight;             /* at least 1 */
    char statement[16];          /* id of the statement that refused or excused, or "" */
    char zone[LIMIT_DOMAIN + 3]; /* the cut; "" is the root */
    char reason[DECIDE_TEXT];    /* of bogus and refused; only where has_reason */
    char name[LIMIT_DOMAIN + 3]; /* asked for; only where has_name */
};

size_t zones_event_size(const struct zones_event *e);

struct zones_entry {
    char *zone;
    struct zones_entry *next; /* zones.c's list of all */
    uint8_t state;
    uint8_t algorithm;
    uint16_t key_bits;
    bool collapsed;
    bool unneeded;
    uint64_t count, refused, would;             /* since the start */
    uint64_t new_count, new_refused, new_would; /* since the last zones_written */
    int64_t first_us, last_us, new_first_us;
    uint16_t types[ZONES_TYPES];
    unsigned type_count;
    bool other_types;
    char *samples[ZONES_SAMPLES];
    unsigned sample_count;
    char statement[16];
    char reason[DECIDE_TEXT];
};

struct zones;

struct zones *zones_new(void);
struct zones *zones_free(struct zones *z); /* NULL is allowed; returns NULL */

/* Adds one event seen at `us` (wall time). False: there was no room for it at all (counted by the caller). */
bool zones_add(struct zones *z, const struct zones_event *e, int64_t us);

/* Calls fn for each entry; fn may change the new_* fields. */
void zones_each(struct zones *z, void (*fn)(struct zones_entry *e, void *arg), void *arg);

/* To be called after the entry was written: sets new_* to zero and deletes the samples. */
void zones_written(struct zones_entry *e);

size_t zones_count(const struct zones *z);

#endif
