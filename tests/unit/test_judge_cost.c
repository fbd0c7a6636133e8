// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_judge_cost.c - what a message costs, by counts: the body is hashed once for all signatures of a form, header
 * fields take no memory but the arena's, and a message whose DNS answers raise question after question is judged
 * CHECKS_RUNS times at most, and then as one whose answers did not come.
 *
 * judge.c and dkim_bodyhash.c are included: with a CHECKS_RUNS that a message can reach (RFC 7208 4.6.4 bounds SPF so
 * that none needs 24), and a counter before the digest.
 */
#include "dns/dns_replay.h"
#include "judge/stamp.h"
#include "standards/dkim/dkim_digest.h"
#include "tests/unit/cm.h"
#include "tests/unit/late_source.h"
#include <stdio.h>

static uint64_t digested;

static void counted_add(struct dkim_digest *d, const void *p, size_t n)
{
    digested += n;
    dkim_digest_add(d, p, n);
}

#define dkim_digest_add counted_add
#include "standards/dkim/dkim_bodyhash.c"
#undef dkim_digest_add

#include "judge/checks.h"
#undef CHECKS_RUNS
#define CHECKS_RUNS 3
#include "judge/judge.c"

/* ---- the body ---- */

#define BODY_OCTETS (100 * 1000)

static char *new_body(void)
{
    char *body = malloc(BODY_OCTETS);

    assert_non_null(body);
    for (size_t i = 0; i < BODY_OCTETS; i++)
        body[i] = "the quick brown fox  jumps\r\n"[i % 28];
    return body;
}

/* Octets digested with so many signatures: of relaxed form, then of simple form, each of them with an l= of its own. */
static uint64_t octets_digested(int relaxed, int simple, bool limited)
{
    struct arena *a = arena_new(1 << 20);
    struct dkim_bodyhash *b = dkim_bodyhash_new(a);
    char *body = new_body();
    uint8_t hash[32];
    uint64_t total;
    int last = -1;

    assert_non_null(b);
    digested = 0;
    for (int i = 0; i < relaxed + simple; i++)
        assert_true((last = dkim_bodyhash_want(b, i < relaxed, limited, limited ? 1000u * (unsigned)(i + 1) : 0)) >= 0);
    for (size_t at = 0; at < BODY_OCTETS; at += 1000)
        dkim_bodyhash_add(b, slice_of(body + at, 1000));
    dkim_bodyhash_end(b);
    assert_int_equal(dkim_bodyhash_get(b, last, hash, &total), STATUS_OK);
    free(body);
    dkim_bodyhash_free(b);
    arena_free(a);
    return digested;
}

static void a_body_is_hashed_once(void **state)
{
    const uint64_t one = octets_digested(0, 1, false), relaxed = octets_digested(1, 0, false);

    assert_int_equal(one, BODY_OCTETS + 2); /* it ends within a line: CRLF is added */
    assert_true(relaxed < one && relaxed > BODY_OCTETS / 2);
    assert_int_equal(octets_digested(0, 40, false), one);
    assert_int_equal(octets_digested(40, 0, false), relaxed);
    assert_int_equal(octets_digested(30, 30, false), one + relaxed);
    assert_true(octets_digested(0, 40, true) <= one); /* behind the last l= nothing need be hashed */
    assert_true(octets_digested(30, 30, true) <= one + relaxed);
}

/* ---- the header ---- */

static unsigned allocations;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    allocations++;
    return __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}
#else
#define COUNTS_ALLOCATIONS 0
#endif

static const char zones[] = "zone example secure\n"
                            "long.example secure TXT \"v=spf1 include:l1.example -all\"\n"
                            "l1.example secure TXT \"v=spf1 include:l2.example -all\"\n"
                            "l2.example secure TXT \"v=spf1 include:l3.example -all\"\n"
                            "l3.example secure TXT \"v=spf1 include:l4.example -all\"\n"
                            "l4.example secure TXT \"v=spf1 ip4:192.0.2.10 -all\"\n"
                            "short.example secure TXT \"v=spf1 ip4:192.0.2.10 -all\"\n"
                            "_dmarc.long.example secure TXT \"v=DMARC1; p=reject\"\n"
                            "_dmarc.short.example secure TXT \"v=DMARC1; p=reject\"\n";

static struct dns *new_source(void)
{
    char *error = NULL;
    struct dns *source = dns_replay_text(slice_str(zones), "test", &error);

    assert_null(error);
    assert_non_null(source);
    return source;
}

static void answer_arrived(void *context)
{
}

/* A mail from that domain's own host, up to its header. */
static struct judge *mail_begin(struct late_source *late, struct judge_host *host, const char *domain)
{
    const struct policy *p = policy_load_text(
        SLICE_LIT("follow dmarc, spf of everyone\nset mode enforce\nset authserv-id mx.example.org\n"), "test", NULL);
    char from[80];

    assert_non_null(p);
    *host = (struct judge_host){.dns = &late->base, .name = "mx.example.org", .authserv_id = "mx.example.org"};
    struct judge *j = judge_new(host, p, 0);
    policy_unref(p);
    assert_non_null(j);
    judge_no_wait(j, answer_arrived, NULL);
    struct judge_mail *m = judge_mail(j);
    assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.10"), &m->peer), STATUS_OK);
    m->client = m->peer;
    snprintf(from, sizeof from, "<a@%s>", domain);
    assert_int_equal(mail_set_helo(m, judge_arena(j), "mx.example"), STATUS_OK);
    assert_int_equal(mail_set_from(m, judge_arena(j), from, false), STATUS_OK);
    assert_int_equal(mail_add_rcpt(m, judge_arena(j), "<user@example.org>"), STATUS_OK);
    m->source = mail_source(m, judge_policy(j), false);
    assert_int_equal(judge_envelope(j), STATUS_OK);
    return j;
}

static void a_field_takes_no_memory_but_the_arenas(void **state)
{
    struct dns *source = new_source();
    struct late_source late = {.base.ops = &late_ops, .under = source};
    struct judge_host host;

    struct judge *j = mail_begin(&late, &host, "short.example");
    const size_t used = arena_used(judge_arena(j));
    allocations = 0;
    for (int i = 0; i < 400; i++)
        assert_int_equal(judge_header(j, SLICE_LIT("Received"),
                                      SLICE_LIT(" from a.example (a.example [192.0.2.10]) by b.example;"
                                                "\r\n\tThu, 01 Jan 2026 00:00:00 +0000")),
                         STATUS_OK);
    const unsigned counted = allocations;
    assert_true(arena_used(judge_arena(j)) - used > 400 * 80);
    if (COUNTS_ALLOCATIONS)
        assert_in_range(counted, 1, 8); /* blocks of the arena, each twice as large as the one before */
    judge_free(j);
    dns_close(source);
}

/* ---- rounds ---- */

static void rounds_are_bounded(void **state)
{
    static const struct {
        const char *domain, *spf;
        unsigned runs;
        enum policy_action action;
    } cases[] = {{"short.example", "spf=pass", 2, POLICY_DELIVER}, {"long.example", "spf=temperror", 3, POLICY_DEFER}};

    for (size_t i = 0; i < 2; i++) {
        struct dns *source = new_source();
        struct late_source late = {.base.ops = &late_ops, .under = source};
        struct judge_host host;
        const struct classes *c;
        struct stamp stamp;
        char from[80];
        bool stamped = false;
        struct judge *j = mail_begin(&late, &host, cases[i].domain);
        snprintf(from, sizeof from, " a@%s", cases[i].domain);
        assert_int_equal(judge_header(j, SLICE_LIT("From"), slice_str(from)), STATUS_OK);
        assert_int_equal(judge_header(j, SLICE_LIT("Date"), SLICE_LIT(" Thu, 01 Jan 2026 00:00:00 +0000")), STATUS_OK);
        assert_int_equal(judge_headers_end(j), STATUS_OK);
        judge_body(j, SLICE_LIT("hello\r\n"), true);
        enum status s = judge_end(j);
        for (unsigned n = 0; s == STATUS_AGAIN && n < 100; n++) {
            late_deliver(&late);
            s = judge_end(j);
        }
        assert_int_equal(s, STATUS_OK);
        assert_in_range(j->runs, 1, cases[i].runs);
        assert_int_equal(judge_verdicts(j, NULL, &c), STATUS_OK);
        assert_int_equal(c->list[0].verdict.action, cases[i].action);
        assert_int_equal(stamp_make(j, &c->list[0].verdict, &stamp), STATUS_OK);
        for (size_t k = 0; k < stamp.count; k++)
            stamped |= strstr(stamp.fields[k].value, cases[i].spf) != NULL;
        assert_true(stamped);
        if (cases[i].action == POLICY_DEFER)
            assert_int_equal(j->runs, CHECKS_RUNS);
        judge_free(j);
        dns_close(source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_body_is_hashed_once),
                                       cmocka_unit_test(a_field_takes_no_memory_but_the_arenas),
                                       cmocka_unit_test(rounds_are_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
