// SPDX-License-Identifier: BSD-2-Clause
/*
 * prober.h - checks whether a mail host really serves the certificate that its TLSA records promise. Mail never waits
 * for it.
 *
 * One thread, one STARTTLS session at a time (net/starttls.h), a bounded table of results. prober_ask() returns what is
 * known and, if that is not current, puts the host on the list; it never waits. Until the first probe the answer is
 * RESULT_UNTESTED, which decides nothing.
 *
 * Limits, because strangers make us connect: only hosts with a protected posture (their own signed records ask for it);
 * at most one probe per host in PROBER_HOST_SECONDS, and PROBER_RATE a second in all; after failures the interval grows
 * to a day; never to loopback, private, own and other special addresses; no mail is sent. A result is valid for `keep`,
 * and only for the records it was made with.
 */
#ifndef ASSAY_JUDGE_PROBER_H
#define ASSAY_JUDGE_PROBER_H

#include "dns/dns.h"
#include "base/limits.h"
#include "standards/dane/dane_posture.h"
#include <time.h>

#define PROBER_HOSTS 4096         /* results kept; the oldest is replaced */
#define PROBER_QUEUE 256          /* hosts waiting; further ones are dropped, until the next mail asks for them */
#define PROBER_HOST_SECONDS 3600  /* shortest time between two probes of a host */
#define PROBER_BACK_OFF_MAX 86400 /* longest time between two probes of a host that fails; our own limit */
#define PROBER_ADDRESSES 4        /* addresses tried before a host counts as unreachable */

struct prober_config {
    struct dns *dns;                                      /* for the hosts' addresses */
    const char *name;                                     /* our name in EHLO */
    struct ip source;                                     /* address to connect from; family 0: any */
    unsigned port;                                        /* 0: 25 */
    unsigned keep_seconds;                                /* how long a result is valid; 0: 6 hours */
    unsigned rate_ms;                                     /* shortest time between any two probes; 0: 500 */
    unsigned session_ms;                                  /* longest session; 0: 20,000 */
    bool (*forbidden)(void *context, const struct ip *a); /* own addresses, besides special ones; NULL: none */
    void *context;
    bool allow_special; /* tests only: loopback may be probed */
};

struct prober;

/* Starts the thread; do not fork after this. NULL when out of memory or threads. */
struct prober *prober_new(const struct prober_config *config);

/* Ends the thread, after a session that is running. NULL is allowed; returns NULL. */
struct prober *prober_free(struct prober *p);

struct proof {
    enum result result;          /* PASS: every protected host served what it promises. FAIL: one did not. UNTESTED */
    char host[LIMIT_DOMAIN + 1]; /* of FAIL, or the first untested one */
    char reason[256];            /* text; "" for PASS */
    char tls[64];                /* version and cipher last seen, or "" */
    time_t tested;               /* time of the oldest result it is based on; 0: none */
    time_t not_after;            /* earliest expiry of the certificates seen; 0: unknown */
};

/* Any thread; does not wait. now: wall time. */
void prober_ask(struct prober *p, const struct dane_posture *posture, time_t now, struct proof *out);

/* Waits until nothing is on the list, at most timeout_ms. For tests. */
bool prober_idle(struct prober *p, unsigned timeout_ms);

#endif
