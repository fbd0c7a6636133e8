// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_pubkey.c - public keys on OpenSSL, behind a cache.
 *
 * The cache is a table of CACHE_SETS sets of CACHE_WAYS keys, one lock per set, found by a seeded hash of type and
 * octets and compared octet by octet; the one used longest ago in its set makes room. So it is bounded, and an
 * attacker's keys can at worst displace others. What is no usable key is not kept.
 *
 * A key has a reference count: the cache holds one reference, each user one; the last one frees it. OpenSSL's EVP_PKEY
 * and the context to verify with are only read (and copied) after they are made, which OpenSSL allows from any thread.
 *
 * On failure: STATUS_INVALID or STATUS_LIMIT with a static reason; nothing is left in OpenSSL's error queue.
 */
#include "standards/dkim/dkim_pubkey.h"
#include "standards/dkim/dkim_check.h"
#include "standards/dkim/dkim_tags.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#define CACHE_SETS 256
#define CACHE_WAYS 8

struct dkim_pubkey {
    atomic_uint uses;
    enum dkim_key_type type;
    unsigned bits;
    EVP_PKEY *key;
    EVP_PKEY_CTX *ready; /* RSA: set to verify, to be copied; NULL: there was no memory for it */
    uint64_t hash;
    uint64_t last_used; /* under its set's lock */
    size_t n;
    uint8_t octets[]; /* as p= has them, decoded: what it is found by */
};

static struct cache_set {
    pthread_mutex_t lock;
    uint64_t clock;
    struct dkim_pubkey *way[CACHE_WAYS];
} cache[CACHE_SETS];

static uint64_t seed;
static EVP_MD *sha256;
static atomic_uint_fast64_t hits, misses;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void cache_start(void)
{
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)&seed;
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    for (size_t i = 0; i < CACHE_SETS; i++)
        pthread_mutex_init(&cache[i].lock, NULL);
}

static uint64_t hash_octets(enum dkim_key_type type, const uint8_t *p, size_t n)
{
    uint64_t h = seed ^ (uint64_t)type;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

struct dkim_pubkey *dkim_pubkey_release(struct dkim_pubkey *k)
{
    if (k && atomic_fetch_sub(&k->uses, 1) == 1) {
        EVP_PKEY_CTX_free(k->ready);
        EVP_PKEY_free(k->key);
        free(k);
    }
    return NULL;
}

static struct dkim_pubkey *cache_find(enum dkim_key_type type, uint64_t hash, const uint8_t *p, size_t n)
{
    struct cache_set *set = &cache[hash % CACHE_SETS];
    struct dkim_pubkey *found = NULL;
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < CACHE_WAYS && !found; i++) {
        struct dkim_pubkey *k = set->way[i];
        if (k && k->hash == hash && k->type == type && k->n == n && memcmp(k->octets, p, n) == 0) {
            k->last_used = ++set->clock;
            atomic_fetch_add(&k->uses, 1);
            found = k;
        }
    }
    pthread_mutex_unlock(&set->lock);
    atomic_fetch_add(found ? &hits : &misses, 1);
    return found;
}

static void cache_keep(struct dkim_pubkey *k)
{
    struct cache_set *set = &cache[k->hash % CACHE_SETS];
    struct dkim_pubkey *out;
    size_t place = 0;
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < CACHE_WAYS; i++) {
        if (!set->way[i]) {
            place = i;
            break;
        }
        if (set->way[i]->last_used < set->way[place]->last_used)
            place = i;
    }
    out = set->way[place];
    set->way[place] = k;
    k->last_used = ++set->clock;
    atomic_fetch_add(&k->uses, 1);
    pthread_mutex_unlock(&set->lock);
    dkim_pubkey_release(out);
}

/* An RSA key from DER that is used up to its last octet, in either of the two forms. */
static EVP_PKEY *read_rsa(const uint8_t *der, size_t n)
{
    const uint8_t *at = der;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)n);
    if (!key) {
        at = der;
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)n);
    }
    if (key && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || at != der + n)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static EVP_PKEY *read_key(enum dkim_key_type type, const uint8_t *p, size_t n)
{
    EVP_PKEY *key = NULL;
    ERR_set_mark();
    if (type == KEY_RSA)
        key = read_rsa(p, n);
    else if (n == 32)
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, n);
    ERR_pop_to_mark();
    return key;
}

/* NULL: size and exponent are what we verify with. An exponent under 3 or even is no RSA key: anyone could sign with
 * it. */
static const char *refuse_rsa(const EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    const char *why = NULL;
    if (EVP_PKEY_get_bits(key) > DKIM_CHECK_RSA_BITS_MAX)
        return "the RSA key is too large";
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1 || BN_num_bits(e) < 2 || !BN_is_odd(e))
        why = "the RSA key's exponent is none";
    else if (BN_num_bits(e) > DKIM_CHECK_RSA_EXPONENT_BITS)
        why = "the RSA key's exponent is too large";
    BN_free(e);
    return why;
}

/* A context that is set to verify SHA-256 and PKCS#1 v1.5. NULL: out of memory. */
static EVP_PKEY_CTX *rsa_context(EVP_PKEY *key)
{
    EVP_PKEY_CTX *c = sha256 ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;

    if (c && EVP_PKEY_verify_init(c) == 1 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(c, sha256) == 1)
        return c;
    EVP_PKEY_CTX_free(c);
    return NULL;
}

static enum status make_key(enum dkim_key_type type, uint64_t hash, const uint8_t *p, size_t n,
                            struct dkim_pubkey **out, const char **reason)
{
    EVP_PKEY *key = read_key(type, p, n);
    *reason = type == KEY_RSA ? "p= is no RSA key" : "p= is no Ed25519 key of 32 octets";
    if (!key)
        return STATUS_INVALID;
    *reason = type == KEY_RSA ? refuse_rsa(key) : NULL;
    if (*reason) {
        EVP_PKEY_free(key);
        return STATUS_LIMIT;
    }
    struct dkim_pubkey *k = calloc(1, sizeof *k + n);
    *reason = "out of memory";
    if (!k) {
        EVP_PKEY_free(key);
        return STATUS_NOMEM;
    }
    atomic_init(&k->uses, 1);
    k->type = type;
    k->bits = type == KEY_ED25519 ? 256 : (unsigned)EVP_PKEY_get_bits(key);
    k->key = key;
    k->ready = type == KEY_RSA ? rsa_context(key) : NULL;
    k->hash = hash;
    k->n = n;
    memcpy(k->octets, p, n);
    *out = k;
    return STATUS_OK;
}

enum status dkim_pubkey_get(enum dkim_key_type type, struct slice base64, struct dkim_pubkey **out, const char **reason)
{
    uint8_t octets[DKIM_PUBKEY_OCTETS];
    size_t n = 0;
    pthread_once(&once, cache_start);
    *reason = "p= is not base64";
    enum status s = dkim_tags_base64(base64, octets, sizeof octets, &n);
    if (s == STATUS_LIMIT)
        *reason = "p= is longer than any key we accept";
    if (s != STATUS_OK)
        return s;
    uint64_t hash = hash_octets(type, octets, n);
    if ((*out = cache_find(type, hash, octets, n)))
        return STATUS_OK;
    s = make_key(type, hash, octets, n, out, reason);
    if (s == STATUS_OK)
        cache_keep(*out);
    return s;
}

unsigned dkim_pubkey_bits(const struct dkim_pubkey *k)
{
    return k->bits;
}

size_t dkim_pubkey_octets(const struct dkim_pubkey *k)
{
    /* An EVP_PKEY of OpenSSL 3 has some 1.5 kB besides the numbers, which it keeps in two forms (Montgomery's too), a
     * context that is set up some 0.7 kB. */
    return k ? sizeof *k + 1536 + 4 * k->n + (k->ready ? 768 : 0) : 0;
}

/* To set up a context costs OpenSSL 3 a fifth of a verification, to copy one that is set up next to nothing. */
static bool verify_rsa(const struct dkim_pubkey *k, const uint8_t hash[32], const uint8_t *signature, size_t n)
{
    EVP_PKEY_CTX *c = k->ready ? EVP_PKEY_CTX_dup(k->ready) : NULL;

    if (!c)
        c = rsa_context(k->key);
    bool ok = c && EVP_PKEY_verify(c, signature, n, hash, 32) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

static bool verify_ed25519(EVP_PKEY *key, const uint8_t hash[32], const uint8_t *signature, size_t n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestVerifyInit_ex(c, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestVerify(c, signature, n, hash, 32) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}

bool dkim_pubkey_verify(const struct dkim_pubkey *k, const uint8_t hash[32], const uint8_t *signature, size_t n)
{
    ERR_set_mark();
    bool ok = k->type == KEY_RSA ? verify_rsa(k, hash, signature, n) : verify_ed25519(k->key, hash, signature, n);
    ERR_pop_to_mark();
    return ok;
}

void dkim_pubkey_forget_all(void)
{
    pthread_once(&once, cache_start);
    for (size_t i = 0; i < CACHE_SETS; i++) {
        pthread_mutex_lock(&cache[i].lock);
        for (size_t j = 0; j < CACHE_WAYS; j++)
            cache[i].way[j] = dkim_pubkey_release(cache[i].way[j]);
        pthread_mutex_unlock(&cache[i].lock);
    }
}

struct dkim_pubkey_stats dkim_pubkey_stats(void)
{
    struct dkim_pubkey_stats s = {.hits = atomic_load(&hits), .misses = atomic_load(&misses)};
    pthread_once(&once, cache_start);
    for (size_t i = 0; i < CACHE_SETS; i++) {
        pthread_mutex_lock(&cache[i].lock);
        for (size_t j = 0; j < CACHE_WAYS; j++)
            s.kept += cache[i].way[j] != NULL;
        pthread_mutex_unlock(&cache[i].lock);
    }
    return s;
}
