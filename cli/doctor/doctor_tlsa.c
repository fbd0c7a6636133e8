// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_tlsa.c - do our TLSA records promise the certificates that we serve, now and at the next start?
 *
 * Most DANE outages are a domain's own renewal. So each MX of each own domain is asked, on each of its addresses, for
 * its certificate, and that is judged by OpenSSL against the records in DNS (RFC 7672); and the files that Postfix here
 * is configured with are compared with the records before Postfix has read them. Certificates that end within two weeks
 * are warned of, since the records are due two TTLs before the next one is used (RFC 7671 8.1). Bounded:
 * DOCTOR_OWN_DOMAINS domains, OWN_HOSTS hosts each, OWN_ADDRESSES addresses each.
 */
#include "base/clock.h"
#include "net/starttls.h"
#include "cli/tlsa/certificate.h"
#include "cli/doctor/doctor.h"
#include <stdlib.h>

#define OWN_HOSTS 10
#define OWN_ADDRESSES 8
#define ENDS_SOON (14 * 86400)
#define HANDSHAKE_MS 8000

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

/* ---- what Postfix will serve when it starts next ---- */

/* Whether the certificate is for this host, by its DNS names; a wildcard stands for one label (RFC 6125 6.4.3). */
static bool is_for(const struct certificate *c, const char *host)
{
    const char *parent = strchr(host, '.');
    for (size_t i = 0; i < c->name_count; i++)
        if (strcmp(c->names[i], host) == 0 || (parent && c->names[i][0] == '*' && strcmp(c->names[i] + 1, parent) == 0))
            return true;
    return false;
}

static void judge_file(struct doctor *d, const char *path, const char *host, const struct starttls_tlsa *tlsa, size_t n)
{
    struct certificate c;
    const char *why;
    if (certificate_read(d->arena, path, &c, &why) != STATUS_OK) {
        doctor_say(d, DOCTOR_UNKNOWN, "%s, which Postfix is configured with: %s", path, why);
        return;
    }
    if (!is_for(&c, host))
        return;
    for (size_t i = 0; i < n;
         i++) /* usage 2 is about an issuer, which the file may not even hold: the served chain shows it */
        if (tlsa[i].usage != 3 || certificate_matches(&c, tlsa[i].selector, tlsa[i].matching, tlsa[i].data))
            return;
    doctor_say(
        d, DOCTOR_CRITICAL,
        "%s is the certificate that Postfix will serve for %s, and no TLSA record promises it: from its next start "
        "on senders with DANE cannot deliver\n"
        "publish _25._tcp.%s TLSA 3 1 1 %s, and wait two times its TTL before Postfix is reloaded",
        path, host, host, c.spki_sha256);
}

static void judge_files(struct doctor *d, const char *host, const struct starttls_tlsa *tlsa, size_t n)
{
    static const char *const settings[] = {"smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_chain_files"};
    for (size_t i = 0; n && i < sizeof settings / sizeof *settings; i++) {
        const char *out = doctor_run(d, (const char *const[]){"postconf", "-xh", settings[i], NULL}, NULL);
        char *files = out ? arena_strdup(d->arena, out) : NULL, *save = NULL;
        for (char *f = files ? strtok_r(files, ", \t\n", &save) : NULL; f; f = strtok_r(NULL, ", \t\n", &save))
            if (*f == '/')
                judge_file(d, f, host, tlsa, n);
    }
}

/* ---- what is served now ---- */

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
        doctor_say(d, DOCTOR_WARNING,
                   "%s has TLSA records, and none that mail can use (RFC 7672 3.1)\nassay tlsa %s says what to publish",
                   host, host);
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
        (void)doctor_answered(d, a);
    judge_files(d, host, tlsa, n);
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
    for (size_t i = 0; doctor_own_domain(d, i, domain); i++) {
        struct dns_scope *s = doctor_scope(d);
        const struct dns_answer *mx = s ? dns_get(s, domain, DNS_MX) : NULL;
        for (size_t k = 0; mx && doctor_answered(d, mx) && k < mx->count && k < OWN_HOSTS; k++) {
            const char *host = dns_host(s, mx, k, NULL);
            if (host && strcmp(host, ".") != 0)
                judge_host(d, s, domain, host);
        }
        dns_scope_free(s);
    }
}
