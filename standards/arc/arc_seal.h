// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_seal.h - adds an ARC set of our own to a message that is passed on (RFC 8617 5.1).
 *
 *   arc_seal_prepare(checker)          before the body comes
 *   arc_checker_end(checker, &found)
 *   arc_seal_make(checker, &found, &request, &set)
 *
 * It seals the message as the checker saw it: fields that the MTA or others change after us must not be among those we
 * name. Fields of ours are not named (Authentication-Results never is: RFC 8617 4.1.2).
 */
#ifndef ASSAY_STANDARDS_ARC_ARC_SEAL_H
#define ASSAY_STANDARDS_ARC_ARC_SEAL_H

#include "standards/arc/arc_check.h"
#include "standards/dkim/dkim_privkey.h"

struct arc_seal_request {
    const struct dkim_privkey *key;
    const char *domain, *selector; /* canonical names: where the public key is */
    struct slice results;          /* an Authentication-Results value: authserv-id and results (authres.h) */
    time_t at;                     /* t=; 0: clock_wall() */
};

/* Values without the blank after the colon, lines folded by LF and a tab; in the checker's arena. */
struct arc_seal_set {
    unsigned instance;
    const char *seal;    /* ARC-Seal: topmost */
    const char *message; /* ARC-Message-Signature */
    const char *aar;     /* ARC-Authentication-Results */
};

/* STATUS_AGAIN: the body has begun already, or memory ran out; the message cannot be sealed. */
enum status arc_seal_prepare(struct arc_checker *c) MUST_CHECK;

/* STATUS_MISSING: there is nothing to add (the chain is sealed as failed already, or has 50 sets: RFC 8617 5.1);
 * STATUS_AGAIN: the chain could not be verified now, so cv= is unknown; STATUS_NOMEM. *out is untouched then. */
enum status arc_seal_make(struct arc_checker *c, const struct arc_finding *found, const struct arc_seal_request *r,
                          struct arc_seal_set *out) MUST_CHECK;

#endif
