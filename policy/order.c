// SPDX-License-Identifier: BSD-2-Clause
/*
 * order.c - the rules of one standard in the order they are tried, for pages that show it to people.
 *
 * The same order as ask.c's, over statements instead of matches: `always`, WHOM, WHO, later. A list is placed where its
 * most specific entry would be; ask.c counts the entry that matched.
 */
#include "policy/model.h"
#include <stdlib.h>

struct ranked {
    const struct item *item;
    unsigned whom, who;
};

static unsigned labels(const char *name)
{
    unsigned n = 1;
    for (; *name; name++)
        n += *name == '.';
    return n;
}

static unsigned list_rank(const struct list *l)
{
    unsigned n = 0;
    for (unsigned i = 1; l && i < 32; i++)
        if (l->keys.label_counts >> i & 1)
            n = i;
    return n ? 1000 + 2 * n : 500;
}

static unsigned rank(const struct policy_party *p, const struct list *l)
{
    switch (p->kind) {
    case POLICY_NETWORK:
        return 1 + p->net.bits;
    case POLICY_DOMAIN:
        return 1000 + 2 * labels(p->name);
    case POLICY_ONLY:
        return 1000 + 2 * labels(p->name) + 1;
    case POLICY_ADDRESS:
        return 2000;
    case POLICY_IN_LIST:
        return list_rank(l);
    default:
        return 0;
    }
}

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->item->s.always != y->item->s.always)
        return x->item->s.always ? -1 : 1;
    if (x->whom != y->whom)
        return x->whom > y->whom ? -1 : 1;
    if (x->who != y->who)
        return x->who > y->who ? -1 : 1;
    return x->item > y->item ? -1 : 1;
}

size_t policy_order(const struct policy *p, unsigned standard, bool names, const struct policy_statement ***out)
{
    uint32_t slot = names ? SLOT_BIT(SLOT_NAMES) : SLOT_BIT(standard);
    struct ranked *r = calloc(p->item_count + 1, sizeof *r);
    const struct policy_statement **order = calloc(p->item_count + 1, sizeof *order);
    size_t n = 0;
    for (size_t i = 0; r && i < p->item_count; i++) {
        const struct item *it = &p->items[i];
        if ((it->slots & slot) && (it->s.kind == POLICY_RULE || it->s.kind == POLICY_NAMES_RULE))
            r[n++] = (struct ranked){it, rank(&it->s.whom, it->whom_list), rank(&it->s.who, it->who_list)};
    }
    if (n)
        qsort(r, n, sizeof *r, ranked_compare);
    for (size_t i = 0; order && i < n; i++)
        order[i] = &r[i].item->s;
    free(r);
    *out = order;
    return order ? n : 0;
}
