// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_dns.c - checks that DNSSEC validation works, from here and through the resolvers that this host uses.
 *
 * "Here" is what assay-milter does: libunbound with our trust anchor. Where that fails, the root's keys are asked for
 * once more, unvalidated, and compared with the anchor and with the clock, so that the one that is wrong is named. Each
 * name server of resolv.conf(5) is asked for the root's keys by itself, with the AD bit wanted (RFC 6840 5.7): a
 * resolver that validates sets it, and what one answers instead (SERVFAIL, REFUSED) is named with its address. At most
 * two questions to each.
 */
#include "base/clock.h"
#include "cli/doctor/doctor.h"
#include "dns/direct.h"
#include "dns/dns_anchor.h"
#include "dns/dns_unbound.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define SERVERS 3 /* name servers that resolv.conf(5) takes */
#define TAGS 16
#define TRY_MS 1500

enum { NOERROR = 0, SERVFAIL = 2, REFUSED = 5 };

struct server {
    struct ip ip;
    unsigned port; /* 0: 53 */
    char text[IP_TEXT];
};

/* "ADDRESS" or "ADDRESS@PORT". */
static bool read_server(struct slice word, struct server *out)
{
    const char *at = memchr(word.p, '@', word.n);
    size_t n = at ? (size_t)(at - word.p) : word.n;
    if (ip_from_text(slice_of(word.p, n), &out->ip) != STATUS_OK)
        return false;
    out->port = at ? (unsigned)strtoul(at + 1, NULL, 10) : 0;
    (void)ip_text(&out->ip, out->text);
    return true;
}

static void server_add(struct slice word, struct server out[SERVERS], size_t *count)
{
    if (*count < SERVERS && read_server(word, &out[*count]))
        ++*count;
}

/* The name servers in resolv.conf(5); without any, the one of this host. */
static size_t hosts_servers(struct doctor *d, struct server out[SERVERS])
{
    char line[1024];
    size_t count = 0, written = 0;
    FILE *f = fopen(RESOLV_CONF, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "nameserver", 10) != 0 || (line[10] != ' ' && line[10] != '\t') || written++ >= SERVERS)
            continue;
        const char *word = line + 10 + strspn(line + 10, " \t");
        const size_t n = strcspn(word, " \t\n"), before = count;
        server_add(slice_of(word, n), out, &count);
        if (count == before && d)
            doctor_say(d, DOCTOR_UNKNOWN, "nameserver %.*s cannot be asked by itself\nlook at " RESOLV_CONF, (int)n,
                       word);
    }
    if (f)
        fclose(f);
    if (!written)
        server_add(SLICE_LIT("127.0.0.1"), out, &count);
    return count;
}

static size_t our_servers(struct doctor *d, struct server out[SERVERS])
{
    const char *at = doctor_setting(d, SETTING_DNS_FORWARD, "");
    size_t count = 0;
    for (at = at ? at : ""; *(at += strspn(at, " \t,")); at += strcspn(at, " \t,"))
        server_add(slice_of(at, strcspn(at, " \t,")), out, &count);
    return count ? count : hosts_servers(NULL, out);
}

static void server_ask(struct doctor *d, const struct server *s, bool unvalidated, struct dns_direct_answer *out)
{
    const struct dns_direct_request q = {.server = s->ip,
                                         .port = s->port,
                                         .name = ".",
                                         .type = DNS_DNSKEY,
                                         .timeout_ms = TRY_MS,
                                         .recursive = true,
                                         .checking_disabled = unvalidated};
    dns_direct_ask(d->arena, &q, out);
}

static bool has_keys(const struct dns_direct_answer *a)
{
    for (size_t i = 0; a->outcome == DNS_DIRECT_ANSWERED && a->rcode == NOERROR && i < a->count; i++)
        if (a->records[i].type == DNS_DNSKEY)
            return true;
    return false;
}

/* ---- our own validation ---- */

static uint32_t get32(struct slice s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const char *list_tags(struct doctor *d, const uint16_t *tags, size_t count)
{
    const char *out = "";
    for (size_t i = 0; i < count && out; i++)
        out = arena_printf(d->arena, "%s%s%u", out, i ? ", " : "", tags[i]);
    return out ? out : "";
}

/* Names the clock where it lies outside the time of every signature over the keys. */
static bool clock_is_wrong(struct doctor *d, const struct dns_direct_answer *a)
{
    uint32_t from = 0, to = 0;
    const int64_t now = clock_wall();
    for (size_t i = 0; i < a->count; i++) {
        struct slice r = a->records[i].rdata;
        if (a->records[i].type != DNS_RRSIG || r.n < 18 || get32(r, 0) >> 16 != DNS_DNSKEY)
            continue;
        to = get32(r, 8);
        from = get32(r, 12);
        if (now >= from && now <= to)
            return false;
    }
    char is[CLOCK_TEXT], begins[CLOCK_TEXT], ends[CLOCK_TEXT];
    if (!to)
        return false;
    doctor_say(d, DOCTOR_CRITICAL,
               "the clock is wrong: it says %s, and the root's keys are signed from %s to %s\nset the clock (chrony or "
               "systemd-timesyncd keeps it right)",
               clock_utc_text((time_t)now, is), clock_utc_text((time_t)from, begins), clock_utc_text((time_t)to, ends));
    return true;
}

/* Names the trust anchor where it holds none of the root's keys. */
static bool anchor_is_wrong(struct doctor *d, const struct dns_direct_answer *a, const char *anchor)
{
    uint16_t ours[TAGS], roots[TAGS];
    size_t own = dns_anchor_tags(anchor, ours, TAGS), count = 0;
    for (size_t i = 0; i < a->count && count < TAGS; i++)
        if (a->records[i].type == DNS_DNSKEY && a->records[i].rdata.n > 4 &&
            (a->records[i].rdata.p[1] & 1)) /* a key that signs keys: flag SEP, RFC 4034 2.1.1 */
            roots[count++] = dns_key_tag(a->records[i].rdata);
    for (size_t i = 0; i < own; i++)
        for (size_t k = 0; k < count; k++)
            if (ours[i] == roots[k])
                return false;
    if (!own || !count)
        return false;
    doctor_say(d, DOCTOR_CRITICAL,
               "the trust anchor is wrong: %s holds key %s, and the root's keys are %s\nunbound-anchor -a %s", anchor,
               list_tags(d, ours, own), list_tags(d, roots, count), anchor);
    return true;
}

/* Finds out, if possible, why nothing validates here. */
static bool diagnosed(struct doctor *d, const char *anchor)
{
    struct server servers[SERVERS];
    size_t count = our_servers(d, servers);
    for (size_t i = 0; i < count; i++) {
        struct dns_direct_answer a;
        server_ask(d, &servers[i], true, &a);
        if (has_keys(&a))
            return clock_is_wrong(d, &a) || anchor_is_wrong(d, &a, anchor);
    }
    return false;
}

static void say_failure(struct doctor *d, const struct dns_answer *a, const char *anchor)
{
    if (diagnosed(d, anchor))
        return;
    if (a->state == DNS_BOGUS)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "the root's keys do not validate: %s\nlook at the clock, then at the trust anchor: unbound-anchor -a %s",
            a->why ? a->why : "bogus", anchor);
    else if (a->state == DNS_TEMPFAIL)
        doctor_say(d, DOCTOR_UNKNOWN,
                   "the root's keys cannot be had: %s\nlet DNS (port 53, UDP and TCP) out, or set dns.forward",
                   a->why ? a->why : "no answer");
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "nothing validates here (%s, %s)\nlook at the trust anchor: unbound-anchor -a %s",
                   dns_state_name(a->state), dns_security_name(a->security), anchor);
}

void doctor_anchor(struct doctor *d)
{
    const char *anchor = doctor_setting(d, SETTING_DNS_ANCHOR, ASSAY_STATEDIR "/root.key"), *used = anchor;
    if (!d->dns) {
        doctor_say(d, DOCTOR_CRITICAL,
                   "there is no trust anchor: neither %s nor Debian's can be used\nunbound-anchor -a %s", anchor,
                   anchor);
        return;
    }
    if (access(anchor, F_OK) != 0 && errno == EACCES)
        doctor_say(d, DOCTOR_UNKNOWN, "%s: %s\nrun this as root", anchor, strerror(errno));
    else if (access(anchor, F_OK) != 0)
        doctor_say(d, DOCTOR_NOTE, "%s does not exist yet; assay-milter creates it at its first start", anchor);
    if (access(anchor, R_OK) != 0)
        used = DNS_SYSTEM_ANCHOR;
    struct dns_budget budget = {.lookups = 2, .lookup_ms = 5000, .total_ms = 8000};
    struct dns_scope *s = dns_scope_new(d->dns, d->arena, &budget);
    if (!s)
        return;
    const struct dns_answer *a = dns_get(s, ".", DNS_DNSKEY);
    if (a->state == DNS_FOUND && a->security == DNS_SECURE)
        doctor_say(d, DOCTOR_OK, "the root's keys validate by our trust anchor");
    else
        say_failure(d, a, used);
    dns_scope_free(s);
}

/* ---- the host's resolvers ---- */

static const char *rcode_name(unsigned rcode)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    return rcode < sizeof names / sizeof *names ? names[rcode] : "an error of another kind";
}

/* A resolver that answers SERVFAIL to the root's keys either cannot validate or cannot reach anybody: with CD it gives
 * what it has. */
static void say_servfail(struct doctor *d, const struct server *s)
{
    struct dns_direct_answer a;
    server_ask(d, s, true, &a);
    if (has_keys(&a))
        doctor_say(d, DOCTOR_CRITICAL,
                   "resolver %s answers SERVFAIL for the root's keys, and gives them unvalidated: its validation "
                   "fails\nlook at that host's clock, then at its trust anchor (unbound-anchor)",
                   s->text);
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "resolver %s answers SERVFAIL for the root's keys: it reaches neither the root's name servers nor "
                   "its forwarder\nlook at its log, and let DNS (port 53, UDP and TCP) out",
                   s->text);
}

static void look_at_resolver(struct doctor *d, const struct server *s)
{
    struct dns_direct_answer a;
    server_ask(d, s, false, &a);
    if (a.outcome != DNS_DIRECT_ANSWERED)
        doctor_say(d, DOCTOR_UNKNOWN, "resolver %s does not answer: %s\nlook at " RESOLV_CONF ", and whether it runs",
                   s->text, a.why ? a.why : "no reason known");
    else if (a.rcode == SERVFAIL)
        say_servfail(d, s);
    else if (a.rcode == REFUSED)
        doctor_say(
            d, DOCTOR_CRITICAL,
            "resolver %s answers REFUSED: it does not serve this host\nallow this host's address there (Unbound: "
            "access-control), or name another resolver in " RESOLV_CONF,
            s->text);
    else if (a.rcode != NOERROR)
        doctor_say(
            d, DOCTOR_WARNING,
            "resolver %s answers %s (%u) for the root's keys: it cannot be used for DNSSEC\nname a resolver that "
            "validates in " RESOLV_CONF,
            s->text, rcode_name(a.rcode), a.rcode);
    else if (a.authenticated)
        doctor_say(d, DOCTOR_OK, "resolver %s, which this host uses, validates DNSSEC", s->text);
    else
        doctor_say(
            d, DOCTOR_WARNING,
            "resolver %s, which this host uses, does not validate DNSSEC: outgoing DANE cannot work\nrun Unbound "
            "here, and let " RESOLV_CONF " say nameserver 127.0.0.1 and options trust-ad",
            s->text);
}

void doctor_resolver(struct doctor *d)
{
    struct server servers[SERVERS];
    doctor_module(d);
    size_t count = hosts_servers(d, servers);
    for (size_t i = 0; i < count; i++)
        look_at_resolver(d, &servers[i]);
}
