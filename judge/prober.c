// SPDX-License-Identifier: BSD-2-Clause
/*
 * prober.c - the list of hosts to probe, the thread that probes them, and the table of results.
 *
 * Locking: one mutex for list and table, never held during a session. A task is copied out of the list before its
 * session and its result copied in after. Promises: prober_ask never waits for the network; a host is not probed more
 * often than prober.h says, however much mail names it; what cannot be proved is UNTESTED. If memory runs out the task
 * is dropped.
 */
#include "judge/prober.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include "net/starttls.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_KEEP 21600
#define DEFAULT_RATE_MS 500
#define TASK_ARENA (4u * 1024 * 1024)
#define KEY_OCTETS 32

struct seen {
    char host[LIMIT_DOMAIN + 1];
    unsigned char key[KEY_OCTETS]; /* hash of host and records */
    bool used, waiting;
    enum result result;
    char reason[256], tls[64];
    time_t tested, not_after, next; /* earliest time of the next probe */
    unsigned failures;
};

struct task {
    char host[LIMIT_DOMAIN + 1], domain[LIMIT_DOMAIN + 1];
    unsigned char key[KEY_OCTETS];
    struct arena *arena; /* holds the records */
    struct starttls_tlsa *tlsa;
    size_t count;
};

struct prober {
    struct prober_config config;
    char name[LIMIT_DOMAIN + 1];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, idle;
    bool stop, busy;
    struct task list[PROBER_QUEUE];
    size_t head, count;
    struct seen table[PROBER_HOSTS];
};

/* ---- the table ---- */

static void make_key(const struct dane_host *h, unsigned char out[KEY_OCTETS])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned int n = 0;
    memset(out, 0, KEY_OCTETS);
    if (!c)
        return;
    EVP_DigestInit_ex(c, EVP_sha256(), NULL);
    EVP_DigestUpdate(c, h->base, strlen(h->base) + 1);
    for (size_t i = 0; i < h->records.count; i++) {
        const struct dane_record *r = &h->records.record[i];
        const unsigned char head[4] = {r->usage, r->selector, r->matching, r->used};
        EVP_DigestUpdate(c, head, sizeof head);
        EVP_DigestUpdate(c, r->data.p, r->data.n);
    }
    EVP_DigestFinal_ex(c, out, &n);
    EVP_MD_CTX_free(c);
}

static struct seen *seen_find(struct prober *p, const unsigned char key[KEY_OCTETS])
{
    for (size_t i = 0; i < PROBER_HOSTS; i++)
        if (p->table[i].used && memcmp(p->table[i].key, key, KEY_OCTETS) == 0)
            return &p->table[i];
    return NULL;
}

/* When this host was last probed, with any records. */
static time_t last_probe(const struct prober *p, const char *host)
{
    time_t last = 0;
    for (size_t i = 0; i < PROBER_HOSTS; i++)
        if (p->table[i].used && p->table[i].tested > last && strcmp(p->table[i].host, host) == 0)
            last = p->table[i].tested;
    return last;
}

/* Returns a free slot, or the one tested longest ago that is not waiting for a probe. */
static struct seen *seen_free_slot(struct prober *p)
{
    struct seen *oldest = NULL;
    for (size_t i = 0; i < PROBER_HOSTS; i++) {
        struct seen *s = &p->table[i];
        if (!s->used)
            return s;
        if (!s->waiting && (!oldest || s->tested < oldest->tested))
            oldest = s;
    }
    return oldest;
}

/* ---- the list ---- */

static bool copy_records(struct task *t, const struct dane_host *h)
{
    t->arena = arena_new(TASK_ARENA);
    t->tlsa = t->arena ? ARENA_ARRAY(t->arena, struct starttls_tlsa, h->records.count + 1) : NULL;
    if (!t->tlsa)
        return false;
    for (size_t i = 0; i < h->records.count; i++) {
        const struct dane_record *r = &h->records.record[i];
        if (!r->used)
            continue;
        struct slice data = arena_slice(t->arena, r->data);
        if (!data.p)
            return false;
        t->tlsa[t->count++] = (struct starttls_tlsa){r->usage, r->selector, r->matching, data};
    }
    return true;
}

static void put_on_list(struct prober *p, struct seen *s, const struct dane_posture *posture, const struct dane_host *h)
{
    if (p->count == PROBER_QUEUE)
        return;
    struct task t = {.count = 0};
    snprintf(t.host, sizeof t.host, "%s", h->base);
    snprintf(t.domain, sizeof t.domain, "%s", posture->domain);
    memcpy(t.key, s->key, KEY_OCTETS);
    if (!copy_records(&t, h)) {
        arena_free(t.arena);
        return;
    }
    p->list[(p->head + p->count++) % PROBER_QUEUE] = t;
    s->waiting = true;
    pthread_cond_signal(&p->more);
}

/* Returns the entry of this host with these records, and puts it on the list if it is due. NULL: no room. */
static struct seen *look_up(struct prober *p, const struct dane_posture *posture, const struct dane_host *h, time_t now)
{
    unsigned char key[KEY_OCTETS];
    make_key(h, key);
    struct seen *s = seen_find(p, key);
    if (!s) {
        time_t last = last_probe(p, h->base);
        s = seen_free_slot(p);
        if (!s)
            return NULL;
        *s = (struct seen){.used = true, .result = RESULT_UNTESTED, .next = last ? last + PROBER_HOST_SECONDS : 0};
        snprintf(s->host, sizeof s->host, "%s", h->base);
        memcpy(s->key, key, KEY_OCTETS);
        snprintf(s->reason, sizeof s->reason, "not tested yet");
    }
    if (!s->waiting && now >= s->next)
        put_on_list(p, s, posture, h);
    return s;
}

static bool is_current(const struct prober *p, const struct seen *s, time_t now)
{
    unsigned keep = p->config.keep_seconds ? p->config.keep_seconds : DEFAULT_KEEP;
    return s->tested && s->result != RESULT_UNTESTED && now - s->tested <= (time_t)keep;
}

static void add_up(struct proof *out, const struct seen *s, bool current)
{
    enum result r = current ? s->result : RESULT_UNTESTED;
    if (current && (!out->tested || s->tested < out->tested))
        out->tested = s->tested;
    if (current && s->not_after && (!out->not_after || s->not_after < out->not_after))
        out->not_after = s->not_after;
    if (current && s->tls[0])
        memcpy(out->tls, s->tls, sizeof out->tls);
    if (out->result == RESULT_FAIL || r == RESULT_PASS || (r == RESULT_UNTESTED && out->result == RESULT_UNTESTED))
        return;
    out->result = r;
    memcpy(out->host, s->host, sizeof out->host);
    memcpy(out->reason, s->reason, sizeof out->reason);
}

void prober_ask(struct prober *p, const struct dane_posture *posture, time_t now, struct proof *out)
{
    bool any = false;
    *out = (struct proof){.result = RESULT_PASS};
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < posture->host_count; i++) {
        const struct dane_host *h = &posture->hosts[i];
        if (h->state != DANE_HOST_PROTECTED || !h->base)
            continue;
        any = true;
        struct seen *s = look_up(p, posture, h, now);
        if (s)
            add_up(out, s, is_current(p, s, now));
        else if (out->result == RESULT_PASS)
            out->result = RESULT_UNTESTED;
    }
    pthread_mutex_unlock(&p->lock);
    if (!any) {
        out->result = RESULT_UNTESTED;
        snprintf(out->reason, sizeof out->reason, "no host publishes records that could be checked");
    }
}

/* ---- the thread ---- */

static bool may_probe(const struct prober *p, const struct ip *a)
{
    if (ip_is_special(a) && !p->config.allow_special)
        return false;
    return !p->config.forbidden || !p->config.forbidden(p->config.context, a);
}

/* The host's addresses that may be probed; *never: it has addresses, but none may be probed. */
static size_t task_addresses(struct prober *p, struct task *t, struct ip out[PROBER_ADDRESSES], bool *never)
{
    static const enum dns_type types[] = {DNS_AAAA, DNS_A};
    struct dns_scope *scope = dns_scope_new(p->config.dns, t->arena, NULL);
    size_t n = 0, had = 0;
    for (size_t k = 0; scope && k < 2; k++)
        dns_start(scope, t->host, types[k]);
    for (size_t k = 0; scope && k < 2; k++) {
        const struct dns_answer *a = dns_get(scope, t->host, types[k]);
        struct ip ip;
        for (size_t i = 0; i < a->count && n < PROBER_ADDRESSES; i++) {
            if (!dns_address(a, i, &ip))
                continue;
            had++;
            if (may_probe(p, &ip))
                out[n++] = ip;
        }
    }
    dns_scope_free(scope);
    *never = had && !n;
    return n;
}

static void judge_session(const struct starttls_result *r, struct seen *out)
{
    snprintf(out->reason, sizeof out->reason, "%s", r->reason);
    if (r->outcome == STARTTLS_NOT_OFFERED) {
        out->result = RESULT_FAIL; /* the records promise TLS: senders with DANE cannot deliver (RFC 7672 2.2) */
    } else if (r->outcome == STARTTLS_DONE && r->tlsa_usable == 0) {
        snprintf(out->reason, sizeof out->reason,
                 "none of its records can be used"); /* such records promise nothing (RFC 7671 section 10) */
    } else if (r->outcome == STARTTLS_DONE) {
        out->result = r->dane_match ? RESULT_PASS : RESULT_FAIL;
        snprintf(out->reason, sizeof out->reason, "%s",
                 r->dane_match   ? ""
                 : r->dane_error ? r->dane_error
                                 : "no record matched");
        snprintf(out->tls, sizeof out->tls, "%s %s", r->version ? r->version : "", r->cipher ? r->cipher : "");
        out->not_after = r->not_after;
    }
}

/* Runs one session; the outcome goes to *out. Returns which other keys the host may have; ANY: not known. */
static enum starttls_keys probe_address(struct prober *p, struct task *t, const struct ip *address,
                                        enum starttls_keys keys, struct seen *out)
{
    struct starttls_result r;
    struct starttls_request q = {.address = *address,
                                 .port = p->config.port,
                                 .source = p->config.source.family ? &p->config.source : NULL,
                                 .server_name = t->host,
                                 .base_domain = t->domain,
                                 .ehlo = p->name,
                                 .total_ms = p->config.session_ms,
                                 .keys = keys,
                                 .tlsa = t->tlsa,
                                 .tlsa_count = t->count};
    *out = (struct seen){.result = RESULT_UNTESTED};
    starttls_run(t->arena, &q, &r);
    judge_session(&r, out);
    return r.outcome != STARTTLS_DONE ? STARTTLS_KEYS_ANY : r.rsa_key ? STARTTLS_KEYS_ECDSA : STARTTLS_KEYS_RSA;
}

/* Merges a session's outcome: a failure outweighs everything else, a pass outweighs no answer. */
static void add_session(struct seen *out, const struct seen *one)
{
    if (out->result == RESULT_FAIL || (one->result == RESULT_UNTESTED && out->result == RESULT_PASS))
        return;
    const time_t ends = out->not_after;
    out->result = one->result;
    out->not_after = ends && (!one->not_after || ends < one->not_after) ? ends : one->not_after;
    memcpy(out->reason, one->reason, sizeof out->reason);
    if (one->tls[0])
        memcpy(out->tls, one->tls, sizeof out->tls);
}

/* Probes one host: each address, each for its certificates with RSA and ECDSA keys, because senders may get either.
 * Fills in result, reason, tls and not_after. */
static void probe(struct prober *p, struct task *t, struct seen *out)
{
    struct ip list[PROBER_ADDRESSES];
    bool never;
    size_t n = task_addresses(p, t, list, &never);
    out->result = RESULT_UNTESTED;
    snprintf(out->reason, sizeof out->reason, "%s", never ? "its addresses are never probed" : "it has no address");
    for (size_t i = 0; i < n && out->result != RESULT_FAIL; i++) {
        struct seen one;
        enum starttls_keys others = probe_address(p, t, &list[i], STARTTLS_KEYS_ANY, &one);
        add_session(out, &one);
        if (others == STARTTLS_KEYS_ANY || one.result != RESULT_PASS)
            continue;
        probe_address(p, t, &list[i], others, &one);
        add_session(out, &one);
    }
}

static void keep_result(struct prober *p, const struct task *t, const struct seen *r, time_t now)
{
    struct seen *s = seen_find(p, t->key);
    if (!s)
        return;
    s->waiting = false;
    s->tested = now;
    s->result = r->result;
    s->not_after = r->not_after;
    memcpy(s->reason, r->reason, sizeof s->reason);
    memcpy(s->tls, r->tls, sizeof s->tls);
    s->failures = r->result == RESULT_UNTESTED ? s->failures + 1 : 0;
    unsigned steps = s->failures > 5 ? 5 : s->failures;
    time_t wait = (time_t)PROBER_HOST_SECONDS << steps;
    s->next = now + (wait > PROBER_BACK_OFF_MAX ? PROBER_BACK_OFF_MAX : wait);
}

/* Waits between two sessions, or until the thread must stop. Called with the lock held. */
static void rest(struct prober *p)
{
    unsigned ms = p->config.rate_ms ? p->config.rate_ms : DEFAULT_RATE_MS;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!p->stop && pthread_cond_timedwait(&p->idle, &p->lock, &until) == 0)
        ;
}

static void *prober_main(void *arg)
{
    struct prober *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        if (p->count == 0) {
            pthread_cond_wait(&p->more, &p->lock);
            continue;
        }
        struct task t = p->list[p->head];
        struct seen r = {0};
        p->head = (p->head + 1) % PROBER_QUEUE;
        p->count--;
        p->busy = true;
        pthread_mutex_unlock(&p->lock);
        probe(p, &t, &r);
        pthread_mutex_lock(&p->lock);
        keep_result(p, &t, &r, clock_wall());
        arena_free(t.arena);
        p->busy = false;
        if (p->count)
            rest(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct prober *prober_new(const struct prober_config *config)
{
    struct prober *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->config = *config;
    snprintf(p->name, sizeof p->name, "%s", config->name ? config->name : "localhost");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    pthread_cond_init(&p->idle, NULL);
    if (quiet_thread_create(&p->thread, prober_main, p) == 0)
        return p;
    free(p);
    return NULL;
}

struct prober *prober_free(struct prober *p)
{
    if (!p)
        return NULL;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->more);
    pthread_cond_broadcast(&p->idle);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    for (; p->count; p->count--, p->head = (p->head + 1) % PROBER_QUEUE)
        arena_free(p->list[p->head].arena);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->more);
    pthread_cond_destroy(&p->idle);
    free(p);
    return NULL;
}

bool prober_idle(struct prober *p, unsigned timeout_ms)
{
    int64_t end = clock_mono_ms() + timeout_ms;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        bool idle = p->count == 0 && !p->busy;
        pthread_mutex_unlock(&p->lock);
        if (idle || clock_mono_ms() >= end)
            return idle;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}
