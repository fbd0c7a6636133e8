// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_cmd.h - what the sub-commands of `assay policy` share: their arguments and how a policy is loaded for them.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_CMD_H
#define ASSAY_CLI_POLICY_POLICY_CMD_H

#include "cli/cli.h"
#include "cli/text.h"
#include "policy/policy.h"
#include <limits.h>

struct policy_usage {
    const char *synopsis; /* behind the command's name */
    const char *text;
};

/* Options every sub-command may take, by bits. */
enum {
    POLICY_ARG_JSON = 1,
    POLICY_ARG_FILE = 2,  /* [FILE] or -P FILE: the policy; CLI_POLICY_PATH if none is said */
    POLICY_ARG_OTHER = 4, /* a second operand */
    POLICY_ARG_CSV = 8,
    POLICY_ARG_HTML = 16,
    POLICY_ARG_DEFAULTS = 32, /* --defaults, --setting */
    POLICY_ARG_QUESTION =
        64, /* --from, --for, --standard, --client, --names, --at, --signed-by, --submission, --listener */
    POLICY_ARG_AT = 128,
    POLICY_ARG_POLICY = 256, /* -P FILE alone, no operand */
    POLICY_ARG_DNS = 2048,   /* --ask-dns, --dns */
    POLICY_ARG_STATE = 1024, /* --state DIR */
    POLICY_ARG_CHECK = 4096, /* --strict, --for-reload */
    POLICY_ARG_SUMMARY = 8192,
    POLICY_ARG_LANG = 16384, /* --lang */
    POLICY_ARG_MAIL = 512,   /* a third operand, and --dns */
    POLICY_ARG_WAIT = 32768, /* --wait PROGRAM */
};

#define POLICY_SIGNERS_MAX 16 /* given by --signed-by; our own limit */

struct policy_args {
    const char *file, *other, *mail, *dns, *state;
    bool ask_dns, strict, for_reload, json, csv, html, summary, defaults, names, submission;
    const char *from, *rcpt, *standard, *client, *setting, *listener, *wait;
    const char *signers[POLICY_SIGNERS_MAX];
    size_t signer_count;
    struct cli_language lang;
    time_t at;
};

/* Reads the arguments. -1: go on; else the exit code (help was printed, or the usage was wrong). */
int policy_args_read(struct policy_args *a, const struct policy_usage *u, int argc, char **argv, unsigned allowed);

/* Prints what differs between two policies, a line each; returns how many lines. policy_diff.c. */
size_t policy_diff_print(const struct policy *before, const struct policy *after);

/* Path of the snapshot that program number i of those that share the policy keeps in `state` (NULL: the usual folder);
 * the program's name, or NULL at the end. policy_programs.c. */
enum { POLICY_PROGRAM_MILTER, POLICY_PROGRAM_RESOLVER, POLICY_PROGRAM_LEDGER, POLICY_PROGRAM_OUTGOING };
const char *policy_program(size_t i, const char *state, char snapshot[PATH_MAX]);

int policy_cmd_check(int argc, char **argv);
int policy_cmd_ask(int argc, char **argv);
int policy_cmd_show(int argc, char **argv);
int policy_cmd_read(int argc, char **argv);
int policy_cmd_explained(int argc, char **argv);
int policy_cmd_accept(int argc, char **argv);
int policy_cmd_status(int argc, char **argv);
int policy_cmd_what_if(int argc, char **argv);
int policy_cmd_diff(int argc, char **argv);

#endif
