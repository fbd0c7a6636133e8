// SPDX-License-Identifier: BSD-2-Clause
/*
 * start.h - the steps of the start, called by main. Each returns 0, or an exit code of sysexits.h after a message on
 * stderr that says what is wrong, where, and what would be right.
 */
#ifndef ASSAY_MILTER_START_H
#define ASSAY_MILTER_START_H

#include "milter/daemon.h"
#include "milter/options.h"
#include <limits.h>

/* Reads the policy and reports all its errors. EX_CONFIG: there is no policy to run with. *from_snapshot: it is the
 * last good one. Our user can write that file, so nothing it says is done as root. */
int start_policy(struct daemon *d, const struct options *o, bool *from_snapshot);

/* For -t: only reads and checks the policy, and shows warnings too. */
int start_test(const struct options *o);

/* The folder of the journal: `set journal.dir`, or the same path in the state folder that was given. Returns out. */
const char *start_journal_dir(const struct policy *p, const struct options *o, char out[PATH_MAX]);

/* Sets group and permissions of a unix socket that was just created; path NULL: not a unix socket, nothing to do. */
int start_socket_rights(const struct policy *p, const char *path);

/* Opens the SPF and DKIM engines that the policy names, before privileges are dropped. EX_CONFIG: one is missing or
 * cannot be used. */
int start_modules(struct daemon *d, const struct policy *p);

/* As root: creates the state and journal folders and becomes the user. Otherwise: nothing. If the policy is the
 * snapshot, the user is the snapshot's owner, whatever milter.user says there. */
int start_drop_rights(const struct policy *p, const struct options *o, bool from_snapshot);

/* Goes to the background; returns in the child. The parent waits for start_ready(), or exits with the child's exit
 * code. */
int start_background(void);
void start_ready(void);

/* Starts what has threads: DNS, journal, memory. */
int start_engines(struct daemon *d, const struct options *o);

/* Ends all that. Within ENDING_NOTHING_LEFT_SECONDS after the findings are on disk; what still waits for the network
 * then is left, and the process ends with this code. */
void start_undo(struct daemon *d, int code);

#endif
