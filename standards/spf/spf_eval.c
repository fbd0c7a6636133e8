// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_eval.c - check_host() of RFC 7208 section 4: find the record, evaluate its terms in order, follow redirect.
 *
 * Limits hold over the whole check: struct spf_check is one for all includes and redirects. Depth needs no limit of its
 * own, since each level costs one of ten terms. Look-ups that a record's terms will need are started together when it
 * has been read, as many as terms are left; they are awaited, and counted, only when their turn comes.
 *
 * Errors end the check at once and pass through every include: temperror where DNS failed or did not validate,
 * permerror where what is published is wrong or too much (4.6, 4.6.4, 5.2).
 */
#include "base/utf8.h"
#include "dns/dns_parsed.h"
#include "standards/spf/spf_check.h"
#include "standards/spf/spf_engine.h"

bool spf_check_count_term(struct spf_check *c)
{
    if (++c->terms <= LIMIT_SPF_TERMS)
        return true;
    c->reason = "more than 10 terms that look up (RFC 7208 4.6.4)";
    return false;
}

const struct dns_answer *spf_check_get(struct spf_check *c, const char *name, enum dns_type type)
{
    const struct dns_answer *a = dns_get(c->scope, name, type);
    if (a->state == DNS_BADNAME)
        return a;
    if (!c->any_answer || a->state == DNS_BOGUS || (c->security != DNS_BROKEN && a->security < c->security))
        c->security = a->security;
    c->any_answer = true;
    return a;
}

const char *spf_check_failure(struct spf_check *c, const struct dns_answer *a)
{
    const char *text =
        arena_printf(c->arena, "%.300s %s: %s%s", a->name, dns_type_name(a->type),
                     a->state == DNS_BOGUS ? "DNSSEC validation failed: " : "", a->why ? a->why : "no answer");
    return text ? text : "a look-up failed";
}

static const char *validated_now(void *arg)
{
    struct spf_check *c = arg;
    return spf_check_validated(c, c->values.domain);
}

const char *spf_check_target(struct spf_check *c, const char *domain, struct slice spec)
{
    struct buf name = BUF_INIT;
    if (spec.n == 0)
        return domain;
    c->values.domain = domain;
    enum status s = spf_macro_domain(spec, &c->values, &name);
    char *copy = s == STATUS_OK ? arena_copy(c->arena, name.p, name.n) : NULL;
    buf_release(&name);
    if (!copy)
        c->reason = s == STATUS_LIMIT ? "a macro expands to more than a name can hold" : "out of memory";
    return copy;
}

static void keep_record(struct spf_check *c, const char *domain, struct slice text, enum dns_security security)
{
    if (c->record_count < LIMIT_SPF_TERMS + 1)
        c->records[c->record_count++] = (struct spf_consulted){domain, text, security};
}

/* The one SPF record of an answer, read; kept with the answer. */
struct kept_spf {
    enum status status;
    const char *reason;
    struct spf_record record;
};

static void *make_spf(struct arena *arena, const struct slice *texts, size_t count, size_t *outside)
{
    struct kept_spf *k = ARENA_NEW(arena, struct kept_spf);
    for (size_t i = 0; k && i < count; i++)
        if (spf_record_is(texts[i])) {
            k->status = spf_record_parse(arena, texts[i], &k->record, &k->reason);
            break;
        }
    return k && !arena_failed(arena) ? k : NULL;
}

static const struct dns_form spf_form = {make_spf, NULL};

/* 4.4 and 4.5: RESULT_PASS and *answer if it has just one record. */
static enum result find_record(struct spf_check *c, const char *domain, const struct dns_answer **answer)
{
    const struct dns_answer *a = spf_check_get(c, domain, DNS_TXT);
    size_t found = 0;
    if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS) {
        c->reason = spf_check_failure(c, a);
        return RESULT_TEMPERROR;
    }
    for (size_t i = 0; i < a->count; i++) {
        struct slice one = dns_txt(c->scope, a, i);
        if (!spf_record_is(one))
            continue;
        found++;
        keep_record(c, domain, one, a->security);
    }
    if (found > 1) {
        c->reason = arena_printf(c->arena, "%.300s has %zu SPF records; one is allowed (RFC 7208 4.5)", domain, found);
        return RESULT_PERMERROR;
    }
    *answer = a;
    return found ? RESULT_PASS : RESULT_NONE;
}

/* Look-ups of plain names (no macro) that the terms will need, as far as terms are left. */
static void start_terms(struct spf_check *c, const char *domain, const struct spf_record *r)
{
    unsigned left = LIMIT_SPF_TERMS > c->terms ? LIMIT_SPF_TERMS - c->terms : 0;
    for (size_t i = 0; i < r->count && left; i++) {
        const struct spf_term *t = &r->terms[i];
        if (t->kind == SPF_TERM_ALL)
            return;
        if (t->kind == SPF_TERM_IP4 || t->kind == SPF_TERM_IP6)
            continue;
        left--;
        if (t->kind == SPF_TERM_PTR || t->kind == SPF_TERM_EXISTS ||
            memchr(t->domain.p ? t->domain.p : "", '%', t->domain.n))
            continue;
        const char *target = spf_check_target(c, domain, t->domain);
        if (target)
            dns_start(c->scope, target,
                      t->kind == SPF_TERM_INCLUDE ? DNS_TXT
                      : t->kind == SPF_TERM_MX    ? DNS_MX
                      : c->in->client.family == 6 ? DNS_AAAA
                                                  : DNS_A);
    }
}

static void decided_by(struct spf_check *c, const char *domain, const struct spf_record *r, const struct spf_term *t)
{
    c->mechanism = arena_copy(c->arena, t->text.p, t->text.n);
    c->exp = t->qualifier == RESULT_FAIL ? r->exp : SLICE_NULL;
    c->exp_domain = domain;
}

static enum result follow_redirect(struct spf_check *c, const char *domain, const struct spf_record *r, bool inside)
{
    const char *target = spf_check_count_term(c) ? spf_check_target(c, domain, r->redirect) : NULL;
    if (!target)
        return RESULT_PERMERROR;
    enum result result = spf_check_host(c, target, inside);
    if (result == RESULT_NONE) {
        c->reason = arena_printf(c->arena, "redirect to %.300s, which has no SPF record", target);
        return RESULT_PERMERROR;
    }
    return result;
}

/* The terms in order; the first that matches decides (4.6.2, 4.6.3, 4.7). */
static enum result evaluate(struct spf_check *c, const char *domain, const struct spf_record *r, bool inside)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct spf_term *t = &r->terms[i];
        switch (spf_mechanism_match(c, domain, t)) {
        case SPF_MATCH:
            if (!inside)
                decided_by(c, domain, r, t);
            return t->qualifier;
        case SPF_MATCH_TEMPERROR:
            return RESULT_TEMPERROR;
        case SPF_MATCH_PERMERROR:
            return RESULT_PERMERROR;
        case SPF_NO_MATCH:
            break;
        }
        if (arena_failed(c->arena)) {
            c->reason = "out of memory";
            return RESULT_TEMPERROR;
        }
    }
    if (r->redirect.n)
        return follow_redirect(c, domain, r, inside);
    return RESULT_NEUTRAL;
}

/* 4.3: a name of two labels or more. A name that is none at all shows when it is asked for. */
static bool is_qualified(const char *domain)
{
    const char *dot = strchr(domain, '.');
    return dot && dot != domain && dot[1];
}

enum result spf_check_host(struct spf_check *c, const char *domain, bool inside)
{
    const struct dns_answer *answer;
    if (!is_qualified(domain))
        return RESULT_NONE;
    enum result found = find_record(c, domain, &answer);
    if (found != RESULT_PASS)
        return found;
    const struct kept_spf *kept = dns_parsed(c->scope, answer, &spf_form);
    if (!kept) {
        c->reason = "out of memory";
        return RESULT_TEMPERROR;
    }
    if (kept->status != STATUS_OK) {
        const char *where = arena_printf(c->arena, "%.300s: %s", domain, kept->reason);
        c->reason = where ? where : "out of memory";
        return where ? RESULT_PERMERROR : RESULT_TEMPERROR;
    }
    c->sends_nothing = !inside && c->record_count == 1 && spf_record_sends_nothing(&kept->record);
    if (c->counting)
        spf_ranges_add_record(c->arena, &c->ranges, &kept->record, &c->plus_all);
    start_terms(c, domain, &kept->record);
    return evaluate(c, domain, &kept->record, inside);
}

static bool is_plain_ascii(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e)
            return false;
    return true;
}

/* 6.2: whatever is wrong with it, there is no explanation. Its look-up counts against no limit (4.6.4). */
static const char *explain(struct spf_check *c)
{
    if (c->exp.n == 0)
        return NULL;
    const char *target = spf_check_target(c, c->exp_domain, c->exp);
    const struct dns_answer *a = target ? dns_get(c->scope, target, DNS_TXT) : NULL;
    struct slice text = a && a->count == 1 ? dns_txt(c->scope, a, 0) : SLICE_NULL;
    if (!text.p || !is_plain_ascii(text) || spf_macro_check(text, SPF_MACRO_EXPLANATION))
        return NULL;
    struct buf out = BUF_INIT;
    const char *made = NULL;
    c->values.domain = c->exp_domain;
    if (spf_macro_expand(text, &c->values, &out) == STATUS_OK && out.n <= LIMIT_SPF_EXPLANATION &&
        is_plain_ascii(buf_slice(&out)))
        made = arena_copy(c->arena, out.p, out.n);
    buf_release(&out);
    return made;
}

static const char *default_reason(struct spf_check *c, enum result r, const char *domain)
{
    const char *text = NULL;
    char client[IP_TEXT];
    ip_text(&c->in->client, client);
    if (r == RESULT_NONE)
        text = arena_printf(c->arena, "%s has no SPF record", domain);
    else if (c->mechanism)
        text = arena_printf(c->arena, "%s matches \"%.200s\" of %.300s", client, c->mechanism, c->exp_domain);
    else
        text = arena_printf(c->arena, "no term of %s matches %s", domain, client);
    return text ? text : "out of memory";
}

static enum status check_finish(struct spf_check *c, enum result r, struct spf_finding *out)
{
    out->explanation = r == RESULT_FAIL ? explain(c) : NULL;
    bool error = r == RESULT_TEMPERROR || r == RESULT_PERMERROR;
    out->result = r;
    out->mechanism = error || r == RESULT_NONE ? NULL : c->mechanism;
    out->reason = error ? c->reason : default_reason(c, r, out->domain);
    if (!out->reason)
        out->reason = "out of memory";
    struct spf_consulted *records = ARENA_ARRAY(c->arena, struct spf_consulted, c->record_count);
    if (records) {
        memcpy(records, c->records, c->record_count * sizeof *records);
        out->records = records;
        out->record_count = c->record_count;
    }
    out->authorised_v4 = spf_ranges_count(c->arena, c->ranges.v4);
    out->authorised_v6 = spf_ranges_count(c->arena, c->ranges.v6);
    out->plus_all = c->plus_all;
    out->sends_nothing = c->sends_nothing;
    out->security = c->any_answer ? c->security : DNS_UNKNOWN;
    out->terms = c->terms;
    out->voids = c->voids;
    if (!arena_failed(c->arena))
        return STATUS_OK;
    out->result = RESULT_TEMPERROR;
    out->reason = "out of memory";
    return STATUS_NOMEM;
}

enum status spf_check(struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                      enum spf_identity identity, struct spf_finding *out)
{
    struct slice local;
    *out = (struct spf_finding){.result = RESULT_NONE, .identity = identity};
    out->domain = spf_identity_domain(arena, in, identity, &local, &out->reason);
    if (!out->domain)
        return arena_failed(arena) ? STATUS_NOMEM : STATUS_OK;

    struct spf_check *c = ARENA_NEW(arena, struct spf_check);
    if (!c) {
        out->result = RESULT_TEMPERROR;
        out->reason = "out of memory";
        return STATUS_NOMEM;
    }
    c->scope = scope;
    c->arena = arena;
    c->in = in;
    c->counting = true;
    c->values = (struct spf_macro_values){
        .local = local,
        .sender_domain = out->domain,
        .domain = out->domain,
        .helo = in->helo,
        .receiver = in->receiver,
        .client = in->client,
        .validated = validated_now,
        .arg = c,
    };
    return check_finish(c, spf_check_host(c, out->domain, false), out);
}
