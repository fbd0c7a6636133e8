// SPDX-License-Identifier: BSD-2-Clause
/*
 * memory.c - a table of fixed size: each key has a row of eight slots; in a full row the entry that expires first is
 * replaced.
 *
 * Promises to hold at most MEMORY_ENTRIES entries, one lock, no allocation after memory_new. Failure: none after
 * memory_new.
 */
#include "milter/memory.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WAYS 8
#define ROWS (MEMORY_ENTRIES / WAYS)

struct entry {
    uint64_t key; /* 0: empty */
    time_t first, until;
    uint64_t value;
};

struct memory {
    pthread_mutex_t lock;
    EVP_MD_CTX *keyed; /* SHA-256 that has taken the secret, to be copied */
    atomic_bool used;  /* there was an entry; else nothing need be looked for */
    struct entry entries[ROWS][WAYS];
};

/* OpenSSL 3 looks for an algorithm at each EVP_DigestInit, which costs more than to hash a key: it is done once. */
static EVP_MD_CTX *keyed_digest(void)
{
    unsigned char secret[32];
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    if (c && getrandom(secret, sizeof secret, 0) == sizeof secret && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
        EVP_DigestUpdate(c, secret, sizeof secret))
        return c;
    EVP_MD_CTX_free(c);
    return NULL;
}

struct memory *memory_new(void)
{
    struct memory *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->keyed = keyed_digest();
    if (!m->keyed) {
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

struct memory *memory_free(struct memory *m)
{
    if (m) {
        pthread_mutex_destroy(&m->lock);
        EVP_MD_CTX_free(m->keyed);
    }
    free(m);
    return NULL;
}

/* A key of 64 bits from SHA-256 over the secret and the parts, each with its length before it. 0 if hashing failed:
 * then nothing is remembered. */
static uint64_t key_of(const struct memory *m, const char *const *parts, size_t n)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    uint64_t key = 0;
    bool ok = c && EVP_MD_CTX_copy_ex(c, m->keyed);

    for (size_t i = 0; ok && i < n; i++) {
        const uint64_t len = parts[i] ? strlen(parts[i]) : UINT64_MAX;
        ok = EVP_DigestUpdate(c, &len, sizeof len) && (!parts[i] || EVP_DigestUpdate(c, parts[i], len));
    }
    if (ok && EVP_DigestFinal_ex(c, digest, NULL)) {
        memcpy(&key, digest, sizeof key);
        key |= 1;
    }
    EVP_MD_CTX_free(c);
    return key;
}

/* The entry of that key, or NULL; *place: the slot for a new one. */
static struct entry *entry_find(struct memory *m, uint64_t key, time_t now, struct entry **place)
{
    struct entry *row = m->entries[(key >> 1) % ROWS];

    *place = &row[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (row[i].key && row[i].until <= now)
            row[i] = (struct entry){0};
        if (row[i].key == key)
            return &row[i];
        if (row[i].until < (*place)->until)
            *place = &row[i];
    }
    return NULL;
}

time_t memory_first(struct memory *m, const char *const *parts, size_t n, time_t now, time_t keep)
{
    const uint64_t key = key_of(m, parts, n);
    struct entry *e, *place;
    time_t first = 0;

    if (!key)
        return 0;
    pthread_mutex_lock(&m->lock);
    e = entry_find(m, key, now, &place);
    if (e)
        first = e->first;
    else
        *place = (struct entry){.key = key, .first = now, .until = now + keep};
    atomic_store(&m->used, true);
    pthread_mutex_unlock(&m->lock);
    return first;
}

void memory_put(struct memory *m, const char *const *parts, size_t n, time_t now, time_t keep, uint64_t value)
{
    const uint64_t key = key_of(m, parts, n);
    struct entry *e, *place;

    if (!key)
        return;
    pthread_mutex_lock(&m->lock);
    e = entry_find(m, key, now, &place);
    *(e ? e : place) = (struct entry){.key = key, .first = now, .until = now + keep, .value = value};
    atomic_store(&m->used, true);
    pthread_mutex_unlock(&m->lock);
}

uint64_t memory_get(struct memory *m, const char *const *parts, size_t n, time_t now)
{
    const uint64_t key = atomic_load(&m->used) ? key_of(m, parts, n) : 0;
    struct entry *e, *place;
    uint64_t value;

    if (!key)
        return 0;
    pthread_mutex_lock(&m->lock);
    e = entry_find(m, key, now, &place);
    value = e ? e->value : 0;
    pthread_mutex_unlock(&m->lock);
    return value;
}

uint32_t memory_random(struct memory *m)
{
    uint32_t r = 0;

    (void)m;
    if (getrandom(&r, sizeof r, 0) != sizeof r || r == 0)
        r = 1;
    return r;
}
