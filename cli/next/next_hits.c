// SPDX-License-Identifier: BSD-2-Clause
/*
 * next_hits.c - whom each step of `assay next` would hit: found again by a key while mail and names are weighed.
 *
 * Promises at most NEXT_HITS_MAX for each step; more are counted. Sorted at the end: most mails first, then most
 * answers. The caller frees the hits (next_end).
 */
#include "cli/next/next.h"
#include "base/array.h"
#include "policy/map.h"
#include <stdlib.h>
#include <string.h>

struct next_index {
    struct map by_key;
};

bool next_hits_begin(struct next *n)
{
    for (size_t i = 0; i < n->count; i++) {
        struct next_index *x = n->steps[i].index = calloc(1, sizeof *x);
        if (!x)
            return false;
        map_init(&x->by_key, 1);
    }
    return true;
}

struct next_hit *next_hit_at(struct next *n, struct next_step *s, const char *key, const char *domain, bool *made)
{
    const uint64_t *at = map_get(&s->index->by_key, slice_str(key));
    if (at)
        return &s->hits[*at];
    if (s->hit_count == NEXT_HITS_MAX) {
        s->more_domains++;
        return NULL;
    }
    if (s->hit_count == s->hit_room) {
        struct next_hit *more = array_grow(s->hits, &s->hit_room, 1, sizeof *more);
        if (!more)
            return NULL;
        s->hits = more;
    }
    const char *kept = arena_strdup(n->arena, key);
    if (!kept || map_put(&s->index->by_key, slice_str(kept), s->hit_count) != STATUS_OK)
        return NULL;
    s->hits[s->hit_count] = (struct next_hit){.domain = domain == key ? kept : arena_strdup(n->arena, domain)};
    *made = s->hits[s->hit_count].domain != NULL;
    return *made ? &s->hits[s->hit_count++] : NULL;
}

static int by_mails(const void *a, const void *b)
{
    const struct next_hit *x = a, *y = b;
    if (x->mails != y->mails)
        return x->mails > y->mails ? -1 : 1;
    if (x->answers != y->answers)
        return x->answers > y->answers ? -1 : 1;
    return strcmp(x->domain, y->domain);
}

/* Most mails first. */
static void sort_hits(struct next_step *step)
{
    if (step->hit_count)
        qsort(step->hits, step->hit_count, sizeof *step->hits, by_mails);
}

void next_hits_end(struct next *n)
{
    for (size_t i = 0; i < n->count; i++) {
        struct next_step *step = &n->steps[i];
        if (step->index)
            map_release(&step->index->by_key);
        free(step->index);
        step->index = NULL;
        sort_hits(step);
    }
}
