// SPDX-License-Identifier: BSD-2-Clause
/*
 * gather.h - asks everything about a domain, and writes it down as facts (facts.h).
 *
 * First DNS, through a validating source: everything the tests need. Then, in parallel, each name server's own answers,
 * each address of each mail host (STARTTLS, certificate, the TLS it accepts), and the MTA-STS policy. One address of a
 * mail host is asked once in a run, however many domains use it.
 *
 * Rate limit (gate.h): at most two connections at once to one address, and a pause between two; no MAIL, no RCPT, no
 * DATA is ever sent. Addresses that are not on the public internet are "not asked", unless allowed.
 *
 * Blocks, for a bounded time: connections end after connect_ms, DNS after a minute. Questions that failed are asked
 * once more, and bogus answers once more from a fresh source: half a minute each. Threads: gather_domain() from any
 * number of threads that share one struct gather.
 */
#ifndef ASSAY_CHECK_GATHER_H
#define ASSAY_CHECK_GATHER_H

#include "base/buf.h"
#include "base/status.h"
#include "check/facts.h"
#include "check/origin.h"
#include "check/rtr.h"

#define GATHER_SERVERS 12   /* addresses of name servers asked directly, of one domain */
#define GATHER_QUESTIONS 64 /* put to all of them together: the fewer there are, the more each is asked */
#define GATHER_AT_ONCE 16   /* conversations of one domain at one time */
#define GATHER_CONNECT_MS 20000
#define GATHER_PACE_MS 1000
#define GATHER_AGAIN_MS 6000 /* Unbound remembers a failure for 5 s (RFC 9520 3.2: at least 1 s) */
#define GATHER_CANARY 300
#define GATHER_MEMORY ((size_t)64 << 20)

struct gather_config {
    struct dns *dns;
    /* Opens another source, with an empty cache, for a domain with bogus answers; gather.c closes it. Needed because
     * libunbound treats a key that it could not fetch as a bad key for a minute, and all names below it are bogus. If
     * it is NULL or returns NULL, bogus answers are final. */
    struct dns *(*fresh)(void *context);
    /* Writes what is wrong with our own DNS now, or "". Called if answers failed or are bogus. If it is NULL, our DNS
     * counts as in order. */
    void (*canary)(void *context, char out[GATHER_CANARY]);
    const char *ehlo;                                  /* our own name */
    enum facts_here ipv4, ipv6;                        /* whether this computer has IPv4 and IPv6 */
    bool allow_special;                                /* private and loopback addresses may be asked */
    bool (*is_own)(void *context, const struct ip *a); /* own addresses: not asked; NULL: none */
    void *context;                                     /* for these functions, which any thread may call */
    const char *ca_file;                               /* certificates of authorities, PEM; NULL: the system's */
    unsigned smtp_port, https_port, dns_port;          /* 0: 25, 443, 53 */
    unsigned sockets;                                  /* conversations at once, of all domains; 0: no bound */
    unsigned pace_ms;                                  /* least time between two questions to one address */
    unsigned again_ms;                                 /* pause before failed look-ups are repeated; 0: no repeat */
    unsigned connect_ms;                               /* longest conversation; 0: GATHER_CONNECT_MS */
    struct rtr *rtr;                                   /* ROAs; NULL: none, and rtr_why says so */
    const char *rtr_why;
    struct prefix_table *origins;  /* routes; NULL: unknown, or asked below these zones: */
    const char *origin4, *origin6; /* NULL: not asked */
    size_t memory;                 /* most of one domain, in octets; 0: GATHER_MEMORY */
};

struct gather;

/* NULL: out of memory. The configuration is copied; what it points to must outlive it. */
struct gather *gather_new(const struct gather_config *config);
struct gather *gather_free(struct gather *g); /* NULL is allowed */

/* What is known of a domain's mail before it is asked about. */
struct gather_known {
    size_t selector_count, sender_count;
    struct facts_selector selectors[FACTS_SELECTORS];
    struct facts_sender senders[FACTS_SENDERS];
    int64_t tls, clear; /* mails of it that were seen, with TLS and without */
};

/* Adds the facts of a domain (a canonical name) to out. STATUS_NOMEM. */
enum status gather_domain(struct gather *g, const char *domain, const struct gather_known *known,
                          struct buf *out) MUST_CHECK;

#endif
