// SPDX-License-Identifier: BSD-2-Clause
/*
 * canary.h - while our own DNS, clock or trust anchor is broken, no mail is refused for a fault that is ours (design
 * section 4).
 *
 * A thread asks the canary's question (dns/dns_canary.h, `set dns.canary`) every few minutes, and every few seconds
 * while look-ups fail. Two consecutive wrong answers suspend enforcement if the policy has `set dns.when-broken
 * suspend`; one right answer resumes it. Both are logged, and the suspension is logged again every ten minutes.
 */
#ifndef ASSAY_MILTER_CANARY_H
#define ASSAY_MILTER_CANARY_H

#include "base/arena.h"
#include "dns/dns_unbound.h"
#include "milter/daemon.h"

/* Starts the thread; config is copied. Does nothing without libunbound (answers from a file), or if dns.canary is
 * empty. */
void canary_start(struct daemon *d, const struct dns_unbound_config *config);
void canary_stop(void);

/* After a reload: ends a suspension at once if the policy wants none. */
void canary_follow(const struct policy *p);

/* "suspended: REASON" in the arena while enforcement is suspended, else NULL. Any thread. */
const char *canary_text(struct arena *a);

#endif
