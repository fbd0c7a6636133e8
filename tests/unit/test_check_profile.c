// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_check_profile.c - each profile of `assay check`, test by test: which tests it asks for, by the words of whoever
 * set it, and that no other test counts.
 */
#include "cli/check/check_cmd.h"
#include "tests/unit/cm.h"

struct asked {
    const char *profile;
    const char *tests[48]; /* ends with NULL */
    bool reject;           /* asks for p=reject, by dmarc-policy */
};

static const struct asked profiles[] = {
    /* Internet.nl's mail test, the subtests that must not fail: beside each line theirs. */
    {"nl",
     {"exists", /* the domain */
      "ns-ipv6",
      "ns-ipv6-reach",
      "mx-ipv6",
      "mx-ipv6-reach", /* ns_aaaa, ns_reach, mx_aaaa, mx_reach */
      "dnssec-signed",
      "dnssec-valid",
      "dnssec-mx", /* dnssec_exists, dnssec_valid, dnssec_mx_* */
      "dmarc",     /* dmarc */
      "dmarc-syntax",
      "dmarc-policy", /* dmarc_policy: "syntax correct and p=..." */
      "dkim",
      "spf", /* dkim, spf */
      "spf-syntax",
      "spf-policy",
      "spf-lookups",   /* spf_policy: syntax, ~all or -all, 10 look-ups */
      "spf-everybody", /* spf_policy: +all fails */
      "starttls",
      "tls-version",
      "tls-old", /* starttls_exists, tls_version */
      "tls-ciphers",
      "tls-ciphers-old",
      "tls-anonymous",
      "tls-order", /* tls_ciphers, tls_cipher_order */
      "tls-exchange",
      "tls-hash",
      "tls-compression", /* fs_params, kex_hash_func, tls_compression */
      "tls-renegotiation",
      "tls-ems", /* renegotiation_secure, extended_master_secret */
      "cert-key",
      "cert-signature", /* cert_pubkey, cert_signature */
      "dane",
      "dane-usable",
      "ns-tlsa",    /* dane_exists: PKIX usages do not count, bogus fails */
      "dane-match", /* dane_valid */
      "rpki",
      "rpki-ns", /* mail_rpki_*, ns_rpki_*, mail_mx_ns_rpki_* */
      NULL},
     false},
    /* Google, Yahoo and Microsoft: SPF and DKIM, DMARC that is aligned, a PTR that leads back, TLS. */
    {"bulk-sender",
     {"exists", "spf", "spf-syntax", "spf-lookups", "spf-void", "spf-everybody", "dkim", "dmarc", "dmarc-syntax",
      "sender-ptr", "sender-aligned", "sender-tls", NULL},
     false},
    /* BOD 18-01: STARTTLS, no SSLv3, RC4 and 3DES, valid SPF, p=reject with rua. */
    {"bod-18-01",
     {"exists", "starttls", "tls-old", "tls-ciphers", "spf", "spf-syntax", "dmarc", "dmarc-reports", "dmarc-policy",
      NULL},
     true},
};

static bool asks_for(const struct asked *p, enum check_test t)
{
    for (size_t i = 0; p->tests[i]; i++)
        if (strcmp(p->tests[i], check_test_info(t)->name) == 0)
            return true;
    return false;
}

static size_t rules_of(const struct asked *p)
{
    size_t n = 0;
    while (p->tests[n])
        assert_true(check_test_from_name(slice_str(p->tests[n++])) < CHECK_TESTS);
    return n;
}

/* The profile's word on a report in which all is well but one test. */
static struct check_profile_result judged(const struct asked *p, enum check_test t, enum check_state state,
                                          bool rejects)
{
    struct check_report r = {.rejects = rejects};
    struct check_profile_result out;
    for (int i = 0; i < CHECK_TESTS; i++)
        r.results[i].state = CHECK_PASS;
    r.results[t].state = state;
    check_profile_judge(p->profile, &r, &out);
    return out;
}

static void each_test_counts_where_it_is_asked_for(void **state)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        const struct asked *p = &profiles[i];
        const size_t rules = rules_of(p);
        assert_true(check_profile_exists(p->profile));
        for (int t = 0; t < CHECK_TESTS; t++) {
            const size_t counts = asks_for(p, (enum check_test)t);
            for (int unmet = CHECK_ADVICE; unmet <= CHECK_FAIL; unmet++) {
                struct check_profile_result r = judged(p, (enum check_test)t, (enum check_state)unmet, true);
                if (r.missing != counts)
                    print_error("%s: %s\n", p->profile, check_test_info((enum check_test)t)->name);
                assert_int_equal(r.rules, rules);
                assert_int_equal(r.missing, counts);
                assert_true(!counts || r.first_missing[0] == (enum check_test)t);
                assert_int_equal(r.met, rules - counts);
                assert_int_equal(r.unknown, 0);
            }
        }
    }
}

static void what_could_not_be_tested_is_neither_met_nor_missing(void **state)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        for (int t = 0; t < CHECK_TESTS; t++) {
            const struct asked *p = &profiles[i];
            struct check_profile_result r = judged(p, (enum check_test)t, CHECK_UNTESTED, true);
            assert_int_equal(r.missing, 0);
            assert_int_equal(r.unknown, asks_for(p, (enum check_test)t));
            assert_int_equal(r.met + r.unknown, rules_of(p));
            r = judged(p, (enum check_test)t, CHECK_NOT_APPLICABLE, true);
            assert_int_equal(r.met, rules_of(p));
            r = judged(p, (enum check_test)t, CHECK_NOTE, true);
            assert_int_equal(r.met, rules_of(p));
        }
}

static void reject_is_asked_for_by_bod_18_01_alone(void **state)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        struct check_profile_result r = judged(&profiles[i], CHECK_BIMI, CHECK_PASS, false);
        assert_int_equal(r.missing, profiles[i].reject);
        assert_true(!r.missing || r.first_missing[0] == CHECK_DMARC_POLICY);
    }
}

static void a_name_that_is_no_profile(void **state)
{
    assert_false(check_profile_exists("NL"));
    assert_false(check_profile_exists(""));
    assert_false(check_profile_exists("bod-18-0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_test_counts_where_it_is_asked_for),
        cmocka_unit_test(what_could_not_be_tested_is_neither_met_nor_missing),
        cmocka_unit_test(reject_is_asked_for_by_bod_18_01_alone),
        cmocka_unit_test(a_name_that_is_no_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
