// SPDX-License-Identifier: BSD-2-Clause
/*
 * rdns.h - checks whether the client's address has a name that leads back to it (forward-confirmed reverse DNS, "iprev"
 * of RFC 8601 section 3), and whether its HELO is a name that SMTP allows (RFC 5321 4.1.1.1, 4.1.3)?
 *
 * iprev results (RFC 8601 2.7.3):
 *                pass       a name of the address has the address
 *                fail       it has names, but none of them leads back to it
 *                permerror  the address has no name, or is not known
 *                temperror  could not be found out now (time-out, server failure, bogus)
 * HELO results:  pass       a host name that has the client's address, or an address literal that is the client's
 *                neutral    well-formed, but it does not lead to the client (RFC 5321 4.1.4: no ground to refuse by
 *                           itself)
 *                fail       no well-formed host name or address literal, a single label, or a literal that is not the
 *                           client's
 *                temperror  well-formed; whether it leads to the client could not be found out now
 *                none       no HELO is known
 *
 * Everything in a finding lives in the arena given. Any thread; a scope belongs to one thread at a time.
 */
#ifndef ASSAY_STANDARDS_RDNS_H
#define ASSAY_STANDARDS_RDNS_H

#include "base/arena.h"
#include "dns/dns.h"
#include "base/domain.h"
#include "base/ip.h"
#include "base/standard.h"

#define LIMIT_RDNS_NAMES 10 /* PTR names looked at; the bound that RFC 7208 5.5 sets for the same procedure */

enum helo_syntax {
    HELO_MISSING,
    HELO_NAME,         /* a host name of two labels or more */
    HELO_SINGLE_LABEL, /* "localhost", "OEMCOMPUTER": not fully qualified */
    HELO_LITERAL,      /* [192.0.2.1], [IPv6:2001:db8::1] */
    HELO_BARE_ADDRESS, /* 192.0.2.1 without its brackets */
    HELO_INVALID,      /* anything else */
};

struct rdns_finding {
    enum result result;
    const char *name;   /* the name that was confirmed; if none was, the first name found (canonical); NULL: none */
    const char *reason; /* words for a log, never NULL */
    size_t names;       /* PTR names found */
    enum dns_security security; /* of the weakest answer consulted */
    struct {
        enum result result;
        enum helo_syntax syntax;
        const char *name; /* canonical form of a HELO_NAME or HELO_SINGLE_LABEL; else NULL */
        const char *reason;
        enum dns_security security;
    } helo;
};

/* Asks PTR of the client and the addresses of the HELO name. helo NULL: not known. */
void rdns_start(struct dns_scope *scope, const struct ip *client, const char *helo);

/* STATUS_NOMEM: *out says temperror. Else STATUS_OK. */
enum status rdns_check(struct dns_scope *scope, struct arena *arena, const struct ip *client, const char *helo,
                       struct rdns_finding *out) MUST_CHECK;

/* What a HELO argument is, by its grammar alone. name gets the canonical form of HELO_NAME and HELO_SINGLE_LABEL,
 * literal the address of HELO_LITERAL and HELO_BARE_ADDRESS; either may be NULL. Pure. */
enum helo_syntax helo_parse(struct slice text, char name[LIMIT_DOMAIN + 1], struct ip *literal);

#endif
