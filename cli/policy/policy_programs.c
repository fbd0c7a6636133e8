// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_programs.c - the programs that share the policy, and where each keeps the one it runs on.
 */
#include "cli/policy/policy_cmd.h"

const char *policy_program(size_t i, const char *state, char snapshot[PATH_MAX])
{
    static const struct {
        const char *program, *snapshot;
    } programs[] = {
        {"assay-milter", "/policy.snapshot"},
        {"resolver module", "/resolver/policy.snapshot"},
        {"assay-ledger", "/policy.ledger"},
        {"assay-outgoing", "-outgoing/policy.snapshot"}, /* it has a folder and a user of its own */
    };
    if (i >= sizeof programs / sizeof *programs)
        return NULL;
    snprintf(snapshot, PATH_MAX, "%s%s", state ? state : ASSAY_STATEDIR, programs[i].snapshot);
    return programs[i].program;
}
