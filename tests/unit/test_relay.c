// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_relay.c - the client behind a relay: Received fields as MTAs write them (RFC 5321 4.4), and as attackers would
 * like them to be read.
 */
#include "judge/relay.h"
#include "base/arena.h"
#include "policy/policy.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static const struct {
    const char *value, *client, *helo; /* client NULL: cannot be told */
} fields[] = {
    /* Postfix */
    {" from mail.shop.example (mail.shop.example [192.0.2.30])\n\tby mx.example.org (Postfix) with ESMTP id 4X; Fri, "
     "20 Nov 2026 10:00:00 +0000",
     "192.0.2.30", "mail.shop.example"},
    {" from x (unknown [192.0.2.66])\r\n\tby mx (Postfix) with SMTP", "192.0.2.66", "x"},
    {" from x (unknown [IPv6:2001:db8::7])\n\tby mx (Postfix) with ESMTPS", "2001:db8::7", "x"},
    {" from x (a.example [192.0.2.1])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t "
     "key-exchange X25519 server-signature "
     "RSA-PSS (2048 bits))\n\t(No client certificate requested)\n\tby mx (Postfix) with ESMTPS id 1",
     "192.0.2.1", "x"},
    {" from x (a.example [192.0.2.1])\n\t(Client CN \"evil [198.51.100.9]\", Issuer \"CA\" (not verified))\n\tby mx "
     "(Postfix)",
     "192.0.2.1", "x"},
    {" from x (a.example [192.0.2.1])\n\t(Client CN \"evil) (a.example [198.51.100.9]\", Issuer \"CA\" (not "
     "verified))\n\tby mx (Postfix)",
     "192.0.2.1", "x"},
    {" from localhost (localhost [127.0.0.1]) by mx (Postfix)", "127.0.0.1", "localhost"},
    /* Sendmail */
    {" from mail.a.example (mail.a.example [192.0.2.2]) by mx.example.org (8.17.1/8.17.1) with ESMTPS", "192.0.2.2",
     "mail.a.example"},
    {" from mail.a.example ([192.0.2.2]) by mx.example.org (8.17.1/8.17.1)", "192.0.2.2", "mail.a.example"},
    {" from foo (bar.example [192.0.2.2] (may be forged)) by mx", "192.0.2.2", "foo"},
    {" from foo (ident@bar.example [192.0.2.2]) by mx", "192.0.2.2", "foo"},
    /* Exim */
    {" from mail.a.example ([192.0.2.3] helo=a.example) by mx with esmtp (Exim 4.96)", "192.0.2.3", "a.example"},
    {" from mail.a.example ([192.0.2.3]) by mx with esmtps (TLS1.3) (Exim 4.96)", "192.0.2.3", "mail.a.example"},
    {" from [192.0.2.3] (helo=a.example) by mx with esmtp (Exim 4.96)", "192.0.2.3", "a.example"},
    {" from [192.0.2.3] (port=51234 helo=[192.0.2.9]) by mx with esmtp (Exim 4.96)", "192.0.2.3", "[192.0.2.9]"},
    /* qmail, Exchange */
    {" from unknown (HELO a.example) (192.0.2.4) by mx with SMTP; 20 Nov 2026", "192.0.2.4", "a.example"},
    {" from mail.a.example (192.0.2.4) by MX.example.org (203.0.113.9) with Microsoft SMTP Server", "192.0.2.4",
     "mail.a.example"},
    {" FROM a (b [192.0.2.5]) BY mx", "192.0.2.5", "a"},
    /* HELO is the client's to choose: an address in it is never taken */
    {" from [198.51.100.9] (unknown [192.0.2.66]) by mx (Postfix)", "192.0.2.66", "[198.51.100.9]"},
    {" from [198.51.100.9] by mx (Postfix)", NULL, NULL},
    {" from 198.51.100.9 by mx", NULL, NULL},
    {" from x (good.example [198.51.100.9]) (unknown [192.0.2.66]) by mx", NULL,
     NULL}, /* HELO with blanks and parentheses: either may be it */
    {" from x (HELO (198.51.100.9)) (192.0.2.66) by mx", "192.0.2.66", "(198.51.100.9)"},
    {" from x (helo=[198.51.100.9]) by mx", NULL, NULL},
    {" from [198.51.100.9] (something else) by mx", NULL, NULL},
    /* nothing to read */
    {"", NULL, NULL},
    {" by mx.example.org (Postfix, from userid 0) id 4X; Fri, 20 Nov 2026", NULL, NULL},
    {" from x (unknown [192.0.2.66])", NULL, NULL},
    {" from x (unknown [192.0.2.66]", NULL, NULL},
    {" from x (unknown [300.0.2.66]) by mx", NULL, NULL},
    {" from x (unknown [192.0.2.66) by mx", NULL, NULL},
    {" from (unknown [192.0.2.66]) by mx", NULL, NULL},
    {" from x (unknown [192.0.2.66]) y by mx", NULL, NULL},
    {" from x (unknown [192.0.2.66]\\) by mx", NULL, NULL},
    {" from x (\"unknown [192.0.2.66]) by mx", NULL, NULL},
};

static void one_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        size_t n = strlen(fields[i].value);
        char *copy = exact(fields[i].value, n), text[IP_TEXT];
        struct relay_hop hop;
        enum status s = relay_read(slice_of(copy, n), &hop);
        if (!fields[i].client) {
            if (s == STATUS_OK)
                fail_msg("told %s of:%s", ip_text(&hop.client, text), fields[i].value);
            assert_int_equal(s, STATUS_INVALID);
        } else {
            if (s != STATUS_OK)
                fail_msg("not read:%s", fields[i].value);
            assert_string_equal(ip_text(&hop.client, text), fields[i].client);
            assert_true(slice_eq(hop.helo, slice_str(fields[i].helo)));
        }
        free(copy);
    }
}

#define BY_RELAY "Received: from backup2 (backup2 [203.0.113.201]) by backup1 with ESMTP\n"
#define BY_CLIENT "Received: from mail.a.example (unknown [192.0.2.66]) by backup2 with ESMTP\n"
#define OLDER "Received: from good.example (good.example [192.0.2.10]) by mail.a.example with ESMTP\n"

static void whole_header(void **state)
{
    static const struct {
        const char *header, *client;
        bool judged;
    } cases[] = {
        {BY_CLIENT OLDER "\n", "192.0.2.66", false},
        {BY_RELAY BY_CLIENT OLDER "\n", "192.0.2.66", false}, /* two relays of ours in a row */
        {"From: a@b.example\n\n", NULL, false},
        {"Received: by something that says nothing\n" BY_CLIENT "\n", NULL, false}, /* never on to the next one */
        {BY_RELAY "\n", NULL, false},
        {"Assay-Verdict: quarantine\n" BY_CLIENT "\n", "192.0.2.66", true},
        {BY_CLIENT "Assay-Verdict: deliver\n" OLDER "\n", "192.0.2.66", false}, /* below: anybody's */
    };
    struct policy_report *r = policy_report_new();
    const struct policy *p = policy_load_text(SLICE_LIT("relay 203.0.113.200/30\n"), "test", r);

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new(1 << 20);
        struct header_list list;
        struct relay_client c;
        char text[IP_TEXT];
        header_list_init(&list, a);
        assert_int_equal(header_parse_message(&list, slice_str(cases[i].header), NULL), STATUS_OK);
        assert_int_equal(relay_find(a, &list, p, &c), STATUS_OK);
        assert_int_equal(c.known, cases[i].client != NULL);
        assert_int_equal(c.judged, cases[i].judged);
        assert_non_null(c.reason);
        if (c.known)
            assert_string_equal(ip_text(&c.hop.client, text), cases[i].client);
        arena_free(a);
    }
    policy_unref(p);
    policy_report_free(r);
}

static void relays_without_end(void **state)
{
    struct policy_report *r = policy_report_new();
    const struct policy *p = policy_load_text(SLICE_LIT("relay 203.0.113.200/30\n"), "test", r);
    struct arena *a = arena_new(1 << 20);
    struct header_list list;
    struct relay_client c;

    (void)state;
    header_list_init(&list, a);
    for (int i = 0; i <= RELAY_HOPS_MAX; i++)
        assert_int_equal(header_list_add(&list, SLICE_LIT("Received"), SLICE_LIT(" from a (b [203.0.113.201]) by c")),
                         STATUS_OK);
    assert_int_equal(header_list_add(&list, SLICE_LIT("Received"), SLICE_LIT(" from a (b [192.0.2.1]) by c")),
                     STATUS_OK);
    assert_int_equal(relay_find(a, &list, p, &c), STATUS_OK);
    assert_false(c.known);
    arena_free(a);
    policy_unref(p);
    policy_report_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_field),
        cmocka_unit_test(whole_header),
        cmocka_unit_test(relays_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
