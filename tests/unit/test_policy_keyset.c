// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_keyset.c - the parts policies stand on: sets of names asked by suffix and networks by prefix, the nearest
 * word, recipients' forms, days. The sets are compared with a plain search over the same keys.
 */
#include "cm.h"
#include "policy/keyset.h"
#include "policy/policy.h"
#include "policy/recipient.h"
#include "base/words.h"
#include <stdio.h>

#define SEED UINT64_C(0x1234567)

static unsigned longest(const struct keyset *k, const char *name)
{
    struct keyset_name n;
    keyset_name(SEED, name, &n);
    return keyset_longest(k, &n);
}

static void test_suffixes(void **state)
{
    static const char *const names[] = {"a.example", "c.b.a.example", "example.net", "nl", "_dmarc.x.test"};
    struct keyset k;
    bool added;
    keyset_init(&k, SEED);
    assert_int_equal(longest(&k, "a.example"), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(keyset_add_domain(&k, names[i], &added), STATUS_OK);
        assert_true(added);
        assert_int_equal(keyset_add_domain(&k, names[i], &added), STATUS_OK);
        assert_false(added);
    }
    assert_int_equal(longest(&k, "a.example"), 2);
    assert_int_equal(longest(&k, "x.a.example"), 2);
    assert_int_equal(longest(&k, "b.a.example"), 2);
    assert_int_equal(longest(&k, "c.b.a.example"), 4);
    assert_int_equal(longest(&k, "d.c.b.a.example"), 4);
    assert_int_equal(longest(&k, "ba.example"), 0);
    assert_int_equal(longest(&k, "example"), 0);
    assert_int_equal(longest(&k, "x.nl"), 1);
    assert_int_equal(longest(&k, "nl.x"), 0);
    assert_int_equal(longest(&k, "_dmarc.x.test"), 3);
    assert_int_equal(k.count, 5);
    keyset_release(&k);
}

static void test_many(void **state)
{
    struct keyset k;
    bool added;
    char name[64];
    size_t at = 0, count = 0;
    keyset_init(&k, SEED);
    for (unsigned i = 0; i < 50000; i += 2) {
        snprintf(name, sizeof name, "d%u.example", i);
        assert_int_equal(keyset_add_domain(&k, name, &added), STATUS_OK);
    }
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(name, sizeof name, "d%u.example", i);
        assert_int_equal(longest(&k, name), i % 2 ? 0 : 2);
    }
    keyset_trim(&k);
    for (struct slice key; (key = keyset_next(&k, &at)).n; count++) { /* in the order added */
        snprintf(name, sizeof name, "d%zu.example", count * 2);
        assert_true(slice_eq(key, slice_str(name)));
    }
    assert_int_equal(count, 25000);
    assert_true(keyset_overhead(&k) < 64 * count);
    keyset_release(&k);
}

static void test_deep_names(void **state)
{
    struct keyset k;
    bool added;
    char deep[LIMIT_DOMAIN + 1];
    for (size_t i = 0; i < LIMIT_DOMAIN; i++)
        deep[i] = i % 2 ? '.' : 'a';
    deep[LIMIT_DOMAIN] = '\0'; /* 127 labels, the most there can be */
    keyset_init(&k, SEED);
    assert_int_equal(keyset_add_domain(&k, deep, &added), STATUS_OK);
    assert_int_equal(longest(&k, deep), 127);
    assert_int_equal(longest(&k, deep + 2), 0);
    keyset_release(&k);
}

static unsigned longest_net(const struct keyset *k, const char *address)
{
    struct ip ip;
    assert_int_equal(ip_from_text(slice_str(address), &ip), STATUS_OK);
    return keyset_longest_net(k, &ip);
}

static void test_networks(void **state)
{
    static const char *const nets[] = {"192.0.2.0/24",  "192.0.2.128/25", "192.0.2.200", "0.0.0.0/0",
                                       "2001:db8::/32", "2001:db8::1",    "::/0"};
    struct keyset k;
    bool added;
    char text[KEYSET_NET_KEY];
    struct ip_net net, back;
    keyset_init(&k, SEED);
    assert_int_equal(longest_net(&k, "192.0.2.1"), 0);
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        assert_int_equal(ip_net_from_text(slice_str(nets[i]), &net), STATUS_OK);
        assert_int_equal(keyset_add_net(&k, &net, &added), STATUS_OK);
        assert_true(keyset_key_net(keyset_net_key(&net, text), &back));
        assert_true(ip_eq(&net.base, &back.base) && net.bits == back.bits);
    }
    assert_int_equal(longest_net(&k, "192.0.2.1"), 25); /* bits plus one */
    assert_int_equal(longest_net(&k, "192.0.2.129"), 26);
    assert_int_equal(longest_net(&k, "192.0.2.200"), 33);
    assert_int_equal(longest_net(&k, "198.51.100.1"), 1);
    assert_int_equal(longest_net(&k, "2001:db8::1"), 129);
    assert_int_equal(longest_net(&k, "2001:db8::2"), 33);
    assert_int_equal(longest_net(&k, "2001:db9::2"), 1);
    assert_int_equal(longest_net(&k, "::ffff:192.0.2.200"), 33); /* a mapped address is the IPv4 one */
    assert_false(keyset_key_net(SLICE_LIT("eighteen.octets.ex"), &back));
    keyset_release(&k);
}

static void test_key_lengths(void **state)
{
    struct keyset k;
    char key[KEYSET_KEY_MAX + 1];
    bool added;
    memset(key, 'x', sizeof key);
    keyset_init(&k, SEED);
    assert_int_equal(keyset_add(&k, slice_of(key, 0), &added), STATUS_LIMIT);
    assert_int_equal(keyset_add(&k, slice_of(key, KEYSET_KEY_MAX + 1), &added), STATUS_LIMIT);
    assert_int_equal(keyset_add(&k, slice_of(key, KEYSET_KEY_MAX), &added), STATUS_OK);
    assert_true(keyset_has(&k, slice_of(key, KEYSET_KEY_MAX)));
    assert_false(keyset_has(&k, slice_of(key, KEYSET_KEY_MAX - 1)));
    keyset_release(&k);
}

static void test_nearest_word(void **state)
{
    static const char *const words[] = {"require", "record", "reject", "relay", "spf", "dkim", "dmarc"};
    static const struct {
        const char *typed, *near;
    } table[] = {
        {"requre", "require"},
        {"rqeuire", "require"},
        {"REQUIRE", "require"},
        {"recrod", "record"},
        {"rejct", "reject"},
        {"dkm", "dkim"},
        {"spff", "spf"},
        {"dmrac", "dmarc"},
        {"xyz", NULL},
        {"", NULL},
        {"f", NULL},
        {"quarantine", NULL},
        {"relay", "relay"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *near = words_nearest(slice_str(table[i].typed), words, sizeof words / sizeof *words);
        if (!near != !table[i].near || (near && strcmp(near, table[i].near) != 0))
            fail_msg("'%s': '%s', expected '%s'", table[i].typed, near ? near : "nothing",
                     table[i].near ? table[i].near : "nothing");
    }
}

static void test_recipients(void **state)
{
    static const struct {
        const char *rcpt, *forms[3]; /* NULL first: no recipient */
    } table[] = {
        {"User@Example.ORG", {"user@example.org"}},
        {"<user@example.org>", {"user@example.org"}},
        {"user+a+b@example.org", {"user+a+b@example.org", "user@example.org"}},
        {"prvs=0123456789=user@example.org", {"prvs=0123456789=user@example.org", "user@example.org"}},
        {"prvs=0123456789=user+x@example.org",
         {"prvs=0123456789=user+x@example.org", "user+x@example.org", "user@example.org"}},
        {"prvs=user@example.org", {"prvs=user@example.org"}},
        {"\"user\"@example.org", {"user@example.org"}},
        {"\"u\\ser\"@example.org", {"user@example.org"}},
        {"+x@example.org", {"+x@example.org"}},
        {"b\xc3\xbc"
         "ro@b\xc3\xbc"
         "cher.example",
         {"b\xc3\xbcro@xn--bcher-kva.example"}},
        {"user", {NULL}},
        {"user@[192.0.2.1]", {NULL}},
        {"user@", {NULL}},
        {"", {NULL}},
        {"@", {NULL}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct recipient r;
        char *copy = exact(table[i].rcpt, strlen(table[i].rcpt) + 1);
        size_t want = 0;
        while (want < 3 && table[i].forms[want])
            want++;
        assert_int_equal(recipient_parse(copy, true, &r), want > 0);
        if (want && r.form_count != want)
            fail_msg("%s: %zu forms, expected %zu", table[i].rcpt, r.form_count, want);
        for (size_t k = 0; k < want; k++)
            assert_string_equal(r.forms[k], table[i].forms[k]);
        free(copy);
    }
}

static void test_long_recipient(void **state)
{
    char rcpt[400];
    struct recipient r;
    memset(rcpt, 'x', sizeof rcpt);
    memcpy(rcpt + 300, "@example.org", sizeof "@example.org");
    assert_true(recipient_parse(rcpt, true, &r)); /* its domain still counts */
    assert_string_equal(r.domain, "example.org");
    assert_int_equal(r.form_count, 0);
}

static void test_days(void **state)
{
    char text[POLICY_DAY_TEXT];
    setenv("TZ", "Europe/Amsterdam", 1);
    tzset();
    assert_int_equal(policy_day(SLICE_LIT("2026-11-20"), 0), 1795129200); /* 2026-11-19T23:00:00Z */
    assert_int_equal(policy_day(SLICE_LIT("2026-11-20"), 1), 1795129200 + 86400);
    /* Summer time begins on 28 March 2027: that day has 23 hours. */
    assert_int_equal(policy_day(SLICE_LIT("2027-03-28"), 1) - policy_day(SLICE_LIT("2027-03-28"), 0), 23 * 3600);
    assert_true(policy_day(SLICE_LIT("2028-02-29"), 0) != 0);
    assert_string_equal(policy_day_text(policy_day(SLICE_LIT("2027-03-28"), 0), text), "2027-03-28");
    static const char *const none[] = {"2027-02-29",    "2026-13-01", "2026-00-10",
                                       "2026-01-00",    "2026-1-1",   "20260101",
                                       "2026-01-01T00", "26-01-01",   ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(policy_day(slice_str(none[i]), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suffixes),   cmocka_unit_test(test_many),           cmocka_unit_test(test_deep_names),
        cmocka_unit_test(test_networks),   cmocka_unit_test(test_key_lengths),    cmocka_unit_test(test_nearest_word),
        cmocka_unit_test(test_recipients), cmocka_unit_test(test_long_recipient), cmocka_unit_test(test_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
