// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_check.h - what one SPF check keeps while it runs, between spf_eval.c (check_host, RFC 7208 section 4) and
 * spf_mech.c (section 5).
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_CHECK_H
#define ASSAY_STANDARDS_SPF_SPF_CHECK_H

#include "standards/spf/spf.h"
#include "standards/spf/spf_macro.h"
#include "standards/spf/spf_range.h"
#include "standards/spf/spf_record.h"

struct spf_check {
    struct dns_scope *scope;
    struct arena *arena;
    const struct spf_input *in;
    struct spf_macro_values values;
    unsigned terms, voids;
    bool any_answer;
    enum dns_security security;
    bool counting; /* what passes in the record at hand makes the whole check pass */
    struct spf_ranges ranges;
    bool plus_all;
    const char *validated; /* value of %{p}, once found out for `validated_for` */
    const char *validated_for;
    const char *reason; /* of the error that ends the check */
    struct slice exp;   /* of the record that decided, and its domain */
    const char *exp_domain;
    const char *mechanism;
    bool sends_nothing;
    struct spf_consulted records[LIMIT_SPF_TERMS + 1];
    size_t record_count;
};

enum spf_match { SPF_MATCH, SPF_NO_MATCH, SPF_MATCH_TEMPERROR, SPF_MATCH_PERMERROR };

/* check_host() of RFC 7208 section 4 for `domain`; inside: in an include. */
enum result spf_check_host(struct spf_check *c, const char *domain, bool inside);

/* Tells whether a mechanism matches (5). Counts look-up terms and void look-ups; on an error c->reason is set. */
enum spf_match spf_mechanism_match(struct spf_check *c, const char *domain, const struct spf_term *t);

/* Counts a term that looks up; false: one too many, c->reason is set (4.6.4). */
bool spf_check_count_term(struct spf_check *c);

/* An answer, awaited, its security noted. */
const struct dns_answer *spf_check_get(struct spf_check *c, const char *name, enum dns_type type);

/* The name a term is about: its domain-spec expanded, or `domain`. NULL: c->reason is set (permerror). */
const char *spf_check_target(struct spf_check *c, const char *domain, struct slice spec);

/* %{p}: the client's validated name with regard to `domain`, or "unknown" (7.3). */
const char *spf_check_validated(struct spf_check *c, const char *domain);

/* Words for a failed look-up: "NAME TYPE: no answer in time". */
const char *spf_check_failure(struct spf_check *c, const struct dns_answer *a);

#endif
