// SPDX-License-Identifier: BSD-2-Clause
/*
 * prefix_table.c - one array, sorted by family, length and network (prefix_table.h).
 *
 * Promises that a look-up is one binary search, and none for a length that no entry has.
 */
#include "check/prefix_table.h"
#include "base/array.h"
#include <stdlib.h>

#define FIRST_ROOM 4096

struct prefix_table {
    struct prefix *entries;
    size_t count, room;
    bool lengths[2][129]; /* of IPv4 and IPv6: some entry has it */
};

static int prefix_compare(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    if (x->network.base.family != y->network.base.family)
        return x->network.base.family < y->network.base.family ? -1 : 1;
    if (x->network.bits != y->network.bits)
        return x->network.bits < y->network.bits ? -1 : 1;
    return memcmp(x->network.base.octets, y->network.base.octets, sizeof x->network.base.octets);
}

/* Equal networks in an order of their own, so that the same list gives the same text. */
static int compare_all(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    int order = prefix_compare(a, b);
    if (!order)
        order = x->as < y->as ? -1 : x->as > y->as;
    return order ? order : (int)x->longest - (int)y->longest;
}

struct prefix_table *prefix_table_new(void)
{
    return calloc(1, sizeof(struct prefix_table));
}

struct prefix_table *prefix_table_free(struct prefix_table *t)
{
    if (t)
        free(t->entries);
    free(t);
    return NULL;
}

enum status prefix_table_add(struct prefix_table *t, const struct prefix *p)
{
    if (t->count == PREFIX_TABLE_MOST)
        return STATUS_LIMIT;
    if (t->count == t->room) {
        struct prefix *more = array_grow(t->entries, &t->room, FIRST_ROOM, sizeof *more);
        if (!more)
            return STATUS_NOMEM;
        t->entries = more;
    }
    t->entries[t->count++] = *p;
    t->lengths[p->network.base.family == 6][p->network.bits] = true;
    return STATUS_OK;
}

void prefix_table_sort(struct prefix_table *t)
{
    if (t->count)
        qsort(t->entries, t->count, sizeof *t->entries, compare_all);
}

const struct prefix *prefix_table_find(const struct prefix_table *t, const struct ip *a, unsigned bits, size_t *count)
{
    *count = 0;
    if (bits > 128 || !t->lengths[a->family == 6][bits])
        return NULL;
    struct prefix wanted = {.network = ip_net_of(a, bits)};
    const struct prefix *end = t->entries + t->count;
    const struct prefix *found = bsearch(&wanted, t->entries, t->count, sizeof wanted, prefix_compare);
    while (found && found > t->entries && prefix_compare(found - 1, &wanted) == 0)
        found--;
    for (const struct prefix *p = found; p && p < end && prefix_compare(p, &wanted) == 0; p++)
        ++*count;
    return found;
}
