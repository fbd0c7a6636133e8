// SPDX-License-Identifier: BSD-2-Clause
/*
 * certificate.h - what `assay tlsa` and the check of our own duty need of a certificate: its names, dates and TLSA
 * digests.
 *
 * A struct certificate owns nothing but its arena's memory. Threads: one.
 */
#ifndef ASSAY_CLI_TLSA_CERTIFICATE_H
#define ASSAY_CLI_TLSA_CERTIFICATE_H

#include "base/arena.h"
#include "base/status.h"
#include <stdbool.h>
#include <time.h>

#define CERTIFICATE_MAX_FILE (1024 * 1024) /* octets of a PEM file */
#define CERTIFICATE_MAX_NAMES 100 /* DNS names of one certificate; our own limit, the others are not looked at */

struct certificate {
    const char *subject; /* one line, made visible */
    /* DNS names of subjectAltName, canonical; a wildcard as "*.example.org" */
    const char *names[CERTIFICATE_MAX_NAMES];
    size_t name_count;
    time_t not_before, not_after;
    struct slice spki, whole; /* DER */
    const char *spki_sha256;  /* hex: TLSA x 1 1 */
    const char *whole_sha256; /* hex: TLSA x 0 1 */
};

/* The first certificate of a PEM file, or a DER file. STATUS_MISSING: no such file; STATUS_DENIED: not readable;
 * STATUS_LIMIT: over CERTIFICATE_MAX_FILE; STATUS_INVALID: no certificate in it; *why says so in words. */
enum status certificate_read(struct arena *a, const char *path, struct certificate *out, const char **why) MUST_CHECK;

#define CERTIFICATE_CHAIN 16
#define CERTIFICATE_CHAINS 8

/* A server's certificate and those that it sends with it, DER. */
struct certificate_chain {
    struct slice der[CERTIFICATE_CHAIN];
    size_t count;
};

/* The chains of a PEM file: one for each private key that stands before certificates (Postfix's smtpd_tls_chain_files),
 * or one for the whole file, or for the one certificate of a DER file. STATUS_INVALID: there is none; STATUS_MISSING,
 * STATUS_DENIED. What is over the two limits is left out. */
enum status certificate_read_chains(struct arena *a, const char *path, struct certificate_chain out[CERTIFICATE_CHAINS],
                                    size_t *count) MUST_CHECK;

/* Tells whether the issuer signed the certificate, both DER. */
bool certificate_is_issued_by(struct slice certificate, struct slice issuer);

/* From DER octets. */
enum status certificate_from_der(struct arena *a, struct slice der, struct certificate *out,
                                 const char **why) MUST_CHECK;

#endif
