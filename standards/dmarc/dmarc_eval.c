// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_eval.c - policy, alignment and result of DMARC (RFC 9989 4.10.1, 4.10.2, 5.3.5, 5.3.6), pure.
 *
 * Promises: RESULT_PASS only with an identifier that passed, counts and is aligned under the published mode;
 * RESULT_FAIL only when no answer that DNS still owes could change it. An Organizational Domain is always its start
 * name or a name above it; therefore it is known without a look-up that most identifiers cannot be aligned, and a
 * stranger's broken DNS cannot turn a fail into a temperror.
 */
#include "standards/dmarc/dmarc_eval.h"
#include "base/buf.h"
#include "base/domain.h"

static bool step_failed(const struct dmarc_step *s)
{
    return s->state == DNS_TEMPFAIL || s->state == DNS_BOGUS;
}

/* ---- policy ---- */

static void choose_source(struct dmarc_finding *f)
{
    const struct dmarc_walk *w = f->walk;
    const struct dmarc_step *step = NULL;
    f->org_domain = w->org_domain;
    if (w->author->record) {
        f->source = DMARC_FROM_AUTHOR;
        step = w->author;
    } else if (step_failed(w->author) || w->unknown) {
        f->dns_failed = true;
        return;
    } else if (w->org) {
        f->source = DMARC_FROM_ORG;
        step = w->org;
    } else if (w->suffix) {
        f->source = DMARC_FROM_PSD;
        step = w->suffix;
    }
    f->record = step ? step->record : NULL;
    f->record_domain = step ? step->domain : NULL;
}

/* "does not contain a valid p tag, or contains an sp or np tag that is not valid"; RFC 7489 knows no np. */
static bool has_bad_request(const struct dmarc_finding *f)
{
    const struct dmarc_record *r = f->record;
    return r->p_state != DMARC_TAG_VALID || r->sp_state == DMARC_TAG_INVALID ||
           (!f->psl && r->np_state == DMARC_TAG_INVALID);
}

void dmarc_eval_policy(struct dmarc_eval *e)
{
    struct dmarc_finding *f = e->f;
    choose_source(f);
    if (!f->record)
        return;
    f->testing = f->record->testing && !f->psl;
    if (has_bad_request(f)) {
        e->record_unusable = f->record->rua_count == 0;
        f->policy_known = !e->record_unusable;
    }
}

bool dmarc_eval_wants_existence(const struct dmarc_eval *e)
{
    const struct dmarc_finding *f = e->f;
    return f->record && f->source != DMARC_FROM_AUTHOR && !f->psl && !has_bad_request(f) &&
           f->record->np_state == DMARC_TAG_VALID;
}

static void eval_publish(struct dmarc_finding *f, const char *tag, enum dmarc_policy p)
{
    snprintf(f->tag, sizeof f->tag, "%s", tag);
    f->policy_known = true;
    f->published = p;
    f->policy = f->testing && p != DMARC_POLICY_NONE ? p - 1 : p;
}

/* 4.10.1: p of the author's own record; np, sp or p of one above. */
static void apply_tag(struct dmarc_eval *e)
{
    struct dmarc_finding *f = e->f;
    const struct dmarc_record *r = f->record;
    if (!r || has_bad_request(f))
        return;
    bool has_sp = r->sp_state == DMARC_TAG_VALID;
    if (f->source == DMARC_FROM_AUTHOR)
        eval_publish(f, "p", r->p);
    else if (f->exists == DMARC_EXISTENCE_UNKNOWN && r->np != (has_sp ? r->sp : r->p))
        f->dns_failed = true;
    else if (f->exists == DMARC_EXISTS_NOT && r->np_state == DMARC_TAG_VALID && !f->psl)
        eval_publish(f, "np", r->np);
    else if (has_sp)
        eval_publish(f, "sp", r->sp);
    else
        eval_publish(f, "p", r->p);
}

/* ---- alignment ---- */

static bool is_strict(const struct dmarc_eval *e, size_t i)
{
    const struct dmarc_record *r = e->f->record;
    return r && (e->identifiers[i].kind == DMARC_SPF ? r->aspf_strict : r->adkim_strict);
}

/* Tells whether two names have any name above them, or themselves, in common: the same top-level label. */
static bool share_a_label(const char *a, const char *b)
{
    return strcmp(domain_suffix(a, 1), domain_suffix(b, 1)) == 0;
}

/* Nothing was found of this identifier: it is named in the reason, and no look-up is spent on it. */
static bool is_none(const struct dmarc_eval *e, size_t i)
{
    return e->identifiers[i].result == RESULT_NONE;
}

bool dmarc_eval_wants_walk(const struct dmarc_eval *e, size_t i)
{
    const char *name = e->identifiers[i].domain, *author = e->f->domain, *org = e->f->org_domain;
    if (!name || !e->f->record || strcmp(name, author) == 0 || is_none(e, i))
        return false;
    return org ? domain_is_within(name, org) : share_a_label(name, author);
}

static enum dmarc_alignment alignment(const struct dmarc_eval *e, size_t i)
{
    const char *name = e->identifiers[i].domain, *author = e->f->domain, *org = e->f->org_domain;
    if (!name)
        return DMARC_UNALIGNED;
    if (strcmp(name, author) == 0)
        return DMARC_ALIGNED;
    if (!e->f->record && e->f->dns_failed)
        return share_a_label(name, author) ? DMARC_ALIGNMENT_UNKNOWN : DMARC_UNALIGNED;
    if (is_strict(e, i) || !dmarc_eval_wants_walk(e, i))
        return DMARC_UNALIGNED;
    const char *own = e->aligned[i].org_domain;
    if (org && own)
        return strcmp(org, own) == 0 ? DMARC_ALIGNED : DMARC_UNALIGNED;
    /* One of the two is open. The open one is its own name or above it, so it can only be the other where that holds.
     */
    if (own && !domain_is_within(author, own))
        return DMARC_UNALIGNED;
    return DMARC_ALIGNMENT_UNKNOWN;
}

static void align(struct dmarc_eval *e)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct dmarc_identifier *id = &e->identifiers[i];
        struct dmarc_aligned *a = &e->aligned[i];
        a->alignment = alignment(e, i);
        a->identical = id->domain && strcmp(id->domain, e->f->domain) == 0;
        a->passes = id->result == RESULT_PASS && id->counts && a->alignment == DMARC_ALIGNED;
        if (a->passes && id->kind == DMARC_SPF)
            e->f->spf_aligned = true;
        if (a->passes && id->kind == DMARC_DKIM)
            e->f->dkim_aligned = true;
        if (a->passes && a->identical)
            e->f->identical_pass = true;
    }
}

/* ---- security ---- */

static int badness(enum dns_security s)
{
    return s == DNS_SECURE ? 0 : s == DNS_INSECURE ? 1 : s == DNS_UNKNOWN ? 2 : 3;
}

static enum dns_security worse(enum dns_security a, enum dns_security b)
{
    return badness(a) >= badness(b) ? a : b;
}

static enum dns_security walk_security(const struct dmarc_walk *w)
{
    enum dns_security s = DNS_SECURE;
    for (size_t i = 0; w && i < w->count; i++)
        if (w->steps[i].state != DNS_BADNAME)
            s = worse(s, w->steps[i].security);
    return s;
}

/* The answers that told the record that applies. */
static enum dns_security policy_security(const struct dmarc_eval *e)
{
    const struct dmarc_finding *f = e->f;
    enum dns_security s = f->source == DMARC_FROM_AUTHOR ? f->walk->author->security : walk_security(f->walk);
    return f->exists == DMARC_EXISTENCE_UNASKED ? s : worse(s, e->existence_security);
}

/* What it took to tell that identifier i is aligned, or is not. */
static enum dns_security alignment_security(const struct dmarc_eval *e, size_t i)
{
    if (e->aligned[i].identical || is_strict(e, i) || !e->identifiers[i].domain)
        return DNS_SECURE;
    return worse(walk_security(e->f->walk), walk_security(e->aligned[i].walk));
}

/* A pass depends on its best identifier only; everything else on all of them. */
static enum dns_security needed_security(const struct dmarc_eval *e)
{
    enum dns_security all = DNS_SECURE, best = DNS_BROKEN;
    for (size_t i = 0; i < e->count; i++) {
        enum dns_security s = alignment_security(e, i);
        if (e->aligned[i].passes && badness(s) < badness(best))
            best = s;
        if (e->identifiers[i].result == RESULT_PASS && e->identifiers[i].counts)
            all = worse(all, s);
    }
    return worse(policy_security(e), e->f->result == RESULT_PASS ? best : all);
}

/* ---- result ---- */

static bool could_pass(const struct dmarc_eval *e, size_t i, enum result result)
{
    return e->identifiers[i].result == result && e->identifiers[i].counts && e->aligned[i].alignment != DMARC_UNALIGNED;
}

/* Which bound kept those back that might have passed: if one of them failed for another reason, that one may still pass
 * later. */
static enum limit_kind could_pass_limit(const struct dmarc_eval *e)
{
    enum limit_kind least = LIMIT_OF_MESSAGE;
    for (size_t i = 0; i < e->count; i++)
        if (could_pass(e, i, RESULT_TEMPERROR) && e->identifiers[i].limit < least)
            least = e->identifiers[i].limit;
    return least;
}

static void eval_say(struct dmarc_eval *e, enum result result, const char *reason)
{
    e->f->result = result;
    e->f->reason = reason ? reason : "out of memory";
}

static void say_pass(struct dmarc_eval *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->aligned[i].passes) {
            const char *what = e->identifiers[i].kind == DMARC_SPF ? "SPF" : "DKIM";
            const char *how = e->aligned[i].identical ? "is the From domain" : "is of the same organisation";
            eval_say(e, RESULT_PASS,
                     arena_printf(e->arena, "%s passes for %s, which %s", what, e->identifiers[i].domain, how));
            return;
        }
}

static void say_none(struct dmarc_eval *e)
{
    const struct dmarc_walk *w = e->f->walk;
    for (size_t i = 0; i < w->count; i++)
        if (w->steps[i].records > 1) {
            eval_say(e, RESULT_NONE,
                     arena_printf(e->arena, "several DMARC records at _dmarc.%s count as none", w->steps[i].domain));
            return;
        }
    eval_say(e, RESULT_NONE, arena_printf(e->arena, "no DMARC record for %s", e->f->domain));
}

/* The name at which DNS failed, for the reason. */
static const char *failed_name(const struct dmarc_eval *e, const char **how)
{
    for (size_t k = 0; k <= e->count; k++) {
        const struct dmarc_walk *w = k == 0 ? e->f->walk : e->aligned[k - 1].walk;
        for (size_t i = 0; w && i < w->count; i++)
            if (step_failed(&w->steps[i])) {
                *how = w->steps[i].state == DNS_BOGUS ? "is bogus" : "could not be looked up";
                return w->steps[i].domain;
            }
    }
    *how = "could not be told to exist or not";
    return NULL;
}

static void say_dns_failed(struct dmarc_eval *e)
{
    const char *how, *name = failed_name(e, &how);
    e->f->dns_failed = true;
    eval_say(e, RESULT_TEMPERROR,
             name ? arena_printf(e->arena, "_dmarc.%s %s", name, how)
                  : arena_printf(e->arena, "%s %s", e->f->domain, how));
}

/* What was found instead, for the reason: "SPF: fail for a.example; DKIM: none". Of several signatures the first
 * FOUND_SHOWN are named. */
#define FOUND_SHOWN 2
static void add_found(const struct dmarc_eval *e, enum dmarc_kind kind, struct buf *out)
{
    size_t shown = 0, more = 0;
    const char *nothing = kind == DMARC_SPF ? "no domain to ask" : "no signature";
    for (size_t i = 0; i < e->count; i++) {
        const struct dmarc_identifier *id = &e->identifiers[i];
        if (id->kind != kind)
            continue;
        if (!id->domain) {
            nothing = "no signature that can be read";
            continue;
        }
        if (shown == FOUND_SHOWN) {
            more++;
            continue;
        }
        const char *not_counted = id->result == RESULT_PASS && !id->counts ? ", which does not count" : "";
        buf_printf(out, "%s%s for %s%s", shown ? ", " : "", result_name(id->result), id->domain, not_counted);
        shown++;
    }
    if (more)
        buf_printf(out, " and %zu more", more);
    if (!shown)
        buf_adds(out, nothing);
}

static void say_fail(struct dmarc_eval *e)
{
    struct buf b = BUF_INIT;
    buf_printf(&b, "neither SPF nor DKIM passes for a domain aligned with %s (SPF: ", e->f->domain);
    add_found(e, DMARC_SPF, &b);
    buf_adds(&b, "; DKIM: ");
    add_found(e, DMARC_DKIM, &b);
    buf_addc(&b, ')');
    eval_say(e, RESULT_FAIL, b.failed ? NULL : arena_copy(e->arena, b.p, b.n));
    buf_release(&b);
}

static void decide_finding(struct dmarc_eval *e)
{
    struct dmarc_finding *f = e->f;
    if (!f->record && !f->dns_failed) {
        say_none(e);
        return;
    }
    if (e->record_unusable) {
        eval_say(e, RESULT_PERMERROR,
                 arena_printf(e->arena, "the DMARC record of %s has no usable policy", f->record_domain));
        return;
    }
    if (!f->record) {
        say_dns_failed(e);
        return;
    }
    if (f->spf_aligned || f->dkim_aligned) {
        say_pass(e);
        return;
    }
    for (size_t i = 0; i < e->count; i++)
        if (could_pass(e, i, RESULT_PASS)) {
            say_dns_failed(e);
            return;
        }
    for (size_t i = 0; i < e->count; i++)
        if (could_pass(e, i, RESULT_TEMPERROR)) {
            f->temp_could_have_aligned = true;
            f->limit = could_pass_limit(e);
            eval_say(e, RESULT_TEMPERROR,
                     arena_printf(e->arena, "%s of %s could not be checked now",
                                  e->identifiers[i].kind == DMARC_SPF ? "SPF" : "DKIM", e->identifiers[i].domain));
            return;
        }
    if (f->dns_failed)
        say_dns_failed(e);
    else
        say_fail(e);
}

void dmarc_eval_result(struct dmarc_eval *e)
{
    apply_tag(e);
    align(e);
    decide_finding(e);
    if (e->f->result == RESULT_PASS)
        e->f->dns_failed = false;
    e->f->security = needed_security(e);
}
