// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_match.c - the verdict of dane_match.h, by OpenSSL's own DANE code without a connection.
 *
 * OpenSSL is given the records that choose_digests (dane_tlsa.c) left in use, and the chain as a server would send it,
 * in the order of a TLS client's verification. The error text is made from the records and the chain, because OpenSSL's
 * is only about certificates. Without memory, or if OpenSSL cannot do it, STATUS_NOMEM; nothing stays in its error
 * queue.
 */
#include "standards/dane/dane_match.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Tells whether this certificate is what the record's data stands for, digest agility aside (RFC 6698 2.1). */
static bool dane_record_is_of(const struct dane_record *r, struct slice certificate)
{
    const unsigned char *p = (const unsigned char *)certificate.p;
    unsigned char digest[EVP_MAX_MD_SIZE], *key = NULL;
    unsigned int n = 0;
    struct slice what = certificate;
    bool same = false;

    if (r->selector == DANE_SPKI) {
        X509 *x = d2i_X509(NULL, &p, (long)certificate.n);
        int length = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &key) : 0;
        what = length > 0 ? slice_of((char *)key, (size_t)length) : SLICE_NULL;
        X509_free(x);
    }
    if (what.n && r->matching == DANE_FULL)
        same = slice_eq(what, r->data);
    else if (what.n && EVP_Digest(what.p, what.n, digest, &n, r->matching == DANE_SHA256 ? EVP_sha256() : EVP_sha512(),
                                  NULL) == 1)
        same = slice_eq(slice_of((char *)digest, n), r->data);
    OPENSSL_free(key);
    return same;
}

/* ---- OpenSSL's verdict ---- */

struct check {
    const struct dane_match_request *r;
    SSL_CTX *ctx;
    SSL *ssl;
    X509 *leaf;
    STACK_OF(X509) * chain;
    X509_STORE *store;
};

static void close_check(struct check *c)
{
    X509_STORE_free(c->store);
    sk_X509_pop_free(c->chain, X509_free);
    X509_free(c->leaf);
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    ERR_clear_error();
}

static bool read_chain(struct check *c)
{
    c->chain = sk_X509_new_null();
    for (size_t i = 0; c->chain && i < c->r->chain_count && i < DANE_MATCH_CHAIN; i++) {
        const unsigned char *p = (const unsigned char *)c->r->chain[i].p;
        X509 *x = d2i_X509(NULL, &p, (long)c->r->chain[i].n);
        if (!x)
            return i > 0;
        if (i == 0) {
            c->leaf = x;
            X509_up_ref(x);
        }
        if (!sk_X509_push(c->chain, x)) {
            X509_free(x);
            return false;
        }
    }
    return c->leaf != NULL;
}

/* Records that count; without_whole: but those for the whole server certificate. -1: OpenSSL cannot. */
static int add_records(struct check *c, bool without_whole)
{
    int added = 0;

    for (size_t i = 0; i < c->r->records->count; i++) {
        const struct dane_record *t = &c->r->records->record[i];
        if (!t->used || (without_whole && t->usage == DANE_EE && t->selector == DANE_CERT))
            continue;
        added += SSL_dane_tlsa_add(c->ssl, t->usage, t->selector, t->matching, (const unsigned char *)t->data.p,
                                   t->data.n) > 0;
    }
    return added;
}

static bool chain_verify(struct check *c)
{
    X509_STORE_CTX *v = X509_STORE_CTX_new();
    bool good = false;

    if (v && X509_STORE_CTX_init(v, c->store, c->leaf, c->chain) == 1) {
        X509_STORE_CTX_set0_dane(v, SSL_get0_dane(c->ssl));
        X509_STORE_CTX_set_default(v, "ssl_server");
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(v), SSL_get0_param(c->ssl));
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(v), c->r->at);
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(v), 0); /* a matching record is trust enough */
        good = X509_verify_cert(v) == 1 && X509_STORE_CTX_get_error(v) == X509_V_OK;
    }
    X509_STORE_CTX_free(v);
    return good;
}

/* 1: matches; 0: not; -1: no library, or no certificate that can be read (*leaf false). */
static int ask_openssl(const struct dane_match_request *r, bool without_whole, bool *leaf,
                       const struct dane_record **by)
{
    struct check c = {.r = r, .ctx = SSL_CTX_new(TLS_client_method()), .store = X509_STORE_new()};
    uint8_t usage, selector, matching;
    const unsigned char *data;
    size_t n;
    int result = -1;

    *by = NULL;
    *leaf = read_chain(&c);
    if (c.ctx && c.store && *leaf && SSL_CTX_dane_enable(c.ctx) > 0 && (c.ssl = SSL_new(c.ctx)) != NULL &&
        SSL_dane_enable(c.ssl, r->host) > 0 && (!r->base_domain || SSL_add1_host(c.ssl, r->base_domain) == 1)) {
        SSL_dane_set_flags(c.ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
        result = add_records(&c, without_whole) > 0 && chain_verify(&c);
        SSL_set_verify_result(c.ssl, X509_V_OK);
        if (result == 1 && SSL_get0_dane_tlsa(c.ssl, &usage, &selector, &matching, &data, &n) >= 0)
            for (size_t i = 0; i < r->records->count; i++) {
                const struct dane_record *t = &r->records->record[i];
                if (t->used && t->usage == usage && t->selector == selector && t->matching == matching &&
                    slice_eq(t->data, slice_of((const char *)data, n)))
                    *by = t;
            }
    }
    close_check(&c);
    return result;
}

/* ---- words ---- */

static bool is_in_chain(const struct dane_match_request *r, const struct dane_record *t)
{
    for (size_t i = t->usage == DANE_TA; i < r->chain_count && i < DANE_MATCH_CHAIN; i++)
        if (dane_record_is_of(t, r->chain[i]))
            return true;
    return false;
}

const struct dane_record *dane_match_missing_issuer(const struct dane_match_request *r)
{
    for (size_t i = 0; i < r->records->count; i++) {
        const struct dane_record *t = &r->records->record[i];
        if (t->used && t->usage == DANE_TA && t->matching != DANE_FULL && !is_in_chain(r, t))
            return t;
    }
    return NULL;
}

static const char *explain(struct arena *arena, const struct dane_match_request *r, struct dane_match *out)
{
    const struct dane_record *anchor = NULL, *missing = NULL;

    for (size_t i = 0; i < r->records->count; i++) {
        const struct dane_record *t = &r->records->record[i];
        if (t->usable && !t->used && !out->set_aside &&
            (t->usage == DANE_EE ? dane_record_is_of(t, r->chain[0]) : is_in_chain(r, t)))
            out->set_aside = t;
        if (t->used && t->usage == DANE_TA && is_in_chain(r, t))
            anchor = t;
        else if (t->used && t->usage == DANE_TA)
            missing = t;
    }
    if (out->set_aside)
        return arena_printf(arena,
                            "its %u %u %u record is right, but a stronger digest is published beside it (%u %u 2), so "
                            "only that one counts (RFC 7671 9): publish %u %u 2 for this certificate too, or take the "
                            "old one out",
                            out->set_aside->usage, out->set_aside->selector, out->set_aside->matching,
                            out->set_aside->usage, out->set_aside->selector, out->set_aside->usage,
                            out->set_aside->selector);
    if (anchor)
        return "its issuer is the one that a usage 2 record names, but the chain to it is not valid for this host: a "
               "name, a date or a signature is wrong";
    if (missing)
        return "the issuer that its usage 2 record names is not in the chain that is served (RFC 7671 5.2.3), and no "
               "other record matches: serve the whole chain, or publish 3 1 1";
    return "no record matches it";
}

enum status dane_match(struct arena *arena, const struct dane_match_request *r, struct dane_match *out)
{
    const struct dane_record *ignored;
    bool leaf;

    *out = (struct dane_match){.state = DANE_MATCH_NO_RECORDS, .why = "there is no TLSA record that mail can use"};
    if (!r->records->usable)
        return STATUS_OK;
    int found = r->chain_count ? ask_openssl(r, false, &leaf, &out->by) : (leaf = false, -1);
    if (!leaf) {
        out->state = DANE_MATCH_NO_CHAIN;
        out->why = "there is no certificate that can be read";
        return STATUS_OK;
    }
    if (found < 0)
        return STATUS_NOMEM;
    out->state = found ? DANE_MATCH_YES : DANE_MATCH_NO;
    out->why = "";
    if (found)
        out->holds_after_renewal = ask_openssl(r, true, &leaf, &ignored) == 1;
    else
        out->why = explain(arena, r, out);
    return out->why ? STATUS_OK : STATUS_NOMEM;
}
