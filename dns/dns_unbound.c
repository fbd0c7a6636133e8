// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_unbound.c - look-ups under way: one flight per question, however many scopes wait for it.
 *
 * libunbound runs in thread mode: its resolver thread writes results to a pipe, one poller thread of ours takes them
 * from there (ub_fd, ub_process), and each waiter sleeps on its flight's condition variable until its own deadline
 * (libunbound has none).
 *
 * Who owns a flight: the scopes that wait for it (`waiters`), and the callback that has not run yet (`pending`).
 * Whoever ends the last of both frees it, under `lock`. Nothing is cancelled: ub_cancel only drops the callback, while
 * libunbound continues the look-up and keeps its ports. So a flight that nobody waits for any more stays under way and
 * is counted until libunbound has finished it, others may still join it, and its answer is kept in the cache. `lock` is
 * held while libunbound is called: libunbound calls back only from ub_process, which the poller calls without it.
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
#include "base/limits.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unbound.h>
#include <unistd.h>

/* A look-up without an answer for so long met servers that do not answer. */
#define SLOW_MS 1000

static struct dns_flight **place(struct dns_unbound *u, const struct dns_question *q)
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
    struct dns_flight **at = place(u, &f->q);
    if (*at == f)
        *at = f->next;
}

static void flight_free(struct dns_flight *f)
{
    dns_result_drop(f->result);
    pthread_cond_destroy(&f->arrived);
    free(f);
}

static struct dns_result *failure(const char *why, enum limit_kind limit)
{
    return dns_result_new(
        &(struct dns_result){.state = DNS_TEMPFAIL, .security = DNS_UNKNOWN, .why = why, .limit = limit});
}

static const char *rcode_text(int rcode)
{
    switch (rcode) {
    case 1:
        return "the server answered FORMERR";
    case 2:
        return "no server gave an answer (SERVFAIL)";
    case 4:
        return "the server answered NOTIMP";
    case 5:
        return "the server refused (REFUSED)";
    default:
        return "the server answered with an error";
    }
}

/* The final name of a CNAME chain in normal form where it differs from the one asked, else NULL. */
static const char *canonical_of(const struct ub_result *ub, const struct dns_question *q, char out[DNS_NAME_TEXT])
{
    if (!ub->canonname || dns_name_normal(ub->canonname, out) != STATUS_OK || strcmp(out, q->name) == 0)
        return NULL;
    return out;
}

/* The end of a name in a packet from `at` on; 0: malformed. */
static size_t skip_name(const uint8_t *p, size_t n, size_t at)
{
    while (at < n && p[at] && p[at] < 0xc0)
        at += p[at] + 1u;
    at += at < n && p[at] >= 0xc0 ? 2 : 1;
    return at <= n ? at : 0;
}

/* CNAME records in the answer section of libunbound's answer; what is malformed counts as none further. */
static unsigned links_of(const struct ub_result *ub)
{
    const uint8_t *p = ub->answer_packet;
    const size_t n = p && ub->answer_len > 12 ? (size_t)ub->answer_len : 0;
    unsigned links = 0;
    size_t at = n ? skip_name(p, n, 12) + 4 : 0;
    for (unsigned left = n ? (unsigned)p[6] << 8 | p[7] : 0; left && at; left--) {
        at = skip_name(p, n, at);
        if (!at || at + 10 > n)
            break;
        links += p[at] == 0 && p[at + 1] == DNS_CNAME;
        at += 10 + ((size_t)p[at + 8] << 8 | p[at + 9]);
        if (at > n)
            break;
    }
    return links;
}

/* Order matters: an answer that did not validate is bogus whatever it holds; an error code says nothing about
 * existence. */
static void classify(const struct ub_result *ub, struct dns_result *r)
{
    if (ub->bogus) {
        r->state = DNS_BOGUS;
        r->security = DNS_BROKEN;
        r->why = ub->why_bogus ? ub->why_bogus : "validation failure";
    } else if (ub->was_ratelimited || (ub->rcode != 0 && ub->rcode != 3)) {
        r->state = DNS_TEMPFAIL;
        r->security = DNS_UNKNOWN;
        r->why = ub->was_ratelimited ? "our own rate limit for that zone is reached" : rcode_text(ub->rcode);
    } else {
        r->security = ub->secure ? DNS_SECURE : DNS_INSECURE;
        r->ttl = ub->ttl > 0 ? (uint32_t)ub->ttl : 0;
        r->state = ub->nxdomain || ub->rcode == 3 ? DNS_NXDOMAIN : ub->havedata ? DNS_FOUND : DNS_NODATA;
    }
}

static struct dns_result *dns_result_from_unbound(const struct ub_result *ub, const struct dns_question *q, int64_t now)
{
    char canonical[DNS_NAME_TEXT];
    struct slice rdata[LIMIT_DNS_RRS];
    struct dns_result r = {.rdata = rdata};
    classify(ub, &r);
    if (r.state == DNS_FOUND) {
        for (; r.count < LIMIT_DNS_RRS && ub->data[r.count]; r.count++)
            rdata[r.count] = slice_of(ub->data[r.count], ub->len[r.count] > 0 ? (size_t)ub->len[r.count] : 0);
        if (r.count == 0)
            r.state = DNS_NODATA;
    }
    if (r.state != DNS_TEMPFAIL && r.state != DNS_BOGUS)
        r.links = links_of(ub);
    if (r.state != DNS_TEMPFAIL && r.state != DNS_BOGUS)
        r.canonical = canonical_of(ub, q, canonical);
    uint32_t ttl = r.ttl < LIMIT_DNS_CACHE_TTL ? r.ttl : LIMIT_DNS_CACHE_TTL;
    r.expires = now + (int64_t)ttl * 1000;
    return dns_result_new(&r);
}

/* Run by ub_process in the poller thread. */
static void on_result(void *arg, int error, struct ub_result *ub)
{
    struct dns_flight *f = arg;
    struct dns_unbound *u = f->owner;
    int64_t now = clock_mono_ms();
    struct dns_result *r =
        error || !ub ? failure(ub_strerror(error), LIMIT_NOT_REACHED) : dns_result_from_unbound(ub, &f->q, now);
    ub_resolve_free(ub);
    if (r && u->cache)
        dns_cache_put(u->cache, &f->q, r, now);

    pthread_mutex_lock(&u->lock);
    unlist(u, f);
    f->pending = false;
    f->result = r;
    dns_share_leave(u->share, &f->ticket);
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
    if (f->waiters)
        pthread_cond_broadcast(&f->arrived);
    else
        flight_free(f);
    pthread_mutex_unlock(&u->lock);
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
    return failure(words[why], why == DNS_ZONE_DEAD ? LIMIT_NOT_REACHED : LIMIT_OF_MOMENT);
}

/* With the lock held: joins the flight of this question or begins one. */
static struct dns_result *join_or_begin(struct dns_unbound *u, const struct dns_question *q, struct dns_flight **flight)
{
    struct dns_flight **at = place(u, q);
    if (*at) {
        u->stats.merged++;
        (*at)->waiters++;
        *flight = *at;
        return NULL;
    }
    struct dns_flight *f = flight_new(u, q);
    if (!f)
        return NULL;
    enum dns_admission admission =
        dns_share_enter(u->share, &q->client, q->name, (unsigned)u->stats.under_way, f->began, &f->ticket);
    if (admission != DNS_ADMITTED) {
        flight_free(f);
        return refusal(u, admission);
    }
    int rc = ub_resolve_async(u->ctx, f->q.name, (int)q->type, 1, f, on_result, &f->async_id);
    if (rc != 0) {
        dns_share_leave(u->share, &f->ticket);
        flight_free(f);
        return failure(ub_strerror(rc), LIMIT_NOT_REACHED);
    }
    u->stats.under_way++;
    *at = f;
    *flight = f;
    return NULL;
}

struct dns_result *dns_unbound_known(struct dns *source, const struct dns_question *q)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    struct dns_result *r = u->cache ? dns_cache_get(u->cache, q, clock_mono_ms()) : NULL;
    if (!r)
        return NULL;
    pthread_mutex_lock(&u->lock);
    u->stats.asked++;
    u->stats.cached++;
    pthread_mutex_unlock(&u->lock);
    return r;
}

struct dns_result *dns_unbound_ask(struct dns *source, const struct dns_question *q, struct dns_flight **flight)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    *flight = NULL;
    pthread_mutex_lock(&u->lock);
    u->stats.asked++;
    struct dns_result *r = join_or_begin(u, q, flight);
    pthread_mutex_unlock(&u->lock);
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

void dns_unbound_let_go(struct dns *source, struct dns_flight *f)
{
    struct dns_unbound *u = (struct dns_unbound *)source;
    pthread_mutex_lock(&u->lock);
    int64_t now = f->pending ? clock_mono_ms() : 0;
    if (f->pending && now - f->began >= SLOW_MS)
        dns_share_failed(u->share, &f->ticket, now);
    if (--f->waiters == 0 && !f->pending)
        flight_free(f);
    pthread_mutex_unlock(&u->lock);
}

void *dns_unbound_poll(void *arg)
{
    struct dns_unbound *u = arg;
    struct pollfd fd[2] = {{.fd = ub_fd(u->ctx), .events = POLLIN}, {.fd = u->wake, .events = POLLIN}};
    while (poll(fd, 2, -1) >= 0 || errno == EINTR) {
        if (fd[1].revents)
            break;
        if (fd[0].revents)
            ub_process(u->ctx);
    }
    return NULL;
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
