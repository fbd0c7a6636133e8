// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_record.h - the text of an SPF record as terms (RFC 7208 sections 4.5, 4.6.1, 12). Used by the spf_* files only.
 *
 * Pure; any thread. What comes out points into the text given and lives in the arena.
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_RECORD_H
#define ASSAY_STANDARDS_SPF_SPF_RECORD_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/standard.h"

enum spf_term_kind {
    SPF_TERM_ALL,
    SPF_TERM_INCLUDE,
    SPF_TERM_A,
    SPF_TERM_MX,
    SPF_TERM_PTR,
    SPF_TERM_IP4,
    SPF_TERM_IP6,
    SPF_TERM_EXISTS,
    SPF_TERM_KINDS,
};

struct spf_term {
    enum spf_term_kind kind;
    enum result qualifier; /* PASS FAIL SOFTFAIL NEUTRAL */
    struct slice text;     /* as published */
    struct slice domain;   /* domain-spec; n == 0: none was given */
    uint8_t bits4, bits6;  /* of a and mx; 32 and 128 if not given */
    struct ip_net net;     /* of ip4 and ip6 */
};

struct spf_record {
    struct spf_term *terms; /* mechanisms in order */
    size_t count;
    struct slice redirect, redirect_text; /* domain-spec, and the whole modifier; n == 0: none */
    struct slice exp;
};

/* Tells whether a TXT text is an SPF record: "v=spf1", any case, then a blank or the end (4.5). */
bool spf_record_is(struct slice text);

/* Tells whether it is exactly "-all": the domain says that it sends no mail (10.1.2). */
bool spf_record_sends_nothing(const struct spf_record *r);

/* STATUS_INVALID: a syntax error anywhere in it (4.6: permerror), *reason says where. STATUS_NOMEM. */
enum status spf_record_parse(struct arena *arena, struct slice text, struct spf_record *out,
                             const char **reason) MUST_CHECK;

#endif
