// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_unbound_answer.h - what libunbound answered, as a dns_result.
 */
#ifndef ASSAY_DNS_DNS_UNBOUND_ANSWER_H
#define ASSAY_DNS_DNS_UNBOUND_ANSWER_H

#include "dns/dns_source.h"

/* What ub_resolve_event() calls back with (unbound-event.h). */
struct dns_unbound_answer {
    int rcode; /* not 0: no packet */
    struct slice packet;
    int security; /* 0 insecure, 1 bogus, 2 secure */
    const char *why_bogus;
    bool was_ratelimited;
    unsigned packets; /* sent for it */
    bool stopped;     /* it had sent all packets that its message had left */
};

/* The result. It holds one reference. now: clock_mono_ms(). Scratch memory is taken from `arena`. NULL when out of
 * memory. */
struct dns_result *dns_unbound_result(struct arena *arena, const struct dns_question *q,
                                      const struct dns_unbound_answer *answer, int64_t now) MUST_CHECK;

/* A temporary failure; NULL when out of memory. */
struct dns_result *dns_unbound_failure(const char *why, enum limit_kind limit) MUST_CHECK;

#endif
