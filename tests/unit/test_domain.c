// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_domain.c - base/domain: names from outside, from RFC 1035 2.3.4, RFC 1123 2.1 and RFC 5890.
 */
#include "base/domain.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static enum status read_exact(const char *text, size_t n, char out[LIMIT_DOMAIN + 1])
{
    char *copy = exact(text, n);
    enum status s = domain_from_text(slice_of(copy, n), out);
    free(copy);
    return s;
}

static void keeps(void **state)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        {"Example.ORG", "example.org"},
        {"example.org.", "example.org"},
        {"_dmarc.example.org", "_dmarc.example.org"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "CHER.example",
         "xn--bcher-kva.example"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
        {"stra\xc3\x9f"
         "e.example",
         "xn--strae-oqa.example"},                  /* IDNA 2008: sharp s stays a letter of its own */
        {"xn--i-7iq.example", "xn--i-7iq.example"}, /* a heart: not IDNA 2008, but a name that DNS has */
        {L63 ".example", L63 ".example"},
        {"org", "org"},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char out[LIMIT_DOMAIN + 1];
        assert_int_equal(read_exact(t[i].in, strlen(t[i].in), out), STATUS_OK);
        assert_string_equal(out, t[i].out);
        assert_true(domain_is_kept(out));
    }
}

static void domain_refuses(void **state)
{
    static const struct {
        const char *in;
        size_t n;
        enum status want;
    } t[] = {
        {"", 0, STATUS_INVALID},
        {".", 1, STATUS_INVALID},
        {"a..b", 4, STATUS_INVALID},
        {".a", 2, STATUS_INVALID},
        {"a b", 3, STATUS_INVALID},
        {"victim.example\0.attacker.example", 32, STATUS_INVALID},
        {"victim.example'@x", 17, STATUS_INVALID},
        {"victim.example(x", 16, STATUS_INVALID},
        {L63 "x.example", 72, STATUS_LIMIT},
        {"xn--b\xc3\xbc", 7, STATUS_INVALID},
        {"xn--a.example", 13, STATUS_INVALID}, /* a fake A-label */
        {"\xff\xfe.example", 10, STATUS_INVALID},
        {"exa\xe2\x80\xaemple.org", 14, STATUS_INVALID}, /* right-to-left override */
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char out[LIMIT_DOMAIN + 1] = "untouched";
        enum status got = read_exact(t[i].in, t[i].n, out);
        if (got != t[i].want)
            print_error("case %zu: %s -> %s\n", i, t[i].in, out);
        assert_int_equal(got, t[i].want);
        assert_string_equal(out, "untouched");
    }
}

static void lengths(void **state)
{
    char text[300], out[LIMIT_DOMAIN + 1];
    snprintf(text, sizeof text, "%s.%s.%s.%.61s", L63, L63, L63, L63);
    assert_int_equal(strlen(text), 253);
    assert_int_equal(read_exact(text, 253, out), STATUS_OK);
    snprintf(text, sizeof text, "%s.%s.%s.%.61s.", L63, L63, L63, L63);
    assert_int_equal(read_exact(text, 254, out), STATUS_OK);
    snprintf(text, sizeof text, "%s.%s.%s.%.62s", L63, L63, L63, L63);
    assert_int_equal(read_exact(text, 254, out), STATUS_LIMIT);
}

static void relations(void **state)
{
    assert_true(domain_is_within("a.example", "example"));
    assert_true(domain_is_within("example", "example"));
    assert_false(domain_is_within("notexample", "example"));
    assert_false(domain_is_within("example", "a.example"));
    assert_int_equal(domain_labels("a.b.c"), 3);
    assert_string_equal(domain_parent("a.b.c"), "b.c");
    assert_null(domain_parent("c"));
    assert_string_equal(domain_suffix("a.b.c", 2), "b.c");
    assert_string_equal(domain_suffix("a.b.c", 9), "a.b.c");
    assert_true(domain_is_host("mx1.example"));
    assert_false(domain_is_host("_dmarc.example"));
    assert_false(domain_is_host("-a.example"));
    assert_false(domain_is_host("a-.example"));
}

static void shows(void **state)
{
    char out[64];
    assert_string_equal(domain_to_unicode("xn--bcher-kva.example", out, sizeof out), "b\xc3\xbc"
                                                                                     "cher.example");
    assert_string_equal(domain_to_unicode("example.org", out, sizeof out), "example.org");
    assert_string_equal(domain_to_unicode("example.org", out, 5), "exam");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps),     cmocka_unit_test(domain_refuses), cmocka_unit_test(lengths),
        cmocka_unit_test(relations), cmocka_unit_test(shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
