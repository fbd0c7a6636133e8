// SPDX-License-Identifier: BSD-2-Clause
/*
 * daemon.h - what all sessions of assay-milter share: the policy in force, the DNS, the journal, the memory.
 *
 * main creates it before the engine's threads start, and frees it after they have ended. libmilter has no per-process
 * context for callbacks, so there is one global, `the_daemon`. Its parts are thread-safe; nothing else in it changes
 * while threads run.
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
    const char *state_dir;   /* folder of what is kept across a restart */
    const char *main_socket; /* the engine's socket; NULL: an option named it, and we listen nowhere else */
    const char *policy_path;
    char snapshot[PATH_MAX]; /* of the current policy */
    struct policy_live *policy;
    struct judge_host host;
    struct engines engines;        /* used by host */
    struct delegation *delegation; /* NULL: Postfix is not asked for digests of certificates */
    struct journal *journal;       /* NULL: none could be opened, which was logged at the start */
    struct memory *memory;
    struct known_signers *knowledge; /* what the ledger knows about senders */
};

extern struct daemon the_daemon;

/* On SIGHUP: reads the policy again. Called by the thread that waits for signals. */
void daemon_reload(void);

#endif
