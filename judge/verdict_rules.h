// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_rules.h - between verdict.c (the frame), verdict_ruling.c (what rules share) and the rules of the single
 * standards. For these files alone.
 *
 * A rule asks the policy about its subjects by rule_ask(), which adds a line, and then says rule_fails() or
 * rule_unsure() where what the level wants is not met. A line of which neither was said asks for nothing.
 */
#ifndef ASSAY_JUDGE_VERDICT_RULES_H
#define ASSAY_JUDGE_VERDICT_RULES_H

#include "judge/verdict.h"

/* A line for each author of dmarc, dkim, message-format; for each sender of dnssec and dane, and the client's; spf,
 * tls, rdns, arc; and the one of rule_unseen(). */
#define RULE_LINES (3 * FACTS_AUTHORS + 2 * (FACTS_SENDERS + 1) + 5)

struct ruling {
    struct arena *arena;
    const struct facts *f;
    const struct policy *p;
    const char *rcpt;
    time_t at;
    enum policy_whose whose;
    bool no_exemptions;
    struct verdict_line lines[RULE_LINES];
    size_t count;
    struct policy_answer answer; /* to the last rule_ask */
};

/* Asks the policy; the new line has level, statement and so on, asks for nothing yet, and carries result and reason. */
struct verdict_line *rule_ask(struct ruling *r, enum standard s, const char *who, const struct ip *who_ip,
                              enum result result, const char *reason);

/* What the level wants is not met: the statement's action. `reason` replaces the line's; NULL keeps it. */
void rule_fails(struct ruling *r, struct verdict_line *l, const char *reason);

/* Could not be found out now; worst: what a failure would lead to. Up to a tag: nothing, it would not have mattered.
 * Else: defer, under `require` or with must_defer; other cases as `set when-unsure` says. After FACTS_UNSURE_SECONDS of
 * the same: quarantine. */
void rule_unsure(struct ruling *r, struct verdict_line *l, enum policy_action worst, bool must_defer);

/* A bound of ours kept it from being found out, or from being seen (design section 9); `bound` names it, or is NULL:
 * the line's reason does. worst: what a failure leads to. Of the message: that, at once. Of the moment: defer, whatever
 * `set when-unsure` says, where more than a tag would follow; after FACTS_UNSURE_SECONDS of the same: quarantine. */
void rule_limited(struct ruling *r, struct verdict_line *l, enum limit_kind limit, const char *bound,
                  enum policy_action worst);

void rule_unseen(struct ruling *r); /* who the authors are cannot be told: a bound was passed */
void rule_spf(struct ruling *r);
void rule_dkim(struct ruling *r);
void rule_dmarc(struct ruling *r);
void rule_arc(struct ruling *r);
void rule_dane(struct ruling *r);
void rule_tls(struct ruling *r);
void rule_dnssec(struct ruling *r);
void rule_format(struct ruling *r);
void rule_rdns(struct ruling *r);
void rule_own_from(struct ruling *r); /* the one rule of submission */

#endif
