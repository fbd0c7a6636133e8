// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_match.h - checks whether a certificate chain matches a host's TLSA records, as a sending mail server would.
 *
 * Used by all callers: `assay tlsa --check` and the certbot hook for files, doctor for files and for served
 * certificates. It follows digest agility (RFC 7671 9): of the digests of one usage and selector only the strongest
 * counts, so a "3 1 1" that is right is of no use beside a "3 1 2" that is wrong. DANE-EE looks at neither names, dates
 * nor key sizes (RFC 7671 5.1, RFC 7672 3.1.1); DANE-TA needs its anchor in the chain (RFC 7671 5.2.3), a valid chain,
 * and the host's name.
 *
 * Pure except the arena; any thread.
 */
#ifndef ASSAY_STANDARDS_DANE_DANE_MATCH_H
#define ASSAY_STANDARDS_DANE_DANE_MATCH_H

#include "standards/dane/dane_tlsa.h"
#include <time.h>

#define DANE_MATCH_CHAIN 16 /* certificates of a chain that are looked at */

struct dane_match_request {
    const struct dane_records *records;
    const struct slice *chain; /* DER, the server's own certificate first */
    size_t chain_count;
    const char *host, *base_domain; /* names that count for DANE-TA; base_domain may be NULL */
    time_t at;                      /* for DANE-TA's dates */
};

enum dane_match_state {
    DANE_MATCH_YES,
    DANE_MATCH_NO,
    DANE_MATCH_NO_RECORDS, /* no record that mail can use: nothing is asked for */
    DANE_MATCH_NO_CHAIN,   /* no certificate that can be read */
};

struct dane_match {
    enum dane_match_state state;
    const struct dane_record *by; /* the record that matched; NULL unless YES */
    /* YES, and not by a digest of the whole server certificate alone: a renewal that keeps the key (DANE-EE, selector
     * 1) or the issuer (DANE-TA) needs no new record. */
    bool holds_after_renewal;
    const char *why; /* for NO: a text, with a fix if there is one; never NULL */
    /* A record that is right and does not count, since a stronger digest of its usage and selector is published beside
     * it (RFC 7671 9); NULL: none. */
    const struct dane_record *set_aside;
};

enum status dane_match(struct arena *arena, const struct dane_match_request *r, struct dane_match *out) MUST_CHECK;

/* The first record in use that is a digest of an issuer (usage 2) which is not in the chain: it promises nothing (RFC
 * 7671 5.2.3). NULL: there is none. */
const struct dane_record *dane_match_missing_issuer(const struct dane_match_request *r);

#endif
