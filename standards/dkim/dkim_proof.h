// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_proof.h - one signature against the keys that DNS has for it (RFC 6376 6.1.2, 6.1.3 step 4; RFC 8301 3.2).
 *
 * Internal to dkim_* and arc_*.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_PROOF_H
#define ASSAY_STANDARDS_DKIM_DKIM_PROOF_H

#include "dns/dns.h"
#include "standards/dkim/dkim_sigfield.h"

struct dkim_proof {
    /* pass: the signature over the hash verifies by an acceptable key; fail, policy, permerror, temperror */
    enum result result;
    const char *reason; /* static, or in the arena; "" for pass */
    bool verified;      /* the octets verify, whatever the key's size */
    unsigned bits;      /* of the key that decided; 0: none was read */
    bool testing;
    bool asked; /* the key was asked for; key_state and security are set */
    enum dns_state key_state;
    enum dns_security security;
    enum limit_kind limit; /* of the key's answer */
};

/* Asks for the key without waiting. A field without names asks nothing. */
void dkim_proof_start(struct dns_scope *dns, const struct dkim_sigfield *f);

/* Who says whether the octets verify: this code, with the hash, or somebody who has found it already (then hash is not
 * read). */
enum dkim_proof_by { PROOF_BY_HASH, PROOF_KNOWN_GOOD, PROOF_KNOWN_BAD };

/* Awaits the key and checks the signature. Of several key records at one name the first that verifies decides, else the
 * last problem. */
void dkim_proof_check(struct dns_scope *dns, struct arena *arena, const struct dkim_sigfield *f, enum dkim_proof_by by,
                      const uint8_t hash[32], struct dkim_proof *out);

#endif
