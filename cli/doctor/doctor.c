// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor.c - `assay doctor`: checks whether this server itself is in order. One page, each point with what to do.
 *
 * Runs the checks of the table in order, prints what each found, and returns the worst as exit code: 0 all well, 1 a
 * warning, 2 critical, 3 nothing worse than "could not find out". Changes nothing. A check that cannot run here (no
 * Postfix, no root) says so and is not a failure.
 */
#include "cli/doctor/doctor.h"
#include "base/utf8.h"
#include "base/words.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "base/json.h"
#include "cli/cli.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static const struct check {
    const char *name;
    const char *help;
    void (*run)(struct doctor *d);
} checks[] = {
    {"policy", "the policy file loads and is the one in force", doctor_policy},
    {"files", "nobody else can change the files that decide", doctor_files},
    {"clock", "the clock is kept right", doctor_clock},
    {"disk", "there is disk space for findings", doctor_disk},
    {"journal", "findings are written, and ingested", doctor_journal},
    {"milter", "assay-milter answers", doctor_milter},
    {"message", "a test message goes through the mail server to it, and is dropped", doctor_message},
    {"postfix", "Postfix asks it, and is set up safely", doctor_postfix},
    {"sendmail", "Sendmail asks it, and stops when it is away", doctor_sendmail},
    {"listeners", "the MTA has the listeners the policy names", doctor_listeners},
    {"anchor", "DNSSEC validation works here", doctor_anchor},
    {"resolver", "this host's resolver validates and refuses", doctor_resolver},
    {"own", "our own domains publish what we ask of others", doctor_own},
    {"tlsa", "our TLSA records match the certificates served", doctor_tlsa},
};
#define CHECKS (sizeof checks / sizeof checks[0])

struct options {
    const char *policy, *state, *dns; /* dns: a file of saved answers, or NULL */
    const char *smtp, *postfix;
    bool json, quiet, no_message;
    bool chosen[CHECKS];
};

#define OPTIONS_OF struct options
static const struct option_row rows[] = {
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT('S', "state", "DIR", state, "the programs' folder (default " ASSAY_STATEDIR ")"),
    OPTIONS_FLAG('q', "quiet", quiet, "only what is not in order"),
    OPTIONS_FLAG(0, "json", json, "for programs"),
    OPTIONS_TEXT(0, "dns", "FILE", dns, "saved answers instead of DNS"),
    OPTIONS_TEXT(0, "smtp", "HOST[:PORT]", smtp, "the server that gets the test message (default: loopback, port 25)"),
    OPTIONS_ANY_TEXT(0, "postfix", "DIR", postfix, "Postfix's configuration folder, if there are several instances"),
    OPTIONS_FLAG(0, "no-test-message", no_message, "send none"),
};

/* Marks the check of that name, or complains and names the nearest. */
static int check_choose(struct options *o, const char *name)
{
    const char *names[CHECKS];
    for (size_t i = 0; i < CHECKS; i++) {
        names[i] = checks[i].name;
        if (strcmp(checks[i].name, name) == 0) {
            o->chosen[i] = true;
            return -1;
        }
    }
    const char *near = words_nearest(slice_str(name), names, CHECKS);
    return near ? cli_usage("unknown check '%s'; did you mean '%s'?", name, near)
                : cli_usage("unknown check '%s'", name);
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    struct option_word words[CHECKS];
    const struct options_spec spec = {
        .synopsis = "[OPTION...] [CHECK...]",
        .text = "Checks whether this server itself is in order. Changes nothing; sends one message, which assay-milter "
                "drops.",
        .rows = rows,
        .row_count = sizeof rows / sizeof *rows,
        .words_are = "Checks, all of them if none is named:",
        .words = words,
        .word_count = CHECKS,
        .after = "Exit code: 0 all well, 1 a warning, 2 critical, 3 something could not be found out.",
        .most = OPTIONS_ANY,
    };
    int n;
    for (size_t i = 0; i < CHECKS; i++)
        words[i] = (struct option_word){checks[i].name, checks[i].help};
    *o = (struct options){.policy = CLI_POLICY_PATH, .state = ASSAY_STATEDIR};
    int rc = cli_options(&spec, argc, argv, o, &n);
    for (int i = 1; rc < 0 && i <= n; i++)
        rc = check_choose(o, argv[i]);
    for (size_t i = 0; rc < 0 && n == 0 && i < CHECKS; i++)
        o->chosen[i] = true;
    return rc;
}

static const char *state_word(enum doctor_state s)
{
    static const char *const words[] = {"ok", "note", "unknown", "warning", "critical"};
    return words[s];
}

static enum cli_colour state_colour(enum doctor_state s)
{
    static const enum cli_colour colours[] = {CLI_GREEN, CLI_DIM, CLI_BLUE, CLI_YELLOW, CLI_RED};
    return colours[s];
}

/* A command to be copied: a backslash stays one, and what a terminal would obey is still made visible. */
static void put_command(struct arena *a, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\\");
        const char *part = arena_copy(a, text, n);
        cli_put_visible(stdout, part ? part : "");
        if (text[n])
            putchar('\\');
        text += n + (text[n] != '\0');
    }
}

#define INDENT 20 /* the state and the name of the check */

/* Text in lines of the terminal's width. A remedy is none: it holds commands to be copied. */
static void put_wrapped(const char *text)
{
    struct buf visible = BUF_INIT, lines = BUF_INIT;
    utf8_add_visible(&visible, slice_str(text));
    cli_wrap(&lines, visible.p ? visible.p : "", INDENT, cli_prose_width(stdout));
    fputs(lines.p ? lines.p : "", stdout);
    buf_release(&visible);
    buf_release(&lines);
}

static void print_text(const struct doctor *d, const struct options *o)
{
    for (const struct doctor_finding *f = d->first; f; f = f->next) {
        if (o->quiet && f->state <= DOCTOR_NOTE)
            continue;
        printf("%s%-9s%s %-9s ", cli_colour(stdout, state_colour(f->state)), state_word(f->state),
               cli_colour(stdout, CLI_PLAIN), f->check);
        put_wrapped(f->text);
        if (f->remedy) {
            printf("\n%20s", "");
            put_command(d->arena, f->remedy);
        }
        putchar('\n');
    }
}

static bool print_json(const struct doctor *d)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open_array(&j, NULL);
    for (const struct doctor_finding *f = d->first; f; f = f->next) {
        json_open(&j);
        json_str(&j, "check", f->check);
        json_str(&j, "state", state_word(f->state));
        json_str(&j, "text", f->text);
        json_opt(&j, "remedy", f->remedy);
        json_end(&j);
    }
    json_end(&j);
    buf_addc(&b, '\n');
    return cli_flush(&b);
}

static int exit_code(const struct doctor *d)
{
    enum doctor_state worst = DOCTOR_OK;
    for (const struct doctor_finding *f = d->first; f; f = f->next)
        if (f->state > worst)
            worst = f->state;
    return worst == DOCTOR_CRITICAL  ? CLI_CRITICAL
           : worst == DOCTOR_WARNING ? CLI_WARNING
           : worst == DOCTOR_UNKNOWN ? CLI_UNKNOWN
                                     : CLI_OK;
}

/* false: the file of saved answers cannot be read, which was said. */
static bool open_dns(struct doctor *d, const char *saved)
{
    struct dns_unbound_config config = {
        .anchor = dns_anchor_or_system(doctor_setting(d, SETTING_DNS_ANCHOR, ASSAY_STATEDIR "/root.key")),
        .anchor_seed = NULL,
        .forward = doctor_setting(d, SETTING_DNS_FORWARD, NULL),
        .no_cache = true,
    };
    char *error = NULL;
    d->dns = saved ? dns_replay_new(saved, &error) : dns_unbound_new(&config, &error);
    if (saved && !d->dns)
        cli_error("%s", error ? error : "out of memory");
    free(error);
    return d->dns || !saved;
}

/* Reads the policy once for all checks. If the file does not load: the policy that the milter runs with, so that the
 * checks look in the right places. */
static void load_policy(struct doctor *d)
{
    char snapshot[PATH_MAX];
    d->report = policy_report_new();
    d->policy = policy_load(d->policy_path, d->report);
    d->file_loads = d->policy != NULL;
    snprintf(snapshot, sizeof snapshot, "%s/policy.snapshot", d->state_dir);
    if (!d->policy)
        d->policy = policy_load_snapshot(d->policy_path, snapshot, NULL);
}

/* Every program of Postfix that is run takes its configuration from there (postconf(1)). false: that was said. */
static bool use_instance(const char *dir)
{
    char main_cf[PATH_MAX], *real = realpath(dir, NULL);
    bool good = real && snprintf(main_cf, sizeof main_cf, "%s/main.cf", real) < (int)sizeof main_cf &&
                access(main_cf, F_OK) == 0 && setenv("MAIL_CONFIG", real, 1) == 0;
    if (!good)
        cli_error("--postfix %s: there is no main.cf in that folder", dir);
    free(real);
    return good;
}

int cmd_doctor(int argc, char **argv)
{
    struct options o;
    int rc = read_options(argc, argv, &o);
    if (rc != -1)
        return rc;
    if (o.postfix && !use_instance(o.postfix))
        return EX_NOINPUT;
    struct doctor d = {
        .arena = arena_new(64 * 1024 * 1024), .policy_path = o.policy, .state_dir = o.state, .smtp = o.smtp};
    if (!d.arena) {
        cli_error("out of memory");
        return EX_OSERR;
    }
    d.last = &d.first;
    load_policy(&d);
    if (!open_dns(&d, o.dns)) {
        policy_unref(d.policy);
        policy_report_free(d.report);
        arena_free(d.arena);
        return EX_NOINPUT;
    }
    for (size_t i = 0; i < CHECKS; i++) {
        if (!o.chosen[i] || (o.no_message && checks[i].run == doctor_message))
            continue;
        d.check = checks[i].name;
        checks[i].run(&d);
    }
    bool written = true;
    if (o.json)
        written = print_json(&d);
    else
        print_text(&d, &o);
    rc = !written ? EX_IOERR : arena_failed(d.arena) ? EX_OSERR : exit_code(&d);
    dns_close(d.dns);
    policy_unref(d.policy);
    policy_report_free(d.report);
    arena_free(d.arena);
    return rc;
}
