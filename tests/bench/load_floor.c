// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_floor.c - see load_floor.h. Processor time, so that other programs matter little.
 */
#include "tests/bench/load_floor.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t signatures(const struct corpus *c)
{
    static const char *const names[] = {"DKIM-Signature", "ARC-Message-Signature", "ARC-Seal"};
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->mails[i].field_count; k++)
            for (size_t w = 0; w < sizeof names / sizeof *names; w++)
                n += strcasecmp(c->mails[i].fields[k].name, names[w]) == 0;
    return n;
}

static int hash_all(const struct corpus *c, EVP_MD_CTX *context, const EVP_MD *sha256)
{
    unsigned char out[32];
    int ok = 1;
    for (size_t i = 0; i < c->count && ok; i++) {
        const struct mail *m = &c->mails[i];
        ok = EVP_DigestInit_ex2(context, sha256, NULL) && EVP_DigestUpdate(context, m->text, m->head_size) &&
             EVP_DigestFinal_ex(context, out, NULL) && EVP_DigestInit_ex2(context, sha256, NULL) &&
             EVP_DigestUpdate(context, m->body, m->body_size) && EVP_DigestFinal_ex(context, out, NULL);
    }
    return ok;
}

static EVP_PKEY_CTX *context_for(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    if (c && init(c) == 1 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1)
        return c;
    EVP_PKEY_CTX_free(c);
    return NULL;
}

int floor_measure(const struct corpus *c, unsigned passes)
{
    const unsigned char digest[32] = {1};
    unsigned char signature[256];
    size_t n = sizeof signature, count = signatures(c), octets = 0;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    EVP_PKEY_CTX *sign = key ? context_for(key, EVP_PKEY_sign_init) : NULL;
    EVP_PKEY_CTX *verify = key ? context_for(key, EVP_PKEY_verify_init) : NULL;
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    double hashing = 0, verifying = 0;
    int ok = sign && verify && sha256 && context && EVP_PKEY_sign(sign, signature, &n, digest, sizeof digest) == 1;
    for (unsigned pass = 0; pass < passes && ok; pass++) {
        const double began = processor_seconds();
        ok = hash_all(c, context, sha256);
        const double between = processor_seconds();
        for (size_t i = 0; i < count && ok; i++)
            ok = EVP_PKEY_verify(verify, signature, n, digest, sizeof digest) == 1;
        hashing += between - began;
        verifying += processor_seconds() - between;
    }
    for (size_t i = 0; i < c->count; i++)
        octets += c->mails[i].size;
    EVP_MD_CTX_free(context);
    EVP_MD_free(sha256);
    EVP_PKEY_CTX_free(sign);
    EVP_PKEY_CTX_free(verify);
    EVP_PKEY_free(key);
    const double pass_seconds = (hashing + verifying) / passes;
    printf("{\"mails\":%zu,\"octets\":%zu,\"signatures\":%zu,\"cpu_per_1000\":%.5f,\"rate\":%.0f,\"verify_us\":%.1f}\n",
           c->count, octets, count, pass_seconds / (double)c->count * 1000, (double)c->count / pass_seconds,
           count ? verifying / passes / (double)count * 1e6 : 0.0);
    return ok ? 0 : 1;
}
