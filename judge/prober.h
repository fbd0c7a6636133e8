// SPDX-License-Identifier: BSD-2-Clause
/*
 * prober.h - does a mail host really serve the certificate that its TLSA records promise? Asked beside the mail, never
 * in its way.
 *
 * One thread, one STARTTLS session at a time (net/starttls.h), a bounded table of results. prober_ask() tells what is
 * known and, where nothing current is, puts the host on the list; it never waits. Until there is a proof the answer is
 * RESULT_UNTESTED, which decides nothing.
 *
 * Restraint, since strangers make us connect: only hosts whose posture is protected (signed records of their own ask
 * for it), at most one probe a host in PROBER_HOST_SECONDS and PROBER_RATE a second over all; failures back off to a
 * day; loopback, private, own and other special addresses never; no mail is sent. A result holds as long as `keep` and
 * only for the records it was made with.
 */
#ifndef ASSAY_JUDGE_PROBER_H
#define ASSAY_JUDGE_PROBER_H

#include "dns/dns.h"
#include "base/limits.h"
#include "standards/dane/dane_posture.h"
#include <time.h>

#define PROBER_HOSTS 4096        /* results kept; the oldest goes */
#define PROBER_QUEUE 256         /* hosts waiting; more are forgotten, and asked for again by the next mail */
#define PROBER_HOST_SECONDS 3600 /* between two probes of a host */
#define PROBER_BACK_OFF_MAX 86400
#define PROBER_ADDRESSES 4 /* addresses tried before a host counts as not to be reached */

struct prober_config {
    struct dns *dns;                                      /* for the hosts' addresses */
    const char *name;                                     /* what we say in EHLO */
    struct ip source;                                     /* address to connect from; family 0: any */
    unsigned port;                                        /* 0: 25 */
    unsigned keep_seconds;                                /* how long a proof holds; 0: 6 hours */
    unsigned rate_ms;                                     /* least time between two probes of any hosts; 0: 500 */
    unsigned session_ms;                                  /* longest session; 0: 20,000 */
    bool (*forbidden)(void *context, const struct ip *a); /* own addresses, besides special ones; NULL: none */
    void *context;
    bool allow_special; /* tests only: loopback may be probed */
};

struct prober;

/* Starts the thread: never before a fork. NULL when out of memory or threads. */
struct prober *prober_new(const struct prober_config *config);

/* Ends the thread (a session under way is waited for). NULL is fine; returns NULL. */
struct prober *prober_free(struct prober *p);

struct proof {
    enum result result;          /* PASS: every protected host served what it promises. FAIL: one did not. UNTESTED */
    char host[LIMIT_DOMAIN + 1]; /* of FAIL, or the first untested one */
    char reason[256];            /* words; "" for PASS */
    char tls[64];                /* version and cipher last seen, or "" */
    time_t tested;               /* the oldest of the results it stands on; 0: none */
    time_t not_after;            /* the earliest end of a certificate seen; 0: unknown */
};

/* Any thread; does not wait. now: wall time. */
void prober_ask(struct prober *p, const struct dane_posture *posture, time_t now, struct proof *out);

/* Waits until nothing is on the list, at most timeout_ms. For tests. */
bool prober_idle(struct prober *p, unsigned timeout_ms);

#endif
