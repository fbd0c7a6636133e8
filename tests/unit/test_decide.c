// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_decide.c - the resolver's decision, by tables: policy lines, an answer's record sets, and what must come of it.
 * The words of the expectations are those of assay-policy(5), RFC 5155 9.2 (opt-out), RFC 6672 3.1 (DNAME), RFC 7646
 * (suspension).
 */
#include "tests/unit/cm.h"
#include "resolver-module/decide.h"
#include <stdio.h>

#define POLICY_HEAD "set mode enforce\nfollow dnssec of every name\n"

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, DNAME = 39, RRSIG = 46, NSEC = 47, NSEC3 = 50 };
#define SEC DECIDE_SECURE
#define INS DECIDE_INSECURE
#define BOG DECIDE_BOGUS
#define IND DECIDE_INDETERMINATE
#define UNC DECIDE_UNCHECKED

struct want {
    const char *what;
    const char *policy; /* lines after POLICY_HEAD */
    const char *name;
    unsigned rcode;
    enum decide_security security;
    struct decide_rrset rrsets[6];
    enum decide_what does;
    enum decide_state state;
    const char *subject;
};

#define REQUIRE "require dnssec of names in bank.example\n"
#define SOA_OF(zone, s) {zone, NULL, SOA, s, true, false, false}
#define NSEC_OF(zone, s) {zone, NULL, NSEC, s, true, false, false}
#define LOCAL_A(name) {name, NULL, A, INS, false, false, true}
#define SUSPEND "suspend validation below bank.example because \"b\" agreed by \"a\" through 2026-11-22\n"
#define OPT_OUT_OF(zone, s) {zone, NULL, NSEC3, s, true, true, false}

static const struct want wants[] = {
    {"signed", REQUIRE, "www.bank.example", 0, SEC, {{0}}, DECIDE_PASS, DECIDE_STATE_SECURE, "www.bank.example"},
    {"unsigned, required",
     REQUIRE,
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"unsigned, the name itself",
     REQUIRE,
     "bank.example",
     0,
     INS,
     {{"bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "bank.example"},
    {"unsigned, not asked for",
     REQUIRE,
     "www.shop.example",
     0,
     INS,
     {{"www.shop.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "www.shop.example"},
    {"a name that only ends alike",
     REQUIRE,
     "www.notbank.example",
     0,
     INS,
     {{"www.notbank.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "www.notbank.example"},
    {"unchecked counts as unsigned",
     REQUIRE,
     "www.bank.example",
     0,
     UNC,
     {{"www.bank.example", NULL, A, UNC, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"no trust anchor",
     REQUIRE,
     "www.bank.example",
     0,
     IND,
     {{"www.bank.example", NULL, A, IND, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INDETERMINATE,
     "www.bank.example"},
    {"signed alias to elsewhere",
     REQUIRE,
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", "cdn.example", CNAME, SEC, false, false, false},
      {"cdn.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "cdn.example"},
    {"signed alias to elsewhere, strictly",
     "require dnssec of names in bank.example strictly\n",
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", "cdn.example", CNAME, SEC, false, false, false},
      {"cdn.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "cdn.example"},
    {"free alias into the required zone",
     REQUIRE,
     "shop.example",
     0,
     INS,
     {{"shop.example", "www.bank.example", CNAME, INS, false, false, false},
      {"www.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"free alias into the required zone, signed there",
     REQUIRE,
     "shop.example",
     0,
     INS,
     {{"shop.example", "www.bank.example", CNAME, INS, false, false, false},
      {"www.bank.example", NULL, A, SEC, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "shop.example"},
    {"the first unsigned owner is named",
     REQUIRE "require dnssec of names in shop.example\n",
     "shop.example",
     0,
     INS,
     {{"shop.example", "www.bank.example", CNAME, INS, false, false, false},
      {"www.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "shop.example"},
    {"CNAME made of a signed DNAME",
     REQUIRE,
     "a.old.bank.example",
     0,
     INS,
     {{"old.bank.example", "new.example", DNAME, SEC, false, false, false},
      {"a.old.bank.example", "a.new.example", CNAME, UNC, false, false, false},
      {"a.new.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "a.new.example"},
    {"CNAME made of an unsigned DNAME",
     REQUIRE,
     "a.old.bank.example",
     0,
     INS,
     {{"old.bank.example", "new.example", DNAME, INS, false, false, false},
      {"a.old.bank.example", "a.new.example", CNAME, UNC, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "old.bank.example"},
    {"a DNAME elsewhere says nothing of the next CNAME",
     REQUIRE,
     "x.bank.example",
     0,
     INS,
     {{"old.example", "new.example", DNAME, SEC, false, false, false},
      {"x.bank.example", "y.example", CNAME, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "x.bank.example"},
    {"NXDOMAIN, unsigned",
     REQUIRE,
     "no.bank.example",
     3,
     INS,
     {SOA_OF("bank.example", INS)},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "no.bank.example"},
    {"NODATA, nothing in it",
     REQUIRE,
     "no.bank.example",
     0,
     INS,
     {{0}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "no.bank.example"},
    {"NXDOMAIN by opt-out",
     REQUIRE,
     "no.bank.example",
     3,
     INS,
     {SOA_OF("bank.example", SEC), OPT_OUT_OF("h.bank.example", SEC)},
     DECIDE_PASS,
     DECIDE_STATE_OPT_OUT,
     "no.bank.example"},
    {"opt-out that is not signed itself",
     REQUIRE,
     "no.bank.example",
     3,
     INS,
     {SOA_OF("bank.example", SEC), OPT_OUT_OF("h.bank.example", INS)},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "no.bank.example"},
    {"signed, no opt-out, and yet no proof",
     REQUIRE,
     "no.bank.example",
     3,
     INS,
     {SOA_OF("bank.example", SEC), NSEC_OF("bank.example", SEC)},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "no.bank.example"},
    {"denied at the end of a chain that leaves",
     REQUIRE,
     "www.bank.example",
     3,
     INS,
     {{"www.bank.example", "no.example", CNAME, SEC, false, false, false}, SOA_OF("example", INS)},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "no.example"},
    {"denied at the end of a chain that comes in",
     REQUIRE,
     "shop.example",
     3,
     INS,
     {{"shop.example", "no.bank.example", CNAME, INS, false, false, false}, SOA_OF("bank.example", INS)},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "no.bank.example"},
    {"wildcard whose right to speak is proved by opt-out",
     REQUIRE,
     "x.bank.example",
     0,
     INS,
     {{"x.bank.example", NULL, A, SEC, false, false, false}, OPT_OUT_OF("h.bank.example", SEC)},
     DECIDE_PASS,
     DECIDE_STATE_OPT_OUT,
     "x.bank.example"},
    {"bogus is the validator's to refuse",
     REQUIRE,
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", NULL, A, BOG, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_BOGUS,
     "www.bank.example"},
    {"SERVFAIL says nothing of signatures",
     REQUIRE,
     "www.bank.example",
     2,
     UNC,
     {{0}},
     DECIDE_PASS,
     DECIDE_STATE_FAILED,
     "www.bank.example"},
    {"REFUSED neither",
     REQUIRE,
     "www.bank.example",
     5,
     IND,
     {{0}},
     DECIDE_PASS,
     DECIDE_STATE_FAILED,
     "www.bank.example"},
    {"more specific: record",
     REQUIRE "record dnssec of names in lab.bank.example\n",
     "x.lab.bank.example",
     0,
     INS,
     {{"x.lab.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_INSECURE,
     "x.lab.bank.example"},
    {"every name",
     "require dnssec of every name\n",
     "x.y",
     0,
     INS,
     {{"x.y", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "x.y"},
    {"every name, the root",
     "require dnssec of every name\n",
     "",
     0,
     INS,
     {{"", NULL, NS, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     ""},
    {"odd octets left of the required name",
     REQUIRE,
     "a\\000b.bank.example",
     0,
     INS,
     {{"a\\000b.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "a\\000b.bank.example"},
    {"excused",
     REQUIRE "exempt bank.example from dnssec because \"b\" agreed by \"a\" through 2027-03-31\n",
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_EXEMPT,
     "www.bank.example"},
    {"excuse ended",
     REQUIRE "exempt bank.example from dnssec because \"b\" agreed by \"a\" through 2026-03-31\n",
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"suspended",
     REQUIRE "suspend validation below bank.example because \"b\" agreed by \"a\" through 2026-11-22\n",
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", NULL, A, BOG, false, false, false}},
     DECIDE_PASS_BOGUS,
     DECIDE_STATE_SUSPENDED,
     "www.bank.example"},
    {"suspended elsewhere does not help a broken alias",
     "suspend validation below shop.example because \"b\" agreed by \"a\" through 2026-11-22\n",
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", "shop.example", CNAME, BOG, false, false, false},
      {"shop.example", NULL, A, UNC, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_BOGUS,
     "www.bank.example"},
    {"suspended at the end of a sound chain",
     "suspend validation below shop.example because \"b\" agreed by \"a\" through 2026-11-22\n",
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", "shop.example", CNAME, SEC, false, false, false},
      {"shop.example", NULL, A, BOG, false, false, false}},
     DECIDE_PASS_BOGUS,
     DECIDE_STATE_SUSPENDED,
     "shop.example"},
    {"a suspended alias: what it leads to was not validated, and is asked for by itself",
     SUSPEND,
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", "shop.example", CNAME, BOG, false, false, false},
      {"shop.example", NULL, A, UNC, false, false, false}},
     DECIDE_FOLLOW,
     DECIDE_STATE_SUSPENDED,
     "www.bank.example"},
    {"a suspended DNAME likewise",
     SUSPEND,
     "www.d.bank.example",
     0,
     BOG,
     {{"d.bank.example", "shop.example", DNAME, BOG, false, false, false},
      {"www.d.bank.example", "www.shop.example", CNAME, UNC, false, false, false},
      {"www.shop.example", NULL, A, UNC, false, false, false}},
     DECIDE_FOLLOW,
     DECIDE_STATE_SUSPENDED,
     "www.d.bank.example"},
    {"two suspended aliases: one at a time",
     SUSPEND,
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", "w2.bank.example", CNAME, BOG, false, false, false},
      {"w2.bank.example", "shop.example", CNAME, UNC, false, false, false},
      {"shop.example", NULL, A, UNC, false, false, false}},
     DECIDE_FOLLOW,
     DECIDE_STATE_SUSPENDED,
     "www.bank.example"},
    {"suspended, and unsigned where required: refused",
     REQUIRE SUSPEND,
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", NULL, A, INS, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"suspended, and bogus where required: passes",
     REQUIRE SUSPEND,
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", NULL, A, BOG, false, false, false}},
     DECIDE_PASS_BOGUS,
     DECIDE_STATE_SUSPENDED,
     "www.bank.example"},
    {"always required is not loosened by a suspension",
     "always " REQUIRE SUSPEND,
     "www.bank.example",
     0,
     BOG,
     {{"www.bank.example", NULL, A, BOG, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_BOGUS,
     "www.bank.example"},
    {"a suspended name that its parent denies: the parent's record sets are not excused",
     SUSPEND,
     "www.bank.example",
     3,
     BOG,
     {SOA_OF("example", UNC), NSEC_OF("example", BOG)},
     DECIDE_PASS,
     DECIDE_STATE_BOGUS,
     "www.bank.example"},
    {"a suspended name that its own zone denies",
     SUSPEND,
     "www.bank.example",
     3,
     BOG,
     {SOA_OF("bank.example", BOG), NSEC_OF("a.bank.example", UNC)},
     DECIDE_PASS_BOGUS,
     DECIDE_STATE_SUSPENDED,
     "www.bank.example"},
    {"a suspended zone whose proof is missing",
     SUSPEND,
     "www.bank.example",
     3,
     BOG,
     {SOA_OF("bank.example", SEC)},
     DECIDE_PASS_BOGUS,
     DECIDE_STATE_SUSPENDED,
     "www.bank.example"},
    {"an unsigned, required alias before a suspended one",
     "require dnssec of names in shop.example\n" SUSPEND,
     "shop.example",
     0,
     BOG,
     {{"shop.example", "www.bank.example", CNAME, INS, false, false, false},
      {"www.bank.example", NULL, A, BOG, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "shop.example"},
    {"rewritten: only what was changed is excused",
     REQUIRE,
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", "shop.example", CNAME, INS, false, false, false}, LOCAL_A("shop.example")},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"rewritten at a required name",
     REQUIRE,
     "www.bank.example",
     0,
     INS,
     {LOCAL_A("www.bank.example")},
     DECIDE_PASS,
     DECIDE_STATE_REWRITTEN,
     "www.bank.example"},
    {"rewritten behind a signed alias",
     REQUIRE,
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", "shop.example", CNAME, SEC, false, false, false}, LOCAL_A("shop.example")},
     DECIDE_PASS,
     DECIDE_STATE_REWRITTEN,
     "shop.example"},
    {"the target of a strict chain is exempt",
     "require dnssec of names in bank.example strictly\nexempt shop.example from dnssec because \"b\" agreed by \"a\" "
     "through 2027-03-31\n",
     "www.bank.example",
     0,
     INS,
     {{"www.bank.example", "shop.example", CNAME, SEC, false, false, false},
      {"shop.example", NULL, A, INS, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_EXEMPT,
     "shop.example"},
    {"an alias into a loop, required",
     REQUIRE,
     "www.bank.example",
     2,
     UNC,
     {{"www.bank.example", "loop.example", CNAME, UNC, false, false, false},
      {"loop.example", "loop.example", CNAME, UNC, false, false, false}},
     DECIDE_REFUSE,
     DECIDE_STATE_INSECURE,
     "www.bank.example"},
    {"a failure of a free name",
     REQUIRE,
     "shop.example",
     2,
     UNC,
     {{"shop.example", "loop.example", CNAME, UNC, false, false, false}},
     DECIDE_PASS,
     DECIDE_STATE_FAILED,
     "shop.example"},
};

#define NOON_2026_11_20 1795176000 /* 2026-11-20T12:00:00Z */

static const struct policy *policy_of(const char *lines)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", POLICY_HEAD, lines);
    struct policy_report *report = policy_report_new();
    const struct policy *p = policy_load_text(slice_str(text), "test", report);
    for (size_t i = 0; !p && policy_report_at(report, i); i++)
        print_error("%s\n", policy_report_at(report, i)->text);
    assert_non_null(p);
    policy_report_free(report);
    return p;
}

static void want_run(const struct want *w, const struct policy *p, bool paused, struct decide_result *r)
{
    struct decide_input in = {.name = w->name,
                              .type = A,
                              .class = 1,
                              .rcode = w->rcode,
                              .security = w->security,
                              .rrsets = w->rrsets,
                              .at = NOON_2026_11_20,
                              .paused = paused};
    while (in.count < 6 && w->rrsets[in.count].owner)
        in.count++;
    decide(p, &in, r);
}

static void decide_table(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        const struct want *w = &wants[i];
        struct decide_result r, again;
        const struct policy *p = policy_of(w->policy);
        want_run(w, p, false, &r);
        want_run(w, p, false, &again);
        if (r.what != w->does || r.state != w->state || strcmp(r.subject, w->subject) != 0 || r.would) {
            print_error("%s: does %d, %s of %s; wanted %d, %s of %s\n", w->what, r.what, decide_state_name(r.state),
                        r.subject, w->does, decide_state_name(w->state), w->subject);
            wrong++;
        }
        assert_memory_equal(r.text, again.text, sizeof r.text);
        assert_int_equal(r.what == DECIDE_REFUSE, r.text[0] != '\0');
        policy_unref(p);
    }
    assert_int_equal(wrong, 0);
}

static void words_of_a_refusal(void **state)
{
    (void)state;
    struct decide_result r;
    const struct policy *p = policy_of("require dnssec of names in bank.example because \"the contract\"\n");
    want_run(&wants[1], p, false, &r);
    assert_non_null(strstr(r.text, "L3"));
    assert_non_null(strstr(r.text, "require dnssec of names in bank.example"));
    assert_non_null(strstr(r.text, "www.bank.example is not signed"));
    assert_non_null(strstr(r.text, "the contract"));
    assert_null(strstr(strstr(r.text, "the contract") + 1, "the contract")); /* once */
    policy_unref(p);
}

static void long_texts_are_cut_at_a_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"\xc3\xa4", "\xe5\xa5\x91", "\xf0\x9f\x94\x91"}; /* 2, 3 and 4 octets */
    for (size_t c = 0; c < 3; c++)
        for (int shift = 0; shift < 4; shift++) { /* so that the cut falls on each octet of a character */
            size_t each = strlen(characters[c]);
            char line[1200] = "require dnssec of names in bank.example because \"";
            snprintf(line + strlen(line), sizeof line - strlen(line), "%.*s", shift, "abcd");
            for (size_t i = 0; i < 440 / each; i++)
                snprintf(line + strlen(line), sizeof line - strlen(line), "%s", characters[c]);
            snprintf(line + strlen(line), sizeof line - strlen(line), "\"\n");
            struct decide_result r;
            const struct policy *p = policy_of(line);
            want_run(&wants[1], p, false, &r);
            const char *reason = strstr(r.text, "because \"");
            assert_non_null(reason);
            reason += strlen("because \"") + (size_t)shift;
            assert_true(strlen(r.text) < DECIDE_TEXT && strlen(r.text) >= DECIDE_TEXT - each);
            assert_int_equal(strlen(reason) % each, 0);
            assert_true(strlen(reason) > 60);
            assert_true(strncmp(r.text, "policy L3", 9) == 0);
            policy_unref(p);
        }
}

/* A suspended alias, its target asked for by itself: what comes of the two together. */
static void followed(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum decide_security target;
        enum decide_what does;
        enum decide_state is;
    } wants_of[] = {
        {SUSPEND, SEC, DECIDE_PASS_BOGUS, DECIDE_STATE_SUSPENDED},
        {SUSPEND, INS, DECIDE_PASS_BOGUS, DECIDE_STATE_SUSPENDED},
        {SUSPEND, BOG, DECIDE_PASS, DECIDE_STATE_BOGUS},
        {SUSPEND, UNC, DECIDE_PASS, DECIDE_STATE_BOGUS},
        {SUSPEND "require dnssec of names in shop.example\n", INS, DECIDE_REFUSE, DECIDE_STATE_INSECURE},
        {SUSPEND "require dnssec of names in shop.example\n", SEC, DECIDE_PASS_BOGUS, DECIDE_STATE_SUSPENDED},
        {SUSPEND "require dnssec of names in bank.example strictly\n", INS, DECIDE_REFUSE, DECIDE_STATE_INSECURE},
        {SUSPEND "suspend validation below shop.example because \"b\" agreed by \"a\" through 2026-11-22\n", BOG,
         DECIDE_PASS_BOGUS, DECIDE_STATE_SUSPENDED},
    };
    for (size_t i = 0; i < sizeof wants_of / sizeof wants_of[0]; i++) {
        const struct decide_rrset sets[] = {{"www.bank.example", "shop.example", CNAME, BOG, false, false, false},
                                            {"shop.example", NULL, A, wants_of[i].target, false, false, false}};
        struct decide_input in = {.name = "www.bank.example",
                                  .type = A,
                                  .class = 1,
                                  .security = BOG,
                                  .rrsets = sets,
                                  .count = 2,
                                  .at = NOON_2026_11_20,
                                  .followed = true};
        struct decide_result r;
        const struct policy *p = policy_of(wants_of[i].policy);
        decide(p, &in, &r);
        if (r.what != wants_of[i].does || r.state != wants_of[i].is)
            print_error("followed %zu: does %d, %s\n", i, r.what, decide_state_name(r.state));
        assert_int_equal(r.what, wants_of[i].does);
        assert_int_equal(r.state, wants_of[i].is);
        policy_unref(p);
    }
}

/* In dry-run a required name would have been refused, and a suspension acts all the same. */
static void a_suspension_acts_in_dry_run(void **state)
{
    (void)state;
    struct policy_report *report = policy_report_new();
    const struct policy *p =
        policy_load_text(slice_str("set mode dry-run\nalways require dnssec of names in bank.example\n"
                                   "require dnssec of names in shop.example\n" SUSPEND),
                         "test", report);
    assert_non_null(p);
    const struct decide_rrset sets[] = {{"shop.example", "www.bank.example", CNAME, INS, false, false, false},
                                        {"www.bank.example", NULL, A, BOG, false, false, false}};
    struct decide_input in = {.name = "shop.example",
                              .type = A,
                              .class = 1,
                              .security = BOG,
                              .rrsets = sets,
                              .count = 2,
                              .at = NOON_2026_11_20};
    struct decide_result r;
    decide(p, &in, &r);
    assert_int_equal(r.what, DECIDE_PASS_BOGUS);
    assert_true(r.would);
    assert_string_equal(r.subject, "shop.example");
    policy_unref(p);
    policy_report_free(report);
}

/* The resolver's own look-ups, and clients that validate for themselves, are refused nothing; others get none of it. */
static void the_asker_counts(void **state)
{
    (void)state;
    const struct policy *p = policy_of(REQUIRE);
    const struct decide_rrset sets[] = {{"www.bank.example", NULL, A, INS, false, false, false}};
    for (int own = 0; own < 2; own++) {
        struct decide_input in = {.name = "www.bank.example",
                                  .type = A,
                                  .class = 1,
                                  .security = INS,
                                  .rrsets = sets,
                                  .count = 1,
                                  .at = NOON_2026_11_20,
                                  .own = own,
                                  .client_judges = !own};
        struct decide_result r;
        decide(p, &in, &r);
        assert_int_equal(r.what, DECIDE_PASS);
        assert_true(r.withhold);
        assert_int_equal(r.record, !own);
    }
    struct decide_input in = {.at = NOON_2026_11_20};
    assert_false(decide_beside(p, &in, "ns.bank.example", INS));
    assert_false(decide_beside(p, &in, "ns.bank.example", UNC));
    assert_true(decide_beside(p, &in, "ns.bank.example", SEC));
    assert_true(decide_beside(p, &in, "ns.shop.example", INS));
    assert_false(decide_beside(p, &in, "ns.shop.example", BOG));
    policy_unref(p);
}

static void nothing_is_refused_when(void **state)
{
    (void)state;
    struct decide_result r;
    static const char *const policies[] = {"trial require dnssec of names in bank.example\n",
                                           "set mode dry-run\n" REQUIRE, REQUIRE};
    for (int i = 0; i < 3; i++) {
        char text[300];
        struct policy_report *report = policy_report_new();
        snprintf(text, sizeof text, "%s%s", i == 1 ? "" : "set mode enforce\n", policies[i]);
        const struct policy *p = policy_load_text(slice_str(text), "test", report);
        assert_non_null(p);
        want_run(&wants[1], p, i == 2, &r);
        assert_int_equal(r.what, DECIDE_PASS);
        assert_true(r.would);
        assert_non_null(strstr(r.text, "www.bank.example"));
        policy_unref(p);
        policy_report_free(report);
    }
}

static void exemption_of_a_signed_zone_is_not_needed(void **state)
{
    (void)state;
    struct decide_result r;
    const struct policy *p =
        policy_of(REQUIRE "exempt bank.example from dnssec because \"b\" agreed by \"a\" through 2027-03-31\n");
    want_run(&wants[0], p, false, &r);
    assert_true(r.unneeded);
    assert_non_null(r.excuse);
    policy_unref(p);
}

static void ignored_is_not_recorded(void **state)
{
    (void)state;
    struct decide_result r;
    const struct policy *p = policy_of("ignore dnssec of names in bank.example\n");
    want_run(&wants[1], p, false, &r);
    assert_int_equal(r.what, DECIDE_PASS);
    assert_false(r.record);
    policy_unref(p);
}

static void kept_part(void **state)
{
    (void)state;
    assert_string_equal(decide_kept("a.b.c"), "a.b.c");
    assert_string_equal(decide_kept("x\\000.b.c"), "b.c");
    assert_string_equal(decide_kept("b.x\\000.c"), "c");
    assert_null(decide_kept(""));
    assert_null(decide_kept("\\000"));
}

static void what_a_policy_can_do(void **state)
{
    (void)state;
    const struct policy *p = policy_of("record dnssec of names in a.example\nrequire dnssec of everyone\n");
    assert_false(decide_can_refuse(p)); /* the second is about mail */
    assert_false(policy_suspends(p));
    policy_unref(p);
    p = policy_of(REQUIRE);
    assert_true(decide_can_refuse(p));
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide_table),
        cmocka_unit_test(words_of_a_refusal),
        cmocka_unit_test(long_texts_are_cut_at_a_character),
        cmocka_unit_test(followed),
        cmocka_unit_test(a_suspension_acts_in_dry_run),
        cmocka_unit_test(the_asker_counts),
        cmocka_unit_test(nothing_is_refused_when),
        cmocka_unit_test(exemption_of_a_signed_zone_is_not_needed),
        cmocka_unit_test(ignored_is_not_recorded),
        cmocka_unit_test(kept_part),
        cmocka_unit_test(what_a_policy_can_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
