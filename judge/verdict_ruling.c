// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_ruling.c - what the rules of the single standards share: asking the policy, noting that a demand is not met,
 * and what happens if something could not be determined.
 *
 * Promises: pure. A line asks for nothing until a rule says so. Cannot fail; if the arena is full a line's reason is
 * NULL, and verdict.c notices it.
 */
#include "judge/verdict_rules.h"

struct verdict_line *rule_ask(struct ruling *r, enum standard s, const char *who, const struct ip *who_ip,
                              enum result result, const char *reason)
{
    struct verdict_line *l = &r->lines[r->count < RULE_LINES ? r->count++ : RULE_LINES - 1];
    struct policy_question q = {
        .standard = s,
        .who = who,
        .who_ip = who_ip && who_ip->family ? who_ip : NULL,
        .rcpt = r->rcpt,
        .at = r->at,
        .client = r->f->client.family ? &r->f->client : NULL,
        .signers = r->f->signers,
        .signer_count = r->f->signer_count,
        .whose = r->whose,
        .no_exemptions = r->no_exemptions,
    };

    policy_ask(r->p, &q, &r->answer);
    *l = (struct verdict_line){
        .standard = s,
        .subject = who,
        .result = result,
        .level = r->answer.level,
        .trial = r->answer.trial,
        .reason = reason && *reason ? reason : result_name(result),
        .text = r->answer.text,
        .statement = r->answer.statement,
        .exemption = r->answer.exemption,
        .expired = r->answer.expired,
    };
    return l;
}

void rule_fails(struct ruling *r, struct verdict_line *l, const char *reason)
{
    l->action = r->answer.action;
    if (reason)
        l->reason = reason;
}

/* True if the same temporary failure has lasted so long that it is judged as a failure. */
static bool failed_for_long(struct ruling *r, struct verdict_line *l)
{
    const time_t since = r->f->unsure_since;

    if (!since || r->at - since < FACTS_UNSURE_SECONDS)
        return false;
    l->action = POLICY_QUARANTINE;
    l->reason = arena_printf(r->arena, "%s; the same for over 4 hours, so judged as a failure", l->reason);
    return true;
}

void rule_unsure(struct ruling *r, struct verdict_line *l, enum policy_action worst, bool must_defer)
{
    const bool waits = must_defer || l->level == POLICY_REQUIRE;

    if (worst <= POLICY_TAG || (waits && failed_for_long(r, l)))
        return;
    if (!waits && r->f->unsure_since && r->at - r->f->unsure_since >= FACTS_UNSURE_SECONDS)
        return;
    if (waits || policy_defers_unsure(r->p, r->f->listener)) {
        l->action = POLICY_DEFER;
        l->temporary = true;
    }
}

enum limit_kind rule_limit_now(const struct ruling *r, enum limit_kind limit)
{
    if (limit != LIMIT_OF_COST)
        return limit;
    return r->f->unsure_since && r->at - r->f->unsure_since >= FACTS_COST_SECONDS ? LIMIT_OF_MESSAGE : LIMIT_OF_MOMENT;
}

void rule_limited(struct ruling *r, struct verdict_line *l, enum limit_kind limit, const char *bound,
                  enum policy_action worst)
{
    if (bound)
        l->reason = bound;
    limit = rule_limit_now(r, limit);
    if (limit == LIMIT_OF_MESSAGE) {
        l->limit = limit;
        l->action = worst;
    } else if (worst > POLICY_TAG && !failed_for_long(r, l)) {
        l->limit = limit;
        l->action = POLICY_DEFER;
        l->temporary = true;
    }
}
