// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_privkey.c - reads a private key, and signs a hash with it: PKCS #1 v1.5 (RFC 8017 8.2.1), or PureEdDSA over the
 * hash (RFC 8463 3).
 *
 * A key file that everybody may read is refused: it is no longer a private key. A file that asks for a passphrase is
 * refused, never waited for. On failure nothing is left in OpenSSL's error queue.
 */
#include "standards/dkim/dkim_privkey.h"
#include "base/base64.h"
#include "standards/dkim/dkim_check.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#define SIGNATURE_MAX 1024
#define LINE 64

static int no_passphrase(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

static EVP_PKEY *read_pem(FILE *file)
{
    ERR_set_mark();
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
    ERR_pop_to_mark();
    return key;
}

/* NULL: the key can be used. */
static const char *problem_of(const EVP_PKEY *key)
{
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
        return NULL;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return "the key is neither RSA nor Ed25519";
    if (EVP_PKEY_get_bits(key) < DKIM_CHECK_RSA_BITS_MIN)
        return "the RSA key has fewer than 1024 bits (RFC 8301 3.2)";
    return EVP_PKEY_get_bits(key) > DKIM_CHECK_RSA_BITS_MAX ? "the RSA key has more than 8192 bits" : NULL;
}

struct dkim_privkey *dkim_privkey_read(const char *path, const char **error)
{
    struct stat st;
    EVP_PKEY *key = NULL;
    FILE *file = fopen(path, "re");
    *error = "the key file cannot be opened";
    if (!file)
        return NULL;
    if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode))
        *error = "the key file is no regular file";
    else if (st.st_mode & (S_IROTH | S_IWOTH))
        *error = "the key file may be read or written by everybody";
    else if (!(key = read_pem(file)))
        *error = "the file holds no private key in PEM without a passphrase";
    else
        *error = problem_of(key);
    fclose(file);
    if (!*error)
        return (struct dkim_privkey *)key;
    EVP_PKEY_free(key);
    return NULL;
}

/* The key read last, and its file. One is enough, because a host seals with one key. */
static struct {
    pthread_mutex_t lock;
    EVP_PKEY *key;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_kept(const struct stat *st)
{
    return kept.key && kept.device == st->st_dev && kept.inode == st->st_ino && kept.size == st->st_size &&
           kept.changed.tv_sec == st->st_ctim.tv_sec && kept.changed.tv_nsec == st->st_ctim.tv_nsec;
}

struct dkim_privkey *dkim_privkey_kept(const char *path, const char **error)
{
    struct stat st;
    EVP_PKEY *key = NULL;
    if (stat(path, &st) != 0) {
        *error = "the key file cannot be opened";
        return NULL;
    }
    pthread_mutex_lock(&kept.lock);
    if (!is_kept(&st)) {
        EVP_PKEY_free(kept.key);
        kept.key = (EVP_PKEY *)dkim_privkey_read(path, error);
        kept.device = st.st_dev;
        kept.inode = st.st_ino;
        kept.size = st.st_size;
        kept.changed = st.st_ctim;
    }
    if (kept.key && EVP_PKEY_up_ref(kept.key) == 1)
        key = kept.key;
    pthread_mutex_unlock(&kept.lock);
    return (struct dkim_privkey *)key;
}

static EVP_PKEY *pkey_of(const struct dkim_privkey *k)
{
    return (EVP_PKEY *)(uintptr_t)k;
}

struct dkim_privkey *dkim_privkey_free(struct dkim_privkey *k)
{
    EVP_PKEY_free(pkey_of(k));
    return NULL;
}

const char *dkim_privkey_algorithm(const struct dkim_privkey *k)
{
    return EVP_PKEY_get_base_id(pkey_of(k)) == EVP_PKEY_ED25519 ? "ed25519-sha256" : "rsa-sha256";
}

static bool sign_rsa(EVP_PKEY *key, const uint8_t hash[32], uint8_t *out, size_t *n)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = c && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 && EVP_PKEY_sign(c, out, n, hash, 32) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

static bool sign_ed25519(EVP_PKEY *key, const uint8_t hash[32], uint8_t *out, size_t *n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 && EVP_DigestSign(c, out, n, hash, 32) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}

const char *dkim_privkey_base64(struct arena *arena, const uint8_t *p, size_t n)
{
    struct buf text = BUF_INIT;
    if (n <= SIGNATURE_MAX)
        base64_encode(&text, slice_of((const char *)p, n), 0);
    const char *copy = text.n && !text.failed ? arena_copy(arena, text.p, text.n) : NULL;
    buf_release(&text);
    return copy;
}

const char *dkim_privkey_sign(const struct dkim_privkey *k, struct arena *arena, const uint8_t hash[32])
{
    uint8_t signature[SIGNATURE_MAX];
    size_t n = sizeof signature, out = 0;
    EVP_PKEY *key = pkey_of(k);
    ERR_set_mark();
    bool ok = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? sign_ed25519(key, hash, signature, &n)
                                                            : sign_rsa(key, hash, signature, &n);
    ERR_pop_to_mark();
    const char *plain = ok ? dkim_privkey_base64(arena, signature, n) : NULL;
    char *folded = plain ? arena_alloc(arena, strlen(plain) * 2 + 1) : NULL;
    for (size_t i = 0; folded && plain[i]; i++) {
        if (i && i % LINE == 0) {
            folded[out++] = '\n';
            folded[out++] = '\t';
        }
        folded[out++] = plain[i];
    }
    return folded;
}
