// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_posture.c - makes the look-ups of RFC 7672 section 2.2 for one domain, and evaluates them.
 *
 * Order: MX (2.2.1), or the domain itself if it has none; the addresses of all hosts, asked together; for hosts whose
 * addresses are secure their TLSA records (2.2.2, 2.2.3), asked together: at the end of a secure CNAME chain first,
 * then at the name itself; where the chain is insecure but its first link is not, at the name itself. A host whose
 * addresses are insecure is not asked for TLSA: servers of unsigned zones may fail on that (2.2.2).
 *
 * States are never mixed: "no records" is returned only if that is proved or unsigned, a failing TLSA look-up is
 * "broken", anything else that failed is "could not tell". Fails only because memory ran out.
 */
#include "standards/dane/dane_posture.h"
#include <stdlib.h>

struct posture {
    struct dns_scope *scope;
    struct arena *arena;
    struct dane_posture *out;
    bool any_answer;
};

const char *dane_state_name(enum dane_state s)
{
    static const char *const names[] = {"protected", "partial", "insecure-mx", "unusable",
                                        "none",      "no-mail", "broken",      "unknown"};
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "?";
}

const char *dane_host_state_name(enum dane_host_state s)
{
    static const char *const names[] = {"protected", "unusable", "none", "insecure", "no-address", "broken", "unknown"};
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "?";
}

static const struct dns_answer *answer_get(struct posture *p, const char *name, enum dns_type type)
{
    const struct dns_answer *a = dns_get(p->scope, name, type);
    if (a->state == DNS_BADNAME)
        return a;
    enum dns_security *weakest = &p->out->security;
    if (!p->any_answer || a->state == DNS_BOGUS || (*weakest != DNS_BROKEN && a->security < *weakest))
        *weakest = a->security;
    p->any_answer = true;
    return a;
}

static void posture_set(struct dane_posture *out, enum dane_state state, enum result result, const char *reason)
{
    out->state = state;
    out->result = result;
    out->reason = reason ? reason : "out of memory";
}

static void settle_host(struct dane_host *h, enum dane_host_state state, const char *reason)
{
    h->state = state;
    h->reason = reason;
}

void dane_start(struct dns_scope *scope, const char *domain)
{
    dns_start(scope, domain, DNS_MX);
}

static int by_preference(const void *a, const void *b)
{
    const struct dane_host *x = a, *y = b;
    return x->preference != y->preference ? (x->preference < y->preference ? -1 : 1) : strcmp(x->name, y->name);
}

static bool is_listed(const struct dane_posture *out, const char *name)
{
    for (size_t i = 0; i < out->host_count; i++)
        if (strcmp(out->hosts[i].name, name) == 0)
            return true;
    return false;
}

/* The hosts of an MX set: each name once, the ten most preferred. An invalid name, or ".", is not a host to send to.
 */
static bool list_hosts(struct posture *p, const struct dns_answer *mx)
{
    struct dane_posture *out = p->out;
    out->hosts = ARENA_ARRAY(p->arena, struct dane_host, mx->count);
    if (!out->hosts)
        return false;
    for (size_t i = 0; i < mx->count; i++) {
        uint16_t preference = 0;
        const char *name = dns_host(p->scope, mx, i, &preference);
        if (name && strcmp(name, ".") != 0 && !is_listed(out, name))
            out->hosts[out->host_count++] = (struct dane_host){.name = name, .preference = preference};
    }
    qsort(out->hosts, out->host_count, sizeof *out->hosts, by_preference);
    out->mx_count = mx->count;
    return true;
}

static bool is_null_mx(struct posture *p, const struct dns_answer *mx)
{
    const char *host = mx->count == 1 ? dns_host(p->scope, mx, 0, NULL) : NULL;
    return host && strcmp(host, ".") == 0;
}

/* Sets out->hosts. False: there is nothing more to check, the finding is final. */
static bool find_hosts(struct posture *p)
{
    struct dane_posture *out = p->out;
    const struct dns_answer *mx = answer_get(p, out->domain, DNS_MX);
    out->mx_security = mx->security;
    switch (mx->state) {
    case DNS_FOUND:
        if (is_null_mx(p, mx)) {
            out->mx_count = 1;
            posture_set(out, DANE_NO_MAIL, RESULT_NONE, "a null MX: the domain takes no mail");
            return false;
        }
        return list_hosts(p, mx);
    case DNS_NODATA:
        out->implicit_mx = true;
        out->hosts = ARENA_NEW(p->arena, struct dane_host);
        if (!out->hosts)
            return false;
        out->hosts[0] = (struct dane_host){.name = out->domain};
        out->host_count = 1;
        return true;
    case DNS_NXDOMAIN:
        posture_set(out, DANE_NONE, RESULT_NONE, "no such domain");
        return false;
    case DNS_BOGUS:
        posture_set(out, DANE_BROKEN, RESULT_FAIL,
                    arena_printf(p->arena, "the MX answer does not validate (DNSSEC): %s", mx->why));
        return false;
    default:
        posture_set(out, DANE_UNKNOWN, RESULT_TEMPERROR,
                    arena_printf(p->arena, "the MX look-up failed: %s", mx->why ? mx->why : "no name"));
        return false;
    }
}

/* Evaluates the two address look-ups of a host. False: the host's state is final. */
static bool judge_addresses(struct posture *p, struct dane_host *h, const struct dns_answer *a,
                            const struct dns_answer *aaaa)
{
    h->v4 = a->state == DNS_FOUND;
    h->v6 = aaaa->state == DNS_FOUND;
    if (a->state == DNS_BOGUS || aaaa->state == DNS_BOGUS) {
        h->address_security = DNS_BROKEN;
        h->bogus = true;
        settle_host(h, DANE_HOST_BROKEN, "its addresses do not validate (DNSSEC)");
        return false;
    }
    if (!h->v4 && !h->v6) {
        bool failed = a->state == DNS_TEMPFAIL || aaaa->state == DNS_TEMPFAIL;
        settle_host(h, failed ? DANE_HOST_UNKNOWN : DANE_HOST_NO_ADDRESS,
                    failed ? "its addresses could not be found out now" : "it has no address");
        return false;
    }
    const struct dns_answer *one = h->v4 ? a : aaaa;
    h->address_security = one->security;
    if (h->v4 && h->v6 && aaaa->security < h->address_security)
        h->address_security = aaaa->security;
    h->base = one->canonical ? one->canonical : h->name;
    return true;
}

static const char *tlsa_name(struct posture *p, const char *base)
{
    return arena_printf(p->arena, "_25._tcp.%s", base);
}

/* 2.2.3: an alias into an unsigned zone. Its own name counts where the alias record itself is secure. */
static bool is_secure_alias(struct posture *p, const struct dane_host *h)
{
    if (strcmp(h->base, h->name) == 0)
        return false;
    const struct dns_answer *a = answer_get(p, h->name, DNS_CNAME);
    return a->state == DNS_FOUND && a->security == DNS_SECURE;
}

static void find_addresses(struct posture *p)
{
    struct dane_posture *out = p->out;
    size_t n = out->host_count < LIMIT_DANE_HOSTS ? out->host_count : LIMIT_DANE_HOSTS;
    for (size_t i = 0; i < n; i++) {
        dns_start(p->scope, out->hosts[i].name, DNS_A);
        dns_start(p->scope, out->hosts[i].name, DNS_AAAA);
    }
    for (size_t i = 0; i < n; i++) {
        struct dane_host *h = &out->hosts[i];
        const struct dns_answer *a = answer_get(p, h->name, DNS_A), *aaaa = answer_get(p, h->name, DNS_AAAA);
        settle_host(h, DANE_HOST_UNKNOWN, NULL);
        if (!judge_addresses(p, h, a, aaaa))
            continue;
        if (h->address_security != DNS_SECURE && is_secure_alias(p, h)) {
            h->base = h->name;
        } else if (h->address_security != DNS_SECURE) {
            h->base = NULL;
            settle_host(h, DANE_HOST_INSECURE, "its addresses are not signed (DNSSEC)");
            continue;
        }
        const char *name = tlsa_name(p, h->base);
        if (name)
            dns_start(p->scope, name, DNS_TLSA);
    }
}

/* Evaluates the TLSA answer at one base domain. True: the host's state is final. */
static bool judge_tlsa(struct posture *p, struct dane_host *h, const char *base)
{
    const char *name = tlsa_name(p, base);
    if (!name)
        return true;
    const struct dns_answer *a = answer_get(p, name, DNS_TLSA);
    h->tlsa_security = a->security;
    switch (a->state) {
    case DNS_FOUND:
        break;
    case DNS_BOGUS:
        h->bogus = true;
        settle_host(h, DANE_HOST_BROKEN, "its TLSA answer does not validate (DNSSEC)");
        return true;
    case DNS_TEMPFAIL:
        settle_host(h, a->limit ? DANE_HOST_UNKNOWN : DANE_HOST_BROKEN,
                    a->limit ? "its TLSA records could not be found out now" : "its TLSA look-up fails");
        return true;
    default:
        settle_host(h, DANE_HOST_NONE, "it has no TLSA records");
        return false;
    }
    if (a->security != DNS_SECURE) {
        settle_host(h, DANE_HOST_INSECURE, "its TLSA records are not signed (DNSSEC)");
        return false;
    }
    h->base = base;
    if (dane_records_read(p->arena, a, &h->records) != STATUS_OK)
        return true;
    if (h->records.usable)
        settle_host(h, DANE_HOST_PROTECTED, "it has secure, usable TLSA records");
    else
        settle_host(h, DANE_HOST_UNUSABLE, "none of its TLSA records can be used for mail");
    return true;
}

static void find_tlsa(struct posture *p)
{
    struct dane_posture *out = p->out;
    for (size_t i = 0; i < out->host_count && i < LIMIT_DANE_HOSTS; i++) {
        struct dane_host *h = &out->hosts[i];
        if (h->reason)
            continue;
        const char *first = h->base;
        h->base = NULL;
        if (!judge_tlsa(p, h, first) && strcmp(first, h->name) != 0)
            judge_tlsa(p, h, h->name);
        if (!h->reason)
            settle_host(h, DANE_HOST_UNKNOWN, "out of memory");
    }
}

struct host_counts {
    size_t of[DANE_HOST_UNKNOWN + 1];
    size_t looked_at, counted; /* counted: those with an address */
    const struct dane_host *example[DANE_HOST_UNKNOWN + 1];
};

static void count_hosts(const struct dane_posture *out, struct host_counts *t)
{
    t->looked_at = out->host_count < LIMIT_DANE_HOSTS ? out->host_count : LIMIT_DANE_HOSTS;
    for (size_t i = 0; i < t->looked_at; i++) {
        const struct dane_host *h = &out->hosts[i];
        t->of[h->state]++;
        t->counted += h->state != DANE_HOST_NO_ADDRESS;
        if (!t->example[h->state])
            t->example[h->state] = h;
    }
}

static const char *about(struct posture *p, const struct host_counts *t, enum dane_host_state state)
{
    const struct dane_host *h = t->example[state];
    if (t->counted == 1)
        return arena_printf(p->arena, "MX host %s: %s", h->name, h->reason);
    return arena_printf(p->arena, "%zu of %zu MX hosts, %s among them: %s", t->of[state], t->counted, h->name,
                        h->reason);
}

/* Why hosts are not protected, the worst reason first. */
static enum dane_host_state worst(const struct host_counts *t)
{
    static const enum dane_host_state order[] = {DANE_HOST_BROKEN, DANE_HOST_UNUSABLE, DANE_HOST_NONE,
                                                 DANE_HOST_INSECURE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (t->of[order[i]])
            return order[i];
    return DANE_HOST_UNKNOWN;
}

/* Every host with an address is protected. */
static void posture_result_of_all(struct posture *p, const struct host_counts *t)
{
    struct dane_posture *out = p->out;
    if (out->mx_security != DNS_SECURE)
        posture_set(
            out, DANE_INSECURE_MX, RESULT_NEUTRAL,
            "the MX hosts have secure TLSA records, but the MX answer is not signed: who the hosts are can be forged");
    else if (out->host_count > t->looked_at)
        posture_set(out, DANE_PARTIAL, RESULT_NEUTRAL,
                    arena_printf(p->arena, "the first %zu of %zu MX hosts are protected, the others were not looked at",
                                 t->looked_at, out->host_count));
    else
        posture_set(out, DANE_PROTECTED, RESULT_PASS,
                    out->implicit_mx ? "the domain is its own mail host and has secure, usable TLSA records"
                                     : "every MX host has secure, usable TLSA records");
}

static void posture_result(struct posture *p)
{
    struct dane_posture *out = p->out;
    struct host_counts t = {0};
    count_hosts(out, &t);
    size_t good = t.of[DANE_HOST_PROTECTED];
    if (t.counted == 0)
        posture_set(out, DANE_NONE, RESULT_NONE, "no MX host has an address");
    else if (good == t.counted)
        posture_result_of_all(p, &t);
    else if (t.of[DANE_HOST_UNKNOWN])
        posture_set(out, DANE_UNKNOWN, RESULT_TEMPERROR, about(p, &t, DANE_HOST_UNKNOWN));
    else if (good && out->mx_security != DNS_SECURE)
        posture_set(out, DANE_INSECURE_MX, RESULT_NEUTRAL,
                    "some MX hosts have secure TLSA records, but the MX answer is not signed");
    else if (good)
        posture_set(out, DANE_PARTIAL, RESULT_NEUTRAL, about(p, &t, worst(&t)));
    else if (t.of[DANE_HOST_BROKEN])
        posture_set(out, DANE_BROKEN, t.example[DANE_HOST_BROKEN]->bogus ? RESULT_FAIL : RESULT_TEMPERROR,
                    about(p, &t, DANE_HOST_BROKEN));
    else if (t.of[DANE_HOST_UNUSABLE])
        posture_set(out, DANE_UNUSABLE, RESULT_PERMERROR, about(p, &t, DANE_HOST_UNUSABLE));
    else
        posture_set(out, DANE_NONE, RESULT_NONE, about(p, &t, worst(&t)));
}

enum status dane_check(struct dns_scope *scope, struct arena *arena, const char *domain, struct dane_posture *out)
{
    struct posture p = {.scope = scope, .arena = arena, .out = out};
    *out = (struct dane_posture){.state = DANE_UNKNOWN, .result = RESULT_TEMPERROR, .reason = "out of memory"};
    out->domain = arena_strdup(arena, domain);
    if (out->domain && find_hosts(&p)) {
        find_addresses(&p);
        find_tlsa(&p);
        posture_result(&p);
    }
    if (out->host_count > LIMIT_DANE_HOSTS)
        out->host_count = LIMIT_DANE_HOSTS;
    if (!arena_failed(arena))
        return STATUS_OK;
    posture_set(out, DANE_UNKNOWN, RESULT_TEMPERROR, "out of memory");
    return STATUS_NOMEM;
}
