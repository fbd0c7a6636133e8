// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_verdict_customer.c - a customer's file in the verdict: of what the operator and the customer ask, the more
 * severe action counts, for each outcome by itself.
 */
#include "base/arena.h"
#include "tests/unit/policy_folder.h"
#include "tests/unit/verdict_case.h"

struct customer_case {
    const char *what, *operator, * customer, *rcpt;
    struct facts f;
    enum policy_action action;
    bool customers; /* the customer's line decides */
};

#define SUPPLIER EXEMPT("dmarc")

static const struct customer_case cases[] = {
    {"no DMARC record: the customer's quarantine, where the floor follows",
     "follow dmarc of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, NO_RECORD},
     POLICY_QUARANTINE,
     true},
    {"the same mail for somebody else",
     "follow dmarc of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@d.example",
     {SENDER, NO_RECORD},
     POLICY_DELIVER,
     false},
    {"p=none",
     "follow dmarc of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, FAILS(FACTS_P_NONE)},
     POLICY_QUARANTINE,
     true},
    {"p=reject and nothing else: quarantine by both",
     "follow dmarc of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_QUARANTINE,
     true},
    {"p=reject as published: the floor's reject is not softened",
     "follow dmarc as published of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     false},
    {"no record, under the floor as published",
     "follow dmarc as published of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, NO_RECORD},
     POLICY_QUARANTINE,
     true},
    {"it passes",
     "follow dmarc of everyone\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, PASSES},
     POLICY_DELIVER,
     false},
    {"spf: the floor rejects -all, the customer tags all else",
     "follow spf of everyone otherwise reject\n",
     "require spf of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, NO_RECORD, SPF(RESULT_SOFTFAIL)},
     POLICY_QUARANTINE,
     true},
    {"spf: -all",
     "follow spf of everyone otherwise reject\n",
     "require spf of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, NO_RECORD, SPF(RESULT_FAIL)},
     POLICY_REJECT,
     false},
    {"in earnest, what the operator has on trial",
     "trial require dmarc of everyone otherwise reject\n",
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, NO_RECORD},
     POLICY_QUARANTINE,
     true},
    {"the operator's exemption does not bind the customer",
     "require dmarc of everyone\n" SUPPLIER,
     "require dmarc of everyone otherwise quarantine\n",
     "x@c.example",
     {SENDER, NO_RECORD},
     POLICY_QUARANTINE,
     true},
    {"nor the customer's rule anybody else",
     "require dmarc of everyone\n" SUPPLIER,
     "require dmarc of everyone otherwise quarantine\n",
     "x@d.example",
     {SENDER, NO_RECORD},
     POLICY_DELIVER,
     false},
};

static void customer_one(const struct customer_case *c)
{
    char text[1024];
    struct arena *a = arena_new(1 << 20);
    struct verdict v;
    snprintf(text, sizeof text, "%sinclude \"c.example.policy\" may tighten\n" ENFORCE, c->operator);
    put("policy", text);
    put("c.example.policy", c->customer);
    const struct policy *p = policy_load(in("policy"), NULL);
    if (!p)
        fail_msg("%s: does not load", c->what);
    assert_int_equal(verdict_decide(a, &c->f, p, c->rcpt, NOW, NULL, &v), STATUS_OK);
    const struct verdict_line *l = verdict_deciding(&v);
    bool customers = l && l->statement && l->statement->tightens;
    if (v.action != c->action || customers != c->customers)
        fail_msg("%s: %s, by the %s", c->what, policy_action_name(v.action), customers ? "customer" : "operator");
    size_t dmarc = 0;
    for (size_t i = 0; i < v.line_count; i++)
        dmarc += v.lines[i].standard == STANDARD_DMARC;
    assert_int_equal(dmarc, 1); /* one line a subject, whoever decides */
    policy_unref(p);
    arena_free(a);
}

static void customer_table(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        customer_one(&cases[i]);
}

/* An exemption is used where it excused something, and only there. */
static void exemption_is_used_where_it_excused(void **state)
{
    static const struct {
        const char *policy;
        struct facts f;
        bool used;
    } rows[] = {
        {"require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, NO_RECORD}, true},
        {"require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, PASSES}, false},
        {"follow dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, NO_RECORD}, false},
        {"follow dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, FAILS(FACTS_P_NONE)}, false},
        {"follow dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, FAILS(FACTS_P_REJECT)}, true},
        {"trial require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, NO_RECORD}, true},
        {"require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, UNSURE(FACTS_P_NONE, false)}, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new(1 << 20);
        const struct policy *p = read_policy(rows[i].policy);
        struct verdict v;
        bool used = false;
        assert_int_equal(verdict_decide(a, &rows[i].f, p, NULL, NOW, NULL, &v), STATUS_OK);
        assert_int_equal(v.action, POLICY_DELIVER);
        for (size_t k = 0; k < v.line_count; k++)
            used = used || v.lines[k].exemption;
        if (used != rows[i].used)
            fail_msg("row %zu: the exemption is %sused", i, used ? "" : "not ");
        policy_unref(p);
        arena_free(a);
    }
}

static int group_begin(void **state)
{
    return folder_make();
}

static int group_end(void **state)
{
    return folder_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(customer_table),
                                       cmocka_unit_test(exemption_is_used_where_it_excused)};
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
