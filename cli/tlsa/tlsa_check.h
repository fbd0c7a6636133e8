// SPDX-License-Identifier: BSD-2-Clause
/*
 * tlsa_check.h - do the TLSA records in DNS promise a certificate?
 */
#ifndef ASSAY_CLI_TLSA_TLSA_CHECK_H
#define ASSAY_CLI_TLSA_TLSA_CHECK_H

#include "cli/tlsa/certificate.h"

struct tlsa_source {
    const char *anchor, *forward, *dns; /* NULL: the defaults; dns: a file of saved answers (dns/dns_replay.h) */
};

/* A certificate that is served, and what is sent with it. */
struct tlsa_served {
    struct certificate certificate;
    struct certificate_chain chain;
};

struct tlsa_question {
    const char *host; /* canonical name; an alias is followed (RFC 7672 2.2.2) */
    unsigned port;
    const struct tlsa_served *now, *next; /* each of them may be met by a sender; next: after the renewal */
    size_t now_count, next_count;         /* next_count 0: not known */
};

/* Looks the records up and says on stderr what is wrong. 0: they promise every chain of `now`, and will promise the
 * next ones: those given, or else any that keeps the key (or the issuer, for usage 2). 1: only those of now. 2: one of
 * them is not promised, or the zone is not signed. 3: could not be found out (no answer, no trust anchor). */
int tlsa_check(struct arena *a, const struct tlsa_question *q, const struct tlsa_source *source) MUST_CHECK;

#endif
