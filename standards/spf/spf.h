// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf.h - Sender Policy Framework, RFC 7208: may this client send for this name?
 *
 * spf_start() when the envelope is known, spf_check() when the answer is needed; each identity is a check of its own
 * with limits of its own (RFC 7208 4.6.4), counted over the whole check, not per include:
 *     10 terms that ask DNS (include a mx ptr exists redirect); the 11th is permerror
 *     2 void look-ups (no such name, no data) by terms; the 3rd is permerror
 *     10 hosts of an mx: more is permerror; 10 names of a ptr or %{p}: the rest is not looked at
 * A bogus or failing answer is temperror, never "no record". An IPv4-mapped client is an IPv4 client (base/ip.h reads
 * it so).
 *
 * Results (RFC 7208 2.6): none neutral pass fail softfail temperror permerror.
 *
 * Everything in a finding lives in the arena given to spf_check. Any thread; a scope belongs to one thread at a time.
 */
#ifndef ASSAY_STANDARDS_SPF_SPF_H
#define ASSAY_STANDARDS_SPF_SPF_H

#include "base/arena.h"
#include "dns/dns.h"
#include "base/ip.h"
#include "base/standard.h"

#define LIMIT_SPF_TERMS 10     /* RFC 7208 4.6.4 */
#define LIMIT_SPF_VOID 2       /* RFC 7208 4.6.4 */
#define LIMIT_SPF_MX 10        /* RFC 7208 4.6.4 */
#define LIMIT_SPF_PTR 10       /* RFC 7208 4.6.4, 5.5 */
#define LIMIT_SPF_RECORD 16384 /* octets of a record; our own limit (3.4 asks for 512 at most), beyond: permerror */
#define LIMIT_SPF_EXPANSION                                                                                            \
    65535                          /* octets of one macro expansion, before cutting to a name; our own limit, beyond:
                                       permerror */
#define LIMIT_SPF_EXPLANATION 1024 /* octets of an explanation; our own limit, beyond: none */

struct spf_input {
    struct ip client;     /* family 0 (not known): result none */
    const char *helo;     /* as sent; NULL: not known */
    struct slice local;   /* local part of MAIL FROM, any octets; empty: "postmaster" (4.3) */
    const char *domain;   /* of MAIL FROM; NULL: the null sender, then the name is HELO's (2.4). Not a canonical name:
                             result none (4.3) */
    const char *receiver; /* our own name, for %{r}; NULL: "unknown" */
};

enum spf_identity {
    SPF_HELO,      /* the name the client gave in HELO or EHLO (2.3), with postmaster as local part */
    SPF_MAIL_FROM, /* the envelope sender (2.4) */
};

/* A record that was read on the way to the result. */
struct spf_consulted {
    const char *domain;
    struct slice text;
    enum dns_security security;
};

struct spf_finding {
    enum result result;
    enum spf_identity identity;
    const char *domain;      /* whose record was asked for, canonical form; NULL if there is no usable name */
    const char *mechanism;   /* the term that decided, as published ("-all", "include:spf.example.net"); NULL: none
                                did. Hostile text, ASCII */
    const char *reason;      /* words for a log, never NULL; may quote published text (ASCII) */
    const char *explanation; /* of fail: what the sender's DNS says (6.2). Hostile: show it only as a quotation.
                                ASCII, no controls; NULL: none */
    const struct spf_consulted *records;
    size_t record_count;
    /* Addresses that may send with result pass, by the terms seen: those of every record consulted that need no
     * look-up, and those of a and mx that were looked up. So a lower bound; overlaps counted once. plus_all:
     * "all" passes, everybody may. */
    uint64_t authorised_v4;
    uint64_t authorised_v6; /* in networks of 64 bits, begun ones counted as whole; saturating */
    bool plus_all;
    bool sends_nothing;         /* the record is exactly "v=spf1 -all": the domain says that it sends no mail (RFC 7208
                           10.1.2) */
    enum dns_security security; /* of the weakest answer consulted; DNS_UNKNOWN if none came */
    unsigned terms;             /* look-up terms used, 0..11 */
    unsigned voids;             /* void look-ups, 0..3 */
};

/* A second evaluator (standards/spf/spf_engine.h). */
struct spf_engine;

/* Asks what both checks will need first. Costs nothing to leave out. */
void spf_start(struct dns_scope *scope, const struct spf_input *in);

/* One check by our own evaluator. STATUS_NOMEM: nothing found out, *out is temperror. Else STATUS_OK, also for
 * temperror and permerror. */
enum status spf_check(struct dns_scope *scope, struct arena *arena, const struct spf_input *in,
                      enum spf_identity identity, struct spf_finding *out) MUST_CHECK;

/* The same by the engine given; NULL: our own. By libspf2: no explanation, no mechanism; authorised_* leaves out the
 * hosts of a and mx, and takes in the networks of every include that was read. */
enum status spf_check_by(const struct spf_engine *engine, struct dns_scope *scope, struct arena *arena,
                         const struct spf_input *in, enum spf_identity identity, struct spf_finding *out) MUST_CHECK;

#endif
