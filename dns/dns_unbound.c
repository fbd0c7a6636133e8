// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_unbound.c - look-ups under way: one flight per question, however many scopes wait for it.
 *
 * One thread of ours runs libunbound on an event loop (dns_loop.h), which counts the packets that each look-up sends.
 * Others put their questions on a list and wake it. Each waiter sleeps on its flight's condition variable until its own
 * deadline (libunbound has none).
 *
 * Who owns a flight: the scopes that wait for it (`waiters`), and the callback that has not run yet (`pending`).
 * Whoever ends the last of both frees it, under `lock`. Nothing is cancelled: ub_cancel only drops the callback, while
 * libunbound continues the look-up and keeps its ports. So a flight that nobody waits for any more stays under way and
 * is counted until libunbound has finished it, others may still join it, and its answer is kept in the cache. `lock` is
 * not held while libunbound is called, which may call back at once.
 *
 * dns_share.h decides who may begin one.
 *
 * Failure: a question that cannot be asked gets a temporary failure with a reason.
 */
#include "dns/dns_unbound.h"
#include "base/clock.h"
#include "dns/dns_anchor.h"
#include "dns/dns_cache.h"
#include "dns/dns_flight.h"
#include "dns/dns_unbound_answer.h"
#include "base/limits.h"
#include <errno.h>
#include <stdlib.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

/* Packets that a look-up may still send when nobody waits for it any more: it may be about to end, and its answer is
 * cached. */
#define AFTER_WAIT 2

/* A look-up that failed after so long met servers that do not answer. */
#define SLOW_MS 1000

static struct dns_flight **flight_place(struct dns_unbound *u, const struct dns_question *q)
{
    uint32_t h = 2166136261u ^ (uint32_t)q->type;
    for (const char *p = q->name; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    struct dns_flight **at = &u->bucket[h % DNS_FLIGHT_BUCKETS];
    while (*at && !((*at)->q.type == q->type && strcmp((*at)->q.name, q->name) == 0))
        at = &(*at)->next;
    return at;
}

/* Removes it from the table, so that nobody joins it any more. */
static void unlist(struct dns_unbound *u, struct dns_flight *f)
{
    struct dns_flight **at = flight_place(u, &f->q);
    if (*at == f)
        *at = f->next;
}

static void flight_free(struct dns_flight *f)
{
    dns_result_drop(f->result);
    pthread_cond_destroy(&f->arrived);
    free(f);
}

/* Ends a flight: hands its result to those who wait, and to the cache. In the loop's thread. */
static void land(struct dns_flight *f, struct dns_result *r)
{
    struct dns_unbound *u = f->owner;
    const int64_t now = clock_mono_ms();
    if (r && u->cache)
        dns_cache_put(u->cache, &f->q, r, now);

    pthread_mutex_lock(&u->lock);
    unlist(u, f);
    f->pending = false;
    f->result = r;
    dns_share_leave(u->share, &f->ticket);
    pthread_cond_broadcast(&u->left);
    u->stats.under_way--;
    u->stats.resolved++;
    if (r && r->state == DNS_BOGUS)
        u->stats.bogus++;
    else if (!r || r->state == DNS_TEMPFAIL)
        u->stats.failed++;
    if (r && r->state != DNS_TEMPFAIL)
        dns_share_answered(u->share, &f->ticket);
    else if (now - f->began >= SLOW_MS)
        dns_share_failed(u->share, &f->ticket, now);
    for (struct dns_watch *w = f->watches; w; w = w->next)
        w->arrived(w->context);
    f->watches = NULL;
    if (f->waiters)
        pthread_cond_broadcast(&f->arrived);
    else
        flight_free(f);
    pthread_mutex_unlock(&u->lock);
}

/* Ends the flight's meter, which others may read until then. Returns the packets sent; *may: how many it might send
 * (0: as many as any look-up). */
static unsigned meter_end(struct dns_flight *f, unsigned *may)
{
    struct dns_unbound *u = f->owner;
    pthread_mutex_lock(&u->lock);
    struct dns_meter *meter = f->meter;
    f->meter = NULL;
    *may = f->q.packets;
    pthread_mutex_unlock(&u->lock);
    return meter ? dns_meter_end(u->loop, meter) : 0;
}

/* Run by libunbound (unbound-event.h), perhaps before ub_resolve_event() returns. */
static void on_answer(void *arg, int rcode, void *packet, int octets, int security, char *why_bogus,
                      int was_ratelimited)
{
    struct dns_flight *f = arg;
    struct dns_unbound *u = f->owner;
    unsigned may;
    struct dns_unbound_answer answer = {
        .rcode = rcode,
        .packet = slice_of(packet, packet && octets > 0 ? (size_t)octets : 0),
        .security = security,
        .why_bogus = why_bogus,
        .was_ratelimited = was_ratelimited,
        .packets = meter_end(f, &may),
    };
    answer.stopped = may && may < LIMIT_DNS_WIRE_LOOKUP && answer.packets >= may;
    land(f, dns_unbound_result(u->scratch, &f->q, &answer, clock_mono_ms()));
    arena_reset(u->scratch);
}

void dns_unbound_begin(void *unbound)
{
    struct dns_unbound *u = unbound;
    pthread_mutex_lock(&u->lock);
    struct dns_flight *f = u->begun, *next;
    u->begun = NULL;
    u->last_begun = &u->begun;
    for (next = f; next; next = next->next_begun)
        next->meter =
            dns_meter_new(u->loop, next->q.packets ? next->q.packets : LIMIT_DNS_FLIGHT_PACKETS, next->ticket.zone_tag);
    pthread_mutex_unlock(&u->lock);
    for (; f; f = next) {
        next = f->next_begun;
        dns_meter_start(u->loop, f->meter);
        int rc = f->meter ? ub_resolve_event(u->ctx, f->q.name, (int)f->q.type, 1, f, on_answer, NULL) : UB_NOMEM;
        dns_meter_start(u->loop, NULL);
        if (rc != 0) {
            (void)meter_end(f, &(unsigned){0});
            land(f, dns_unbound_failure(ub_strerror(rc), LIMIT_NOT_REACHED));
        }
    }
}

static struct dns_flight *flight_new(struct dns_unbound *u, const struct dns_question *q)
{
    pthread_condattr_t monotonic;
    struct dns_flight *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->owner = u;
    f->q = *q;
    f->began = clock_mono_ms();
    f->waiters = 1;
    f->pending = true;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&f->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return f;
}

static struct dns_result *refusal(struct dns_unbound *u, enum dns_admission why)
{
    static const char *const words[] = {
        [DNS_CLIENT_BUSY] = "this client network has as many look-ups under way as it may",
        [DNS_ZONE_BUSY] = "as many look-ups in that zone are under way as may be",
        [DNS_ALL_BUSY] = "too many look-ups under way",
        [DNS_ZONE_DEAD] = "the servers of that zone do not answer (many look-ups in a row)",
    };
    u->stats.refused += why != DNS_ZONE_DEAD;
    u->stats.dead += why == DNS_ZONE_DEAD;
    return dns_unbound_failure(words[why], why == DNS_ZONE_DEAD ? LIMIT_NOT_REACHED : LIMIT_OF_MOMENT);
}

/* With the lock held. Tells whether the look-up may begin; where the source is patient, once others have ended. Those
 * end in the loop's thread, so that the caller waits for nothing that is its own to do. */
static enum dns_admission admit(struct dns_unbound *u, struct dns_flight *f)
{
    const int64_t until = f->began + DNS_PATIENCE_MS;
    const struct timespec end = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
    for (bool late = false;; late = pthread_cond_timedwait(&u->left, &u->lock, &end) == ETIMEDOUT) {
        f->began = clock_mono_ms();
        enum dns_admission a =
            dns_share_enter(u->share, &f->q.client, f->q.name, (unsigned)u->stats.under_way, f->began, &f->ticket);
        if (a == DNS_ADMITTED || a == DNS_ZONE_DEAD || !u->patient || late)
            return a;
    }
}

/* Lets it send as many packets as this question may: the one that began it may have had fewer left, and when nobody
 * waited for it any more it was to send hardly any. With the lock held. */
static void flight_allow(struct dns_flight *f, const struct dns_question *q)
{
    if (f->q.packets && (!q->packets || q->packets > f->q.packets))
        f->q.packets = q->packets;
    if (f->meter)
        dns_meter_allow(f->meter, q->packets ? q->packets : LIMIT_DNS_FLIGHT_PACKETS);
}

static bool flight_join(struct dns_unbound *u, struct dns_flight *f, const struct dns_question *q,
                        struct dns_flight **flight)
{
    if (!f)
        return false;
    u->stats.merged++;
    f->waiters++;
    flight_allow(f, q);
    *flight = f;
    return true;
}

/* With the lock held: joins the flight of this question or begins one. *wake: the loop is to be woken, without the
 * lock, for which it would only wait. */
static struct dns_result *join_or_begin(struct dns_unbound *u, const struct dns_question *q, struct dns_flight **flight,
                                        bool *wake)
{
    if (flight_join(u, *flight_place(u, q), q, flight))
        return NULL;
    struct dns_flight *f = flight_new(u, q);
    if (!f)
        return NULL;
    enum dns_admission admission = admit(u, f);
    if (admission != DNS_ADMITTED) {
        flight_free(f);
        return refusal(u, admission);
    }
    struct dns_flight **at = flight_place(u, q);
    if (flight_join(u, *at, q, flight)) { /* the same question was asked while this one waited */
        dns_share_leave(u->share, &f->ticket);
        pthread_cond_broadcast(&u->left);
        flight_free(f);
        return NULL;
    }
    *wake = !u->begun;
    *u->last_begun = f;
    u->last_begun = &f->next_begun;
    u->stats.under_way++;
    *at = f;
    *flight = f;
    return NULL;
}

struct dns_result *dns_unbound_known(struct dns *source, const struct dns_question *q)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    return u->cache ? dns_cache_get(u->cache, q, clock_mono_ms()) : NULL;
}

void dns_unbound_grew(struct dns *source, const struct dns_question *q, const struct dns_result *r, size_t octets)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    if (u->cache)
        dns_cache_grew(u->cache, q, r, octets);
}

void dns_unbound_forget(struct dns *source)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    if (u->cache)
        dns_cache_clear(u->cache);
}

struct dns_result *dns_unbound_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    bool wake = false;
    *flight = NULL;
    pthread_mutex_lock(&u->lock);
    u->stats.asked++;
    struct dns_result *r = join_or_begin(u, q, flight, &wake);
    pthread_mutex_unlock(&u->lock);
    if (wake)
        dns_loop_wake(u->loop);
    return r;
}

struct dns_result *dns_unbound_await(struct dns *source, struct dns_flight *f, int64_t until)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    struct timespec end = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
    struct dns_result *r = NULL;
    pthread_mutex_lock(&u->lock);
    while (until && f->pending && pthread_cond_timedwait(&f->arrived, &u->lock, &end) != ETIMEDOUT)
        continue;
    if (f->result)
        r = dns_result_hold(f->result);
    else if (until)
        u->stats.timed_out++;
    pthread_mutex_unlock(&u->lock);
    return r;
}

unsigned dns_unbound_let_go(struct dns *source, struct dns_flight *f)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    unsigned packets = f->q.packets;
    pthread_mutex_lock(&u->lock);
    int64_t now = f->pending ? clock_mono_ms() : 0;
    if (f->pending && now - f->began >= SLOW_MS)
        dns_share_failed(u->share, &f->ticket, now);
    if (--f->waiters == 0 && f->meter)
        packets = dns_meter_curb(f->meter, AFTER_WAIT);
    else if (f->result)
        packets = f->result->packets;
    if (f->waiters == 0 && !f->pending)
        flight_free(f);
    pthread_mutex_unlock(&u->lock);
    return packets;
}

bool dns_unbound_watch(struct dns *source, struct dns_flight *f, struct dns_watch *w)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    pthread_mutex_lock(&u->lock);
    const bool pending = f->pending;
    if (pending) {
        w->next = f->watches;
        f->watches = w;
    }
    pthread_mutex_unlock(&u->lock);
    return pending;
}

void dns_unbound_unwatch(struct dns *source, struct dns_flight *f, struct dns_watch *w)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    pthread_mutex_lock(&u->lock);
    struct dns_watch **at = &f->watches;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
    pthread_mutex_unlock(&u->lock);
}

const char *dns_anchor_or_system(const char *wanted)
{
    return access(wanted, R_OK) == 0 ? wanted : DNS_SYSTEM_ANCHOR;
}

void dns_unbound_stats(struct dns *source, struct dns_unbound_stats *out)
{
    struct dns_unbound *u = dns_unbound_of(source);
    *out = (struct dns_unbound_stats){0};
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    *out = u->stats;
    pthread_mutex_unlock(&u->lock);
    out->cached = u->cache ? dns_cache_hits(u->cache) : 0;
    out->asked += out->cached;
}

void dns_unbound_free_flights(struct dns_unbound *u)
{
    for (size_t i = 0; i < DNS_FLIGHT_BUCKETS; i++) {
        while (u->bucket[i]) {
            struct dns_flight *f = u->bucket[i];
            u->bucket[i] = f->next;
            flight_free(f);
        }
    }
}
