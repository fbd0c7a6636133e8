// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_eval.h - from walks to a finding, without DNS. Used by dmarc.c and dmarc_psl.c only; everybody else includes
 * dmarc.h.
 *
 * The order: a walk of the From domain, dmarc_eval_policy(), existence where dmarc_eval_wants_existence() says so, an
 * Organizational Domain for each identifier where dmarc_eval_wants_walk() says so, dmarc_eval_result(). Nothing here
 * asks, waits or keeps state.
 */
#ifndef ASSAY_STANDARDS_DMARC_DMARC_EVAL_H
#define ASSAY_STANDARDS_DMARC_DMARC_EVAL_H

#include "standards/dmarc/dmarc.h"

struct dmarc_eval {
    struct arena *arena;
    const struct dmarc_identifier *identifiers;
    struct dmarc_aligned *aligned; /* as many; walk and org_domain are set by the caller */
    size_t count;
    bool record_unusable; /* a record without usable p and rua: no DMARC processing */
    enum dns_security existence_security;
    struct dmarc_finding *f; /* walk is set by the caller */
};

/* Which record applies, and what it says as far as that is independent of whether the From domain exists (RFC
 * 9989 4.10.1). */
void dmarc_eval_policy(struct dmarc_eval *e);

/* Tells whether it matters that the From domain exists: np is there, and the record is that of a domain above. */
bool dmarc_eval_wants_existence(const struct dmarc_eval *e);

/* Tells whether identifier i can only be judged with a walk of its own. Strict alignment needs none, but the
 * organisation of a name below the author's is asked for by others, too. */
bool dmarc_eval_wants_walk(const struct dmarc_eval *e, size_t i);

/* Alignment of each identifier, and the result. f->exists is set. */
void dmarc_eval_result(struct dmarc_eval *e);

/* One name of a walk, by DNS: fills all of step but its domain. False: out of memory. In dmarc_walk.c. */
bool dmarc_walk_look_up(struct dns_scope *scope, struct arena *arena, struct dmarc_step *step);

/* The RFC 7489 way, dmarc_psl.c: the organisation of a name, and a "walk" of the two names that RFC 7489 asks. NULL:
 * out of memory. */
const char *dmarc_psl_organisation(struct arena *arena, const char *domain);
const struct dmarc_walk *dmarc_psl_walk(struct dns_scope *scope, struct arena *arena, const char *start);

#endif
