// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_policy.c - DANE, then MTA-STS: the answer to Postfix, the fetching of policies, the thread that keeps them.
 *
 * Locking: one mutex for the cache, never held while DNS or the web is asked. An entry that is being fetched is marked:
 * nobody else fetches it or takes its place, and who needs it waits for the condition. Entries are looked up again
 * after every wait. Failure: what DANE says decides before anything else; where it cannot be found out,
 * TLS_POLICY_LATER. A policy that cannot be fetched (RFC 8461 3.3) leaves the one that holds, or none; the domain is
 * then not asked again before its time. Out of memory is TLS_POLICY_LATER.
 */
#include "base/rootfile.h"
#include "outgoing/tls_policy.h"
#include "base/clock.h"
#include "base/domain.h"
#include "net/https.h"
#include "base/quiet_thread.h"
#include "outgoing/sts_cache.h"
#include "standards/dane/dane_posture.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ASK_ARENA (4u * 1024 * 1024)
#define FETCH_PATH "/.well-known/mta-sts.txt" /* RFC 8461 3.3 */

struct tls_policy {
    struct tls_policy_config config;
    char *file;
    struct sts_cache *cache;
    pthread_mutex_t lock;
    pthread_cond_t fetched, wake;
    pthread_t thread;
    unsigned fetching;
    bool stop, dirty;
};

struct asking {
    struct tls_policy *o;
    struct arena *arena;
    struct dns_scope *scope;
    const char *domain;
    struct buf *text;
};

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

static void note(const struct tls_policy *o, const char *domain, const char *what)
{
    if (o->config.note)
        o->config.note(o->config.context, domain, what);
}

static size_t addresses_of(struct tls_policy *o, struct arena *arena, const char *host, struct ip out[HTTPS_ADDRESSES])
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    struct dns_scope *scope = dns_scope_new(o->config.dns, arena, NULL);
    size_t n = 0;

    for (size_t k = 0; scope && k < 2; k++)
        dns_start(scope, host, types[k]);
    for (size_t k = 0; scope && k < 2; k++) {
        const struct dns_answer *a = dns_get(scope, host, types[k]);
        for (size_t i = 0; i < a->count && n < HTTPS_ADDRESSES / 2 * (k + 1); i++)
            if (dns_address(a, i, &out[n]) && (o->config.allow_special || !ip_is_special(&out[n])))
                n++;
    }
    dns_scope_free(scope);
    return n;
}

/* The domain's policy as it is now. false: none to be had, `why` says what is wrong. */
static bool fetch(struct tls_policy *o, struct arena *arena, const char *domain, struct sts_policy *out,
                  char why[HTTPS_WHY])
{
    char host[LIMIT_DOMAIN + 16];
    struct ip list[HTTPS_ADDRESSES];
    struct buf body = BUF_INIT;
    const char *wrong = NULL;

    snprintf(host, sizeof host, "mta-sts.%s", domain);
    if (strlen(host) > LIMIT_DOMAIN) {
        snprintf(why, HTTPS_WHY, "its name is too long for a policy host");
        return false;
    }
    struct https_request r = {.host = host,
                              .path = FETCH_PATH,
                              .port = o->config.port,
                              .addresses = list,
                              .address_count = addresses_of(o, arena, host, list),
                              .ca_file = o->config.ca_file,
                              .total_ms = o->config.fetch_ms};
    bool good = https_get(&r, &body, why) == HTTPS_DONE;
    if (good && sts_policy_read(arena, buf_slice(&body), out, &wrong) != STATUS_OK) {
        snprintf(why, HTTPS_WHY, "%s", wrong);
        good = false;
    }
    buf_release(&body);
    return good;
}

/* Fetches the policy of a marked entry and takes it over. Called with the lock held, which it gives up meanwhile. */
static void fetch_entry(struct tls_policy *o, struct arena *arena, const char *domain, const char *id)
{
    struct sts_policy p;
    char why[HTTPS_WHY] = "";

    o->fetching++;
    pthread_mutex_unlock(&o->lock);
    bool good = fetch(o, arena, domain, &p, why);
    if (!good)
        note(o, domain, why);
    pthread_mutex_lock(&o->lock);
    o->fetching--;
    struct tls_policy_entry *e = sts_cache_find(o->cache, domain); /* marked, so it is there */
    time_t now = clock_wall();
    if (good && sts_cache_store(e, &p, id ? id : e->id, now) == STATUS_OK) {
        o->dirty = true;
    } else {
        time_t wait = (time_t)TLS_POLICY_RETRY << (e->failures < 8 ? e->failures++ : 8);
        e->retry = now + (wait > TLS_POLICY_RETRY_MAX ? TLS_POLICY_RETRY_MAX : wait);
    }
    e->fetching = false;
    pthread_cond_broadcast(&o->fetched);
}

/* ---- MTA-STS ---- */

/* The id of the one record there is (RFC 8461 3.1); "" where there is none, several, or a broken one. */
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

/* Whether the policy must be fetched before we can answer. */
static bool is_due(const struct tls_policy_entry *e, const char *id, time_t now)
{
    return *id && now >= e->retry && (!tls_policy_entry_holds(e, now) || strcmp(e->id, id) != 0);
}

/* The domain's entry with the policy that holds, fetched where that is due; NULL: no memory, or too much is under way.
 * With the lock held. */
static struct tls_policy_entry *current_entry(const struct asking *a, const char *id)
{
    struct tls_policy *o = a->o;
    struct tls_policy_entry *e = sts_cache_find(o->cache, a->domain);
    time_t now = clock_wall();

    if (!e && !*id)
        return NULL;
    while (e && e->fetching && is_due(e, id, now)) {
        pthread_cond_wait(&o->fetched, &o->lock); /* ends, since a fetch does */
        e = sts_cache_find(o->cache, a->domain);
    }
    if (!e)
        e = sts_cache_place(o->cache, a->domain, now);
    if (!e)
        return NULL;
    e->used = now;
    if (!is_due(e, id, now) || e->fetching)
        return e;
    if (o->fetching >= TLS_POLICY_FETCHES)
        return tls_policy_entry_holds(e, now) ? e : NULL;
    e->fetching = true;
    fetch_entry(o, a->arena, a->domain, id);
    return sts_cache_find(o->cache, a->domain);
}

/* "secure match=mx.example.net:.example.net servername=hostname": a wildcard is a leading dot to Postfix. */
static void say_policy(const char *patterns, struct buf *text)
{
    buf_adds(text, "secure match=");
    for (bool first = true; *patterns; first = false) {
        size_t n = strcspn(patterns, " ");
        bool any = patterns[0] == '*';
        if (!first)
            buf_addc(text, ':');
        buf_add(text, patterns + any, n - any);
        patterns += n + (patterns[n] == ' ');
    }
    buf_adds(text, " servername=hostname");
}

static enum tls_policy_answer later(const struct asking *a, const char *what, const char *why)
{
    buf_reset(a->text);
    buf_printf(a->text, "%s: %s: %s", a->domain, what, why);
    return TLS_POLICY_LATER;
}

static enum tls_policy_answer ask_sts(const struct asking *a, const char *name)
{
    char id[STS_ID + 1];
    enum tls_policy_answer answer = TLS_POLICY_NOT_FOUND;

    find_id(a, name, id);
    pthread_mutex_lock(&a->o->lock);
    struct tls_policy_entry *e = current_entry(a, id);
    if (!e && *id)
        answer = later(a, "MTA-STS", "too many policies are being fetched");
    else if (e && tls_policy_entry_holds(e, clock_wall()) && e->mode == STS_ENFORCE) {
        say_policy(e->mx, a->text);
        answer = TLS_POLICY_FOUND;
    }
    pthread_mutex_unlock(&a->o->lock);
    return answer;
}

/* ---- DANE ---- */

enum dane_says {
    SAYS_DANE,       /* it is there, and decides alone */
    SAYS_ELSE_DANE,  /* an enforced policy may ask for more; else Postfix is to look at each host */
    SAYS_NOT_BESIDE, /* some host cannot be looked at now: no policy may stand in; else as before */
    SAYS_LATER,
    SAYS_NOTHING,
};

static bool is_any(const struct dane_posture *p, enum dane_host_state s)
{
    for (size_t i = 0; i < p->host_count; i++)
        if (p->hosts[i].state == s)
            return true;
    return false;
}

static enum dane_says what_dane_says(const struct dane_posture *p)
{
    bool secure = p->mx_security == DNS_SECURE, any = is_any(p, DANE_HOST_PROTECTED);

    if (p->mx_security == DNS_INSECURE) /* RFC 7672 2.2.1: not authenticated, whatever the hosts publish or fail to */
        return any || is_any(p, DANE_HOST_UNUSABLE) ? SAYS_ELSE_DANE : SAYS_NOTHING;
    if (secure && any)
        return SAYS_DANE;
    if (p->state == DANE_BROKEN)
        return SAYS_LATER;
    if (p->state ==
        DANE_UNKNOWN) /* a host whose addresses cannot be had: Postfix passes it by, and looks at the others */
        return is_any(p, DANE_HOST_NONE) || is_any(p, DANE_HOST_INSECURE) || is_any(p, DANE_HOST_UNUSABLE)
                   ? SAYS_NOT_BESIDE
                   : SAYS_LATER;
    return p->state == DANE_UNUSABLE ? SAYS_ELSE_DANE : SAYS_NOTHING; /* 2.2: encrypted, not authenticated */
}

static enum tls_policy_answer answer(const struct asking *a)
{
    char name[LIMIT_DOMAIN + 16];
    struct dane_posture p;

    snprintf(name, sizeof name, "_mta-sts.%s", a->domain);
    dane_start(a->scope, a->domain);
    dns_start(a->scope, name, DNS_TXT);
    if (dane_check(a->scope, a->arena, a->domain, &p) != STATUS_OK)
        return later(a, "DANE", "out of memory");
    enum dane_says says = what_dane_says(&p);
    if (says == SAYS_LATER)
        return later(a, "DANE", p.reason);
    enum tls_policy_answer found =
        says == SAYS_DANE || p.state == DANE_NO_MAIL ? TLS_POLICY_NOT_FOUND : ask_sts(a, name);
    if (found == TLS_POLICY_FOUND && says == SAYS_NOT_BESIDE)
        return later(a, "DANE", p.reason);
    if (found != TLS_POLICY_NOT_FOUND || says == SAYS_NOTHING)
        return found;
    buf_adds(a->text, "dane");
    return TLS_POLICY_FOUND;
}

enum tls_policy_answer tls_policy_ask(struct tls_policy *o, const char *key, struct buf *text)
{
    static const struct dns_budget budget = {.total_ms = TLS_POLICY_LOOKUP_SECONDS * 1000};
    char domain[LIMIT_DOMAIN + 1];
    struct asking a = {.o = o, .domain = domain, .text = text};
    enum tls_policy_answer found;

    buf_reset(text);
    if (!domain_of_key(key, domain))
        return TLS_POLICY_NOT_FOUND;
    a.arena = arena_new(ASK_ARENA);
    a.scope = a.arena ? dns_scope_new(o->config.dns, a.arena, &budget) : NULL;
    found = a.scope ? answer(&a) : later(&a, "TLS policy", "out of memory");
    dns_scope_free(a.scope);
    arena_free(a.arena);
    return found;
}

/* ---- the keeper ---- */

/* The new file beside the old one, then in its place: at every instant there is a whole one. */
static bool replace(const char *path, struct slice text)
{
    const struct rootfile_rights rights = {.mode = 0640, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};

    return rootfile_write(path, text, &rights) == STATUS_OK;
}

/* With the lock held, which it gives up while writing. */
static void save(struct tls_policy *o)
{
    struct buf text = BUF_INIT;

    if (!o->dirty || !o->file)
        return;
    o->dirty = false;
    sts_cache_text(o->cache, clock_wall(), &text);
    pthread_mutex_unlock(&o->lock);
    bool good = !text.failed && replace(o->file, buf_slice(&text));
    if (!good)
        note(o, o->file, text.failed ? "out of memory" : strerror(errno));
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
        struct arena *arena = arena_new(ASK_ARENA);
        char domain[LIMIT_DOMAIN + 1];
        memcpy(domain, e->domain, sizeof domain);
        e->fetching = arena != NULL;
        if (arena)
            fetch_entry(o, arena, domain, NULL);
        arena_free(arena);
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
        if (!o->stop)
            refresh_one(o);
        save(o);
    }
    save(o); /* what came while it was being written */
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

static void give_back(struct tls_policy *o)
{
    sts_cache_free(o->cache);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->fetched);
    pthread_cond_destroy(&o->wake);
    free(o->file);
    free(o);
}

static void read_file(struct tls_policy *o)
{
    size_t wrong = 0;
    enum status s = sts_cache_read(o->cache, o->file, clock_wall(), &wrong);

    if (s == STATUS_AGAIN)
        note(o, o->file, strerror(errno));
    else if (wrong)
        note(o, o->file, "has lines that are no policies: passed over");
}

struct tls_policy *tls_policy_new(const struct tls_policy_config *config)
{
    struct tls_policy *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    o->config = *config;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->fetched, NULL);
    pthread_cond_init(&o->wake, NULL);
    o->cache = sts_cache_new();
    o->file = config->file ? strdup(config->file) : NULL;
    if (o->cache && (o->file || !config->file)) {
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
    give_back(o);
    return NULL;
}
