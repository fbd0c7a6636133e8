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
#define CERTIFICATE_MAX_NAMES 100

struct certificate {
    const char *subject; /* one line, made visible */
    /* DNS names of subjectAltName, kept form; a wildcard as "*.example.org" */
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

/* Whether a TLSA record with usage 3 (DANE-EE) and this selector, matching type and data promises this certificate (RFC
 * 6698 2.1). */
bool certificate_matches(const struct certificate *c, unsigned selector, unsigned matching, struct slice data);

/* From DER octets. */
enum status certificate_from_der(struct arena *a, struct slice der, struct certificate *out,
                                 const char **why) MUST_CHECK;

#endif
