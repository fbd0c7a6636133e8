// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_tighten.c - `include ... may tighten`: a customer's file can only ask more, and only for its own
 * recipients.
 *
 * Each case is a line of the operator, a line of the customer, and whose line decides for a recipient of the customer;
 * for everybody else the operator's always does.
 */
#include "base/clock.h"
#include "tests/unit/policy_folder.h"
#include "policy/policy.h"

#define NOW 1795176000
#define WHY " because \"x\" agreed by \"y\" through 2027-03-31\n"

struct tighten_case {
    const char *name, *operator, * customer, *standard;
    bool customers; /* the customer's line decides */
    enum policy_level level;
    enum policy_action action;
};

static const struct tighten_case cases[] = {
    {"a higher level", "record dmarc of everyone\n", "require dmarc of everyone\n", "dmarc", true, POLICY_REQUIRE,
     POLICY_REJECT},
    {"a lower level", "require dmarc of everyone\n", "follow dmarc of everyone\n", "dmarc", false, POLICY_REQUIRE,
     POLICY_REJECT},
    {"record, where nothing is said", "", "record dmarc of everyone\n", "dmarc", false, POLICY_RECORD, POLICY_DELIVER},
    {"record, where it is ignored", "ignore dmarc of everyone\n", "record dmarc of everyone\n", "dmarc", true,
     POLICY_RECORD, POLICY_DELIVER},
    {"a harder action", "require spf of everyone otherwise tag\n", "require spf of everyone otherwise reject\n", "spf",
     true, POLICY_REQUIRE, POLICY_REJECT},
    {"a softer action", "require spf of everyone otherwise reject\n", "require spf of everyone otherwise tag\n", "spf",
     false, POLICY_REQUIRE, POLICY_REJECT},
    {"the same", "require spf of everyone otherwise hold\n", "require spf of everyone otherwise hold\n", "spf", false,
     POLICY_REQUIRE, POLICY_HOLD},
    {"a higher level with a softer action", "follow spf of everyone otherwise reject\n",
     "require spf of everyone otherwise tag\n", "spf", false, POLICY_FOLLOW, POLICY_REJECT},
    {"require, where the operator does what owners publish", "follow dmarc of everyone\n",
     "require dmarc of everyone\n", "dmarc", true, POLICY_REQUIRE, POLICY_REJECT},
    {"require, but softer than what an owner may publish", "follow dmarc of everyone\n",
     "require dmarc of everyone otherwise quarantine\n", "dmarc", false, POLICY_FOLLOW, POLICY_REJECT},
    {"a newer TLS", "require tls 1.2 of everyone\n", "require tls 1.3 of everyone\n", "tls", true, POLICY_REQUIRE,
     POLICY_REJECT},
    {"an older TLS with a harder action", "require tls 1.3 of everyone otherwise tag\n",
     "require tls 1.2 of everyone otherwise reject\n", "tls", false, POLICY_REQUIRE, POLICY_TAG},
    {"as published, to the letter", "follow dmarc of everyone\n", "follow dmarc as published of everyone\n", "dmarc",
     true, POLICY_FOLLOW, POLICY_REJECT},
    {"not to the letter any more", "follow dmarc as published of everyone\n", "follow dmarc of everyone\n", "dmarc",
     false, POLICY_FOLLOW, POLICY_REJECT},
    {"in earnest, what the operator has on trial", "trial require spf of everyone\n", "require spf of everyone\n",
     "spf", true, POLICY_REQUIRE, POLICY_REJECT},
    {"more than the operator's always", "always record spf of everyone\n", "require spf of everyone\n", "spf", true,
     POLICY_REQUIRE, POLICY_REJECT},
    {"less than the operator's always", "always require spf of everyone\n", "record spf of only a.example\n", "spf",
     false, POLICY_REQUIRE, POLICY_REJECT},
    {"more than is left after an exemption", "require dmarc of everyone\nexempt a.example from dmarc" WHY,
     "require dmarc of everyone\n", "dmarc", true, POLICY_REQUIRE, POLICY_REJECT},
    {"an exemption for these recipients holds for the customer's line too",
     "require dmarc of everyone\nexempt a.example from dmarc writing to c.example" WHY, "require dmarc of everyone\n",
     "dmarc", false, POLICY_RECORD, POLICY_DELIVER},
    {"another sender", "record dmarc of everyone\n", "require dmarc of b.example\n", "dmarc", false, POLICY_RECORD,
     POLICY_DELIVER},
    {"a part of the recipients", "record dmarc of everyone\n", "require dmarc of everyone writing to y@c.example\n",
     "dmarc", false, POLICY_RECORD, POLICY_DELIVER},
};

static struct policy_answer policy_answer_of(const struct policy *p, const char *standard, const char *rcpt)
{
    struct policy_question q = {
        .standard = standard_from_name(slice_str(standard)), .who = "a.example", .rcpt = rcpt, .at = NOW};
    struct policy_answer a;
    policy_ask(p, &q, &a);
    return a;
}

static void tighten_one(const struct tighten_case *c)
{
    char text[1024];
    snprintf(text, sizeof text, "%sinclude \"c.example.policy\" may tighten\n", c->operator);
    put("policy", text);
    put("c.example.policy", c->customer);
    struct policy *p = policy_load(in("policy"), NULL);
    if (!p)
        fail_msg("%s: does not load", c->name);
    struct policy_answer a = policy_answer_of(p, c->standard, "x@c.example"),
                         others = policy_answer_of(p, c->standard, "x@d.example");
    bool customers = a.statement && a.statement->tightens;
    if (customers != c->customers || a.level != c->level || a.action != c->action)
        fail_msg("%s: %s decides, %s otherwise %s", c->name, customers ? "the customer" : "the operator",
                 policy_level_name(a.level), policy_action_name(a.action));
    if (others.statement && others.statement->tightens)
        fail_msg("%s: others are judged by the customer's line", c->name);
    policy_unref(p);
}

static void test_table(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        tighten_one(&cases[i]);
}

/* Two customers: each line for its own, in one policy. */
static void test_two_customers(void **state)
{
    put("policy", "record dmarc of everyone\ninclude \"c.example.policy\" may tighten\n"
                  "include \"d.policy\" may tighten writing to d.example\n");
    put("c.example.policy", "require dmarc of everyone\n");
    put("d.policy", "require dmarc of everyone otherwise hold\n");
    struct policy *p = policy_load(in("policy"), NULL);
    assert_non_null(p);
    assert_int_equal(policy_answer_of(p, "dmarc", "x@c.example").action, POLICY_REJECT);
    assert_int_equal(policy_answer_of(p, "dmarc", "x@sub.d.example").action, POLICY_HOLD);
    assert_int_equal(policy_answer_of(p, "dmarc", "x@e.example").level, POLICY_RECORD);
    assert_int_equal(policy_answer_of(p, "dmarc", NULL).level, POLICY_RECORD);
    policy_unref(p);
}

static int group_begin(void **state)
{
    setenv("TZ", "UTC", 1);
    tzset();
    clock_set_wall(NOW);
    return folder_make();
}

static int group_end(void **state)
{
    return folder_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_two_customers)};
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
