// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_lab.h - signs mail for the DKIM and ARC tests, without any of the code under test: the canonical text of what is
 * signed is given literally by the case, hashed and signed by OpenSSL. Also sets up the checker with answers from a
 * replay text.
 *
 * Text with {NAME} in it is filled by lab_fill: {RSA512} ... {RSA8192} and {ED25519} are public keys as p= has them,
 * {PKCS1} the 2048-bit key as RSAPublicKey (RFC 6376 3.6.1), {BH} the base64 hash of the case's canonical body.
 */
#ifndef ASSAY_TESTS_UNIT_DKIM_LAB_H
#define ASSAY_TESTS_UNIT_DKIM_LAB_H

#include "tests/unit/cm.h"
#include "tests/unit/dkim_keys.h"
#include "base/buf.h"
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/dkim/dkim_check.h"
#include "standards/message/header.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

/* Tables of cases leave out what is usual. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct lab_key {
    const char *name;
    const char *text;
    EVP_PKEY *key;
    char *public_text;
};

static struct lab_key lab_keys[] = {
    {"RSA512", key_rsa512, NULL, NULL},   {"RSA1024", key_rsa1024, NULL, NULL}, {"RSA2048", key_rsa2048, NULL, NULL},
    {"RSA4096", key_rsa4096, NULL, NULL}, {"RSA8192", key_rsa8192, NULL, NULL}, {"ED25519", key_ed25519, NULL, NULL},
    {"PKCS1", key_rsa2048, NULL, NULL},
};
#define LAB_KEYS (sizeof lab_keys / sizeof *lab_keys)

static inline char *lab_base64(const void *p, size_t n)
{
    char *out = malloc(n * 4 / 3 + 8);
    assert_non_null(out);
    EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    return out;
}

static inline void lab_load_key(struct lab_key *k)
{
    unsigned char der[8192], *public_der = NULL, raw[32];
    size_t raw_size = sizeof raw;
    int n = EVP_DecodeBlock(der, (const unsigned char *)k->text, (int)strlen(k->text));
    assert_true(n > 0);
    const unsigned char *at = der;
    k->key = d2i_AutoPrivateKey(NULL, &at, n);
    assert_non_null(k->key);
    if (EVP_PKEY_get_base_id(k->key) == EVP_PKEY_ED25519) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(k->key, raw, &raw_size), 1);
        k->public_text = lab_base64(raw, raw_size);
        return;
    }
    n = strcmp(k->name, "PKCS1") == 0 ? i2d_PublicKey(k->key, &public_der) : i2d_PUBKEY(k->key, &public_der);
    assert_true(n > 0);
    k->public_text = lab_base64(public_der, (size_t)n);
    OPENSSL_free(public_der);
}

static inline struct lab_key *lab_key(const char *name)
{
    for (size_t i = 0; i < LAB_KEYS; i++)
        if (strcmp(lab_keys[i].name, name) == 0) {
            if (!lab_keys[i].key)
                lab_load_key(&lab_keys[i]);
            return &lab_keys[i];
        }
    fail_msg("no key %s", name);
    return NULL;
}

static inline void lab_forget_keys(void)
{
    for (size_t i = 0; i < LAB_KEYS; i++) {
        EVP_PKEY_free(lab_keys[i].key);
        free(lab_keys[i].public_text);
        lab_keys[i].key = NULL;
        lab_keys[i].public_text = NULL;
    }
}

/* The end of a group of tests. */
static inline int lab_end(void **state)
{
    (void)state;
    lab_forget_keys();
    return 0;
}

static inline void lab_sha256(struct slice text, unsigned char out[32])
{
    assert_int_equal(EVP_Digest(text.p, text.n, out, NULL, EVP_sha256(), NULL), 1);
}

/* The template with its {NAME}s filled in; malloc'ed. canonical_body may be NULL if {BH} is not used. */
static inline char *lab_fill(const char *template, const char *canonical_body)
{
    struct buf out = BUF_INIT;
    for (const char *p = template; *p; p++) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        if (!close) {
            buf_addc(&out, *p);
            continue;
        }
        char name[32] = "";
        assert_true((size_t)(close - p) < sizeof name);
        memcpy(name, p + 1, (size_t)(close - p - 1));
        if (strcmp(name, "BH") == 0) {
            unsigned char hash[32];
            lab_sha256(slice_str(canonical_body), hash);
            char *text = lab_base64(hash, sizeof hash);
            buf_adds(&out, text);
            free(text);
        } else {
            buf_adds(&out, lab_key(name)->public_text);
        }
        p = close;
    }
    return buf_detach(&out);
}

/* As lab_fill, with each key cut into TXT strings, for replay text: "..." in the template stays as written. */
static inline char *lab_zone(const char *template)
{
    char *filled = lab_fill(template, NULL);
    struct buf out = BUF_INIT;
    size_t run = 0;
    bool quoted = false;
    for (const char *p = filled; *p; p++) {
        if (*p == '"') {
            quoted = !quoted;
            run = 0;
        }
        buf_addc(&out, *p);
        if (quoted && ++run == 200) {
            buf_adds(&out, "\" \"");
            run = 0;
        }
    }
    free(filled);
    return buf_detach(&out);
}

/* The signature of a text: RSA with SHA-256, or Ed25519 over the SHA-256 hash (RFC 8463 3). Base64, malloc'ed. */
static inline char *lab_sign(const char *key_name, struct slice text)
{
    EVP_PKEY *key = lab_key(key_name)->key;
    unsigned char signature[1024], hash[32];
    size_t n = sizeof signature;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
        lab_sha256(text, hash);
        assert_int_equal(EVP_DigestSignInit(c, NULL, NULL, NULL, key), 1);
        assert_int_equal(EVP_DigestSign(c, signature, &n, hash, sizeof hash), 1);
    } else {
        assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key), 1);
        assert_int_equal(EVP_DigestSign(c, signature, &n, (const unsigned char *)text.p, text.n), 1);
    }
    EVP_MD_CTX_free(c);
    return lab_base64(signature, n);
}

struct lab_field {
    const char *name, *value;
};

/* A world of one message: arena, DNS scope, header list. */
struct lab {
    struct arena *arena;
    struct dns *source;
    struct dns_scope *dns;
    struct header_list headers;
};

static inline void lab_open(struct lab *l, const char *zone_template)
{
    char *error = NULL, *zone = lab_zone(zone_template);
    l->arena = arena_new(LIMIT_MESSAGE_ARENA);
    l->source = dns_replay_text(slice_str(zone), "zone", &error);
    if (!l->source)
        fail_msg("%s", error);
    free(zone);
    l->dns = dns_scope_new(l->source, l->arena, NULL);
    header_list_init(&l->headers, l->arena);
}

static inline void lab_close(struct lab *l)
{
    dns_scope_free(l->dns);
    dns_close(l->source);
    arena_free(l->arena);
}

static inline void lab_add(struct lab *l, const char *name, const char *value)
{
    /* Exact-size copies, so that a read past an end shows under ASan; the list copies again. */
    char *n = exact(name, strlen(name)), *v = exact(value, strlen(value));
    assert_int_equal(header_list_add(&l->headers, slice_of(n, strlen(name)), slice_of(v, strlen(value))), STATUS_OK);
    free(n);
    free(v);
}

/* A right signature of a domain over "From: a@example.org" and that body, as a field's value. The caller frees it. */
static inline char *lab_signature(const char *key, const char *domain, const char *selector, const char *body)
{
    struct buf tags = BUF_INIT, text = BUF_INIT;
    buf_printf(&tags, "v=1; a=%s-sha256; c=relaxed/relaxed; d=%s; s=%s; h=from; bh={BH}; b=",
               strcmp(key, "ED25519") == 0 ? "ed25519" : "rsa", domain, selector);
    char *filled = lab_fill(tags.p, body);
    buf_printf(&text, "from:a@example.org\r\ndkim-signature:%s", filled);
    char *b = lab_sign(key, buf_slice(&text));
    buf_reset(&text);
    buf_printf(&text, " %s%s", filled, b);
    free(filled);
    free(b);
    buf_release(&tags);
    return buf_detach(&text);
}

#endif
