// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_verdict.c - the table of standards in assay-policy(5), row by row: what follow and require act on, the default
 * actions, what a rejection by DMARC stands on (RFC 9989 7.4), exemptions, trust, trial, dry-run, temporary failures,
 * the order of actions.
 */
#include "judge/verdict.h"
#include "base/arena.h"
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

static const struct facts_signature broken_body[] = {{"bank.example", RESULT_FAIL, false, true, true}};
static const struct facts_signature good_signature[] = {{"bank.example", RESULT_PASS, true, true, true}};
static const struct facts_signature part_signed[] = {{"bank.example", RESULT_PASS, false, true, true}};
static const struct facts_signature strangers[] = {{"other.example", RESULT_PASS, true, false, true}};
static const struct facts_signature dead_key[] = {{"bank.example", RESULT_TEMPERROR, false, true, false}};
static const struct facts_signature limited_key[] = {
    {"bank.example", RESULT_TEMPERROR, false, 1, false, false, LIMIT_OF_MOMENT}};
static const struct facts_forwarder by_list[] = {{"lists.example", "its ARC seal"}};
static const char *const signed_by_list[] = {"lists.example"};

#define SIGNED(s) .signatures = (s), .signature_count = 1
#define LIST .forwarders = by_list, .forwarder_count = 1
#define TRUST "trust lists.example as forwarder because \"our list\" agreed by \"postmaster\" through 2026-12-31\n"
#define EXEMPT(what)                                                                                                   \
    "exempt bank.example from " what " because \"they move\" agreed by \"officer\" through 2026-12-31\n"
#define UNSURE(p, could)                                                                                               \
    .authors[0].dmarc = {                                                                                              \
        .result = RESULT_TEMPERROR, .published = (p), .applied = (p), .could_align = (could), .reason = "time-out"}

static const struct kase cases[] = {
    /* spf */
    {"no statement: recorded", ENFORCE, {SENDER, SPF(RESULT_FAIL), NO_RECORD}, NOTHING},
    {"follow spf: fail is tagged",
     "follow spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_FAIL), NO_RECORD},
     POLICY_TAG,
     STANDARD_SPF},
    {"follow spf: softfail is nothing",
     "follow spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_SOFTFAIL), NO_RECORD},
     NOTHING},
    {"follow spf: fail is nothing when DMARC passed",
     "follow spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_FAIL), PASSES},
     NOTHING},
    {"follow spf otherwise reject",
     "follow spf of everyone otherwise reject\n" ENFORCE,
     {SENDER, SPF(RESULT_FAIL), NO_RECORD},
     POLICY_REJECT,
     STANDARD_SPF},
    {"require spf: none is rejected",
     "require spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), NO_RECORD},
     POLICY_REJECT,
     STANDARD_SPF},
    {"require spf: permerror is rejected",
     "require spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_PERMERROR), NO_RECORD},
     POLICY_REJECT,
     STANDARD_SPF},
    {"require spf: pass", "require spf of everyone\n" ENFORCE, {SENDER, SPF(RESULT_PASS), NO_RECORD}, NOTHING},
    {"require spf: nothing when DMARC passed",
     "require spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_FAIL), PASSES},
     NOTHING},
    {"require spf: temperror waits",
     "require spf of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_TEMPERROR), NO_RECORD},
     POLICY_DEFER,
     STANDARD_SPF},
    {"require spf: WHO is the MAIL FROM domain",
     "require spf of bank.example\n" ENFORCE,
     {SENDER, SPF(RESULT_FAIL), NO_RECORD},
     NOTHING},
    {"require spf: of the null sender it is HELO",
     "require spf of mx.example\n" ENFORCE,
     {CLIENT, FROM("bank.example"), .helo = "mx.example", .null_sender = true, SPF(RESULT_NONE), NO_RECORD},
     POLICY_REJECT,
     STANDARD_SPF},
    {"require spf: the client behind the relay is not known",
     "require spf of everyone\n" ENFORCE,
     {.source = JUDGE_RELAY, .client_hidden = true, .mail_from = "bounce.example", SPF(RESULT_NONE), NO_RECORD},
     NOTHING},
    /* dkim */
    {"follow dkim publishes no wish", "record dkim of everyone\n" ENFORCE, {SENDER, NO_RECORD}, NOTHING},
    {"require dkim: none", "require dkim of everyone\n" ENFORCE, {SENDER, NO_RECORD}, POLICY_REJECT, STANDARD_DKIM},
    {"require dkim: a stranger's",
     "require dkim of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, SIGNED(strangers)},
     POLICY_REJECT,
     STANDARD_DKIM},
    {"require dkim: of the organisation",
     "require dkim of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, SIGNED(good_signature)},
     NOTHING},
    {"require dkim: part of the body unsigned",
     "require dkim of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, SIGNED(part_signed)},
     POLICY_REJECT,
     STANDARD_DKIM},
    {"require dkim: its key cannot be had now",
     "require dkim of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, SIGNED(dead_key)},
     POLICY_DEFER,
     STANDARD_DKIM},
    /* dmarc, follow */
    {"follow dmarc: pass", "follow dmarc of everyone\n" ENFORCE, {SENDER, PASSES}, NOTHING},
    {"follow dmarc: no record", "follow dmarc of everyone\n" ENFORCE, {SENDER, NO_RECORD}, NOTHING},
    {"follow dmarc: p=none", "follow dmarc of everyone\n" ENFORCE, {SENDER, FAILS(FACTS_P_NONE)}, NOTHING},
    {"follow dmarc: p=quarantine",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_QUARANTINE)},
     POLICY_QUARANTINE,
     STANDARD_DMARC},
    {"follow dmarc: p=reject alone",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"p=reject of our own domain",
     "follow dmarc of everyone\nown domains bank.example\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"p=reject below our own domain",
     "follow dmarc of everyone\nown domains example\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"p=reject and sends nothing",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), .authors[0].sends_nothing = "null MX"},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"p=reject and a known signer",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), .authors[0].known_signer = true},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"p=reject from a named network",
     "follow dmarc of everyone\nfollow dmarc of 192.0.2.0/28\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"p=reject from beside a named network",
     "follow dmarc of everyone\nfollow dmarc of 192.0.2.16/28\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"p=quarantine is never rejected, whatever is known",
     "follow dmarc of everyone\nown domains bank.example\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_QUARANTINE)},
     POLICY_QUARANTINE,
     STANDARD_DMARC},
    {"as published",
     "follow dmarc as published of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"t=y: one step down",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, .authors[0].dmarc = {.result = RESULT_FAIL,
                                   .published = FACTS_P_QUARANTINE,
                                   .applied = FACTS_P_NONE,
                                   .testing = true,
                                   .reason = "x"}},
     NOTHING,
     OVERRIDE_POLICY_TEST_MODE},
    {"written action",
     "follow dmarc of everyone otherwise hold\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_HOLD,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"written action, p=none",
     "follow dmarc of everyone otherwise reject\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_NONE)},
     NOTHING},
    {"only the body was changed",
     "follow dmarc of everyone\nown domains bank.example\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), SIGNED(broken_body)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_MAILING_LIST},
    {"only the body was changed, as published",
     "follow dmarc as published of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), SIGNED(broken_body)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_MAILING_LIST},
    {"permerror is no failure to follow",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, .authors[0].dmarc = {.result = RESULT_PERMERROR, .reason = "x"}},
     NOTHING},
    {"client hidden: p=reject is quarantined",
     "follow dmarc as published of everyone\n" ENFORCE,
     {.source = JUDGE_RELAY, .client_hidden = true, FROM("bank.example"), FAILS(FACTS_P_REJECT)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    /* dmarc, require */
    {"require dmarc: no record",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require dmarc: p=none fails",
     "require dmarc of bank.example otherwise quarantine\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_NONE)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require dmarc: permerror",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, .authors[0].dmarc = {.result = RESULT_PERMERROR, .reason = "x"}},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require dmarc: no usable From",
     "require dmarc of everyone\n" ENFORCE,
     {CLIENT, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require dmarc, p=reject fails: as the owner asks",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"a tag at the recipient excuses no bounce (BATV)",
     "require dmarc of everyone\n" ENFORCE,
     {CLIENT, FROM("a.example"), .null_sender = true, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY,
     .rcpt = "prvs=12345=user@example.org"},
    {"a tag at the recipient excuses no bounce (SRS)",
     "require dmarc of everyone\n" ENFORCE,
     {CLIENT, FROM("a.example"), .null_sender = true, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY,
     .rcpt = "SRS0=x=y=a.example=user@example.org"},
    {"a bounce to any other",
     "require dmarc of everyone\n" ENFORCE,
     {CLIENT, FROM("a.example"), .null_sender = true, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY,
     .rcpt = "user@example.org"},
    {"always: a bounce too",
     "always require dmarc of everyone\n" ENFORCE,
     {CLIENT, FROM("a.example"), .null_sender = true, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY,
     .rcpt = "prvs=12345=user@example.org"},
    /* several authors: each is asked about by itself, all must pass, the most severe action applies */
    {"require dmarc of the second author alone",
     "require dmarc of victim.example\n" ENFORCE,
     {SENDER, PASSES, SECOND(FAILS_AS(FACTS_P_NONE))},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require dmarc of everyone: both pass",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, PASSES, SECOND(PASSES_AS)},
     NOTHING},
    {"require dmarc of everyone: one has no record",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, PASSES, SECOND(NO_RECORD_AS)},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"follow dmarc as published: the second author's owner rejects",
     "follow dmarc as published of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_NONE), SECOND(FAILS_AS(FACTS_P_REJECT))},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"an exemption of one author excuses no other",
     "require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE,
     {SENDER, NO_RECORD, SECOND(NO_RECORD_AS)},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require message-format of the second author",
     "require message-format of victim.example\n" ENFORCE,
     {SENDER, PASSES, SECOND(PASSES_AS), .format = RESULT_FAIL, .format_reason = "two From fields"},
     POLICY_REJECT,
     STANDARD_MESSAGE_FORMAT,
     OVERRIDE_LOCAL_POLICY},
    {"require dkim of the second author: the first's signature is not its own",
     "require dkim of victim.example\n" ENFORCE,
     {SENDER, PASSES, SECOND(PASSES_AS), SIGNED(good_signature)},
     POLICY_REJECT,
     STANDARD_DKIM,
     OVERRIDE_LOCAL_POLICY},
    {"follow spf: DMARC passes for one of two authors",
     "follow spf of everyone otherwise reject\n" ENFORCE,
     {SENDER, PASSES, SECOND(NO_RECORD_AS), SPF(RESULT_FAIL)},
     POLICY_REJECT,
     STANDARD_SPF,
     OVERRIDE_LOCAL_POLICY},
    /* no author at all */
    {"follow dmarc: From names nobody", "follow dmarc of everyone\n" ENFORCE, {CLIENT}, POLICY_TAG, STANDARD_DMARC},
    {"follow dmarc: whom From names is hidden from us",
     "follow dmarc of everyone\n" ENFORCE,
     {CLIENT, .no_author = FACTS_AUTHOR_HIDDEN},
     POLICY_QUARANTINE,
     STANDARD_DMARC},
    {"require dmarc: From names nobody",
     "require dmarc of everyone\n" ENFORCE,
     {CLIENT},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"record dmarc: From names nobody", "record dmarc of everyone\n" ENFORCE, {CLIENT}, NOTHING},
    /* a limit of the message: a failure, never a pass */
    {"over the limit, as published: a pass is none",
     "follow dmarc as published of everyone\n" ENFORCE,
     {SENDER, PASSES, OVER_LIMIT},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"over the limit, follow: no record",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, OVER_LIMIT},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"over the limit, follow: the owner asks for quarantine",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_QUARANTINE), OVER_LIMIT},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"over the limit, the policy asks for quarantine",
     "require dmarc of bank.example otherwise quarantine\n" ENFORCE,
     {SENDER, PASSES, OVER_LIMIT},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"over the limit, require dkim",
     "require dkim of bank.example\n" ENFORCE,
     {SENDER, PASSES, SIGNED(good_signature), OVER_LIMIT},
     POLICY_REJECT,
     STANDARD_DKIM,
     OVERRIDE_LOCAL_POLICY},
    {"over the limit, no author",
     "follow dmarc of everyone\n" ENFORCE,
     {CLIENT, OVER_LIMIT},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"over the limit: a trusted forwarder saves nothing",
     "follow dmarc as published of everyone\n" TRUST ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), LIST, OVER_LIMIT},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"over the limit: nobody asked", "record dmarc of everyone\n" ENFORCE, {SENDER, PASSES, OVER_LIMIT}, NOTHING},
    {"over the limit: dry-run",
     "follow dmarc of everyone\n",
     {SENDER, PASSES, OVER_LIMIT},
     NOTHING,
     .override = OVERRIDE_NONE,
     .would = POLICY_REJECT},
    {"over the limit: trial",
     "trial require dmarc of everyone\n" ENFORCE,
     {SENDER, PASSES, OVER_LIMIT},
     NOTHING,
     .would = POLICY_REJECT},
    {"the authors cannot be told, a statement is about one of them",
     "require dmarc of victim.example\n" ENFORCE,
     {SENDER, PASSES, UNSEEN},
     POLICY_REJECT,
     STANDARD_MESSAGE_FORMAT,
     OVERRIDE_LOCAL_POLICY},
    {"the authors cannot be told, nobody acts on authors",
     "record dmarc of everyone\nrequire spf of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, UNSEEN, SPF(RESULT_PASS)},
     NOTHING},
    {"own-from: the authors cannot be told",
     "require own-from of submission\nown domains bank.example\n" ENFORCE,
     {SENDER, .source = JUDGE_SUBMISSION, UNSEEN},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"look-ups of the message used up: a failure where the record is not known",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_ABSENT, LIMIT_OF_MESSAGE)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"look-ups of the message used up: no more than the owner asks for",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_QUARANTINE, LIMIT_OF_MESSAGE)},
     POLICY_QUARANTINE,
     STANDARD_DMARC},
    {"look-ups of the message used up: the owner asks for nothing",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_NONE, LIMIT_OF_MESSAGE)},
     NOTHING},
    {"look-ups of the message used up: require spf",
     "require spf of everyone otherwise quarantine\n" ENFORCE,
     {SENDER, NO_RECORD, .spf = {RESULT_TEMPERROR, "bounce.example", "used up", LIMIT_OF_MESSAGE}},
     POLICY_QUARANTINE,
     STANDARD_SPF},
    /* a limit of the moment: wait, in enforce mode only, whatever when-unsure says */
    {"look-ups of the client used up: the record is not known",
     "follow dmarc of everyone\nset when-unsure accept\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_ABSENT, LIMIT_OF_MOMENT)},
     POLICY_DEFER,
     STANDARD_DMARC},
    {"look-ups of the client used up: the owner asks for nothing",
     "follow dmarc of everyone\nset when-unsure defer\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_NONE, LIMIT_OF_MOMENT)},
     NOTHING},
    {"look-ups of the client used up: nobody needs the answer",
     "record dmarc of everyone\nset when-unsure defer\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_ABSENT, LIMIT_OF_MOMENT)},
     NOTHING},
    {"look-ups of the client used up: dry-run",
     "follow dmarc of everyone\n",
     {SENDER, LIMITED(FACTS_P_ABSENT, LIMIT_OF_MOMENT)},
     NOTHING,
     .would = POLICY_DEFER},
    {"look-ups of the client used up for over 4 hours",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, LIMITED(FACTS_P_ABSENT, LIMIT_OF_MOMENT), .unsure_since = NOW - HOURS(4)},
     POLICY_QUARANTINE,
     STANDARD_DMARC},
    {"look-ups of the client used up: require rdns",
     "require rdns of everyone\n" ENFORCE,
     {SENDER, PASSES, .rdns = RESULT_TEMPERROR, .rdns_limit = LIMIT_OF_MOMENT},
     POLICY_DEFER,
     STANDARD_RDNS},
    {"look-ups of the client used up: require dane",
     "require dane of everyone\n" ENFORCE,
     {SENDER, PASSES, DANE_LIMITED},
     POLICY_DEFER,
     STANDARD_DANE},
    {"look-ups of the client used up: require dkim",
     "require dkim of everyone\n" ENFORCE,
     {SENDER, PASSES, SIGNED(limited_key)},
     POLICY_DEFER,
     STANDARD_DKIM},
    /* pct (RFC 7489 6.6.4): what is not sampled gets the next weaker action */
    {"sampled out of p=reject",
     "follow dmarc as published of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), .authors[0].dmarc.sampled_out = true},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_OTHER},
    {"sampled out of p=quarantine",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_QUARANTINE), .authors[0].dmarc.sampled_out = true},
     NOTHING,
     OVERRIDE_OTHER},
    {"require knows no pct",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), .authors[0].dmarc.sampled_out = true},
     POLICY_REJECT,
     STANDARD_DMARC},
    /* trust */
    {"a trusted forwarder saves",
     "follow dmarc as published of everyone\n" TRUST ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), LIST},
     NOTHING,
     OVERRIDE_TRUSTED_FORWARDER},
    {"a trusted forwarder saves from require",
     "require dmarc of everyone\n" TRUST ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), LIST},
     NOTHING,
     OVERRIDE_TRUSTED_FORWARDER},
    {"not under always",
     "always require dmarc of everyone\n" TRUST ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), LIST},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"its name alone saves nobody",
     "follow dmarc as published of everyone\n" TRUST ENFORCE,
     {CLIENT, FROM("bank.example"), .mail_from = "lists.example", FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"a forwarder that nobody trusts",
     "follow dmarc as published of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), LIST},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"trust that has ended",
     "follow dmarc as published of everyone\ntrust lists.example as forwarder because \"x\" agreed by \"y\" through "
     "2026-01-01\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_REJECT), LIST},
     POLICY_REJECT,
     STANDARD_DMARC},
    /* temporary failures */
    {"could have aligned, p=reject: waits",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_REJECT, true)},
     POLICY_DEFER,
     STANDARD_DMARC},
    {"could have aligned, p=quarantine: waits",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_QUARANTINE, true)},
     POLICY_DEFER,
     STANDARD_DMARC},
    {"could have aligned, p=none: goes on",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_NONE, true)},
     NOTHING},
    {"record unknown: when-unsure accept",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_ABSENT, true)},
     NOTHING},
    {"record unknown: when-unsure defer",
     "follow dmarc of everyone\nset when-unsure defer\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_ABSENT, true)},
     POLICY_DEFER,
     STANDARD_DMARC},
    {"record unknown, but surely aligned",
     "follow dmarc of everyone\nset when-unsure defer\n" ENFORCE,
     {SENDER, .authors[0].dmarc = {.result = RESULT_TEMPERROR, .surely_aligned = true, .reason = "x"}},
     NOTHING},
    {"under 4 hours: still waits",
     "follow dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_REJECT, true), .unsure_since = NOW - HOURS(4) + 1},
     POLICY_DEFER,
     STANDARD_DMARC},
    {"over 4 hours: a failure, quarantined",
     "follow dmarc of everyone\nown domains bank.example\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_REJECT, true), .unsure_since = NOW - HOURS(4)},
     POLICY_QUARANTINE,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"require, over 4 hours",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_ABSENT, true), .unsure_since = NOW - HOURS(5)},
     POLICY_QUARANTINE,
     STANDARD_DMARC},
    {"require: waits",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, UNSURE(FACTS_P_NONE, true)},
     POLICY_DEFER,
     STANDARD_DMARC},
    {"a failure would only be tagged: no wait",
     "follow spf of everyone\nset when-unsure defer\n" ENFORCE,
     {SENDER, SPF(RESULT_TEMPERROR), NO_RECORD},
     NOTHING},
    {"the forwarder is trusted: no wait",
     "follow dmarc of everyone\n" TRUST ENFORCE,
     {SENDER, UNSURE(FACTS_P_REJECT, true), LIST},
     NOTHING,
     OVERRIDE_TRUSTED_FORWARDER},
    /* arc, dane */
    {"follow dane: our proof contradicts",
     "follow dane of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dane = {{"bank.example", RESULT_PASS, true, "x"}}, .dane_count = 1},
     POLICY_TAG,
     STANDARD_DANE},
    {"follow dane: none published",
     "follow dane of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dane = {{"bank.example", RESULT_NONE, false, "x"}}, .dane_count = 1},
     NOTHING},
    {"require dane: none published",
     "require dane of bank.example\n" ENFORCE,
     {SENDER, NO_RECORD,
      .dane = {{"bank.example", RESULT_NONE, false, "x"}, {"bounce.example", RESULT_PASS, false, "x"}},
      .dane_count = 2},
     POLICY_REJECT,
     STANDARD_DANE},
    {"require dane: of the MAIL FROM domain too",
     "require dane of bounce.example\n" ENFORCE,
     {SENDER, NO_RECORD,
      .dane = {{"bank.example", RESULT_PASS, false, "x"}, {"bounce.example", RESULT_FAIL, false, "x"}},
      .dane_count = 2},
     POLICY_REJECT,
     STANDARD_DANE},
    {"require dane: could not be looked up",
     "require dane of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dane = {{"bank.example", RESULT_TEMPERROR, false, "x"}}, .dane_count = 1},
     POLICY_DEFER,
     STANDARD_DANE},
    {"require dane: could not test is neither",
     "require dane of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dane = {{"bank.example", RESULT_UNTESTED, false, "x"}}, .dane_count = 1},
     NOTHING},
    /* tls */
    {"require tls: none",
     "require tls of everyone\n" ENFORCE,
     {SENDER, PASSES, .tls = {RESULT_NONE, 0, NULL, "no TLS"}},
     POLICY_REJECT,
     STANDARD_TLS,
     OVERRIDE_LOCAL_POLICY},
    {"require tls 1.2: 1.1",
     "require tls 1.2 or newer of everyone\n" ENFORCE,
     {SENDER, PASSES, .tls = {RESULT_PASS, 11, NULL, "TLSv1.1"}},
     POLICY_REJECT,
     STANDARD_TLS,
     OVERRIDE_LOCAL_POLICY},
    {"require tls 1.2: 1.2",
     "require tls 1.2 or newer of everyone\n" ENFORCE,
     {SENDER, PASSES, .tls = {RESULT_PASS, 12, NULL, "TLSv1.2"}},
     NOTHING},
    {"require tls 1.3: 1.2",
     "require tls 1.3 of everyone\n" ENFORCE,
     {SENDER, PASSES, .tls = {RESULT_PASS, 12, NULL, "TLSv1.2"}},
     POLICY_REJECT,
     STANDARD_TLS,
     OVERRIDE_LOCAL_POLICY},
    {"require tls: a weak cipher",
     "require tls of everyone\n" ENFORCE,
     {SENDER, PASSES, .tls = {RESULT_POLICY, 12, "RC4", "TLSv1.2"}},
     POLICY_REJECT,
     STANDARD_TLS,
     OVERRIDE_LOCAL_POLICY},
    {"require tls: of a network",
     "require tls of 192.0.2.0/24\n" ENFORCE,
     {SENDER, PASSES, .tls = {RESULT_NONE, 0, NULL, "no TLS"}},
     POLICY_REJECT,
     STANDARD_TLS,
     OVERRIDE_LOCAL_POLICY},
    {"require tls: a relay's session says nothing",
     "require tls of everyone\n" ENFORCE,
     {SENDER, PASSES, .source = JUDGE_RELAY, .tls = {RESULT_NONE, 0, NULL, "no TLS"}},
     NOTHING},
    /* dnssec */
    {"follow dnssec: bogus waits",
     "follow dnssec of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dnssec = {{"bank.example", DNS_BROKEN, "x"}}, .dnssec_count = 1},
     POLICY_DEFER,
     STANDARD_DNSSEC},
    {"follow dnssec: insecure is fine",
     "follow dnssec of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dnssec = {{"bank.example", DNS_INSECURE, "x"}}, .dnssec_count = 1},
     NOTHING},
    {"require dnssec: insecure",
     "require dnssec of everyone otherwise quarantine\n" ENFORCE,
     {SENDER, PASSES, .dnssec = {{"bank.example", DNS_INSECURE, "x"}}, .dnssec_count = 1},
     POLICY_QUARANTINE,
     STANDARD_DNSSEC,
     OVERRIDE_LOCAL_POLICY},
    {"require dnssec: insecure, default",
     "require dnssec of everyone\n" ENFORCE,
     {SENDER, PASSES, .dnssec = {{"bank.example", DNS_INSECURE, "x"}}, .dnssec_count = 1},
     POLICY_REJECT,
     STANDARD_DNSSEC,
     OVERRIDE_LOCAL_POLICY},
    {"require dnssec: bogus waits, whatever is written",
     "require dnssec of everyone otherwise reject\n" ENFORCE,
     {SENDER, NO_RECORD, .dnssec = {{"bank.example", DNS_BROKEN, "x"}}, .dnssec_count = 1},
     POLICY_DEFER,
     STANDARD_DNSSEC},
    {"require dnssec: secure",
     "require dnssec of everyone\n" ENFORCE,
     {SENDER, PASSES, .dnssec = {{"bank.example", DNS_SECURE, "x"}}, .dnssec_count = 1},
     NOTHING},
    {"require dnssec: not known now",
     "require dnssec of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .dnssec = {{"bank.example", DNS_UNKNOWN, "x"}}, .dnssec_count = 1},
     POLICY_DEFER,
     STANDARD_DNSSEC},
    /* message-format, rdns */
    {"record message-format",
     "record message-format of everyone\n" ENFORCE,
     {CLIENT, .format = RESULT_FAIL, .format_reason = "two From fields"},
     NOTHING},
    {"require message-format",
     "require message-format of everyone\n" ENFORCE,
     {CLIENT, .format = RESULT_FAIL, .format_reason = "two From fields"},
     POLICY_REJECT,
     STANDARD_MESSAGE_FORMAT},
    {"require rdns: none",
     "require rdns of everyone\n" ENFORCE,
     {SENDER, PASSES, .rdns = RESULT_FAIL},
     POLICY_REJECT,
     STANDARD_RDNS,
     OVERRIDE_LOCAL_POLICY},
    {"require rdns: time-out waits",
     "require rdns of everyone\n" ENFORCE,
     {SENDER, PASSES, .rdns = RESULT_TEMPERROR},
     POLICY_DEFER,
     STANDARD_RDNS},
    {"require rdns: no client to ask about",
     "require rdns of everyone\n" ENFORCE,
     {.source = JUDGE_RELAY, .client_hidden = true, PASSES},
     NOTHING},
    /* which action is done */
    {"the most severe of all",
     "require spf of everyone otherwise tag\nrequire dmarc of everyone otherwise quarantine\nrequire dkim of everyone "
     "otherwise reject\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), NO_RECORD},
     POLICY_REJECT,
     STANDARD_DKIM,
     OVERRIDE_LOCAL_POLICY},
    {"reject before defer",
     "require spf of everyone otherwise reject\nrequire dkim of everyone otherwise defer\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), NO_RECORD},
     POLICY_REJECT,
     STANDARD_SPF},
    {"defer before hold",
     "require spf of everyone otherwise hold\nrequire dkim of everyone otherwise defer\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), NO_RECORD},
     POLICY_DEFER,
     STANDARD_DKIM},
    {"hold before quarantine",
     "require spf of everyone otherwise hold\nrequire dkim of everyone otherwise quarantine\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), NO_RECORD},
     POLICY_HOLD,
     STANDARD_SPF},
    {"of equals the first in the table",
     "require dkim, spf, dmarc, message-format of everyone\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), FAILS(FACTS_P_REJECT)},
     POLICY_REJECT,
     STANDARD_DMARC},
    /* exemptions */
    {"exempt from dmarc", "require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE, {SENDER, NO_RECORD}, NOTHING},
    {"exempt from another standard",
     "require dmarc of everyone\n" EXEMPT("spf") ENFORCE,
     {SENDER, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"always knows no exemption",
     "always require dmarc of everyone\n" EXEMPT("dmarc") ENFORCE,
     {SENDER, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"signed by, and it is",
     "require dmarc of everyone\nexempt bank.example from dmarc signed by lists.example because \"x\" agreed by \"y\" "
     "through 2026-12-31\n" ENFORCE,
     {SENDER, NO_RECORD, .signers = signed_by_list, .signer_count = 1},
     NOTHING},
    {"signed by, and it is not",
     "require dmarc of everyone\nexempt bank.example from dmarc signed by lists.example because \"x\" agreed by \"y\" "
     "through 2026-12-31\n" ENFORCE,
     {SENDER, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"via another network",
     "require dmarc of everyone\nexempt bank.example from dmarc via 198.51.100.0/24 because \"x\" agreed by \"y\" "
     "through 2026-12-31\n" ENFORCE,
     {SENDER, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
    {"writing to",
     "record dmarc of everyone\nrequire dmarc of everyone writing to payroll.example.org\n" ENFORCE,
     {SENDER, NO_RECORD},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY,
     .rcpt = "boss@payroll.example.org"},
    {"writing to somebody else",
     "record dmarc of everyone\nrequire dmarc of everyone writing to payroll.example.org\n" ENFORCE,
     {SENDER, NO_RECORD},
     NOTHING,
     .rcpt = "boss@example.org"},
    /* what holds it back */
    {"dry-run",
     "require dmarc of everyone\n",
     {SENDER, NO_RECORD},
     NOTHING,
     OVERRIDE_LOCAL_POLICY,
     .would = POLICY_REJECT},
    {"trial",
     "trial require dmarc of everyone\n" ENFORCE,
     {SENDER, NO_RECORD},
     NOTHING,
     OVERRIDE_LOCAL_POLICY,
     .would = POLICY_REJECT},
    {"dry-run is local policy to the owner (RFC 9990 3.1.1.8)",
     "follow dmarc of everyone\nown domains bank.example\n",
     {SENDER, FAILS(FACTS_P_REJECT)},
     NOTHING,
     OVERRIDE_LOCAL_POLICY,
     .would = POLICY_REJECT},
    {"recorded only: local policy to the owner",
     "record dmarc of everyone\n" ENFORCE,
     {SENDER, FAILS(FACTS_P_QUARANTINE)},
     NOTHING,
     OVERRIDE_LOCAL_POLICY},
    {"refused for another reason though DMARC passes: local policy to the owner",
     "require rdns of everyone\n" ENFORCE,
     {SENDER, PASSES, .rdns = RESULT_FAIL},
     POLICY_REJECT,
     STANDARD_RDNS,
     OVERRIDE_LOCAL_POLICY},
    {"a mail that is put off is not reported",
     "require rdns of everyone\n" ENFORCE,
     {SENDER, PASSES, .rdns = RESULT_TEMPERROR},
     POLICY_DEFER,
     STANDARD_RDNS},
    {"what the owner is testing and nobody acted on",
     "record dmarc of everyone\n" ENFORCE,
     {SENDER, .authors[0].dmarc = {.result = RESULT_FAIL,
                                   .published = FACTS_P_REJECT,
                                   .applied = FACTS_P_QUARANTINE,
                                   .testing = true,
                                   .reason = "x"}},
     NOTHING,
     OVERRIDE_POLICY_TEST_MODE},
    {"trial beside one in force",
     "trial require dmarc of everyone\nrequire spf of everyone otherwise quarantine\n" ENFORCE,
     {SENDER, SPF(RESULT_NONE), NO_RECORD},
     POLICY_QUARANTINE,
     STANDARD_SPF,
     OVERRIDE_LOCAL_POLICY,
     .would = POLICY_REJECT},
    {"paused",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, NO_RECORD},
     NOTHING,
     OVERRIDE_LOCAL_POLICY,
     .would = POLICY_REJECT,
     .paused = "paused: the DNS is down"},
    /* who is not judged */
    {"submission", "require dmarc of everyone\n" ENFORCE, {SENDER, NO_RECORD, .source = JUDGE_SUBMISSION}, NOTHING},
    {"submission under own-from",
     "require own-from of submission\nown domains example.org\n" ENFORCE,
     {SENDER, .source = JUDGE_SUBMISSION},
     POLICY_REJECT,
     STANDARD_DMARC},
    {"submission under own-from, and it is",
     "require own-from of submission\nown domains example.org\n" ENFORCE,
     {CLIENT, FROM("sub.example.org"), .source = JUDGE_SUBMISSION},
     NOTHING},
    {"own-from is nobody else's rule",
     "require own-from of submission\nown domains example.org\n" ENFORCE,
     {SENDER, NO_RECORD},
     NOTHING},
    {"own network", "require dmarc of everyone\n" ENFORCE, {SENDER, NO_RECORD, .source = JUDGE_OWN}, NOTHING},
    {"the MTA's own command",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .source = JUDGE_LOCAL},
     NOTHING},
    {"judged by the fleet", "require dmarc of everyone\n" ENFORCE, {SENDER, NO_RECORD, .source = JUDGE_FLEET}, NOTHING},
    {"behind a relay: judged",
     "require dmarc of everyone\n" ENFORCE,
     {SENDER, NO_RECORD, .source = JUDGE_RELAY},
     POLICY_REJECT,
     STANDARD_DMARC,
     OVERRIDE_LOCAL_POLICY},
};

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

static bool check(const struct kase *k)
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

static void table(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        wrong += !check(&cases[i]);
    print_message("%zu cases\n", COUNT(cases));
    assert_int_equal(wrong, 0);
}

static void expired_exemption_is_named(void **state)
{
    struct arena *a = arena_new(1 << 20);
    const struct policy *p = read_policy("require dmarc of everyone\nexempt bank.example from dmarc because \"it was\" "
                                         "agreed by \"y\" through 2026-09-01\n" ENFORCE);
    struct facts f = {SENDER, NO_RECORD};
    struct verdict v;

    (void)state;
    assert_int_equal(verdict_decide(a, &f, p, NULL, NOW, NULL, &v), STATUS_OK);
    assert_int_equal(v.action, POLICY_REJECT);
    assert_non_null(v.lines[0].expired);
    assert_string_equal(v.lines[0].expired->because, "it was");
    policy_unref(p);
    arena_free(a);
}

static void out_of_memory_defers(void **state)
{
    struct arena *a = arena_new(64);
    const struct policy *p = read_policy("follow dmarc of everyone\n" ENFORCE);
    struct facts f = {SENDER, PASSES};
    struct verdict v;

    (void)state;
    assert_int_equal(verdict_decide(a, &f, p, NULL, NOW, NULL, &v), STATUS_NOMEM);
    assert_int_equal(v.action, POLICY_DEFER);
    assert_int_equal(v.line_count, 0);
    policy_unref(p);
    arena_free(a);
}

static void early_asks_tls_alone(void **state)
{
    struct arena *a = arena_new(1 << 20);
    const struct policy *p =
        read_policy("require dmarc of everyone\nrequire tls of everyone writing to payroll.example.org\n" ENFORCE);
    struct facts f = {SENDER, .tls = {RESULT_NONE, 0, NULL, "no TLS"}};
    struct verdict v;

    (void)state;
    assert_int_equal(verdict_decide_early(a, &f, p, "boss@payroll.example.org", NOW, NULL, &v), STATUS_OK);
    assert_int_equal(v.action, POLICY_REJECT);
    assert_int_equal(v.line_count, 1);
    assert_int_equal(verdict_decide_early(a, &f, p, "user@example.org", NOW, NULL, &v), STATUS_OK);
    assert_int_equal(v.action, POLICY_DELIVER);
    policy_unref(p);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(expired_exemption_is_named),
        cmocka_unit_test(out_of_memory_defers),
        cmocka_unit_test(early_asks_tls_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
