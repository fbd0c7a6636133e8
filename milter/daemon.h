// SPDX-License-Identifier: BSD-2-Clause
/*
 * daemon.h - what all sessions of assay-milter share: the policy in force, the DNS, the journal, the memory.
 *
 * Made by main before libmilter's threads start, given back after they have ended. libmilter hands no context of the
 * process to its callbacks, so there is one, `the_daemon`. Its parts are thread-safe by themselves; nothing else in it
 * changes while threads run.
 */
#ifndef ASSAY_MILTER_DAEMON_H
#define ASSAY_MILTER_DAEMON_H

#include "judge/judge.h"
#include "journal/journal.h"
#include "journal/known_signers.h"
#include "milter/memory.h"
#include "policy/policy.h"
#include "policy/policy_live.h"
#include <limits.h>

struct daemon {
    const char *state_dir;   /* of what is kept over a restart */
    const char *main_socket; /* libmilter's; NULL: it was given by option, and no other place is wanted */
    const char *policy_path;
    char snapshot[PATH_MAX]; /* of the policy in force */
    struct policy_live *policy;
    struct judge_host host;
    struct engines engines;        /* of host */
    struct delegation *delegation; /* NULL: Postfix is not asked for digests of certificates */
    struct journal *journal;       /* NULL: none could be opened; said at the start */
    struct memory *memory;
    struct known_signers *knowledge; /* what the ledger knows of senders */
};

extern struct daemon the_daemon;

/* SIGHUP: reads the policy again. Called by the thread that waits for signals. */
void daemon_reload(void);

#endif
