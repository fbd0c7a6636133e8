// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_networks.h - the networks that Postfix relays for (mynetworks) and the policy does not call its own. Pure.
 */
#ifndef ASSAY_CLI_MTA_NETWORKS_H
#define ASSAY_CLI_MTA_NETWORKS_H

#include "base/arena.h"
#include "policy/policy.h"

struct mta_networks {
    const char *here;   /* loopback and single addresses, as mynetworks_style=host writes this host's own; "": none */
    const char *others; /* networks; "": none. Both as `own network` has them: "192.0.2.0/24, 2001:db8::/32" */
};

/* Only what mynetworks writes as addresses and networks counts, not its tables. Texts in the arena; without memory, and
 * without a policy, both are "". */
struct mta_networks mta_networks_unknown(struct arena *a, const struct policy *p, const char *mynetworks);

#endif
