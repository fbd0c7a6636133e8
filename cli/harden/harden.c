// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden.c - `assay harden`: makes Postfix, Sendmail and Unbound ask Assay, with one command, undone by one command.
 *
 * Shows a unified diff of everything it would change, and why, and does it after a yes. If it does not understand a
 * configuration it refuses, and changes nothing at all. Running it again changes nothing. --undo restores what it
 * changed (undo.c). Nothing is restarted without being asked: the commands are printed, and run with --reload.
 */
#include "base/rootfile.h"
#include "cli/harden/harden.h"
#include "cli/harden/undo.h"
#include "cli/harden/undo_store.h"
#include "cli/cli.h"
#include "cli/harden/migrate.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTIONS_OF struct harden_options
static const struct option_row rows[] = {
    OPTIONS_FLAG('y', "yes", yes, "do it without asking"),
    OPTIONS_FLAG(0, "yes-untested", untested,
                 "the same, even if this system does not allow to test Unbound's configuration with a second Unbound"),
    OPTIONS_FLAG('n', "dry-run", dry_run, "only show it"),
    OPTIONS_FLAG(0, "undo", undo, "undo the last run; what was changed since stays, and is named"),
    OPTIONS_FLAG(0, "force", force, "with --from-opendmarc: replace a policy that is there"),
    OPTIONS_TEXT(0, "release", "WHAT", release,
                 "for the removal of a package: after it nothing asks Assay any more; mail or resolver"),
    OPTIONS_FLAG(0, "reload", reload, "run the reload commands afterwards (they are printed otherwise)"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy (default " CLI_POLICY_PATH ")"),
    OPTIONS_TEXT('S', "state", "DIR", state,
                 "the state folder (default " ASSAY_STATEDIR "); originals are kept in DIR-undo"),
    OPTIONS_ANY_TEXT(0, "postfix", "DIR", postfix, "Postfix's configuration folder, if there are several instances"),
    OPTIONS_TEXT(0, "root", "DIR", root,
                 "a prefix for all paths that are not given: policy, state, Postfix, Sendmail, Unbound"),
    OPTIONS_FLAG(0, "from-opendmarc", migrate,
                 "take over what opendmarc, opendkim and policyd-spf do: their options become the policy"),
    OPTIONS_TEXT(0, "opendmarc-conf", "FILE", old.of[MIGRATE_OPENDMARC], "default /etc/opendmarc.conf"),
    OPTIONS_TEXT(0, "opendkim-conf", "FILE", old.of[MIGRATE_OPENDKIM], "default /etc/opendkim.conf"),
    OPTIONS_TEXT(0, "policyd-spf-conf", "FILE", old.of[MIGRATE_POLICYD],
                 "default /etc/postfix-policyd-spf-python/policyd-spf.conf"),
};

static const struct options_spec command_line = {
    .synopsis = "[OPTION...]",
    .text =
        "Lets Postfix or Sendmail ask assay-milter, and Unbound load the module, with the settings that mail security "
        "depends on. Shows what it would change, asks, and does it.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .after = "Exit code: 0 done, or nothing to do; 1 there is something to do (--dry-run, no answer), or --undo left "
             "something; 77 may not write; 78 refused.",
};

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct harden_options *o)
{
    int n;
    *o = (struct harden_options){.root = ""};
    int rc = cli_options(&command_line, argc, argv, o, &n);
    if (rc >= 0)
        return rc;
    o->yes |= o->untested;
    if (!o->migrate && (o->old.of[MIGRATE_OPENDMARC] || o->old.of[MIGRATE_OPENDKIM] || o->old.of[MIGRATE_POLICYD]))
        return cli_usage("the old configurations are read with --from-opendmarc only");
    if (o->force && !o->migrate)
        return cli_usage(
            "--force goes with --from-opendmarc only: --undo takes back what still stands as it was written");
    if (o->undo && o->migrate)
        return cli_usage("--undo and --from-opendmarc do not go together");
    if (o->undo && o->dry_run)
        return cli_usage("--undo and --dry-run do not go together");
    if (o->release && (o->undo || o->dry_run || o->migrate))
        return cli_usage("--release goes with none of --undo, --dry-run, --from-opendmarc");
    if (o->release && strcmp(o->release, "mail") != 0 && strcmp(o->release, "resolver") != 0)
        return cli_usage("--release '%s': it is mail or resolver", o->release);
    return -1;
}

/* The socket's folder within Postfix's queue, where Postfix came after assay-milter, or its queue is in an unusual
 * place: the package makes it otherwise. */
static void make_socket_folder(struct harden *h)
{
    const struct passwd *user = getpwnam("assay");
    const struct group *group = getgrnam("postfix");
    const char *path = h->socket && strncmp(h->socket, "unix:", 5) == 0 ? arena_strdup(h->arena, h->socket + 5) : NULL;
    char *slash = path ? strrchr(path, '/') : NULL;
    struct stat st;
    if (!slash || slash == path || *h->root || !user || !group)
        return;
    *slash = '\0';
    if (lstat(path, &st) == 0)
        return; /* it is there, or the milter will say what is wrong */
    const struct rootfile_rights rights = {.mode = 03770, .uid = user->pw_uid, .gid = group->gr_gid};
    if (rootfile_make_folder(path, &rights) != STATUS_OK)
        harden_note(h, "%s: not made for the socket: %s", path, strerror(errno));
}

/* One harden at a time: another may have run while this one asked. */
static enum status apply_alone(struct harden *h, const char *keep, const char **why)
{
    int lock = undo_lock(h->arena, keep, why);
    if (lock < 0)
        return STATUS_DENIED;
    enum status s = edit_apply(h->set, keep, why);
    close(lock);
    return s;
}

static int apply(struct harden *h, const struct harden_options *o, const char *keep)
{
    const char *why = NULL;
    if (edit_count(h->set) == 0) {
        puts("Nothing to change: all of it is so already.");
        return EX_OK;
    }
    enum status s = edit_diff(h->set, stdout, &why);
    if (s == STATUS_OK)
        harden_tell_reasons(h);
    if (s == STATUS_OK)
        s = edit_may_write(h->set, &why);
    if (s == STATUS_OK && (o->dry_run || (!o->yes && !cli_confirm("\nChange these files?")))) {
        puts(o->dry_run ? "\nNothing was changed (--dry-run)."
                        : "\nNothing was changed. --yes does it without asking.");
        return CLI_WARNING;
    }
    if (s == STATUS_OK)
        s = apply_alone(h, keep, &why);
    if (s != STATUS_OK) {
        cli_error("nothing was changed: %s", why ? why : status_text(s));
        return s == STATUS_DENIED ? EX_NOPERM : EX_TEMPFAIL;
    }
    make_socket_folder(h);
    printf("\nDone. 'assay harden --undo' gives the files back.\n");
    harden_reload(h, o->reload);
    return EX_OK;
}

static int harden(struct arena *a, const struct harden_options *o, const char *keep)
{
    struct harden h = {
        .arena = a, .set = edit_new(a), .policy_path = o->policy, .root = o->root, .postfix_dir = o->postfix};
    struct policy_report *report = policy_report_new();
    int rc = EX_CONFIG;
    h.untested = o->untested;
    if (o->migrate && h.set)
        migrate(&h, &o->old, o->force);
    else
        h.policy = report ? policy_load(o->policy, report) : NULL;
    if (h.refused) {
        cli_error("nothing was changed");
    } else if (!h.policy || !h.set) {
        cli_error("%s does not load: assay policy check %s says why", o->policy, o->policy);
    } else {
        h.socket = policy_set_text(h.policy, SETTING_MILTER_SOCKET);
        harden_read_earlier(&h, keep);
        harden_postfix(&h);
        harden_sendmail(&h);
        harden_unbound(&h);
        if (!h.found_mta && !h.refused)
            harden_note(&h, "neither Postfix nor Sendmail is set up here: no mail server was changed");
        if (h.refused)
            cli_error("nothing was changed");
        else
            rc = apply(&h, o, keep);
    }
    policy_unref(h.policy);
    policy_report_free(report);
    return rc;
}

/* If no path was given, one below --root. */
static bool settle_paths(struct arena *a, struct harden_options *o)
{
    o->policy = o->policy ? o->policy : arena_printf(a, "%s" CLI_POLICY_PATH, o->root);
    o->state = o->state ? o->state : arena_printf(a, "%s" ASSAY_STATEDIR, o->root);
    if (!o->postfix && *o->root) {
        const char *main_cf = arena_printf(a, "%s/etc/postfix/main.cf", o->root);
        o->postfix = !main_cf ? NULL : access(main_cf, F_OK) == 0 ? arena_printf(a, "%s/etc/postfix", o->root) : "";
    }
    return o->policy && o->state && (o->postfix || !*o->root);
}

int cmd_harden(int argc, char **argv)
{
    struct harden_options o;
    const char *why = NULL, *ignored = NULL;
    int rc = read_options(argc, argv, &o);
    if (rc != -1)
        return rc;
    struct arena *a = arena_new(256 * 1024 * 1024);
    const char *keep = a && settle_paths(a, &o) ? undo_place(a, o.state, "harden") : NULL;
    if (!keep) {
        cli_error("out of memory");
        arena_free(a);
        return EX_OSERR;
    }
    if (!o.dry_run && undo_adopt(a, o.state, "harden", &ignored, &why) != STATUS_OK)
        cli_error("%s", why ? why : "what an earlier version kept cannot be taken over");
    if (ignored)
        cli_error("%s", ignored);
    /* An undo that cannot be kept apart from another harden says so itself: it reads the same folder. */
    const bool back = o.release || o.undo;
    const int lock = back && access(keep, F_OK) == 0 ? undo_lock(a, keep, &why) : -1;
    rc = o.release ? harden_release(a, &o, keep) : o.undo ? harden_undo(a, &o, keep) : harden(a, &o, keep);
    if (lock >= 0)
        close(lock);
    arena_free(a);
    return rc;
}
