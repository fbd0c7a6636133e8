// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_policy.c - loads a policy for a command, and prints what is wrong with it.
 */
#include "cli/cli.h"
#include "policy/policy.h"
#include <unistd.h>

struct policy *cli_load_policy(const char *path, int *rc)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load(path, r);
    struct buf b = BUF_INIT;
    if (!p)
        policy_report_print(r, POLICY_ERROR, &b);
    fputs(b.p, stderr);
    buf_release(&b);
    policy_report_free(r);
    if (!p)
        *rc = access(path, F_OK) != 0 ? EX_NOINPUT : EX_CONFIG;
    return p;
}
