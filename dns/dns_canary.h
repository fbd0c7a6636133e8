// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_canary.h - checks whether our own side works: do queries leave this host, is the clock right, is the trust anchor
 * current?
 *
 * Asks for a name that always exists and is always signed (the root's SOA). Each try uses a new resolver, so that no
 * cache can hide that the network is down. It tries a few times within `ms`, until one try succeeds. If all fail,
 * failures of other domains say nothing about those domains.
 *
 * Blocks for up to `ms`; starts threads for that time. Any thread; do not fork afterwards.
 */
#ifndef ASSAY_DNS_DNS_CANARY_H
#define ASSAY_DNS_DNS_CANARY_H

#include "dns/dns_unbound.h"

enum dns_health {
    DNS_HEALTHY,
    DNS_UNREACHABLE,  /* no answer: network, forwarder, port 53 */
    DNS_UNTRUSTED,    /* the answer does not validate: clock, trust anchor, or somebody in between */
    DNS_UNCONFIGURED, /* the resolver could not be made: the anchor file, a setting */
};

/* name: canonical form, or "." or NULL for the root. *why: one line for a log (malloc'ed; the caller frees it), NULL
 * when healthy. */
enum dns_health dns_canary(const struct dns_unbound_config *config, const char *name, unsigned ms, char **why);

#endif
