// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_keyrec.h - parses a key record (RFC 6376 3.6.1, 8463 4), and makes the name where it is published.
 *
 * Internal to dkim_* and arc_*. Pure; results point into the text.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_KEYREC_H
#define ASSAY_STANDARDS_DKIM_DKIM_KEYREC_H

#include "base/limits.h"
#include "base/slice.h"
#include "base/status.h"
#include "standards/dkim/dkim_pubkey.h"
#include <stdbool.h>

struct dkim_keyrec {
    enum dkim_key_type type; /* k= */
    bool type_known;         /* false: a k= we do not know; type is meaningless then */
    bool sha256;             /* h= allows SHA-256, or is not there */
    bool email;              /* s= allows e-mail, or is not there */
    bool testing;            /* t=y */
    bool strict;             /* t=s: i= must be of d= itself */
    bool revoked;            /* p= is empty */
    struct slice p;          /* base64 */
};

/* STATUS_MISSING: the text is no DKIM key record at all (v= is something else: RFC 6376 has it discarded);
 * STATUS_INVALID: it is a broken one. *reason is static then. */
enum status dkim_keyrec_read(struct slice text, struct dkim_keyrec *out, const char **reason) MUST_CHECK;

/* "SELECTOR._domainkey.DOMAIN". False: longer than a name can be; out is "" then. */
bool dkim_keyrec_name(const char *selector, const char *domain, char out[LIMIT_DOMAIN + 1]);

#endif
