// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict_dmarc.c - DMARC's row of the table: what the owner of the From domain asks (RFC 9989), what we know besides,
 * and what the policy of this house makes of it.
 *
 * RFC 9989 7.4: p=reject alone is no ground to reject. A rejection under `follow` stands on a second thing we know,
 * named in the line (signal); else the mail is quarantined and the override is named for the report. `as published` and
 * a written `otherwise` are the admin's own word and need no second ground. `require` is a demand of this house and
 * needs none either.
 *
 * What may save a failing mail: a forwarder that the policy trusts and that the mail proves to come through; not under
 * `always`. What may soften a rejection: an aligned signature whose headers verify and only whose body differs (a
 * list's footer); List-* fields and ARC sets alone prove nothing, anyone writes them.
 */
#include "judge/verdict_rules.h"

/* The `trust` statement that saves this mail, and how the forwarder proved itself. */
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

/* An aligned signature that only a changed body breaks. */
static bool only_body_changed(const struct facts *f)
{
    for (size_t i = 0; i < f->signature_count; i++)
        if (f->signatures[i].of_from && f->signatures[i].header_hash_ok && f->signatures[i].result == RESULT_FAIL)
            return true;
    return false;
}

/* Whether the policy names the client's network in a statement about DMARC: it decides otherwise with the address than
 * without. */
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

/* The second ground for a rejection (design section 5), or NULL. */
static const char *positive_signal(const struct ruling *r)
{
    const struct facts *f = r->f;

    const char *domain = f->dmarc.domain ? f->dmarc.domain : f->from;

    if (domain && policy_is_own_domain(r->p, domain))
        return "the From domain is our own";
    if (f->sends_nothing)
        return f->sends_nothing;
    if (f->known_signer)
        return "the From domain signs all its mail, and this one bears no signature of it";
    if (network_named(r))
        return "the policy names the client's network";
    return NULL;
}

/* An address that may have asked for this bounce: it bears the tag of a sender that marks its mail (BATV prvs=, SRS).
 */
static bool asked_for_bounce(const char *rcpt)
{
    static const char *const tags[] = {"prvs=", "srs0=", "srs1=", "srs0+", "srs1+", "srs0-", "srs1-"};

    for (size_t i = 0; rcpt && i < sizeof tags / sizeof *tags; i++)
        if (strncasecmp(rcpt, tags[i], strlen(tags[i])) == 0)
            return true;
    return false;
}

static void override(struct verdict_line *l, enum verdict_override what, const char *comment)
{
    l->override = what;
    l->comment = comment;
}

/* The owner's policy is reject. */
static void owner_rejects(struct ruling *r, struct verdict_line *l)
{
    const struct facts *f = r->f;

    l->signal = positive_signal(r);
    if (only_body_changed(f)) {
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

/* DMARC failed, and the policy follows the owner. */
static void follow_owner(struct ruling *r, struct verdict_line *l)
{
    const struct facts *f = r->f;

    if (f->dmarc.testing && f->dmarc.applied != f->dmarc.published)
        override(l, OVERRIDE_POLICY_TEST_MODE, "the owner is testing (t=y)");
    if (f->dmarc.applied < FACTS_P_QUARANTINE)
        return;
    if (r->answer.action_written && !only_body_changed(f)) {
        rule_fails(r, l, NULL);
        if ((f->dmarc.applied == FACTS_P_REJECT) != (l->action == POLICY_REJECT))
            override(l, OVERRIDE_LOCAL_POLICY, "the receiver's policy says what is done");
    } else if (f->dmarc.applied == FACTS_P_REJECT) {
        owner_rejects(r, l);
    } else {
        l->action = POLICY_QUARANTINE;
    }
}

/* Whether a forwarder that the policy trusts saves this mail; then the line says so. */
static bool rescued(struct ruling *r, struct verdict_line *l)
{
    const struct facts_forwarder *by = NULL;

    l->trust = r->answer.always ? NULL : trusted_forwarder(r, &by);
    if (!l->trust)
        return false;
    override(l, OVERRIDE_TRUSTED_FORWARDER,
             arena_printf(r->arena, "came by way of %s, proved by %s, which the policy trusts", by->domain, by->proof));
    if (!l->comment)
        l->reason = NULL; /* out of memory: the frame sees it */
    return true;
}

static void required(struct ruling *r, struct verdict_line *l)
{
    rule_fails(r, l, NULL);
    if (r->f->dmarc.applied != FACTS_P_REJECT || l->action != POLICY_REJECT)
        override(l, OVERRIDE_LOCAL_POLICY, "the receiver requires DMARC of this domain");
}

/* A temporary failure counts where a pass would have mattered. A forged signature in a dead zone must buy nobody a way
 * in. */
static void unsure(struct ruling *r, struct verdict_line *l, bool require)
{
    const struct facts *f = r->f;
    const enum policy_action worst = require || r->answer.action_written ? r->answer.action : POLICY_QUARANTINE;

    if (require || (f->dmarc.could_align && !f->dmarc.surely_aligned && f->dmarc.applied >= FACTS_P_QUARANTINE))
        rule_unsure(r, l, worst, true);
    else if (f->dmarc.applied == FACTS_P_ABSENT && !f->dmarc.surely_aligned)
        rule_unsure(r, l, worst, false);
}

void rule_dmarc(struct ruling *r)
{
    const struct facts *f = r->f;
    struct verdict_line *l = rule_ask(r, STANDARD_DMARC, f->dmarc.domain ? f->dmarc.domain : f->from, NULL,
                                      f->dmarc.result, f->dmarc.reason);
    bool require = l->level == POLICY_REQUIRE;

    if (require && f->null_sender && asked_for_bounce(r->rcpt) && !r->answer.always)
        require = false;
    if (l->level < POLICY_FOLLOW || f->dmarc.result == RESULT_PASS)
        return;
    if (f->dmarc.result != RESULT_FAIL && f->dmarc.result != RESULT_TEMPERROR && !require)
        return;
    if (rescued(r, l))
        return;
    if (f->dmarc.result == RESULT_TEMPERROR)
        unsure(r, l, require);
    else if (require)
        required(r, l);
    else
        follow_owner(r, l);
}
