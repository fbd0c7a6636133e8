// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_tlsa.h - TLSA records (RFC 6698 section 2, RFC 7671) and which of them a sending mail server can use (RFC 7672
 * section 3.1).
 *
 * Pure; any thread. What comes out lives in the arena.
 */
#ifndef ASSAY_STANDARDS_DANE_DANE_TLSA_H
#define ASSAY_STANDARDS_DANE_DANE_TLSA_H

#include "base/arena.h"
#include "dns/dns.h"

#define LIMIT_DANE_RECORDS 64 /* of one host; our own limit, the rest is not looked at */

enum dane_usage { DANE_PKIX_TA = 0, DANE_PKIX_EE = 1, DANE_TA = 2, DANE_EE = 3 };
enum dane_selector { DANE_CERT = 0, DANE_SPKI = 1 };
enum dane_matching { DANE_FULL = 0, DANE_SHA256 = 1, DANE_SHA512 = 2 };

struct dane_record {
    uint8_t usage, selector, matching;
    struct slice data;
    bool usable; /* a mail server can use it; false: `why` says why not */
    bool used; /* usable, and not set aside for a stronger digest of the same usage and selector (RFC 7671 section 9) */
    const char *why; /* static words; NULL if usable */
};

struct dane_records {
    struct dane_record *record;
    size_t count;
    size_t usable;
};

/* Reads a TLSA answer. Malformed rdata is kept as an unusable record. Any answer without records gives none.
 * STATUS_NOMEM. */
enum status dane_records_read(struct arena *arena, const struct dns_answer *a, struct dane_records *out) MUST_CHECK;

/* "3 1 1 8d02...", the data cut after `octets` (0: whole). NULL when out of memory. */
const char *dane_record_text(struct arena *arena, const struct dane_record *r, size_t octets) MUST_CHECK;

#endif
