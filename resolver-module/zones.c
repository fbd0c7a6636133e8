// SPDX-License-Identifier: BSD-2-Clause
/*
 * zones.c - adds up what the resolver saw by zone cut and state, within bounds.
 *
 * Promises: memory is bounded by ZONES_MAX whatever is asked; one organisational domain (public suffix list, libpsl)
 * fills at most ZONES_PER_ORG entries; a bound never loses a count, only its detail. Failure (no memory, table
 * full of fresh entries) is a false return, nothing else. Two open hash tables with linear probing: entries by zone and
 * state, and how many cuts each organisational domain has.
 */
#include "resolver-module/zones.h"
#include <libpsl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 131072 /* power of two above 2 * ZONES_MAX */
#define STALE_US (INT64_C(3600) * 1000000)
/* How often a full table is searched for stale entries, at most: a flood of new names must not cost a search each. */
#define SEARCH_US (INT64_C(10) * 1000000)

struct org {
    char *name;
    unsigned cuts;
};

struct zones {
    psl_ctx_t *psl;
    size_t count;
    size_t org_count;
    int64_t search_us; /* when it may next be searched for stale entries */
    struct zones_entry **slots;
    struct zones_entry *all; /* a list: the table is large, and mostly empty */
    struct org *orgs;
};

static size_t zone_hash(const char *s, unsigned state)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) + state * UINT64_C(0x9e3779b97f4a7c15);
    while (*s)
        h = (h ^ (unsigned char)*s++) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 29);
}

struct zones *zones_new(void)
{
    struct zones *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->slots = calloc(SLOTS, sizeof *z->slots);
    z->orgs = calloc(SLOTS, sizeof *z->orgs);
    if (!z->slots || !z->orgs)
        return zones_free(z);
    z->psl = psl_latest(NULL); /* NULL is allowed: then the last two labels */
    return z;
}

static void free_entry(struct zones_entry *e)
{
    if (!e)
        return;
    for (unsigned i = 0; i < e->sample_count; i++)
        free(e->samples[i]);
    free(e->zone);
    free(e);
}

struct zones *zones_free(struct zones *z)
{
    if (!z)
        return NULL;
    for (struct zones_entry *e = z->all, *next; e; e = next) {
        next = e->next;
        free_entry(e);
    }
    for (size_t i = 0; z->orgs && i < SLOTS; i++)
        free(z->orgs[i].name);
    if (z->psl)
        psl_free(z->psl);
    free(z->slots);
    free(z->orgs);
    free(z);
    return NULL;
}

size_t zones_event_size(const struct zones_event *e)
{
    return e->has_name     ? sizeof *e
           : e->has_reason ? offsetof(struct zones_event, name)
                           : offsetof(struct zones_event, zone) + strlen(e->zone) + 1;
}

size_t zones_count(const struct zones *z)
{
    return z->count;
}

/* The organisational domain a zone belongs to; the zone itself where it is a public suffix or above one. */
static const char *org_of(const struct zones *z, const char *zone)
{
    const char *org = z->psl ? psl_registrable_domain(z->psl, zone) : NULL;
    if (org)
        return org;
    if (z->psl)
        return zone;
    const char *end = zone + strlen(zone);
    for (int dots = 0; end > zone; end--)
        if (end[-1] == '.' && ++dots == 2)
            return end;
    return zone;
}

static struct org *org_slot(struct zones *z, const char *name)
{
    for (size_t i = zone_hash(name, 0);; i++) {
        struct org *o = &z->orgs[i & (SLOTS - 1)];
        if (!o->name || strcmp(o->name, name) == 0)
            return o;
    }
}

static struct zones_entry **entry_slot(struct zones *z, const char *zone, unsigned state)
{
    for (size_t i = zone_hash(zone, state);; i++) {
        struct zones_entry **s = &z->slots[i & (SLOTS - 1)];
        if (!*s || ((*s)->state == state && strcmp((*s)->zone, zone) == 0))
            return s;
    }
}

/* Deletes entries that were not seen for an hour and are written, and rebuilds both tables. Rare: only if the table is
 * full. */
static void forget_stale(struct zones *z, int64_t now)
{
    struct zones_entry **slots = calloc(SLOTS, sizeof *slots);
    struct org *orgs = calloc(SLOTS, sizeof *orgs);
    if (!slots || !orgs) {
        free(slots);
        free(orgs);
        return;
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(z->orgs[i].name);
    free(z->orgs);
    free(z->slots);
    z->slots = slots;
    z->orgs = orgs;
    z->count = z->org_count = 0;
    struct zones_entry *e = z->all, *next;
    for (z->all = NULL; e; e = next) {
        next = e->next;
        if (e->new_count == 0 && now - e->last_us > STALE_US) {
            free_entry(e);
            continue;
        }
        *entry_slot(z, e->zone, e->state) = e;
        e->next = z->all;
        z->all = e;
        z->count++;
        struct org *o = org_slot(z, org_of(z, e->zone));
        if (!o->name && (o->name = strdup(org_of(z, e->zone))) != NULL)
            z->org_count++;
        o->cuts++;
    }
}

static struct zones_entry *insert(struct zones *z, const char *zone, unsigned state, int64_t us, bool collapsed)
{
    struct zones_entry **s = entry_slot(z, zone, state);
    if (*s)
        return *s;
    if (z->count >= ZONES_MAX)
        return NULL;
    struct zones_entry *e = calloc(1, sizeof *e);
    if (!e || !(e->zone = strdup(zone))) {
        free(e);
        return NULL;
    }
    e->state = (uint8_t)state;
    e->first_us = us;
    e->collapsed = collapsed;
    *s = e;
    e->next = z->all;
    z->all = e;
    z->count++;
    return e;
}

static struct zones_entry *find_or_make(struct zones *z, const struct zones_event *ev, int64_t us)
{
    struct zones_entry *e = *entry_slot(z, ev->whole_org ? org_of(z, ev->zone) : ev->zone, ev->state);
    if (e)
        return e;
    if ((z->count >= ZONES_MAX || z->org_count >= ZONES_MAX) && us >= z->search_us) {
        forget_stale(z, us);
        z->search_us = us + SEARCH_US;
    }
    const char *name = org_of(z, ev->zone);
    struct org *o = org_slot(z, name);
    if (!o->name) {
        if (z->org_count >= ZONES_MAX || !(o->name = strdup(name)))
            return NULL;
        z->org_count++;
    }
    if (ev->whole_org || (o->cuts >= ZONES_PER_ORG && strcmp(name, ev->zone) != 0))
        return insert(z, name, ev->state, us, true);
    e = insert(z, ev->zone, ev->state, us, false);
    if (e)
        o->cuts++;
    return e;
}

static void add_type(struct zones_entry *e, uint16_t type)
{
    for (unsigned i = 0; i < e->type_count; i++)
        if (e->types[i] == type)
            return;
    if (e->type_count < ZONES_TYPES)
        e->types[e->type_count++] = type;
    else
        e->other_types = true;
}

static void add_sample(struct zones_entry *e, const char *name)
{
    for (unsigned i = 0; i < e->sample_count; i++)
        if (strcmp(e->samples[i], name) == 0)
            return;
    if (e->sample_count < ZONES_SAMPLES && (e->samples[e->sample_count] = strdup(name)) != NULL)
        e->sample_count++;
}

bool zones_add(struct zones *z, const struct zones_event *ev, int64_t us)
{
    struct zones_entry *e = find_or_make(z, ev, us);
    if (!e)
        return false;
    if (e->new_count == 0)
        e->new_first_us = us;
    uint64_t refused = ev->refused ? ev->weight : 0, would = ev->would ? ev->weight : 0;
    e->count += ev->weight, e->new_count += ev->weight;
    e->refused += refused, e->new_refused += refused;
    e->would += would, e->new_would += would;
    e->last_us = us;
    e->unneeded = ev->unneeded;
    add_type(e, ev->type);
    if (ev->has_name)
        add_sample(e, ev->name);
    if (ev->algorithm) {
        e->algorithm = ev->algorithm;
        e->key_bits = ev->key_bits;
    }
    if (ev->has_reason)
        memcpy(e->reason, ev->reason, sizeof e->reason);
    memcpy(e->statement, ev->statement, sizeof e->statement);
    return true;
}

void zones_each(struct zones *z, void (*fn)(struct zones_entry *e, void *arg), void *arg)
{
    for (struct zones_entry *e = z->all; e; e = e->next)
        fn(e, arg);
}

void zones_written(struct zones_entry *e)
{
    e->new_count = e->new_refused = e->new_would = 0;
    for (unsigned i = 0; i < e->sample_count; i++)
        free(e->samples[i]);
    e->sample_count = 0;
}
