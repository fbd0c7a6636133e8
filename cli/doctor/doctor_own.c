// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_own.c - checks that our own domains publish what we ask of others.
 *
 * Asks DNS as a receiver of our mail would, and says what is missing and what to publish. Bounded: DOCTOR_OWN_DOMAINS
 * domains.
 */
#include "base/domain.h"
#include "cli/doctor/doctor.h"

bool doctor_own_domain(const struct doctor *d, size_t i, char out[LIMIT_DOMAIN + 1])
{
    const struct policy_statement *s;
    struct ip_net net;
    for (size_t k = 0; i < DOCTOR_OWN_DOMAINS && (s = policy_statement_at(d->policy, k)) != NULL; k++) {
        for (size_t n = 0; s->kind == POLICY_OWN && n < s->item_count; n++) {
            struct slice item = slice_str(s->items[n]);
            if (ip_net_from_text(item, &net) != STATUS_OK && domain_from_text(item, out) == STATUS_OK && i-- == 0)
                return true;
        }
    }
    return false;
}

struct dns_scope *doctor_scope(struct doctor *d)
{
    struct dns_budget budget = {.lookups = 60, .lookup_ms = 5000, .total_ms = 30000};
    return d->dns ? dns_scope_new(d->dns, d->arena, &budget) : NULL;
}

bool doctor_answered(struct doctor *d, const struct dns_answer *a)
{
    if (a->state == DNS_BOGUS)
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s %s does not validate: %s\nfix the signatures: validating resolvers reject this zone", a->name,
                   dns_type_name(a->type), a->why ? a->why : "bogus");
    else if (a->state == DNS_TEMPFAIL)
        doctor_say(d, DOCTOR_UNKNOWN, "%s %s: %s", a->name, dns_type_name(a->type), a->why ? a->why : "no answer");
    return a->state == DNS_FOUND;
}

/* The text of the only record that begins with `start` and a blank, semicolon or end; NULL if there is none. */
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
    if (doctor_answered(d, spf) || spf->state == DNS_NODATA || spf->state == DNS_NXDOMAIN) {
        const char *text = policy_record(s, spf, "v=spf1", &count);
        if (count > 1)
            doctor_say(d, DOCTOR_CRITICAL, "%s has %u SPF records: receivers treat that as an error\nkeep one", domain,
                       count);
        else if (!text)
            doctor_say(d, DOCTOR_WARNING,
                       "%s has no SPF record\npublish v=spf1 with the servers that send for it, and -all", domain);
        else
            doctor_say(d, DOCTOR_OK, "%s has an SPF record%s", domain, spf->security == DNS_SECURE ? ", signed" : "");
    }
    const char *name = arena_printf(d->arena, "_dmarc.%s", domain);
    const struct dns_answer *dmarc = name ? dns_get(s, name, DNS_TXT) : NULL;
    if (dmarc && (doctor_answered(d, dmarc) || dmarc->state == DNS_NODATA || dmarc->state == DNS_NXDOMAIN)) {
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
        doctor_say(d, DOCTOR_WARNING,
                   "%s is not signed with DNSSEC\nhave the zone signed, and the DS record published by the registrar",
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
    for (; doctor_own_domain(d, i, domain); i++) {
        struct dns_scope *s = doctor_scope(d);
        if (s)
            judge_records(d, s, domain);
        dns_scope_free(s);
    }
    if (i == 0)
        doctor_say(d, DOCTOR_NOTE, "the policy names no domain of our own\nown domains example.org");
}
