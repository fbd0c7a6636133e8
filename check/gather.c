// SPDX-License-Identifier: BSD-2-Clause
/*
 * gather.c - the order in which a domain is asked about, and the threads that do it.
 *
 * Promises facts in the same order however the threads run: each conversation writes into a buffer of its own, and the
 * buffers are joined in the order of addresses. What an address said is kept for the run (kept.h), so that a second
 * domain with the same mail host does not ask again.
 */
#include "check/gather_host.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include "check/kept.h"
#include "check/testing.h"
#include "dns/dns_replay.h"
#include "net/https.h"
#include "standards/dane/dane_posture.h"
#include "standards/dkim/dkim_keyrec.h"
#include "standards/sts/sts.h"
#include <stdio.h>
#include <stdlib.h>

#define JOBS 128
#define SELECTORS_COMPARED 4 /* of DKIM, that every name server is asked about; our own limit */

struct gather {
    struct gather_config config;
    struct gate *gate, *dns_gate; /* mail hosts; name servers, which keep their pace a domain */
    struct kept *kept;            /* what an address said */
};

struct job {
    struct gather *g;
    struct gather_host host;
    void (*run)(const struct gather_host *h, struct buf *out);
    struct buf out;
    pthread_t thread;
    bool started;
};

struct work {
    struct gather *g;
    struct arena *arena;
    struct dns_scope *scope;
    const char *domain;
    size_t count;
    struct job jobs[JOBS];
    size_t question_count; /* to each name server */
    struct gather_question questions[GATHER_QUESTIONS];
    const char *zone;  /* the zone of the domain; NULL: not known */
    struct dns *fresh; /* asked instead of the run's DNS source; NULL: none */
};

struct gather *gather_new(const struct gather_config *config)
{
    struct gather *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->config = *config;
    g->gate = gate_new(config->pace_ms);
    g->dns_gate = gate_new(0);
    g->kept = kept_new(config->sockets);
    return g->gate && g->dns_gate && g->kept ? g : gather_free(g);
}

struct gather *gather_free(struct gather *g)
{
    if (!g)
        return NULL;
    kept_free(g->kept);
    gate_free(g->gate);
    gate_free(g->dns_gate);
    free(g);
    return NULL;
}

static void *job_main(void *context)
{
    struct job *j = context;
    j->run(&j->host, &j->out);
    return NULL;
}

/* ---- what is to be asked ---- */

/* Another name of an address, which is asked in one job under all its names. NULL: there are `most` names of this kind
 * already, or this address is to be asked under this one. */
static struct gather_name *new_name(struct work *w, void (*run)(const struct gather_host *h, struct buf *out),
                                    size_t most, const char *host, const struct ip *address, struct job **job)
{
    size_t same = 0;
    struct job *j = NULL;
    for (size_t i = 0; i < w->count; i++) {
        struct gather_host *h = &w->jobs[i].host;
        if (w->jobs[i].run != run)
            continue;
        same += h->name_count;
        for (size_t k = 0; k < h->name_count && ip_eq(&h->address, address); k++)
            if (strcmp(h->names[k].host, host) == 0)
                return NULL;
        if (ip_eq(&h->address, address) && run == gather_smtp)
            j = &w->jobs[i];
    }
    if (same >= most || (!j && w->count == JOBS) || (j && j->host.name_count == FACTS_MX))
        return NULL;
    if (!j) {
        j = &w->jobs[w->count++];
        *j = (struct job){.g = w->g, .run = run, .out = BUF_INIT};
        j->host =
            (struct gather_host){.config = &w->g->config, .gate = w->g->gate, .kept = w->g->kept, .address = *address};
    }
    *job = j;
    struct gather_name *n = &j->host.names[j->host.name_count++];
    n->host = host;
    return n;
}

/* What is asked of an address is the same for every domain. Only under DANE-TA(2) may the certificate bear the domain's
 * own name, too (RFC 7672 3.2.2); with DANE-EE(3) no name counts (3.2.1). NULL: out of memory. */
static const char *key_of(struct work *w, const struct gather_name *n, const struct ip *address)
{
    char ip[IP_TEXT];
    const char *whose = n->record_count ? "TLSA" : "";
    for (size_t i = 0; i < n->record_count; i++)
        if (n->records[i].used && n->records[i].usage == DANE_TA)
            whose = w->domain;
    return arena_printf(w->arena, "smtp %s %s %s", n->host, ip_text(address, ip), whose);
}

static const struct dane_host *posture_of(const struct dane_posture *p, const char *host)
{
    for (size_t i = 0; i < p->host_count; i++)
        if (strcmp(p->hosts[i].name, host) == 0)
            return &p->hosts[i];
    return NULL;
}

static void plan_smtp(struct work *w)
{
    struct mail_hosts *m = ARENA_NEW(w->arena, struct mail_hosts);
    struct dane_posture p = {.host_count = 0};
    if (!m)
        return;
    mail_hosts_find(w->scope, w->arena, w->domain, m);
    if (m->count && dane_check(w->scope, w->arena, w->domain, &p) != STATUS_OK)
        p.host_count = 0;
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; k < m->hosts[i].address_count; k++) {
            const struct ip *address = &m->hosts[i].addresses[k];
            const struct dane_host *d = posture_of(&p, m->hosts[i].name);
            struct job *j;
            struct gather_name *n = new_name(w, gather_smtp, FACTS_SMTP, m->hosts[i].name, address, &j);
            if (!n)
                continue;
            j->host.base = w->domain;
            if (d && d->state == DANE_HOST_PROTECTED) {
                n->records = d->records.record;
                n->record_count = d->records.count;
            }
            n->key = key_of(w, n, address);
        }
}

/* ---- name servers ---- */

static void add_question(struct work *w, const char *below, const char *name, enum dns_type type, const char *text)
{
    struct gather_question *q = &w->questions[w->question_count];
    if (below)
        name = arena_printf(w->arena, "%s.%s", below, name);
    if (!text && name)
        text = arena_printf(w->arena, "%s %s", dns_type_name(type), name);
    for (size_t i = 0; i < w->question_count && name; i++) /* two MX records may name one host */
        if (w->questions[i].type == type && strcmp(w->questions[i].name, name) == 0)
            return;
    if (w->question_count == GATHER_QUESTIONS || !name || !text || strlen(name) > LIMIT_DOMAIN)
        return;
    *q = (struct gather_question){.name = name, .text = text, .type = type};
    w->question_count++;
}

/* TLSA of the mail hosts in the domain's own zones, for which its name servers must be able to answer. The first, or
 * that of the domain itself, is called "TLSA" alone; others: all but the first. */
static void add_tlsa(struct work *w, bool others)
{
    const struct dns_answer *mx = dns_get(w->scope, w->domain, DNS_MX);
    size_t found = 0;
    for (size_t i = 0; i < mx->count; i++) {
        const char *host = dns_host(w->scope, mx, i, NULL);
        size_t n = host ? strlen(host) : 0, d = strlen(w->domain);
        if (n <= d || host[n - d - 1] != '.' || strcmp(host + n - d, w->domain) != 0)
            continue;
        if ((found++ > 0) == others)
            add_question(w, "_25._tcp", host, DNS_TLSA, others ? NULL : "TLSA");
    }
    if (!found && !others)
        add_question(w, "_25._tcp", w->domain, DNS_TLSA, "TLSA");
}

/* Every record that the grade rests on, the most important first. Not the addresses of hosts: name servers may give
 * each asker those that are near, or spare. */
static void plan_questions(struct work *w, const struct facts *head)
{
    char key[LIMIT_DOMAIN + 1];
    add_question(w, NULL, w->domain, DNS_SOA, "SOA");
    add_question(w, NULL, w->domain, DNS_MX, "MX");
    add_question(w, NULL, w->domain, DNS_TXT, "TXT");
    add_question(w, "_dmarc", w->domain, DNS_TXT, NULL);
    add_tlsa(w, false);
    add_question(w, NULL, w->domain, DNS_NS, "NS");
    add_question(w, "_mta-sts", w->domain, DNS_TXT, NULL);
    add_question(w, NULL, w->domain, DNS_DNSKEY, "DNSKEY");
    add_question(w, NULL, w->domain, DNS_CAA, "CAA");
    add_question(w, "_smtp._tls", w->domain, DNS_TXT, NULL);
    for (size_t i = 0; i < head->selector_count && i < SELECTORS_COMPARED; i++)
        if (dkim_keyrec_name(head->selectors[i].name, w->domain, key))
            add_question(w, NULL, arena_strdup(w->arena, key), DNS_TXT, NULL);
    add_tlsa(w, true);
}

static void plan_servers(struct work *w, const struct facts *head)
{
    const struct dns_answer *ns = dns_get(w->scope, w->domain, DNS_NS);
    const char *name = w->domain;
    size_t from = w->count;
    /* Where the domain's own cannot be looked up, those above it are not its servers. */
    while ((ns->state == DNS_NODATA || ns->state == DNS_NXDOMAIN) && (name = strchr(name, '.')) != NULL)
        ns = dns_get(w->scope, ++name, DNS_NS);
    w->zone = ns->count ? name : NULL;
    plan_questions(w, head);
    for (size_t i = 0; i < ns->count; i++) {
        const char *host = dns_host(w->scope, ns, i, NULL);
        for (int family = 0; host && family < 2; family++) {
            const struct dns_answer *a = dns_get(w->scope, host, family ? DNS_AAAA : DNS_A);
            struct ip address;
            for (size_t k = 0; k < a->count; k++) {
                struct job *j;
                if (!dns_address(a, k, &address) || !new_name(w, gather_server, GATHER_SERVERS, host, &address, &j))
                    continue;
                j->host.gate = w->g->dns_gate;
                j->host.questions = w->questions;
            }
        }
    }
    const size_t each = w->count > from ? GATHER_QUESTIONS / (w->count - from) : 0;
    for (size_t i = from; i < w->count; i++) {
        w->jobs[i].host.question_count = each < w->question_count ? each : w->question_count;
        w->jobs[i].host.tcp = each > w->question_count;
    }
}

/* The first address of a name server that may be asked. */
static bool address_of(struct work *w, const char *host, struct ip *out)
{
    for (int family = 0; host && family < 2; family++) {
        const struct dns_answer *a = dns_get(w->scope, host, family ? DNS_AAAA : DNS_A);
        for (size_t i = 0; i < a->count; i++)
            if (dns_address(a, i, out) && !gather_forbidden(&w->g->config, out))
                return true;
    }
    return false;
}

/* Whom the parent zone names for the zone: one of its servers is asked, of many domains' parent not always the same
 * one. A server that holds both zones answers for the lower one, and says nothing of it. */
static void gather_parent(struct work *w, struct buf *out)
{
    const char *parent = w->zone ? strchr(w->zone, '.') : NULL;
    const struct dns_answer *ns = parent ? dns_get(w->scope, ++parent, DNS_NS) : NULL;
    size_t first = 0;
    while (ns && (ns->state == DNS_NODATA || ns->state == DNS_NXDOMAIN) && (parent = strchr(parent, '.')) != NULL)
        ns = dns_get(w->scope, ++parent, DNS_NS);
    for (const char *p = w->domain; *p; p++)
        first += (unsigned char)*p;
    for (size_t i = 0; ns && i < ns->count; i++) {
        struct gather_host h = {.config = &w->g->config, .gate = w->g->dns_gate, .name_count = 1};
        h.names[0].host = dns_host(w->scope, ns, (first + i) % ns->count, NULL);
        if (address_of(w, h.names[0].host, &h.address)) {
            gather_delegation(&h, w->zone, out);
            return;
        }
    }
}

/* All jobs, GATHER_AT_ONCE at a time, their lines in order. */
static void run_jobs(struct work *w, struct buf *out)
{
    for (size_t from = 0; from < w->count; from += GATHER_AT_ONCE) {
        size_t to = from + GATHER_AT_ONCE < w->count ? from + GATHER_AT_ONCE : w->count;
        for (size_t i = from; i < to; i++)
            w->jobs[i].started = quiet_thread_create(&w->jobs[i].thread, job_main, &w->jobs[i]) == 0;
        for (size_t i = from; i < to; i++) {
            if (w->jobs[i].started)
                pthread_join(w->jobs[i].thread, NULL);
            else
                job_main(&w->jobs[i]);
        }
    }
    for (size_t i = 0; i < w->count; i++) {
        buf_addslice(out, buf_slice(&w->jobs[i].out));
        out->failed = out->failed || w->jobs[i].out.failed;
        buf_release(&w->jobs[i].out);
    }
}

/* ---- MTA-STS ---- */

static const char *web_outcome(enum https_outcome o)
{
    static const char *const names[] = {"done",   "unreachable", "timed out", "certificate",
                                        "status", "type",        "too long",  "internal error"};
    return (unsigned)o < sizeof names / sizeof names[0] ? names[o] : "?";
}

static void write_web(const char *host, const char *path, const char *outcome, const char *why, struct slice body,
                      struct buf *out)
{
    facts_begin_line(out, "web");
    facts_str(out, "host", host);
    facts_str(out, "path", path);
    facts_str(out, "outcome", outcome);
    facts_str(out, "why", why);
    if (body.p)
        facts_text(out, "body", body);
    facts_end_line(out);
}

static bool has_sts(struct work *w)
{
    const char *name = arena_printf(w->arena, "_mta-sts.%s", w->domain);
    const struct dns_answer *a = name ? dns_get(w->scope, name, DNS_TXT) : NULL;
    for (size_t i = 0; a && i < a->count; i++)
        if (sts_is_record(dns_txt(w->scope, a, i)))
            return true;
    return false;
}

static void gather_web(struct work *w, struct buf *out)
{
    static const char path[] = "/.well-known/mta-sts.txt";
    const char *host = arena_printf(w->arena, "mta-sts.%s", w->domain);
    struct ip addresses[HTTPS_ADDRESSES], one;
    size_t count = 0, seen = 0;
    bool unknown = false;
    char why[HTTPS_WHY] = "";
    struct buf body = BUF_INIT;
    if (!host || !has_sts(w))
        return;
    for (int family = 0; family < 2; family++) {
        const struct dns_answer *a = dns_get(w->scope, host, family ? DNS_AAAA : DNS_A);
        unknown = unknown || a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS;
        for (size_t i = 0; i < a->count && count < HTTPS_ADDRESSES; i++)
            if (dns_address(a, i, &one) && ++seen && !gather_forbidden(&w->g->config, &one))
                addresses[count++] = one;
    }
    if (!count) {
        const char *said = seen      ? "no address of it may be asked"
                           : unknown ? "its address could not be looked up"
                                     : "the name has no address";
        write_web(host, path, seen || unknown ? "not asked" : "unreachable", said, SLICE_NULL, out);
        return;
    }
    struct https_request q = {.host = host,
                              .path = path,
                              .port = w->g->config.https_port,
                              .addresses = addresses,
                              .address_count = count,
                              .ca_file = w->g->config.ca_file};
    enum https_outcome o = https_get(&q, &body, why);
    if (o == HTTPS_UNREACHABLE && w->g->config.again_ms) { /* a lost connection may be chance: tries again */
        clock_sleep_ms(w->g->config.again_ms);
        o = https_get(&q, &body, why);
    }
    write_web(host, path, web_outcome(o), why, o == HTTPS_DONE ? buf_slice(&body) : SLICE_NULL, out);
    buf_release(&body);
}

/* ---- RPKI ---- */

/* The origin of an address by a zone: TXT at the reversed address below it. NULL, or why it is not known. */
static const char *ask_origin(struct work *w, const struct ip *a, const char *zone, struct buf *out)
{
    char arpa[IP_ARPA_TEXT];
    ip_arpa(a, arpa);
    char *suffix = strstr(arpa, a->family == 4 ? ".in-addr.arpa" : ".ip6.arpa");
    if (suffix)
        *suffix = '\0';
    const char *name = arena_printf(w->arena, "%s.%s", arpa, zone);
    const struct dns_answer *answer = name ? dns_get(w->scope, name, DNS_TXT) : NULL;
    if (!answer || answer->state == DNS_TEMPFAIL || answer->state == DNS_BOGUS)
        return "its origin could not be looked up";
    for (size_t i = 0; i < answer->count; i++)
        (void)origin_from_txt(dns_txt(w->scope, answer, i), a, out);
    return NULL;
}

static void write_rpki(struct work *w, const char *host, const struct ip *address, bool name_server, struct buf *out)
{
    const struct gather_config *c = &w->g->config;
    const char *zone = address->family == 4 ? c->origin4 : c->origin6, *why = NULL;
    struct buf roas = BUF_INIT, origins = BUF_INIT;
    rtr_covering(c->rtr, address, &roas);
    if (c->origins)
        origin_of(c->origins, address, &origins);
    else if (zone && *zone)
        why = ask_origin(w, address, zone, &origins);
    facts_begin_line(out, "rpki");
    facts_str(out, "host", host);
    facts_ip(out, "address", address);
    if (name_server)
        facts_str(out, "role", "ns");
    facts_text(out, "roas", buf_slice(&roas));
    facts_text(out, "origins", buf_slice(&origins));
    facts_str(out, "why", why);
    facts_end_line(out);
    out->failed = out->failed || roas.failed || origins.failed;
    buf_release(&roas);
    buf_release(&origins);
}

/* Each address of a mail host that may be asked anything, and the name servers of the domain and of the mail hosts. */
static void gather_rpki(struct work *w, struct buf *out)
{
    struct mail_hosts *m = w->g->config.rtr ? ARENA_NEW(w->arena, struct mail_hosts) : NULL;
    struct name_servers servers;
    size_t count = 0;
    if (!m)
        return;
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->jobs[i].host.name_count && w->jobs[i].run == gather_smtp; k++, count++)
            write_rpki(w, w->jobs[i].host.names[k].host, &w->jobs[i].host.address, false, out);
    mail_hosts_find(w->scope, w->arena, w->domain, m);
    name_servers_find(w->scope, w->domain, m, &servers);
    for (size_t i = 0; i < servers.count; i++)
        for (int family = 0; family < 2; family++) {
            const struct dns_answer *a = dns_get(w->scope, servers.names[i], family ? DNS_AAAA : DNS_A);
            struct ip address;
            for (size_t k = 0; k < a->count && k < TESTING_ADDRESSES && count < FACTS_RPKI; k++)
                if (dns_address(a, k, &address) && ++count)
                    write_rpki(w, servers.names[i], &address, true, out);
        }
}

/* ---- the whole ---- */

static const char *here(enum facts_here h)
{
    return h == FACTS_YES ? "yes" : h == FACTS_NO ? "no" : "not tried";
}

static void write_head(const struct gather_config *c, const char *domain, const struct gather_known *known, int64_t at,
                       const char *canary, struct buf *out)
{
    buf_printf(out, "assay-facts %d\n", FACTS_VERSION);
    facts_begin_line(out, "subject");
    facts_str(out, "domain", domain);
    facts_number(out, "time", at);
    facts_str(out, "program", ASSAY_VERSION);
    facts_number(out, "table", CHECK_TABLE);
    facts_end_line(out);
    facts_begin_line(out, "here");
    facts_str(out, "ipv4", here(c->ipv4));
    facts_str(out, "ipv6", here(c->ipv6));
    facts_str(out, "canary", canary);
    facts_str(out, "rtr", c->rtr ? "" : c->rtr_why ? c->rtr_why : "no RTR cache is configured");
    facts_end_line(out);
    for (size_t i = 0; i < known->selector_count; i++) {
        facts_begin_line(out, "selector");
        facts_str(out, "name", known->selectors[i].name);
        facts_str(out, "source", known->selectors[i].source);
        facts_end_line(out);
    }
    for (size_t i = 0; i < known->sender_count; i++) {
        facts_begin_line(out, "sender");
        facts_ip(out, "address", &known->senders[i].address);
        facts_str(out, "source", known->senders[i].source);
        facts_number(out, "mails", known->senders[i].mails);
        facts_number(out, "aligned", known->senders[i].aligned);
        facts_end_line(out);
    }
    if (known->tls || known->clear) {
        facts_begin_line(out, "seen");
        facts_number(out, "tls", known->tls);
        facts_number(out, "clear", known->clear);
        facts_end_line(out);
    }
}

/* Every answer the scope got, each line behind the word "dns". */
static enum status write_dns(const struct dns_scope *scope, struct buf *out)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    enum status s = f ? dns_replay_write(scope, f) : STATUS_NOMEM;
    if (f && fclose(f) != 0)
        s = STATUS_NOMEM;
    for (char *line = text, *end; s == STATUS_OK && line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        buf_adds(out, "dns ");
        buf_add(out, line, (size_t)(end - line) + 1);
    }
    free(text);
    return s;
}

static enum status gather_all(struct work *w, const struct facts *head, struct buf *out)
{
    enum status s;
    plan_servers(w, head);
    plan_smtp(w);
    struct buf web = BUF_INIT, talks = BUF_INIT;
    const char *sts = arena_printf(w->arena, "mta-sts.%s", w->domain);
    if (sts && has_sts(w)) { /* known to the facts, too */
        (void)dns_get(w->scope, sts, DNS_A);
        (void)dns_get(w->scope, sts, DNS_AAAA);
    }
    gather_rpki(w, &talks);
    gather_parent(w, &talks);
    s = write_dns(w->scope, out);
    if (s == STATUS_OK) {
        run_jobs(w, &talks);
        gather_web(w, &web);
        buf_addslice(out, buf_slice(&talks));
        buf_addslice(out, buf_slice(&web));
    }
    if (talks.failed || web.failed || out->failed || arena_failed(w->arena))
        s = STATUS_NOMEM;
    buf_release(&talks);
    buf_release(&web);
    return s;
}

/* All that the tests ask of DNS, in a scope of its own. */
static bool ask_dns(struct work *w, const struct facts *head, const struct dns_budget *budget)
{
    w->scope = dns_scope_new(w->fresh ? w->fresh : w->g->config.dns, w->arena, budget);
    if (!w->scope)
        return false;
    dns_scope_sort(w->scope); /* the same facts whatever the order */
    check_ask(w->scope, w->arena, head);
    return true;
}

/* A look-up that failed, on a busy computer or for a moment's trouble on the way, is no fact yet: once more, after a
 * pause. What was answered is in the source's cache. The first question alone ends what the source holds against a
 * zone that did not answer (dns_share.h). */
static bool ask_again(struct work *w, const struct facts *head)
{
    static const struct dns_budget first = {.lookups = 1, .lookup_ms = 5000, .total_ms = 5000},
                                   budget = {.lookups = 2000, .lookup_ms = 5000, .total_ms = 30000};
    dns_scope_free(w->scope);
    clock_sleep_ms(w->g->config.again_ms);
    w->scope = dns_scope_new(w->g->config.dns, w->arena, &first);
    if (w->scope)
        (void)dns_get(w->scope, w->domain, DNS_SOA);
    dns_scope_free(w->scope);
    return ask_dns(w, head, &budget);
}

static bool is_bogus(const struct dns_scope *scope)
{
    const struct dns_answer *a;
    bool bogus = false;
    for (size_t i = 0; !bogus && (a = dns_trace(scope, i)) != NULL; i++)
        bogus = a->state == DNS_BOGUS;
    return bogus;
}

/* An answer is bogus because its signatures are wrong, or because the answer with a key above it was lost. In the
 * second case the run's source calls all names below that key bogus for a minute. A source with an empty cache tells
 * which. */
static bool ask_afresh(struct work *w, const struct facts *head)
{
    static const struct dns_budget budget = {.lookups = 2000, .lookup_ms = 5000, .total_ms = 30000};
    struct dns *fresh = w->g->config.fresh(w->g->config.context);
    if (!fresh)
        return true;
    dns_scope_free(w->scope);
    w->fresh = fresh;
    return ask_dns(w, head, &budget);
}

/* Asks until it is known whether the domain causes a failure. canary: gets what is wrong with our own DNS. */
static bool ask_all(struct work *w, const struct facts *head, char canary[GATHER_CANARY])
{
    static const struct dns_budget budget = {.lookups = 2000, .lookup_ms = 5000, .total_ms = 60000};
    const struct gather_config *c = &w->g->config;
    bool asked = ask_dns(w, head, &budget);
    if (asked && c->again_ms && dns_scope_failures(w->scope))
        asked = ask_again(w, head);
    if (asked && c->fresh && is_bogus(w->scope))
        asked = ask_afresh(w, head);
    if (asked && c->canary && (dns_scope_failures(w->scope) || is_bogus(w->scope)))
        c->canary(c->context, canary);
    return asked;
}

enum status gather_domain(struct gather *g, const char *domain, const struct gather_known *known, struct buf *out)
{
    const int64_t at = clock_wall();
    char canary[GATHER_CANARY] = "";
    struct buf text = BUF_INIT;
    struct arena *arena = arena_new(g->config.memory ? g->config.memory : GATHER_MEMORY);
    struct work *w = arena ? arena_alloc(arena, sizeof *w) : NULL;
    const char *error;
    struct facts *head = NULL;
    enum status s = STATUS_NOMEM;
    write_head(&g->config, domain, known, at, canary, &text);
    if (w && !text.failed)
        head = facts_read(arena, buf_slice(&text), &error);
    if (head) {
        *w = (struct work){.g = g, .arena = arena, .domain = head->domain};
        const bool asked = ask_all(w, head, canary);
        write_head(&g->config, domain, known, at, canary, out);
        if (asked)
            s = gather_all(w, head, out);
        dns_scope_free(w->scope);
        dns_close(w->fresh);
    }
    facts_free(head);
    buf_release(&text);
    arena_free(arena);
    return s;
}
