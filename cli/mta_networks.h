// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_networks.h - the networks that Postfix relays for (mynetworks) and the policy does not call its own. Pure.
 */
#ifndef ASSAY_CLI_MTA_NETWORKS_H
#define ASSAY_CLI_MTA_NETWORKS_H

#include "base/arena.h"
#include "policy/policy.h"

#define MTA_NETWORKS_PARTS 64 /* that one network is told in, where mynetworks leaves addresses of it out */

struct mta_networks {
    const char *here;   /* loopback and single addresses, as mynetworks_style=host writes this host's own */
    const char *others; /* networks, without what is left out. Both as `own network` has them: "192.0.2.0/24, ::1" */
    const char
        *left_out;      /* addresses within them that mynetworks leaves out ("!192.0.2.9"); none of `others` has them */
    const char *unread; /* what only a table or a file says: "hash:/etc/postfix/nets, /etc/postfix/more" */
    const char *open;   /* what makes everybody's mail ours: "0.0.0.0/0", "static:all". It is in no other text */
};

/* Reads mynetworks with Postfix's rule: the first pattern that fits an address decides. A text with nothing to tell is
 * "". Texts in the arena; without memory, and without a policy, all are "". */
struct mta_networks mta_networks_unknown(struct arena *a, const struct policy *p, const char *mynetworks);

#endif
