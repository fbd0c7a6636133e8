// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_starttls.c - base/starttls against servers that are right, wrong, slow and hostile (RFC 3207, RFC 7672 3.1 and
 * 3.2).
 *
 * Each case starts one server thread on a loopback port, which plays its script for one connection and ends.
 */
#include "net/starttls.h"
#include "base/clock.h"
#include "tests/unit/cm.h"
#include "tests/unit/mail_host.h"
#include <signal.h>

#define BUSY_MS 30000 /* that a handshake may take on a busy machine */

static struct starttls_request request_to(const struct server *s)
{
    struct starttls_request q = {
        .port = s->port, .server_name = "mx.example", .ehlo = "probe.example", .total_ms = BUSY_MS};
    assert_int_equal(ip_from_text(SLICE_LIT("127.0.0.1"), &q.address), STATUS_OK);
    return q;
}

static void outcomes(void **state)
{
    static const struct {
        enum script script;
        enum starttls_outcome want;
    } t[] = {
        {NO_STARTTLS, STARTTLS_NOT_OFFERED}, {BUSY, STARTTLS_BUSY},
        {REFUSED, STARTTLS_REFUSED},         {SILENT, STARTTLS_TIMEOUT},
        {SLOW_DRIP, STARTTLS_TIMEOUT},       {INJECT, STARTTLS_INJECTION},
        {NOT_SMTP, STARTTLS_PROTOCOL},       {FLOOD, STARTTLS_PROTOCOL},
        {CLOSE_IN_TLS, STARTTLS_HANDSHAKE},  {HALF_TLS, STARTTLS_CUT},
        {RESET_IN_TLS, STARTTLS_CUT},        {LONG_CHAIN, STARTTLS_TOO_LONG},
    };
    EVP_PKEY *key = make_key();
    X509 *leaf = make_cert(key, "mx.example", false, -86400, 86400, NULL, NULL);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct server s = {.script = t[i].script, .key = key, .leaf = leaf};
        struct arena *a = arena_new(1 << 20);
        struct starttls_result r;
        start(&s);
        struct starttls_request q = request_to(&s);
        if (t[i].want == STARTTLS_TIMEOUT)
            q.total_ms = 1000;
        int64_t before = clock_mono_ms();
        starttls_run(a, &q, &r);
        assert_true(clock_mono_ms() - before < (t[i].want == STARTTLS_TIMEOUT ? 5000 : BUSY_MS + 5000));
        if (r.outcome != t[i].want)
            print_error("script %d: %s (%s)\n", t[i].script, starttls_outcome_name(r.outcome), r.reason);
        assert_int_equal(r.outcome, t[i].want);
        assert_non_null(r.reason);
        assert_null(strchr(r.reason, '\x1b'));
        stop(&s);
        arena_free(a);
    }
    X509_free(leaf);
    EVP_PKEY_free(key);
}

static void unreachable(void **state)
{
    struct server s = {.script = GOOD, .port = 1};
    struct arena *a = arena_new(1 << 20);
    struct starttls_result r;
    struct starttls_request q = request_to(&s);
    starttls_run(a, &q, &r);
    assert_int_equal(r.outcome, STARTTLS_UNREACHABLE);
    arena_free(a);
}

#define DAY 86400L

/* RFC 7672 3.1.1: with DANE-EE neither name nor dates count; 3.1.2: with DANE-TA both do, and the issuer must be in
 * what is served. */
static void dane(void **state)
{
    static const struct {
        const char *what, *leaf_name;
        long from, to;
        bool send_ca;
        uint8_t usage;
        bool of_ca, wrong_data, match;
    } t[] = {
        {"EE matches", "mx.example", -DAY, DAY, true, 3, false, false, true},
        {"EE mismatch", "mx.example", -DAY, DAY, true, 3, false, true, false},
        {"EE expired is fine", "mx.example", -2 * DAY, -DAY, true, 3, false, false, true},
        {"EE wrong name is fine", "other.example", -DAY, DAY, true, 3, false, false, true},
        {"TA matches", "mx.example", -DAY, DAY, true, 2, true, false, true},
        {"TA expired", "mx.example", -2 * DAY, -DAY, true, 2, true, false, false},
        {"TA wrong name", "other.example", -DAY, DAY, true, 2, true, false, false},
        {"TA issuer not served", "mx.example", -DAY, DAY, false, 2, true, false, false},
        {"PKIX-EE is not usable", "mx.example", -DAY, DAY, true, 1, false, false, false},
        {"PKIX-TA is not usable", "mx.example", -DAY, DAY, true, 0, true, false, false},
    };
    EVP_PKEY *ca_key = make_key(), *key = make_key();
    X509 *ca = make_cert(ca_key, "ca.example", true, -DAY, 9 * DAY, NULL, NULL);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct server s = {.script = GOOD, .key = key, .ca = t[i].send_ca ? ca : NULL};
        s.leaf = make_cert(key, t[i].leaf_name, false, t[i].from, t[i].to, ca, ca_key);
        struct arena *a = arena_new(1 << 20);
        unsigned char digest[32];
        struct starttls_tlsa tlsa = {t[i].usage, 1, 1, spki_digest(t[i].of_ca ? ca : s.leaf, digest)};
        digest[0] ^= t[i].wrong_data;
        struct starttls_result r;
        start(&s);
        struct starttls_request q = request_to(&s);
        q.tlsa = &tlsa;
        q.tlsa_count = 1;
        starttls_run(a, &q, &r);
        stop(&s);
        if (r.outcome != STARTTLS_DONE || r.dane_match != t[i].match)
            print_error("%s: %s (%s), match %d, %s\n", t[i].what, starttls_outcome_name(r.outcome), r.reason,
                        r.dane_match, r.dane_error ? r.dane_error : "-");
        assert_int_equal(r.outcome, STARTTLS_DONE);
        assert_int_equal(r.dane_match, t[i].match);
        assert_int_equal(r.tlsa_usable, t[i].usage >= 2);
        assert_int_equal(r.dane_usage, t[i].match ? t[i].usage : -1);
        assert_int_equal(r.chain_count, t[i].send_ca ? 2 : 1);
        assert_non_null(r.version);
        assert_true(r.not_after > r.not_before);
        X509_free(s.leaf);
        arena_free(a);
    }
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes),
        cmocka_unit_test(unreachable),
        cmocka_unit_test(dane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
