// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_cmd.c - `assay policy`: the table of its sub-commands. Each is in a file policy_NAME.c.
 */
#include "cli/policy/policy_cmd.h"

int cmd_policy(int argc, char **argv)
{
    static const struct cli_command table[] = {
        {"check", policy_cmd_check, NULL,
         "is the policy right, and is it wise? exit code 0, or 2 (errors); --strict: 1 (warnings)"},
        {"ask", policy_cmd_ask, NULL, "which line decides for a sender, the ones it beat, and why"},
        {"read", policy_cmd_read, NULL, "the whole policy in plain sentences, for someone who knows no abbreviation"},
        {"show", policy_cmd_show, NULL, "the policy in canonical form; --defaults: every setting"},
        {"explained", policy_cmd_explained, NULL, "the register of what is excused: why, agreed by whom, until when"},
        {"status", policy_cmd_status, NULL, "which policy each program runs on, and whether it is the file's"},
        {"accept", policy_cmd_accept, NULL,
         "let the programs take a policy that they keep out because it looks like an accident"},
        {"what-if", policy_cmd_what_if, NULL, "whose saved mail another policy would treat otherwise"},
        {"diff", policy_cmd_diff, NULL, "what differs between two policies"},
        {NULL, NULL, NULL, NULL},
    };
    return cli_dispatch("assay policy", table, argc, argv);
}
