// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_check.h - verifies the DKIM signatures of one message (RFC 6376, 8301, 8463, 8616).
 *
 * The way of use:
 *   c = dkim_checker_new(...)          when the header section is complete: signatures are read, their keys asked for,
 *                                      all at once
 *   dkim_checker_body(c, chunk) ...    as the body comes, in pieces of any size
 *   dkim_checker_end(c, &list, &n)     keys are awaited, signatures verified
 *   dkim_checker_free(c)               always, before the scope and the arena go
 *
 * All results live in the arena. The header list and its octets must stay as they are until dkim_checker_end has
 * returned. One checker belongs to one thread at a time; any number of checkers may run at once.
 *
 * What a signature's result means (RFC 8601 2.7.1):
 *   pass       header hash and body hash verify, by a key that is acceptable
 *   fail       they do not
 *   policy     not acceptable to us whatever the hashes say: RSA key under 1024 bits (RFC 8301 3.2), expired (x=),
 *              signed in the future (t=), a From field of the message that the signature does not cover, or not
 *              verified: the message has more than DKIM_CHECK_SIGNATURES of them
 *   neutral    the signature field breaks RFC 6376's grammar, asks for something unknown (v=, a=, c=, q=), or was not
 *              tried: the header section is over our limit
 *   permerror  rsa-sha1 (RFC 8301 3.1), From not in h=, no key, key revoked, key unusable or not for this signature
 *   temperror  the key could not be fetched now: time-out, SERVFAIL, bogus. Each signature by itself; the others are
 *   judged.
 *
 * Line ends: folds of header fields and lines of the body may end in LF or in CRLF, as Postfix and Sendmail hand them
 * over or as a file has them; both are hashed as CRLF, which is what was on the wire. A CR alone stays what it is.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_CHECK_H
#define ASSAY_STANDARDS_DKIM_DKIM_CHECK_H

#include "base/arena.h"
#include "base/limits.h"
#include "dns/dns.h"
#include "base/slice.h"
#include "base/standard.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct dkim_engine;
struct header_list;

/* Signatures verified per message (each costs a DNS look-up and a public key operation; RFC 6376 8.4 and 6.1 allow a
 * limit). The ones that may align with From come first, then the order in the message. */
#define DKIM_CHECK_SIGNATURES LIMIT_DNS_KEYS
/* Signatures listed in the result; further ones are only counted (RFC 9990 reports at most 100 per message). */
#define DKIM_CHECK_LISTED 100
/* Names in h=, octets in one tag's value, key sizes: own bounds, far above what is in use. */
#define DKIM_CHECK_NAMES 1000
#define DKIM_CHECK_TAG_OCTETS 65536
#define DKIM_CHECK_RSA_BITS_MIN 1024  /* RFC 8301 3.2 */
#define DKIM_CHECK_RSA_BITS_WEAK 2048 /* RFC 8301 3.2: signers SHOULD use at least this; fewer are flagged */
#define DKIM_CHECK_RSA_BITS_MAX 8192
#define DKIM_CHECK_RSA_EXPONENT_BITS                                                                                   \
    64 /* our own limit: in use are 3 and 65537; one as long as the key makes verifying as dear as signing */
/* Key records tried where a name has several (RFC 6376 6.1.2 leaves it to us). */
#define DKIM_CHECK_KEYS 4
/* How far a sender's clock may be ahead of ours, seconds. */
#define DKIM_CHECK_DRIFT 300

struct dkim_signature {
    enum result result;
    const char *reason; /* why it is not a plain pass; one line of printable ASCII, never NULL ("" for a plain pass) */
    const char *domain; /* d=, canonical form (base/domain.h); NULL if it is none */
    const char *selector; /* s=, canonical form; NULL if it is none */
    /* i= decoded, domain in canonical form, or "@" and d=; NULL if it is none. Hostile: show it escaped */
    const char *identity;
    const char *algorithm;        /* "rsa-sha256", "ed25519-sha256", "rsa-sha1"; "" for any other */
    const char *canonicalization; /* "relaxed/simple" and so on; "" where unknown */
    /* first characters of b=, at least 8 and as many as tell this message's signatures apart (RFC 6008) */
    const char *header_b;
    unsigned key_bits;          /* 0: no key seen */
    enum dns_security security; /* of the key's answer */
    enum dns_state key_state;   /* of the key's answer; meaningful where key_asked */
    bool key_asked;
    enum limit_kind limit; /* of TEMPERROR: the bound of ours that kept the key back */
    bool tried;            /* false: over DKIM_CHECK_SIGNATURES */
    bool counts;           /* may feed DMARC: a pass, and the whole body signed */
    /* t=y in the key (RFC 6376 3.6.1). A pass is a pass with a reason, or `policy` where options.ignore_testing; what
     * does not pass is `neutral`, without header_hash_ok: as if the mail had no such signature. */
    bool testing;
    bool weak_key;             /* RSA under DKIM_CHECK_RSA_BITS_WEAK bits */
    bool body_partly_unsigned; /* l= leaves octets of the body unsigned: result `policy` */
    bool oversigned_from;      /* h= names From more often than the message has it: none can be added unnoticed */
    bool header_hash_ok;       /* the signature over the header verifies, whatever the body hash says */
    bool body_hash_ok;
    /* fails by its body alone: with the body as it was signed it would count (sign of indirect mail) */
    bool only_body_changed;
    uint64_t unsigned_octets; /* body octets beyond l= (canonical form) */
    time_t signed_at;         /* t=; 0: none */
    time_t expires;           /* x=; 0: none */
    unsigned field;           /* which DKIM-Signature field from the top, 1-based */
};

/* All zero is the default of each. */
struct dkim_check_options {
    time_t at; /* judge as of this time; 0: clock_wall() */
    /* Verify through this library if it can (dkim_engine.h; keys up to 4096 bits); NULL: by ourselves on OpenSSL. */
    const struct dkim_engine *engine;
    bool ignore_testing; /* signatures by testing keys do not count */
};

struct dkim_checker;

/* from_domain: canonical domain name of the From field, or NULL if there is none: only orders the signatures. options
 * may be NULL. Never waits. NULL if memory ran out. */
struct dkim_checker *dkim_checker_new(struct dns_scope *dns, struct arena *arena, const struct header_list *headers,
                                      const char *from_domain, const struct dkim_check_options *options);

void dkim_checker_body(struct dkim_checker *c, struct slice chunk);

/* The signatures in the order of the message (top first); *count 0: unsigned. May wait for DNS. STATUS_NOMEM only; then
 * *out is NULL and *count 0. */
enum status dkim_checker_end(struct dkim_checker *c, const struct dkim_signature **out, size_t *count) MUST_CHECK;

/* DKIM-Signature fields in the message, listed or not. */
size_t dkim_checker_fields(const struct dkim_checker *c);

/* NULL is allowed; returns NULL. */
struct dkim_checker *dkim_checker_free(struct dkim_checker *c);

#endif
