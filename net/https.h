// SPDX-License-Identifier: BSD-2-Clause
/*
 * https.h - fetches one file by HTTPS, from addresses that the caller chose.
 *
 * For policy files of mail domains (RFC 8461 3.3), as strict as that requires: the certificate must be valid for the
 * host by a DNS name in it (a Common Name does not count), no redirect is followed, nothing is cached, only 200 and
 * text/plain count. No name is looked up and no proxy used: a stranger's name leads only to the addresses given.
 * Everything ends within total_ms. Blocks: not for the mail path.
 *
 * Threads: any, each call is independent; https_begin() once before other threads start.
 */
#ifndef ASSAY_NET_HTTPS_H
#define ASSAY_NET_HTTPS_H

#include "base/buf.h"
#include "base/ip.h"
#include <stdbool.h>

#define HTTPS_BODY 65536  /* octets of a body (RFC 8461 3.3) */
#define HTTPS_ADDRESSES 8 /* tried of those given */
#define HTTPS_TOTAL_MS 15000

struct https_request {
    const char *host; /* a canonical host name */
    const char *path; /* from the slash on, as it is sent */
    unsigned port;    /* 0: 443 */
    const struct ip *addresses;
    size_t address_count;
    const char *ca_file; /* certificates of authorities, PEM; NULL: the system's */
    unsigned total_ms;   /* 0: HTTPS_TOTAL_MS */
};

enum https_outcome {
    HTTPS_DONE,
    HTTPS_UNREACHABLE, /* no address, no connection, connection broken */
    HTTPS_TIMEOUT,
    HTTPS_CERTIFICATE, /* not valid, not for this host, or TLS failed */
    HTTPS_STATUS,      /* an answer that is not 200: redirects too */
    HTTPS_TYPE,        /* not text/plain */
    HTTPS_TOO_LONG,    /* over HTTPS_BODY */
    HTTPS_INTERNAL,    /* our own fault: out of memory or files, no library, no certificates of authorities */
};

/* false: the library cannot be used; https_get then says HTTPS_INTERNAL. */
bool https_begin(void);

/* Tells whether a file (PEM) contains certificates of authorities; ca_file NULL: whether this computer has any. Without
 * any, no server's certificate is trusted, and that is not the fault of the servers. */
bool https_has_authorities(const char *ca_file);

/* body gets the file (HTTPS_DONE only; else it is emptied); why, of at least HTTPS_WHY octets, gets words about a
 * failure, or "". */
#define HTTPS_WHY 256
enum https_outcome https_get(const struct https_request *request, struct buf *body, char why[HTTPS_WHY]);

#endif
