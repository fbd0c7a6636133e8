// SPDX-License-Identifier: BSD-2-Clause
/*
 * standard.h - the names of the standards and of their results: the words that policy, engines, verdict, journal and
 * ledger share. A result is what a standard said (RFC 8601 section 2.7 for mail); it never contains a decision.
 */
#ifndef ASSAY_BASE_STANDARD_H
#define ASSAY_BASE_STANDARD_H

#include "base/slice.h"
#include <stdbool.h>

enum standard {
    STANDARD_SPF,
    STANDARD_DKIM,
    STANDARD_DMARC,
    STANDARD_ARC,
    STANDARD_DANE,
    STANDARD_TLS,
    STANDARD_DNSSEC,
    STANDARD_MESSAGE_FORMAT,
    STANDARD_RDNS,
    STANDARD_MAIL_COUNT, /* the ones above are judged on mail; the ones below are checked for domains only */
    STANDARD_IPV6 = STANDARD_MAIL_COUNT,
    STANDARD_MTA_STS,
    STANDARD_TLS_RPT,
    STANDARD_CAA,
    STANDARD_RPKI,
    STANDARD_COUNT,
};

enum result {
    RESULT_NONE, /* the standard is not used by the subject, or does not apply */
    RESULT_PASS,
    RESULT_FAIL,
    RESULT_SOFTFAIL,  /* spf */
    RESULT_NEUTRAL,   /* spf, dkim */
    RESULT_POLICY,    /* dkim, tls: right, but below what is accepted (RFC 8601 2.7.1) */
    RESULT_TEMPERROR, /* could not be determined now */
    RESULT_PERMERROR, /* what is published or sent is invalid */
    RESULT_UNTESTED,  /* could not be tested: neither pass nor fail nor unsure (dane proof) */
    RESULT_COUNT,
};

/* "spf", "message-format", ...; "?" beyond the end. */
const char *standard_name(enum standard s);
/* The standard of that name (case-insensitive), or STANDARD_COUNT. */
enum standard standard_from_name(struct slice name);

/* "none", "pass", "softfail", "untested", ...; "?" beyond the end. */
const char *result_name(enum result r);
enum result result_from_name(struct slice name);

#endif
