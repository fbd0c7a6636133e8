// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_what_if.h - between the two halves of `assay policy what-if`: over saved mail, and over the ledger.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_WHAT_IF_H
#define ASSAY_CLI_POLICY_POLICY_WHAT_IF_H

#include "cli/cli.h"
#include "policy/policy.h"

/* Compares two policies over what the ledger saw since a day, and prints it. The exit code. */
int what_if_ledger(const struct policy *now, const struct policy *other, time_t since, bool json);

#endif
