// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict.h - facts and policy in, verdict out. Only here a verdict is made; milter/end_of_message.c combines those of
 * the recipients.
 *
 * verdict_decide() is pure: the same facts, policy, recipient and time give the same verdict; it asks no DNS, reads no
 * clock, writes nothing but memory of the arena it is given. Any thread may call it.
 *
 * A verdict is a list of lines, one for each standard and subject that the policy was asked about, the most severe
 * first. Its action is the most severe of them; every line names the statement that decided it, and the demand that was
 * not met.
 */
#ifndef ASSAY_JUDGE_VERDICT_H
#define ASSAY_JUDGE_VERDICT_H

#include "base/arena.h"
#include "judge/facts.h"
#include "policy/policy.h"

/* RFC 9990's words for why the domain owner's policy was not followed to the letter. */
enum verdict_override {
    OVERRIDE_NONE,
    OVERRIDE_LOCAL_POLICY,
    OVERRIDE_MAILING_LIST,
    OVERRIDE_TRUSTED_FORWARDER,
    OVERRIDE_POLICY_TEST_MODE,
    OVERRIDE_OTHER,
};
const char *verdict_override_name(enum verdict_override o); /* "local_policy", ...; NULL for OVERRIDE_NONE */

struct verdict_line {
    enum standard standard;
    const char *subject; /* the domain or address that was judged; NULL: the sender gave no usable one */
    enum result result;
    enum policy_level level;
    enum policy_action action; /* what this line asks for, trial or not */
    bool trial;
    bool temporary;        /* it asks to defer because something could not be determined */
    enum limit_kind limit; /* it asks for its action because a limit of ours was reached, which `reason` names */
    const char *reason;    /* what was found, in words; never NULL */
    const char *text;      /* the policy's text for the peer, or NULL */
    const char *signal;    /* DMARC: the second ground for a rejection besides p=reject, or NULL */
    enum verdict_override override;
    const char *comment;                      /* explains the override, or NULL */
    const struct policy_statement *statement; /* the statement that decided; NULL: none applies */
    const struct policy_statement *exemption; /* the exemption that lowered the level, or NULL */
    const struct policy_statement *expired;   /* an ended exemption that would have, or NULL */
    const struct policy_statement *trust;     /* the statement that trusts the forwarder, or NULL */
};

/* The name, in the policy's words, of what the line judges: a standard, or own-from (reported under DMARC). */
const char *verdict_line_name(const struct verdict_line *l);

struct verdict {
    enum policy_action action; /* what is done */
    /* what would be done without dry-run, trial and pause; equals action if none of them applies */
    enum policy_action would;
    bool dry_run;
    const char *held_back; /* why action is less than would: "dry-run", "trial", "paused: ..."; or NULL */
    const char *skipped;   /* why the sender was not judged ("submission"), or NULL; then only own-from has a line */
    enum verdict_override dmarc_override;
    const char *dmarc_comment;
    const struct verdict_line *lines;
    size_t line_count;
    const char *policy_hash;
};

/* rcpt: as given at RCPT, or NULL: statements "writing to" do not apply. at: the time to judge as of. paused: why
 * enforcement is off for now, or NULL. STATUS_NOMEM: the arena is full; *out is then a verdict that defers, with no
 * lines. */
enum status verdict_decide(struct arena *a, const struct facts *f, const struct policy *p, const char *rcpt, time_t at,
                           const char *paused, struct verdict *out) MUST_CHECK;

/* Only what can be said before content crosses: tls (table in assay-policy(5)). */
enum status verdict_decide_early(struct arena *a, const struct facts *f, const struct policy *p, const char *rcpt,
                                 time_t at, const char *paused, struct verdict *out) MUST_CHECK;

/* The line that decides the action: the first that is not on trial and asks for it; NULL if nothing is done. */
const struct verdict_line *verdict_deciding(const struct verdict *v);

/* The line that decides `would`, trial or not; NULL if nothing would be done. */
const struct verdict_line *verdict_would_line(const struct verdict *v);

#endif
