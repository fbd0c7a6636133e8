// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_accept.c - `assay policy accept`: lets the programs take a policy that they keep out because it looks like an
 * accident.
 *
 * Shows what differs between the policy that a program runs on and the file, once for all that run on the same, then
 * writes the file's hash beside each program's snapshot: only this very policy is let in, at the program's next reload
 * or start. Only root, or the owner of the state folder, may say so. Exit code 0, EX_NOPERM, EX_CONFIG (the file has
 * errors), EX_CANTCREAT.
 */
#include "cli/policy/policy_cmd.h"
#include "policy/policy_live.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What would change, once for all programs that run on the same policy. */
static void change_show(const char *program, const struct policy *before, const struct policy *after)
{
    static char shown[16]; /* the hash of what was shown last */
    const char *hash = before ? policy_hash(before) : "(not readable)";
    if (strcmp(shown, hash) == 0) {
        printf("%s runs on policy %s, too\n", program, hash);
        return;
    }
    printf("%s runs on policy %s; what would change:\n", program, hash);
    if (before && !policy_diff_print(before, after))
        puts("  nothing");
    snprintf(shown, sizeof shown, "%s", hash);
}

/* One program; its exit code, 0 also where it keeps no policy here. */
static int accept_for(const char *program, const char *snapshot, const char *file)
{
    char reason[256] = "";
    const struct policy *before = policy_load_snapshot(file, snapshot, NULL);
    if (access(snapshot, F_OK) != 0)
        return EX_OK;
    struct policy *after = policy_load_as_kept(file, snapshot, NULL);
    int rc = EX_OK;
    if (!after) {
        cli_error("%s: would not load %s", program, file);
        rc = EX_CONFIG;
    } else {
        change_show(program, before, after);
        if (policy_accept(after, snapshot, reason) == STATUS_OK) {
            printf("%s may take policy %s at its next reload or start\n", program, policy_hash(after));
        } else {
            cli_error("%s: %s", snapshot, reason);
            rc = EX_CANTCREAT;
        }
    }
    policy_unref(before);
    policy_unref(after);
    return rc;
}

int policy_cmd_accept(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--state DIR] [FILE]",
        "Lets the programs take this very policy, though it looks like an accident: a list that lost more than 30% of\n"
        "its names, fewer than half of the statements, or no `set mode` while the policy in force enforces. Shows "
        "what\n"
        "would change. Reload the programs then. It holds until the policy or one of its lists changes again."};
    struct policy_args a;
    struct stat st;
    int rc = policy_args_read(&a, &usage, argc, argv, POLICY_ARG_STATE | POLICY_ARG_FILE);
    if (rc >= 0)
        return rc;
    const char *state = a.state ? a.state : ASSAY_STATEDIR;
    if (geteuid() != 0 && (stat(state, &st) != 0 || st.st_uid != geteuid())) {
        cli_error("only root may accept a policy");
        return EX_NOPERM;
    }
    struct policy *p = cli_load_policy(a.file, &rc);
    if (!p)
        return rc;
    policy_unref(p);
    char snapshot[PATH_MAX];
    const char *program;
    rc = EX_OK;
    for (size_t i = 0; (program = policy_program(i, a.state, snapshot)); i++) {
        int one = accept_for(program, snapshot, a.file);
        rc = rc ? rc : one;
    }
    return rc;
}
