// SPDX-License-Identifier: BSD-2-Clause
/*
 * undo.c - `assay harden --undo` and `--release`: removes the changes that harden made.
 *
 * Works as a three-way merge. A file that nobody changed since gets its old content back, octet by octet. In a file
 * that somebody edited, it removes our settings (main.cf, master.cf) or our lines (other files) and keeps the rest. It
 * leaves and names what it cannot tell apart. It restores a policy that harden wrote (--from-opendmarc) only if nobody
 * changed it since.
 *
 * Order: first the mail server's files, then a reload of Postfix, then all other files, the one with the milter's
 * socket among them. So no mail is deferred meanwhile. If the mail server still asks assay-milter, the other files for
 * mail stay. A second undo changes nothing: the set of changes is removed once it is undone.
 */
#include "cli/harden/undo.h"
#include "cli/cli.h"
#include "cli/harden/harden_postfix.h"
#include "cli/harden/merge_back.h"
#include "cli/harden/mta_asks.h"
#include "cli/harden/postfix_service.h"
#include "cli/harden/undo_store.h"
#include "policy/mta_socket.h"
#include "policy/policy_settings.h"
#include <stdlib.h>
#include <unistd.h>

struct undoing {
    struct harden *h;
    const struct harden_options *o;
    const char *policy; /* its real path */
    size_t left;        /* things that stay and are named */
    bool mail_left;     /* ... in the mail server's files, Sendmail's among them */
    bool sendmail_left;
    const char *postfix_left; /* the folder of the Postfix in whose files something stays */
    bool postfix_back, sendmail_back, resolver_back;
    const char *postfix_dir;              /* of the Postfix whose files are restored */
    const char *restored[EDIT_MAX_FILES]; /* of the changes that are proposed: files that get their whole text back */
    size_t restored_count;
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_postfix(const char *path)
{
    return strcmp(name_of(path), "main.cf") == 0 || strcmp(name_of(path), "master.cf") == 0;
}

static bool is_sendmail(const char *path)
{
    return strncmp(name_of(path), "sendmail.", 9) == 0 || strncmp(name_of(path), "submit.", 7) == 0;
}

static bool is_mta(const char *path)
{
    return is_postfix(path) || is_sendmail(path);
}

static bool is_resolver(const char *path)
{
    return strstr(path, "/unbound/") != NULL || strcmp(name_of(path), "unbound-modules") == 0;
}

static bool is_mail(const char *path)
{
    return !is_resolver(path);
}

static bool is_told_socket(const char *path)
{
    return strcmp(name_of(path), MTA_SOCKET_FILE) == 0 || strcmp(name_of(path), MTA_SOCKET_TLS_POLICY_FILE) == 0;
}

static bool is_rest(const char *path)
{
    return !is_mta(path);
}

static void name_left(struct undoing *u, const char *path, const char *words)
{
    u->left++;
    u->mail_left |= is_mta(path);
    u->sendmail_left |= is_sendmail(path);
    if (is_postfix(path))
        u->postfix_left = arena_copy(u->h->arena, path, (size_t)(name_of(path) - path) - 1);
    printf("left in %s: ", path);
    cli_put_visible(stdout, words);
    putchar('\n');
}

static void name_lines(struct undoing *u, const char *path, const struct buf *lines)
{
    for (const char *at = lines->p; *at;) {
        size_t n = strcspn(at, "\n");
        const char *line = arena_copy(u->h->arena, at, n);
        name_left(u, path, line ? line : "");
        at += n + (at[n] == '\n');
    }
}

static void propose(struct undoing *u, const char *path, struct slice text)
{
    (void)harden_write(u->h, path, text, 0644);
}

/* Nobody has changed the file since: it gets back its text of before, to the octet. */
static void restore(struct undoing *u, const struct undo_file *c)
{
    propose(u, c->path, c->before);
    if (u->restored_count < EDIT_MAX_FILES)
        u->restored[u->restored_count++] = c->path;
}

static bool is_restored(const struct undoing *u, const char *path)
{
    for (size_t i = 0; i < u->restored_count; i++)
        if (strcmp(u->restored[i], path) == 0)
            return true;
    return false;
}

static void propose_gone(struct undoing *u, const char *path)
{
    const char *why = NULL;
    if (edit_remove(u->h->set, path, &why) != STATUS_OK)
        harden_refuse(u->h, "%s", why ? why : "out of memory");
}

/* Somebody edited the file since. */
static void undo_changed(struct undoing *u, const struct undo_file *c, struct slice now)
{
    static struct undo_setting lists[] = {{.name = "smtpd_milters", .next = &lists[1]},
                                          {.name = "non_smtpd_milters", .next = &lists[2]},
                                          {.name = "smtp_tls_policy_maps"}};
    struct buf left = BUF_INIT;
    struct slice text = SLICE_NULL;
    size_t count = 0;
    if (access(c->path, F_OK) != 0) {
        name_left(u, c->path, "the file was removed since, and is not made again");
    } else if (is_postfix(c->path)) {
        /* A set of an earlier version says nothing of its settings: then what asks us goes, in any case. */
        postfix_undo_file(u->h, c->path, c->edits ? c->edits : lists, &left, &count);
    } else if (!c->after_known ||
               merge_back(u->h->arena, c->before, c->after, now, &text, &left, &count) != STATUS_OK) {
        name_left(u, c->path, "it was changed since; look at it, and take out what names assay");
    } else {
        propose(u, c->path, text);
    }
    name_lines(u, c->path, &left);
    buf_release(&left);
}

/* Tells whether the mail server asks at the socket that this file names. If nothing was left in its files, it does not;
 * what was left may be another setting. Of Sendmail that is not looked up: what was left is taken for ours. */
static bool still_asks(const struct undoing *u, const char *path, struct slice socket)
{
    const enum mta_asks_of of = strcmp(name_of(path), MTA_SOCKET_FILE) == 0 ? MTA_ASKS_MILTER : MTA_ASKS_TLS_POLICY;
    const char *text = arena_copy(u->h->arena, slice_trim(socket).p, slice_trim(socket).n);
    struct postfix p = {.h = u->h, .only_asked = true};
    if (!u->mail_left || u->sendmail_left || !u->postfix_left || !text ||
        snprintf(p.dir, sizeof p.dir, "%s", u->postfix_left) >= (int)sizeof p.dir)
        return u->mail_left;
    return mta_asks_socket(&p, of, text);
}

static enum status undo_file(struct undoing *u, const struct undo_file *c, const char **why)
{
    enum undo_state state;
    struct slice now;
    enum status s = undo_state_of(u->h->arena, c, &state, &now, why);
    if (s != STATUS_OK)
        return s;
    if (strcmp(c->path, u->policy) == 0 && state == UNDO_CHANGED)
        printf("%s stays as it is: you have changed it since, and the policy is yours\n", c->path);
    else if (is_told_socket(c->path) && still_asks(u, c->path, now))
        name_left(u, c->path, "it stays, since the mail server still asks there");
    else if (state == UNDO_AS_WRITTEN && c->existed)
        restore(u, c);
    else if (state == UNDO_AS_WRITTEN)
        propose_gone(u, c->path);
    else if (state == UNDO_CHANGED)
        undo_changed(u, c, now);
    return u->h->refused ? STATUS_INVALID : STATUS_OK;
}

/* Does what was proposed, and says it. */
static enum status carry_out(struct undoing *u, const char **why)
{
    const char *path;
    enum status s = edit_apply(u->h->set, NULL, why);
    for (size_t i = 0; s == STATUS_OK && (path = edit_path(u->h->set, i)) != NULL; i++) {
        if (access(path, F_OK) != 0)
            printf("%s is removed: Assay had made it\n", path);
        else if (is_restored(u, path))
            printf("%s is as it was before\n", path);
        else
            printf("%s: what Assay wrote is taken out; what was changed since stays\n", path);
        u->postfix_back |= is_postfix(path);
        if (is_postfix(path))
            u->postfix_dir = arena_copy(u->h->arena, path, (size_t)(name_of(path) - path) - 1);
        u->sendmail_back |= is_sendmail(path);
        u->resolver_back |= is_resolver(path);
    }
    u->h->set = edit_new(u->h->arena);
    u->restored_count = 0;
    return s == STATUS_OK && !u->h->set ? STATUS_NOMEM : s;
}

static enum status undo_part(struct undoing *u, const struct undo_set *set, bool (*part)(const char *path),
                             bool (*also)(const char *path), const char **why)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; s == STATUS_OK && i < set->count; i++)
        if (part(set->files[i].path) && also(set->files[i].path))
            s = undo_file(u, &set->files[i], why);
    return s == STATUS_OK ? carry_out(u, why) : s;
}

/* A running Postfix asks by its new configuration from here on. Not where the configuration is somebody's trial. */
static void reload_postfix(struct undoing *u)
{
    const char *status[] = {"postfix", "-c", u->postfix_dir, "status", NULL},
               *reload[] = {"postfix", "-c", u->postfix_dir, "reload", NULL};
    int code = -1;
    if (!u->postfix_back || !u->postfix_dir || *u->o->root)
        return;
    u->postfix_back = false;
    (void)harden_run(u->h, status, &code);
    if (code != 0)
        return;
    const char *out = harden_run(u->h, reload, &code);
    if (code == 0)
        puts("Postfix has reloaded");
    else
        cli_error("postfix reload: %s", out && *out ? out : "failed");
}

/* An entry that an earlier run wrote, for a socket that this policy does not open: an inet one bears no name of ours,
 * and a site may ask another assay-milter, too. */
static const char *asks_in_vain(struct postfix *p, const struct policy *policy)
{
    const char *sockets[2];
    struct slice entry;
    mta_asks_sockets(policy, MTA_ASKS_MILTER, sockets);
    for (const char *at = postfix_get(p, "smtpd_milters"); postfix_next_entry(&at, &entry);) {
        bool answered = !harden_wrote(p->h, entry);
        for (size_t i = 0; i < 2; i++)
            answered = answered || (sockets[i] && mta_asks_entry(p, "smtp/inet", entry, sockets[i]));
        if (!answered)
            return arena_printf(p->h->arena,
                                "smtpd_milters of main.cf asks %.*s, where assay-milter does not listen (it listens at "
                                "%s): mail is deferred",
                                SLICE_ARG(entry), sockets[0] ? sockets[0] : "no socket");
    }
    return NULL;
}

/* Undoing a move of a socket: Postfix asks the earlier one again, where a program must listen. */
static void look_at_sockets(struct undoing *u)
{
    static const char *const restart[] = {[MTA_ASKS_MILTER] = "systemctl restart assay-milter",
                                          [MTA_ASKS_TLS_POLICY] = "systemctl restart assay-outgoing"};
    struct policy *now = u->postfix_dir ? policy_load(u->o->policy, NULL) : NULL;
    struct postfix p = {.h = u->h, .only_asked = true, .original = u->postfix_dir};
    if (now && postfix_open(&p))
        for (enum mta_asks_of of = MTA_ASKS_MILTER; of <= MTA_ASKS_TLS_POLICY; of++) {
            struct mta_ask asks[MTA_ASKS_MOST];
            const char *why = of == MTA_ASKS_MILTER ? asks_in_vain(&p, now) : mta_asks_elsewhere(&p, now, of);
            for (size_t i = mta_asks(&p, now, of, asks); i-- > 0;)
                if (asks[i].socket && !postfix_is_served(u->h, asks[i].socket))
                    harden_reload_by(u->h, restart[of]);
            if (why)
                harden_note(u->h, "%s; give the policy that socket, or run assay harden again", why);
            u->left += why != NULL;
        }
    if (now)
        postfix_close(&p);
    policy_unref(now);
}

static void print_reloads(struct undoing *u)
{
    if (u->postfix_back && u->postfix_dir)
        harden_reload_by(u->h, postfix_reload_command(u->h, u->postfix_dir));
    if (u->sendmail_back)
        harden_reload_by(u->h, "service sendmail reload");
    if (u->resolver_back)
        harden_reload_by(u->h, "systemctl restart unbound");
    harden_reload(u->h, u->o->reload);
}

static bool all(const char *path)
{
    (void)path;
    return true;
}

static int code_of(enum status s)
{
    return s == STATUS_DENIED ? EX_NOPERM : s == STATUS_INVALID || s == STATUS_LIMIT ? EX_CONFIG : EX_TEMPFAIL;
}

/* The policy says where we listen; one that does not load is no reason to stop. */
static bool undoing_begin(struct undoing *u, struct policy_report **report)
{
    char *real = realpath(u->o->policy, NULL);
    u->policy = arena_strdup(u->h->arena, real ? real : u->o->policy);
    free(real);
    *report = policy_report_new();
    u->h->policy = *report ? policy_load(u->o->policy, *report) : NULL;
    u->h->socket = u->h->policy ? policy_set_text(u->h->policy, SETTING_MILTER_SOCKET) : "";
    return u->h->set && u->policy;
}

static int undoing_end(struct undoing *u, struct policy_report *report, enum status s, const char *why)
{
    policy_unref(u->h->policy);
    policy_report_free(report);
    if (s == STATUS_OK)
        return u->left ? CLI_WARNING : EX_OK;
    if (!u->h->refused || why)
        cli_error("%s", why ? why : status_text(s));
    return code_of(s);
}

int harden_undo(struct arena *a, const struct harden_options *o, const char *keep)
{
    struct harden h = {
        .arena = a, .set = edit_new(a), .policy_path = o->policy, .root = o->root, .postfix_dir = o->postfix};
    struct undoing u = {.h = &h, .o = o};
    struct policy_report *report = NULL;
    struct undo_set *set = arena_alloc(a, sizeof *set);
    const char *why = NULL;
    enum status s = set && undoing_begin(&u, &report) ? undo_load(a, keep, 0, set, &why) : STATUS_NOMEM;
    if (s == STATUS_MISSING) {
        puts("There is nothing to undo.");
        return undoing_end(&u, report, STATUS_OK, NULL);
    }
    if (s == STATUS_OK)
        s = undo_part(&u, set, is_mta, all, &why);
    if (s == STATUS_OK) {
        reload_postfix(&u);
        s = undo_part(&u, set, is_rest, all, &why);
    }
    if (s == STATUS_OK) {
        undo_forget(a, keep, set->number);
        h.reload_count = 0;
        harden_read_earlier(&h, keep);
        look_at_sockets(&u);
        print_reloads(&u);
    }
    return undoing_end(&u, report, s, why);
}

/* Takes out what still asks us, whoever wrote it. Where that cannot be done, it is refused, and said. */
static enum status release_rest(struct undoing *u, const char **why)
{
    harden_postfix_release(u->h);
    harden_sendmail_release(u->h);
    if (u->h->refused || edit_count(u->h->set) == 0)
        return u->h->refused ? STATUS_INVALID : STATUS_OK;
    enum status s = edit_diff(u->h->set, stdout, why);
    return s == STATUS_OK ? carry_out(u, why) : s;
}

static bool belongs_whole(const struct undo_set *set, bool (*part)(const char *path))
{
    for (size_t i = 0; i < set->count; i++)
        if (!part(set->files[i].path))
            return false;
    return true;
}

int harden_release(struct arena *a, const struct harden_options *o, const char *keep)
{
    struct harden h = {
        .arena = a, .set = edit_new(a), .policy_path = o->policy, .root = o->root, .postfix_dir = o->postfix};
    struct undoing u = {.h = &h, .o = o};
    struct policy_report *report = NULL;
    struct undo_set *set = arena_alloc(a, sizeof *set);
    const char *why = NULL;
    const bool mail = strcmp(o->release, "mail") == 0;
    bool (*part)(const char *path) = mail ? is_mail : is_resolver;
    enum status s = set && undoing_begin(&u, &report) ? STATUS_OK : STATUS_NOMEM;
    /* First what asks us goes out of the mail server, of all sets; then, when nothing asks any more, the rest. */
    for (unsigned round = 0, below; s == STATUS_OK && round < 2; round++) {
        for (below = 0; s == STATUS_OK && (s = undo_load(a, keep, below, set, &why)) == STATUS_OK;
             below = set->number) {
            s = undo_part(&u, set, part, round == 0 ? is_mta : is_rest, &why);
            if (s == STATUS_OK && round == 1 && belongs_whole(set, part))
                undo_forget(a, keep, set->number);
        }
        s = s == STATUS_MISSING ? STATUS_OK : s;
        if (s == STATUS_OK && mail && round == 0)
            s = release_rest(&u, &why);
        if (s == STATUS_OK && round == 0) {
            u.mail_left = false; /* nothing asks us any more */
            reload_postfix(&u);
        }
    }
    h.reload_count = 0;
    if (s == STATUS_OK)
        print_reloads(&u);
    if (s == STATUS_OK && mail)
        u.left = 0; /* what is left asks nobody */
    return undoing_end(&u, report, s, why);
}
