// SPDX-License-Identifier: BSD-2-Clause
/*
 * outgoing_main.c - assay-outgoing: tells Postfix how mail going out must be protected (assay-outgoing(8)).
 *
 * Promises to serve the socket that `assay harden` told Postfix of, and that of `set postfix.tls-policy-socket` if it
 * is another, and to hold nothing open while there is neither: the policy is watched, so that no restart is needed when
 * the setting comes, changes or goes. A socket that another process still listens on (an assay-milter of an earlier
 * version) is tried again until it is free. SIGHUP reads the policy again; SIGTERM and SIGINT end the program once the
 * answers under way are given. A policy that cannot be used leaves the last good one in force. Exit codes are those of
 * sysexits.h, after one line on stderr.
 */
#include "base/clock.h"
#include "base/options.h"
#include "base/rootfile.h"
#include "base/streams.h"
#include "dns/dns_replay.h"
#include "dns/dns_unbound.h"
#include "net/https.h"
#include "net/ready.h"
#include "outgoing/outgoing_log.h"
#include "outgoing/socketmap.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define CACHE_FILE "mta-sts"
#define ANCHOR_SEED "/usr/share/dns/root.key"
#define WATCH_MS 1000 /* between two checks of the policy */
#define RETRY_MS 100  /* between two tries to open the socket */

struct options {
#define FLAG(letter, long, field, help) bool field;
#define TEXT(letter, long, argument, field, help) const char *field;
#include "outgoing/options.def"
#undef FLAG
#undef TEXT
};

#define OPTIONS_OF struct options
static const struct option_row rows[] = {
#define FLAG(letter, long, field, help) OPTIONS_FLAG(letter, long, field, help),
#define TEXT(letter, long, argument, field, help) OPTIONS_TEXT(letter, long, argument, field, help),
#include "outgoing/options.def"
#undef FLAG
#undef TEXT
};

#define SOCKETS 2

struct place {
    char name[256]; /* the socket that is wanted; "": none */
    struct socketmap *map;
    char trouble[256]; /* as last logged */
};

struct service {
    const struct options *o;
    const char *state_dir;
    struct policy_live *policy;
    struct place at[SOCKETS];
    unsigned mode;
    char group[64];
    struct dns *dns;
    struct tls_policy *answers;
    char trouble[256]; /* with DNS */
};

/* ---- what is served ---- */

static void domain_note(void *context, const char *domain, const char *what)
{
    outgoing_log_domain(domain, what);
}

static bool open_dns(struct service *s, const struct policy *p)
{
    const char *anchor = policy_set_text(p, SETTING_DNS_ANCHOR);
    char own[PATH_MAX], *error = NULL;

    /* The anchor is kept up to date by whoever uses it (RFC 5011): the milter's file is not ours to write. */
    snprintf(own, sizeof own, "%s/root.key", s->state_dir);
    struct dns_unbound_config c = {.anchor =
                                       strncmp(anchor, ASSAY_STATEDIR "/", sizeof ASSAY_STATEDIR) == 0 ? own : anchor,
                                   .anchor_seed = ANCHOR_SEED,
                                   .forward = policy_set_text(p, SETTING_DNS_FORWARD)};
    s->dns = s->o->dns ? dns_replay_new(s->o->dns, &error) : dns_unbound_new(&c, &error);
    if (!s->dns)
        snprintf(s->trouble, sizeof s->trouble, "%s", error ? error : "out of memory");
    free(error);
    return s->dns != NULL;
}

static void close_all(struct service *s)
{
    for (size_t i = 0; i < SOCKETS; i++)
        s->at[i].map = socketmap_close(s->at[i].map);
    s->answers = tls_policy_free(s->answers);
    s->dns = dns_close(s->dns);
    malloc_trim(0);
}

/* Opens what the answers need. NULL: they can be given; else why not. */
static const char *service_prepare(struct service *s, const struct policy *p)
{
    char file[PATH_MAX];
    struct tls_policy_config c = {.file = file, .note = domain_note};

    snprintf(file, sizeof file, "%s/" CACHE_FILE, s->state_dir);
    if (!s->dns && !open_dns(s, p))
        return s->trouble;
    if (!s->answers) {
        c.dns = s->dns;
        s->answers = https_begin() ? tls_policy_new(&c) : NULL;
    }
    return s->answers ? NULL : "out of memory, or libcurl cannot be used";
}

/* Opens the sockets that are wanted. A reason why one cannot is logged once, and again if it changes. */
static void open_all(struct service *s, const struct policy *p)
{
    const char *trouble = service_prepare(s, p);

    for (size_t i = 0; i < SOCKETS; i++) {
        struct place *at = &s->at[i];
        const char *why = trouble;
        char before[sizeof at->trouble];

        if (!*at->name || at->map)
            continue;
        if (!trouble)
            at->map = socketmap_open(at->name, s->mode, s->group, s->answers, &why);
        if (at->map) {
            outgoing_log("listening at %s: policy %s", at->name, policy_hash(p));
            at->trouble[0] = '\0';
            continue;
        }
        memcpy(before, at->trouble, sizeof before);
        snprintf(at->trouble, sizeof at->trouble, "%s", why ? why : "out of memory");
        if (strcmp(before, at->trouble) != 0)
            outgoing_log_failure("postfix.tls-policy-socket: %s; trying again", at->trouble);
    }
}

/* Tells whether a socket is wanted that is not open. */
static bool lacks_one(const struct service *s)
{
    for (size_t i = 0; i < SOCKETS; i++)
        if (*s->at[i].name && !s->at[i].map)
            return true;
    return false;
}

/* The sockets to serve: where `assay harden` told Postfix to ask, and the policy's, if that is another. */
static void wanted_sockets(const struct policy *p, const char *names[SOCKETS])
{
    const char *written = policy_set_text(p, SETTING_POSTFIX_TLS_POLICY_SOCKET);
    const char *mta = policy_mta_tls_policy_socket(p);

    names[0] = mta ? mta : written;
    names[1] = mta && strcmp(mta, written) != 0 ? written : "";
}

/* Applies the settings of the current policy. */
static void heed(struct service *s, const struct policy *p)
{
    const char *group = policy_set_text(p, SETTING_MILTER_SOCKET_GROUP), *names[SOCKETS];
    unsigned mode = (unsigned)strtoul(policy_set_text(p, SETTING_MILTER_SOCKET_MODE), NULL, 8);
    bool same_rights = strcmp(s->group, group) == 0 && s->mode == mode, changed = false;

    wanted_sockets(p, names);
    for (size_t i = 0; i < SOCKETS; i++) {
        struct place *at = &s->at[i];

        if (same_rights && strcmp(at->name, names[i]) == 0)
            continue;
        bool listened = at->map != NULL;
        at->map = socketmap_close(at->map);
        if (listened)
            outgoing_log("the socket %s is closed: the policy's settings have changed", at->name);
        snprintf(at->name, sizeof at->name, "%s", names[i]);
        at->trouble[0] = '\0';
        changed = true;
    }
    snprintf(s->group, sizeof s->group, "%s", group);
    s->mode = mode;
    if (changed && !*names[0] && !*names[1]) {
        close_all(s);
        outgoing_log("the policy has no postfix.tls-policy-socket: nothing to serve; watching the policy");
    }
}

/* ---- the policy ---- */

static void reload(struct service *s)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_KEPT;
    enum status st = r ? policy_live_reload(s->policy, false, r, &source) : STATUS_NOMEM;
    const struct policy *p = policy_live_get(s->policy);

    outgoing_log_as_json(policy_set_is(p, SETTING_LOG_FORMAT, "json"));
    policy_report_log_errors(r, outgoing_log_failure);
    if (st == STATUS_OK)
        outgoing_log("policy %s loaded", policy_hash(p));
    else
        outgoing_log_failure("the policy could not be loaded (%s): RUNNING ON policy %s", status_text(st),
                             policy_hash(p));
    heed(s, p);
    policy_unref(p);
    policy_report_free(r);
}

/* With the line and a caret below for people, one line each for a log of JSON. */
static void show_errors(const struct policy_report *r)
{
    struct buf b = BUF_INIT;

    if (outgoing_log_is_json()) {
        policy_report_log_errors(r, outgoing_log_failure);
        return;
    }
    policy_report_print(r, POLICY_ERROR, &b);
    fputs(b.n ? b.p : "", stderr);
    buf_release(&b);
}

static const char *policy_path(const struct options *o)
{
    return o->policy ? o->policy : ASSAY_SYSCONFDIR "/policy";
}

static int open_policy(struct service *s)
{
    const char *path = policy_path(s->o);
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_FROM_FILE;
    char snapshot[PATH_MAX];

    snprintf(snapshot, sizeof snapshot, "%s/policy.snapshot", s->state_dir);
    s->policy = r ? policy_live_open(path, snapshot, r, &source) : NULL;
    const struct policy *p = s->policy ? policy_live_get(s->policy) : NULL;
    if (!s->o->test)
        outgoing_log_as_json(p ? policy_set_is(p, SETTING_LOG_FORMAT, "json") : policy_report_wants_json(r));
    policy_unref(p);
    show_errors(r);
    policy_report_free(r);
    if (!s->policy) {
        outgoing_log_failure("no policy to run on: %s cannot be used, and there is no snapshot of an earlier one in %s",
                             path, snapshot);
        return EX_CONFIG;
    }
    if (source == POLICY_FROM_SNAPSHOT)
        outgoing_log_failure("%s cannot be used: RUNNING ON THE LAST GOOD POLICY, from %s", path, snapshot);
    return 0;
}

static int test(const struct options *o)
{
    struct service s = {.o = o, .state_dir = "/nonexistent"};
    int rc = open_policy(&s);
    const struct policy *p = rc ? NULL : policy_live_get(s.policy);
    const char *names[SOCKETS] = {"", ""};

    if (p) {
        wanted_sockets(p, names);
        printf("assay-outgoing: policy %s is good, %s%s%s%s\n", policy_hash(p),
               *names[0] ? "the socket is " : "no postfix.tls-policy-socket is set", names[0],
               *names[1] ? ", and " : "", names[1]);
    }
    policy_unref(p);
    s.policy = policy_live_close(s.policy);
    return rc;
}

/* ---- start and end ---- */

/* The form of the log before the policy is opened, which only the user does. */
static void find_log_format(const struct options *o)
{
    struct policy_report *r = policy_report_new();

    policy_unref(policy_load(policy_path(o), r));
    outgoing_log_as_json(policy_report_wants_json(r));
    policy_report_free(r);
}

/* As root: becomes the user, with its folder made. As anybody else: nothing. */
static int drop_rights(const struct options *o, const char *state_dir)
{
    const char *name = o->user ? o->user : "assay-outgoing";
    struct passwd *pw;
    struct stat st;

    if (geteuid() != 0)
        return 0;
    find_log_format(o);
    pw = getpwnam(name);
    if (!pw) {
        outgoing_log_failure("user '%s' does not exist: create it, or give another with -u", name);
        return EX_NOUSER;
    }
    const struct rootfile_rights rights = {.mode = 0750, .uid = pw->pw_uid, .gid = pw->pw_gid};
    if (lstat(state_dir, &st) == 0 ? !S_ISDIR(st.st_mode)
                                   : errno != ENOENT || rootfile_make_folder(state_dir, &rights) != STATUS_OK) {
        outgoing_log_failure("cannot create folder %s: %s", state_dir, strerror(errno));
        return EX_CANTCREAT;
    }
    if (initgroups(pw->pw_name, pw->pw_gid) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0 || (pw->pw_uid && setresuid(0, 0, 0) == 0)) {
        outgoing_log_failure("cannot become user '%s': %s", name, strerror(errno));
        return EX_NOPERM;
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return 0;
}

static void open_wanted(struct service *s)
{
    if (!lacks_one(s))
        return;
    const struct policy *p = policy_live_get(s->policy);
    open_all(s, p);
    policy_unref(p);
}

/* Runs until it is told to stop. Signals are blocked in all threads and handled here. */
static void service_serve(struct service *s, const sigset_t *signals)
{
    open_wanted(s);
    if (!ready_tell())
        outgoing_log_failure("the service manager cannot be told that this program is ready: %s", strerror(errno));
    for (;;) {
        const bool wanted = lacks_one(s);
        struct timespec pause = {.tv_sec = wanted ? 0 : WATCH_MS / 1000, .tv_nsec = wanted ? RETRY_MS * 1000000L : 0};
        int got = sigtimedwait(signals, NULL, &pause);

        if (got == SIGTERM || got == SIGINT)
            return;
        if (got == SIGHUP || policy_live_changed(s->policy))
            reload(s);
        open_wanted(s);
    }
}

static int service_run(const struct options *o)
{
    struct service s = {.o = o, .state_dir = o->state ? o->state : ASSAY_STATEDIR "-outgoing", .at = {{.name = "?"}}};
    const struct policy *p;
    sigset_t signals;
    int rc;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    rc = drop_rights(o, s.state_dir);
    if (rc == 0)
        rc = open_policy(&s);
    if (rc)
        return rc;
    p = policy_live_get(s.policy);
    outgoing_log("version %s started: policy %s", ASSAY_VERSION, policy_hash(p));
    heed(&s, p);
    policy_unref(p);
    service_serve(&s, &signals);
    close_all(&s);
    s.policy = policy_live_close(s.policy);
    outgoing_log("stopped");
    return EX_OK;
}

int main(int argc, char **argv)
{
    static const struct options_spec spec = {
        .synopsis = "[OPTION...]",
        .text = "Tells Postfix how mail going out must be protected, by DANE and MTA-STS: assay-outgoing(8), "
                "assay-policy(5).",
        .rows = rows,
        .row_count = sizeof rows / sizeof *rows,
    };
    struct options o = {0};
    int operands, rc = !streams_hold()
                           ? EX_OSERR
                           : options_start(&spec, "assay-outgoing", argc, argv, &o, &operands, stdout, stderr);

    if (rc >= 0)
        return rc;
    if (o.version) {
        printf("assay-outgoing %s\n", ASSAY_VERSION);
        return EX_OK;
    }
    return o.test ? test(&o) : service_run(&o);
}
