// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_relay.c - the client behind a relay: Received fields as MTAs write them (RFC 5321 4.4), and as attackers forge
 * them.
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
    {" from unknown (HELO [198.51.100.9]) (192.0.2.4) by mx with SMTP", "192.0.2.4", "[198.51.100.9]"},
    {" from unknown (HELO a.example) (ident@192.0.2.4) by mx with SMTP", "192.0.2.4", "a.example"},
    {" from mail.a.example (192.0.2.4) by MX.example.org (203.0.113.9) with Microsoft SMTP Server", "192.0.2.4",
     "mail.a.example"},
    {" FROM a (b [192.0.2.5]) BY mx", "192.0.2.5", "a"},
    {" from [192.0.2.3]:51234 (helo=a.example) by mx with esmtp (Exim 4.96)", "192.0.2.3", "a.example"},
    {" from mail.a.example ([192.0.2.3]:51234 helo=a.example) by mx with esmtp (Exim 4.96)", "192.0.2.3", "a.example"},
    /* CommuniGate, MDaemon */
    {" from [192.0.2.6] (HELO a.example) by mx.example.org (CommuniGate Pro SMTP 6.2.14) with ESMTP id 1", "192.0.2.6",
     "a.example"},
    {" from [192.0.2.6] (account ann HELO [198.51.100.9]) by mx.example.org (CommuniGate Pro SMTP 6.2.14)", "192.0.2.6",
     "[198.51.100.9]"},
    {" from mail.a.example ([192.0.2.6] verified) by mx.example.org (CommuniGate Pro SMTP 6.2.14)", "192.0.2.6",
     "mail.a.example"},
    {" from mail.a.example (mail.a.example [192.0.2.7]) (using TLSv1.2) by mx.example.org (MDaemon PRO v17.0.0)",
     "192.0.2.7", "mail.a.example"},
    {" from [198.51.100.9] (HELO a.example) by mx.example.org (Other 1.0)", NULL, NULL}, /* its HELO, for all we know */
    {" from [198.51.100.9]:25 (unknown [192.0.2.66]) by mx (Postfix)", "192.0.2.66", "[198.51.100.9]:25"},
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
#define GATEWAY "Received: from mail.a.example (unknown [192.0.2.66]) by gw.example.org (Postfix) with ESMTP\n"
#define FORGED "Received: from good.example (good.example [192.0.2.10]) by elsewhere.example with ESMTP\n"

static const struct {
    const char *what, *header, *client; /* NULL: not known */
} walks[] = {
    {"the client of the relay", BY_CLIENT OLDER, "192.0.2.66"},
    {"two relays of ours in a row", BY_RELAY BY_CLIENT OLDER, "192.0.2.66"},
    {"no field at all", "From: a@b.example\n", NULL},
    {"never on to the next one", "Received: by something that says nothing\n" BY_CLIENT, NULL},
    {"nothing below our relay", BY_RELAY, NULL},
    {"our second relay did not write the next", BY_RELAY FORGED, NULL},
    {"Postfix and amavis on the gateway",
     "Received: from localhost (localhost [127.0.0.1]) by gw.example.org (Postfix) with ESMTP\n"
     "Received: from gw.example.org ([127.0.0.1]) by localhost (gw.example.org [127.0.0.1]) (amavisd-new, port 10024)\n"
     "\twith ESMTP\n" GATEWAY OLDER,
     "192.0.2.66"},
    {"a filter on the gateway that writes no field",
     "Received: from localhost (localhost [::1]) by gw.example.org (Postfix) with ESMTP\n" GATEWAY OLDER, "192.0.2.66"},
    {"a filter in a container",
     "Received: from filter (unknown [172.18.0.5]) by gw.example.org (Postfix) with ESMTP\n"
     "Received: from gw.example.org (gw [172.18.0.1]) by filter with ESMTP\n" GATEWAY OLDER,
     "192.0.2.66"},
    {"the gateway's own address",
     "Received: from gw.example.org (gw.example.org [203.0.113.200]) by gw.example.org (Postfix) with ESMTP\n" GATEWAY,
     "192.0.2.66"},
    {"by address",
     "Received: from x (unknown [203.0.113.201]) by backup1 with ESMTP\n"
     "Received: from a (unknown [192.0.2.66]) by [203.0.113.201] with ESMTP\n",
     "192.0.2.66"},
    {"behind loopback a field that a stranger wrote",
     "Received: from localhost (localhost [127.0.0.1]) by gw.example.org (Postfix) with ESMTP\n" FORGED, NULL},
    {"behind loopback nothing", "Received: from localhost (localhost [127.0.0.1]) by gw.example.org (Postfix)\n", NULL},
    {"a local submission ends the walk",
     "Received: from localhost (localhost [127.0.0.1]) by gw.example.org (Postfix) with ESMTP\n"
     "Received: by gw.example.org (Postfix, from userid 33) id 4X\n" GATEWAY,
     NULL},
    {"a host of our own network behind the relay is no way to be our own mail",
     "Received: from desk (desk [198.51.100.7]) by gw.example.org (Postfix) with ESMTP\n" FORGED, NULL},
    {"a gateway in our own network, and who came to it",
     "Received: from inner (inner [198.51.100.7]) by gw.example.org (Postfix) with ESMTP\n"
     "Received: from mail.a.example (unknown [192.0.2.66]) by inner with ESMTP\n",
     "192.0.2.66"},
    {"'unknown' is nobody's name",
     "Received: from unknown (unknown [203.0.113.201]) by backup1 with ESMTP\n"
     "Received: from good.example (good.example [192.0.2.10]) by unknown with ESMTP\n",
     NULL},
};

static void whole_header(void **state)
{
    struct policy_report *r = policy_report_new();
    const struct policy *p =
        policy_load_text(SLICE_LIT("relay 203.0.113.200/30\nown network 198.51.100.0/24\n"), "test", r);
    struct ip peer;
    unsigned wrong = 0;

    (void)state;
    assert_non_null(p);
    assert_int_equal(ip_from_text(SLICE_LIT("203.0.113.200"), &peer), STATUS_OK);
    for (size_t i = 0; i < COUNT(walks); i++) {
        struct arena *a = arena_new(1 << 20);
        struct header_list list;
        struct relay_client c;
        char text[IP_TEXT], header[2048];
        header_list_init(&list, a);
        snprintf(header, sizeof header, "%s\n", walks[i].header);
        assert_int_equal(header_parse_message(&list, slice_str(header), NULL), STATUS_OK);
        assert_int_equal(relay_find(a, &list, p, &peer, &c), STATUS_OK);
        assert_non_null(c.reason);
        if (c.known != (walks[i].client != NULL) ||
            (c.known && strcmp(ip_text(&c.hop.client, text), walks[i].client) != 0)) {
            print_error("%s: %s\n", walks[i].what, c.reason);
            wrong++;
        }
        arena_free(a);
    }
    assert_int_equal(wrong, 0);
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
    struct ip peer;

    (void)state;
    assert_int_equal(ip_from_text(SLICE_LIT("203.0.113.200"), &peer), STATUS_OK);
    for (int hops = RELAY_HOPS_MAX - 1; hops <= RELAY_HOPS_MAX; hops++) {
        header_list_init(&list, a);
        for (int i = 0; i < hops; i++)
            assert_int_equal(
                header_list_add(&list, SLICE_LIT("Received"), SLICE_LIT(" from a (b [203.0.113.201]) by a")),
                STATUS_OK);
        assert_int_equal(header_list_add(&list, SLICE_LIT("Received"), SLICE_LIT(" from x (y [192.0.2.1]) by a")),
                         STATUS_OK);
        assert_int_equal(relay_find(a, &list, p, &peer, &c), STATUS_OK);
        assert_int_equal(c.known, hops < RELAY_HOPS_MAX);
    }
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
