// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_flight.h - what the two halves of the libunbound source share: dns_unbound.c (look-ups under way) and
 * dns_unbound_open.c (making and ending the source).
 */
#ifndef ASSAY_DNS_DNS_FLIGHT_H
#define ASSAY_DNS_DNS_FLIGHT_H

#include "dns/dns_loop.h"
#include "dns/dns_share.h"
#include "dns/dns_source.h"
#include "dns/dns_unbound.h"
#include <pthread.h>

#define DNS_FLIGHT_BUCKETS 1024u

struct ub_ctx;
struct ub_result;
struct dns_cache;

struct dns_unbound {
    struct dns base;
    struct ub_ctx *ctx;
    struct dns_cache *cache; /* NULL: none */
    struct dns_loop *loop;
    struct arena *scratch;                  /* of the thread that runs the loop */
    pthread_t thread;                       /* runs the loop */
    pthread_mutex_t lock;                   /* over all below, and over all flights */
    struct dns_flight *begun, **last_begun; /* that libunbound was not told of yet */
    struct dns_flight *bucket[DNS_FLIGHT_BUCKETS];
    struct dns_share *share;
    bool patient;        /* dns_unbound_config */
    pthread_cond_t left; /* a look-up ended; used where patient */
    char not_taken[64];  /* the first bound that this libunbound does not know; "": it knows all */
    struct dns_unbound_stats stats;
};

struct dns_flight {
    struct dns_flight *next;
    struct dns_unbound *owner;
    struct dns_flight *next_begun;
    unsigned waiters;
    bool pending; /* the callback has yet to run, or is running */
    struct dns_meter *meter;
    int64_t began; /* clock_mono_ms() */
    struct dns_ticket ticket;
    pthread_cond_t arrived;
    struct dns_watch *watches; /* who is told when it arrives */
    struct dns_result *result; /* set when not pending, unless memory ran out */
    struct dns_question q;
};

struct dns_unbound *dns_unbound_of(struct dns *source); /* NULL: another kind of source */
struct dns_result *dns_unbound_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight);
struct dns_result *dns_unbound_known(struct dns *source, const struct dns_question *q);
void dns_unbound_grew(struct dns *source, const struct dns_question *q, const struct dns_result *r, size_t octets);
void dns_unbound_forget(struct dns *source);
struct dns_result *dns_unbound_await(struct dns *source, struct dns_flight *f, int64_t until);
unsigned dns_unbound_let_go(struct dns *source, struct dns_flight *f);
void dns_unbound_begin(void *unbound); /* tells libunbound of what was begun; in the loop's thread */
bool dns_unbound_watch(struct dns *source, struct dns_flight *f, struct dns_watch *w);
void dns_unbound_unwatch(struct dns *source, struct dns_flight *f, struct dns_watch *w);
void dns_unbound_free_flights(struct dns_unbound *u);

#endif
