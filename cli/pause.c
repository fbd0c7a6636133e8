// SPDX-License-Identifier: BSD-2-Clause
/*
 * pause.c - `assay pause DURATION because "..."` and `assay resume`: break the glass, and put it back.
 *
 * A reason is not optional, and a pause ends by itself: after PAUSE_MAX_SECONDS at most. `assay pause` alone says
 * whether one is on. When a command returns, what it says is in force: assay-milter reads the file for each mail, and
 * for the resolver's module the command waits. Mail goes on being judged, stamped and recorded; where assay-milter does
 * not run, a pause lets no mail in, and the command says so. Fails with EX_NOPERM where the state folder may not be
 * written.
 */
#include "policy/pause.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "net/dial.h"
#include "policy/mta_socket.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pause_options {
    const char *state, *policy;
};

#define OPTIONS_OF struct pause_options
static const struct option_row rows[] = {
    OPTIONS_TEXT('P', "policy", "FILE", policy,
                 "the policy, which names the socket of assay-milter (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT('S', "state", "DIR", state, "the programs' folder (default " ASSAY_STATEDIR ")"),
};

static const struct options_spec pause_line = {
    .synopsis = "DURATION because \"REASON\"\n",
    .text = "Turns enforcement off for a time (30m, 1h, at most " PAUSE_MAX_TEXT
            "): mail is judged and recorded, and nothing is "
            "acted on. "
            "Enforcement returns by itself, or by 'assay resume'. Without arguments: shows whether a pause is on.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .most = 3,
};

static const struct options_spec resume_line = {
    .synopsis = "[OPTION...]",
    .text = "Ends a pause: the policy is in force again.",
    .rows = rows + 1, /* --state alone */
    .row_count = 1,
};

/* The resolver's module looks at the file every quarter of a second, and has then to mark its cache. */
#define RESOLVER_SEES_SECONDS 1

static void wait_for_resolver(const char *state)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/resolver/status.json", state);
    if (n > 0 && n < (int)sizeof path && access(path, F_OK) == 0)
        (void)nanosleep(&(struct timespec){.tv_sec = RESOLVER_SEES_SECONDS}, NULL);
}

/* "90s", "30m", "1h"; 0: none of these. */
static long duration(const char *text)
{
    char *end;
    long v = strtol(text, &end, 10);
    long unit = strcmp(end, "s") == 0 ? 1 : strcmp(end, "m") == 0 ? 60 : strcmp(end, "h") == 0 ? 3600 : 0;
    return end == text || v <= 0 || v > PAUSE_MAX_SECONDS ? 0 : v * unit;
}

/* The socket that the MTA asks was given to it by `assay harden`, or by hand and is in the policy; NULL: neither. */
static const char *mta_socket(const struct pause_options *o, char out[MTA_SOCKET_MAX])
{
    struct policy *p = policy_load(o->policy, NULL);
    bool known = mta_socket_read(o->policy, MTA_SOCKET_FILE, out);
    if (p && policy_set_is_given(p, SETTING_MILTER_SOCKET))
        known = snprintf(out, MTA_SOCKET_MAX, "%s", policy_set_text(p, SETTING_MILTER_SOCKET)) < MTA_SOCKET_MAX;
    policy_unref(p);
    return known ? out : NULL;
}

#define DIAL_MS 1000

/* Tells whether it is certain that nobody listens there. */
static bool is_dead(const char *socket_name)
{
    const int fd = dial_named(socket_name, DIAL_MS);
    const bool dead = fd < 0 && (errno == ECONNREFUSED || errno == ENOENT);

    if (fd >= 0)
        close(fd);
    return dead;
}

/* A pause speaks to assay-milter: where that does not run, the MTA's own rule decides, and `assay harden` wrote that
 * mail waits. */
static void tell_if_mail_waits(const struct pause_options *o)
{
    char name[MTA_SOCKET_MAX];
    const char *socket_name = mta_socket(o, name);
    if (socket_name && is_dead(socket_name))
        printf("assay-milter does not run (nobody answers on %s): mail waits until it does, whatever is paused:\n"
               "  systemctl start assay-milter\n",
               socket_name);
}

static int pause_show(const char *state)
{
    struct pause p;
    char until[CLOCK_TEXT];
    enum status s = pause_read(state, clock_wall(), &p);
    if (s == STATUS_OK) {
        printf("Enforcement is off until %s: ", clock_utc_text(p.until, until));
        cli_put_visible(stdout, p.because);
        fputs(" (", stdout);
        cli_put_visible(stdout, p.by);
        puts(")");
        return CLI_WARNING;
    }
    if (s == STATUS_DENIED && access(state, X_OK) != 0) {
        cli_error("cannot find out whether a pause is on: %s: %s%s", state, strerror(errno), status_as_root(errno));
        return CLI_UNKNOWN;
    }
    if (s == STATUS_INVALID || s == STATUS_DENIED) {
        cli_error("%s/pause: %s: it does not pause anything", state,
                  s == STATUS_INVALID ? "not a pause file" : "not readable, or others may write it");
        return CLI_UNKNOWN;
    }
    puts("No pause is on: the policy is in force.");
    return CLI_OK;
}

static int pause_failed(const char *state, enum status s)
{
    cli_error("%s/pause: %s%s", state, status_text(s), s == STATUS_DENIED ? status_as_root(EACCES) : "");
    return s == STATUS_DENIED ? EX_NOPERM : s == STATUS_AGAIN ? EX_TEMPFAIL : EX_DATAERR;
}

static int pause_begin(const struct pause_options *o, const char *length, const char *because)
{
    struct pause p = {0};
    long seconds = duration(length);
    const char *login = getenv("SUDO_USER");
    struct passwd *pw = login ? NULL : getpwuid(getuid());
    if (seconds <= 0 || seconds > PAUSE_MAX_SECONDS)
        return cli_usage("'%s': give a time such as 30m, 1h or 64h, at most " PAUSE_MAX_TEXT
                         ". Nothing was paused. For "
                         "longer: 'assay next --undo', where enforcement was its last step, or 'set mode dry-run' in "
                         "the policy, and 'systemctl reload assay-milter assay-ledger': nothing is refused until you "
                         "turn it on again",
                         length);
    if (*because == '\0' || strlen(because) > PAUSE_TEXT_MAX || strpbrk(because, "\r\n"))
        return cli_usage("the reason must be one line of 1 to %d octets", PAUSE_TEXT_MAX);
    p.until = clock_wall() + seconds;
    snprintf(p.by, sizeof p.by, "%s", login ? login : pw ? pw->pw_name : "unknown");
    snprintf(p.because, sizeof p.because, "%s", because);
    enum status s = pause_write(o->state, clock_wall(), &p);
    if (s != STATUS_OK)
        return pause_failed(o->state, s);
    wait_for_resolver(o->state);
    pause_show(o->state);
    tell_if_mail_waits(o);
    return EX_OK;
}

int cmd_pause(int argc, char **argv)
{
    struct pause_options o = {.state = ASSAY_STATEDIR, .policy = CLI_POLICY_PATH};
    int n, rc = cli_options(&pause_line, argc, argv, &o, &n);
    if (rc >= 0)
        return rc;
    if (n == 0) {
        rc = pause_show(o.state);
        if (rc == CLI_WARNING)
            tell_if_mail_waits(&o);
        return rc;
    }
    if (n != 3 || strcmp(argv[2], "because") != 0)
        return cli_usage("say for how long and why: assay pause 1h because \"...\"");
    return pause_begin(&o, argv[1], argv[3]);
}

int cmd_resume(int argc, char **argv)
{
    struct pause_options o = {.state = ASSAY_STATEDIR};
    int n, rc = cli_options(&resume_line, argc, argv, &o, &n);
    if (rc >= 0)
        return rc;
    enum status s = pause_end(o.state);
    if (s == STATUS_MISSING) {
        puts("No pause was on.");
        return EX_OK;
    }
    if (s != STATUS_OK)
        return pause_failed(o.state, s);
    wait_for_resolver(o.state);
    puts("The policy is in force again.");
    return EX_OK;
}
