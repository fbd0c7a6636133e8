// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_digest.c - SHA-256 by OpenSSL's EVP interface.
 *
 * struct dkim_digest is OpenSSL's EVP_MD_CTX under another name, so that no header of ours needs OpenSSL's. The
 * algorithm is fetched once: in OpenSSL 3 an implicit fetch at every EVP_DigestInit costs more than hashing a short
 * header. A failure inside OpenSSL is out of memory in all but theory; it is reported as that, and never taken for a
 * hash.
 */
#include "standards/dkim/dkim_digest.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>

static EVP_MD *sha256;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static EVP_MD_CTX *context_of(struct dkim_digest *d)
{
    return (EVP_MD_CTX *)d;
}

struct dkim_digest *dkim_digest_new(void)
{
    pthread_once(&once, fetch);
    EVP_MD_CTX *c = sha256 ? EVP_MD_CTX_new() : NULL;
    if (c && EVP_DigestInit_ex2(c, sha256, NULL) != 1) {
        EVP_MD_CTX_free(c);
        c = NULL;
    }
    return (struct dkim_digest *)c;
}

void dkim_digest_add(struct dkim_digest *d, const void *p, size_t n)
{
    /* Fails only where the context was finished, which these functions never leave behind. */
    if (n)
        (void)EVP_DigestUpdate(context_of(d), p, n);
}

enum status dkim_digest_peek(const struct dkim_digest *d, uint8_t out[32])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy && EVP_MD_CTX_copy_ex(copy, (const EVP_MD_CTX *)d) == 1 && EVP_DigestFinal_ex(copy, out, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return ok ? STATUS_OK : STATUS_NOMEM;
}

enum status dkim_digest_end(struct dkim_digest *d, uint8_t out[32])
{
    bool ok = EVP_DigestFinal_ex(context_of(d), out, NULL) == 1;
    EVP_MD_CTX_free(context_of(d));
    return ok ? STATUS_OK : STATUS_NOMEM;
}

struct dkim_digest *dkim_digest_free(struct dkim_digest *d)
{
    EVP_MD_CTX_free(context_of(d));
    return NULL;
}
