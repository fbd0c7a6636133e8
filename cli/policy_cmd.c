// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_cmd.c - `assay policy`: the table of its sub-commands, each in a file policy_NAME.c.
 */
#include "cli/cli.h"

int cmd_policy(int argc, char **argv)
{
    static const struct cli_command table[] = {
        {NULL, NULL, NULL, NULL},
    };
    return cli_dispatch("assay policy", table, argc, argv);
}
