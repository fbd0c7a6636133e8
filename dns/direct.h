// SPDX-License-Identifier: BSD-2-Clause
/*
 * direct.h - sends one question to one given server, and returns its own answer.
 *
 * For a checker that wants to know what each name server of a zone says: signature dates, servers that differ, servers
 * that fail a type; or what a resolver says, with its response code. UDP with EDNS (1,232 octets, DO), then TCP where
 * the answer was cut; a random port and ID each time; an answer counts only when ID, question and server are those
 * asked (RFC 5452 9.1); an error that is a header alone has no question to compare. Nothing is validated or cached
 * here: whatever needs DNSSEC uses dns.h.
 *
 * Blocks for at most tries * timeout_ms, twice where TCP is needed. Any thread; each call is independent.
 */
#ifndef ASSAY_DNS_DIRECT_H
#define ASSAY_DNS_DIRECT_H

#include "base/arena.h"
#include "base/ip.h"
#include "dns/dns.h"

#define DNS_DIRECT_RECORDS 256 /* of one answer section; the rest is left out, and `cut` is set; our own limit */
#define DNS_DIRECT_MESSAGE 65535
#define DNS_RRSIG ((enum dns_type)46)
#define DNS_NSEC3PARAM ((enum dns_type)51)

struct dns_direct_request {
    struct ip server;
    unsigned port; /* 0: 53 */
    const char *name;
    enum dns_type type;
    unsigned timeout_ms; /* 0: 3,000 */
    unsigned tries;      /* over UDP; 0: 2 */
    bool tcp_only;
    bool recursive;         /* for a resolver: RD, and AD wanted (RFC 6840 5.7) */
    bool checking_disabled; /* ... and CD: what does not validate too */
};

enum dns_direct_outcome {
    DNS_DIRECT_ANSWERED, /* a well-formed answer, whatever its rcode */
    DNS_DIRECT_TIMEOUT,
    DNS_DIRECT_UNREACHABLE, /* refused, no route */
    DNS_DIRECT_MALFORMED,
    DNS_DIRECT_INTERNAL, /* not a domain name, out of memory, no socket */
};

struct dns_direct_record {
    enum dns_type type;
    uint32_t ttl;
    struct slice rdata; /* names in NS, CNAME, SOA, PTR and MX without compression */
};

struct dns_direct_answer {
    enum dns_direct_outcome outcome;
    const char *why; /* static words; NULL when answered */
    unsigned rcode;
    bool authoritative, authenticated, tcp, cut; /* authenticated: the AD bit */
    size_t count;
    struct dns_direct_record *records; /* of the answer section, as received, of every type and owner */
    size_t referred_count;             /* NS records of the name asked for in the authority section: a referral */
    const char **referred;             /* their names in normal form */
};

void dns_direct_ask(struct arena *arena, const struct dns_direct_request *q, struct dns_direct_answer *out);

/* ---- the codec, pure ---- */

/* The question as a message of at most 512 octets; 0: not a domain name. */
size_t dns_direct_question(const char *name, enum dns_type type, uint16_t id, unsigned char out[512]);

/* Reads an answer to that question. false: malformed, or not an answer to it; *truncated: ask again over TCP. */
bool dns_direct_read(struct arena *arena, struct slice message, struct slice question, struct dns_direct_answer *out,
                     bool *truncated);

const char *dns_direct_outcome_name(enum dns_direct_outcome o);

#endif
