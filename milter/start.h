// SPDX-License-Identifier: BSD-2-Clause
/*
 * start.h - the steps of starting a daemon, each one call of main's paragraph. Each returns 0, or an exit code of
 * sysexits.h after a message on stderr that says what, where and what would be right.
 */
#ifndef ASSAY_MILTER_START_H
#define ASSAY_MILTER_START_H

#include "milter/daemon.h"
#include "milter/options.h"
#include <limits.h>

/* Reads the policy and says everything that is wrong with it. EX_CONFIG: there is none to run on. *from_snapshot: it is
 * the last good one, which our user keeps: as root nothing is done that it says. */
int start_policy(struct daemon *d, const struct options *o, bool *from_snapshot);

/* -t: only that, with warnings. */
int start_test(const struct options *o);

/* Where findings are written: `set journal.dir`, or its place in the state folder given. Returns out. */
const char *start_journal_dir(const struct policy *p, const struct options *o, char out[PATH_MAX]);

/* Group and permissions of a unix socket that was just made; path NULL: it is none. */
int start_socket_rights(const struct policy *p, const char *path);

/* Opens the SPF and DKIM engines that the policy asks for; before rights are dropped. EX_CONFIG: one is missing or
 * unfit. */
int start_modules(struct daemon *d, const struct policy *p);

/* As root: makes the state and journal folders and becomes the user. As anybody else: nothing. With a policy from the
 * snapshot the user is the snapshot's owner, whatever milter.user says there. */
int start_drop_rights(const struct policy *p, const struct options *o, bool from_snapshot);

/* Goes to the background; returns in the child. The parent waits until start_ready(), and leaves with the child's exit
 * code. */
int start_background(void);
void start_ready(void);

/* DNS, journal, memory: what has threads. */
int start_engines(struct daemon *d, const struct options *o);
void start_undo(struct daemon *d);

#endif
