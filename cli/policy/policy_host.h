// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_host.h - whether a policy can work on this host: its users, groups, files, engines, and what the MTA asks.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_HOST_H
#define ASSAY_CLI_POLICY_POLICY_HOST_H

#include "policy/policy.h"
#include <limits.h>

/* Adds to the report what this host has not, at the line that sets it, or at `path`. `runs_here`: programs of this
 * host run on it; which ones, the snapshots in `state` tell (NULL: the usual folder). What would stop one of them is an
 * error then. A user or a group that is not there is a warning where assay-milter runs, else a note; and files are
 * looked for only where a program runs that needs them, since the policy may be another host's. */
void policy_host_check(struct policy_report *r, const struct policy *p, const char *path, const char *state,
                       bool runs_here);

/* The part of it that stops a program which runs here. false: one could not work. */
bool policy_host_works(struct policy_report *r, const struct policy *p, const char *path, const char *state);

/* The first of the programs that reload by a signal (assay-milter, assay-ledger) that keeps a snapshot here, and the
 * snapshot's path. NULL: none does, or (errno EACCES) this user may not see them. */
const char *policy_host_reloads(const char *state, char snapshot[PATH_MAX]);

#endif
