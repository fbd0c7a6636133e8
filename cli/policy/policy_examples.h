// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_examples.h - example mails and what becomes of them by a policy.
 */
#ifndef ASSAY_CLI_POLICY_POLICY_EXAMPLES_H
#define ASSAY_CLI_POLICY_POLICY_EXAMPLES_H

#include "policy/policy.h"

struct policy_example {
    const char *mail;                         /* a sentence, translated */
    enum policy_action action;                /* with the policy in force */
    const struct policy_statement *statement; /* that decides; NULL: none */
    bool trial;                               /* the statement is on trial: only written down */
    const char *unknown;                      /* why nothing can be said; NULL: it can */
};

/* Example i, from 0; false at the end. */
bool policy_example(const struct policy *p, size_t i, struct policy_example *out);

#endif
