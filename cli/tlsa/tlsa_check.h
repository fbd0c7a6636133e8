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

struct tlsa_question {
    const char *host; /* canonical name; an alias is followed (RFC 7672 2.2.2) */
    unsigned port;
    const struct certificate *certificate;
    const struct certificate_chain *chain, *next; /* next: served after the renewal; NULL: not known */
};

/* Looks the records up and says on stderr what is wrong. 0: they promise this chain, and will promise the next one: the
 * one given, or else any that keeps the key (or the issuer, for usage 2). 1: this chain only. 2: not this chain, or the
 * zone is not signed. 3: could not be found out (no answer, no trust anchor). */
int tlsa_check(struct arena *a, const struct tlsa_question *q, const struct tlsa_source *source) MUST_CHECK;

#endif
