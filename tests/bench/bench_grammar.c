// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_grammar.c - what the grammar, message-format, Authentication-Results and DMARC cost one message, beside the
 * floor: one RSA-2048 verification with the hashing of 10 kB, measured in the same run.
 *
 * Prints microseconds of processor time a message for each step and the sum's share of that floor. The message is an
 * ordinary one with 30 header fields of which four are Authentication-Results; DMARC is evaluated from saved answers
 * with one SPF and two DKIM identifiers.
 */
#include "base/clock.h"
#include "dns/dns_replay.h"
#include "standards/message/authres.h"
#include "standards/dmarc/dmarc.h"
#include "standards/message/format.h"
#include "tests/bench/figure.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 20000
#define FLOOR_ROUNDS 2000

static const char zone[] = "_dmarc.example.com TXT \"v=DMARC1; p=reject; rua=mailto:r@example.com\"\n";
static double sum;

static _Noreturn void bench_stop(const char *why)
{
    fprintf(stderr, "bench_grammar: %s\n", why);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void time_say(const char *what, int64_t started)
{
    double us = (double)(now_ns() - started) / 1000.0 / ROUNDS;
    sum += us;
    printf("grammar: %-34s %8.2f us a message\n", what, us);
    figure("grammar", what, us, "us a message", FIGURE_LESS, 0);
}

/* SHA-256 of 10 kB, and one RSA-2048 verification. */
static double floor_us(void)
{
    static const unsigned char body[10240];
    unsigned char hash[32] = {0}, signature[256];
    size_t n = sizeof signature;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    EVP_PKEY_CTX *sign = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    EVP_PKEY_CTX *verify = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    if (!sign || !verify || !EVP_Digest(body, sizeof body, hash, NULL, EVP_sha256(), NULL) ||
        EVP_PKEY_sign_init(sign) != 1 || EVP_PKEY_sign(sign, signature, &n, hash, sizeof hash) != 1 ||
        EVP_PKEY_verify_init(verify) != 1)
        abort();
    const int64_t t = now_ns();
    for (int i = 0; i < FLOOR_ROUNDS; i++)
        if (!EVP_Digest(body, sizeof body, hash, NULL, EVP_sha256(), NULL) ||
            EVP_PKEY_verify(verify, signature, n, hash, sizeof hash) != 1)
            abort();
    const double us = (double)(now_ns() - t) / 1000.0 / FLOOR_ROUNDS;
    EVP_PKEY_CTX_free(sign);
    EVP_PKEY_CTX_free(verify);
    EVP_PKEY_free(key);
    return us;
}

static void header_fill(struct header_list *l)
{
    static const char *const fields[][2] = {
        {"Authentication-Results",
         " mx.other.example; spf=pass smtp.mailfrom=example.com;\n\tdkim=pass header.d=example.com"},
        {"Authentication-Results", " (c) \"mx.receiver.example\"; dmarc=pass"},
        {"From", " \"Public, John Q.\" <john.q.public@news.example.com>"},
        {"To", " =?utf-8?Q?J=C3=BCrgen?= <j@receiver.example>, Mary <m@receiver.example>"},
        {"Received", " from a.example (a.example [192.0.2.1])\n\tby b.example (Postfix) with ESMTPS id 4711\n\tfor "
                     "<j@receiver.example>"},
        {"X-Something", " of no matter to anybody, but there"},
    };
    for (size_t i = 0; i < 30; i++) {
        const char *const *f = i == 0 ? fields[2] : i == 1 ? fields[3] : i < 6 ? fields[i % 2] : fields[4 + i % 2];
        if (header_list_add(l, slice_str(f[0]), slice_str(f[1])) != STATUS_OK)
            abort();
    }
}

static void headers(struct arena *a)
{
    struct header_list l;
    struct format_finding f;
    size_t forged = 0;
    int64_t t = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(a);
        header_list_init(&l, a);
        header_fill(&l);
    }
    time_say("30 header fields kept", t);
    t = now_ns();
    for (int i = 0; i < ROUNDS; i++)
        format_check(a, &l, &f);
    time_say("message-format, From parsed", t);
    t = now_ns();
    for (int i = 0; i < ROUNDS; i++)
        for (size_t k = 0; k < l.count; k++)
            forged += header_is(&l.fields[k], "Authentication-Results") &&
                      authres_is_forged(l.fields[k].value, "mx.receiver.example");
    time_say("forged Authentication-Results found", t);
    if (f.result != RESULT_PASS || forged != 2u * ROUNDS)
        bench_stop("the message is not judged as it should be");
}

static void written(void)
{
    struct buf out = BUF_INIT;
    struct authres_writer w;
    int64_t t = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        buf_reset(&out);
        authres_begin(&w, &out, "mx.receiver.example");
        authres_method(&w, "spf", "pass", "192.0.2.1 matches \"ip4:192.0.2.1\"");
        authres_property(&w, "smtp", "mailfrom", "example.com");
        authres_method(&w, "dkim", "pass", NULL);
        authres_property(&w, "header", "d", "example.com");
        authres_property(&w, "header", "b", "aB/+c=12");
        authres_method(&w, "dmarc", "pass", NULL);
        authres_property(&w, "header", "from", "news.example.com");
        if (authres_end(&w) != STATUS_OK)
            abort();
    }
    time_say("Authentication-Results written", t);
    buf_release(&out);
}

static void dmarc(struct arena *a, struct dns *source)
{
    static const struct dmarc_identifier ids[] = {
        {.kind = DMARC_SPF, .domain = "example.com", .result = RESULT_PASS, .counts = true},
        {.kind = DMARC_DKIM, .domain = "sender.example.net", .selector = "s", .result = RESULT_PASS, .counts = true},
        {.kind = DMARC_DKIM, .domain = "a.example.com", .selector = "s", .result = RESULT_FAIL, .counts = true},
    };
    struct dmarc_finding f = {.result = RESULT_NONE};
    int64_t t = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(a);
        struct dns_scope *scope = dns_scope_new(source, a, NULL);
        if (!scope || dmarc_check(scope, a, "news.example.com", ids, 3, &f) != STATUS_OK)
            abort();
        dns_scope_free(scope);
    }
    time_say("DMARC, 3 identifiers, answers at hand", t);
    if (f.result != RESULT_PASS)
        bench_stop("DMARC does not pass as it should");
}

int main(void)
{
    char *error = NULL;
    struct arena *a = arena_new(16 << 20);
    struct dns *source = dns_replay_text(slice_str(zone), "bench", &error);
    if (!a || !source)
        return 1;
    headers(a);
    written();
    dmarc(a, source);
    const double least = floor_us();
    printf("grammar: all together              %8.2f us a message, %.2f of the floor (one RSA-2048 verification and "
           "its hashing, %.1f us)\n",
           sum, sum / least, least);
    figure("grammar", "all together to the floor: processor time", sum / least, "times", FIGURE_LESS, 0);
    dns_close(source);
    arena_free(a);
    return 0;
}
