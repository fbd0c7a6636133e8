// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_rules.h - the interface between verdict.c (all rules), verdict_ruling.c (what rules share) and the rules of
 * the single standards. For these files only.
 *
 * A rule asks the policy about its subjects by rule_ask(), which adds a line, and then calls rule_fails() or
 * rule_unsure() if the demand of the level is not met. Without either call a line asks for nothing.
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
    size_t count;
    struct policy_answer answer; /* of the last rule_ask */
    struct verdict_line lines[RULE_LINES];
};

/* Asks the policy; the new line has level, statement and so on, asks for nothing yet, and carries result and reason. */
struct verdict_line *rule_ask(struct ruling *r, enum standard s, const char *who, const struct ip *who_ip,
                              enum result result, const char *reason);

/* The demand of the level is not met: the line asks for the statement's action. `reason` replaces the line's; NULL
 * keeps it. */
void rule_fails(struct ruling *r, struct verdict_line *l, const char *reason);

/* It could not be determined now; worst: the action that a failure would cause. If that is a tag or less, nothing is
 * done. Else: defer, under `require` or with must_defer; otherwise as `set when-unsure` says. After
 * FACTS_UNSURE_SECONDS of the same: quarantine. */
void rule_unsure(struct ruling *r, struct verdict_line *l, enum policy_action worst, bool must_defer);

/* What a limit is for this mail now: LIMIT_OF_COST is one of the moment, and after FACTS_COST_SECONDS one of the
 * message. */
enum limit_kind rule_limit_now(const struct ruling *r, enum limit_kind limit);

/* A limit of ours kept us from determining it; `bound` names it, or is NULL if the line's reason
 * does. worst: the action that a failure would cause. A limit of the message: that action, at once. A limit of the
 * moment: defer, whatever `set when-unsure` says, if worst is more than a tag; after FACTS_UNSURE_SECONDS of the same:
 * quarantine. LIMIT_OF_COST: see rule_limit_now(). */
void rule_limited(struct ruling *r, struct verdict_line *l, enum limit_kind limit, const char *bound,
                  enum policy_action worst);

void rule_unseen(struct ruling *r); /* the authors cannot be determined: a limit was exceeded */
void rule_spf(struct ruling *r);
void rule_dkim(struct ruling *r);
void rule_dmarc(struct ruling *r);
void rule_arc(struct ruling *r);
void rule_dane(struct ruling *r);
void rule_tls(struct ruling *r);
void rule_dnssec(struct ruling *r);
void rule_format(struct ruling *r);
void rule_rdns(struct ruling *r);
void rule_own_from(struct ruling *r); /* the only rule for submission */

#endif
