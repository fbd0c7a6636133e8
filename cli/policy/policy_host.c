// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_host.c - which of our programs run by a policy on this host, and what it names and they need: users, groups,
 * files, engines, the socket that the MTA asks.
 *
 * A program runs here if it keeps a snapshot of its policy here, or if none does yet. Asks the system's own tables,
 * opens no socket and changes nothing. What this user may not see is not complained of.
 */
#include "cli/policy/policy_host.h"
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_readers.h"
#include "base/arena.h"
#include "cli/harden/mta_asks.h"
#include "cli/harden/postfix_service.h"
#include "cli/harden/service_unit.h"
#include "judge/engine.h"
#include "ledger/store.h"
#include "policy/policy_settings.h"
#include "policy/report.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct host {
    struct policy_report *report;
    const struct policy *policy;
    const char *path, *state;
    bool runs_here;
    bool milter_here, ledger_here; /* those programs run on it here, as far as can be told */
    bool hidden;                   /* which programs do, this user may not see */
};

/* Tells whether the program runs on this host: it keeps its policy here, or no program does yet. Where this user may
 * not see that: true, and *hidden. */
static bool runs(const char *state, size_t program, bool *hidden)
{
    char snapshot[PATH_MAX];
    bool none = true;
    (void)policy_program(program, state, snapshot);
    if (access(snapshot, F_OK) == 0)
        return true;
    *hidden = *hidden || errno == EACCES;
    for (size_t i = 0; none && policy_program(i, state, snapshot); i++)
        none = access(snapshot, F_OK) != 0;
    return none;
}

static struct host host_of(struct policy_report *r, const struct policy *p, const char *path, const char *state,
                           bool runs_here)
{
    struct host h = {.report = r, .policy = p, .path = path, .state = state, .runs_here = runs_here};
    h.milter_here = runs_here && runs(state, POLICY_PROGRAM_MILTER, &h.hidden);
    h.ledger_here = runs_here && runs(state, POLICY_PROGRAM_LEDGER, &h.hidden);
    return h;
}

/* How a user or group of assay-milter is reported that is not there. */
static enum policy_severity severity(const struct host *h)
{
    return h->milter_here ? POLICY_WARNING : POLICY_NOTE;
}

/* The last line that sets it, which counts; else the file as a whole. */
static struct place place_of(const struct host *h, enum setting_id id)
{
    struct place at = {.file = h->path};
    const struct policy_statement *s;
    for (size_t i = 0; (s = policy_statement_at(h->policy, i)); i++)
        if (s->kind == POLICY_SET && strcmp(s->name, policy_setting_name(id)) == 0)
            at = (struct place){.file = s->file, .lineno = s->line};
    return at;
}

/* An engine that the policy asks for and that cannot be used here: assay-milter would not start with it. */
static void check_engines(const struct host *h)
{
    struct engines engines = {.spf = NULL};
    char why[ENGINE_WHY];
    if (engines_use(&engines, h->policy, why) == STATUS_OK)
        return;
    const struct place spf = place_of(h, SETTING_SPF_ENGINE), dkim = place_of(h, SETTING_DKIM_ENGINE);
    report_add(h->report, h->runs_here && !h->milter_here ? POLICY_NOTE : POLICY_WARNING,
               spf.lineno > dkim.lineno ? &spf : &dkim, "assay-milter on this host would not start with this policy",
               "%s", why);
}

/* Where Postfix on this host asks, and nobody would listen: mail would be deferred, coming in or going out. */
static void check_asked(const struct host *h, struct postfix *p, enum mta_asks_of of)
{
    const bool milter = of == MTA_ASKS_MILTER;
    const struct place at = place_of(h, milter ? SETTING_MILTER_SOCKET : SETTING_POSTFIX_TLS_POLICY_SOCKET);
    const char *said = mta_asks_elsewhere(p, h->policy, of);
    if (said)
        report_add(h->report, POLICY_WARNING, &at,
                   !at.lineno ? "assay harden gives both the same socket"
                   : milter   ? "leave the line out: /etc/assay/socket has what assay harden gave Postfix"
                              : "leave the line out: /etc/assay/tls-policy-socket has what assay harden gave Postfix",
                   "%s", said);
}

static void check_mta(const struct host *h)
{
    struct harden only_asked = {.arena = arena_new((size_t)16 << 20), .root = "", .socket = ""};
    struct postfix p;
    if (only_asked.arena && postfix_find(&p, &only_asked)) {
        check_asked(h, &p, MTA_ASKS_MILTER);
        check_asked(h, &p, MTA_ASKS_TLS_POLICY);
    }
    arena_free(only_asked.arena);
}

/* How it is reported that a program could not work: an error where it runs. */
static enum policy_severity stopping(const struct host *h, bool program_is_here)
{
    return !program_is_here ? POLICY_NOTE : h->hidden ? POLICY_WARNING : POLICY_ERROR;
}

static bool is_missing(int e)
{
    return e == ENOENT || e == ENOTDIR;
}

static bool check_peers(const struct host *h)
{
    const char *at = policy_set_text(h->policy, SETTING_MILTER_PEERS),
               *socket = policy_set_text(h->policy, SETTING_MILTER_SOCKET);
    const struct place place = place_of(h, SETTING_MILTER_PEERS);
    size_t named = 0, known = 0;
    if (policy_set_is(h->policy, SETTING_MILTER_ENGINE, "libmilter") || strncmp(socket, "inet", 4) == 0)
        return true; /* nobody's user is asked */
    for (char name[256]; *(at += strspn(at, " \t,")); named++) {
        const size_t n = strcspn(at, " \t,");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        at += n;
        if (getpwnam(name))
            known++;
        else
            report_add(h->report, severity(h), &place,
                       "the user of the MTA is meant: postfix, smmsp; and root, for assay doctor",
                       "milter.peers: there is no user '%s' on this host", name);
    }
    if (named && !known)
        report_add(
            h->report, stopping(h, h->milter_here), &place, "set milter.peers \"postfix root\"",
            "milter.peers names nobody of this host: assay-milter would let nobody connect, and mail would wait");
    return !named || known;
}

/* What libpq takes, which no grammar of ours can tell: the parameters are those of its version. */
static bool check_store(const struct host *h)
{
    const struct place at = place_of(h, SETTING_LEDGER_STORE);
    char why[STORE_ERROR];
    if (store_name_is_valid(policy_set_text(h->policy, SETTING_LEDGER_STORE), why))
        return true;
    report_add(h->report, h->ledger_here ? stopping(h, true) : POLICY_WARNING, &at,
               "postgresql://USER@HOST/DATABASE?NAME=VALUE, with the parameters that libpq knows",
               "ledger.store cannot be opened: %s", why);
    return false;
}

static void check_rights(const struct host *h)
{
    const char *user = policy_set_text(h->policy, SETTING_MILTER_USER),
               *group = policy_set_text(h->policy, SETTING_MILTER_SOCKET_GROUP);
    struct place at = place_of(h, SETTING_MILTER_USER);
    if (at.lineno && !getpwnam(user))
        report_add(h->report, severity(h), &at, "leave the line out, or create the user",
                   "milter.user: there is no user '%s' on this host: assay-milter would not start as root", user);
    at = place_of(h, SETTING_MILTER_SOCKET_GROUP);
    if (at.lineno && *group && !getgrnam(group))
        report_add(h->report, severity(h), &at, "the group of the MTA is meant: postfix, smmsp",
                   "milter.socket-group: there is no group '%s' on this host: the socket keeps that of assay-milter",
                   group);
}

static void check_file(const struct host *h, enum setting_id id, const char *path, const char *so)
{
    const struct place at = place_of(h, id);
    struct policy_closed closed;
    if (*path == '/' && access(path, F_OK) != 0 && is_missing(errno))
        report_add(h->report, POLICY_WARNING, &at, "is the name right, and the file on this host?",
                   "%s: there is no %s on this host: %s", policy_setting_name(id), path, so);
    else if (*path == '/' && policy_readers_closed_file(path, h->state, &closed))
        report_add(h->report, POLICY_WARNING, &at, "let that user's group read it, and pass through its folders",
                   "%s: user %s may not read %s: %s", policy_setting_name(id), closed.user, path, so);
}

/* Files that an administrator makes. What our programs make by themselves may be missing. */
static void check_files(const struct host *h)
{
    static const struct {
        enum setting_id id;
        const char *so;
    } files[] = {
        {SETTING_FLEET_KEY_FILE, "verdicts of other hosts are not believed"},
        {SETTING_FLEET_KEY_FILE_OTHER, "verdicts that were proved by it are not believed"},
        {SETTING_REPORT_DKIM_KEY, "no DMARC reports are sent"},
        {SETTING_REPORT_SMTP_CA, "no DMARC reports are sent"},
        {SETTING_REPORT_SMTP_LOGIN, "no DMARC reports are sent"},
        {SETTING_CHECK_ORIGIN, "assay check does not start"},
    };
    char program[512];
    const char *sendmail = policy_set_text(h->policy, SETTING_REPORT_SENDMAIL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (policy_set_is_given(h->policy, files[i].id))
            check_file(h, files[i].id, policy_set_text(h->policy, files[i].id), files[i].so);
    if (h->milter_here && !policy_set_is(h->policy, SETTING_ARC_SEAL, "no"))
        check_file(h, SETTING_ARC_SEAL_KEY, policy_set_text(h->policy, SETTING_ARC_SEAL_KEY),
                   "assay-milter would not start");
    snprintf(program, sizeof program, "%.*s", (int)strcspn(sendmail, " \t"), sendmail);
    if (policy_set_is_given(h->policy, SETTING_REPORT_SENDMAIL))
        check_file(h, SETTING_REPORT_SENDMAIL, program, "no DMARC reports are sent");
}

static void check_unit(const struct host *h, struct harden *ask, enum setting_id id, const char *service)
{
    const struct place at = place_of(h, id);
    const char *path = policy_set_text(h->policy, id);
    const bool folder = id == SETTING_JOURNAL_DIR;
    const char *inside = *path == '/' ? arena_printf(ask->arena, "unix:%s%s", path, folder ? "/x" : "") : path;
    const char *forbidden =
        policy_set_is_given(h->policy, id) && inside ? service_unit_forbids(ask, service, inside) : NULL;
    if (forbidden)
        report_add(h->report, POLICY_WARNING, &at,
                   arena_printf(ask->arena, "systemctl edit %s: [Service], and below it ReadWritePaths=-%s", service,
                                forbidden),
                   "%s: the unit %s may not write to %s (ProtectSystem=strict)", policy_setting_name(id), service,
                   forbidden);
}

/* What the programs write lies where their units let them. */
static void check_units(const struct host *h)
{
    static const struct {
        enum setting_id id;
        const char *service;
    } all[] = {{SETTING_MILTER_SOCKET, "assay-milter.service"},
               {SETTING_POSTFIX_POLICY_SOCKET, "assay-milter.service"},
               {SETTING_JOURNAL_DIR, "assay-milter.service"},
               {SETTING_LEDGER_STORE, "assay-ledger.service"},
               {SETTING_POSTFIX_TLS_POLICY_SOCKET, "assay-outgoing.service"}};
    struct harden ask = {.arena = arena_new((size_t)1 << 20), .root = "", .socket = ""};
    for (size_t i = 0; ask.arena && i < sizeof all / sizeof *all; i++)
        check_unit(h, &ask, all[i].id, all[i].service);
    arena_free(ask.arena);
}

/* A reload would fail, and a start goes on with the last good policy: whoever edited the file as root, with a strict
 * umask, reads it and sees nothing wrong. */
static void check_readers(const struct host *h)
{
    struct policy_closed closed;
    struct buf help = BUF_INIT;
    if (policy_readers_closed(h->policy, h->path, h->state, &closed)) {
        policy_readers_remedy(&closed, &help);
        report_add(h->report, POLICY_ERROR, &(struct place){.file = closed.file}, help.p,
                   "%s runs as user %s, who may not read this file: it would keep the policy that it runs on",
                   closed.program, closed.user);
    } else if (!h->state && policy_readers_hidden(h->policy, h->path, closed.file))
        report_add(h->report, POLICY_WARNING, &(struct place){.file = closed.file},
                   "move it, to /etc/assay or /srv; or ProtectHome=read-only, PrivateTmp=no in a drop-in of each unit",
                   "the programs' units see nothing of the folder that this file lies in: they would keep the policy "
                   "that they run on");
    buf_release(&help);
}

void policy_host_check(struct policy_report *r, const struct policy *p, const char *path, const char *state,
                       bool runs_here)
{
    const struct host h = host_of(r, p, path, state, runs_here);
    check_engines(&h);
    check_mta(&h);
    check_peers(&h);
    check_store(&h);
    check_rights(&h);
    if (!runs_here)
        return;
    check_files(&h);
    check_readers(&h);
    if (!state) /* the usual folder: the programs are units */
        check_units(&h);
}

bool policy_host_works(struct policy_report *r, const struct policy *p, const char *path, const char *state)
{
    const struct host h = host_of(r, p, path, state, true);
    const bool peers = !h.milter_here || check_peers(&h), store = !h.ledger_here || check_store(&h);
    return peers && store;
}

const char *policy_host_reloads(const char *state, char snapshot[PATH_MAX])
{
    static const size_t reloaded[] = {POLICY_PROGRAM_MILTER, POLICY_PROGRAM_LEDGER};
    for (size_t i = 0; i < sizeof reloaded / sizeof *reloaded; i++) {
        const char *program = policy_program(reloaded[i], state, snapshot);
        if (access(snapshot, R_OK) == 0)
            return program;
        if (errno == EACCES)
            break;
    }
    return NULL;
}
