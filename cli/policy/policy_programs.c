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
        [POLICY_PROGRAM_MILTER] = {"assay-milter", "/policy.snapshot"},
        [POLICY_PROGRAM_RESOLVER] = {"resolver module", "/resolver/policy.snapshot"},
        [POLICY_PROGRAM_LEDGER] = {"assay-ledger", "/policy.ledger"},
        [POLICY_PROGRAM_OUTGOING] = {"assay-outgoing", "-outgoing/policy.snapshot"}, /* a folder of its own */
    };
    if (i >= sizeof programs / sizeof *programs)
        return NULL;
    snprintf(snapshot, PATH_MAX, "%s%s", state ? state : ASSAY_STATEDIR, programs[i].snapshot);
    return programs[i].program;
}
