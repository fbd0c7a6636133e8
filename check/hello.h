// SPDX-License-Identifier: BSD-2-Clause
/*
 * hello.h - the first messages of TLS as octets: writes a ClientHello and parses the server's answer.
 *
 * A TLS library offers only what it can do. A checker must also ask for what nobody should do any more (SSLv3, RC4,
 * compression) and for what the library cannot do yet (X25519MLKEM768). So the offer is written here octet by octet,
 * and the answer is read up to the ServerKeyExchange or the HelloRetryRequest; no key is computed and no connection is
 * completed. RFC 8446 section 4, RFC 5246 section 7.4, RFC 6101 section 5.6.
 *
 * Pure; any thread.
 */
#ifndef ASSAY_CHECK_HELLO_H
#define ASSAY_CHECK_HELLO_H

#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_OCTETS 2048          /* of an offer */
#define HELLO_ANSWER (128u * 1024) /* octets read of an answer: a chain of 10 MB is not waited for; our own limit */

enum hello_version {
    HELLO_SSL3 = 0x0300,
    HELLO_TLS10 = 0x0301,
    HELLO_TLS11 = 0x0302,
    HELLO_TLS12 = 0x0303,
    HELLO_TLS13 = 0x0304
};

struct hello_offer {
    enum hello_version version;
    const uint16_t *ciphers;
    size_t cipher_count;
    const uint16_t *groups; /* NULL: a list of all that is common */
    size_t group_count;
    const uint16_t *signatures; /* NULL: a list of all that is common */
    size_t signature_count;
    bool compression;        /* offer DEFLATE beside no compression (RFC 3749) */
    const char *server_name; /* SNI, or NULL */
};

/* The offer as one TLS record. 0: it does not fit in HELLO_OCTETS. random: 32 octets. */
size_t hello_write(const struct hello_offer *o, const unsigned char random[32], unsigned char out[HELLO_OCTETS]);

enum hello_state {
    HELLO_MORE,      /* not whole yet: read on */
    HELLO_ACCEPTED,  /* version and cipher are set; the rest as far as the version has it */
    HELLO_ALERTED,   /* the server refuses: `alert` */
    HELLO_MALFORMED, /* not TLS */
    HELLO_TOO_LONG,  /* over HELLO_ANSWER */
};

struct hello_answer {
    enum hello_state state;
    uint16_t version, cipher;
    uint16_t group;      /* of the key exchange; 0: none told (RSA key exchange, own DH parameters) */
    uint16_t signature;  /* of the ServerKeyExchange of TLS 1.2 (SignatureScheme); 0: none */
    uint16_t dh_bits;    /* of DH parameters in a ServerKeyExchange; 0: none */
    uint8_t compression; /* 1: DEFLATE */
    uint8_t alert;       /* AlertDescription of HELLO_ALERTED */
    bool ems;            /* extended master secret (RFC 7627) */
    bool renegotiation;  /* secure renegotiation (RFC 5746) */
    bool retry;          /* a HelloRetryRequest */
};

/* Reads what has come so far. Call again with more while it says HELLO_MORE. */
void hello_read(struct slice octets, struct hello_answer *out);

/* ---- names and what they are worth (NCSC-NL TLS guidelines 2025-05; RFC 9325) ---- */

enum hello_worth {
    HELLO_GOOD,
    HELLO_SUFFICIENT,
    HELLO_PHASE_OUT,
    HELLO_INSUFFICIENT,
    HELLO_ANONYMOUS, /* insufficient, too: it encrypts, but no certificate proves who the server is (RFC 5246 A.5) */
    HELLO_BROKEN
};

struct hello_name {
    uint16_t id;
    enum hello_worth worth;
    const char *name; /* IANA's, without "TLS_" */
};

extern const struct hello_name hello_ciphers[], hello_groups[], hello_signatures[];
extern const size_t hello_cipher_count, hello_group_count, hello_signature_count;

/* The entry of a number, or NULL. */
const struct hello_name *hello_cipher(uint16_t id);
const struct hello_name *hello_group(uint16_t id);
const struct hello_name *hello_signature(uint16_t id);

#endif
