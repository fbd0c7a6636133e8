// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_tlsa.c - checks that our TLSA records match the certificates that we serve, now and after the next start.
 *
 * Most DANE outages are caused by a domain's own certificate renewal. So each MX of each own domain is asked, on each
 * of its addresses and for each kind of key, for its certificate, and that is compared with the records in DNS as a
 * sending mail server compares them (standards/dane/dane_match.h); and the files that Postfix here is configured with
 * are compared before Postfix has read them. Which records count is the posture's answer (dane_posture.h): an alias's
 * target first (RFC 7672 2.2.2). Certificates that end within two weeks are warned of, since the records are due two
 * TTLs before the next one is used (RFC 7671 8.1). Bounded: DOCTOR_OWN_DOMAINS domains, LIMIT_DANE_HOSTS hosts each,
 * OWN_ADDRESSES addresses each, FILES files.
 */
#include "base/clock.h"
#include "net/starttls.h"
#include "cli/tlsa/certificate.h"
#include "cli/doctor/doctor.h"
#include "standards/dane/dane_match.h"
#include "standards/dane/dane_posture.h"
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>

#define OWN_ADDRESSES 8
#define ENDS_SOON (14 * 86400)
#define HANDSHAKE_MS 8000
#define FILES 64

/* ---- what Postfix will serve when it starts next ---- */

/* Tells whether the certificate is for this host, by its DNS names; a wildcard stands for one label (RFC 6125
 * 6.4.3). */
static bool is_for(const struct certificate *c, const char *host)
{
    const char *parent = strchr(host, '.');
    for (size_t i = 0; i < c->name_count; i++)
        if (strcmp(c->names[i], host) == 0 || (parent && c->names[i][0] == '*' && strcmp(c->names[i] + 1, parent) == 0))
            return true;
    return false;
}

static bool has_address(struct dns_scope *s, const char *host, enum dns_type type, const struct ip *ip)
{
    const struct dns_answer *addresses = dns_get(s, host, type);
    struct ip one;

    for (size_t i = 0; i < addresses->count; i++)
        if (dns_address(addresses, i, &one) && ip_eq(&one, ip))
            return true;
    return false;
}

/* Tells whether Postfix here serves as this host: by its own name, or since one of the host's addresses is ours. Then
 * its certificate is what senders meet, whatever names it bears (RFC 7672 3.1.1). */
static bool is_this_host(struct doctor *d, struct dns_scope *s, const char *host)
{
    const char *out = doctor_run(d, (const char *const[]){"postconf", "-xh", "myhostname", NULL}, NULL);
    bool here = out && strcspn(out, "\n") == strlen(host) && strncasecmp(out, host, strlen(host)) == 0;
    struct ifaddrs *list = NULL;

    if (here || getifaddrs(&list) != 0)
        return here;
    for (const struct ifaddrs *i = list; i && !here; i = i->ifa_next) {
        struct ip ip = i->ifa_addr ? ip_from_sockaddr(i->ifa_addr) : (struct ip){.family = 0};
        here = (ip.family == 4 && has_address(s, host, DNS_A, &ip)) ||
               (ip.family == 6 && has_address(s, host, DNS_AAAA, &ip));
    }
    freeifaddrs(list);
    return here;
}

/* here: Postfix serves it to whoever asks for this host; else only if the certificate bears the host's name. */
static void judge_file(struct doctor *d, const char *path, const struct dane_host *h, bool here)
{
    struct certificate_chain chains[CERTIFICATE_CHAINS];
    struct certificate c;
    struct dane_match m;
    const char *why;
    size_t n = 0;

    if (certificate_read_chains(d->arena, path, chains, &n) != STATUS_OK) {
        doctor_say(d, DOCTOR_UNKNOWN, "%s, which Postfix is configured with: it has no readable certificate", path);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct dane_match_request r = {.records = &h->records,
                                       .chain = chains[i].der,
                                       .chain_count = chains[i].count,
                                       .host = h->name,
                                       .at = clock_wall()};
        if (certificate_from_der(d->arena, chains[i].der[0], &c, &why) != STATUS_OK || !(here || is_for(&c, h->name)) ||
            dane_match(d->arena, &r, &m) != STATUS_OK || m.state != DANE_MATCH_NO)
            continue;
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s has a certificate that Postfix will serve for %s, and no TLSA record promises it (%s): from its "
                   "next start on senders with DANE cannot deliver\n"
                   "publish _25._tcp.%s TLSA 3 1 1 %s, and wait two times its TTL before Postfix is reloaded",
                   path, h->name, m.why, h->base ? h->base : h->name, c.spki_sha256);
    }
}

struct files {
    const char *path[FILES];
    size_t count;
};

/* Every absolute path in a list, once. */
static void add_files(struct doctor *d, struct files *f, const char *list)
{
    char *copy = list ? arena_strdup(d->arena, list) : NULL, *save = NULL;

    for (char *p = copy ? strtok_r(copy, ", \t\n", &save) : NULL; p; p = strtok_r(NULL, ", \t\n", &save)) {
        bool known = *p != '/' || f->count == FILES;
        for (size_t i = 0; i < f->count; i++)
            known |= strcmp(f->path[i], p) == 0;
        if (!known)
            f->path[f->count++] = p;
    }
}

/* The first, where it is set, replaces the others (postconf(5)). */
static const char *const file_settings[] = {"smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_eccert_file",
                                            "smtpd_tls_dcert_file"};

static void add_main_files(struct doctor *d, struct files *f)
{
    for (size_t i = 0; i < sizeof file_settings / sizeof *file_settings; i++) {
        add_files(d, f, doctor_run(d, (const char *const[]){"postconf", "-xh", file_settings[i], NULL}, NULL));
        if (i == 0 && f->count)
            return;
    }
}

/* Tells whether a line "SERVICE/TYPE/SETTING = VALUE" is of a listener for submission (RFC 8314), whose certificate no
 * sending server meets. */
static bool is_submission(const char *line)
{
    static const char *const ports[] = {"submission", "submissions", "smtps", "587", "465"};
    size_t n = strcspn(line, "/");
    const char *colon = memrchr(line, ':', n), *port = colon ? colon + 1 : line;

    n -= (size_t)(port - line);
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (strlen(ports[i]) == n && memcmp(ports[i], port, n) == 0)
            return true;
    return false;
}

/* What "-o smtpd_tls_..." in master.cf names. */
static void add_master_files(struct doctor *d, struct files *f)
{
    const char *out = doctor_run(d, (const char *const[]){"postconf", "-P", NULL}, NULL), *value;
    char *copy = out ? arena_strdup(d->arena, out) : NULL, *save = NULL;

    for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
        for (size_t i = 0; i < sizeof file_settings / sizeof *file_settings; i++)
            if (!is_submission(line) && strstr(line, file_settings[i]) && (value = strchr(line, '=')) != NULL)
                add_files(d, f, value + 1);
}

/* The files that the source of a table of tls_server_sni_maps names for this host, or for a parent (".example.org"). */
static void add_sni_table(struct doctor *d, struct files *f, const char *table, const char *host)
{
    const char *path = strchr(table, ':');
    FILE *in = path && path[1] == '/' ? fopen(path + 1, "re") : NULL;
    char line[4096];

    while (in && fgets(line, sizeof line, in)) {
        size_t n = strcspn(line, " \t\n");
        const char *parent = strchr(host, '.');
        bool same = n == strlen(host) && strncasecmp(line, host, n) == 0;
        if (same || (line[0] == '.' && parent && n == strlen(parent) && strncasecmp(line, parent, n) == 0))
            add_files(d, f, line + n);
    }
    if (in)
        fclose(in);
}

static void judge_files(struct doctor *d, struct dns_scope *s, const struct dane_host *h)
{
    struct files f = {.count = 0};
    const char *tables = doctor_run(d, (const char *const[]){"postconf", "-xh", "tls_server_sni_maps", NULL}, NULL);
    char *copy = tables ? arena_strdup(d->arena, tables) : NULL, *save = NULL;
    for (char *t = copy ? strtok_r(copy, ", \t\n", &save) : NULL; t; t = strtok_r(NULL, ", \t\n", &save))
        add_sni_table(d, &f, t, h->name);
    /* Who looks at TLSA records names the host (RFC 7672 8.1): an entry for it replaces all others (postconf(5)). */
    const bool here = f.count > 0 || is_this_host(d, s, h->name);
    if (!f.count) {
        add_main_files(d, &f);
        add_master_files(d, &f);
    }
    for (size_t i = 0; i < f.count; i++)
        judge_file(d, f.path[i], h, here);
}

/* ---- what is served now ---- */

static void judge_dates(struct doctor *d, const char *host, const char *at, const struct starttls_result *r)
{
    char until[CLOCK_TEXT];

    clock_utc_text(r->not_after, until);
    if (r->not_after < clock_wall())
        doctor_say(
            d, DOCTOR_WARNING,
            "%s at %s: its certificate ended on %s\nrenew it; keep the key, or publish the next TLSA record first",
            host, at, until);
    else if (r->not_after < clock_wall() + ENDS_SOON)
        doctor_say(d, DOCTOR_WARNING,
                   "%s at %s: its certificate ends on %s\nbefore it is renewed: assay tlsa --next NEW-CERTIFICATE %s",
                   host, at, until, host);
    if (r->weak_key)
        doctor_say(d, DOCTOR_WARNING,
                   "%s at %s: its certificate has a key of only %u bits\nmake a new key: DANE does not look at its "
                   "size, but others refuse it; publish its TLSA record first",
                   host, at, r->key_bits);
}

static void judge_chain(struct doctor *d, const struct dane_host *h, const char *domain, const char *at,
                        const struct starttls_result *r)
{
    struct dane_match m;
    struct dane_match_request q = {.records = &h->records,
                                   .chain = r->chain,
                                   .chain_count = r->chain_count,
                                   .host = h->base ? h->base : h->name,
                                   .base_domain = domain,
                                   .at = clock_wall()};

    if (!h->records.count || dane_match(d->arena, &q, &m) != STATUS_OK)
        return;
    const struct dane_record *missing = m.state == DANE_MATCH_YES ? dane_match_missing_issuer(&q) : NULL;
    if (missing)
        doctor_say(
            d, DOCTOR_WARNING,
            "%s at %s does not send the issuer that its %u %u %u record names: that record promises nothing (RFC "
            "7671 5.2.3)\nserve the whole chain, or take the record out",
            h->name, at, missing->usage, missing->selector, missing->matching);
    if (m.state == DANE_MATCH_YES)
        doctor_say(d, DOCTOR_OK, "%s at %s serves what its TLSA records promise%s", h->name, at,
                   m.holds_after_renewal ? "" : " (until its next renewal: only the whole certificate is promised)");
    else if (m.state == DANE_MATCH_NO_RECORDS)
        doctor_say(d, DOCTOR_WARNING,
                   "%s has TLSA records, and none that mail can use (RFC 7672 3.1)\nassay tlsa %s says what to publish",
                   h->name, h->name);
    else
        doctor_say(d, DOCTOR_CRITICAL,
                   "%s at %s serves a certificate that its TLSA records do not promise (%s): senders with DANE cannot "
                   "deliver\n"
                   "assay tlsa %s says which record to publish",
                   h->name, at, m.why, h->name);
}

static void judge_served(struct doctor *d, const struct dane_host *h, const char *domain, const struct ip *address)
{
    char at[IP_TEXT];
    struct starttls_result r;
    struct starttls_request q = {.address = *address, .server_name = h->name, .total_ms = HANDSHAKE_MS};

    starttls_run(d->arena, &q, &r);
    ip_text(address, at);
    if (r.outcome != STARTTLS_DONE) {
        doctor_say(d, r.outcome == STARTTLS_NOT_OFFERED ? DOCTOR_CRITICAL : DOCTOR_UNKNOWN, "%s at %s: %s", h->name, at,
                   r.reason);
        return;
    }
    judge_chain(d, h, domain, at, &r);
    judge_dates(d, h->name, at, &r);
    q.keys = r.rsa_key ? STARTTLS_KEYS_ECDSA : STARTTLS_KEYS_RSA;
    starttls_run(d->arena, &q, &r);
    if (r.outcome == STARTTLS_DONE) {
        judge_chain(d, h, domain, at, &r);
        judge_dates(d, h->name, at, &r);
    }
}

/* What the records themselves say, before any certificate is looked at. */
static void judge_records(struct doctor *d, const struct dane_host *h)
{
    for (size_t i = 0; i < h->records.count; i++) {
        const struct dane_record *t = &h->records.record[i];
        if (t->used && t->usage == DANE_TA && t->selector == DANE_SPKI && t->matching == DANE_FULL)
            doctor_say(d, DOCTOR_WARNING,
                       "%s has a 2 1 0 record, a bare public key of an issuer: many senders cannot use it\npublish 2 1 "
                       "1 or 3 1 1 instead (RFC 7671 5.2)",
                       h->name);
        else if (t->usable && !t->used)
            doctor_say(d, DOCTOR_NOTE,
                       "%s: its %u %u %u record does not count, since a stronger digest stands beside it (RFC 7671 9)",
                       h->name, t->usage, t->selector, t->matching);
    }
}

static void judge_host(struct doctor *d, struct dns_scope *s, const char *domain, const struct dane_host *h)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    size_t asked = 0;

    switch (h->state) {
    case DANE_HOST_NONE:
        doctor_say(
            d, DOCTOR_WARNING,
            "%s has no TLSA records: mail to us can be read or diverted on the way\nassay tlsa %s says what to publish",
            h->name, h->name);
        break;
    case DANE_HOST_INSECURE:
        doctor_say(d, DOCTOR_WARNING, "%s: %s; DANE protects no mail to it\nsign its zone", h->name, h->reason);
        break;
    case DANE_HOST_BROKEN:
        doctor_say(d, DOCTOR_CRITICAL, "%s: %s: senders with DANE cannot deliver to it\nfix its zone", h->name,
                   h->reason);
        break;
    case DANE_HOST_UNKNOWN:
        doctor_say(d, DOCTOR_UNKNOWN, "%s: %s", h->name, h->reason);
        break;
    default:
        break;
    }
    judge_records(d, h);
    if (h->records.usable)
        judge_files(d, s, h);
    for (size_t t = 0; t < 2; t++) {
        const struct dns_answer *addresses = dns_get(s, h->name, types[t]);
        struct ip ip;
        for (size_t i = 0; i < addresses->count && asked < OWN_ADDRESSES; i++)
            if (dns_address(addresses, i, &ip) && ++asked)
                judge_served(d, h, domain, &ip);
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
        struct dane_posture p;
        if (!s || dane_check(s, d->arena, domain, &p) != STATUS_OK || !doctor_answered(d, dns_get(s, domain, DNS_MX))) {
            dns_scope_free(s);
            continue;
        }
        if (p.host_count && !p.implicit_mx && p.mx_security == DNS_INSECURE)
            doctor_say(d, DOCTOR_WARNING,
                       "the MX record of %s is not signed: whoever forges it receives our mail, whatever TLSA records "
                       "the hosts have (RFC 7672 2.2.1)\nsign the zone",
                       domain);
        for (size_t k = 0; k < p.host_count; k++)
            judge_host(d, s, domain, &p.hosts[k]);
        dns_scope_free(s);
    }
}
