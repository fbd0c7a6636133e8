// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor.c - `assay doctor`: is this server itself in order? One page, each point with what to do.
 *
 * Runs the checks of the table in order, prints what each found, and returns the worst as exit code: 0 all well, 1 a
 * warning, 2 critical, 3 nothing worse than "could not find out". Changes nothing. A check that cannot run here (no
 * Postfix, no root) says so and fails nobody.
 */
#include "cli/doctor/doctor.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "base/json.h"
#include "cli/cli.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static const struct check {
    const char *name;
    const char *help;
    void (*run)(struct doctor *d);
} checks[] = {
    {"policy", "the policy file loads and is the one in force", doctor_policy},
    {"files", "nobody else can change what decides", doctor_files},
    {"clock", "the clock is kept right", doctor_clock},
    {"disk", "there is room for what is found", doctor_disk},
    {"journal", "what is found is written, and taken in", doctor_journal},
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
    const char *smtp;
    bool json, quiet, no_message;
    bool chosen[CHECKS];
};

static const struct option long_options[] = {
    {"dns", required_argument, NULL, 'd'},
    {"smtp", required_argument, NULL, 's'},
    {"no-test-message", no_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, 'j'},
    {"policy", required_argument, NULL, 'P'},
    {"quiet", no_argument, NULL, 'q'},
    {"state", required_argument, NULL, 'S'},
    {NULL, 0, NULL, 0},
};

static int help(void)
{
    puts("Usage: assay doctor [OPTION...] [CHECK...]\n"
         "\n"
         "Is this server itself in order? Changes nothing; sends one message, which assay-milter drops.\n"
         "\n"
         "  -P, --policy FILE   the policy (default " CLI_POLICY_PATH ")\n"
         "  -S, --state DIR     the programs' folder (default " ASSAY_STATEDIR ")\n"
         "  -q, --quiet         only what is not in order\n"
         "      --json          for programs\n"
         "      --dns FILE      saved answers instead of DNS\n"
         "      --smtp HOST[:PORT]  where the test message is given in (default: loopback, port 25)\n"
         "      --no-test-message   send none\n"
         "\n"
         "Checks, all of them when none is named:");
    for (size_t i = 0; i < CHECKS; i++)
        printf("  %-10s %s\n", checks[i].name, checks[i].help);
    puts("\nExit code: 0 all well, 1 a warning, 2 critical, 3 something could not be found out.");
    return EX_OK;
}

static bool choose(struct options *o, const char *name)
{
    for (size_t i = 0; i < CHECKS; i++)
        if (strcmp(checks[i].name, name) == 0)
            return o->chosen[i] = true;
    return false;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    int c;
    *o = (struct options){.policy = CLI_POLICY_PATH, .state = ASSAY_STATEDIR};
    while ((c = getopt_long(argc, argv, "hP:qS:", long_options, NULL)) != -1) {
        switch (c) {
        case 'd':
            o->dns = optarg;
            break;
        case 'h':
            return help();
        case 'j':
            o->json = true;
            break;
        case 'n':
            o->no_message = true;
            break;
        case 's':
            o->smtp = optarg;
            break;
        case 'P':
            o->policy = optarg;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'S':
            o->state = optarg;
            break;
        default:
            return cli_usage("see the options");
        }
    }
    for (int i = optind; i < argc; i++)
        if (!choose(o, argv[i]))
            return cli_usage("there is no check '%s'", argv[i]);
    for (size_t i = 0; optind == argc && i < CHECKS; i++)
        o->chosen[i] = true;
    return -1;
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

static void print_text(const struct doctor *d, const struct options *o)
{
    for (const struct doctor_finding *f = d->first; f; f = f->next) {
        if (o->quiet && f->state <= DOCTOR_NOTE)
            continue;
        printf("%s%-9s%s %-9s ", cli_colour(stdout, state_colour(f->state)), state_word(f->state),
               cli_colour(stdout, CLI_PLAIN), f->check);
        cli_put_visible(stdout, f->text);
        if (f->remedy) {
            printf("\n%20s", "");
            cli_put_visible(stdout, f->remedy);
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
        .anchor = doctor_setting(d, SETTING_DNS_ANCHOR, ASSAY_STATEDIR "/root.key"),
        .anchor_seed = NULL,
        .forward = doctor_setting(d, SETTING_DNS_FORWARD, NULL),
        .no_cache = true,
    };
    char *error = NULL;
    if (access(config.anchor, R_OK) != 0)
        config.anchor = "/usr/share/dns/root.key";
    d->dns = saved ? dns_replay_new(saved, &error) : dns_unbound_new(&config, &error);
    if (saved && !d->dns)
        cli_error("%s", error ? error : "out of memory");
    free(error);
    return d->dns || !saved;
}

/* Where the file does not load: what the milter runs on, so that it is looked for where it is. */
static const struct policy *policy_in_force(const char *path, const char *state)
{
    char snapshot[PATH_MAX];
    const struct policy *p = policy_load(path, NULL);
    snprintf(snapshot, sizeof snapshot, "%s/policy.snapshot", state);
    return p ? p : policy_load_snapshot(path, snapshot, NULL);
}

int cmd_doctor(int argc, char **argv)
{
    struct options o;
    int rc = read_options(argc, argv, &o);
    if (rc != -1)
        return rc;
    struct doctor d = {
        .arena = arena_new(64 * 1024 * 1024), .policy_path = o.policy, .state_dir = o.state, .smtp = o.smtp};
    if (!d.arena) {
        cli_error("out of memory");
        return EX_OSERR;
    }
    d.last = &d.first;
    d.policy = policy_in_force(o.policy, o.state);
    if (!open_dns(&d, o.dns)) {
        policy_unref(d.policy);
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
    arena_free(d.arena);
    return rc;
}
