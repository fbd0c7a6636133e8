// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_dkim.c - what one DKIM signature costs: our verification, libopendkim's, and the floor (SHA-256 of the octets
 * and one RSA verification).
 *
 * One message of 20 header fields and a body of 10 kB, signed by RSA 2048, relaxed/relaxed; each round is a whole one:
 * header list, checker, body in pieces of 64 kB as a milter gets it, finding. Prints processor time in microseconds per
 * message and the ratio to the floor. Then one round each with an empty key cache, which is what the first mail of a
 * domain costs. Fails nothing.
 */
#include "base/buf.h"
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/dkim/dkim_check.h"
#include "standards/dkim/dkim_pubkey.h"
#include "engines/engines.h"
#include "standards/message/header.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 4000
#define BODY 10240
#define FIELDS 20

static EVP_PKEY *key;
static char body[BODY + 1];
static char field[4096];
static struct buf signed_text = BUF_INIT;
static unsigned char signature[256];
static struct dns *source;

static void stop(const char *why)
{
    fprintf(stderr, "bench_dkim: %s\n", why);
    exit(1);
}

static char *base64(const void *p, size_t n)
{
    char *out = malloc(n * 4 / 3 + 8);
    if (!out)
        stop("out of memory");
    EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    return out;
}

/* The message, made so that it is canonical as it stands but for the case of names and the blank behind the colon. */
static void sign(void)
{
    unsigned char hash[32];
    size_t n = sizeof signature;
    for (size_t i = 0; i < BODY; i++)
        body[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : i % 7 == 5 && i % 64 < 61 ? ' ' : 'x';
    EVP_Digest(body, BODY, hash, NULL, EVP_sha256(), NULL);
    char *bh = base64(hash, sizeof hash), tags[1024];
    snprintf(tags, sizeof tags,
             "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s; t=1700000000; "
             "h=from:to:subject:date:message-id; bh=%s; b=",
             bh);
    buf_printf(&signed_text,
               "from:a@example.org\r\nto:b@example.net\r\nsubject:Bench\r\ndate:Fri, 20 Nov 2026 12:00:00 "
               "+0000\r\nmessage-id:<1@example.org>\r\n"
               "dkim-signature:%s",
               tags);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(c, signature, &n, (const unsigned char *)signed_text.p, signed_text.n) != 1)
        stop("cannot sign");
    EVP_MD_CTX_free(c);
    char *b = base64(signature, n);
    snprintf(field, sizeof field, " %s%s", tags, b);
    free(b);
    free(bh);
}

static void publish(void)
{
    unsigned char *der = NULL;
    char *error = NULL, zone[1024];
    int n = i2d_PUBKEY(key, &der);
    char *p = base64(der, (size_t)n);
    snprintf(zone, sizeof zone, "s._domainkey.example.org TXT \"v=DKIM1; p=%.200s\" \"%s\"\n", p, p + 200);
    source = dns_replay_text(slice_str(zone), "zone", &error);
    if (!source)
        stop(error);
    free(p);
    OPENSSL_free(der);
}

static void add(struct header_list *list, const char *name, const char *value)
{
    if (header_list_add(list, slice_str(name), slice_str(value)) != STATUS_OK)
        stop("header list");
}

static void by_checker(bool opendkim)
{
    struct dkim_check_options options = {.engine = opendkim ? &assay_dkim_engine : NULL};
    struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
    struct dns_scope *dns = dns_scope_new(source, arena, NULL);
    struct header_list list;
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    header_list_init(&list, arena);
    add(&list, "DKIM-Signature", field);
    for (int i = 0; i < FIELDS - 6; i++)
        add(&list, "Received",
            " from a.example.org (a.example.org [192.0.2.1])\n\tby b.example.net; Fri, 20 Nov 2026 12:00:00 +0000");
    add(&list, "From", " a@example.org");
    add(&list, "To", " b@example.net");
    add(&list, "Subject", " Bench");
    add(&list, "Date", " Fri, 20 Nov 2026 12:00:00 +0000");
    add(&list, "Message-ID", " <1@example.org>");
    struct dkim_checker *c = dkim_checker_new(dns, arena, &list, "example.org", &options);
    dkim_checker_body(c, slice_of(body, BODY));
    if (dkim_checker_end(c, &s, &count) != STATUS_OK || count != 1 || s->result != RESULT_PASS)
        stop("the signature does not pass");
    dkim_checker_free(c);
    dns_scope_free(dns);
    arena_free(arena);
}

static void ours(void)
{
    by_checker(false);
}

static void library(void)
{
    by_checker(true);
}

static void ours_without_cache(void)
{
    dkim_pubkey_forget_all();
    by_checker(false);
}

/* SHA-256 of body and header, one RSA verification, nothing else. */
static void bare(void)
{
    unsigned char hash[32];
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_Digest(body, BODY, hash, NULL, EVP_sha256(), NULL);
    EVP_Digest(signed_text.p, signed_text.n, hash, NULL, EVP_sha256(), NULL);
    if (EVP_PKEY_verify_init(c) != 1 || EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) != 1 ||
        EVP_PKEY_verify(c, signature, sizeof signature, hash, sizeof hash) != 1)
        stop("the floor does not verify");
    EVP_PKEY_CTX_free(c);
}

static double us(void (*round)(void))
{
    struct timespec a, b;
    round();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (int i = 0; i < ROUNDS; i++)
        round();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 1e3 / ROUNDS;
}

int main(void)
{
    key = EVP_RSA_gen(2048);
    if (!key)
        stop("no key");
    sign();
    publish();
    double floor_us = us(bare), ours_us = us(ours), cold_us = us(ours_without_cache), library_us = us(library);
    printf("dkim: one message of %d fields and %d octets, RSA 2048, processor time\n", FIELDS, BODY);
    printf("  floor (SHA-256 and RSA alone)     %8.1f us\n", floor_us);
    printf("  ours                              %8.1f us  %5.2f of the floor\n", ours_us, ours_us / floor_us);
    printf("  ours, key not seen before         %8.1f us  %5.2f\n", cold_us, cold_us / floor_us);
    printf("  libopendkim, by dkim.engine       %8.1f us  %5.2f\n", library_us, library_us / floor_us);
    dns_close(source);
    buf_release(&signed_text);
    EVP_PKEY_free(key);
    return 0;
}
