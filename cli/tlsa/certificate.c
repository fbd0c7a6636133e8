// SPDX-License-Identifier: BSD-2-Clause
/*
 * certificate.c - reading a certificate with OpenSSL.
 *
 * Promises texts that are safe to print, canonical names (others are left out), and a reason in words for whatever
 * cannot be read. RFC 6698 2.1.2: the selectors are the whole certificate (0) and its SubjectPublicKeyInfo (1).
 */
#include "cli/tlsa/certificate.h"
#include "base/domain.h"
#include "base/utf8.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static const char *hex_sha256(struct arena *a, struct slice s)
{
    unsigned char digest[32];
    unsigned int size = 0;
    if (s.n == 0 || EVP_Digest(s.p, s.n, digest, &size, EVP_sha256(), NULL) != 1 || size != sizeof digest)
        return NULL;
    char *text = arena_alloc(a, 65);
    for (size_t i = 0; text && i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static time_t to_time(const ASN1_TIME *t)
{
    struct tm tm;
    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

static void add_name(struct arena *a, struct slice text, struct certificate *out)
{
    char kept[LIMIT_DOMAIN + 1];
    bool wild = text.n > 2 && text.p[0] == '*' && text.p[1] == '.';
    if (out->name_count == CERTIFICATE_MAX_NAMES || domain_from_text(slice_from(text, wild ? 2 : 0), kept) != STATUS_OK)
        return;
    char *name = arena_printf(a, "%s%s", wild ? "*." : "", kept);
    if (name)
        out->names[out->name_count++] = name;
}

static void read_names(struct arena *a, X509 *x, struct certificate *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (g->type == GEN_DNS)
            add_name(
                a,
                slice_of((const char *)ASN1_STRING_get0_data(g->d.dNSName), (size_t)ASN1_STRING_length(g->d.dNSName)),
                out);
    }
    GENERAL_NAMES_free(names);
}

static const char *subject_text(struct arena *a, X509 *x)
{
    char line[512] = "";
    struct buf b = BUF_INIT;
    X509_NAME_oneline(X509_get_subject_name(x), line, sizeof line);
    utf8_add_visible(&b, slice_str(line));
    const char *text = b.failed ? NULL : arena_strdup(a, b.p);
    buf_release(&b);
    return text;
}

static struct slice der_of(struct arena *a, X509 *x, bool whole)
{
    unsigned char *der = NULL;
    int n = whole ? i2d_X509(x, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    struct slice copy = n > 0 ? arena_slice(a, slice_of((char *)der, (size_t)n)) : SLICE_NULL;
    OPENSSL_free(der);
    return copy;
}

static enum status certificate_fill(struct arena *a, X509 *x, struct certificate *out, const char **why)
{
    *out = (struct certificate){0};
    out->subject = subject_text(a, x);
    out->not_before = to_time(X509_get0_notBefore(x));
    out->not_after = to_time(X509_get0_notAfter(x));
    out->spki = der_of(a, x, false);
    out->whole = der_of(a, x, true);
    out->spki_sha256 = hex_sha256(a, out->spki);
    out->whole_sha256 = hex_sha256(a, out->whole);
    read_names(a, x, out);
    if (out->subject && out->spki_sha256 && out->whole_sha256 && !arena_failed(a))
        return STATUS_OK;
    *why = "out of memory";
    return STATUS_NOMEM;
}

enum status certificate_from_der(struct arena *a, struct slice der, struct certificate *out, const char **why)
{
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *x = der.n <= CERTIFICATE_MAX_FILE ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    ERR_clear_error();
    *why = "this is no certificate";
    if (!x)
        return STATUS_INVALID;
    enum status s = certificate_fill(a, x, out, why);
    X509_free(x);
    return s;
}

static enum status from_octets(struct arena *a, struct slice file, struct certificate *out, const char **why)
{
    BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (!x) {
        enum status s = certificate_from_der(a, file, out, why);
        if (s == STATUS_INVALID)
            *why = "no certificate in it: expected a PEM file with BEGIN CERTIFICATE, or DER";
        return s;
    }
    enum status s = certificate_fill(a, x, out, why);
    X509_free(x);
    return s;
}

enum status certificate_read(struct arena *a, const char *path, struct certificate *out, const char **why)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        bool missing = errno == ENOENT || errno == ENOTDIR;
        *why = arena_strdup(a, strerror(errno));
        return missing ? STATUS_MISSING : STATUS_DENIED;
    }
    char *octets = arena_alloc(a, CERTIFICATE_MAX_FILE + 1);
    size_t n = octets ? fread(octets, 1, CERTIFICATE_MAX_FILE + 1, f) : 0;
    bool bad = ferror(f) != 0;
    fclose(f);
    if (bad) {
        *why = "cannot be read (is it a directory?)";
        return STATUS_DENIED;
    }
    if (n > CERTIFICATE_MAX_FILE) {
        *why = "larger than a megabyte: a certificate is a few kilobytes";
        return STATUS_LIMIT;
    }
    return from_octets(a, slice_of(octets, n), out, why);
}

/* Tells whether the next PEM object begins another chain: a private key, after certificates. */
static bool begins_chain(const char *name, const struct certificate_chain *c)
{
    return strstr(name, "PRIVATE KEY") != NULL && c->count > 0;
}

enum status certificate_read_chains(struct arena *a, const char *path, struct certificate_chain out[CERTIFICATE_CHAINS],
                                    size_t *count)
{
    FILE *f = fopen(path, "rb");
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long n = 0;

    *count = 0;
    if (!f)
        return errno == ENOENT || errno == ENOTDIR ? STATUS_MISSING : STATUS_DENIED;
    memset(out, 0, CERTIFICATE_CHAINS * sizeof *out);
    while (PEM_read(f, &name, &header, &data, &n) == 1) {
        struct certificate_chain *c = &out[*count];
        if (begins_chain(name, c) && *count + 1 < CERTIFICATE_CHAINS)
            c = &out[++*count];
        if (strstr(name, "CERTIFICATE") && n > 0 && c->count < CERTIFICATE_CHAIN)
            c->der[c->count++] = arena_slice(a, slice_of((char *)data, (size_t)n));
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)n);
    }
    if (!out[0].count && fseek(f, 0, SEEK_SET) == 0) {
        X509 *x = d2i_X509_fp(f, NULL);
        if (x)
            out[0].der[out[0].count++] = der_of(a, x, true);
        X509_free(x);
    }
    ERR_clear_error();
    fclose(f);
    *count += out[*count].count > 0;
    return *count ? STATUS_OK : STATUS_INVALID;
}

bool certificate_is_issued_by(struct slice certificate, struct slice issuer)
{
    const unsigned char *p = (const unsigned char *)certificate.p, *q = (const unsigned char *)issuer.p;
    X509 *x = d2i_X509(NULL, &p, (long)certificate.n), *y = d2i_X509(NULL, &q, (long)issuer.n);
    bool good = x && y && X509_check_issued(y, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(y)) == 1;

    X509_free(x);
    X509_free(y);
    ERR_clear_error();
    return good;
}
