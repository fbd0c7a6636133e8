// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_readers.h - whether the users that our programs run as may read the policy and what it names.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_READERS_H
#define ASSAY_CLI_POLICY_POLICY_READERS_H

#include "base/buf.h"
#include "policy/policy.h"
#include <limits.h>

/* A file that a program may not read. */
struct policy_closed {
    const char *program;      /* "assay-milter" */
    char user[64], group[64]; /* the user and group that it runs as */
    char file[PATH_MAX];
    char folder[PATH_MAX]; /* the first folder on the way to the file that it may not enter; "": none */
};

/* Finds the first file of the policy (what it includes and its lists, too) that one of the programs which keep their
 * state below `state` (NULL: the usual folder) may not read. false: there is none, or it cannot be told: only root can
 * become another user. */
bool policy_readers_closed(const struct policy *p, const char *path, const char *state, struct policy_closed *out);

/* Appends the commands that let the program read the file. */
void policy_readers_remedy(const struct policy_closed *closed, struct buf *out);

/* The same of one file, and of the user of assay-milter and assay-ledger. */
bool policy_readers_closed_file(const char *file, const char *state, struct policy_closed *out);

/* Finds the first file of the policy that lies, behind its links, where the programs' units see nothing: below the
 * homes (ProtectHome=) or the folders for temporary files (PrivateTmp=). */
bool policy_readers_hidden(const struct policy *p, const char *path, char file[PATH_MAX]);

#endif
