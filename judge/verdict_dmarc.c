// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_dmarc.c - the rule for DMARC: what the owner of the From domain asks for (RFC 9989), what else we know, and
 * what the policy says.
 *
 * RFC 9989 7.4: a receiver must not reject a mail only because its domain publishes p=reject. So a mail is rejected
 * under `follow` only if something else, too, says that it is forged: the signal, which log and report name. If there
 * is no signal, the mail is quarantined, and the report names the override. No signal is needed for `as published`, an
 * explicit `otherwise` or `require`: there the administrator has decided.
 *
 * A failing mail is excused if it provably came through a forwarder that the policy trusts; not under `always`. A
 * rejection is softened by an aligned signature over unchanged headers where only the body differs (a list's footer).
 * List-* fields and ARC sets alone prove nothing, because anyone can write them.
 */
#include "judge/verdict_rules.h"

/* The `trust` statement that excuses this mail, and how the forwarder is proved. */
static const struct policy_statement *trusted_forwarder(const struct ruling *r, const struct facts_forwarder **by)
{
    const struct facts *f = r->f;

    for (size_t i = 0; i < f->forwarder_count; i++) {
        const struct policy_statement *s =
            policy_trusted(r->p, f->forwarders[i].domain, r->rcpt, f->client.family ? &f->client : NULL, r->at);
        if (s) {
            *by = &f->forwarders[i];
            return s;
        }
    }
    return NULL;
}

/* True for an aligned signature that fails only because the body was changed. */
static bool only_body_changed(const struct facts *f, size_t author)
{
    for (size_t i = 0; i < f->signature_count; i++) {
        const struct facts_signature *s = &f->signatures[i];
        if ((s->of_author >> author & 1) && s->only_body_changed)
            return true;
    }
    return false;
}

/* Tells whether the policy names the client's network in a statement about DMARC: with the address it decides
 * differently than without. */
static bool network_named(const struct ruling *r)
{
    struct policy_question q = {.standard = STANDARD_DMARC, .rcpt = r->rcpt, .at = r->at};
    struct policy_answer without, with;

    if (r->f->client.family == 0)
        return false;
    policy_ask(r->p, &q, &without);
    q.who_ip = &r->f->client;
    policy_ask(r->p, &q, &with);
    return with.statement && with.statement != without.statement && with.level >= POLICY_FOLLOW;
}

/* The second ground for a rejection (the opening of this file says why one is needed), or NULL. */
static const char *positive_signal(const struct ruling *r, const struct facts_author *author)
{
    if (author->domain && policy_is_own_domain(r->p, author->domain))
        return "the From domain is our own";
    if (author->sends_nothing)
        return author->sends_nothing;
    if (author->known_signer)
        return "the From domain signs all its mail, and this one bears no signature of it";
    if (network_named(r))
        return "the policy names the client's network";
    return NULL;
}

static void override(struct verdict_line *l, enum verdict_override what, const char *comment)
{
    l->override = what;
    l->comment = comment;
}

/* What is done if the owner's policy is reject. */
static void owner_rejects(struct ruling *r, struct verdict_line *l, size_t k)
{
    const struct facts *f = r->f;

    l->signal = positive_signal(r, &f->authors[k]);
    if (only_body_changed(f, k)) {
        l->action = POLICY_QUARANTINE;
        override(l, OVERRIDE_MAILING_LIST,
                 "an aligned signature verifies over the headers; only the body was changed on the way");
    } else if (f->client_hidden) {
        l->action = POLICY_QUARANTINE;
        override(l, OVERRIDE_LOCAL_POLICY, "the client behind our relay is not known, so SPF could not be asked");
    } else if (l->signal || r->answer.as_published) {
        l->action = POLICY_REJECT;
    } else {
        l->action = POLICY_QUARANTINE;
        override(l, OVERRIDE_LOCAL_POLICY,
                 "p=reject alone is no ground to reject (RFC 9989 7.4), nothing else is known");
    }
}

/* What is done if DMARC failed and the policy follows the owner. */
static void follow_owner(struct ruling *r, struct verdict_line *l, size_t k)
{
    const struct facts_author *author = &r->f->authors[k];
    enum facts_policy applied = author->dmarc.applied;

    if (author->dmarc.testing && applied != author->dmarc.published)
        override(l, OVERRIDE_POLICY_TEST_MODE, "the owner is testing (t=y)");
    if (author->dmarc.sampled_out && applied >= FACTS_P_QUARANTINE) {
        applied--;
        override(l, OVERRIDE_OTHER, "sampled out: the owner asks for a part of its mail only (pct)");
    }
    if (applied < FACTS_P_QUARANTINE)
        return;
    if (r->answer.action_written && !only_body_changed(r->f, k)) {
        rule_fails(r, l, NULL);
        if ((applied == FACTS_P_REJECT) != (l->action == POLICY_REJECT))
            override(l, OVERRIDE_LOCAL_POLICY, "the receiver's policy says what is done");
    } else if (applied == FACTS_P_REJECT) {
        owner_rejects(r, l, k);
    } else {
        l->action = POLICY_QUARANTINE;
    }
}

/* Tells whether a forwarder that the policy trusts excuses this mail; then the line says so. */
static bool rescued(struct ruling *r, struct verdict_line *l)
{
    const struct facts_forwarder *by = NULL;

    l->trust = r->answer.always ? NULL : trusted_forwarder(r, &by);
    if (!l->trust)
        return false;
    override(l, OVERRIDE_TRUSTED_FORWARDER,
             arena_printf(r->arena, "came by way of %s, proved by %s, which the policy trusts", by->domain, by->proof));
    if (!l->comment)
        l->reason = NULL; /* out of memory: verdict.c notices it */
    return true;
}

static void required(struct ruling *r, struct verdict_line *l, const struct facts_author *author)
{
    rule_fails(r, l, NULL);
    if (author->dmarc.applied != FACTS_P_REJECT || l->action != POLICY_REJECT)
        override(l, OVERRIDE_LOCAL_POLICY, "the receiver requires DMARC of this domain");
}

/* A temporary failure counts if a pass would have mattered. Neither a forged signature with a key in a dead zone nor a
 * limit of ours used up by other names may let a mail in. */
static void unsure(struct ruling *r, struct verdict_line *l, const struct facts_author *author, bool require)
{
    const enum policy_action worst = require || r->answer.action_written ? r->answer.action : POLICY_QUARANTINE;
    const bool might_pass = author->dmarc.could_align && author->dmarc.applied >= FACTS_P_QUARANTINE;
    const bool unknown = author->dmarc.applied == FACTS_P_ABSENT;

    if (!require && (author->dmarc.surely_aligned || (!might_pass && !unknown)))
        return;
    if (author->dmarc.limit)
        rule_limited(r, l, author->dmarc.limit, NULL,
                     rule_limit_now(r, author->dmarc.limit) == LIMIT_OF_MESSAGE && unknown && !r->answer.action_written
                         ? POLICY_REJECT
                         : worst);
    else
        rule_unsure(r, l, worst, require || might_pass);
}

/* The message exceeds a limit of ours: no author passes, and none is excused. The owner's policy is followed if it asks
 * for no more than quarantine. */
static void over_limit(struct ruling *r, struct verdict_line *l, const struct facts_author *author)
{
    const bool quarantine = author && author->dmarc.applied == FACTS_P_QUARANTINE && !r->f->unseen;
    const bool written = l->level == POLICY_REQUIRE || r->answer.action_written;

    rule_limited(r, l, LIMIT_OF_MESSAGE, r->f->unseen ? r->f->unseen : r->f->over_limit,
                 written      ? r->answer.action
                 : quarantine ? POLICY_QUARANTINE
                              : POLICY_REJECT);
    if (author && author->dmarc.applied != FACTS_P_REJECT)
        override(l, OVERRIDE_LOCAL_POLICY, "the message passes a limit of the receiver's");
}

/* Tells whether the statement excuses this mail from `require`: only if it says `except bounces`, and only a
 * notification with the null sender. What the owner of its author's domain asks for is still followed. */
static bool is_required(const struct ruling *r, const struct verdict_line *l)
{
    return l->level == POLICY_REQUIRE && !(r->answer.except_bounces && r->f->null_sender && r->f->notification);
}

static void judge_author(struct ruling *r, size_t k)
{
    const struct facts_author *author = &r->f->authors[k];
    const enum result result = author->dmarc.result;
    struct verdict_line *l = rule_ask(r, STANDARD_DMARC, author->domain, NULL, result, author->dmarc.reason);
    const bool require = is_required(r, l);

    if (l->level < POLICY_FOLLOW)
        return;
    if (r->f->over_limit || r->f->unseen) {
        over_limit(r, l, author);
        return;
    }
    if (result == RESULT_PASS || (result != RESULT_FAIL && result != RESULT_TEMPERROR && !require) || rescued(r, l))
        return;
    if (result == RESULT_TEMPERROR)
        unsure(r, l, author, require);
    else if (require)
        required(r, l, author);
    else
        follow_owner(r, l, k);
}

/* No From domain can be determined, so no owner's policy can be asked. Under `follow` a mail that names nobody is
 * tagged; one whose author we cannot read is quarantined. */
static void judge_nobody(struct ruling *r)
{
    const struct facts *f = r->f;
    const bool hidden = f->no_author == FACTS_AUTHOR_HIDDEN;
    struct verdict_line *l = rule_ask(r, STANDARD_DMARC, NULL, NULL, hidden ? RESULT_PERMERROR : RESULT_NONE,
                                      hidden ? "From names somebody whom we cannot read" : "From names nobody");

    if (l->level < POLICY_FOLLOW)
        return;
    if (f->over_limit || f->unseen) {
        over_limit(r, l, NULL);
    } else if (rescued(r, l)) {
        return;
    } else if (is_required(r, l)) {
        rule_fails(r, l, NULL);
        override(l, OVERRIDE_LOCAL_POLICY, "the receiver requires DMARC of this domain");
    } else {
        l->action = hidden ? POLICY_QUARANTINE : POLICY_TAG;
        if (r->answer.action_written && r->answer.action < l->action)
            l->action = r->answer.action;
    }
}

void rule_dmarc(struct ruling *r)
{
    for (size_t k = 0; k < r->f->author_count; k++)
        judge_author(r, k);
    if (r->f->author_count == 0)
        judge_nobody(r);
}
