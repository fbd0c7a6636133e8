// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_host.h - whether a policy can work on this host: its users, groups, files, engines, and what the MTA asks.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_HOST_H
#define ASSAY_CLI_POLICY_POLICY_HOST_H

#include "policy/policy.h"

/* Adds to the report what this host has not, at the line that sets it, or at `path`. `runs_here`: programs of this host
 * run on it. A user or a group that is not there is a warning then, else a note; and files are looked for then alone,
 * since the policy may be another host's. What would stop all mail is an error. */
void policy_host_check(struct policy_report *r, const struct policy *p, const char *path, bool runs_here);

/* The part of it about milter.peers alone. false: it names nobody of this host, so that no mail would come in. */
bool policy_host_check_peers(struct policy_report *r, const struct policy *p, const char *path, bool runs_here);

#endif
