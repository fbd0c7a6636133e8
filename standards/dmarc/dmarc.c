// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc.c - DMARC of one message by RFC 9989: asks DNS, in the order that dmarc_eval.h gives, and returns the finding.
 *
 * All names that may be needed are asked before the first answer is awaited. Promises a finding in every case: when
 * memory runs out, it is RESULT_TEMPERROR and the status says so. Whether the From domain exists is asked (by MX, which
 * posture checks ask too) only where a record above it has np, and if nothing below it has been seen to exist: a name
 * below which there is something exists (RFC 8020).
 */
#include "base/domain.h"
#include "standards/dmarc/dmarc_eval.h"

void dmarc_start(struct dns_scope *scope, const char *from_domain)
{
    if (from_domain)
        dmarc_walk_start(scope, from_domain);
}

/* Asks for the walks that will be needed where the From domain's organisation is what it looks like: the last two
 * labels. A guess that only saves waiting; what is needed is decided in dmarc_eval.c. */
static void start_likely_walks(struct dns_scope *scope, const char *author, const struct dmarc_identifier *ids,
                               size_t n)
{
    const char *likely = domain_suffix(author, 2);
    for (size_t i = 0; i < n; i++)
        if (ids[i].domain && ids[i].result == RESULT_PASS && domain_is_within(ids[i].domain, likely) &&
            strcmp(ids[i].domain, author) != 0)
            dmarc_walk_start(scope, ids[i].domain);
}

static void check_existence(struct dns_scope *scope, struct dmarc_eval *e)
{
    struct dmarc_finding *f = e->f;
    enum dns_state below = f->walk->author->state;
    e->existence_security = DNS_SECURE;
    f->exists = DMARC_EXISTS;
    if (below == DNS_FOUND || below == DNS_NODATA)
        return;
    const struct dns_answer *a = dns_get(scope, f->domain, DNS_MX);
    e->existence_security = a->security;
    if (a->state == DNS_NXDOMAIN && !a->canonical)
        f->exists = DMARC_EXISTS_NOT;
    else if (a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
        f->exists = DMARC_EXISTENCE_UNKNOWN;
}

/* The organisation of identifier i, by its own walk or by the list. False: out of memory. */
static bool find_organisation(struct dns_scope *scope, struct dmarc_eval *e, size_t i)
{
    const char *domain = e->identifiers[i].domain;
    if (e->f->psl)
        return (e->aligned[i].org_domain = dmarc_psl_organisation(e->arena, domain)) != NULL;
    const struct dmarc_walk *w = dmarc_walk(scope, e->arena, domain);
    if (!w)
        return false;
    e->aligned[i].walk = w;
    e->aligned[i].org_domain = w->org_domain;
    return true;
}

/* Identifiers that passed come first, so that the budget of look-ups is theirs. False: out of memory. */
static bool find_organisations(struct dns_scope *scope, struct dmarc_eval *e)
{
    static const enum result order[] = {RESULT_PASS, RESULT_TEMPERROR, RESULT_COUNT};
    for (size_t o = 0; o < sizeof order / sizeof order[0]; o++)
        for (size_t i = 0; i < e->count; i++) {
            bool done = e->aligned[i].walk || e->aligned[i].org_domain;
            if (done || !dmarc_eval_wants_walk(e, i) ||
                (order[o] != RESULT_COUNT && e->identifiers[i].result != order[o]))
                continue;
            if (!find_organisation(scope, e, i))
                return false;
        }
    return true;
}

static enum status out_of_memory(struct dmarc_finding *out, const char *domain)
{
    *out = (struct dmarc_finding){.result = RESULT_TEMPERROR, .reason = "out of memory", .domain = domain};
    return STATUS_NOMEM;
}

/* Walks, existence and evaluation; f->domain and f->walk are set. False: out of memory. */
static bool evaluate(struct dns_scope *scope, struct dmarc_eval *e)
{
    dmarc_eval_policy(e);
    if (dmarc_eval_wants_existence(e))
        check_existence(scope, e);
    if (!find_organisations(scope, e))
        return false;
    dmarc_eval_result(e);
    return !arena_failed(e->arena);
}

/* Asks for what is likely to be needed, and gets the walk of the From domain. */
static const struct dmarc_walk *first_walk(struct dns_scope *scope, const struct dmarc_eval *e)
{
    const char *domain = e->f->domain;
    if (e->f->psl)
        return dmarc_psl_walk(scope, e->arena, domain);
    dmarc_walk_start(scope, domain);
    start_likely_walks(scope, domain, e->identifiers, e->count);
    return dmarc_walk(scope, e->arena, domain);
}

static enum status from_domain_check(struct dns_scope *scope, struct arena *arena, const char *from_domain,
                                     const struct dmarc_identifier *identifiers, size_t n, bool psl,
                                     struct dmarc_finding *out)
{
    *out = (struct dmarc_finding){.result = RESULT_NONE, .reason = "no From domain to ask about", .psl = psl};
    if (!from_domain)
        return STATUS_OK;
    struct dmarc_eval e = {.arena = arena, .identifiers = identifiers, .count = n, .f = out};
    out->domain = arena_strdup(arena, from_domain);
    e.aligned = ARENA_ARRAY(arena, struct dmarc_aligned, n);
    if (!out->domain || !e.aligned)
        return out_of_memory(out, NULL);
    enum limit_kind limit = dns_scope_limit(scope); /* limits reached by others do not matter here */
    out->aligned = e.aligned;
    out->aligned_count = n;
    out->walk = first_walk(scope, &e);
    if (!out->walk || !evaluate(scope, &e))
        return out_of_memory(out, out->domain);
    limit = dns_scope_limit(scope);
    if (out->result == RESULT_TEMPERROR && out->dns_failed)
        out->limit = limit;
    return STATUS_OK;
}

enum status dmarc_check(struct dns_scope *scope, struct arena *arena, const char *from_domain,
                        const struct dmarc_identifier *identifiers, size_t n, struct dmarc_finding *out)
{
    return from_domain_check(scope, arena, from_domain, identifiers, n, false, out);
}

enum status dmarc_check_psl(struct dns_scope *scope, struct arena *arena, const char *from_domain,
                            const struct dmarc_identifier *identifiers, size_t n, struct dmarc_finding *out)
{
    return from_domain_check(scope, arena, from_domain, identifiers, n, true, out);
}

int dmarc_severity(const struct dmarc_finding *f)
{
    switch (f->result) {
    case RESULT_FAIL:
        return 10 + (int)f->policy;
    case RESULT_TEMPERROR:
        return 5;
    case RESULT_PERMERROR:
        return 4;
    case RESULT_PASS:
        return 0;
    default:
        return 3;
    }
}

/* Copies the names to be checked, those of fewest labels first, else in their order. Returns how many. */
static size_t cheapest_first(const char *const *domains, size_t n, const char *out[DMARC_AUTHORS_MAX])
{
    size_t count = n < DMARC_AUTHORS_MAX ? n : DMARC_AUTHORS_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at && domain_labels(out[at - 1]) > domain_labels(domains[i]); at--)
            out[at] = out[at - 1];
        out[at] = domains[i];
    }
    return count;
}

enum status dmarc_check_authors(struct dns_scope *scope, struct arena *arena, const char *const *from_domains,
                                size_t n_domains, const struct dmarc_identifier *identifiers, size_t n, bool psl,
                                struct dmarc_finding *out)
{
    const char *authors[DMARC_AUTHORS_MAX];
    size_t checked = cheapest_first(from_domains, n_domains, authors);
    *out = (struct dmarc_finding){.result = RESULT_NONE, .reason = "no From domain to ask about", .psl = psl};
    for (size_t i = 0; i < checked && !psl; i++)
        dmarc_start(scope, authors[i]);
    for (size_t i = 0; i < checked; i++) {
        struct dmarc_finding f;
        enum status s = from_domain_check(scope, arena, authors[i], identifiers, n, psl, &f);
        if (s != STATUS_OK)
            return out_of_memory(out, authors[i]);
        if (i == 0 || dmarc_severity(&f) > dmarc_severity(out))
            *out = f;
    }
    if (checked < n_domains && dmarc_severity(out) <= dmarc_severity(&(struct dmarc_finding){.result = RESULT_NONE})) {
        out->result = RESULT_PERMERROR;
        out->reason = "more From domains than are checked";
    }
    return STATUS_OK;
}
