// SPDX-License-Identifier: BSD-2-Clause
/*
 * starttls.h - runs one SMTP session up to the end of the TLS handshake, to see which certificate a mail host really
 * shows.
 *
 * For our own duty (is the certificate on port 25 the one our TLSA records promise?) and for the proof of somebody
 * else's (RFC 7672). It connects to ONE address, says EHLO and STARTTLS, shakes hands with SNI, lets OpenSSL's own DANE
 * code judge the chain, says QUIT, and mails nothing. The caller chooses addresses: this file would connect anywhere.
 *
 * No certificate is refused during the handshake: what was found is the result. Everything ends within total_ms,
 * whatever the peer does. Not in the mail path: the call blocks.
 *
 * Threads: any; each call is independent. SIGPIPE must be ignored by the program.
 */
#ifndef ASSAY_NET_STARTTLS_H
#define ASSAY_NET_STARTTLS_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* One TLSA record (RFC 6698 2.1). */
struct starttls_tlsa {
    uint8_t usage, selector, matching;
    struct slice data;
};

#define STARTTLS_MAX_TLSA 64    /* records of one host, as LIMIT_DANE_RECORDS */
#define STARTTLS_MAX_REPLY 8192 /* octets of one SMTP reply, all its lines (RFC 5321 4.5.3.1.5: 512 a line) */
#define STARTTLS_MAX_CHAIN 16   /* certificates that a server may send; our own limit */

/* Which of its certificates a server is asked for: many have one with an RSA key and one with an ECDSA key, and each
 * sender meets the one that its own software prefers. */
enum starttls_keys { STARTTLS_KEYS_ANY, STARTTLS_KEYS_RSA, STARTTLS_KEYS_ECDSA };

struct starttls_request {
    struct ip address;
    unsigned port;           /* 0: 25 */
    const struct ip *source; /* address to connect from, or NULL */
    const char *server_name; /* for SNI and, with DANE-TA, for the name check; NULL: none */
    const char *base_domain; /* a second name a DANE-TA certificate may bear (RFC 7672 3.2.2), or NULL */
    const char *ehlo;        /* our own name */
    unsigned total_ms;       /* 0: 20,000 */
    enum starttls_keys keys;
    const struct starttls_tlsa *tlsa;
    size_t tlsa_count;
};

#define STARTTLS_SECURITY_BITS 112 /* RSA-2048, P-224: what NIST SP 800-57 asks for since 2014 */

enum starttls_outcome {
    STARTTLS_DONE,        /* handshake finished; chain, version, cipher are set */
    STARTTLS_UNREACHABLE, /* refused, no route */
    STARTTLS_TIMEOUT,
    STARTTLS_BUSY,    /* 4xx to greeting, EHLO or STARTTLS: 421, greylisting */
    STARTTLS_REFUSED, /* 5xx to the greeting or EHLO */
    STARTTLS_NOT_OFFERED,
    STARTTLS_INJECTION, /* octets came in clear behind the reply to STARTTLS (RFC 3207 section 6) */
    STARTTLS_HANDSHAKE, /* TLS failed: the host refused it, or spoke none that we can */
    STARTTLS_CUT,       /* the connection was closed or reset before an answer was whole: nothing is known of its TLS */
    STARTTLS_TOO_LONG,  /* a handshake over our limit, such as a chain of 10 MB */
    STARTTLS_PROTOCOL,  /* not SMTP, a reply over the limit */
    STARTTLS_INTERNAL,  /* out of memory, no library */
};

struct starttls_result {
    enum starttls_outcome outcome;
    const char *reason;        /* words, made visible; never NULL */
    bool connected;            /* the host took the connection, whatever came of it */
    const char *banner, *ehlo; /* what the host said to the connection and to EHLO, made visible; NULL: nothing */
    const char *version;       /* "TLSv1.3"; NULL unless DONE, as the rest */
    const char *cipher;
    const struct slice *chain; /* DER, the server's own certificate first */
    size_t chain_count;
    time_t not_before, not_after; /* of the server's certificate */
    unsigned key_bits;            /* of its key */
    bool rsa_key;                 /* it is RSA; else another algorithm */
    bool weak_key;                /* under STARTTLS_SECURITY_BITS: a match all the same, and to be told apart */
    unsigned tlsa_usable;         /* how many of the records OpenSSL could use (usages 2 and 3 only: RFC 7672 3.1.3) */
    bool dane_match;              /* a usable record matched, with all that its usage asks for */
    int dane_usage;               /* 2 or 3 when dane_match, else -1 */
    const char *dane_error;       /* why not, or NULL */
};

void starttls_run(struct arena *arena, const struct starttls_request *request, struct starttls_result *result);

const char *starttls_outcome_name(enum starttls_outcome o);

#endif
