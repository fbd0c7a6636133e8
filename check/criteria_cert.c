// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_cert.c - the certificates that the mail hosts of a domain show.
 *
 * Pure over the facts; whether an authority is trusted was found out when they were gathered. OpenSSL reads the
 * certificates; none is taken to be well formed.
 */
#include "check/testing.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define DAYS_LEFT 7
#define SHORT_LIVED                                                                                                    \
    10 /* days: such a certificate is renewed by itself every few days (RFC 9608; CA/B Forum BR 1.6.1) */
#define RSA_LEAST 2048
#define EC_LEAST 224

static X509 *read_cert(struct slice der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    return der.n ? d2i_X509(NULL, &p, (long)der.n) : NULL;
}

static const char *host_words(struct testing *t, const struct facts_smtp *s)
{
    char ip[IP_TEXT];
    const char *text = arena_printf(t->arena, "%s (%s)", s->host, ip_text(&s->address, ip));
    return text ? text : s->host;
}

/* Tells whether a TLSA record of usage 3 pins the host's certificate: then dates and names do not count (RFC 7671
 * 5.1). */
static bool is_pinned(const struct facts_smtp *s)
{
    return s->usage == 3;
}

/* How many days a certificate must still be valid: less than a week where its whole life is little more. */
static int days_needed(const X509 *leaf)
{
    int days = 0, seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf)) != 1)
        return DAYS_LEFT;
    return days < SHORT_LIVED || (days == SHORT_LIVED && seconds == 0) ? days / 3 : DAYS_LEFT;
}

static void test_dates(struct testing *t, const struct facts_smtp *s, X509 *leaf)
{
    int days = 0, seconds = 0;
    ASN1_TIME *now = ASN1_TIME_set(NULL, t->facts->at);
    bool early = now && ASN1_TIME_compare(X509_get0_notBefore(leaf), now) > 0;
    bool known = now && ASN1_TIME_diff(&days, &seconds, now, X509_get0_notAfter(leaf)) == 1;
    ASN1_TIME_free(now);
    static const char fix[] = LANGUAGE_MARK("Renew the certificate, and let it renew itself (certbot, acme.sh).");
    if (is_pinned(s))
        testing_say(t, CHECK_CERT_DATES, CHECK_PASS, NULL, "pinned by DANE-EE: the dates do not count");
    else if (!known)
        testing_say(t, CHECK_CERT_DATES, CHECK_FAIL, fix, "%s: its dates cannot be read", host_words(t, s));
    else if (early)
        testing_say(t, CHECK_CERT_DATES, CHECK_FAIL, fix, "%s: not valid yet", host_words(t, s));
    else if (days < 0 || seconds < 0)
        testing_say(t, CHECK_CERT_DATES, CHECK_FAIL, fix,
                    language_plural(t->language, -days, LANGUAGE_MARK("%s: expired %d day ago"),
                                    LANGUAGE_MARK("%s: expired %d days ago")),
                    host_words(t, s), -days);
    else if (days < days_needed(leaf))
        testing_say(t, CHECK_CERT_DATES, CHECK_FAIL, fix,
                    language_plural(t->language, days, LANGUAGE_MARK("%s: ends in %d day"),
                                    LANGUAGE_MARK("%s: ends in %d days")),
                    host_words(t, s), days);
    else
        testing_say(t, CHECK_CERT_DATES, CHECK_PASS, NULL, "ends in %d days", days);
}

static bool is_self_issued(X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
}

/* Whose certificate is looked at: the host's own, or that of an authority above it. */
static const char *whose(struct testing *t, X509 *cert, bool own)
{
    char name[128] = "";
    if (own)
        return "";
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name) < 0)
        name[0] = '\0';
    return testing_print(t, "the authority \"%s\": ", testing_shown(t, slice_str(name), 60));
}

/* False after it was said. */
static bool test_key(struct testing *t, const struct facts_smtp *s, X509 *cert, bool own)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    bool elliptic = key && EVP_PKEY_base_id(key) == EVP_PKEY_EC;
    bool rsa = key && (EVP_PKEY_base_id(key) == EVP_PKEY_RSA || EVP_PKEY_base_id(key) == EVP_PKEY_RSA_PSS);
    bool edwards = key && (EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 || EVP_PKEY_base_id(key) == EVP_PKEY_ED448);
    const char *kind = rsa ? "RSA" : elliptic ? "ECDSA" : edwards ? "EdDSA" : T("a key");
    static const char fix[] = LANGUAGE_MARK("Make a new key: ECDSA P-256, or RSA with 3072 bits.");
    static const char fix_above[] = LANGUAGE_MARK("Get a certificate of an authority whose keys are strong today.");
    bool weak = !(rsa || elliptic || edwards) || (rsa && bits < RSA_LEAST) || (elliptic && bits < EC_LEAST);
    if (weak)
        testing_say(t, CHECK_CERT_KEY, CHECK_FAIL, own ? fix : fix_above, "%s: %s%s with %d bits", host_words(t, s),
                    whose(t, cert, own), kind, bits);
    else if (own)
        testing_say(t, CHECK_CERT_KEY, CHECK_PASS, NULL, "%s with %d bits", kind, bits);
    return !weak;
}

/* A self-signed certificate's own signature protects nothing, so its hash does not count. */
static bool test_signature(struct testing *t, const struct facts_smtp *s, X509 *cert, bool own)
{
    int digest = NID_undef;
    if (X509_get_signature_info(cert, &digest, NULL, NULL, NULL) != 1)
        digest = NID_undef;
    bool weak = !is_self_issued(cert) && (digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1);
    if (weak)
        testing_say(t, CHECK_CERT_SIGNATURE, CHECK_FAIL,
                    own ? "Let the authority issue the certificate anew, with SHA-256."
                        : "Send the authority's newer certificate, which is signed with SHA-256.",
                    "%s: %ssigned with %s", host_words(t, s), whose(t, cert, own), OBJ_nid2sn(digest));
    else if (own)
        testing_say(t, CHECK_CERT_SIGNATURE, CHECK_PASS, NULL, "SHA-256 or better");
    return !weak;
}

/* The one among the others that issued this certificate; NULL: it was not sent, or the certificate is a root. */
static X509 *issuer_of(X509 *cert, X509 *const *others, size_t count)
{
    for (size_t i = 0; !is_self_issued(cert) && i < count; i++)
        if (others[i] && others[i] != cert && X509_check_issued(others[i], cert) == X509_V_OK)
            return others[i];
    return NULL;
}

/* Keys and signatures from the host's certificate up to, without, the root (which is trusted for itself). Where the
 * host's own is pinned (DANE-EE), nobody looks at those above it. */
static void test_strength(struct testing *t, const struct facts_smtp *s, X509 *leaf)
{
    X509 *sent[FACTS_CHAIN] = {leaf};
    for (size_t i = 1; i < s->cert_count && !is_pinned(s); i++)
        sent[i] = read_cert(s->certs[i]);
    bool key = test_key(t, s, leaf, true), signature = test_signature(t, s, leaf, true);
    X509 *cert = leaf;
    /* Bounded, since two certificates may have issued each other. */
    for (size_t i = 1; i < s->cert_count && (cert = issuer_of(cert, sent, s->cert_count)) && !is_self_issued(cert);
         i++) {
        key = key && test_key(t, s, cert, false);
        signature = signature && test_signature(t, s, cert, false);
    }
    for (size_t i = 1; i < s->cert_count; i++)
        X509_free(sent[i]);
}

static void test_name(struct testing *t, const struct facts_smtp *s, X509 *leaf)
{
    /* The common name is no name of a server (RFC 9525 2). */
    if (X509_check_host(leaf, s->host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                        NULL) == 1)
        testing_say(t, CHECK_CERT_NAME, CHECK_PASS, NULL, "names the mail server");
    else if (s->usage == 2 && strcmp(s->dane, "match") == 0) /* RFC 7672 3.2.2: the domain's own name does, too */
        testing_say(t, CHECK_CERT_NAME, CHECK_PASS, NULL, "names the domain, as DANE-TA allows");
    else if (is_pinned(s))
        testing_say(t, CHECK_CERT_NAME, CHECK_PASS, NULL, "pinned by DANE-EE: the name does not count");
    else
        testing_say(t, CHECK_CERT_NAME, CHECK_ADVICE, testing_print(t, "Get a certificate for %s.", s->host),
                    "%s: the certificate does not name it", host_words(t, s));
}

static void test_trust(struct testing *t, const struct facts_smtp *s)
{
    if (!*s->trust)
        return;
    if (strcmp(s->trust, "ok") == 0)
        testing_say(t, CHECK_CERT_TRUST, CHECK_PASS, NULL, "issued by a known authority");
    else
        testing_say(t, CHECK_CERT_TRUST, CHECK_NOTE, "Get a certificate from a public authority.", "%s: %s",
                    host_words(t, s), testing_word(t, s->trust));
}

static void test_address(struct testing *t, const struct facts_smtp *s)
{
    X509 *leaf = s->cert_count ? read_cert(s->certs[0]) : NULL;
    if (!s->cert_count)
        return;
    if (leaf) {
        test_dates(t, s, leaf);
        test_strength(t, s, leaf);
        test_name(t, s, leaf);
        test_trust(t, s);
    } else {
        testing_say(t, CHECK_CERT_KEY, CHECK_UNTESTED, NULL, "%s: its certificate cannot be read", host_words(t, s));
    }
    X509_free(leaf);
    ERR_clear_error();
}

void criteria_cert(struct testing *t)
{
    for (size_t i = 0; i < t->mail.count; i++)
        for (size_t k = 0; k < t->mail.hosts[i].address_count; k++) {
            const struct mail_host *h = &t->mail.hosts[i];
            const struct facts_smtp *s = testing_smtp(t->facts, h->name, &h->addresses[k]);
            if (s)
                test_address(t, s);
        }
}
