// SPDX-License-Identifier: BSD-2-Clause
/*
 * delegation_request.h - one request of Postfix's policy-delegation protocol (SMTPD_POLICY_README): what it says of the
 * client and its certificate.
 *
 * A request is lines "name=value", each ended by LF; the empty line after them is not part of what is read here.
 * Attributes may come in any order. Unknown ones are skipped; if one comes twice, the last counts. Any thread; nothing
 * is allocated.
 */
#ifndef ASSAY_MILTER_DELEGATION_REQUEST_H
#define ASSAY_MILTER_DELEGATION_REQUEST_H

#include "base/ip.h"
#include "base/slice.h"
#include <stdbool.h>

#define DELEGATION_DIGEST 192 /* a digest as text: SHA-512 with colons */

struct delegation_request {
    struct ip client; /* family 0: not known, or not an address */
    unsigned port;    /* 0: not known, or no port */
    char cert[DELEGATION_DIGEST],
        public_key[DELEGATION_DIGEST]; /* hex digits and colons; "": the client showed no certificate */
};

/* true: a complete, well-formed request (request=smtpd_access_policy). A bad value is left empty; a bad line makes the
 * result false. */
bool delegation_request_read(struct slice text, struct delegation_request *out);

#endif
