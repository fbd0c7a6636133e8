// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_authres_forged.c - which Authentication-Results fields could be taken for ours (RFC 8601 5).
 */
#include "standards/message/authres.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define LIT(s) {s, sizeof(s) - 1}

static void forged(void **state)
{
    static const struct {
        struct slice value;
        bool forged;
    } t[] = {
        {LIT(" example.net; dkim=pass header.d=bank.example"), true},
        {LIT("example.net;dkim=pass"), true},
        {LIT(" EXAMPLE.Net; dkim=pass"), true},
        {LIT(" example.net.; dkim=pass"), true},
        {LIT(" example.net..; dkim=pass"), true},
        {LIT(" \"example.net\"; dkim=pass"), true},
        {LIT(" \"Example\\.net\"; dkim=pass"), true},
        {LIT(" \" example.net \"; dkim=pass"), true},
        {LIT(" (c) example.net (c) ; dkim=pass"), true},
        {LIT(" (a (nested) \\) one)\r\n\t(and another) example.net; dkim=pass"), true},
        {LIT("\r\n example.net; dkim=pass"), true},
        {LIT("\n\texample.net\n\t; dkim=pass"), true},
        {LIT(" example.net 1; dkim=pass"), true},
        {LIT(" example.net (v) 1 (w); dkim=pass"), true},
        {LIT(" example.net 999; dkim=pass"), true},
        {LIT(" example.net"), true},
        {LIT(" example.net;"), true},
        {LIT(" example.net; none"), true},
        {LIT(" mx1.example.net; dkim=pass"), true},
        {LIT(" a.b.c.EXAMPLE.NET; dkim=pass"), true},
        {LIT(" \"example.net/4711\"; dkim=pass"), true},
        {LIT(" example.net/4711; dkim=pass"), true},
        {LIT(" \"mx.example.net:job 12\"; dkim=pass"), true},
        {LIT(" \"spool@example.net\"; dkim=pass"), true},
        {LIT(" example.net dkim=pass"), true},
        {LIT(" example.net, dkim=pass"), true},
        {LIT(" example.net\0; dkim=pass"), true},
        /* no name at all, or none that can be plainly read */
        {LIT(""), true},
        {LIT("  "), true},
        {LIT("; dkim=pass"), true},
        {LIT("\r\n  dkim=pass header.d=01.example.com"), true},
        {LIT(" dkim=pass"), true},
        {LIT(" example/net; dkim=pass"), true},
        {LIT(" (unended example.org; dkim=pass"), true},
        {LIT(" \"unended; dkim=pass"), true},
        {LIT(" \"\"; dkim=pass"), true},
        {LIT(" =?utf-8?Q?example.net?=; dkim=pass"), true},
        {LIT(" <example.net>; dkim=pass"), true},
        {LIT(" other.example\0; dkim=pass"), true},
        {LIT(" other.example\r\nfoo; dkim=pass"), true},
        {LIT(" other\x01.example; dkim=pass"), true},
        {LIT(" b\xfc"
             "cher.example; dkim=pass"),
         true},
        {LIT(" other.example 1 2; dkim=pass"), true},
        /* 8-bit digits and letters that IDNA makes ours (full width) */
        {LIT(" \xef\xbd\x85xample.net; dkim=pass"), true},
        {LIT(" example\xe3\x80\x82net; dkim=pass"), true},
        /* plainly somebody else's */
        {LIT(" unrelated.com; dkim=pass header.d=unrelated.com"), false},
        {LIT(" unrelated.com; dkim=pass header.d=example.net"), false},
        {LIT(" unrelated.com; garbage \" ("), false},
        {LIT(" notexample.net; dkim=pass"), false},
        {LIT(" example.net.attack.com; dkim=pass"), false},
        {LIT(" example.netx; dkim=pass"), false},
        {LIT(" net; dkim=pass"), false},
        {LIT(" example.com 1; dkim=pass"), false},
        {LIT(" (example.net) other.example; dkim=pass"), false},
        {LIT(" \"other.example/example\"; dkim=pass"), false},
        {LIT(" b\xc3\xbc"
             "cher.example; dkim=pass"),
         false},
        {LIT(" other.example; none"), false},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char *copy = exact(t[i].value.p, t[i].value.n);
        if (authres_is_forged(slice_of(copy, t[i].value.n), "example.net") != t[i].forged)
            fail_msg("case %zu: %s", i, t[i].value.p);
        free(copy);
    }
}

static void our_id_in_other_shapes(void **state)
{
    assert_true(authres_is_forged(SLICE_LIT(" Example.NET; spf=pass"), "EXAMPLE.net"));
    assert_true(authres_is_forged(SLICE_LIT(" b\xc3\xbc"
                                            "cher.example; spf=pass"),
                                  "xn--bcher-kva.example"));
    assert_true(authres_is_forged(SLICE_LIT(" B\xc3\x9c"
                                            "CHER.example; spf=pass"),
                                  "b\xc3\xbc"
                                  "cher.example"));
    assert_true(authres_is_forged(SLICE_LIT(" xn--bcher-kva.example; spf=pass"), "b\xc3\xbc"
                                                                                 "cher.example"));
    assert_true(authres_is_forged(SLICE_LIT(" \"our mail hub\"; spf=pass"), "our mail hub"));
    assert_true(authres_is_forged(SLICE_LIT(" \"Our Mail Hub/17\"; spf=pass"), "our mail hub"));
    assert_false(authres_is_forged(SLICE_LIT(" mailhub; spf=pass"), "our mail hub"));
    assert_true(authres_is_forged(SLICE_LIT(" mailhub; spf=pass"), "mailhub"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged),
        cmocka_unit_test(our_id_in_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
