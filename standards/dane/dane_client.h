// SPDX-License-Identifier: BSD-2-Clause
/*
 * dane_client.h - checks whether the client is the host that it claims to be, by its certificate and the TLSA records
 * of its name.
 *
 * A host that publishes TLSA records at _smtp-client.NAME (draft-ietf-dance-client-auth) promises to show one of these
 * certificates when it connects. NAME is what it says in HELO. Only DANE-EE records (usage 3) with a digest can be
 * compared: an MTA tells a filter digests of the certificate and its public key, never the certificate. Nobody but the
 * name's owner can make this fail, and only by publishing: no records, no finding.
 *
 * Sendmail tells {cert_fp}; Postfix tells a milter no digest, its policy-delegation protocol does
 * (milter/delegation.h). Everything lives in the arena. Any thread.
 */
#ifndef ASSAY_STANDARDS_DANE_DANE_CLIENT_H
#define ASSAY_STANDARDS_DANE_DANE_CLIENT_H

#include "dns/dns.h"
#include "base/standard.h"

struct dane_client_input {
    const char *name;       /* canonical; of HELO */
    const char *cert;       /* digest of the certificate: hex, colons allowed, any case; NULL or "": not known */
    const char *public_key; /* digest of its SubjectPublicKeyInfo; likewise */
    bool no_certificate;    /* the MTA would have reported a certificate, and there was none */
};

struct dane_client_finding {
    /* NONE: no signed records. PASS: a record matches. FAIL: none does, or no certificate was shown. UNTESTED:
     * records, but nothing to compare them with (no digest told, or of another kind than the records'). TEMPERROR:
     * could not be looked up. FAIL too for a bogus answer. */
    enum result result;
    const char *name;
    const char *reason; /* never NULL */
    enum dns_security security;
};

void dane_client_start(struct dns_scope *scope, const char *name);
enum status dane_client_check(struct dns_scope *scope, struct arena *arena, const struct dane_client_input *in,
                              struct dane_client_finding *out) MUST_CHECK;

#endif
