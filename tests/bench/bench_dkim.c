// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_dkim.c - what DKIM signatures cost: our verification, libopendkim's, and the floor (SHA-256 of the octets and
 * one RSA verification).
 *
 * One message of 20 header fields and a body of 10 kB, signed by RSA 2048, relaxed/relaxed; each round is a complete
 * one: header list, checker, body, finding. Prints processor time in microseconds per message and the ratio to the
 * floor; with an empty key cache too, which is what the first mail of a domain costs. Then the same message with as
 * many signatures as are verified (DKIM_CHECK_SIGNATURES), each of another domain with another key, and with 100:
 * processor time and look-ups. Judges nothing by its figures.
 */
#include "base/buf.h"
#include "dns/dns_replay.h"
#include "base/limits.h"
#include "standards/dkim/dkim_check.h"
#include "standards/dkim/dkim_pubkey.h"
#include "engines/engines.h"
#include "standards/message/header.h"
#include "tests/bench/figure.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 2000
#define BODY 10240
#define FIELDS 20
#define MOST 100 /* signatures on one message */

static EVP_PKEY *keys[DKIM_CHECK_SIGNATURES];
static char body[BODY + 1];
static char fields[DKIM_CHECK_SIGNATURES][4096];
static struct buf signed_text = BUF_INIT; /* of the first signature */
static unsigned char signature[256];      /* the first */
static struct dns *source;
static size_t lookups; /* of the last round */

static void bench_stop(const char *why)
{
    fprintf(stderr, "bench_dkim: %s\n", why);
    exit(1);
}

static char *base64(const void *p, size_t n)
{
    char *out = malloc(n * 4 / 3 + 8);
    if (!out)
        bench_stop("out of memory");
    EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    return out;
}

/* d= of signature i: the author's domain, then others. */
static const char *domain_of(size_t i, char out[32])
{
    snprintf(out, 32, i ? "d%zu.example" : "example.org", i);
    return out;
}

/* Signature i of the message, which is canonical as it is except the case of names and the blank after the colon. */
static void sign(size_t i)
{
    unsigned char hash[32], made[256];
    size_t n = sizeof made;
    struct buf text = BUF_INIT;
    char domain[32];
    for (size_t at = 0; at < BODY; at++)
        body[at] = at % 64 == 62 ? '\r' : at % 64 == 63 ? '\n' : at % 7 == 5 && at % 64 < 61 ? ' ' : 'x';
    EVP_Digest(body, BODY, hash, NULL, EVP_sha256(), NULL);
    char *bh = base64(hash, sizeof hash), tags[1024];
    snprintf(tags, sizeof tags,
             "v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s; t=1700000000; "
             "h=from:to:subject:date:message-id; bh=%s; b=",
             domain_of(i, domain), bh);
    buf_printf(&text,
               "from:a@example.org\r\nto:b@example.net\r\nsubject:Bench\r\ndate:Fri, 20 Nov 2026 12:00:00 "
               "+0000\r\nmessage-id:<1@example.org>\r\n"
               "dkim-signature:%s",
               tags);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, keys[i]) != 1 ||
        EVP_DigestSign(c, made, &n, (const unsigned char *)text.p, text.n) != 1)
        bench_stop("cannot sign");
    EVP_MD_CTX_free(c);
    char *b = base64(made, n);
    snprintf(fields[i], sizeof fields[i], " %s%s", tags, b);
    free(b);
    free(bh);
    if (i > 0) {
        buf_release(&text);
        return;
    }
    memcpy(signature, made, sizeof signature);
    signed_text = text;
}

static void keys_publish(void)
{
    struct buf zone = BUF_INIT;
    char *error = NULL, domain[32];
    for (size_t i = 0; i < DKIM_CHECK_SIGNATURES; i++) {
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(keys[i], &der);
        char *p = base64(der, (size_t)n);
        buf_printf(&zone, "s._domainkey.%s TXT \"v=DKIM1; p=%.200s\" \"%s\"\n", domain_of(i, domain), p, p + 200);
        free(p);
        OPENSSL_free(der);
    }
    source = dns_replay_text(slice_of(zone.p, zone.n), "zone", &error);
    if (!source)
        bench_stop(error);
    buf_release(&zone);
}

static void field_add(struct header_list *list, const char *name, const char *value)
{
    if (header_list_add(list, slice_str(name), slice_str(value)) != STATUS_OK)
        bench_stop("header list");
}

/* One message with that many signatures; those beyond DKIM_CHECK_SIGNATURES repeat the earlier ones. */
static void by_checker(size_t signatures, bool opendkim)
{
    struct dkim_check_options options = {.engine = opendkim ? &assay_dkim_engine : NULL};
    struct arena *arena = arena_new(LIMIT_MESSAGE_ARENA);
    struct dns_scope *dns = dns_scope_new(source, arena, NULL);
    struct header_list list;
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    header_list_init(&list, arena);
    for (size_t i = 0; i < signatures; i++)
        field_add(&list, "DKIM-Signature", fields[i % DKIM_CHECK_SIGNATURES]);
    for (int i = 0; i < FIELDS - 6; i++)
        field_add(
            &list, "Received",
            " from a.example.org (a.example.org [192.0.2.1])\n\tby b.example.net; Fri, 20 Nov 2026 12:00:00 +0000");
    field_add(&list, "From", " a@example.org");
    field_add(&list, "To", " b@example.net");
    field_add(&list, "Subject", " Bench");
    field_add(&list, "Date", " Fri, 20 Nov 2026 12:00:00 +0000");
    field_add(&list, "Message-ID", " <1@example.org>");
    struct dkim_checker *c = dkim_checker_new(dns, arena, &list, "example.org", &options);
    dkim_checker_body(c, slice_of(body, BODY));
    size_t passed = 0, most = signatures < DKIM_CHECK_SIGNATURES ? signatures : DKIM_CHECK_SIGNATURES;
    if (dkim_checker_end(c, &s, &count) != STATUS_OK)
        bench_stop("the checker failed");
    for (size_t i = 0; i < count; i++)
        passed += s[i].result == RESULT_PASS;
    if (passed != most)
        bench_stop("not as many signatures pass as should");
    for (lookups = 0; dns_trace(dns, lookups);)
        lookups++;
    dkim_checker_free(c);
    dns_scope_free(dns);
    arena_free(arena);
}

static void ours(void)
{
    by_checker(1, false);
}

static void library(void)
{
    by_checker(1, true);
}

static void ours_without_cache(void)
{
    dkim_pubkey_forget_all();
    by_checker(1, false);
}

static void many(void)
{
    by_checker(DKIM_CHECK_SIGNATURES, false);
}

static void many_without_cache(void)
{
    dkim_pubkey_forget_all();
    many();
}

static void too_many(void)
{
    by_checker(MOST, false);
}

/* SHA-256 of body and header, one RSA verification, nothing else. */
static void bare(void)
{
    unsigned char hash[32];
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, keys[0], NULL);
    EVP_Digest(body, BODY, hash, NULL, EVP_sha256(), NULL);
    EVP_Digest(signed_text.p, signed_text.n, hash, NULL, EVP_sha256(), NULL);
    if (EVP_PKEY_verify_init(c) != 1 || EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) != 1 ||
        EVP_PKEY_verify(c, signature, sizeof signature, hash, sizeof hash) != 1)
        bench_stop("the floor does not verify");
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
    for (size_t i = 0; i < DKIM_CHECK_SIGNATURES; i++) {
        keys[i] = EVP_RSA_gen(2048);
        if (!keys[i])
            bench_stop("no key");
        sign(i);
    }
    keys_publish();
    double floor_us = us(bare), ours_us = us(ours), cold_us = us(ours_without_cache), library_us = us(library);
    printf("dkim: one message of %d fields and %d octets, RSA 2048, processor time\n", FIELDS, BODY);
    printf("  floor (SHA-256 and RSA alone)     %8.1f us\n", floor_us);
    printf("  ours                              %8.1f us  %5.2f of the floor\n", ours_us, ours_us / floor_us);
    printf("  ours, key not seen before         %8.1f us  %5.2f\n", cold_us, cold_us / floor_us);
    printf("  libopendkim, by dkim.engine       %8.1f us  %5.2f\n", library_us, library_us / floor_us);
    figure("dkim", "one signature: processor time", ours_us, "us", FIGURE_LESS, 0);
    figure("dkim", "one signature to the floor: processor time", ours_us / floor_us, "times", FIGURE_LESS, 0);
    figure("dkim", "one signature, key not seen before, to the floor: processor time", cold_us / floor_us, "times",
           FIGURE_LESS, 0);
    figure("dkim", "one signature to libopendkim: processor time", ours_us / library_us, "times", FIGURE_LESS, 0);
    printf("dkim: the same message with more signatures, each of another domain\n");
    double many_us = us(many);
    printf("  %3d signatures                    %8.1f us  %5.2f of one, %zu look-ups\n", DKIM_CHECK_SIGNATURES, many_us,
           many_us / ours_us, lookups);
    double many_cold_us = us(many_without_cache);
    printf("  %3d signatures, keys not seen     %8.1f us  %5.2f, %zu look-ups\n", DKIM_CHECK_SIGNATURES, many_cold_us,
           many_cold_us / ours_us, lookups);
    figure("dkim", "16 signatures to one: processor time", many_us / ours_us, "times", FIGURE_LESS, 0);
    double too_many_us = us(too_many);
    printf("  %3d signatures, %d verified       %8.1f us  %5.2f, %zu look-ups\n", MOST, DKIM_CHECK_SIGNATURES,
           too_many_us, too_many_us / ours_us, lookups);
    dns_close(source);
    buf_release(&signed_text);
    for (size_t i = 0; i < DKIM_CHECK_SIGNATURES; i++)
        EVP_PKEY_free(keys[i]);
    return 0;
}
