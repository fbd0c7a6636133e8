// SPDX-License-Identifier: BSD-2-Clause
/*
 * verdict.c - makes the verdict: runs each standard's rule, sorts the lines, and takes the most severe action.
 *
 * Promises: pure (see verdict.h). There is at least one line for each standard that has a subject in the message. The
 * order of lines of the same severity is fixed by the table below: what a sender has to mend first stands first.
 * Failure: when memory ran out the verdict is to defer. Never to deliver what nobody judged.
 *
 * Three things hold an action back: a statement on trial, dry-run mode, and a pause. `would` is the action without
 * them.
 */
#include "judge/verdict.h"
#include "judge/verdict_rules.h"
#include <string.h>

static const struct {
    enum standard standard;
    void (*judge)(struct ruling *);
} rules[] = {
    {STANDARD_MESSAGE_FORMAT, rule_unseen},
    {STANDARD_MESSAGE_FORMAT, rule_format},
    {STANDARD_TLS, rule_tls},
    {STANDARD_DMARC, rule_dmarc},
    {STANDARD_DKIM, rule_dkim},
    {STANDARD_SPF, rule_spf},
    {STANDARD_DNSSEC, rule_dnssec},
    {STANDARD_DANE, rule_dane},
    {STANDARD_RDNS, rule_rdns},
    {STANDARD_ARC, rule_arc},
};

/* The action that a line asks for now. */
static enum policy_action in_force(const struct verdict_line *l)
{
    return l->trial ? POLICY_DELIVER : l->action;
}

/* Most severe first; among equals, statements in force before those on trial; else the order of the rules. Insertion
 * sort: stable, and there are at most RULE_LINES. */
static void sort_lines(struct verdict_line *lines, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct verdict_line l = lines[i];
        size_t k = i;
        for (; k > 0; k--) {
            const struct verdict_line *b = &lines[k - 1];
            if (in_force(b) > in_force(&l) || (in_force(b) == in_force(&l) && b->action >= l.action))
                break;
            lines[k] = lines[k - 1];
        }
        lines[k] = l;
    }
}

static void take_lines(struct ruling *r, const char *paused, struct verdict *v)
{
    enum policy_action now = POLICY_DELIVER, would = POLICY_DELIVER;

    sort_lines(r->lines, r->count);
    for (size_t i = 0; i < r->count; i++) {
        const struct verdict_line *l = &r->lines[i];
        if (in_force(l) > now)
            now = in_force(l);
        if (l->action > would)
            would = l->action;
        if (l->standard == STANDARD_DMARC && l->override) {
            v->dmarc_override = l->override;
            v->dmarc_comment = l->comment;
        }
    }
    v->would = would;
    v->action = now;
    if (would > now)
        v->held_back = "trial";
    if (v->dry_run && now > POLICY_DELIVER)
        v->held_back = "dry-run";
    else if (paused && now > POLICY_DELIVER)
        v->held_back = paused;
    if (v->dry_run || paused)
        v->action = POLICY_DELIVER;
}

/* The name of an action in RFC 9990 3.1.1.8: "hold" keeps a mail from its recipient as quarantine does. */
static enum facts_policy disposition(enum policy_action a)
{
    return a == POLICY_REJECT ? FACTS_P_REJECT : a >= POLICY_QUARANTINE ? FACTS_P_QUARANTINE : FACTS_P_NONE;
}

/* If no line has named an override, but the action is not what the owner asked for, the report to the owner must say so
 * (RFC 9990 3.1.1.8). A deferred mail comes again and is not reported. */
static void tell_override(const struct facts *f, struct verdict *v)
{
    const struct facts_author *a = &f->authors[0]; /* the author it is reported for */
    const bool record = a->dmarc.record_domain || a->dmarc.published != FACTS_P_ABSENT;
    const enum facts_policy asked =
        a->dmarc.result == RESULT_PASS || a->dmarc.applied == FACTS_P_ABSENT ? FACTS_P_NONE : a->dmarc.applied;
    const enum facts_policy done = disposition(v->action);

    if (v->skipped || !record || v->dmarc_override || v->action == POLICY_DEFER || done == asked)
        return;
    if (a->dmarc.testing && done != FACTS_P_REJECT) {
        v->dmarc_override = OVERRIDE_POLICY_TEST_MODE;
        return;
    }
    v->dmarc_override = OVERRIDE_LOCAL_POLICY;
    v->dmarc_comment = v->held_back;
}

/* ---- the rules, asked several times ---- */

static void run_rules(struct ruling *r, bool early)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!early || rules[i].standard == STANDARD_TLS)
            rules[i].judge(r);
}

/* Without lines: those up to count are written before they are read. */
static struct ruling *new_ruling(struct arena *a)
{
    struct ruling *r = arena_room(a, sizeof *r);

    if (r)
        memset(r, 0, offsetof(struct ruling, lines));
    return r;
}

/* Judges once more: by somebody else's statements, or as if nothing were excused. NULL: out of memory. */
static struct ruling *asked_again(const struct ruling *r, enum policy_whose whose, bool no_exemptions, bool early)
{
    struct ruling *again = new_ruling(r->arena);

    if (!again)
        return NULL;
    again->arena = r->arena;
    again->f = r->f;
    again->p = r->p;
    again->rcpt = r->rcpt;
    again->at = r->at;
    again->whose = whose;
    again->no_exemptions = no_exemptions;
    run_rules(again, early);
    return again;
}

static struct verdict_line *line_about(struct ruling *r, const struct verdict_line *like)
{
    for (size_t i = 0; i < r->count; i++) {
        struct verdict_line *l = &r->lines[i];
        const char *a = l->subject ? l->subject : "", *b = like->subject ? like->subject : "";
        if (l->standard == like->standard && strcmp(a, b) == 0)
            return l;
    }
    return NULL;
}

/* An exemption counts as used only if it excused something: if the line asks for nothing without it either, the mail
 * met the demand. */
static bool drop_unused_exemptions(struct ruling *r, bool early)
{
    bool any = false;

    for (size_t i = 0; i < r->count; i++)
        any = any || r->lines[i].exemption;
    struct ruling *strict = any ? asked_again(r, r->whose, true, early) : NULL;
    for (size_t i = 0; strict && i < r->count; i++) {
        struct verdict_line *l = &r->lines[i];
        const struct verdict_line *without = l->exemption ? line_about(strict, l) : NULL;
        if (without && without->action == POLICY_DELIVER)
            *l = *without;
    }
    return !any || strict;
}

/* Judges by the recipient's own file too: of that and the operator's statements, the more severe action counts. */
static bool add_customers(struct ruling *r, bool early)
{
    if (!r->rcpt || !policy_has_customers(r->p))
        return true;
    struct ruling *customer = asked_again(r, POLICY_WHOSE_CUSTOMER, false, early);
    for (size_t i = 0; customer && i < customer->count; i++) {
        const struct verdict_line *asks = &customer->lines[i];
        struct verdict_line *l = line_about(r, asks);
        if (!asks->statement || !asks->statement->tightens)
            continue;
        if (!l && r->count < RULE_LINES)
            r->lines[r->count++] = *asks;
        else if (l && (in_force(asks) > in_force(l) ||
                       (in_force(asks) == in_force(l) && asks->action >= l->action && asks->level > l->level)))
            *l = *asks;
    }
    return customer != NULL;
}

static enum status decide_verdict(struct arena *a, const struct facts *f, const struct policy *p, const char *rcpt,
                                  time_t at, const char *paused, bool early, struct verdict *out)
{
    struct ruling *r = new_ruling(a);
    struct verdict_line *lines;

    *out = (struct verdict){.action = POLICY_DEFER, .would = POLICY_DEFER, .policy_hash = policy_hash(p)};
    if (!r)
        return STATUS_NOMEM;
    out->dry_run = policy_dry_run(p, f->listener);
    r->arena = a;
    r->f = f;
    r->p = p;
    r->rcpt = rcpt;
    r->at = at;
    if (!judge_source_is_judged(f->source)) {
        out->skipped = judge_source_name(f->source);
        if (f->source == JUDGE_SUBMISSION && !early)
            rule_own_from(r);
    } else {
        r->whose = POLICY_WHOSE_OPERATOR;
        run_rules(r, early);
        if (!drop_unused_exemptions(r, early) || !add_customers(r, early))
            return STATUS_NOMEM;
    }
    lines = ARENA_ARRAY(a, struct verdict_line, r->count + 1);
    for (size_t i = 0; i < r->count; i++)
        if (!r->lines[i].reason)
            return STATUS_NOMEM;
    if (!lines)
        return STATUS_NOMEM;
    take_lines(r, paused, out);
    tell_override(f, out);
    memcpy(lines, r->lines, r->count * sizeof *lines);
    out->lines = lines;
    out->line_count = r->count;
    return STATUS_OK;
}

const char *verdict_line_name(const struct verdict_line *l)
{
    return l->statement && l->statement->own_from ? "own-from" : standard_name(l->standard);
}

enum status verdict_decide(struct arena *a, const struct facts *f, const struct policy *p, const char *rcpt, time_t at,
                           const char *paused, struct verdict *out)
{
    return decide_verdict(a, f, p, rcpt, at, paused, false, out);
}

enum status verdict_decide_early(struct arena *a, const struct facts *f, const struct policy *p, const char *rcpt,
                                 time_t at, const char *paused, struct verdict *out)
{
    return decide_verdict(a, f, p, rcpt, at, paused, true, out);
}

const struct verdict_line *verdict_deciding(const struct verdict *v)
{
    if (v->action == POLICY_DELIVER || v->line_count == 0)
        return NULL;
    return &v->lines[0];
}

const struct verdict_line *verdict_would_line(const struct verdict *v)
{
    for (size_t i = 0; i < v->line_count; i++)
        if (v->lines[i].action == v->would && v->would > POLICY_DELIVER)
            return &v->lines[i];
    return NULL;
}

const char *verdict_override_name(enum verdict_override o)
{
    static const char *const names[] = {NULL,   "local_policy", "mailing_list", "trusted_forwarder", "policy_test_mode",
                                        "other"};
    return o <= OVERRIDE_OTHER ? names[o] : NULL;
}
