// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_case.h - one line for each verdict: what it shows, a policy, facts, and what must be done, for test_verdict.c
 * and test_verdict_limits.c. expect_verdicts() asserts that each line of a table comes out as it says.
 */
#ifndef ASSAY_TESTS_UNIT_VERDICT_CASE_H
#define ASSAY_TESTS_UNIT_VERDICT_CASE_H

#include "base/arena.h"
#include "judge/verdict.h"
#include "tests/unit/cm.h"
#include <stdio.h>

/* Rows name what they are about; the rest is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Woverride-init"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define NOW 1790000000 /* 2026-09-21 */
#define HOURS(n) ((n) * 3600)
#define ENFORCE "set mode enforce\n"

struct kase {
    const char *what, *policy;
    struct facts f;
    enum policy_action action;
    enum standard by; /* STANDARD_COUNT: nothing is done */
    enum verdict_override override;
    const char *rcpt;
    enum policy_action would; /* POLICY_DELIVER: as action */
    const char *paused;
};

#define NOTHING POLICY_DELIVER, STANDARD_COUNT
#define CLIENT .client = {4, {192, 0, 2, 1}}
#define FROM(d) .from = (d), .authors[0].domain = (d), .author_count = 1
#define SENDER CLIENT, FROM("bank.example"), .mail_from = "bounce.example", .format = RESULT_PASS
#define FAILS(p)                                                                                                       \
    .authors[0].dmarc = {.result = RESULT_FAIL, .published = (p), .applied = (p), .reason = "nothing aligned"}
#define PASSES                                                                                                         \
    .authors[0].dmarc = {                                                                                              \
        .result = RESULT_PASS, .published = FACTS_P_REJECT, .applied = FACTS_P_REJECT, .reason = "aligned"}
#define FAILS_AS(p) {.result = RESULT_FAIL, .published = (p), .applied = (p), .reason = "nothing aligned"}
#define PASSES_AS {.result = RESULT_PASS, .published = FACTS_P_REJECT, .applied = FACTS_P_REJECT, .reason = "aligned"}
#define NO_RECORD_AS {.result = RESULT_NONE, .reason = "no record"}
#define SECOND(...) .author_count = 2, .authors[1] = {.domain = "victim.example", .dmarc = __VA_ARGS__}
#define OVER_LIMIT .over_limit = "the header section is larger than we read"
#define UNSEEN .unseen = "more authors than we look at"
#define LIMITED(p, l)                                                                                                  \
    .authors[0].dmarc = {.result = RESULT_TEMPERROR,                                                                   \
                         .published = (p),                                                                             \
                         .applied = (p),                                                                               \
                         .could_align = true,                                                                          \
                         .limit = (l),                                                                                 \
                         .reason = "used up"}
#define DANE_LIMITED                                                                                                   \
    .dane_count = 1,                                                                                                   \
    .dane[0] = {.domain = "bank.example", .posture = RESULT_TEMPERROR, .reason = "used up", .limit = LIMIT_OF_MOMENT}
#define NO_RECORD .authors[0].dmarc = {.result = RESULT_NONE, .reason = "no record"}
#define SPF(r) .spf = {.result = (r), .domain = "bounce.example", .reason = "spf says so"}

#define SIGNATURE(name, ...) static const struct facts_signature name[] __attribute__((unused)) = {{__VA_ARGS__}}
#define OF_BANK(r) .domain = "bank.example", .result = (r), .of_author = 1
SIGNATURE(broken_body, OF_BANK(RESULT_FAIL), .only_body_changed = true, .key_published = true);
SIGNATURE(expired_and_broken_body, OF_BANK(RESULT_FAIL), .key_published = true);
SIGNATURE(good_signature, OF_BANK(RESULT_PASS), .counts = true, .key_published = true);
SIGNATURE(unsure_signature, OF_BANK(RESULT_PASS), .counts = true, .unsure_of = 1, .key_published = true);
SIGNATURE(part_signed, OF_BANK(RESULT_PASS), .key_published = true);
SIGNATURE(strangers, .domain = "other.example", .result = RESULT_PASS, .counts = true, .key_published = true);
SIGNATURE(dead_key, OF_BANK(RESULT_TEMPERROR));
SIGNATURE(limited_key, OF_BANK(RESULT_TEMPERROR), .limit = LIMIT_OF_MOMENT);
static const struct facts_forwarder by_list[] __attribute__((unused)) = {{"lists.example", "its ARC seal"}};
static const char *const signed_by_list[] __attribute__((unused)) = {"lists.example"};

#define SIGNED(s) .signatures = (s), .signature_count = 1
#define LIST .forwarders = by_list, .forwarder_count = 1
#define TRUST "trust lists.example as forwarder because \"our list\" agreed by \"postmaster\" through 2026-12-31\n"
#define EXEMPT(what)                                                                                                   \
    "exempt bank.example from " what " because \"they move\" agreed by \"officer\" through 2026-12-31\n"
#define UNSURE(p, could)                                                                                               \
    .authors[0].dmarc = {                                                                                              \
        .result = RESULT_TEMPERROR, .published = (p), .applied = (p), .could_align = (could), .reason = "time-out"}

static const struct policy *read_policy(const char *text)
{
    struct policy_report *r = policy_report_new();
    const struct policy *p = policy_load_text(slice_str(text), "test", r);
    const struct policy_message *m;

    for (size_t i = 0; !p && (m = policy_report_at(r, i)) != NULL; i++)
        print_error("%u:%u: %s\n", m->line, m->column, m->text);
    policy_report_free(r);
    return p;
}

static bool is_verdict(const struct kase *k)
{
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = read_policy(k->policy);
    struct verdict v;
    const struct verdict_line *l;
    enum policy_action would = k->would ? k->would : k->action;
    bool ok;

    assert_non_null(p);
    assert_int_equal(verdict_decide(a, &k->f, p, k->rcpt, NOW, k->paused, &v), STATUS_OK);
    l = verdict_deciding(&v);
    ok = v.action == k->action && v.would == would && (l ? l->standard : STANDARD_COUNT) == k->by &&
         v.dmarc_override == k->override && (v.held_back != NULL) == (v.would > v.action);
    if (!ok)
        print_error("%s: %s by %s, would %s, override %s, held back: %s\n", k->what, policy_action_name(v.action),
                    l ? standard_name(l->standard) : "-", policy_action_name(v.would),
                    v.dmarc_override ? verdict_override_name(v.dmarc_override) : "-", v.held_back ? v.held_back : "-");
    for (size_t i = 0; i < v.line_count; i++) {
        ok = ok && v.lines[i].reason;
        ok = ok && (i == 0 || v.lines[i - 1].trial || v.lines[i].trial || v.lines[i - 1].action >= v.lines[i].action);
    }
    policy_unref(p);
    arena_free(a);
    return ok;
}

/* All rows; the test fails if one of them does. */
static void __attribute__((unused)) expect_verdicts(const struct kase *cases, size_t n)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < n; i++)
        wrong += !is_verdict(&cases[i]);
    print_message("%zu cases\n", n);
    assert_int_equal(wrong, 0);
}

#endif
