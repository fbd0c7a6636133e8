// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_transport.c - how mail to the domain is protected on its way: DANE, MTA-STS, TLS-RPT; and CAA.
 *
 * Pure over the facts. Posture is read by the project's own DANE engine, policies by its own MTA-STS reader, so that a
 * check and a delivery see the same. Whether a TLSA record matches was found by OpenSSL when the host was asked.
 */
#include "base/domain.h"
#include "base/hex.h"
#include "check/testing.h"
#include "standards/dane/dane_match.h"
#include "standards/dane/dane_posture.h"
#include "standards/message/taglist.h"
#include "standards/sts/sts.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define KEPT 400         /* octets of destinations that are told again; our own limit */
#define SHORT_AGE 86400u /* seconds: a policy is meant to be kept for weeks (RFC 8461 3.2, 10.2); our own limit */

/* ---- DANE ---- */

/* What was seen of an address of a mail host that DNS names and that encrypted; NULL: else. */
static const struct facts_smtp *seen_at(const struct testing *t, const struct mail_host *h, size_t address)
{
    const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[address]);
    return s && strcmp(s->outcome, "done") == 0 ? s : NULL;
}

static const struct mail_host *mail_host_of(const struct testing *t, const char *name)
{
    for (size_t i = 0; i < t->mail.count; i++)
        if (strcmp(t->mail.hosts[i].name, name) == 0)
            return &t->mail.hosts[i];
    return NULL;
}

/* Tells whether the certificates served match, over every address of one host. */
static void test_match(struct testing *t, const struct dane_host *h)
{
    const struct mail_host *host = mail_host_of(t, h->name);
    bool any = false;
    for (size_t i = 0; host && i < host->address_count; i++) {
        const struct facts_smtp *s = testing_smtp(t->facts, h->name, &host->addresses[i]);
        char ip[IP_TEXT];
        if (!s || !testing_is_clear(s))
            continue;
        any = true; /* RFC 7672 2.2: with TLSA records, senders deliver encrypted or not at all */
        testing_say(t, CHECK_DANE_MATCH, CHECK_FAIL, "Switch STARTTLS on, or remove the TLSA records.",
                    "%s (%s) does not encrypt, though its TLSA records ask for it", h->name, ip_text(&s->address, ip));
    }
    for (size_t i = 0; host && i < host->address_count; i++) {
        const struct facts_smtp *s = seen_at(t, host, i);
        char ip[IP_TEXT];
        if (!s || !*s->dane || strcmp(s->dane, "none") == 0)
            continue;
        any = true;
        if (strcmp(s->dane, "match") == 0)
            testing_say(t, CHECK_DANE_MATCH, CHECK_PASS, NULL, "every certificate matches");
        else
            testing_say(
                t, CHECK_DANE_MATCH, CHECK_FAIL,
                testing_print(t,
                              "Publish the record of the certificate that %s serves (assay tlsa prints it), and "
                              "remove those of old ones.",
                              h->name),
                "%s (%s): %s", h->name, ip_text(&s->address, ip), testing_word(t, s->dane));
    }
    if (!any)
        testing_say(t, CHECK_DANE_MATCH, CHECK_UNTESTED, NULL, "%s could not be asked for its certificate", h->name);
}

/* Tells whether OpenSSL took none of the records, whose form is right: the data of a matching type 0 is not the
 * certificate or key that its selector names. */
static bool none_usable(const struct testing *t, const struct mail_host *h)
{
    bool none = false;
    for (size_t i = 0; i < h->address_count; i++) {
        const struct facts_smtp *s = seen_at(t, h, i);
        if (s && *s->dane && strcmp(s->dane, "none") != 0)
            return false;
        none = none || (s && strcmp(s->dane, "none") == 0);
    }
    return none;
}

/* RFC 7671 8.1: the next key's record is there before the key. A weaker digest that a stronger one sets aside (RFC 7671
 * section 9) is no second record. */
/* Tells whether a record is for a certificate that an address of the host serves now. *seen: at least one certificate
 * could be read. */
static bool is_of_now(const struct testing *t, const struct dane_host *h, const struct dane_record *record, bool *seen)
{
    const struct mail_host *host = mail_host_of(t, h->name);
    struct dane_record one = *record;
    const struct dane_records alone = {.record = &one, .count = 1, .usable = 1};
    bool now = false;
    for (size_t i = 0; host && i < host->address_count; i++) {
        const struct facts_smtp *s = seen_at(t, host, i);
        struct dane_match m;
        if (!s || !s->cert_count)
            continue;
        const struct dane_match_request r = {.records = &alone,
                                             .chain = s->certs,
                                             .chain_count = s->cert_count,
                                             .host = h->name,
                                             .base_domain = t->facts->domain,
                                             .at = t->facts->at};
        *seen = true;
        now = now || (dane_match(t->arena, &r, &m) == STATUS_OK && m.state == DANE_MATCH_YES);
    }
    return now;
}

/* RFC 7671 8.1: the record for the next certificate is published before that certificate is served, or a record for the
 * issuer matches both. Two records for the present certificate (its key and the whole) do not prepare the next one. */
static void test_rollover(struct testing *t, const struct dane_host *h)
{
    size_t used = 0, other = 0;
    bool issuer = false, seen = false;
    for (size_t i = 0; i < h->records.count; i++) {
        const struct dane_record *r = &h->records.record[i];
        if (!r->used)
            continue;
        used++;
        issuer = issuer || r->usage == DANE_TA;
        other += !is_of_now(t, h, r, &seen);
    }
    if (used >= 2 && seen && !other && !issuer)
        testing_say(t, CHECK_DANE_ROLLOVER, CHECK_NOTE, NULL,
                    "%s: all its records are of the certificate that it serves", h->name);
    else if (used >= 2)
        testing_say(t, CHECK_DANE_ROLLOVER, CHECK_PASS, NULL, "a second record is there");
    else
        testing_say(t, CHECK_DANE_ROLLOVER, CHECK_NOTE, NULL, "%s has one usable record", h->name);
}

static void test_unsigned_host(struct testing *t, const struct dane_host *h)
{
    const char *zone = testing_untestable(t, h->name);
    if (zone)
        testing_say_untestable(t, CHECK_DANE, zone);
    else
        testing_say(t, CHECK_DANE, CHECK_ADVICE, "Sign the mail server's zone with DNSSEC first.", "%s is not signed",
                    h->name);
}

/* Saved facts may lack the question: then nothing is known of its servers. */
static bool is_not_asked(struct testing *t, const struct dane_host *h)
{
    const char *name = arena_printf(t->arena, "_25._tcp.%s", h->name);
    return name && testing_was_not_asked(dns_get(t->scope, name, DNS_TLSA));
}

/* Tells whether an address of the host was seen not to encrypt: with a TLSA record, senders would not deliver there
 * (RFC 7672 2.2). */
static bool is_in_clear(const struct testing *t, const struct mail_host *h)
{
    bool clear = false;
    for (size_t i = 0; h && i < h->address_count; i++) {
        const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[i]);
        clear = clear || (s && testing_is_clear(s));
    }
    return clear;
}

static void test_dane_host(struct testing *t, const struct dane_host *h)
{
    const struct mail_host *host = mail_host_of(t, h->name);
    if (host && host->itself)
        return;
    t->dane_meant = t->dane_meant || h->state == DANE_HOST_PROTECTED || h->state == DANE_HOST_UNUSABLE ||
                    h->state == DANE_HOST_BROKEN;
    switch (h->state) {
    case DANE_HOST_PROTECTED:
        if (host && none_usable(t, host)) {
            testing_say(t, CHECK_DANE_USABLE, CHECK_FAIL, "Publish a record \"3 1 1\" (assay tlsa prints it).",
                        "%s: what its TLSA records hold is neither a certificate nor a key", h->name);
            return;
        }
        testing_say(t, CHECK_DANE, CHECK_PASS, NULL, "every mail server is protected");
        testing_say(t, CHECK_DANE_USABLE, CHECK_PASS, NULL, "usable");
        test_match(t, h);
        test_rollover(t, h);
        return;
    case DANE_HOST_UNUSABLE:
        testing_say(t, CHECK_DANE_USABLE, CHECK_FAIL, "Publish a record \"3 1 1\" (assay tlsa prints it).",
                    "%s: no record that mail can use (usage 2 or 3)", h->name);
        return;
    case DANE_HOST_BROKEN:
        if (host && mail_host_is_bogus(host)) /* said by dnssec-mx; of TLSA nothing is known */
            return;
        if (is_not_asked(t, h)) {
            testing_say(t, CHECK_DANE_MATCH, CHECK_UNTESTED, NULL, "TLSA of %s: %s", h->name, T("not asked"));
            testing_say(t, CHECK_DANE, CHECK_UNTESTED, NULL, "TLSA of %s: %s", h->name, T("not asked"));
            return;
        }
        testing_say(t, CHECK_NS_TLSA, CHECK_FAIL,
                    "Ask the DNS host of the mail server to mend its name servers or signatures.", "TLSA of %s: %s",
                    h->name, testing_word(t, h->reason));
        return;
    case DANE_HOST_NONE:
        testing_say(t, CHECK_DANE, CHECK_ADVICE,
                    testing_print(t,
                                  is_in_clear(t, host)
                                      ? "_25._tcp.%s. TLSA 3 1 1 <digest; assay tlsa prints it on the server>, but not "
                                        "before it offers STARTTLS: senders would not deliver"
                                      : "_25._tcp.%s. TLSA 3 1 1 <digest; assay tlsa prints it on the server>",
                                  h->name),
                    "%s has no TLSA record", h->name);
        return;
    case DANE_HOST_INSECURE:
        test_unsigned_host(t, h);
        return;
    case DANE_HOST_NO_ADDRESS:
        return;
    case DANE_HOST_UNKNOWN:
        testing_say(t, CHECK_DANE_MATCH, CHECK_UNTESTED, NULL, "%s: %s", h->name, testing_word(t, h->reason));
        testing_say(t, CHECK_DANE, CHECK_UNTESTED, NULL, "%s: %s", h->name, testing_word(t, h->reason));
        return;
    }
}

static void test_dane(struct testing *t)
{
    struct dane_posture p;
    if (!t->mail.count || dane_check(t->scope, t->arena, t->facts->domain, &p) != STATUS_OK)
        return;
    for (size_t i = 0; i < p.host_count; i++)
        test_dane_host(t, &p.hosts[i]);
    bool address = false;
    for (size_t i = 0; i < t->mail.count; i++)
        address = address || t->mail.hosts[i].address_count || t->mail.hosts[i].failed;
    if (!address) /* said by mx-host */
        testing_say(t, CHECK_DANE, CHECK_UNTESTED, NULL, "no mail server has an address");
    if (p.state == DANE_INSECURE_MX) /* whoever answers for the domain can name other hosts, which have none */
        t->dane_meant = false;
    const char *zone = p.state == DANE_INSECURE_MX ? testing_untestable(t, t->facts->domain) : NULL;
    if (zone)
        testing_say_untestable(t, CHECK_DANE, zone);
    else if (p.state == DANE_INSECURE_MX)
        testing_say(t, CHECK_DANE, CHECK_ADVICE, "Sign the domain's own zone with DNSSEC, too.",
                    "the mail servers are protected, but the MX record that names them is not signed");
    t->dane = p.state == DANE_PROTECTED && t->report->results[CHECK_DANE_MATCH].state <= CHECK_UNTESTED;
}

/* ---- MTA-STS ---- */

/* Tells whether an address of the host showed how it encrypts. */
static bool was_seen(const struct testing *t, const struct mail_host *h)
{
    for (size_t i = 0; i < h->address_count; i++) {
        const struct facts_smtp *s = seen_at(t, h, i);
        if (s && *s->trust)
            return true;
    }
    return false;
}

/* Tells whether a mail host meets a policy: its name, and the certificate of each of its addresses (RFC 8461 4.1,
 * 4.2). */
static const char *unmet_by(struct testing *t, const struct sts_policy *p, const struct mail_host *h)
{
    bool named = false;
    for (size_t i = 0; i < p->mx_count; i++)
        named = named || sts_mx_matches(p->mx[i], h->name);
    if (!named)
        return LANGUAGE_MARK("the policy does not name it");
    for (size_t i = 0; i < h->address_count; i++) {
        const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[i]);
        if (!s)
            continue;
        if (testing_is_clear(s))
            return LANGUAGE_MARK("it does not encrypt");
        if (strcmp(s->outcome, "done") != 0 || !*s->trust)
            continue;
        if (strcmp(s->trust, "ok") != 0)
            return LANGUAGE_MARK("its certificate is not issued by a known authority, or not valid");
        const unsigned char *der = (const unsigned char *)s->certs[0].p;
        X509 *leaf = s->cert_count ? d2i_X509(NULL, &der, (long)s->certs[0].n) : NULL;
        const unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
        bool fits = leaf && X509_check_host(leaf, h->name, 0, flags, NULL) == 1;
        X509_free(leaf);
        ERR_clear_error();
        if (!fits)
            return LANGUAGE_MARK("its certificate does not name it");
    }
    return NULL;
}

static void test_policy(struct testing *t, const struct sts_policy *p)
{
    t->sts_enforced = p->mode == STS_ENFORCE && p->max_age >= SHORT_AGE;
    for (size_t i = 0; i < t->mail.count && p->mode != STS_NONE; i++) {
        const char *why = unmet_by(t, p, &t->mail.hosts[i]);
        if (why)
            testing_say(
                t, CHECK_STS_MX, p->mode == STS_ENFORCE ? CHECK_FAIL : CHECK_ADVICE,
                testing_print(t, "mx: %s (a line of the policy file), with a valid certificate", t->mail.hosts[i].name),
                "%s: %s", t->mail.hosts[i].name, testing_word(t, why));
        else if (!was_seen(t, &t->mail.hosts[i]))
            testing_say(t, CHECK_STS_MX, CHECK_UNTESTED, NULL, "%s could not be asked for its certificate",
                        t->mail.hosts[i].name);
        else
            testing_say(t, CHECK_STS_MX, CHECK_PASS, NULL, "every mail server meets the policy");
        t->sts_enforced = t->sts_enforced && !why;
    }
    if (p->mode == STS_ENFORCE && p->max_age < SHORT_AGE)
        testing_say(t, CHECK_STS_MODE, CHECK_ADVICE, "max_age: 2592000 (in the policy file, with a new id in DNS)",
                    "max_age: %u: senders forget the policy before they need it", (unsigned)p->max_age);
    else if (p->mode == STS_ENFORCE)
        testing_say(t, CHECK_STS_MODE, CHECK_PASS, NULL, "mode: enforce");
    else
        testing_say(t, CHECK_STS_MODE, CHECK_ADVICE, "mode: enforce (in the policy file, with a new id in DNS)",
                    "mode: %s", sts_mode_name(p->mode));
}

/* The server was busy for the moment, or we asked it too often (RFC 9110 15.5.9, 15.6; RFC 6585 section 4). */
static bool is_busy(const struct facts_web *w)
{
    static const char *const says[] = {"the server says 408,", "the server says 429,", "the server says 502,",
                                       "the server says 503,", "the server says 504,"};
    bool busy = false;
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++)
        busy = busy || strncmp(w->why, says[i], strlen(says[i])) == 0;
    return busy && strcmp(w->outcome, "status") == 0;
}

/* What to do about a policy that could not be fetched. */
static const char *fetch_fix(struct testing *t, const struct facts_web *w)
{
    static const char usual[] = LANGUAGE_MARK("Serve the policy at https://%s%s, with a valid certificate.");
    return testing_print(t,
                         strcmp(w->outcome, "type") == 0 ? "Serve the policy at https://%s%s with the type text/plain."
                         : strcmp(w->outcome, "too long") == 0
                             ? "Shorten the policy at https://%s%s: senders read 64 KiB of it at most."
                             : usual,
                         w->host, w->path);
}

static void test_file(struct testing *t)
{
    const struct facts_web *w = t->facts->web_count ? &t->facts->web[0] : NULL;
    struct sts_policy policy;
    const char *why = NULL;
    if (!w || strcmp(w->outcome, "timed out") == 0 || strcmp(w->outcome, "not asked") == 0 ||
        strcmp(w->outcome, "internal error") == 0 || is_busy(w)) {
        testing_say(t, CHECK_STS_VALID, CHECK_UNTESTED, NULL, "the policy: %s",
                    testing_word(t, w ? w->why : LANGUAGE_MARK("not asked")));
    } else if (strcmp(w->outcome, "done") != 0) {
        testing_say(t, CHECK_STS_VALID, CHECK_FAIL, fetch_fix(t, w), "%s: %s", w->host,
                    testing_word(t, *w->why ? w->why : w->outcome));
    } else if (sts_policy_read(t->arena, w->body, &policy, &why) != STATUS_OK) {
        testing_say(t, CHECK_STS_VALID, CHECK_FAIL, "Correct the policy file.", "the policy file: %s",
                    testing_word(t, why ? why : LANGUAGE_MARK("it is over the limit")));
    } else {
        if (policy.long_age) /* our own programs take the maximum for it; others may refuse the file */
            testing_say(t, CHECK_STS_VALID, CHECK_FAIL, "Correct the policy file.",
                        "the policy file: its max_age is over %u", (unsigned)STS_MAX_AGE);
        testing_say(t, CHECK_STS_VALID, CHECK_PASS, NULL, "fetched and read");
        test_policy(t, &policy);
    }
}

static unsigned count_fields(struct slice text, const char *with)
{
    struct slice field;
    unsigned n = 0;
    while (taglist_piece(&text, ';', &field))
        n += slice_begins(field, with);
    return n;
}

/* Tells whether a text was meant as a record of this version, whatever its case and place. */
static bool is_meant_as(struct slice text, const char *version)
{
    struct slice field;
    while (taglist_piece(&text, ';', &field))
        if (field.n >= strlen(version) && slice_eq_nocase(slice_of(field.p, strlen(version)), slice_str(version)))
            return true;
    return false;
}

/* NULL, or what is wrong with a record of MTA-STS. */
static const char *wrong_sts(struct slice text)
{
    char id[STS_ID + 1];
    if (sts_record_id(text, id) != STATUS_OK)
        return LANGUAGE_MARK("the MTA-STS record has no id that can be read");
    return count_fields(text, "id=") > 1 ? LANGUAGE_MARK("the MTA-STS record has more than one id") : NULL;
}

static void test_sts(struct testing *t)
{
    const char *name = arena_printf(t->arena, "_mta-sts.%s", t->facts->domain);
    const struct dns_answer *a = name ? dns_get(t->scope, name, DNS_TXT) : NULL;
    unsigned found = 0;
    const char *wrong = NULL;
    struct slice close = SLICE_NULL; /* meant as a record, and none */
    for (size_t i = 0; a && i < a->count; i++) {
        struct slice text = dns_txt(t->scope, a, i);
        if (text.p && sts_is_record(text)) {
            found++;
            wrong = wrong_sts(text);
        } else if (is_meant_as(text, "v=STS") || is_meant_as(text, "id=")) {
            close = text;
        }
    }
    if (!a || a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        testing_say(t, CHECK_STS, CHECK_UNTESTED, NULL, "_mta-sts.%s: %s", t->facts->domain,
                    a ? testing_failure(t, a) : "");
    else if (found == 0 && close.p)
        testing_say(t, CHECK_STS_VALID, CHECK_FAIL,
                    arena_printf(t->arena, "_mta-sts.%s. TXT \"v=STSv1; id=1\"", t->facts->domain),
                    "there is no MTA-STS record that can be read; found: %s", testing_shown(t, close, 200));
    else if (found == 0 && t->mail.unknown)
        testing_say(t, CHECK_STS, CHECK_UNTESTED, NULL, "MX of %s: %s", t->facts->domain,
                    testing_failure(t, t->mail.mx));
    else if (found == 0 && t->dane_meant)
        testing_say(t, CHECK_STS, CHECK_PASS, NULL, "not needed: the domain uses DANE");
    else if (found == 0 && t->report->results[CHECK_DANE].state == CHECK_UNTESTED)
        testing_say(t, CHECK_STS, CHECK_UNTESTED, NULL,
                    "there is no MTA-STS record, and whether the domain uses DANE could not be tested");
    else if (found == 0)
        testing_say(
            t, CHECK_STS, CHECK_ADVICE,
            testing_print(
                t,
                "_mta-sts.%s. TXT \"v=STSv1; id=1\", and a policy file at https://mta-sts.%s/.well-known/mta-sts.txt",
                t->facts->domain, t->facts->domain),
            "there is no MTA-STS record");
    else
        testing_say(t, CHECK_STS, CHECK_PASS, NULL, "a record is there");
    if (found > 1 || wrong)
        testing_say(t, CHECK_STS_VALID, CHECK_FAIL,
                    arena_printf(t->arena, "_mta-sts.%s. TXT \"v=STSv1; id=1\"", t->facts->domain), "%s",
                    found > 1 ? T("several MTA-STS records: they count as none") : testing_word(t, wrong));
    else if (found == 1)
        test_file(t);
}

/* "v=TLSRPTv1" and a semicolon, blanks between them (RFC 8460 section 3): another text there is no record. */
static bool is_tlsrpt(struct slice text)
{
    if (!slice_begins(text, "v=TLSRPTv1"))
        return false;
    text = slice_trim(slice_from(text, strlen("v=TLSRPTv1")));
    return text.n && text.p[0] == ';';
}

/* The characters of a URI (RFC 3986 section 2), of which "!" must be encoded here (RFC 8460 section 3). */
static bool has_uri_characters(struct slice uri)
{
    for (size_t i = 0; i < uri.n; i++) {
        if (uri.p[i] <= ' ' || uri.p[i] >= 0x7f || strchr("<>\"{}|\\^`!", uri.p[i]))
            return false;
        if (uri.p[i] == '%' && (i + 2 >= uri.n || hex_value(uri.p[i + 1]) < 0 || hex_value(uri.p[i + 2]) < 0))
            return false;
    }
    return true;
}

/* A mailto: URI with an address, or an https: URI with a host. */
static bool is_report_uri(struct slice uri)
{
    const char *at;
    if (!has_uri_characters(uri))
        return false;
    if (uri.n > 8 && slice_eq_nocase(slice_of(uri.p, 8), SLICE_LIT("https://")))
        return uri.p[8] != '/' && uri.p[8] != ':';
    if (uri.n <= 7 || !slice_eq_nocase(slice_of(uri.p, 7), SLICE_LIT("mailto:")))
        return false;
    at = memchr(uri.p, '@', uri.n);
    return at && at > uri.p + 7 && at + 1 < uri.p + uri.n;
}

/* NULL, or what is wrong with where a record wants its reports: every destination of every rua= counts, and none is
 * empty (RFC 8460 section 3). kept: those that can be used, with commas between them. */
static const char *wrong_destination(struct slice text, struct buf *kept)
{
    static const char none[] = LANGUAGE_MARK("the TLS-RPT record has no rua= with a mailto: or https: address");
    bool wrong = false, any = false;
    struct slice field;
    while (taglist_piece(&text, ';', &field)) {
        if (!slice_begins(field, "rua="))
            continue;
        struct slice list = slice_from(field, 4), uri;
        while (taglist_piece(&list, ',', &uri)) {
            if (!is_report_uri(uri)) {
                wrong = true;
                continue;
            }
            if (kept->n + uri.n < KEPT) {
                buf_adds(kept, kept->n ? "," : "");
                buf_addslice(kept, uri);
            }
            any = true;
        }
    }
    if (!any)
        return none;
    return wrong ? LANGUAGE_MARK("a destination of the TLS-RPT record is no mailto: or https: address") : NULL;
}

/* NULL, or what is wrong with a record of TLS-RPT: with its destinations, or with the grammar of its fields. */
static const char *wrong_tlsrpt(struct slice text, struct buf *kept)
{
    const char *wrong = wrong_destination(text, kept);
    struct slice field;
    if (wrong)
        return wrong;
    if (count_fields(text, "rua=") > 1)
        return LANGUAGE_MARK("the TLS-RPT record has more than one rua=");
    (void)taglist_piece(&text, ';', &field); /* the version */
    while (taglist_piece(&text, ';', &field))
        if ((field.n || text.p) && !slice_begins(field, "rua=") && !sts_is_extension(field))
            return LANGUAGE_MARK("the TLS-RPT record has a field that is not NAME=VALUE");
    return NULL;
}

/* The record to publish: with the destinations that it has now, as far as they can be used. */
static const char *tlsrpt_fix(struct testing *t, const struct buf *kept)
{
    if (kept->n)
        return arena_printf(t->arena, "_smtp._tls.%s. TXT \"v=TLSRPTv1; rua=%s\"", t->facts->domain, kept->p);
    return arena_printf(t->arena, "_smtp._tls.%s. TXT \"v=TLSRPTv1; rua=mailto:tls-reports@%s\"", t->facts->domain,
                        t->facts->domain);
}

static void test_tlsrpt(struct testing *t)
{
    const char *name = arena_printf(t->arena, "_smtp._tls.%s", t->facts->domain);
    const struct dns_answer *a = name ? dns_get(t->scope, name, DNS_TXT) : NULL;
    unsigned found = 0;
    const char *wrong = NULL, *close = NULL; /* meant as a record, and none */
    struct buf kept = BUF_INIT;
    for (size_t i = 0; a && i < a->count; i++) {
        const struct slice text = dns_txt(t->scope, a, i);
        if (is_tlsrpt(text)) {
            found++;
            wrong = wrong_tlsrpt(text, &kept);
        } else if (is_meant_as(text, "v=TLSRPT") || is_meant_as(text, "rua=")) {
            close = testing_shown(t, text, 200);
            (void)wrong_destination(text, &kept);
        }
    }
    if (!a || a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        testing_say(t, CHECK_TLS_RPT, CHECK_UNTESTED, NULL, "_smtp._tls.%s: %s", t->facts->domain,
                    a ? testing_failure(t, a) : "");
    else if (found == 1 && !wrong)
        testing_say(t, CHECK_TLS_RPT, CHECK_PASS, NULL, "reports are asked for");
    else
        testing_say(t, CHECK_TLS_RPT, CHECK_ADVICE, tlsrpt_fix(t, &kept), "%s",
                    found > 1    ? T("several TLS-RPT records: they count as none")
                    : found == 1 ? testing_word(t, wrong)
                    : close      ? testing_print(t, "there is no TLS-RPT record that can be read; found: %s", close)
                                 : T("there is no TLS-RPT record"));
    buf_release(&kept);
}

/* The tag of a CAA record, and the value behind it (RFC 8659 4.1). False: it is malformed. */
static bool read_caa(struct slice rdata, struct slice *tag, struct slice *value)
{
    size_t n = rdata.n > 2 ? (unsigned char)rdata.p[1] : 0;
    if (!n || rdata.n < 2 + n)
        return false;
    *tag = slice_of(rdata.p + 2, n);
    *value = slice_from(rdata, 2 + n);
    return true;
}

/* IANA's registry of properties, as of 2026. An authority that does not know one that is marked critical may not issue
 * (RFC 8659 4.1). */
static bool is_known_caa(struct slice tag)
{
    static const char *const known[] = {"issue",        "issuewild",    "iodef",   "issuemail",
                                        "contactemail", "contactphone", "issuevmc"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_eq_nocase(tag, slice_str(known[i])))
            return true;
    return false;
}

/* The authority that a value names, before its parameters: a host's name, or nothing, so that nobody may issue. Another
 * value is malformed, and counts as one that names nobody (RFC 8659 4.2). */
static bool names_issuer(struct slice value)
{
    char kept[LIMIT_DOMAIN + 1];
    struct slice name;
    return taglist_piece(&value, ';', &name) &&
           (!name.n || (domain_from_text(name, kept) == STATUS_OK && domain_is_host(kept)));
}

/* What the records at a name say of certificates for its servers. */
static void judge_caa(struct testing *t, const char *name, const struct dns_answer *a)
{
    bool issue = false;
    for (size_t i = 0; i < a->count; i++) {
        struct slice tag, value;
        if (!read_caa(a->rdata[i], &tag, &value))
            continue;
        const bool is_issue = slice_eq_nocase(tag, SLICE_LIT("issue"));
        issue = issue || is_issue;
        if (((unsigned char)a->rdata[i].p[0] & 0x80) && !is_known_caa(tag))
            testing_say(t, CHECK_CAA, CHECK_ADVICE, "Remove this record, or its critical flag.",
                        "at %s: no authority may issue that does not know %s, which is marked critical", name,
                        testing_shown(t, tag, 60));
        if (is_issue && !names_issuer(value))
            testing_say(t, CHECK_CAA, CHECK_ADVICE,
                        testing_print(t, "%s. CAA 0 issue \"<your certificate authority>\"", name),
                        "at %s: \"%s\" is no name of an authority, so that none may issue by it", name,
                        testing_shown(t, value, 100));
    }
    if (issue)
        testing_say(t, CHECK_CAA, CHECK_PASS, NULL, "at %s", name);
    else
        testing_say(t, CHECK_CAA, CHECK_ADVICE,
                    testing_print(t, "%s. CAA 0 issue \"<your certificate authority>\"", t->facts->domain),
                    "no CAA record says who may issue");
}

/* The CAA records that apply to the domain: at the closest name at or above it that has any (RFC 8659 section 3). */
static void test_caa(struct testing *t)
{
    for (const char *name = t->facts->domain; name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        const struct dns_answer *a = dns_get(t->scope, name, DNS_CAA);
        if (testing_bogus_alone(t, a)) { /* RFC 8659 section 3: without an answer no authority may issue */
            testing_say(t, CHECK_CAA, CHECK_ADVICE, testing_sign_anew, "CAA of %s: %s", name, testing_failure(t, a));
            return;
        }
        if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS) {
            testing_say(t, CHECK_CAA, CHECK_UNTESTED, NULL, "CAA of %s: %s", name, testing_failure(t, a));
            return;
        }
        if (a->count) {
            judge_caa(t, name, a);
            return;
        }
    }
    testing_say(t, CHECK_CAA, CHECK_ADVICE,
                testing_print(t, "%s. CAA 0 issue \"<your certificate authority>\"", t->facts->domain),
                "no CAA record says who may issue");
}

void criteria_transport(struct testing *t)
{
    test_caa(t);
    if (!t->report->receives)
        return;
    test_dane(t);
    test_sts(t);
    test_tlsrpt(t);
}
