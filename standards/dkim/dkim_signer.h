// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_signer.h - signing: mail of our own (reports), and the message signature of an ARC set.
 *
 * Outgoing mail of others is not signed by this product. Everything made lives in the arena given.
 * Any thread, one message at a time.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_SIGNER_H
#define ASSAY_STANDARDS_DKIM_DKIM_SIGNER_H

#include "standards/dkim/dkim_fields.h"
#include "standards/dkim/dkim_privkey.h"
#include <time.h>

struct header_list;

/* A DKIM-Signature value for a whole message (RFC 6376 section 5): relaxed/relaxed, without the blank behind the colon,
 * lines folded by LF and a tab. domain and selector: canonical names. at: t=; 0: clock_wall(). NULL: memory, or no From
 * field. */
const char *dkim_signer_field(struct arena *arena, const struct header_list *headers, struct slice body,
                              const struct dkim_privkey *key, const char *domain, const char *selector,
                              time_t at) MUST_CHECK;

/* ---- for arc_seal.c ---- */

struct dkim_signer_request {
    const struct dkim_privkey *key;
    struct slice field; /* name of the field being made */
    const char *tags;   /* its value up to and with "b=" */
    const char *names;  /* its h= */
};

/* h= for this header: what a reader sees and replies to, each name as often as it is there, From once more (so that
 * none can be added). */
const char *dkim_signer_names(struct arena *arena, const struct dkim_fields *fields) MUST_CHECK;

/* tags with the signature behind. */
const char *dkim_signer_sign(struct arena *arena, struct dkim_fields *fields,
                             const struct dkim_signer_request *r) MUST_CHECK;

#endif
