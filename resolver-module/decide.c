// SPDX-License-Identifier: BSD-2-Clause
/*
 * decide.c - pass or refuse one DNS answer, by its owners and the policy on names.
 *
 * Promises: the same input and policy give the same result; no allocation, no clock but the one handed in (policy_ask
 * reads the time only where `at` is 0). Order of the questions: did anybody answer; is it bogus (and suspended); was it
 * rewritten by local will; is all of it secure; and only then owner by owner, in the order of the chain, so that the
 * first unsigned owner that the policy requires is the one named. On anything unclear the answer is treated as
 * unsigned, never as signed. RFC 4035 4.3 (states), RFC 5155 6 and 9.2 (opt-out), RFC 6672 (DNAME), RFC 7646 (negative
 * trust anchors), RFC 8914 (extended errors).
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

/* The policy's answer on one name, kept for the next question: mostly it is about the same name. */
struct asked {
    const char *name;
    struct policy_answer answer;
};

static const struct policy_answer *ask(const struct policy *p, const char *name, time_t at, struct asked *memory)
{
    if (memory->name != name) {
        struct policy_question q = {.standard = STANDARD_DNSSEC, .names = true, .who = decide_kept(name), .at = at};
        policy_ask(p, &q, &memory->answer);
        memory->name = name;
    }
    return &memory->answer;
}

static const struct policy_statement *suspended(const struct policy *p, const struct decide_input *in, const char *name)
{
    const char *kept = policy_suspends(p) ? decide_kept(name) : NULL;
    const struct policy_statement *s = kept ? policy_suspended(p, kept, in->at) : NULL;
    return s && in->retired && in->retired(in->retired_arg, s) ? NULL : s;
}

/* A CNAME made from the DNAME before it (RFC 6672 3.1) is never signed: it is as good as that DNAME. */
static enum decide_security security_of(const struct decide_input *in, size_t i)
{
    const struct decide_rrset *r = &in->rrsets[i];
    if (r->type == TYPE_CNAME && i > 0 && !r->authority) {
        const struct decide_rrset *d = &in->rrsets[i - 1];
        size_t n = strlen(r->owner), m = strlen(d->owner);
        if (d->type == TYPE_DNAME && n > m && strcmp(r->owner + n - m, d->owner) == 0 &&
            (m == 0 || r->owner[n - m - 1] == '.'))
            return d->security;
    }
    return r->security;
}

/* The name that the chain ends at, and whether the answer says that it has no such data there. */
static const char *chain_end(const struct decide_input *in, bool *denied)
{
    const char *end = in->name;
    bool data = false;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (r->authority || r->type == TYPE_DNAME)
            continue;
        bool chain = r->type == TYPE_CNAME && in->type != TYPE_CNAME && in->type != TYPE_ANY;
        if (chain && r->target)
            end = r->target;
        data = !chain;
    }
    *denied = !data;
    return end;
}

/* How far the authority section proves a denial, or (not denied) a wildcard's right to speak: that has no SOA beside
 * it. */
static enum decide_security denial_security(const struct decide_input *in, bool denied, bool *opt_out)
{
    enum decide_security worst = DECIDE_SECURE;
    bool soa = false, proof = false;
    *opt_out = false;
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (!r->authority || (r->type != TYPE_SOA && r->type != TYPE_NSEC && r->type != TYPE_NSEC3))
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

/* What the statement asks, without its reason: that comes last, and may be cut. */
static int title_length(const char *title)
{
    const char *reason = strstr(title, " because \""), *action = strstr(title, " otherwise ");
    const char *end = title + strlen(title);
    if (reason)
        end = reason;
    if (action && action < end)
        end = action;
    return end - title < 110 ? (int)(end - title) : 110;
}

/* Adds to the text what of s fits; false where some did not. */
static bool add(struct decide_result *out, size_t *n, const char *s, size_t length)
{
    size_t room = sizeof out->text - 1 - *n, taken = length < room ? length : room;
    memcpy(out->text + *n, s, taken);
    *n += taken;
    return taken == length;
}

/* Not by snprintf: every refused answer comes by here. */
static void words(struct decide_result *out, const struct policy_answer *a, const char *owner, enum decide_security how,
                  bool target)
{
    const struct policy_statement *s = a->statement;
    const char *title = s && s->text ? s->text : "require dnssec of names";
    const char *because = a->text ? a->text : s ? s->because : NULL;
    const char *const parts[] = {"policy ",
                                 s ? s->id : "?",
                                 ": ",
                                 NULL,
                                 ": ",
                                 owner[0] ? owner : ".",
                                 how == DECIDE_INDETERMINATE ? " cannot be validated (no trust anchor)"
                                                             : " is not signed",
                                 target ? " (end of a chain)" : "",
                                 !because  ? ""
                                 : a->text ? ": "
                                           : ", because \"",
                                 because ? because : "",
                                 because && !a->text ? "\"" : ""};
    bool whole = true;
    size_t n = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        whole &= parts[i] ? add(out, &n, parts[i], strlen(parts[i])) : add(out, &n, title, (size_t)title_length(title));
    out->text[n] = '\0';
    if (!whole) /* a cut must not end within a character */
        for (char *e = out->text + n - 1; e > out->text && (*e & 0x80); e--)
            *e = '\0';
}

static void refuse(const struct policy *p, const struct decide_input *in, const struct policy_answer *a,
                   const char *owner, enum decide_security how, bool target, struct decide_result *out)
{
    out->subject = owner;
    out->statement = a->statement;
    out->state = how == DECIDE_INDETERMINATE ? DECIDE_STATE_INDETERMINATE : DECIDE_STATE_INSECURE;
    words(out, a, owner, how, target);
    out->would = a->trial || in->paused || policy_set_is(p, SETTING_MODE, "dry-run");
    out->what = out->would ? DECIDE_PASS : DECIDE_REFUSE;
}

/* Judges one unsigned owner. True when that ends the matter. strict: the statement of an earlier link that asks for the
 * whole chain, or NULL. */
static bool judge_owner(const struct policy *p, const struct decide_input *in, const char *owner,
                        enum decide_security how, const struct policy_answer *strict, struct asked *memory,
                        struct decide_result *out)
{
    const struct policy_answer *a = ask(p, owner, in->at, memory);
    const struct policy_statement *s = suspended(p, in, owner);
    if (s) {
        out->state = DECIDE_STATE_SUSPENDED;
        out->subject = owner;
        out->excuse = s;
        return false;
    }
    if (a->level == POLICY_REQUIRE) {
        refuse(p, in, a, owner, how, false, out);
        return true;
    }
    if (strict) {
        refuse(p, in, strict, owner, how, true, out);
        return true;
    }
    if (a->exemption && !out->excuse) {
        out->excuse = a->exemption;
        out->state = DECIDE_STATE_EXEMPT;
        out->subject = owner;
    } else if (out->state == DECIDE_STATE_SECURE) {
        out->state = how == DECIDE_INDETERMINATE ? DECIDE_STATE_INDETERMINATE : DECIDE_STATE_INSECURE;
        out->subject = owner;
    }
    return false;
}

/* Takes down the first statement on the way that asks for the whole chain. */
static void look_for_strictly(const struct policy_answer *a, struct policy_answer *strict, bool *strictly)
{
    if (!*strictly && a->strictly && a->level == POLICY_REQUIRE) {
        *strict = *a;
        *strictly = true;
    }
}

/* What remains when every record set of the answer was judged: a denial, or a proof that the sets may stand there. */
static bool judge_proof(const struct policy *p, const struct decide_input *in, const struct policy_answer *strict,
                        struct asked *memory, struct decide_result *out)
{
    bool denied, opt_out = false;
    const char *end = chain_end(in, &denied);
    enum decide_security how = denial_security(in, denied, &opt_out);
    if (!denied && (out->state != DECIDE_STATE_SECURE || in->type == TYPE_RRSIG))
        how = DECIDE_SECURE; /* there is an answer, already judged; the authority section only adorns it */
    else if (how == DECIDE_SECURE && !opt_out)
        how = DECIDE_INSECURE; /* signed, but proves nothing: too many NSEC3 iterations (RFC 9276 3.2) */
    if (how != DECIDE_SECURE && judge_owner(p, in, end, how, strict, memory, out))
        return true;
    /* All that stands in the answer is signed, and yet it is not secure: a proof by opt-out (of a denial, or of a
     * wildcard's right to speak). */
    if (out->state == DECIDE_STATE_SECURE) {
        out->state = in->type == TYPE_RRSIG ? DECIDE_STATE_INDETERMINATE : DECIDE_STATE_OPT_OUT;
        out->subject = end;
    }
    return false;
}

/* The message is not secure as a whole: which owner is to blame, and does the policy mind? */
static void judge_chain(const struct policy *p, const struct decide_input *in, struct asked *memory,
                        struct decide_result *out)
{
    struct policy_answer strict;
    bool strictly = false;
    out->state = DECIDE_STATE_SECURE;
    look_for_strictly(ask(p, in->name, in->at, memory), &strict, &strictly);
    for (size_t i = 0; i < in->count; i++) {
        const struct decide_rrset *r = &in->rrsets[i];
        if (r->authority || r->type == TYPE_RRSIG)
            continue;
        enum decide_security how = security_of(in, i);
        if (how != DECIDE_SECURE && judge_owner(p, in, r->owner, how, strictly ? &strict : NULL, memory, out))
            return;
        look_for_strictly(ask(p, r->owner, in->at, memory), &strict, &strictly);
    }
    (void)judge_proof(p, in, strictly ? &strict : NULL, memory, out);
}

/* Which link of the chain broke: the first that is neither proved nor proved unsigned. */
static const char *broken_link(const struct decide_input *in)
{
    bool denied;
    for (size_t i = 0; i < in->count; i++)
        if (!in->rrsets[i].authority && security_of(in, i) < DECIDE_INDETERMINATE)
            return in->rrsets[i].owner;
    return chain_end(in, &denied);
}

static void judge_bogus(const struct policy *p, const struct decide_input *in, struct decide_result *out)
{
    out->subject = broken_link(in);
    out->state = DECIDE_STATE_BOGUS;
    const struct policy_statement *s = suspended(p, in, out->subject);
    if (s) {
        out->state = DECIDE_STATE_SUSPENDED;
        out->excuse = s;
        out->what = DECIDE_PASS_BOGUS;
    }
}

void decide(const struct policy *p, const struct decide_input *in, struct decide_result *out)
{
    struct asked memory;
    memory.name = NULL;
    *out = (struct decide_result){.what = DECIDE_PASS};
    out->subject = in->name;
    out->record = true;
    if (in->class != CLASS_IN) {
        out->state = DECIDE_STATE_LOCAL;
        out->record = false;
        return;
    }
    if (in->rcode != RCODE_NOERROR && in->rcode != RCODE_NXDOMAIN && in->rcode != RCODE_YXDOMAIN) {
        out->state = DECIDE_STATE_FAILED;
        return;
    }
    if (in->security == DECIDE_BOGUS) {
        judge_bogus(p, in, out);
    } else if (in->rewritten) {
        out->state = DECIDE_STATE_REWRITTEN;
    } else if (in->security == DECIDE_SECURE) {
        out->state = DECIDE_STATE_SECURE;
    } else {
        judge_chain(p, in, &memory, out);
    }
    if (out->what == DECIDE_REFUSE || out->would)
        return;
    const struct policy_answer *a = ask(p, out->subject, in->at, &memory);
    out->record = a->level != POLICY_IGNORE;
    if (out->state == DECIDE_STATE_SECURE && a->exemption) {
        out->excuse = a->exemption;
        out->unneeded = true;
    }
}
