// SPDX-License-Identifier: BSD-2-Clause
/*
 * gather_host.c - asks one address, and writes what it said.
 *
 * Promises bounded memory (an arena of its own for each conversation) and time, and a line even if nothing came of it:
 * what could not be asked is a fact with its cause.
 */
#include "check/gather_host.h"
#include "base/base64.h"
#include "base/clock.h"
#include "check/kept.h"
#include "check/tls_probe.h"
#include "dns/direct.h"
#include "net/https.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA (16u << 20) /* of one conversation: two dozen answers of 128 kB, and chains */

const char *gather_forbidden(const struct gather_config *c, const struct ip *a)
{
    if (ip_is_special(a) && !c->allow_special)
        return FACTS_NOT_PUBLIC;
    if (c->is_own && c->is_own(c->context, a))
        return "an address of our own";
    if ((a->family == 4 ? c->ipv4 : c->ipv6) != FACTS_YES)
        return a->family == 4 ? "this computer has no IPv4" : "this computer has no IPv6";
    return NULL;
}

/* ---- mail hosts ---- */

static X509 *read_cert(struct slice der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    return der.n ? d2i_X509(NULL, &p, (long)der.n) : NULL;
}

/* Tells whether an authority of this computer vouches for the chain; "ok" or why not. The name is no part of it. */
static const char *trust_of(const struct gather_config *c, const struct starttls_result *r)
{
    int error = X509_V_ERR_UNSPECIFIED;
    X509 *leaf = r->chain_count ? read_cert(r->chain[0]) : NULL;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    for (size_t i = 1; chain && i < r->chain_count; i++) {
        X509 *more = read_cert(r->chain[i]);
        if (more && !sk_X509_push(chain, more))
            X509_free(more);
    }
    int loaded = !store       ? 0
                 : c->ca_file ? X509_STORE_load_file(store, c->ca_file)
                              : X509_STORE_set_default_paths(store);
    if (leaf && ctx && loaded == 1 && X509_STORE_CTX_init(ctx, store, leaf, chain) == 1) {
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), clock_wall());
        X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), X509_PURPOSE_SSL_SERVER);
        X509_verify_cert(ctx);
        error = X509_STORE_CTX_get_error(ctx);
    }
    sk_X509_pop_free(chain, X509_free);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    ERR_clear_error();
    return error == X509_V_OK ? "ok" : X509_verify_cert_error_string(error);
}

static void write_certs(const struct starttls_result *r, struct buf *out)
{
    for (size_t i = 0; i < r->chain_count && i < FACTS_CHAIN; i++) {
        struct buf text = BUF_INIT;
        if (r->chain[i].n > FACTS_LINE / 2)
            continue;
        base64_encode(&text, r->chain[i], 0);
        facts_begin_line(out, "cert");
        facts_text(out, "der", buf_slice(&text));
        facts_end_line(out);
        out->failed = out->failed || text.failed;
        buf_release(&text);
    }
}

static void skip_smtp(const struct gather_host *h, const struct gather_name *name, const char *why, struct buf *out)
{
    facts_begin_line(out, "smtp");
    facts_str(out, "host", name->host);
    facts_ip(out, "address", &h->address);
    facts_str(out, "outcome", "not asked");
    facts_str(out, "reason", why);
    facts_end_line(out);
}

static void write_smtp(const struct gather_host *h, const struct gather_name *name, const struct starttls_result *r,
                       struct buf *out)
{
    facts_begin_line(out, "smtp");
    facts_str(out, "host", name->host);
    facts_ip(out, "address", &h->address);
    facts_str(out, "outcome", starttls_outcome_name(r->outcome));
    facts_str(out, "reason", r->reason);
    if (r->connected)
        facts_number(out, "connected", 1);
    facts_str(out, "banner", r->banner);
    facts_str(out, "ehlo", r->ehlo);
    facts_str(out, "version", r->version);
    facts_str(out, "cipher", r->cipher);
    if (r->outcome == STARTTLS_DONE) {
        if (name->record_count)
            facts_str(out, "dane", r->dane_match ? "match" : r->tlsa_usable ? r->dane_error : "none");
        if (r->dane_match)
            facts_number(out, "usage", r->dane_usage);
        facts_str(out, "trust", https_has_authorities(h->config->ca_file) ? trust_of(h->config, r) : NULL);
    }
    facts_end_line(out);
    if (r->outcome == STARTTLS_DONE)
        write_certs(r, out);
}

/* A line without its beginning, which names the host. */
static void write_tls(const struct ip *address, const struct tls_probe *p, struct buf *out)
{
    const struct hello_answer *a = &p->answer;
    facts_ip(out, "address", address);
    facts_str(out, "probe", p->name);
    facts_str(out, "outcome", p->outcome);
    const struct {
        const char *name;
        unsigned value;
    } numbers[] = {{"version", a->version},     {"cipher", a->cipher},   {"group", a->group},
                   {"signature", a->signature}, {"dh-bits", a->dh_bits}, {"compression", a->compression},
                   {"alert", a->alert},         {"ems", a->ems},         {"renegotiation", a->renegotiation}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value)
            facts_number(out, numbers[i].name, numbers[i].value);
    facts_end_line(out);
}

/* The records that count (RFC 7671 section 9: the strongest digest of each kind), as OpenSSL takes them. */
static size_t usable_records(const struct gather_name *name, struct starttls_tlsa out[STARTTLS_MAX_TLSA])
{
    size_t n = 0;
    for (size_t i = 0; i < name->record_count && n < STARTTLS_MAX_TLSA; i++)
        if (name->records[i].used)
            out[n++] = (struct starttls_tlsa){name->records[i].usage, name->records[i].selector,
                                              name->records[i].matching, name->records[i].data};
    return n;
}

/* One conversation with the address under one of its names. */
struct talk {
    const struct gather_host *h;
    const struct gather_name *name;
    size_t probes; /* most offers of TLS */
};

static struct starttls_request request_of(const struct talk *t)
{
    const struct gather_config *c = t->h->config;
    return (struct starttls_request){.address = t->h->address,
                                     .port = c->smtp_port,
                                     .server_name = t->name->host,
                                     .base_domain = t->h->base,
                                     .ehlo = c->ehlo,
                                     .total_ms = c->connect_ms ? c->connect_ms : GATHER_CONNECT_MS};
}

static void ask_smtp(void *context, struct buf *out)
{
    const struct talk *t = context;
    struct starttls_tlsa tlsa[STARTTLS_MAX_TLSA];
    struct starttls_request q = request_of(t);
    struct starttls_result r;
    struct arena *arena = arena_new(ARENA);
    q.tlsa = tlsa;
    q.tlsa_count = usable_records(t->name, tlsa);
    if (arena && gate_enter(t->h->gate, &q.address)) {
        starttls_run(arena, &q, &r);
        gate_leave(t->h->gate, &q.address);
        write_smtp(t->h, t->name, &r, out);
    } else {
        out->failed = true;
    }
    arena_free(arena);
}

/* Lines without their beginning, which names the host. */
static void ask_tls(void *context, struct buf *out)
{
    const struct talk *t = context;
    struct starttls_request q = request_of(t);
    struct arena *arena = arena_new(ARENA);
    struct tls_probe *probes = arena ? ARENA_ARRAY(arena, struct tls_probe, TLS_PROBE_CONNECTIONS) : NULL;
    size_t n = probes ? tls_probe_run(arena, t->h->gate, &q, t->probes, probes) : 0;
    for (size_t i = 0; i < n; i++)
        write_tls(&t->h->address, &probes[i], out);
    out->failed = out->failed || !probes;
    arena_free(arena);
}

/* How the conversation under a name ended, as far as the other names of the address need it. */
enum ending {
    OF_ADDRESS, /* before TLS: the name was not even told to the host */
    OF_NAME,    /* within TLS, which goes by the name (SNI) */
    NO_TLS,     /* the host refused TLS under this name, or speaks none that we can */
    WITH_TLS,
};

/* What others say stands behind the outcome. */
static enum ending ending_of(struct slice said)
{
    static const struct {
        enum starttls_outcome outcome;
        enum ending ending;
    } endings[] = {
        {STARTTLS_DONE, WITH_TLS}, {STARTTLS_HANDSHAKE, NO_TLS}, {STARTTLS_CUT, OF_NAME}, {STARTTLS_TOO_LONG, OF_NAME}};
    const char *at = said.n ? strstr(said.p, " outcome=") : NULL;
    enum ending ending = OF_ADDRESS;
    for (size_t i = 0; at && i < sizeof endings / sizeof endings[0]; i++) {
        struct buf field = BUF_INIT;
        facts_str(&field, "outcome", starttls_outcome_name(endings[i].outcome));
        if (field.n && strncmp(at, field.p, field.n) == 0)
            ending = endings[i].ending;
        buf_release(&field);
    }
    return ending;
}

/* The same line for another name. */
static void write_again(const char *host, const struct buf *said, struct buf *out)
{
    const char *rest = said->n ? strstr(said->p, " address=") : NULL;
    facts_begin_line(out, "smtp");
    facts_str(out, "host", host);
    buf_adds(out, rest ? rest : "\n");
}

/* What TLS the address accepts, for each name under which TLS was tried there. It is asked under a name that the host
 * knows: one that knows none of its names by SNI refuses every offer, and that says nothing of other names. */
static void tls_of_names(const struct gather_host *h, const enum ending *endings, struct buf *out)
{
    char ip[IP_TEXT], key[IP_TEXT + LIMIT_DOMAIN + 16];
    size_t best = 0;
    for (size_t i = 1; i < h->name_count; i++)
        best = endings[i] > endings[best] ? i : best;
    if (!h->name_count || endings[best] < NO_TLS)
        return;
    struct talk t = {h, &h->names[best], TLS_PROBE_CONNECTIONS - h->name_count};
    struct buf said = BUF_INIT;
    snprintf(key, sizeof key, "tls %s %s", ip_text(&h->address, ip), endings[best] == WITH_TLS ? "" : t.name->host);
    kept_get(h->kept, key, ask_tls, &t, &said);
    for (size_t i = 0; i < h->name_count; i++) {
        const char *line = endings[i] == endings[best] ? said.p : "";
        for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            facts_begin_line(out, "tls");
            facts_str(out, "host", h->names[i].host);
            buf_add(out, line, (size_t)(end - line) + 1);
        }
    }
    out->failed = out->failed || said.failed;
    buf_release(&said);
}

void gather_smtp(const struct gather_host *h, struct buf *out)
{
    _Static_assert(FACTS_MX + TLS_PROBE_LEAST <= TLS_PROBE_CONNECTIONS, "each name, and every question of TLS");
    const char *why = gather_forbidden(h->config, &h->address);
    enum ending endings[FACTS_MX];
    bool again = false; /* whatever the name, the address says the same */
    struct buf said = BUF_INIT;
    for (size_t i = 0; i < h->name_count; i++) {
        struct talk t = {h, &h->names[i], 0};
        if (again) {
            write_again(t.name->host, &said, out);
            endings[i] = OF_ADDRESS;
            continue;
        }
        buf_reset(&said);
        if (why)
            skip_smtp(h, t.name, why, &said);
        else
            kept_get(h->kept, t.name->key, ask_smtp, &t, &said);
        endings[i] = ending_of(buf_slice(&said));
        again = endings[i] == OF_ADDRESS && !said.failed;
        buf_addslice(out, buf_slice(&said));
        out->failed = out->failed || said.failed;
    }
    buf_release(&said);
    tls_of_names(h, endings, out);
}

/* ---- name servers ---- */

static int by_octets(const void *a, const void *b)
{
    return slice_order(*(const struct slice *)a, *(const struct slice *)b);
}

/* A digest of the records of one type, in an order of our own. Of an alias, its own record alone: what stands behind it
 * may lie in a zone that only some of the servers hold. */
static void digest_of(struct arena *arena, const struct dns_direct_answer *a, enum dns_type type, char out[17])
{
    const bool alias = a->count && a->records[0].type == DNS_CNAME;
    struct slice *sorted = ARENA_ARRAY(arena, struct slice, a->count);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    size_t n = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    for (size_t i = 0; sorted && i < (alias ? 1 : a->count); i++)
        if (alias || a->records[i].type == type)
            sorted[n++] = a->records[i].rdata;
    out[0] = '\0';
    if (sorted && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1) {
        qsort(sorted, n, sizeof *sorted, by_octets);
        for (size_t i = 0; i < n; i++) {
            unsigned char size[2] = {(unsigned char)(sorted[i].n >> 8), (unsigned char)sorted[i].n};
            EVP_DigestUpdate(md, size, sizeof size);
            EVP_DigestUpdate(md, sorted[i].p, sorted[i].n);
        }
        EVP_DigestFinal_ex(md, hash, &length);
        for (size_t i = 0; i < 8 && i < length; i++)
            snprintf(out + 2 * i, 3, "%02x", hash[i]);
    }
    EVP_MD_CTX_free(md);
}

static uint32_t number_at(struct slice r, size_t at)
{
    const unsigned char *p = (const unsigned char *)r.p;
    return at + 4 > r.n ? 0 : (uint32_t)p[at] << 24 | (uint32_t)p[at + 1] << 16 | (uint32_t)p[at + 2] << 8 | p[at + 3];
}

static void write_server(const struct gather_host *h, struct arena *arena, const struct gather_question *q,
                         const struct dns_direct_answer *a, struct buf *out)
{
    char digest[17];
    uint32_t serial = 0, ends = 0, begins = 0;
    for (size_t i = 0; i < a->count; i++) {
        const struct dns_direct_record *r = &a->records[i];
        uint32_t end = r->type == DNS_RRSIG ? number_at(r->rdata, 8) : 0; /* RFC 4034 3.1.5 */
        if (end && (!ends || end < ends)) {
            ends = end;
            begins = number_at(r->rdata, 12);
        }
        if (r->type == DNS_SOA && r->rdata.n >= 20)
            serial = number_at(r->rdata, r->rdata.n - 20);
    }
    facts_begin_line(out, "server");
    facts_str(out, "host", h->names[0].host);
    facts_ip(out, "address", &h->address);
    facts_str(out, "question", q->text);
    facts_str(out, "outcome", dns_direct_outcome_name(a->outcome));
    facts_str(out, "why", a->why);
    if (a->outcome == DNS_DIRECT_ANSWERED) {
        digest_of(arena, a, q->type, digest);
        facts_number(out, "rcode", a->rcode);
        facts_number(out, "aa", a->authoritative);
        facts_number(out, "tcp", a->tcp);
        facts_str(out, "digest", digest);
    }
    if (serial)
        facts_number(out, "serial", serial);
    if (ends)
        facts_number(out, "signed-to", ends);
    if (ends && begins)
        facts_number(out, "signed-from", begins);
    facts_end_line(out);
}

static void skip_server(const struct gather_host *h, const char *why, struct buf *out)
{
    facts_begin_line(out, "server");
    facts_str(out, "host", h->names[0].host);
    facts_ip(out, "address", &h->address);
    facts_str(out, "question", "SOA");
    facts_str(out, "outcome", "skipped");
    facts_str(out, "why", why);
    facts_end_line(out);
}

/* Puts one question. NULL: out of memory; else the arena that the answer lies in. */
static struct arena *put_question(const struct gather_host *h, const struct gather_question *question, bool tcp,
                                  struct dns_direct_answer *a)
{
    struct arena *arena = arena_new(ARENA);
    const struct dns_direct_request q = {.server = h->address,
                                         .port = h->config->dns_port,
                                         .name = question->name,
                                         .type = question->type,
                                         .tcp_only = tcp};
    if (!arena || !gate_enter(h->gate, &h->address)) {
        arena_free(arena);
        return NULL;
    }
    dns_direct_ask(arena, &q, a);
    gate_leave(h->gate, &h->address);
    return arena;
}

/* RFC 9210 section 3: whether the first question is answered over TCP, too. */
static void ask_over_tcp(const struct gather_host *h, struct buf *out)
{
    struct dns_direct_answer a;
    clock_sleep_ms(h->config->pace_ms);
    struct arena *arena = put_question(h, &h->questions[0], true, &a);
    if (arena) {
        facts_begin_line(out, "tcp");
        facts_str(out, "host", h->names[0].host);
        facts_ip(out, "address", &h->address);
        facts_str(out, "outcome", dns_direct_outcome_name(a.outcome));
        facts_str(out, "why", a.why);
        facts_end_line(out);
    }
    out->failed = out->failed || !arena;
    arena_free(arena);
}

static bool is_silent(const struct dns_direct_answer *a)
{
    return a->outcome == DNS_DIRECT_TIMEOUT || a->outcome == DNS_DIRECT_UNREACHABLE;
}

static void ask_server(void *context, struct buf *out)
{
    const struct gather_host *h = context;
    bool alive = true, tcp = false;
    for (size_t i = 0; i < h->question_count && alive; i++) {
        struct dns_direct_answer a;
        if (i)
            clock_sleep_ms(h->config->pace_ms);
        struct arena *arena = put_question(h, &h->questions[i], false, &a);
        if (i == 0 && arena && is_silent(&a) && h->config->again_ms) { /* both packets may have been lost */
            arena_free(arena);
            clock_sleep_ms(h->config->again_ms);
            arena = put_question(h, &h->questions[i], false, &a);
        }
        if (!arena) {
            out->failed = true;
            return;
        }
        write_server(h, arena, &h->questions[i], &a, out);
        alive = a.outcome == DNS_DIRECT_ANSWERED; /* a silent server is asked no more */
        tcp = h->tcp && (alive || a.tcp);         /* one that is silent over TCP alone is not */
        arena_free(arena);
    }
    if (tcp)
        ask_over_tcp(h, out);
}

void gather_server(const struct gather_host *h, struct buf *out)
{
    const char *why = gather_forbidden(h->config, &h->address);
    struct gather_host own = *h;
    if (why)
        skip_server(h, why, out);
    else
        kept_get(h->kept, NULL, ask_server, &own, out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of a referral in one order, with blanks between them. */
static void write_referral(const struct dns_direct_answer *a, struct buf *out)
{
    struct buf list = BUF_INIT;
    if (a->referred_count)
        qsort(a->referred, a->referred_count, sizeof *a->referred, by_name);
    for (size_t i = 0; i < a->referred_count; i++)
        buf_printf(&list, "%s%s", i ? " " : "", a->referred[i]);
    if (list.n)
        facts_text(out, "names", buf_slice(&list));
    out->failed = out->failed || list.failed;
    buf_release(&list);
}

void gather_delegation(const struct gather_host *h, const char *zone, struct buf *out)
{
    struct arena *arena = arena_new(ARENA);
    struct dns_direct_request q = {.server = h->address, .port = h->config->dns_port, .name = zone, .type = DNS_NS};
    struct dns_direct_answer a;
    if (arena && gate_enter(h->gate, &h->address)) {
        dns_direct_ask(arena, &q, &a);
        gate_leave(h->gate, &h->address);
        facts_begin_line(out, "parent");
        facts_str(out, "host", h->names[0].host);
        facts_ip(out, "address", &h->address);
        facts_str(out, "outcome", dns_direct_outcome_name(a.outcome));
        facts_str(out, "why", a.why);
        if (a.outcome == DNS_DIRECT_ANSWERED)
            write_referral(&a, out);
        facts_end_line(out);
    } else {
        out->failed = true;
    }
    arena_free(arena);
}
