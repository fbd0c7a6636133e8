// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_parsed.c - makes parsed forms, and attaches them to the results that the sources share.
 *
 * A form is attached to its result by one atomic exchange; its octets are counted in the cache afterwards. It is then
 * freed with the result. If the result cannot take it (another thread was first, the result has a form of another kind,
 * or the form is too large), it is freed with the scope.
 */
#include "dns/dns_parsed.h"
#include "dns/dns_source.h"
#include <stdlib.h>

#define ARENA_MOST (8u << 20) /* of one form: some 21,000 terms of a TXT record of 64 KiB */

static size_t text_octets(const struct dns_answer *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++)
        n += a->rdata[i].n + sizeof(struct slice) + sizeof(max_align_t);
    return n;
}

static struct dns_parsed *parsed_make(const struct dns_answer *a, const struct dns_form *form)
{
    struct dns_parsed *p = calloc(1, sizeof *p);
    const size_t texts_take = text_octets(a);
    size_t outside = 0;
    if (!p)
        return NULL;
    p->form = form;
    p->arena = arena_new_sized(ARENA_MOST, 2 * texts_take + 512);
    struct slice *texts = p->arena ? ARENA_ARRAY(p->arena, struct slice, a->count) : NULL;
    for (size_t i = 0; texts && i < a->count; i++)
        texts[i] = dns_txt_in(p->arena, a, i);
    if (texts && !arena_failed(p->arena))
        p->made = form->make(p->arena, texts, a->count, &outside);
    if (!p->made)
        return dns_parsed_free(p);
    p->octets = sizeof *p + arena_octets(p->arena) + outside;
    return p;
}

/* Attaches the form to the result. False if the result cannot take it. */
static bool parsed_publish(struct dns_result *r, struct dns_parsed *p)
{
    struct dns_parsed *none = NULL;
    return p->octets <= LIMIT_DNS_PARSED &&
           atomic_compare_exchange_strong_explicit(&r->parsed, &none, p, memory_order_acq_rel, memory_order_acquire);
}

const void *dns_parsed(struct dns_scope *s, const struct dns_answer *a, const struct dns_form *form)
{
    const struct dns_held *held = a->held;
    struct dns_parsed *p = held ? atomic_load_explicit(&held->result->parsed, memory_order_acquire) : NULL;
    if (p && p->form == form)
        return p->made;
    if (a->state != DNS_FOUND)
        return NULL;
    for (p = *dns_scope_forms(s); p; p = p->next)
        if (p->form == form && p->answer == a)
            return p->made;
    p = parsed_make(a, form);
    if (!p)
        return NULL;
    if (held && parsed_publish(held->result, p)) {
        dns_scope_grew(s, held, p->octets);
        return p->made;
    }
    p->answer = a;
    p->next = *dns_scope_forms(s);
    *dns_scope_forms(s) = p;
    return p->made;
}
