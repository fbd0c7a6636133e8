// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_range.c - networks as intervals of 64-bit numbers, sorted and merged when they are counted.
 *
 * An IPv6 network longer than 64 bits counts as the one of 64 bits it lies in: who holds one address of it commonly
 * holds all. Never fails: without memory for sorting the answer is 0.
 */
#include "standards/spf/spf_range.h"
#include <stdlib.h>

static uint64_t range_number(const uint8_t *p, unsigned octets)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < octets; i++)
        v = v << 8 | p[i];
    return v;
}

void spf_ranges_add(struct arena *arena, struct spf_ranges *r, const struct ip_net *net)
{
    bool v4 = net->base.family == 4;
    unsigned width = v4 ? 32 : 64, host = net->bits < width ? width - net->bits : 0;
    struct spf_range *one = r->count < LIMIT_SPF_RANGES ? ARENA_NEW(arena, struct spf_range) : NULL;
    if (!one)
        return;
    one->first = range_number(net->base.octets, v4 ? 4 : 8);
    one->last = host == 64 ? UINT64_MAX : one->first + (((uint64_t)1 << host) - 1);
    struct spf_range **list = v4 ? &r->v4 : &r->v6;
    one->next = *list;
    *list = one;
    r->count++;
}

void spf_ranges_add_record(struct arena *arena, struct spf_ranges *r, const struct spf_record *record, bool *plus_all)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct spf_term *t = &record->terms[i];
        if (t->qualifier == RESULT_PASS && (t->kind == SPF_TERM_IP4 || t->kind == SPF_TERM_IP6))
            spf_ranges_add(arena, r, &t->net);
        if (t->kind == SPF_TERM_ALL) {
            *plus_all |= t->qualifier == RESULT_PASS;
            return;
        }
    }
}

static int by_first(const void *a, const void *b)
{
    const struct spf_range *x = *(const struct spf_range *const *)a, *y = *(const struct spf_range *const *)b;
    return x->first < y->first ? -1 : x->first > y->first;
}

uint64_t spf_ranges_count(struct arena *arena, struct spf_range *list)
{
    size_t n = 0;
    for (struct spf_range *r = list; r; r = r->next)
        n++;
    struct spf_range **sorted = n ? ARENA_ARRAY(arena, struct spf_range *, n) : NULL;
    if (!sorted)
        return 0;
    n = 0;
    for (struct spf_range *r = list; r; r = r->next)
        sorted[n++] = r;
    qsort(sorted, n, sizeof *sorted, by_first);

    uint64_t total = 0, next = 0; /* `next`: the first number not yet counted */
    for (size_t i = 0; i < n; i++) {
        uint64_t first = sorted[i]->first > next || i == 0 ? sorted[i]->first : next;
        if (sorted[i]->last < first)
            continue;
        uint64_t size = sorted[i]->last - first;
        total = size >= UINT64_MAX - total ? UINT64_MAX : total + size + 1;
        if (sorted[i]->last == UINT64_MAX)
            break;
        next = sorted[i]->last + 1;
    }
    return total;
}
