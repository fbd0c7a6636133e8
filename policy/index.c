// SPDX-License-Identifier: BSD-2-Clause
/*
 * index.c - builds tables from the statements, so that policy_ask can walk them without allocating or searching.
 *
 * Two tables. The first finds a WHOM (domain or address; number 0 is "statements without writing to"). The second
 * finds, for a WHOM and a WHO (domain, `only` domain or network), the chain of statements with exactly that pair.
 * Statements of everyone, and of lists, hang on the WHOM itself; those of one list lie side by side, so a list is asked
 * once. Both tables are at most half full. Built once, then only read.
 */
#include "policy/index.h"
#include <stdlib.h>

static uint32_t index_who_hash(uint64_t name_hash, uint32_t whom_id, enum policy_party_kind kind)
{
    uint64_t h = name_hash ^ ((uint64_t)whom_id << 8 | (uint64_t)kind) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

static uint64_t party_hash(const struct policy *p, const struct policy_party *party)
{
    char key[KEYSET_NET_KEY];
    return keyset_hash(p->seed,
                       party->kind == POLICY_NETWORK ? keyset_net_key(&party->net, key) : slice_str(party->name));
}

static bool same_party(const struct policy_party *a, const struct policy_party *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == POLICY_NETWORK)
        return ip_eq(&a->net.base, &b->net.base) && a->net.bits == b->net.bits;
    return strcmp(a->name, b->name) == 0;
}

static unsigned label_bit(const char *name)
{
    unsigned n = 1;
    for (; *name; name++)
        n += *name == '.';
    return n < 31 ? n : 31;
}

static uint32_t add_whom(struct policy *p, const struct item *it)
{
    struct index *x = &p->index;
    uint32_t n = (uint32_t)x->whom_count++;
    x->whoms[n] = (struct whom){.party = it->s.whom, .list = it->whom_list};
    if (it->s.whom.kind == POLICY_IN_LIST) {
        x->whom_lists[x->whom_list_count++] = n;
        x->lists_have_addresses = x->lists_have_addresses || it->whom_list->has_address;
    } else if (it->s.whom.kind == POLICY_ADDRESS)
        x->whom_addresses = true;
    else
        x->whom_label_counts |= UINT32_C(1) << label_bit(it->s.whom.name);
    return n;
}

static uint32_t whom_of(struct policy *p, const struct item *it)
{
    struct index *x = &p->index;
    if (!it->s.whom.kind)
        return 0;
    for (size_t i = 0; it->whom_list && i < x->whom_list_count; i++)
        if (x->whoms[x->whom_lists[i]].list == it->whom_list)
            return x->whom_lists[i];
    if (it->whom_list)
        return add_whom(p, it);
    size_t mask = x->whom_slot_count - 1;
    uint32_t hash = (uint32_t)party_hash(p, &it->s.whom);
    size_t i = hash & mask;
    for (; x->whom_slots[i].head; i = (i + 1) & mask)
        if (x->whom_slots[i].hash == hash && same_party(&x->whoms[x->whom_slots[i].head - 1].party, &it->s.whom))
            return x->whom_slots[i].head - 1;
    uint32_t n = add_whom(p, it);
    x->whom_slots[i] = (struct index_slot){n + 1, hash};
    return n;
}

static void hang(struct policy *p, uint32_t *head, uint32_t number)
{
    p->items[number].next = *head;
    *head = number + 1;
}

static void hang_list(struct policy *p, struct whom *w, uint32_t number)
{
    uint32_t *link = &w->lists;
    for (; *link; link = &p->items[*link - 1].next_list) {
        struct item *first = &p->items[*link - 1];
        if (first->who_list != p->items[number].who_list)
            continue;
        p->items[number].next = first->next;
        first->next = number + 1;
        return;
    }
    *link = number + 1;
}

static void note_who(struct whom *w, const struct policy_party *who)
{
    if (who->kind != POLICY_NETWORK)
        w->label_counts |= UINT32_C(1) << label_bit(who->name);
    else if (who->net.base.family == 4)
        w->prefix4 |= UINT64_C(1) << who->net.bits;
    else
        w->prefix6[who->net.bits / 64] |= UINT64_C(1) << (who->net.bits % 64);
}

static void index_put(struct policy *p, uint32_t number)
{
    struct index *x = &p->index;
    struct item *it = &p->items[number];
    it->whom_id = whom_of(p, it);
    struct whom *w = &x->whoms[it->whom_id];
    x->slots |= it->slots;
    if (it->s.level > POLICY_RECORD)
        x->acting_slots |= it->slots;
    if (it->s.who.kind == POLICY_EVERYONE || it->s.who.kind == POLICY_SUBMITTERS) {
        hang(p, &w->everyone, number);
        return;
    }
    if (it->who_list || it->s.who.kind != POLICY_NETWORK)
        x->named_slots |= it->slots;
    if (it->who_list) {
        hang_list(p, w, number);
        return;
    }
    note_who(w, &it->s.who);
    size_t mask = x->who_slot_count - 1;
    uint32_t hash = index_who_hash(party_hash(p, &it->s.who), it->whom_id, it->s.who.kind);
    size_t i = hash & mask;
    while (x->who_slots[i].head) {
        const struct item *other = &p->items[x->who_slots[i].head - 1];
        if (x->who_slots[i].hash == hash && other->whom_id == it->whom_id && same_party(&other->s.who, &it->s.who))
            break;
        i = (i + 1) & mask;
    }
    x->who_slots[i].hash = hash;
    hang(p, &x->who_slots[i].head, number);
}

static size_t twice(size_t n)
{
    size_t size = 16;
    while (size < n * 2)
        size *= 2;
    return size;
}

enum status index_build(struct policy *p)
{
    struct index *x = &p->index;
    size_t whoms = 1, whos = 0, lists = 0;
    for (size_t i = 0; i < p->item_count; i++) {
        const struct item *it = &p->items[i];
        whoms += it->slots && it->s.whom.kind;
        lists += it->slots && it->whom_list;
        whos += it->slots != 0;
    }
    x->whom_slot_count = twice(whoms);
    x->who_slot_count = twice(whos);
    x->whoms = calloc(whoms, sizeof *x->whoms);
    x->whom_slots = calloc(x->whom_slot_count, sizeof *x->whom_slots);
    x->who_slots = calloc(x->who_slot_count, sizeof *x->who_slots);
    x->whom_lists = calloc(lists + 1, sizeof *x->whom_lists);
    if (!x->whoms || !x->whom_slots || !x->who_slots || !x->whom_lists)
        return STATUS_NOMEM;
    x->whom_count = 1;
    x->octets = whoms * sizeof *x->whoms + (x->whom_slot_count + x->who_slot_count) * sizeof *x->who_slots;
    for (uint32_t i = 0; i < p->item_count; i++)
        if (p->items[i].slots)
            index_put(p, i);
    return STATUS_OK;
}

void index_release(struct policy *p)
{
    free(p->index.whoms);
    free(p->index.whom_slots);
    free(p->index.who_slots);
    free(p->index.whom_lists);
    p->index = (struct index){0};
}

uint32_t index_find_who(const struct policy *p, uint32_t whom_id, enum policy_party_kind kind, uint64_t name_hash,
                        struct slice key)
{
    const struct index *x = &p->index;
    size_t mask = x->who_slot_count - 1;
    uint32_t hash = index_who_hash(name_hash, whom_id, kind);
    for (size_t i = hash & mask; x->who_slots[i].head; i = (i + 1) & mask) {
        const struct item *it = &p->items[x->who_slots[i].head - 1];
        char net[KEYSET_NET_KEY];
        if (x->who_slots[i].hash != hash || it->whom_id != whom_id || it->s.who.kind != kind)
            continue;
        if (slice_eq(kind == POLICY_NETWORK ? keyset_net_key(&it->s.who.net, net) : slice_str(it->s.who.name), key))
            return x->who_slots[i].head;
    }
    return 0;
}

uint32_t index_find_whom(const struct policy *p, enum policy_party_kind kind, uint64_t name_hash, struct slice key)
{
    const struct index *x = &p->index;
    size_t mask = x->whom_slot_count - 1;
    uint32_t hash = (uint32_t)name_hash;
    for (size_t i = hash & mask; x->whom_slots[i].head; i = (i + 1) & mask) {
        const struct whom *w = &x->whoms[x->whom_slots[i].head - 1];
        if (x->whom_slots[i].hash == hash && w->party.kind == kind && slice_eq(slice_str(w->party.name), key))
            return x->whom_slots[i].head - 1;
    }
    return 0;
}
