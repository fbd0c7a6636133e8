// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_authres_forged.c - which Authentication-Results fields could be taken for ours (RFC 8601 5).
 */
#include "standards/message/authres.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define LIT(s) {s, sizeof(s) - 1}

static void are_forged(const struct slice *t, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++) {
        char *copy = exact(t[i].p, t[i].n);
        if (authres_is_forged(slice_of(copy, t[i].n), "example.net") != expected)
            fail_msg("case %zu: %s", i, t[i].p);
        free(copy);
    }
}

static void ours_in_any_form(void **state)
{
    static const struct slice t[] = {
        LIT(" example.net; dkim=pass header.d=bank.example"),
        LIT("example.net;dkim=pass"),
        LIT(" EXAMPLE.Net; dkim=pass"),
        LIT(" example.net.; dkim=pass"),
        LIT(" example.net..; dkim=pass"),
        LIT(" \"example.net\"; dkim=pass"),
        LIT(" \"Example\\.net\"; dkim=pass"),
        LIT(" \" example.net \"; dkim=pass"),
        LIT(" (c) example.net (c) ; dkim=pass"),
        LIT(" (a (nested) \\) one)\r\n\t(and another) example.net; dkim=pass"),
        LIT("\r\n example.net; dkim=pass"),
        LIT("\n\texample.net\n\t; dkim=pass"),
        LIT(" example.net 1; dkim=pass"),
        LIT(" example.net (v) 1 (w); dkim=pass"),
        LIT(" example.net 999; dkim=pass"),
        LIT(" example.net"),
        LIT(" example.net;"),
        LIT(" example.net; none"),
        LIT(" mx1.example.net; dkim=pass"),
        LIT(" a.b.c.EXAMPLE.NET; dkim=pass"),
        LIT(" \"example.net/4711\"; dkim=pass"),
        LIT(" example.net/4711; dkim=pass"),
        LIT(" \"mx.example.net:job 12\"; dkim=pass"),
        LIT(" \"spool@example.net\"; dkim=pass"),
        LIT(" example.net dkim=pass"),
        LIT(" example.net, dkim=pass"),
        LIT(" example.net\0; dkim=pass"),
    };
    are_forged(t, COUNT(t), true);
}

static void no_name_that_can_be_read(void **state)
{
    static const struct slice t[] = {
        LIT(""),
        LIT("  "),
        LIT("; dkim=pass"),
        LIT("\r\n  dkim=pass header.d=01.example.com"),
        LIT(" dkim=pass"),
        LIT(" example/net; dkim=pass"),
        LIT(" (unended example.org; dkim=pass"),
        LIT(" \"unended; dkim=pass"),
        LIT(" \"\"; dkim=pass"),
        LIT(" =?utf-8?Q?example.net?=; dkim=pass"),
        LIT(" <example.net>; dkim=pass"),
        LIT(" other.example\0; dkim=pass"),
        LIT(" other.example\r\nfoo; dkim=pass"),
        LIT(" other\x01.example; dkim=pass"),
        LIT(" b\xfc"
            "cher.example; dkim=pass"),
        LIT(" other.example 1 2; dkim=pass"),
        /* 8-bit digits and letters that IDNA makes ours (full width) */
        LIT(" \xef\xbd\x85xample.net; dkim=pass"),
        LIT(" example\xe3\x80\x82net; dkim=pass"),
    };
    are_forged(t, COUNT(t), true);
}

static void plainly_somebody_elses(void **state)
{
    static const struct slice t[] = {
        LIT(" unrelated.com; dkim=pass header.d=unrelated.com"),
        LIT(" unrelated.com; dkim=pass header.d=example.net"),
        LIT(" unrelated.com; garbage \" ("),
        LIT(" notexample.net; dkim=pass"),
        LIT(" example.net.attack.com; dkim=pass"),
        LIT(" example.netx; dkim=pass"),
        LIT(" net; dkim=pass"),
        LIT(" example.com 1; dkim=pass"),
        LIT(" (example.net) other.example; dkim=pass"),
        LIT(" \"other.example/example\"; dkim=pass"),
        LIT(" b\xc3\xbc"
            "cher.example; dkim=pass"),
        LIT(" other.example; none"),
    };
    are_forged(t, COUNT(t), false);
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
        cmocka_unit_test(ours_in_any_form),
        cmocka_unit_test(no_name_that_can_be_read),
        cmocka_unit_test(plainly_somebody_elses),
        cmocka_unit_test(our_id_in_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
