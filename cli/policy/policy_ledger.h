// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_ledger.h - the ledger that the policy names, and how often an exception was used.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_LEDGER_H
#define ASSAY_CLI_POLICY_POLICY_LEDGER_H

#include "ledger/store.h"
#include "policy/policy.h"

/* How often a statement excused (or saved) something, under this policy and earlier ones (ledger/exceptions.h). */
struct policy_use {
    int64_t count;              /* -1: not known */
    char last[POLICY_DAY_TEXT]; /* the last day, or "" */
};

/* The ledger the policy's settings name, to be asked; NULL if there is none yet, or, after a message on stderr, if it
 * cannot be asked. */
struct store *policy_ledger_open(const struct policy *p);
/* where: a file, or a PostgreSQL URI. *st: the cause if it returns NULL. */
struct store *policy_ledger_open_at(const char *where, enum status *st);

/* Uses of an exemption from one standard, or of a trust (standard NULL). s NULL: not known. */
void policy_ledger_use(struct store *s, const struct policy *p, const struct policy_statement *st, const char *standard,
                       struct policy_use *out);

#endif
