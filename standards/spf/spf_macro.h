// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_macro.h - SPF macros: their grammar and their expansion (RFC 7208 section 7). Used by the spf_* files, and by
 * check/tests_spf.c.
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_MACRO_H
#define ASSAY_STANDARDS_SPF_SPF_MACRO_H

#include "base/buf.h"
#include "base/ip.h"
#include "base/slice.h"

enum spf_macro_use {
    SPF_MACRO_STRING,      /* the value of an unknown modifier, which is ignored: macro-string, any letter */
    SPF_MACRO_DOMAIN,      /* domain-spec: must end in "." toplabel or in a macro; not the letters c, r, t */
    SPF_MACRO_EXPLANATION, /* explain-string: any letter, and blanks */
};

/* What the letters stand for. */
struct spf_macro_values {
    struct slice local;                  /* l */
    const char *sender_domain;           /* o; s is local@o */
    const char *domain;                  /* d: the domain whose record is being evaluated */
    const char *helo;                    /* h */
    const char *receiver;                /* r */
    struct ip client;                    /* i c v */
    const char *(*validated)(void *arg); /* p; asked only where it is used */
    void *arg;
};

/* NULL, or what is wrong with the text (static words). Pure. */
const char *spf_macro_check(struct slice text, enum spf_macro_use use);

/* Tells whether the text expands to the same whatever the mail and its client: it has no macro but %{d} and %{o}, which
 * is the domain that is asked about. */
bool spf_macro_is_fixed(struct slice text);

/* Expands text that spf_macro_check found right, to out. STATUS_LIMIT: longer than LIMIT_SPF_EXPANSION. */
enum status spf_macro_expand(struct slice text, const struct spf_macro_values *values, struct buf *out) MUST_CHECK;

/* Expands a domain-spec to a name to ask for (dns.h text form: \DDD where DNS text needs it), cut from the left to 253
 * octets (7.3). Whether it is a domain name shows when it is asked for. */
enum status spf_macro_domain(struct slice text, const struct spf_macro_values *values, struct buf *out) MUST_CHECK;

#endif
