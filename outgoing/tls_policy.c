// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_policy.c - DANE, then MTA-STS: the answer to Postfix, and the thread that keeps policies fresh.
 *
 * Locking: one mutex for the cache, never held while DNS or the web is asked. An entry that is being fetched is marked:
 * nobody else fetches it or takes its place, and who needs it waits for the condition, until a deadline. Entries are
 * looked up again after every wait. Failure: what DANE says decides before anything else; if it cannot be found out,
 * TLS_POLICY_LATER. A policy whose own fetch failed (RFC 8461 3.3) leaves the one that holds, or none; the domain is
 * then not asked again before its time. A fetch that we could not make, or not in time, is TLS_POLICY_LATER, as is want
 * of memory.
 */
#include "outgoing/tls_policy.h"
#include "base/clock.h"
#include "base/domain.h"
#include "base/quiet_thread.h"
#include "base/rootfile.h"
#include "outgoing/sts_answer.h"
#include "outgoing/sts_cache.h"
#include "outgoing/sts_fetch.h"
#include "standards/dane/dane_posture.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ASK_ARENA (4u * 1024 * 1024)

struct tls_policy {
    struct tls_policy_config config;
    char *file;
    struct sts_cache *cache;
    struct sts_fetch *fetcher;
    pthread_mutex_t lock;
    pthread_cond_t fetched, wake;
    pthread_t thread;
    bool stop, dirty;
};

struct asking {
    struct tls_policy *o;
    const struct tls_policy_question *q;
    struct arena *arena;
    struct dns_scope *scope;
    const char *domain;
    struct buf *text;
    bool *waits; /* with at_once: the answer must be waited for */
};

static void asking_trace(const struct asking *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void asking_trace(const struct asking *a, const char *fmt, ...)
{
    char words[1024];
    va_list ap;

    if (!a->q->step)
        return;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    a->q->step(a->q->context, words);
}

/* ---- the key ---- */

static bool domain_of_key(const char *key, char out[LIMIT_DOMAIN + 1])
{
    const char *colon = strchr(key, ':');
    struct slice name = colon ? slice_of(key, (size_t)(colon - key)) : slice_str(key);
    struct ip ip;

    if (colon && strcmp(colon, ":25") != 0 && strcmp(colon, ":smtp") != 0)
        return false;
    return name.n && name.p[0] != '[' && name.p[0] != '.' && ip_from_text(name, &ip) != STATUS_OK &&
           domain_from_text(name, out) == STATUS_OK;
}

/* ---- fetching ---- */

static void problem_note(const struct tls_policy *o, const char *domain, const char *what)
{
    if (o->config.note)
        o->config.note(o->config.context, domain, what);
}

/* *unknown: there may be others, since a look-up failed. */
static size_t addresses_of(struct tls_policy *o, struct arena *arena, const char *domain,
                           struct ip out[HTTPS_ADDRESSES], bool *unknown)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    struct dns_scope *scope = dns_scope_new(o->config.dns, arena, NULL);
    char host[LIMIT_DOMAIN + 16];
    size_t n = 0;

    snprintf(host, sizeof host, "mta-sts.%s", domain);
    for (size_t k = 0; scope && k < 2; k++)
        dns_start(scope, host, types[k]);
    for (size_t k = 0; scope && k < 2; k++) {
        const struct dns_answer *a = dns_get(scope, host, types[k]);
        *unknown |= a->state == DNS_TEMPFAIL;
        for (size_t i = 0; i < a->count && n < HTTPS_ADDRESSES / 2 * (k + 1); i++)
            if (dns_address(a, i, &out[n]) && (o->config.allow_special || !ip_is_special(&out[n])))
                n++;
    }
    dns_scope_free(scope);
    return n;
}

/* Takes over what a fetch came to; by the fetch's thread. The id was put into the entry when the fetch was started. */
static void take_over(void *context, const char *domain, enum sts_fetch_outcome outcome,
                      const struct sts_policy *policy, const char *why)
{
    struct tls_policy *o = context;

    if (outcome != STS_FETCH_DONE)
        problem_note(o, domain, why);
    pthread_mutex_lock(&o->lock);
    struct tls_policy_entry *e = sts_cache_find(o->cache, domain); /* marked, so it is there */
    time_t now = clock_wall();
    if (outcome == STS_FETCH_DONE && sts_cache_store(e, policy, e->wanted, now) == STATUS_OK) {
        o->dirty = true;
    } else if (outcome == STS_FETCH_THEIRS) {
        time_t wait = (time_t)TLS_POLICY_RETRY << (e->failures < 8 ? e->failures++ : 8);
        e->retry = now + (wait > TLS_POLICY_RETRY_MAX ? TLS_POLICY_RETRY_MAX : wait);
        snprintf(e->why, sizeof e->why, "%s", why);
    } else {
        e->retry = now + TLS_POLICY_RETRY_OURS;
    }
    e->ours = outcome != STS_FETCH_DONE && outcome != STS_FETCH_THEIRS;
    e->fetching = false;
    pthread_cond_broadcast(&o->fetched);
    pthread_mutex_unlock(&o->lock);
}

/* Queues the fetch of a policy for a record's id. Called with the lock held, which it gives up meanwhile. */
static void start_fetch(struct tls_policy *o, struct tls_policy_entry *e, const char *id)
{
    char domain[LIMIT_DOMAIN + 1];
    struct ip list[HTTPS_ADDRESSES];
    const char *why = "out of memory";
    bool started = false, unknown = false;

    memcpy(domain, e->domain, sizeof domain);
    e->fetching = true;
    if (id != e->wanted)
        snprintf(e->wanted, sizeof e->wanted, "%s", id);
    pthread_mutex_unlock(&o->lock);
    struct arena *arena = arena_new(ASK_ARENA);
    if (arena) {
        size_t n = addresses_of(o, arena, domain, list, &unknown);
        if (n == 0 && unknown && sts_fetch_is_cut_off(NULL, 0)) {
            why = "we have no network to look up its policy host by";
        } else {
            enum status s = sts_fetch_start(o->fetcher, domain, list, n);
            started = s == STATUS_OK;
            if (s == STATUS_LIMIT)
                why = "the queue of policies to fetch is full";
        }
    }
    arena_free(arena);
    if (!started)
        take_over(o, domain, STS_FETCH_OURS, NULL, why);
    pthread_mutex_lock(&o->lock);
}

/* ---- MTA-STS ---- */

/* The id of the one record there is (RFC 8461 3.1); "" if there is none, several, or a broken one. */
static void find_id(const struct asking *a, const char *name, char id[STS_ID + 1])
{
    const struct dns_answer *answer = dns_get(a->scope, name, DNS_TXT);
    size_t records = 0;

    id[0] = '\0';
    for (size_t i = 0; i < answer->count; i++) {
        struct slice txt = dns_txt(a->scope, answer, i);
        if (!sts_is_record(txt))
            continue;
        if (records++ || sts_record_id(txt, id) != STATUS_OK)
            id[0] = '\0';
    }
}

/* Tells whether the policy must be fetched before we can answer. */
static bool is_due(const struct tls_policy_entry *e, const char *id, time_t now)
{
    return *id && now >= e->retry && (!tls_policy_entry_holds(e, now) || strcmp(e->id, id) != 0);
}

static struct timespec deadline_of(const struct tls_policy *o)
{
    unsigned ms = o->config.wait_ms ? o->config.wait_ms : TLS_POLICY_WAIT_MS;
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += (time_t)(ms / 1000) + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* The domain's entry, its policy fetched if that is due, or waited for. NULL: there is none, and none can be made. With
 * the lock held. */
static struct tls_policy_entry *current_entry(const struct asking *a, const char *id)
{
    struct tls_policy *o = a->o;
    const struct timespec deadline = deadline_of(o);
    struct tls_policy_entry *e = sts_cache_find(o->cache, a->domain);

    if (!e && (!*id || o->config.no_fetch))
        return NULL;
    if (!e)
        e = sts_cache_place(o->cache, a->domain, clock_wall());
    if (!e)
        return NULL;
    e->used = clock_wall();
    if (o->config.no_fetch || !is_due(e, id, clock_wall()))
        return e;
    if (a->q->at_once) {
        *a->waits = true;
        return e;
    }
    if (!e->fetching)
        start_fetch(o, e, id);
    while ((e = sts_cache_find(o->cache, a->domain)) != NULL && e->fetching)
        if (pthread_cond_timedwait(&o->fetched, &o->lock, &deadline) != 0)
            break;
    return sts_cache_find(o->cache, a->domain);
}

static enum tls_policy_answer later(const struct asking *a, const char *what, const char *why)
{
    buf_reset(a->text);
    buf_printf(a->text, "%s: %s: %s", a->domain, what, why);
    return TLS_POLICY_LATER;
}

/* What is known of a domain's MTA-STS policy, copied out of the cache. */
struct known {
    bool enforced;
    bool late; /* there is a record, and no policy yet, by no fault of the domain's */
    char *patterns;
    time_t max_age;
};

/* False: out of memory. */
static bool find_policy(const struct asking *a, const char *name, struct known *k)
{
    char id[STS_ID + 1];

    *k = (struct known){.enforced = false};
    find_id(a, name, id);
    if (dns_scope_lacks(a->scope)) {
        *a->waits = true;
        return true;
    }
    if (*id)
        asking_trace(a, "MTA-STS: the TXT record at %s has id %s", name, id);
    else
        asking_trace(a, "MTA-STS: no valid TXT record at %s (RFC 8461 3.1)", name);
    pthread_mutex_lock(&a->o->lock);
    const struct tls_policy_entry *e = current_entry(a, id);
    const time_t now = clock_wall();
    if (e && tls_policy_entry_holds(e, now)) {
        asking_trace(a, "MTA-STS: the policy with id %s is in mode %s, for %lld s more%s", e->id,
                     sts_mode_name(e->mode), (long long)(e->expires - now),
                     strcmp(e->id, id) == 0 || !*id ? "" : "; the new one is not available yet");
        asking_trace(a, "MTA-STS: its mx: %s", *e->mx ? e->mx : "none");
        k->enforced = e->mode == STS_ENFORCE;
        k->max_age = e->expires - e->fetched;
        k->patterns = k->enforced ? strdup(e->mx) : NULL;
    } else if (*id && a->o->config.no_fetch) {
        asking_trace(a, "MTA-STS: no policy is remembered, and none is fetched without --fetch");
    } else if (*id && (!e || e->fetching || e->ours)) {
        asking_trace(a, "MTA-STS: the policy could not be fetched yet, by no fault of the domain's");
        k->late = true;
    } else if (*id) {
        asking_trace(a, "MTA-STS: the policy could not be fetched (%s): as if there were none (RFC 8461 3.3)",
                     *e->why ? e->why : "no words");
    }
    pthread_mutex_unlock(&a->o->lock);
    return !k->enforced || k->patterns;
}

/* ---- DANE ---- */

/* What the hosts of a domain come to. A host that failed is as good as unreachable (RFC 7672 2.1.2). */
struct hosts {
    bool with_tlsa;    /* at least one host has secure, usable TLSA records */
    bool without_tlsa; /* at least one host can be reached without */
    bool unusable;     /* at least one has TLSA records that mail cannot use: encrypted, not authenticated (2.2) */
    bool failed;
};

static bool is_failed(const struct dane_host *h)
{
    return h->state == DANE_HOST_BROKEN || h->state == DANE_HOST_UNKNOWN;
}

static struct hosts look_at_hosts(const struct asking *a, const struct dane_posture *p)
{
    struct hosts s = {.without_tlsa = p->mx_count > p->host_count && p->host_count == LIMIT_DANE_HOSTS};

    for (size_t i = 0; i < p->host_count; i++) {
        const struct dane_host *h = &p->hosts[i];
        asking_trace(a, "DANE: MX host %s (preference %u): %s%s", h->name, h->preference, h->reason,
                     is_failed(h) ? "; it is left out, as unreachable (RFC 7672 2.1.2)" : "");
        s.with_tlsa |= h->state == DANE_HOST_PROTECTED;
        s.unusable |= h->state == DANE_HOST_UNUSABLE;
        s.without_tlsa |=
            h->state == DANE_HOST_NONE || h->state == DANE_HOST_INSECURE || h->state == DANE_HOST_UNUSABLE;
        s.failed |= is_failed(h);
    }
    return s;
}

/* The mail hosts that may be used under an MTA-STS policy: all names of the MX set but those that failed where the set
 * is secure. with_tlsa: only those with TLSA records. */
static const char **usable_hosts(const struct asking *a, const struct dane_posture *p, bool with_tlsa, size_t *count)
{
    const struct dns_answer *mx = dns_get(a->scope, a->domain, DNS_MX);
    const char **list = ARENA_ARRAY(a->arena, const char *, mx->count + 1);

    *count = 0;
    if (!list)
        return NULL;
    if (p->implicit_mx)
        list[(*count)++] = a->domain;
    for (size_t i = 0; i < mx->count && !p->implicit_mx; i++) {
        const char *name = dns_host(a->scope, mx, i, NULL);
        const struct dane_host *h = NULL;
        for (size_t k = 0; name && k < p->host_count; k++)
            if (strcmp(p->hosts[k].name, name) == 0)
                h = &p->hosts[k];
        bool good =
            with_tlsa ? h && h->state == DANE_HOST_PROTECTED : !h || p->mx_security != DNS_SECURE || !is_failed(h);
        if (name && strcmp(name, ".") != 0 && good)
            list[(*count)++] = name;
    }
    return list;
}

static enum tls_policy_answer no_host_matches(const struct asking *a, const struct sts_answer *s)
{
    struct buf names = BUF_INIT;

    for (size_t i = 0; i < s->host_count && i < 10; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", s->hosts[i]);
    if (!s->host_count)
        buf_adds(&names, "none can be used now");
    buf_adds(&names, "; the policy allows ");
    buf_adds(&names, s->patterns);
    asking_trace(a, "MTA-STS: no mail host matches the policy (RFC 8461 4.1): %s", names.failed ? "" : names.p);
    problem_note(a->o, a->domain, names.failed ? "no mail host matches the policy" : names.p);
    enum tls_policy_answer answer =
        later(a, "MTA-STS: no mail host matches the policy (RFC 8461 4.1)", names.failed ? "out of memory" : names.p);
    buf_release(&names);
    if (!s->attributes || !s->host_count)
        return answer;
    buf_reset(a->text);
    sts_answer_print_failure(s, a->text);
    return TLS_POLICY_FOUND;
}

/* The answer under an enforced policy. */
static enum tls_policy_answer enforce(const struct asking *a, const struct dane_posture *p, const struct hosts *s,
                                      const struct known *k)
{
    struct sts_answer sts = {
        .domain = a->domain, .patterns = k->patterns, .max_age = k->max_age, .attributes = a->q->attributes};

    const bool dane = s->with_tlsa && p->mx_security == DNS_SECURE;
    sts.hosts = usable_hosts(a, p, dane, &sts.host_count);
    if (!sts.hosts)
        return later(a, "TLS policy", "out of memory");
    if (!p->host_count && !p->implicit_mx) { /* no such domain: Postfix finds that out, and returns the mail */
        sts_answer_print_patterns(&sts, a->text);
        return TLS_POLICY_FOUND;
    }
    if (!dane)
        return sts_answer_print(&sts, a->text) ? TLS_POLICY_FOUND : no_host_matches(a, &sts);
    for (size_t i = 0; i < sts.host_count; i++)
        if (sts_answer_matches(k->patterns, sts.hosts[i])) {
            asking_trace(
                a,
                "some hosts have TLSA records and others do not; %s has, and matches the MTA-STS policy: only hosts "
                "with TLSA records are used",
                sts.hosts[i]);
            buf_adds(a->text, "dane-only");
            return TLS_POLICY_FOUND;
        }
    sts.attributes = false; /* attributes of MTA-STS belong to no answer of DANE */
    return no_host_matches(a, &sts);
}

static enum tls_policy_answer found_dane(const struct asking *a)
{
    buf_adds(a->text, "dane");
    return TLS_POLICY_FOUND;
}

/* After DANE has been looked at: what MTA-STS adds. */
static enum tls_policy_answer beside_sts(const struct asking *a, const struct dane_posture *p, const struct hosts *s,
                                         const char *name)
{
    enum tls_policy_answer answer;
    struct known k;

    if (!find_policy(a, name, &k))
        return later(a, "MTA-STS", "out of memory");
    if (*a->waits) {
        free(k.patterns);
        return TLS_POLICY_WAITS;
    }
    if (k.late)
        answer = later(a, "MTA-STS", "the domain has a policy that could not be fetched yet");
    else if (k.enforced)
        answer = enforce(a, p, s, &k);
    else if (s->with_tlsa || s->unusable || (s->failed && p->mx_security == DNS_SECURE))
        answer = found_dane(a); /* Postfix itself passes by a host whose look-ups fail */
    else
        answer = TLS_POLICY_NOT_FOUND;
    free(k.patterns);
    return answer;
}

static enum tls_policy_answer asking_answer(const struct asking *a)
{
    char name[LIMIT_DOMAIN + 16];
    struct dane_posture p;

    snprintf(name, sizeof name, "_mta-sts.%s", a->domain);
    dane_start(a->scope, a->domain);
    dns_start(a->scope, name, DNS_TXT);
    if (dane_check(a->scope, a->arena, a->domain, &p) != STATUS_OK)
        return later(a, "DANE", "out of memory");
    if (dns_scope_lacks(a->scope))
        return TLS_POLICY_WAITS;
    asking_trace(a, "DANE: %s (MX answer: %s)", p.reason, dns_security_name(p.mx_security));
    if (p.state == DANE_NO_MAIL)
        return TLS_POLICY_NOT_FOUND;
    struct hosts s = look_at_hosts(a, &p);
    if (!p.host_count && (p.state == DANE_BROKEN || p.state == DANE_UNKNOWN))
        return later(a, "DANE", p.reason);
    if (p.mx_security == DNS_SECURE && s.failed && !s.with_tlsa && !s.without_tlsa)
        return later(a, "DANE", p.reason);
    if (p.mx_security == DNS_SECURE && s.with_tlsa && !s.without_tlsa)
        return found_dane(a);
    return beside_sts(a, &p, &s, name);
}

static enum tls_policy_answer test_answer(struct buf *text)
{
    static const char *const hosts[] = {TLS_POLICY_TEST_HOST};
    const struct sts_answer a = {.domain = TLS_POLICY_TEST_DOMAIN,
                                 .patterns = "*." TLS_POLICY_TEST_DOMAIN " " TLS_POLICY_TEST_HOST,
                                 .hosts = hosts,
                                 .host_count = 1,
                                 .max_age = TLS_POLICY_REFRESH,
                                 .attributes = true};

    return sts_answer_print(&a, text) ? TLS_POLICY_FOUND : TLS_POLICY_NOT_FOUND;
}

/* Who must wait asks again. */
static void ignore_arrival(void *context)
{
    (void)context;
}

enum tls_policy_answer tls_policy_ask(struct tls_policy *o, const struct tls_policy_question *q, struct buf *text)
{
    static const struct dns_budget budget = {.total_ms = TLS_POLICY_LOOKUP_SECONDS * 1000};
    char domain[LIMIT_DOMAIN + 1];
    bool waits = false;
    struct asking a = {.o = o, .q = q, .domain = domain, .text = text, .waits = &waits};
    enum tls_policy_answer found;

    buf_reset(text);
    if (!domain_of_key(q->key, domain))
        return TLS_POLICY_NOT_FOUND;
    if (q->attributes && strcmp(domain, TLS_POLICY_TEST_DOMAIN) == 0)
        return test_answer(text);
    a.arena = arena_new(ASK_ARENA);
    a.scope = a.arena ? dns_scope_new(o->config.dns, a.arena, &budget) : NULL;
    if (a.scope && q->at_once)
        dns_scope_no_wait(a.scope, ignore_arrival, NULL);
    found = a.scope ? asking_answer(&a) : later(&a, "TLS policy", "out of memory");
    dns_scope_free(a.scope);
    arena_free(a.arena);
    return found;
}

/* ---- the keeper ---- */

/* The new file beside the old one, then in its place: at every instant there is a whole one. */
static bool cache_file_replace(const char *path, struct slice text)
{
    const struct rootfile_rights rights = {.mode = 0640, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};

    return rootfile_write(path, text, &rights) == STATUS_OK;
}

/* With the lock held, which it gives up while writing. */
static void save(struct tls_policy *o)
{
    struct buf text = BUF_INIT;

    if (!o->dirty || !o->file || o->config.read_only)
        return;
    o->dirty = false;
    sts_cache_text(o->cache, clock_wall(), &text);
    pthread_mutex_unlock(&o->lock);
    bool good = !text.failed && cache_file_replace(o->file, buf_slice(&text));
    if (!good)
        problem_note(o, o->file, text.failed ? "out of memory" : strerror(errno));
    buf_release(&text);
    pthread_mutex_lock(&o->lock);
    o->dirty |= !good;
}

/* One policy that holds and is a day old, so that its end does not come while its web server is kept from us (RFC 8461
 * 10.2). With the lock held. */
static void refresh_one(struct tls_policy *o)
{
    time_t now = clock_wall();
    struct tls_policy_entry *e;

    for (size_t i = 0; (e = sts_cache_at(o->cache, i)) != NULL; i++) {
        if (e->fetching || !tls_policy_entry_holds(e, now) || now - e->fetched < TLS_POLICY_REFRESH || now < e->retry)
            continue;
        memcpy(e->wanted, e->id, sizeof e->wanted);
        start_fetch(o, e, e->wanted);
        return;
    }
}

static void *tls_policy_main(void *arg)
{
    struct tls_policy *o = arg;
    unsigned ms = o->config.tick_ms ? o->config.tick_ms : 5000;

    pthread_mutex_lock(&o->lock);
    while (!o->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)(ms % 1000) * 1000000;
        until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (!o->stop && pthread_cond_timedwait(&o->wake, &o->lock, &until) == 0)
            ;
        if (!o->stop && !o->config.read_only)
            refresh_one(o);
        save(o);
    }
    save(o); /* what came while it was being written */
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

static void give_back(struct tls_policy *o)
{
    sts_fetch_free(o->fetcher);
    sts_cache_free(o->cache);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->fetched);
    pthread_cond_destroy(&o->wake);
    free(o->file);
    free(o);
}

/* A damaged file is kept beside, so that it can be looked at; the policies that could be read are written anew. */
static void set_aside(struct tls_policy *o)
{
    char aside[PATH_MAX];

    o->dirty = true;
    if (!o->config.read_only && snprintf(aside, sizeof aside, "%s.damaged", o->file) < (int)sizeof aside &&
        rename(o->file, aside) == 0)
        problem_note(o, o->file, "has lines that are not policies: skipped; the file is kept as FILE.damaged");
    else
        problem_note(o, o->file, "has lines that are not policies: skipped");
}

static void read_file(struct tls_policy *o)
{
    size_t wrong = 0;
    enum status s = sts_cache_read(o->cache, o->file, clock_wall(), &wrong);

    if (s == STATUS_AGAIN)
        problem_note(o, o->file, strerror(errno));
    else if (wrong)
        set_aside(o);
}

struct tls_policy *tls_policy_new(const struct tls_policy_config *config)
{
    struct tls_policy *o = calloc(1, sizeof *o);
    const struct sts_fetch_config fetch = {.ca_file = config->ca_file,
                                           .port = config->port,
                                           .fetch_ms = config->fetch_ms ? config->fetch_ms : TLS_POLICY_FETCH_MS,
                                           .queue = config->queue,
                                           .done = take_over,
                                           .context = o};

    if (!o)
        return NULL;
    o->config = *config;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->fetched, NULL);
    pthread_cond_init(&o->wake, NULL);
    o->cache = sts_cache_new();
    o->fetcher = sts_fetch_new(&fetch);
    o->file = config->file ? strdup(config->file) : NULL;
    if (o->cache && o->fetcher && (o->file || !config->file)) {
        if (o->file)
            read_file(o);
        if (quiet_thread_create(&o->thread, tls_policy_main, o) == 0)
            return o;
    }
    give_back(o);
    return NULL;
}

struct tls_policy *tls_policy_free(struct tls_policy *o)
{
    if (!o)
        return NULL;
    pthread_mutex_lock(&o->lock);
    o->stop = true;
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->lock);
    pthread_join(o->thread, NULL);
    o->fetcher = sts_fetch_free(o->fetcher);
    pthread_mutex_lock(&o->lock);
    save(o); /* what the last fetches brought */
    pthread_mutex_unlock(&o->lock);
    give_back(o);
    return NULL;
}
