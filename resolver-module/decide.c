// SPDX-License-Identifier: BSD-2-Clause
/*
 * decide.c - pass or refuse one DNS answer, by the names that its records stand at and the policy on names.
 *
 * Promises: the same input and policy give the same result; no allocation, no clock but the one handed in (policy_ask
 * reads the time only where `at` is 0). The order of the checks: whether anybody answered; whether the whole answer is
 * secure; then each record set, in the order of the chain, so that the first refused one is named; last the denial, or
 * the proof that a wildcard applies. If anything is unclear the answer is treated as unsigned, never as signed. RFC
 * 4035 4.3 (states), RFC 5155 6 and 9.2 (opt-out), RFC 6672 (DNAME), RFC 7646 (negative trust anchors), RFC 8914
 * (extended errors).
 */
#include "resolver-module/decide.h"
#include "base/domain.h"
#include "policy/policy_settings.h"
#include <string.h>

enum {
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_DNAME = 39,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_NSEC3 = 50,
    TYPE_ANY = 255
};
enum { CLASS_IN = 1 };
enum { RCODE_NOERROR = 0, RCODE_NXDOMAIN = 3, RCODE_YXDOMAIN = 6 };

static const char *const state_names[DECIDE_STATE_COUNT] = {
    "secure", "insecure", "bogus", "indeterminate", "exempt", "suspended", "opt-out", "rewritten", "local", "failed",
};

const char *decide_state_name(enum decide_state s)
{
    return (unsigned)s < DECIDE_STATE_COUNT ? state_names[s] : "?";
}

const char *decide_kept(const char *name)
{
    while (*name && !domain_is_kept(name)) {
        const char *dot = strchr(name, '.');
        if (!dot)
            return NULL;
        name = dot + 1;
    }
    return *name ? name : NULL;
}

bool decide_can_refuse(const struct policy *p)
{
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(p, i)) != NULL; i++)
        if (s->kind == POLICY_NAMES_RULE && s->level == POLICY_REQUIRE)
            return true;
    return false;
}

/* The state of one decision. */
struct decision {
    const struct policy *policy;
    const struct decide_input *in;
    struct decide_result *out;
    /* The policy's answer for one name, cached because the next question is usually about the same name. */
    const char *asked;
    struct policy_answer answer;
    /* The first statement of the chain that asks for the whole chain. */
    bool strictly;
    struct policy_answer strict;
};

static const struct policy_answer *decision_ask(struct decision *d, const char *name)
{
    if (d->asked != name) {
        struct policy_question q = {
            .standard = STANDARD_DNSSEC, .names = true, .who = decide_kept(name), .at = d->in->at};
        policy_ask(d->policy, &q, &d->answer);
        d->asked = name;
    }
    return &d->answer;
}

/* Tells whether this statement only records what it would refuse. */
static bool only_would(const struct policy *p, const struct decide_input *in, const struct policy_answer *a)
{
    return a->trial || in->paused || policy_set_is(p, SETTING_MODE, "dry-run");
}

const struct policy_statement *decide_suspension(const struct policy *p, const char *name, time_t at)
{
    const char *kept = policy_suspends(p) ? decide_kept(name) : NULL;
    return kept ? policy_suspended(p, kept, at) : NULL;
}

/* The suspension that excuses a bogus record set of this owner. */
static const struct policy_statement *suspended(struct decision *d, const char *owner)
{
    const struct policy_statement *s = decide_suspension(d->policy, owner, d->in->at);
    if (!s || (d->in->retired && d->in->retired(d->in->retired_arg, s)))
        return NULL;
    const struct policy_answer *a = decision_ask(d, owner);
    bool always = a->always && a->level == POLICY_REQUIRE && !only_would(d->policy, d->in, a);
    return always ? NULL : s;
}

/* A CNAME made from the DNAME before it (RFC 6672 3.1) is never signed: it counts as that DNAME does. */
static bool is_synthesized(const struct decide_input *in, size_t i)
{
    const struct decide_rrset *r = &in->rrsets[i];
    if (r->type != TYPE_CNAME || i == 0 || r->authority || in->rrsets[i - 1].type != TYPE_DNAME)
        return false;
    const char *above = in->rrsets[i - 1].owner;
    size_t n = strlen(r->owner), m = strlen(above);
    return n > m && strcmp(r->owner + n - m, above) == 0 && (m == 0 || r->owner[n - m - 1] == '.');
}

static enum decide_security security_of(const struct decide_input *in, size_t i)
{
    return in->rrsets[is_synthesized(in, i) ? i - 1 : i].security;
}

/* Tells whether the record set leads on to another name, for this question. */
static bool leads_on(const struct decide_input *in, const struct decide_rrset *r)
{
    return r->type == TYPE_CNAME && in->type != TYPE_CNAME && in->type != TYPE_ANY && !r->authority;
}

/* The name that the chain ends at, and whether the answer says that it has no such data there. */
static const char *chain_end(const struct decide_input *in, bool *denied)
{
    const char *end = in->name;
    bool data = false;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (r->authority || (r->type == TYPE_DNAME && in->type != TYPE_DNAME && in->type != TYPE_ANY))
            continue;
        if (leads_on(in, r) && r->target)
            end = r->target;
        data = !leads_on(in, r);
    }
    *denied = !data;
    return end;
}

static bool proves(const struct decide_rrset *r)
{
    return r->authority && (r->type == TYPE_SOA || r->type == TYPE_NSEC || r->type == TYPE_NSEC3);
}

/* How far the authority section proves a denial or, if nothing is denied, that the wildcard applies: that proof comes
 * without an SOA. */
static enum decide_security denial_security(const struct decide_input *in, bool denied, bool *opt_out)
{
    enum decide_security worst = DECIDE_SECURE;
    bool soa = false, proof = false;
    *opt_out = false;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (!proves(r))
            continue;
        soa |= r->type == TYPE_SOA;
        proof |= r->type != TYPE_SOA;
        *opt_out |= r->opt_out && r->security == DECIDE_SECURE;
        if (r->security < worst)
            worst = r->security;
    }
    if ((denied && !soa) || !proof)
        return in->security < DECIDE_INSECURE ? in->security : DECIDE_INSECURE;
    return worst;
}

/* ---- the words of a refusal ---- */

/* Tells whether an octet is inside a character (UTF-8, RFC 3629 3). */
static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The length of the statement's demand without its reason, which comes last and may be cut. */
static size_t title_length(const char *title)
{
    const char *reason = strstr(title, " because \""), *action = strstr(title, " otherwise ");
    const char *end = title + strlen(title);
    if (reason)
        end = reason;
    if (action && action < end)
        end = action;
    size_t n = end - title < 110 ? (size_t)(end - title) : 110;
    while (n > 0 && is_continuation(title[n]))
        n--;
    return n;
}

/* Adds as much of s as fits, but never part of a character. False if not all of it fits. */
static bool text_add(char text[DECIDE_TEXT], size_t *n, const char *s, size_t length)
{
    size_t room = DECIDE_TEXT - 1 - *n, taken = length < room ? length : room;
    while (taken < length && taken > 0 && is_continuation(s[taken]))
        taken--;
    memcpy(text + *n, s, taken);
    *n += taken;
    return taken == length;
}

static const char *why(enum decide_security how)
{
    if (how == DECIDE_INDETERMINATE)
        return " cannot be validated (no trust anchor)";
    return how == DECIDE_UNCHECKED ? " leads to no answer, and was not validated" : " is not signed";
}

/* Does not use snprintf, which is too slow for every refused answer. */
static void refusal_text(struct decide_result *out, const struct policy_answer *a, const char *owner,
                         enum decide_security how, bool target)
{
    const struct policy_statement *s = a->statement;
    const char *title = s && s->text ? s->text : "require dnssec of names";
    const char *because = a->text ? a->text : s ? s->because : NULL;
    const char *before = !because ? "" : a->text ? ": " : ", because \"";
    const char *const parts[] = {"policy ",
                                 s ? s->id : "?",
                                 ": ",
                                 NULL,
                                 ": ",
                                 owner[0] ? owner : ".",
                                 why(how),
                                 target ? " (end of a chain)" : "",
                                 before,
                                 because ? because : "",
                                 because && !a->text ? "\"" : ""};
    size_t n = 0;
    bool whole = true;
    for (size_t i = 0; whole && i < sizeof parts / sizeof parts[0]; i++)
        whole = parts[i] ? text_add(out->text, &n, parts[i], strlen(parts[i]))
                         : text_add(out->text, &n, title, title_length(title));
    out->text[n] = '\0';
}

void decide_suspension_text(const struct policy_statement *s, char text[DECIDE_TEXT])
{
    const char *title = s && s->text ? s->text : "suspend validation";
    const char *const parts[] = {"policy ",
                                 s ? s->id : "?",
                                 ": ",
                                 NULL,
                                 s && s->because ? ", because \"" : "",
                                 s && s->because ? s->because : "",
                                 s && s->because ? "\"" : ""};
    size_t n = 0;
    bool whole = true;
    for (size_t i = 0; whole && i < sizeof parts / sizeof parts[0]; i++)
        whole =
            parts[i] ? text_add(text, &n, parts[i], strlen(parts[i])) : text_add(text, &n, title, title_length(title));
    text[n] = '\0';
}

/* ---- record set by record set ---- */

/* Refuses the answer. If the refusal is not enforced, `would` is set, and the other record sets are still examined,
 * because one may be bogus. */
static void decision_refuse(struct decision *d, const struct policy_answer *a, const char *owner,
                            enum decide_security how, bool target)
{
    struct decide_result *out = d->out;
    out->subject = owner;
    out->statement = a->statement;
    out->excuse = NULL;
    out->state = how == DECIDE_INDETERMINATE ? DECIDE_STATE_INDETERMINATE : DECIDE_STATE_INSECURE;
    refusal_text(out, a, owner, how, target);
    out->would = only_would(d->policy, d->in, a);
    if (!out->would)
        out->what = DECIDE_REFUSE;
}

/* The exemption that excuses what is unsigned at this owner: from a statement about the name itself, or from an earlier
 * link's `strictly`. */
static const struct policy_statement *exemption_of(struct decision *d, const char *owner)
{
    const struct policy_answer *a = decision_ask(d, owner);
    const char *kept = decide_kept(owner);
    if (a->exemption || !d->strictly || d->strict.always || a->level == POLICY_REQUIRE || !kept)
        return a->exemption;
    return policy_exempt_name(d->policy, kept, d->in->at);
}

/* Judges what is unsigned at `owner`. True if the decision is final. */
static bool judge_owner(struct decision *d, const char *owner, enum decide_security how)
{
    const struct policy_answer *a = decision_ask(d, owner);
    struct decide_result *out = d->out;
    const struct policy_statement *exemption = exemption_of(d, owner);
    const struct policy_answer *by = NULL;
    if (a->level == POLICY_REQUIRE)
        by = a;
    else if (d->strictly && !exemption)
        by = &d->strict;
    if (by && !(out->would && only_would(d->policy, d->in, by))) {
        decision_refuse(d, by, owner, how, by != a);
        return out->what == DECIDE_REFUSE;
    }
    if (out->would)
        return false;
    if (exemption && !out->excuse) {
        out->excuse = exemption;
        out->state = DECIDE_STATE_EXEMPT;
        out->subject = owner;
    } else if (out->state == DECIDE_STATE_SECURE) {
        out->state = how == DECIDE_INDETERMINATE ? DECIDE_STATE_INDETERMINATE : DECIDE_STATE_INSECURE;
        out->subject = owner;
    }
    return false;
}

/* Remembers the first statement of the chain that asks for the whole chain. */
static void look_for_strictly(struct decision *d, const char *owner)
{
    const struct policy_answer *a = decision_ask(d, owner);
    if (!d->strictly && a->strictly && a->level == POLICY_REQUIRE) {
        d->strict = *a;
        d->strictly = true;
    }
}

/* Notes what is excused or changed at this owner, unless a worse state was noted before. */
static void decision_note(struct decision *d, enum decide_state state, const char *owner,
                          const struct policy_statement *excuse)
{
    struct decide_result *out = d->out;
    if (out->would || (out->state != DECIDE_STATE_SECURE && out->state != DECIDE_STATE_REWRITTEN))
        return;
    out->state = state;
    out->subject = owner;
    out->excuse = excuse;
}

static void note_suspended(struct decision *d, const char *owner, const struct policy_statement *s)
{
    struct decide_result *out = d->out;
    out->what = DECIDE_PASS_BOGUS;
    if (out->would)
        return;
    out->state = DECIDE_STATE_SUSPENDED;
    out->subject = owner;
    out->excuse = s;
}

/* The final decision is bogus, without an excuse. The resolver answers SERVFAIL. */
static bool bogus(struct decision *d, const char *owner)
{
    *d->out =
        (struct decide_result){.what = DECIDE_PASS, .record = true, .state = DECIDE_STATE_BOGUS, .subject = owner};
    return true;
}

/* Judges a record set that is bogus, or that the validator did not reach after a bogus one. True if the decision is
 * final. */
static bool judge_broken(struct decision *d, size_t i)
{
    const struct decide_input *in = d->in;
    const struct decide_rrset *r = &in->rrsets[i];
    const struct policy_statement *s = suspended(d, r->owner);
    if (!s || (leads_on(in, r) && !r->target))
        return bogus(d, r->owner);
    note_suspended(d, r->owner, s);
    if (in->followed || !leads_on(in, r))
        return false;
    d->out->what = DECIDE_FOLLOW;
    d->out->keep = i + 1;
    d->out->next = r->target;
    return true;
}

/* Judges the answer's record sets. True if the decision is final. */
static bool judge_chain(struct decision *d)
{
    const struct decide_input *in = d->in;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        enum decide_security how = security_of(in, i);
        bool broken = in->security == DECIDE_BOGUS && how < DECIDE_INDETERMINATE;
        if (r->authority || (r->type == TYPE_RRSIG && !broken))
            continue;
        if (r->local) {
            decision_note(d, DECIDE_STATE_REWRITTEN, r->owner, NULL);
            continue;
        }
        if (broken ? judge_broken(d, i) : how != DECIDE_SECURE && judge_owner(d, r->owner, how))
            return true;
        look_for_strictly(d, r->owner);
    }
    return false;
}

/* Judges the denial or proof of a bogus answer. If every record set of the answer was secure, the proof is the bogus
 * part, and all of it must be excused; otherwise only its bogus record sets. */
static void judge_broken_proof(struct decision *d, const char *end)
{
    const struct decide_input *in = d->in;
    bool blamed = d->out->what == DECIDE_PASS_BOGUS;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (proves(r) && (r->security < DECIDE_INDETERMINATE || !blamed) && !suspended(d, r->owner)) {
            (void)bogus(d, end);
            return;
        }
    }
    if (blamed)
        return;
    const struct policy_statement *s = suspended(d, end);
    if (s)
        note_suspended(d, end, s);
    else
        (void)bogus(d, end);
}

static bool has_broken_proof(const struct decide_input *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (proves(&in->rrsets[i]) && in->rrsets[i].security < DECIDE_INDETERMINATE)
            return true;
    return false;
}

/* Judges what remains after the answer's record sets: a denial, or the proof that a wildcard applies. */
static void judge_proof(struct decision *d)
{
    const struct decide_input *in = d->in;
    bool denied, opt_out = false;
    const char *end = chain_end(in, &denied);
    bool apart = in->followed && d->out->what == DECIDE_PASS_BOGUS; /* the proof answers another question */
    if (denied && in->local_denial) {
        decision_note(d, DECIDE_STATE_REWRITTEN, end, NULL);
        return;
    }
    if (in->security == DECIDE_BOGUS && (!apart || has_broken_proof(in))) {
        judge_broken_proof(d, end);
        return;
    }
    enum decide_security how = denial_security(in, denied, &opt_out);
    if (how < DECIDE_INDETERMINATE && apart)
        how = DECIDE_INSECURE;
    if (!denied && (d->out->state != DECIDE_STATE_SECURE || d->out->would || in->type == TYPE_RRSIG))
        how = DECIDE_SECURE; /* there is an answer, already judged; the authority section is only additional */
    else if (how == DECIDE_SECURE && !opt_out && !apart)
        how = DECIDE_INSECURE; /* signed, but proves nothing: too many NSEC3 iterations (RFC 9276 3.2) */
    if (how != DECIDE_SECURE && judge_owner(d, end, how))
        return;
    /* Every record set of the answer is signed, and yet the answer is not secure: NSEC3 opt-out proves the denial, or
     * that a wildcard applies. */
    if (d->out->state == DECIDE_STATE_SECURE)
        decision_note(d, in->type == TYPE_RRSIG ? DECIDE_STATE_INDETERMINATE : DECIDE_STATE_OPT_OUT, end, NULL);
}

/* ---- the whole ---- */

/* No server answered, or a chain has no end. The content of such a message was not validated: if a statement requires
 * some of it, the reply says so. */
static void judge_failure(struct decision *d)
{
    const struct decide_input *in = d->in;
    d->out->state = DECIDE_STATE_FAILED;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (r->authority || r->local || r->security == DECIDE_SECURE)
            continue;
        const struct policy_answer *a = decision_ask(d, r->owner);
        if (a->level == POLICY_REQUIRE && !only_would(d->policy, in, a)) {
            decision_refuse(d, a, r->owner, r->security < DECIDE_INDETERMINATE ? DECIDE_UNCHECKED : r->security, false);
            return;
        }
    }
}

static void decision_judge(struct decision *d)
{
    const struct decide_input *in = d->in;
    if (in->rcode != RCODE_NOERROR && in->rcode != RCODE_NXDOMAIN && in->rcode != RCODE_YXDOMAIN)
        judge_failure(d);
    else if (in->security == DECIDE_SECURE)
        d->out->state = DECIDE_STATE_SECURE;
    else if (!judge_chain(d))
        judge_proof(d);
}

/* Considers who asked: nothing is refused to the resolver itself, or to a client that validates. */
static void mind_the_asker(struct decision *d)
{
    struct decide_result *out = d->out;
    bool let = out->what == DECIDE_REFUSE && (d->in->own || d->in->client_judges);
    if (let || (out->what == DECIDE_FOLLOW && d->in->client_judges)) {
        out->what = DECIDE_PASS;
        out->withhold = true;
    }
    if (d->in->own)
        out->record = false;
}

void decide(const struct policy *p, const struct decide_input *in, struct decide_result *out)
{
    struct decision d;
    d.policy = p;
    d.in = in;
    d.out = out;
    d.asked = NULL;
    d.strictly = false;
    *out = (struct decide_result){.what = DECIDE_PASS, .subject = in->name, .record = true};
    if (in->class != CLASS_IN) {
        out->state = DECIDE_STATE_LOCAL;
        out->record = false;
        return;
    }
    decision_judge(&d);
    if (out->what != DECIDE_REFUSE && !out->would && out->state != DECIDE_STATE_FAILED) {
        const struct policy_answer *a = decision_ask(&d, out->subject);
        out->record = a->level != POLICY_IGNORE;
        if (out->state == DECIDE_STATE_SECURE && a->exemption) {
            out->excuse = a->exemption;
            out->unneeded = true;
        }
    }
    mind_the_asker(&d);
}

bool decide_beside(const struct policy *p, const struct decide_input *in, const char *owner,
                   enum decide_security security)
{
    struct decision d;
    d.policy = p;
    d.in = in;
    d.asked = NULL;
    if (security == DECIDE_SECURE)
        return true;
    const struct policy_answer *a = decision_ask(&d, owner);
    return security != DECIDE_BOGUS && (a->level != POLICY_REQUIRE || only_would(p, in, a));
}
