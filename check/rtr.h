// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtr.h - ROAs from an RTR cache (RFC 8210): which networks have an origin that their holder authorised.
 *
 * The cache (Routinator, StayRTR, rpki-client with one of them, ...) is the administrator's own. librtr takes its list,
 * once; in a program built without librtr, rtr_open() says so.
 *
 * rtr_open() forks, so it is called before the program has a second thread, and blocks for at most `wait_ms`.
 * Threads: rtr_covering() from any number.
 */
#ifndef ASSAY_CHECK_RTR_H
#define ASSAY_CHECK_RTR_H

#include "base/buf.h"
#include "base/ip.h"

#define RTR_WHY 256
#define RTR_ROAS 32 /* named of one address; own bound */
#define RTR_WAIT_MS 60000
#define RTR_PORT "323" /* RFC 8210, section 9.1 */

struct rtr;

/* cache: "inet:PORT@HOST". NULL, with one line in `why`: the cache does not answer, or has not sent everything in
 * time. */
struct rtr *rtr_open(const char *cache, unsigned wait_ms, char why[RTR_WHY]);
struct rtr *rtr_close(struct rtr *r); /* NULL is fine */

/* Adds the ROAs that cover an address, as text for facts: "64500 192.0.2.0/24 24, ..." (origin, network, longest
 * prefix), the most specific first. Nothing where none does. */
void rtr_covering(const struct rtr *r, const struct ip *a, struct buf *out);

#endif
