// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger.h - what the sub-commands of `assay ledger` (and `assay why`) share: options, the policy's settings, the
 * store.
 */
#ifndef ASSAY_CLI_LEDGER_LEDGER_H
#define ASSAY_CLI_LEDGER_LEDGER_H

#include "base/language.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "ledger/config.h"
#include "ledger/store.h"

/* Options a sub-command takes besides --policy, --help. */
enum {
    LEDGER_SINCE = 1,
    LEDGER_UNTIL = 2,
    LEDGER_DOMAIN = 4,
    LEDGER_LIMIT = 8,
    LEDGER_BY = 16,
    LEDGER_STANDARD = 32,
    LEDGER_STATE = 64,
    LEDGER_CSV = 128,
    LEDGER_JOURNAL = 256,
    LEDGER_STORE = 512,
    LEDGER_DRY_RUN = 1024,
    LEDGER_DAY = 2048,
    LEDGER_TO = 4096,
    LEDGER_DNS = 8192,
    LEDGER_NAMES = 16384,
    LEDGER_JSON = 32768,
    LEDGER_HTML = 65536,
    LEDGER_TEXT = 131072,
    LEDGER_ROLE = 262144,
    LEDGER_NOW = 524288,
    LEDGER_MAILDIR = 1048576,
    LEDGER_RESEND = 2097152,
    LEDGER_SEARCH = 1 << 23, /* --from, --client, --to-domain */
    LEDGER_YES = 1 << 24,
    LEDGER_ASK = LEDGER_STORE | LEDGER_JSON | LEDGER_CSV, /* every question to the store */
};

struct ledger_args {
    const char *policy, *journal, *store, *domain, *by, *standard, *state, *to, *dns, *html, *role, *maildir, *checks;
    const char *publish, *prometheus;
    int64_t annual; /* 0: not given */
    const char *from, *client, *to_domain;
    int64_t since, until;         /* microseconds; 0: not given */
    int64_t since_day, until_day; /* the same as UTC days; only where those are given */
    int64_t limit;                /* 0: not given */
    int64_t day;                  /* days since 1970 */
    enum language language;
    bool form_given, two_forms; /* --text, --json or --csv; two_forms: an error that ledger_args_read() reports */
    bool language_given, day_given, dry_run, yes, names, now, watch, resend;
    enum table_form form;
    char **words; /* operands */
    int word_count;
};

struct ledger_usage {
    const char *synopsis, *text; /* for the help: what follows the command's name, and what it does */
};

/* Reads the arguments. -1: go on; else the exit code (help was shown, or a complaint made). Operands are refused below
 * `least` and above `most`. */
int ledger_args_read(struct ledger_args *a, int argc, char **argv, unsigned takes, int least, int most,
                     const struct ledger_usage *usage);

/* The settings: of the policy file given, or of the installed one; if there is none and `store` or `journal` is given,
 * the defaults. NULL after a complaint: *rc is the exit code. Unref it when done. */
const struct policy *ledger_settings(const struct ledger_args *a, struct ledger_config *c, int *rc);

/* The store to ask. NULL after a complaint. *policy is to be unref'ed when done with the store. */
struct store *ledger_store(const struct ledger_args *a, enum store_mode mode, struct ledger_config *c,
                           const struct policy **policy, int *rc);

/* Takes the lease of the store (store_lease.h), for a command that must be done: waits, and says for whom. ledger_end()
 * leaves it. */
enum status ledger_wait_for_lease(struct store *s, const char *work);

/* Ends a question: complains when it failed; releases everything; the exit code. */
int ledger_end(struct store *s, const struct policy *policy, enum status st);

int ledger_show(int argc, char **argv);
int ledger_domain(int argc, char **argv);
int ledger_standards(int argc, char **argv);
int ledger_refused(int argc, char **argv);
int ledger_top(int argc, char **argv);
int ledger_unexplained(int argc, char **argv);
int ledger_stopped(int argc, char **argv);
int ledger_selectors(int argc, char **argv);
int ledger_hosts(int argc, char **argv);
int ledger_reports(int argc, char **argv);
int ledger_suppressed(int argc, char **argv);
int ledger_read_report(int argc, char **argv);
int ledger_forget(int argc, char **argv);
int ledger_admit(int argc, char **argv);
int ledger_recount(int argc, char **argv);
int ledger_tidy(int argc, char **argv);
int ledger_backup(int argc, char **argv);
int ledger_restore(int argc, char **argv);

#endif
