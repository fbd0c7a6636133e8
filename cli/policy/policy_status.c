// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_status.c - `assay policy status`: which policy each program runs on, and whether it is the one in the file.
 *
 * Each program keeps the policy in force as a snapshot in the state folder; this reads their marks and compares them
 * with what the file gives now. A difference means that the program was not told to reload, or would not take the new
 * file and runs on with the old; which of both is said. Exit code 0 all agree, 1 one differs or cannot be read, 2 the
 * file cannot be loaded, 3 nothing is known of any program. --wait PROGRAM waits, bounded, until that program runs on
 * the file's policy, and always ends with 0: the units' reload ends with it, and it fails no reload.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/words.h"
#include "cli/policy/policy_cmd.h"
#include "policy/policy_live.h"
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define PROGRAMS 4
#define WAIT_MOST_MS 5000
#define WAIT_STEP_MS 100

struct running {
    const char *program;
    char path[PATH_MAX]; /* of its snapshot */
    enum status status;
    char hash[9];
    time_t loaded;
};

static const char *state_of(const struct running *r, const struct policy *p)
{
    if (r->status == STATUS_MISSING)
        return "unknown";
    if (r->status != STATUS_OK)
        return "unreadable";
    return p && strcmp(r->hash, policy_hash(p)) == 0 ? "same" : "differs";
}

/* What to do about a program that runs on another policy than the file's. */
static void differing(const struct running *r, const char *file, char out[128])
{
    if (!policy_live_takes(file, r->path, NULL))
        snprintf(out, 128, "another than in the file, which it would not take: assay policy check says why");
    else if (strncmp(r->program, "assay-", 6) == 0)
        snprintf(out, 128, "another than in the file: not yet reloaded: systemctl reload %s", r->program);
    else
        snprintf(out, 128, "another than in the file: it takes the file's by itself within seconds, while it runs");
}

static void print_text(const char *file, const struct running *all, const struct policy *p)
{
    static const char *const words[][2] = {
        {"same", "as in the file"},
        {"unknown", "has kept no policy here: it has not run yet, or keeps it elsewhere"},
        {"unreadable", "keeps one that cannot be read"},
    };
    printf("%-16s ", "the file");
    if (p)
        printf("%s  ", policy_hash(p));
    else
        printf("cannot be loaded  ");
    cli_put_visible(stdout, file);
    putchar('\n');
    for (size_t i = 0; i < PROGRAMS; i++) {
        const char *state = state_of(&all[i], p), *word = "";
        char when[CLOCK_TEXT] = "", differs[128] = "";
        if (p && strcmp(state, "differs") == 0) {
            differing(&all[i], file, differs);
            word = differs;
        }
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            word = strcmp(words[k][0], state) == 0 ? words[k][1] : word;
        bool known = all[i].status == STATUS_OK;
        if (!known && access(all[i].path, R_OK) != 0 && errno == EACCES)
            word = "what it runs on may not be read: ask as root";
        if (known && !p)
            word = "the last good one, while the file cannot be loaded";
        if (known)
            clock_utc_text(all[i].loaded, when);
        bool warn = strcmp(state, "differs") == 0 || strcmp(state, "unreadable") == 0;
        printf("%-16s %s%s%s%s  %s%s%s\n", all[i].program, known ? all[i].hash : "-", known ? "  " : "",
               known ? "loaded " : "", when, cli_colour(stdout, warn ? CLI_YELLOW : CLI_PLAIN), word,
               cli_colour(stdout, CLI_PLAIN));
    }
}

static void print_json(const char *file, const struct running *all, const struct policy *p)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    char when[CLOCK_TEXT];
    json_open(&j);
    json_str(&j, "file", file);
    json_str(&j, "policy", p ? policy_hash(p) : NULL);
    json_open_array(&j, "programs");
    for (size_t i = 0; i < PROGRAMS; i++) {
        json_open(&j);
        json_str(&j, "program", all[i].program);
        json_str(&j, "state", state_of(&all[i], p));
        if (all[i].status == STATUS_OK) {
            json_str(&j, "policy", all[i].hash);
            json_str(&j, "loaded", clock_utc_text(all[i].loaded, when));
        }
        json_end(&j);
    }
    json_end(&j);
    json_end(&j);
    buf_addc(&b, '\n');
    cli_flush(&b);
}

static int exit_code(const struct running *all, const struct policy *p)
{
    size_t known = 0, wrong = 0;
    for (size_t i = 0; i < PROGRAMS; i++) {
        const char *state = state_of(&all[i], p);
        known += strcmp(state, "unknown") != 0;
        wrong += strcmp(state, "differs") == 0 || strcmp(state, "unreadable") == 0;
    }
    return !p ? CLI_CRITICAL : wrong ? CLI_WARNING : known ? CLI_OK : CLI_UNKNOWN;
}

/* Waits until the program named runs on what the file says now. What it runs on is in its snapshot, which is written
 * once the policy is in force. */
static int wait_for(const struct policy_args *a)
{
    char path[PATH_MAX], hash[9] = "";
    const char *program;
    time_t loaded;
    bool same = false;
    for (size_t i = 0; (program = policy_program(i, a->state, path)) && strcmp(program, a->wait) != 0;)
        i++;
    if (!program)
        return cli_usage("--wait: '%s' is not assay-milter, assay-ledger or assay-outgoing", a->wait);
    struct policy *p = policy_load_as_kept(a->file, path, NULL);
    const int64_t until = clock_mono_ms() + WAIT_MOST_MS;
    while (p) {
        same = policy_snapshot_says(path, hash, &loaded) == STATUS_OK && strcmp(hash, policy_hash(p)) == 0;
        if (same || clock_mono_ms() >= until)
            break;
        clock_sleep_ms(WAIT_STEP_MS);
    }
    if (same)
        printf("%s runs on policy %s\n", program, hash);
    else if (p)
        printf("%s does not run on policy %s after %d second%s: see its log, and assay policy status\n", program,
               policy_hash(p), WAIT_MOST_MS / 1000, words_s(WAIT_MOST_MS / 1000));
    else
        printf("%s: cannot be loaded: %s runs on as before\n", a->file, program);
    policy_unref(p);
    return EX_OK;
}

int policy_cmd_status(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--json] [--state DIR] [FILE]\n--wait PROGRAM [--state DIR] [FILE]",
        "Which policy the mail filter, the resolver's module, the ledger and assay-outgoing run on, and whether it is "
        "the file's. Exit code: 0 all agree, 1 one differs, 2 the file cannot be loaded, 3 nothing is known of any. "
        "--wait waits, at most 5 seconds, until PROGRAM (assay-milter, assay-ledger, assay-outgoing) runs on what the "
        "file says; it ends with 0 either way, and says which: the units call it at the end of a reload."};
    struct policy_args a;
    struct running all[PROGRAMS] = {0};
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_JSON | POLICY_ARG_STATE | POLICY_ARG_FILE | POLICY_ARG_WAIT);
    if (rc >= 0)
        return rc;
    if (a.wait)
        return wait_for(&a);
    struct policy *p = cli_load_policy(a.file, &rc);
    for (size_t i = 0; i < PROGRAMS; i++) {
        all[i].program = policy_program(i, a.state, all[i].path);
        all[i].status = policy_snapshot_says(all[i].path, all[i].hash, &all[i].loaded);
    }
    if (a.json)
        print_json(a.file, all, p);
    else
        print_text(a.file, all, p);
    rc = exit_code(all, p);
    policy_unref(p);
    return rc;
}
