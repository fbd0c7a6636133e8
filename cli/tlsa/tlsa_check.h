// SPDX-License-Identifier: BSD-2-Clause
/*
 * tlsa_check.h - is a certificate's TLSA record to be seen in DNS?
 */
#ifndef ASSAY_CLI_TLSA_TLSA_CHECK_H
#define ASSAY_CLI_TLSA_TLSA_CHECK_H

#include "cli/tlsa/certificate.h"

struct tlsa_source {
    const char *anchor, *forward, *dns; /* NULL: the defaults; dns: a file of saved answers (dns/dns_replay.h) */
};

/* Looks up `owner` and says on stderr what is wrong. 0: a signed record promises this certificate. 2: none does, or
 * the zone is not signed. 3: could not be found out (no answer, no trust anchor). */
int tlsa_check(struct arena *a, const char *owner, const struct certificate *c,
               const struct tlsa_source *source) MUST_CHECK;

#endif
