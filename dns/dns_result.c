// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_result.c - one answer as the sources share it: a single block of memory that never changes after it was made.
 *
 * The block is the struct, the array of slices, then their octets, `canonical` and `why`, each with a NUL behind.
 * Whoever drops the last reference frees it. Making one fails only because memory ran out.
 */
#include "dns/dns_parsed.h"
#include "dns/dns_source.h"
#include <stdlib.h>

struct dns_parsed *dns_parsed_free(struct dns_parsed *p)
{
    while (p) {
        struct dns_parsed *next = p->next;
        if (p->made && p->form->drop)
            p->form->drop(p->made);
        arena_free(p->arena);
        free(p);
        p = next;
    }
    return NULL;
}

static size_t text_bytes(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *copy_text(char **at, const char *s)
{
    if (!s)
        return NULL;
    size_t n = strlen(s) + 1;
    char *copy = *at;
    memcpy(copy, s, n);
    *at += n;
    return copy;
}

struct dns_result *dns_result_new(const struct dns_result *like)
{
    size_t bytes = sizeof *like + like->count * sizeof(struct slice);
    for (size_t i = 0; i < like->count; i++)
        bytes += like->rdata[i].n + 1;
    bytes += text_bytes(like->canonical) + text_bytes(like->why);

    struct dns_result *r = malloc(bytes);
    if (!r)
        return NULL;
    struct slice *rdata = (struct slice *)(r + 1);
    char *at = (char *)(rdata + like->count);
    for (size_t i = 0; i < like->count; i++) {
        rdata[i] = slice_of(at, like->rdata[i].n);
        if (rdata[i].n)
            memcpy(at, like->rdata[i].p, rdata[i].n);
        at[rdata[i].n] = '\0';
        at += rdata[i].n + 1;
    }
    *r = (struct dns_result){
        .state = like->state,
        .security = like->security,
        .ttl = like->ttl,
        .expires = like->expires,
        .canonical = copy_text(&at, like->canonical),
        .why = copy_text(&at, like->why),
        .limit = like->limit,
        .packets = like->packets,
        .count = like->count,
        .rdata = rdata,
        .bytes = bytes,
    };
    atomic_init(&r->refs, 1);
    atomic_init(&r->parsed, NULL);
    return r;
}

struct dns_result *dns_result_hold(struct dns_result *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void dns_result_drop(struct dns_result *r)
{
    if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1) {
        dns_parsed_free(atomic_load_explicit(&r->parsed, memory_order_acquire));
        free(r);
    }
}
