// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_precedence.c - which statement decides, from the words of the language's description: `always` first;
 * then the more specific WHOM; then the more specific WHO (domain before network; longest name, longest prefix; `only`
 * before the same name); then the later line; an exemption wins over a statement that is not more specific than it in
 * either.
 *
 * Each case is a policy of a few lines, one question, and the line and level that must come out. Line 0: no statement
 * speaks of it.
 */
#include "base/clock.h"
#include "policy/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Noon, 20 November 2026, UTC. */
#define NOW 1795176000

struct precedence_case {
    const char *name;
    const char *policy;
    const char *standard;
    const char *who, *rcpt, *ip;
    unsigned line;
    enum policy_level level;
    unsigned exemption, expired; /* lines; 0: none */
};

#define WHY " because \"x\" agreed by \"y\" through 2027-03-31\n"
#define WAS " because \"x\" agreed by \"y\" through 2026-11-19\n"

static const struct precedence_case cases[] = {
    {"nothing said is record", "set mode enforce\n", "dmarc", "a.example", NULL, NULL, 0, POLICY_RECORD, 0, 0},
    {"everyone", "require dmarc of everyone\n", "dmarc", "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"another standard is not meant", "require dmarc of everyone\n", "spf", "a.example", NULL, NULL, 0, POLICY_RECORD,
     0, 0},
    {"several standards, each on its own", "require dmarc, spf of everyone\nrecord spf of a.example\n", "dmarc",
     "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"several standards, the other one", "require dmarc, spf of everyone\nrecord spf of a.example\n", "spf",
     "a.example", NULL, NULL, 2, POLICY_RECORD, 0, 0},
    {"a domain before everyone, whatever the order", "require dmarc of a.example\nrecord dmarc of everyone\n", "dmarc",
     "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"a domain means what is below it", "require dmarc of a.example\nrecord dmarc of everyone\n", "dmarc",
     "x.y.a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"a domain does not mean what ends like it", "require dmarc of a.example\nrecord dmarc of everyone\n", "dmarc",
     "ba.example", NULL, NULL, 2, POLICY_RECORD, 0, 0},
    {"a domain does not mean what is above it", "require dmarc of x.a.example\n", "dmarc", "a.example", NULL, NULL, 0,
     POLICY_RECORD, 0, 0},
    {"the longest name", "require dmarc of b.a.example\nrecord dmarc of a.example\n", "dmarc", "c.b.a.example", NULL,
     NULL, 1, POLICY_REQUIRE, 0, 0},
    {"a top-level domain", "require dmarc of example\nrecord dmarc of everyone\n", "dmarc", "a.example", NULL, NULL, 1,
     POLICY_REQUIRE, 0, 0},
    {"only: the name itself", "require dmarc of only a.example\nrecord dmarc of everyone\n", "dmarc", "a.example", NULL,
     NULL, 1, POLICY_REQUIRE, 0, 0},
    {"only: not what is below", "require dmarc of only a.example\nrecord dmarc of everyone\n", "dmarc", "x.a.example",
     NULL, NULL, 2, POLICY_RECORD, 0, 0},
    {"only before the same name, whatever the order", "require dmarc of only a.example\nrecord dmarc of a.example\n",
     "dmarc", "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"the longer name before only of a shorter one", "record dmarc of only a.example\nrequire dmarc of x.a.example\n",
     "dmarc", "x.a.example", NULL, NULL, 2, POLICY_REQUIRE, 0, 0},
    {"the later line of two alike", "require dmarc of a.example\nrecord dmarc of a.example\n", "dmarc", "a.example",
     NULL, NULL, 2, POLICY_RECORD, 0, 0},
    {"the later line, of everyone", "record dmarc of everyone\nrequire dmarc of everyone\n", "dmarc", "a.example", NULL,
     NULL, 2, POLICY_REQUIRE, 0, 0},
    {"a network of the client", "require tls of 192.0.2.0/24\nrecord tls of everyone\n", "tls", NULL, NULL, "192.0.2.7",
     1, POLICY_REQUIRE, 0, 0},
    {"another network", "require tls of 192.0.2.0/24\nrecord tls of everyone\n", "tls", NULL, NULL, "192.0.3.7", 2,
     POLICY_RECORD, 0, 0},
    {"the longest prefix, whatever the order", "require tls of 192.0.2.0/25\nrecord tls of 192.0.2.0/24\n", "tls", NULL,
     NULL, "192.0.2.7", 1, POLICY_REQUIRE, 0, 0},
    {"a single address", "record tls of 192.0.2.0/24\nrequire tls of 192.0.2.7\n", "tls", NULL, NULL, "192.0.2.7", 2,
     POLICY_REQUIRE, 0, 0},
    {"IPv6", "require tls of 2001:db8::/32\nrecord tls of 2001:db8:1::/48\n", "tls", NULL, NULL, "2001:db8:1::9", 2,
     POLICY_RECORD, 0, 0},
    {"all of IPv4", "require tls of 0.0.0.0/0\n", "tls", NULL, NULL, "203.0.113.9", 1, POLICY_REQUIRE, 0, 0},
    {"all of IPv4 is not IPv6", "require tls of 0.0.0.0/0\n", "tls", NULL, NULL, "2001:db8::1", 0, POLICY_RECORD, 0, 0},
    {"a domain before a network, the longest prefix too", "require tls of example\nrecord tls of 192.0.2.7\n", "tls",
     "a.example", NULL, "192.0.2.7", 1, POLICY_REQUIRE, 0, 0},
    {"spf is not asked of networks", "require spf of 192.0.2.0/24\n", "spf", "a.example", NULL, "192.0.2.7", 0,
     POLICY_RECORD, 0, 0},
    {"writing to: another recipient", "require dmarc of everyone writing to b.example\n", "dmarc", "a.example",
     "x@c.example", NULL, 0, POLICY_RECORD, 0, 0},
    {"writing to: no recipient known", "require dmarc of everyone writing to b.example\n", "dmarc", "a.example", NULL,
     NULL, 0, POLICY_RECORD, 0, 0},
    {"writing to: the domain", "require dmarc of everyone writing to b.example\n", "dmarc", "a.example", "x@b.example",
     NULL, 1, POLICY_REQUIRE, 0, 0},
    {"writing to: below the domain", "require dmarc of everyone writing to b.example\n", "dmarc", "a.example",
     "x@c.b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"WHOM goes before WHO", "record dmarc of only a.example\nrequire dmarc of everyone writing to b.example\n",
     "dmarc", "a.example", "x@b.example", NULL, 2, POLICY_REQUIRE, 0, 0},
    {"the longer WHOM",
     "require dmarc of everyone writing to c.b.example\nrecord dmarc of everyone writing to b.example\n", "dmarc",
     "a.example", "x@c.b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address before its domain",
     "require dmarc of everyone writing to x@b.example\nrecord dmarc of a.example writing to b.example\n", "dmarc",
     "a.example", "x@b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address in other case", "require dmarc of everyone writing to Pay.Roll@b.example\n", "dmarc", "a.example",
     "pAY.rOLL@B.Example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address with detail", "require dmarc of everyone writing to x@b.example\n", "dmarc", "a.example",
     "x+tag+y@b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address with a BATV tag", "require dmarc of everyone writing to x@b.example\n", "dmarc", "a.example",
     "prvs=0123456789=x@b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address with a BATV tag and detail", "require dmarc of everyone writing to x@b.example\n", "dmarc",
     "a.example", "prvs=0123456789=x+y@b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address in brackets", "require dmarc of everyone writing to x@b.example\n", "dmarc", "a.example",
     "<x@b.example>", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"a quoted local part", "require dmarc of everyone writing to x@b.example\n", "dmarc", "a.example",
     "\"x\"@b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an address literal is no domain", "require dmarc of everyone writing to b.example\n", "dmarc", "a.example",
     "x@[192.0.2.1]", NULL, 0, POLICY_RECORD, 0, 0},
    {"a WHO under one WHOM is not a WHO under another",
     "require dmarc of a.example writing to b.example\nrecord dmarc of everyone writing to c.example\n", "dmarc",
     "a.example", "x@c.example", NULL, 2, POLICY_RECORD, 0, 0},
    {"always before everything",
     "always require dmarc of everyone\nrecord dmarc of only a.example writing to x@b.example\n", "dmarc", "a.example",
     "x@b.example", NULL, 1, POLICY_REQUIRE, 0, 0},
    {"always is loosened by another always", "always require dmarc of everyone\nalways record dmarc of a.example\n",
     "dmarc", "a.example", NULL, NULL, 2, POLICY_RECORD, 0, 0},
    {"of two always, the more specific", "always record dmarc of a.example\nalways require dmarc of everyone\n",
     "dmarc", "a.example", NULL, NULL, 1, POLICY_RECORD, 0, 0},
    {"always is not loosened by an exemption", "always require dmarc of everyone\nexempt a.example from dmarc" WHY,
     "dmarc", "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an exemption takes it down to record", "require dmarc of everyone\nexempt a.example from dmarc" WHY, "dmarc",
     "a.example", NULL, NULL, 1, POLICY_RECORD, 2, 0},
    {"an exemption means what is below", "require dmarc of everyone\nexempt a.example from dmarc" WHY, "dmarc",
     "x.a.example", NULL, NULL, 1, POLICY_RECORD, 2, 0},
    {"an exemption from another standard", "require dmarc of everyone\nexempt a.example from spf" WHY, "dmarc",
     "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an exemption of somebody else", "require dmarc of everyone\nexempt b.example from dmarc" WHY, "dmarc",
     "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 0},
    {"an exemption wins over the same name, before it",
     "exempt a.example from dmarc" WHY "require dmarc of a.example\n", "dmarc", "a.example", NULL, NULL, 2,
     POLICY_RECORD, 1, 0},
    {"a statement more specific in WHO stands", "exempt a.example from dmarc" WHY "require dmarc of x.a.example\n",
     "dmarc", "x.a.example", NULL, NULL, 2, POLICY_REQUIRE, 0, 0},
    {"a statement of only the name stands", "exempt a.example from dmarc" WHY "require dmarc of only a.example\n",
     "dmarc", "a.example", NULL, NULL, 2, POLICY_REQUIRE, 0, 0},
    {"a statement more specific in WHOM stands",
     "exempt a.example from dmarc" WHY "require dmarc of everyone writing to b.example\n", "dmarc", "a.example",
     "x@b.example", NULL, 2, POLICY_REQUIRE, 0, 0},
    {"an exemption writing to",
     "exempt a.example from dmarc writing to b.example" WHY "require dmarc of everyone writing to b.example\n", "dmarc",
     "a.example", "x@b.example", NULL, 2, POLICY_RECORD, 1, 0},
    {"an exemption writing to others",
     "exempt a.example from dmarc writing to b.example" WHY "require dmarc of everyone\n", "dmarc", "a.example",
     "x@c.example", NULL, 2, POLICY_REQUIRE, 0, 0},
    {"more specific in WHOM but less in WHO: the rule's WHO stands",
     "exempt everyone from dmarc writing to b.example" WHY "require dmarc of a.example\n", "dmarc", "a.example",
     "x@b.example", NULL, 2, POLICY_REQUIRE, 0, 0},
    {"of two exemptions, the one that covers",
     "require dmarc of a.example\nexempt everyone from dmarc writing to b.example" WHY
     "exempt x.a.example from dmarc" WHY,
     "dmarc", "x.a.example", "x@b.example", NULL, 1, POLICY_RECORD, 3, 0},
    {"of two exemptions, the more specific",
     "require dmarc of everyone\nexempt x.a.example from dmarc" WHY "exempt a.example from dmarc" WHY, "dmarc",
     "x.a.example", NULL, NULL, 1, POLICY_RECORD, 2, 0},
    {"an exemption from what is ignored changes nothing", "ignore dmarc of everyone\nexempt a.example from dmarc" WHY,
     "dmarc", "a.example", NULL, NULL, 1, POLICY_IGNORE, 0, 0},
    {"an exemption from what is recorded is not named", "record dmarc of everyone\nexempt a.example from dmarc" WHY,
     "dmarc", "a.example", NULL, NULL, 1, POLICY_RECORD, 0, 0},
    {"an ended exemption does nothing, and is reported", "require dmarc of everyone\nexempt a.example from dmarc" WAS,
     "dmarc", "a.example", NULL, NULL, 1, POLICY_REQUIRE, 0, 2},
    {"an ended one beside one in force",
     "require dmarc of everyone\nexempt a.example from dmarc" WAS "exempt a.example from dmarc" WHY, "dmarc",
     "a.example", NULL, NULL, 1, POLICY_RECORD, 3, 0},
    {"an exemption of a network", "require tls of everyone\nexempt 192.0.2.0/24 from tls" WHY, "tls", NULL, NULL,
     "192.0.2.7", 1, POLICY_RECORD, 2, 0},
    {"a network exempted does not cover a domain's statement",
     "require tls of a.example\nexempt 192.0.2.0/24 from tls" WHY, "tls", "a.example", NULL, "192.0.2.7", 1,
     POLICY_REQUIRE, 0, 0},
};

static struct policy *policy_of(const char *text)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_text(slice_str(text), "case", r);
    if (!p) {
        struct buf b = BUF_INIT;
        for (size_t i = 0; policy_report_at(r, i); i++)
            policy_message_print(policy_report_at(r, i), &b);
        print_error("%s\n%s", text, b.p);
        buf_release(&b);
    }
    policy_report_free(r);
    assert_non_null(p);
    return p;
}

static unsigned line_of(const struct policy_statement *s)
{
    return s ? s->line : 0;
}

static void ask_case(const struct precedence_case *c)
{
    struct policy *p = policy_of(c->policy);
    struct ip ip;
    struct policy_answer a;
    struct policy_question q = {
        .standard = standard_from_name(slice_str(c->standard)), .who = c->who, .rcpt = c->rcpt, .at = NOW};
    if (c->ip) {
        assert_int_equal(ip_from_text(slice_str(c->ip), &ip), STATUS_OK);
        q.who_ip = &ip;
    }
    policy_ask(p, &q, &a);
    if (line_of(a.statement) != c->line || a.level != c->level || line_of(a.exemption) != c->exemption ||
        line_of(a.expired) != c->expired)
        fail_msg("%s: line %u %s, exemption %u, expired %u; expected line %u %s, exemption %u, expired %u", c->name,
                 line_of(a.statement), policy_level_name(a.level), line_of(a.exemption), line_of(a.expired), c->line,
                 policy_level_name(c->level), c->exemption, c->expired);
    policy_unref(p);
}

static void test_table(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ask_case(&cases[i]);
}

static struct policy_answer policy_answer_of(const struct policy *p, struct policy_question q)
{
    struct policy_answer a;
    if (!q.at)
        q.at = NOW;
    policy_ask(p, &q, &a);
    return a;
}

static void test_via_and_signed(void **state)
{
    struct policy *p = policy_of("require dmarc, spf of everyone\nexempt a.example from dmarc via 192.0.2.0/24" WHY
                                 "exempt a.example from spf signed by a.example" WHY);
    struct ip in, out;
    const char *const right[] = {"b.example", "mail.a.example"}, *const wrong[] = {"b.example", "xa.example"};
    assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.9"), &in), STATUS_OK);
    assert_int_equal(ip_from_text(SLICE_LIT("198.51.100.9"), &out), STATUS_OK);
    struct policy_question q = {.standard = STANDARD_DMARC, .who = "a.example"};
    assert_int_equal(policy_answer_of(p, q).level, POLICY_REQUIRE); /* client unknown */
    q.client = &out;
    struct policy_answer a = policy_answer_of(p, q);
    assert_int_equal(a.level, POLICY_REQUIRE);
    assert_int_equal(a.beaten_count, 1);
    assert_int_equal(a.beaten[0].why, POLICY_BEATEN_EVIDENCE);
    q.client = &in;
    assert_int_equal(policy_answer_of(p, q).level, POLICY_RECORD);
    q = (struct policy_question){.standard = STANDARD_SPF, .who = "a.example"};
    assert_int_equal(policy_answer_of(p, q).level, POLICY_REQUIRE);
    q.signers = wrong;
    q.signer_count = 2;
    assert_int_equal(policy_answer_of(p, q).level, POLICY_REQUIRE);
    q.signers = right;
    assert_int_equal(policy_answer_of(p, q).level, POLICY_RECORD);
    policy_unref(p);
}

static void test_last_second(void **state)
{
    struct policy *p = policy_of("require dmarc of everyone\nexempt a.example from dmarc" WHY);
    time_t end = policy_day(SLICE_LIT("2027-04-01"), 0); /* through = that day included */
    struct policy_question q = {.standard = STANDARD_DMARC, .who = "a.example", .at = end - 1};
    assert_int_equal(policy_answer_of(p, q).level, POLICY_RECORD);
    q.at = end;
    assert_int_equal(policy_answer_of(p, q).level, POLICY_REQUIRE);
    assert_int_equal(line_of(policy_answer_of(p, q).expired), 2);
    policy_unref(p);
}

static void test_names(void **state)
{
    struct policy *p = policy_of(
        "follow dnssec of every name\nrequire dnssec of names in bank.example strictly\nrecord dnssec of everyone\n"
        "exempt old.bank.example from dnssec" WHY "require dnssec of names in only bank.example\n");
    struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = "www.shop.example"};
    assert_int_equal(policy_answer_of(p, q).level, POLICY_FOLLOW);
    q.who = "www.bank.example";
    assert_int_equal(policy_answer_of(p, q).level, POLICY_REQUIRE);
    assert_true(policy_answer_of(p, q).strictly);
    q.who = "bank.example";
    assert_int_equal(line_of(policy_answer_of(p, q).statement), 5);
    assert_false(policy_answer_of(p, q).strictly);
    q.who = "a.old.bank.example"; /* an exemption takes names down to follow, not to record */
    assert_int_equal(policy_answer_of(p, q).level, POLICY_FOLLOW);
    assert_int_equal(line_of(policy_answer_of(p, q).exemption), 4);
    assert_false(policy_answer_of(p, q).strictly);
    q.names = false; /* mail is asked separately */
    q.who = "bank.example";
    assert_int_equal(policy_answer_of(p, q).level, POLICY_RECORD);
    assert_int_equal(line_of(policy_answer_of(p, q).statement), 3);
    policy_unref(p);
}

static void test_mail_rules_do_not_reach_names(void **state)
{
    struct policy *p = policy_of("require dnssec of bank.example\n");
    struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = "bank.example"};
    assert_null(policy_answer_of(p, q).statement);
    policy_unref(p);
}

static void test_actions(void **state)
{
    static const struct {
        const char *policy, *standard;
        enum policy_action action;
    } table[] = {
        {"follow spf of everyone\n", "spf", POLICY_TAG},
        {"require spf of everyone\n", "spf", POLICY_REJECT},
        {"require dkim of everyone\n", "dkim", POLICY_REJECT},
        {"follow dkim of everyone\n", "dkim", POLICY_DELIVER},
        {"require dmarc of everyone\n", "dmarc", POLICY_REJECT},
        {"follow dane of everyone\n", "dane", POLICY_TAG},
        {"require dane of everyone\n", "dane", POLICY_REJECT},
        {"follow tls of everyone\n", "tls", POLICY_DELIVER},
        {"require tls of everyone\n", "tls", POLICY_REJECT},
        {"follow dnssec of everyone\n", "dnssec", POLICY_DEFER},
        {"require dnssec of everyone\n", "dnssec", POLICY_REJECT},
        {"require message-format of everyone\n", "message-format", POLICY_REJECT},
        {"require rdns of everyone\n", "rdns", POLICY_REJECT},
        {"record spf of everyone\n", "spf", POLICY_DELIVER},
        {"require spf, dmarc of everyone otherwise hold\n", "dmarc", POLICY_HOLD},
        {"require spf of everyone otherwise defer \"later\"\n", "spf", POLICY_DEFER},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct policy *p = policy_of(table[i].policy);
        struct policy_question q = {.standard = standard_from_name(slice_str(table[i].standard)), .who = "a.example"};
        struct policy_answer a = policy_answer_of(p, q);
        if (a.action != table[i].action)
            fail_msg("%s: %s", table[i].policy, policy_action_name(a.action));
        policy_unref(p);
    }
}

static void test_details(void **state)
{
    struct policy *p = policy_of(
        "trial require tls 1.3 of everyone otherwise defer \"Use TLS 1.3\"\nfollow dmarc as published of everyone\n");
    struct policy_answer a =
        policy_answer_of(p, (struct policy_question){.standard = STANDARD_TLS, .who = "a.example"});
    assert_true(a.trial);
    assert_int_equal(a.tls_version, 13);
    assert_string_equal(a.text, "Use TLS 1.3");
    assert_true(a.action_written);
    a = policy_answer_of(p, (struct policy_question){.standard = STANDARD_DMARC, .who = "a.example"});
    assert_true(a.as_published);
    assert_int_equal(a.tls_version, 0);
    policy_unref(p);
}

static void test_own_from(void **state)
{
    struct policy *p = policy_of("own domains example.org\n");
    struct policy_question q = {.own_from = true};
    assert_int_equal(policy_answer_of(p, q).level, POLICY_IGNORE); /* off by default */
    policy_unref(p);
    p = policy_of("own domains example.org\nrequire own-from of submission\nrequire dmarc of everyone\n");
    assert_int_equal(policy_answer_of(p, q).level, POLICY_REQUIRE);
    assert_int_equal(policy_answer_of(p, q).action, POLICY_REJECT);
    assert_int_equal(line_of(policy_answer_of(p, q).statement), 2);
    policy_unref(p);
}

static void test_trust(void **state)
{
    struct policy *p =
        policy_of("trust lists.example as forwarder" WHY "trust fwd.example as forwarder via 192.0.2.0/24" WHY
                  "trust old.example as forwarder" WAS "trust to.example as forwarder writing to b.example" WHY
                  "trust all.example and below as forwarder" WHY);
    struct ip in, out;
    assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.9"), &in), STATUS_OK);
    assert_int_equal(ip_from_text(SLICE_LIT("198.51.100.9"), &out), STATUS_OK);
    assert_int_equal(line_of(policy_trusted(p, "lists.example", NULL, NULL, NOW)), 1);
    assert_int_equal(line_of(policy_trusted(p, "lists.example", "x@b.example", &out, NOW)), 1);
    assert_null(
        policy_trusted(p, "a.lists.example", NULL, NULL, NOW)); /* its exact name, unless the statement says more */
    assert_null(policy_trusted(p, "example", NULL, NULL, NOW));
    assert_int_equal(line_of(policy_trusted(p, "all.example", NULL, NULL, NOW)), 5);
    assert_int_equal(line_of(policy_trusted(p, "a.all.example", NULL, NULL, NOW)), 5);
    assert_null(policy_trusted(p, "other.example", NULL, NULL, NOW));
    assert_null(policy_trusted(p, "fwd.example", NULL, NULL, NOW));
    assert_null(policy_trusted(p, "fwd.example", NULL, &out, NOW));
    assert_int_equal(line_of(policy_trusted(p, "fwd.example", NULL, &in, NOW)), 2);
    assert_null(policy_trusted(p, "old.example", NULL, NULL, NOW));
    assert_null(policy_trusted(p, "to.example", "x@c.example", NULL, NOW));
    assert_null(policy_trusted(p, "to.example", NULL, NULL, NOW));
    assert_int_equal(line_of(policy_trusted(p, "to.example", "x@b.example", NULL, NOW)), 4);
    policy_unref(p);
}

static void test_suspended(void **state)
{
    struct policy *p =
        policy_of("suspend validation below broken.example because \"x\" agreed by \"y\" through 2026-11-22\n");
    time_t end = policy_day(SLICE_LIT("2026-11-23"), 0);
    assert_int_equal(line_of(policy_suspended(p, "www.broken.example", NOW)), 1);
    assert_int_equal(line_of(policy_suspended(p, "broken.example", end - 1)), 1);
    assert_null(policy_suspended(p, "broken.example", end));
    assert_null(policy_suspended(p, "unbroken.example", NOW));
    policy_unref(p);
}

static void test_house(void **state)
{
    struct policy *p = policy_of("own domains example.org, b\xc3\xbc"
                                 "cher.example\nown network 203.0.113.0/24, 2001:db8::/32\nrelay 192.0.2.10\n"
                                 "submission 587, auth\n");
    struct ip ip;
    assert_true(policy_is_own_domain(p, "a.example.org"));
    assert_true(policy_is_own_domain(p, "xn--bcher-kva.example"));
    assert_false(policy_is_own_domain(p, "example.net"));
    assert_int_equal(ip_from_text(SLICE_LIT("203.0.113.255"), &ip), STATUS_OK);
    assert_true(policy_is_own_network(p, &ip));
    assert_false(policy_is_relay(p, &ip));
    assert_int_equal(ip_from_text(SLICE_LIT("192.0.2.10"), &ip), STATUS_OK);
    assert_true(policy_is_relay(p, &ip));
    assert_false(policy_is_own_network(p, &ip));
    assert_int_equal(ip_from_text(SLICE_LIT("127.0.0.1"), &ip), STATUS_OK); /* loopback is never implicitly trusted */
    assert_false(policy_is_own_network(p, &ip));
    assert_true(policy_is_submission(p, 587, false));
    assert_true(policy_is_submission(p, 25, true));
    assert_false(policy_is_submission(p, 25, false));
    policy_unref(p);
}

static void test_beaten(void **state)
{
    struct policy *p = policy_of("record dmarc of everyone\nrequire dmarc of a.example\nfollow dmarc of a.example\n"
                                 "require dmarc of everyone writing to b.example\nexempt a.example from dmarc" WAS);
    struct policy_answer a = policy_answer_of(
        p, (struct policy_question){.standard = STANDARD_DMARC, .who = "a.example", .rcpt = "x@b.example"});
    enum policy_beaten_by why[6] = {0};
    assert_int_equal(line_of(a.statement), 4);
    assert_int_equal(a.beaten_count, 4);
    for (size_t i = 0; i < a.beaten_count; i++)
        why[a.beaten[i].statement->line] = a.beaten[i].why;
    assert_int_equal(why[1], POLICY_BEATEN_WHOM);
    assert_int_equal(why[2], POLICY_BEATEN_WHOM);
    assert_int_equal(why[3], POLICY_BEATEN_WHOM);
    assert_int_equal(why[5], POLICY_BEATEN_EXPIRED);
    a = policy_answer_of(p, (struct policy_question){.standard = STANDARD_DMARC, .who = "a.example"});
    assert_int_equal(line_of(a.statement), 3);
    for (size_t i = 0; i < a.beaten_count; i++)
        why[a.beaten[i].statement->line] = a.beaten[i].why;
    assert_int_equal(why[1], POLICY_BEATEN_WHO);
    assert_int_equal(why[2], POLICY_BEATEN_LATER);
    policy_unref(p);
}

static int fix_clock(void **state)
{
    setenv("TZ", "Europe/Amsterdam", 1);
    tzset();
    clock_set_wall(NOW);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_via_and_signed),
        cmocka_unit_test(test_last_second),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_mail_rules_do_not_reach_names),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_own_from),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_house),
        cmocka_unit_test(test_beaten),
    };
    return cmocka_run_group_tests(tests, fix_clock, NULL);
}
