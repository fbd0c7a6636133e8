// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_sign.h - a DKIM signature on a report mail, so that it passes DMARC by itself (RFC 9990 3.5.2), by libopendkim.
 */
#ifndef ASSAY_FEEDBACK_DMARC_SIGN_H
#define ASSAY_FEEDBACK_DMARC_SIGN_H

#include "base/buf.h"
#include "base/status.h"

/* A private key file: PEM, at most this long. */
#define DMARC_SIGN_KEY (64 * 1024)

/* Adds to `out` the mail (header and body, lines ending in LF) with a DKIM-Signature field before it: relaxed/relaxed,
 * rsa-sha256, of `domain` by `selector` with the private key in key_file. STATUS_DENIED: the key cannot be read, or
 * others may read it; STATUS_INVALID: it is none, or the mail has no header; why (200 octets) says which. */
enum status dmarc_sign(struct slice mail, const char *domain, const char *selector, const char *key_file,
                       struct buf *out, char *why) MUST_CHECK;

#endif
