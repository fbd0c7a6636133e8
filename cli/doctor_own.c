// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_own.c - do our own domains publish what we ask of others, and do their TLSA records match the certificates
 * really served?
 *
 * Most DANE outages are a domain's own renewal: so each MX of each own domain is asked, on each of its addresses, for
 * its certificate, and that is judged by OpenSSL against the records in DNS (RFC 7672). Certificates that end within
 * two weeks are warned of, since the records are due two TTLs before the next one is used (RFC 7671 8.1). Bounded:
 * OWN_DOMAINS domains, OWN_HOSTS hosts each, OWN_ADDRESSES addresses each.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/starttls.h"
#include "cli/doctor.h"
#include <unistd.h>

#define OWN_DOMAINS 50
#define OWN_HOSTS 10
#define OWN_ADDRESSES 8
#define ENDS_SOON (14 * 86400)
#define HANDSHAKE_MS 8000

/* Own domain number i, in kept form in `out`; false at the end. */
static bool own_domain(const struct policy *p, size_t i, char out[LIMIT_DOMAIN + 1])
{
    const struct policy_statement *s;
    struct ip_net net;
    for (size_t k = 0; (s = policy_statement_at(p, k)) != NULL; k++) {
        for (size_t n = 0; s->kind == POLICY_OWN && n < s->item_count; n++) {
            struct slice item = slice_str(s->items[n]);
            if (ip_net_from_text(item, &net) != STATUS_OK && domain_from_text(item, out) == STATUS_OK && i-- == 0)
                return true;
        }
    }
    return false;
}

static struct dns_scope *scope(struct doctor *d)
{
    struct dns_budget budget = {.lookups = 60, .lookup_ms = 5000, .total_ms = 30000};
    return d->dns ? dns_scope_new(d->dns, d->arena, &budget) : NULL;
}

/* Says so where an answer is no answer; true where there is one to look at. */
static bool answered(struct doctor *d, const struct dns_answer *a)
{
    if (a->state == DNS_BOGUS)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s %s does not validate: %s\nmend the zone's signatures: nobody who validates can use it", a->name,
                   dns_type_name(a->type), a->why ? a->why : "bogus");
    else if (a->state == DNS_TEMPFAIL)
        doctor_say(d, DOCTOR_UNKNOWN, "%s %s: %s", a->name, dns_type_name(a->type), a->why ? a->why : "no answer");
    return a->state == DNS_FOUND;
}

/* The text of the only record that begins with `start` and a blank, semicolon or end; NULL where there is none. */
static const char *policy_record(struct dns_scope *s, const struct dns_answer *a, const char *start, unsigned *count)
{
    const char *found = NULL;
    size_t n = strlen(start);
    *count = 0;
    for (size_t i = 0; i < a->count; i++) {
        struct slice t = dns_txt(s, a, i);
        if (t.n >= n && slice_eq_nocase(slice_of(t.p, n), slice_str(start)) && (t.n == n || strchr(" ;\t", t.p[n]))) {
            found = t.p;
            ++*count;
        }
    }
    return found;
}

static void judge_records(struct doctor *d, struct dns_scope *s, const char *domain)
{
    unsigned count;
    const struct dns_answer *spf = dns_get(s, domain, DNS_TXT);
    if (answered(d, spf) || spf->state == DNS_NODATA || spf->state == DNS_NXDOMAIN) {
        const char *text = policy_record(s, spf, "v=spf1", &count);
        if (count > 1)
            doctor_say(d, DOCTOR_CRITICAL, "%s has %u SPF records: receivers take that for an error\nkeep one", domain,
                       count);
        else if (!text)
            doctor_say(d, DOCTOR_WARNING,
                       "%s has no SPF record\npublish v=spf1 with the servers that send for it, and -all", domain);
        else
            doctor_say(d, DOCTOR_OK, "%s has an SPF record%s", domain, spf->security == DNS_SECURE ? ", signed" : "");
    }
    const char *name = arena_printf(d->arena, "_dmarc.%s", domain);
    const struct dns_answer *dmarc = name ? dns_get(s, name, DNS_TXT) : NULL;
    if (dmarc && (answered(d, dmarc) || dmarc->state == DNS_NODATA || dmarc->state == DNS_NXDOMAIN)) {
        const char *text = policy_record(s, dmarc, "v=DMARC1", &count);
        if (!text || count > 1)
            doctor_say(d, DOCTOR_WARNING,
                       "%s has %s\npublish v=DMARC1; p=none; rua=mailto:... first, read the reports, then tighten",
                       domain, text ? "several DMARC records" : "no DMARC record");
        else if (strstr(text, "p=none"))
            doctor_say(d, DOCTOR_WARNING,
                       "%s asks receivers to do nothing about forged mail (p=none)\nread the reports, then publish "
                       "p=quarantine or p=reject",
                       domain);
        else
            doctor_say(d, DOCTOR_OK, "%s has a DMARC policy", domain);
    }
    const struct dns_answer *soa = dns_get(s, domain, DNS_SOA);
    if (soa->state == DNS_FOUND && soa->security == DNS_INSECURE)
        doctor_say(
            d, DOCTOR_WARNING,
            "%s is not signed with DNSSEC\nlet the zone be signed, and the registrar hand the DS record to the parent",
            domain);
}

void doctor_own(struct doctor *d)
{
    char domain[LIMIT_DOMAIN + 1];
    size_t i = 0;
    if (!d->policy || !d->dns) {
        doctor_say(d, DOCTOR_UNKNOWN, "our own domains: without %s this cannot be looked at",
                   d->policy ? "a trust anchor" : "a policy that loads");
        return;
    }
    for (; i < OWN_DOMAINS && own_domain(d->policy, i, domain); i++) {
        struct dns_scope *s = scope(d);
        if (s)
            judge_records(d, s, domain);
        dns_scope_free(s);
    }
    if (i == 0)
        doctor_say(d, DOCTOR_NOTE, "the policy names no domain of our own\nown domains example.org");
}

/* The usable records of a host, in the arena. */
static size_t read_tlsa(struct doctor *d, const struct dns_answer *a, struct starttls_tlsa **out)
{
    size_t n = 0;
    *out = ARENA_ARRAY(d->arena, struct starttls_tlsa, a->count ? a->count : 1);
    for (size_t i = 0; *out && i < a->count; i++) {
        struct slice r = a->rdata[i];
        if (r.n < 4)
            continue;
        (*out)[n++] = (struct starttls_tlsa){(uint8_t)r.p[0], (uint8_t)r.p[1], (uint8_t)r.p[2], slice_from(r, 3)};
    }
    return n;
}

static void judge_served(struct doctor *d, const char *host, const char *domain, const struct ip *address,
                         const struct starttls_tlsa *tlsa, size_t n)
{
    char at[IP_TEXT], until[CLOCK_TEXT];
    struct starttls_result r;
    struct starttls_request q = {.address = *address,
                                 .server_name = host,
                                 .base_domain = domain,
                                 .total_ms = HANDSHAKE_MS,
                                 .tlsa = tlsa,
                                 .tlsa_count = n};
    starttls_run(d->arena, &q, &r);
    ip_text(address, at);
    if (r.outcome != STARTTLS_DONE) {
        doctor_say(d, r.outcome == STARTTLS_NOT_OFFERED ? DOCTOR_CRITICAL : DOCTOR_UNKNOWN, "%s at %s: %s", host, at,
                   r.reason);
        return;
    }
    clock_utc_text(r.not_after, until);
    if (n && r.tlsa_usable == 0)
        doctor_say(d, DOCTOR_WARNING, "%s has TLSA records, and none that mail can use (RFC 7672 3.1)\nassay tlsa %s says what to publish", host, host);
    else if (n && !r.dane_match)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s at %s serves a certificate that its TLSA records do not promise (%s): senders with DANE cannot "
                   "deliver\n"
                   "assay tlsa %s says which record to publish",
                   host, at, r.dane_error ? r.dane_error : "no usable record", host);
    else if (n)
        doctor_say(d, DOCTOR_OK, "%s at %s serves what its TLSA records promise", host, at);
    if (r.not_after < clock_wall())
        doctor_say(
            d, DOCTOR_WARNING,
            "%s at %s: its certificate ended on %s\nrenew it; keep the key, or publish the next TLSA record first",
            host, at, until);
    else if (r.not_after < clock_wall() + ENDS_SOON)
        doctor_say(d, DOCTOR_WARNING,
                   "%s at %s: its certificate ends on %s\nbefore it is renewed: assay tlsa --next NEW-CERTIFICATE %s",
                   host, at, until, host);
}

static void judge_host(struct doctor *d, struct dns_scope *s, const char *domain, const char *host)
{
    const char *owner = arena_printf(d->arena, "_25._tcp.%s", host);
    const struct dns_answer *a = owner ? dns_get(s, owner, DNS_TLSA) : NULL;
    struct starttls_tlsa *tlsa = NULL;
    size_t n = 0, asked = 0;
    if (!a)
        return;
    if (a->state == DNS_FOUND && a->security == DNS_SECURE)
        n = read_tlsa(d, a, &tlsa);
    else if (a->state == DNS_FOUND)
        doctor_say(d, DOCTOR_WARNING,
                   "%s has TLSA records in a zone that is not signed: nobody uses them\nsign the zone", host);
    else if (a->state == DNS_NODATA || a->state == DNS_NXDOMAIN)
        doctor_say(
            d, DOCTOR_WARNING,
            "%s has no TLSA records: mail to us can be read or diverted on the way\nassay tlsa %s says what to publish",
            host, host);
    else
        (void)answered(d, a);
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    for (size_t t = 0; t < 2; t++) {
        const struct dns_answer *addresses = dns_get(s, host, types[t]);
        struct ip ip;
        for (size_t i = 0; i < addresses->count && asked < OWN_ADDRESSES; i++)
            if (dns_address(addresses, i, &ip) && ++asked)
                judge_served(d, host, domain, &ip, tlsa, n);
    }
}

void doctor_tlsa(struct doctor *d)
{
    char domain[LIMIT_DOMAIN + 1];
    if (!d->policy || !d->dns) {
        doctor_say(d, DOCTOR_UNKNOWN, "our TLSA records: without %s this cannot be looked at",
                   d->policy ? "a trust anchor" : "a policy that loads");
        return;
    }
    for (size_t i = 0; i < OWN_DOMAINS && own_domain(d->policy, i, domain); i++) {
        struct dns_scope *s = scope(d);
        const struct dns_answer *mx = s ? dns_get(s, domain, DNS_MX) : NULL;
        for (size_t k = 0; mx && answered(d, mx) && k < mx->count && k < OWN_HOSTS; k++) {
            const char *host = dns_host(s, mx, k, NULL);
            if (host && strcmp(host, ".") != 0)
                judge_host(d, s, domain, host);
        }
        dns_scope_free(s);
    }
}
