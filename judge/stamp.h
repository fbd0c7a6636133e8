// SPDX-License-Identifier: BSD-2-Clause
/*
 * stamp.h - the header fields that a judged message gets, and those that must be removed.
 *
 *   Authentication-Results   RFC 8601, one field, every method that the policy does not ignore, each with its reason
 *   Assay-Verdict            ACTION; statement=ID; policy=HASH [; would=ACTION; held=WHY] [; skipped=SOURCE]
 *                            [; host=NAME; time=SECONDS; proof=HEX]: where there is a fleet's key (fleet.h); not on
 *                            our outgoing mail
 *                            never the policy's text: what the operator thinks of correspondents is private
 *   the quarantine mark      `set quarantine.header`, if the mail is quarantined
 *   an ARC set               `set arc.seal` (seal.h), above the others
 *
 * Methods beside RFC 8601's registry, prefixed as its section 2.7.7 asks: x-tls (smtp.tls-version, smtp.cipher), x-dane
 * (policy.mx), x-dnssec, x-message-format. iprev is rdns.
 */
#ifndef ASSAY_JUDGE_STAMP_H
#define ASSAY_JUDGE_STAMP_H

#include "judge/judge.h"

struct stamp_field {
    const char *name;
    const char *value; /* lines folded by LF and tab; a leading blank is not part of it */
};

#define STAMP_FIELDS 6

struct stamp {
    struct stamp_field fields[STAMP_FIELDS]; /* in their final order, top first */
    size_t count;
    const char *mark; /* the quarantine mark's name, if the mail gets it and the name begins with "X-"; else NULL */
    unsigned marks;   /* fields of that name in the message: they must be removed, since they could say otherwise */
};

/* The fields for a class of recipients. STATUS_NOMEM. */
enum status stamp_make(struct judge *j, const struct verdict *v, struct stamp *out) MUST_CHECK;

/* Tells whether this field of the message must be removed: it could be taken for ours (RFC 8601 5), and none of our
 * hosts inserted it. */
bool stamp_is_forged(const struct judge *j, const struct header_field *field);

/* Returns one after another the fields that must be removed, of all that were passed to judge_header(): from the last
 * to the first, so that a removal never shifts the number of a later one. *at: 0 at the start. false: no more. */
bool stamp_next_forged(const struct judge *j, size_t *at, const char **name, unsigned *index);

/* More than FORGED_MAX of them: the message must be refused in every mode, because it must not be passed on with any of
 * them. */
bool stamp_too_many_forged(const struct judge *j);

#endif
