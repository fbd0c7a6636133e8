// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_postfix.c - Postfix: ask assay-milter, and stand where mail security stands.
 *
 * main.cf is changed by Postfix's own postconf on a copy, so that comments, order and continuation lines stay as they
 * are; the set then holds the copy's text. A milter chain that is there already is kept: assay-milter goes first, since
 * it must see the message as it came. What would keep mail from it (smtpd_proxy_filter), a main.cf that Postfix itself
 * complains of, and a socket that Postfix's chroot cannot reach are refused with what to do.
 *
 * Settings are only ever tightened: a value that is stricter already is left alone.
 */
#include "base/clock.h"
#include "cli/harden/harden_postfix.h"
#include "policy/policy_settings.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_SOCKET "unix:/run/assay/milter.sock" /* of policy/settings.def */

static const char *get(struct postfix *p, const char *name)
{
    const char *value = postfix_ask(p, "-xh", name);
    return value ? value : "";
}

/* What postconf does not complain of, and what an editor that was killed leaves: NUL, and a first line that continues
 * none. */
static bool is_text(struct postfix *p, const char *path, struct slice text)
{
    const char *nul = text.n ? memchr(text.p, '\0', text.n) : NULL;
    unsigned line = 1;
    for (const char *c = text.p; nul && c < nul; c++)
        line += *c == '\n';
    if (nul) {
        harden_refuse(p->h, "%s:%u: a NUL octet; this is no text file", path, line);
        return false;
    }
    for (size_t i = 0; i < text.n; line++) {
        const char *nl = memchr(text.p + i, '\n', text.n - i);
        struct slice whole = slice_of(text.p + i, nl ? (size_t)(nl - text.p) - i : text.n - i),
                     words = slice_trim(whole);
        i += whole.n + 1;
        if (!words.n || *words.p == '#')
            continue;
        if (words.p == whole.p)
            break;
        harden_refuse(p->h,
                      "%s:%u: a line that begins with a blank continues the one before, and there is none: is the top "
                      "of the file lost?",
                      path, line);
        return false;
    }
    return true;
}

static bool copy_file(struct postfix *p, const char *name)
{
    struct slice text;
    bool exists;
    const char *from = arena_printf(p->h->arena, "%s/%s", p->original, name),
               *to = arena_printf(p->h->arena, "%s/%s", p->dir, name);
    if (!from || !to || !harden_read(p->h, from, &text, &exists))
        return false;
    if (!exists) {
        harden_refuse(p->h, "%s: there is no such file; is Postfix set up? (dpkg-reconfigure postfix)", from);
        return false;
    }
    if (!is_text(p, from, text))
        return false;
    FILE *f = fopen(to, "w");
    bool ok = f && fwrite(text.p, 1, text.n, f) == text.n;
    if (f && fclose(f) != 0)
        ok = false;
    /* Postfix's programs wait for a moment before they read a file this fresh. */
    if (ok)
        utimensat(AT_FDCWD, to,
                  (const struct timespec[2]){{.tv_sec = clock_wall() - 60}, {.tv_sec = clock_wall() - 60}}, 0);
    else
        harden_refuse(p->h, "%s: no room for a copy", to);
    return ok;
}

/* Whether postconf says of the file that it is broken. A parameter set twice is no such thing; nor is a value with such
 * words in it. */
static bool complains(const char *out)
{
    for (const char *line = out; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "postconf: ", 10) != 0)
            continue;
        size_t n = strcspn(line, "\n");
        if (strncmp(line + 10, "fatal:", 6) == 0 || strncmp(line + 10, "error:", 6) == 0 ||
            memmem(line, n, "missing '='", 11))
            return true;
    }
    return false;
}

/* A copy of the configuration that Postfix reads without complaint. */
static bool open_copy(struct postfix *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/assay-postfix-XXXXXX");
    if (!mkdtemp(p->dir)) {
        harden_refuse(p->h, "no room in /tmp for a copy of Postfix's configuration");
        return false;
    }
    if (!copy_file(p, "main.cf") || !copy_file(p, "master.cf"))
        return false;
    const char *argv[] = {"postconf", "-c", p->dir, "-n", NULL};
    int code;
    const char *out = harden_run(p->h, argv, &code);
    if (code == 0 && out && !complains(out))
        return true;
    harden_refuse(p->h, "%s/main.cf is not in order, and nothing is changed until it is: %s", p->original,
                  out && *out ? out : "postconf cannot read it");
    return false;
}

static void close_copy(struct postfix *p)
{
    static const char *const names[] = {"main.cf", "master.cf"};
    char path[96];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
        unlink(path);
    }
    rmdir(p->dir);
}

/* Whether a service of master.cf runs in a chroot: field 5 of "smtp inet n - y - - smtpd" ("-": no, since 3.0). */
static bool in_chroot(struct postfix *p, const char *service)
{
    const char *line = postfix_ask(p, "-M", service);
    char field[6][32] = {""};
    return line && sscanf(line, "%31s %31s %31s %31s %31s", field[0], field[1], field[2], field[3], field[4]) == 5 &&
           strcmp(field[4], "y") == 0;
}

/* How a service of Postfix must write a socket of ours; NULL where its chroot keeps it from there. */
static const char *written_for(struct postfix *p, const char *service, const char *socket)
{
    struct arena *a = p->h->arena;
    const char *rest = strchr(socket, ':');
    rest = rest ? rest + 1 : socket;
    if (strncmp(socket, "inet", 4) == 0) {
        const char *at = strchr(rest, '@');
        return arena_printf(a, "inet:%s:%.*s", at ? at + 1 : "127.0.0.1", at ? (int)(at - rest) : (int)strlen(rest),
                            rest);
    }
    if (!in_chroot(p, service))
        return arena_printf(a, "unix:%s", rest);
    const char *queue = get(p, "queue_directory");
    size_t n = strlen(queue);
    return n && strncmp(rest, queue, n) == 0 && rest[n] == '/' ? arena_printf(a, "unix:%s", rest + n) : NULL;
}

/* Proposes a line for the policy that puts the socket within the chroot's reach; only where the policy says nothing of
 * it. */
static bool move_socket(struct postfix *p, const char *queue)
{
    struct harden *h = p->h;
    struct slice text;
    bool exists;
    if (!harden_read(h, h->policy_path, &text, &exists))
        return false;
    const char *whole = arena_printf(h->arena,
                                     "%.*s%s\n# Where Postfix reaches it from its chroot (assay harden).\nset "
                                     "milter.socket \"unix:%s/assay/milter.sock\"\n",
                                     SLICE_ARG(text), text.n && text.p[text.n - 1] != '\n' ? "\n" : "", queue);
    h->socket = arena_printf(h->arena, "unix:%s/assay/milter.sock", queue);
    if (!whole || !h->socket || !harden_write(h, h->policy_path, slice_str(whole), 0644))
        return false;
    if (h->reload_count < 8)
        h->reload[h->reload_count++] = "systemctl restart assay-milter";
    return true;
}

static bool socket_is_set(const struct policy *policy)
{
    struct policy_setting s;
    for (size_t i = 0; policy_setting_at(policy, i, &s); i++)
        if (strcmp(s.name, "milter.socket") == 0)
            return s.set;
    return false;
}

/* How Postfix must write our socket; NULL (refused) where it cannot reach it. */
static const char *socket_for(struct postfix *p)
{
    struct harden *h = p->h;
    const char *written = written_for(p, "smtp/inet", h->socket), *queue = get(p, "queue_directory");
    /* In /run/assay the socket has our group, and Postfix may not open it; the folder in the queue has Postfix's. */
    if (strcmp(h->socket, DEFAULT_SOCKET) == 0 && *queue && !socket_is_set(h->policy))
        return move_socket(p, queue) ? written_for(p, "smtp/inet", h->socket) : NULL;
    if (written)
        return written;
    if (!h->refused)
        harden_refuse(h,
                      "Postfix's smtpd runs in the chroot %s and cannot reach %s\nadd to %s:  set milter.socket "
                      "\"unix:%s/assay/milter.sock\"",
                      queue, h->socket, h->policy_path, queue);
    return NULL;
}

/* Where the policy opens a socket for it, Postfix asks us how its own mail must be protected; the site's own exceptions
 * stay, and go first. */
static void edit_policy_maps(struct postfix *p)
{
    const char *socket = policy_set_text(p->h->policy, SETTING_POSTFIX_TLS_POLICY_SOCKET),
               *now = postfix_ask(p, "-h", "smtp_tls_policy_maps");
    const char *map = now ? strstr(now, "socketmap:") : NULL;
    if (!*socket || !now || (map && strstr(map, ":assay")))
        return;
    const char *written = written_for(p, "smtp/unix", socket), *queue = get(p, "queue_directory");
    if (!written)
        harden_note(p->h,
                    "Postfix's smtp runs in the chroot %s and cannot reach %s: smtp_tls_policy_maps stays; in %s, set "
                    "postfix.tls-policy-socket "
                    "\"unix:%s/assay/tls.sock\"",
                    queue, socket, p->h->policy_path, queue);
    else
        postfix_edit(p, "smtp_tls_policy_maps",
                     *now ? arena_printf(p->h->arena, "%s, socketmap:%s:assay", now, written)
                          : arena_printf(p->h->arena, "socketmap:%s:assay", written));
}

static void edit_milters(struct postfix *p, const char *socket)
{
    const char *was = postfix_ask(p, "-h", "smtpd_milters"),
               *now = postfix_drop(p, socket); /* unexpanded: $variables stay */
    if (!now)
        return;
    size_t n = strlen(socket);
    for (const char *at = now; (at = strstr(at, socket)) != NULL; at += n)
        if ((at == now || strchr(", \t", at[-1])) && strchr(", \t", at[n])) {
            if (was && strcmp(was, now) != 0)
                postfix_edit(p, "smtpd_milters", now);
            return;
        }
    postfix_edit(p, "smtpd_milters", *now ? arena_printf(p->h->arena, "%s, %s", socket, now) : socket);
    if (*now)
        harden_note(p->h, "smtpd_milters: the filters that are there stay, and are asked after assay-milter: %s", now);
}

static bool is_any(const char *value, const char *a, const char *b)
{
    return strcmp(value, a) == 0 || (b && strcmp(value, b) == 0);
}

static void edit_rest(struct postfix *p)
{
    if (!is_any(get(p, "milter_protocol"), "6", NULL))
        postfix_edit(p, "milter_protocol", "6");
    if (!is_any(get(p, "milter_default_action"), "tempfail", "reject"))
        postfix_edit(p, "milter_default_action", "tempfail");
    if (is_any(get(p, "smtpd_forbid_bare_newline"), "no", NULL))
        postfix_edit(p, "smtpd_forbid_bare_newline", "yes");
    const char *out = get(p, "smtp_tls_security_level");
    if (is_any(out, "", "none") || is_any(out, "may", NULL))
        postfix_edit(p, "smtp_tls_security_level", "dane");
    if (!is_any(get(p, "smtp_dns_support_level"), "dnssec", NULL))
        postfix_edit(p, "smtp_dns_support_level", "dnssec");
    const char *in = get(p, "smtpd_tls_security_level");
    if (is_any(in, "", "none") && *get(p, "smtpd_tls_cert_file"))
        postfix_edit(p, "smtpd_tls_security_level", "may");
    else if (is_any(in, "", "none") && !*get(p, "smtpd_tls_chain_files"))
        harden_note(p->h,
                    "Postfix has no certificate: mail to this host stays unencrypted until smtpd_tls_cert_file is set");
}

/* Listeners in master.cf that set smtpd_milters for themselves do not get ours. */
static void look_at_master(struct postfix *p, const char *socket)
{
    const char *out = postfix_ask(p, "-P", NULL);
    for (const char *at = out; at && (at = strstr(at, "/smtpd_milters")) != NULL; at++) {
        const char *start = at;
        while (start > out && start[-1] != '\n')
            start--;
        const char *end = strchr(at, '\n');
        if (memmem(start, end ? (size_t)(end - start) : strlen(start), socket, strlen(socket)))
            continue;
        harden_note(p->h, "master.cf: %.*s: this listener has milters of its own, and does not ask assay-milter",
                    (int)(end ? end - start : (long)strlen(start)), start);
    }
}

/* Has postconf make the edits in the copy, and proposes the file. */
static void propose(struct postfix *p, const char *option, const char *const *edits, size_t count, const char *file)
{
    const char *argv[POSTFIX_MAX_EDITS + 5] = {"postconf", "-c", p->dir, option};
    int code = 0;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        argv[4 + i] = edits[i];
    const char *out = harden_run(p->h, argv, &code);
    if (code != 0) {
        harden_refuse(p->h, "postconf does not take the changes: %s", out ? out : "it could not be run");
        return;
    }
    struct change_set *copy = change_set_new(p->h->arena);
    struct slice text;
    bool exists;
    const char *why = NULL, *changed = arena_printf(p->h->arena, "%s/%s", p->dir, file),
               *target = arena_printf(p->h->arena, "%s/%s", p->original, file);
    if (!copy || !changed || !target || change_text(copy, changed, &text, &exists, &why) != STATUS_OK)
        harden_refuse(p->h, "%s", why ? why : "out of memory");
    else
        harden_write(p->h, target, text, 0644);
}

/* Postfix's configuration folder; NULL where there is no Postfix, or (refused) where it cannot say. */
static const char *instance_dir(struct harden *h)
{
    const char *argv[] = {"postconf", "-h", "config_directory", NULL};
    int code;
    if (h->postfix_dir)
        return *h->postfix_dir ? h->postfix_dir : NULL;
    const char *out = harden_run(h, argv, &code);
    if (!out || !*out || (code != 0 && strstr(out, "No such file")))
        return NULL; /* not installed, or never set up */
    if (code == 0)
        return out;
    harden_refuse(h, "Postfix's main.cf is not in order, and nothing is changed until it is: %s", out);
    return NULL;
}

/* Whether an entry of a list of milters or maps is ours. */
static bool is_ours(struct postfix *p, struct slice entry)
{
    const char *text = arena_copy(p->h->arena, entry.p, entry.n), *end;
    const char *rest = strchr(p->h->socket, ':');
    if (!text)
        return false;
    if (strncmp(text, "socketmap:", 10) == 0)
        return entry.n > 6 && strcmp(text + entry.n - 6, ":assay") == 0;
    const char *written =
        rest && strncmp(p->h->socket, "inet", 4) == 0 ? written_for(p, "smtp/inet", p->h->socket) : NULL;
    const char *at = rest && !written ? strstr(text, rest + 1) : written ? strstr(text, written) : NULL;
    size_t n = rest && !written ? strlen(rest + 1) : written ? strlen(written) : 0;
    if (!at && (at = strstr(text, "assay/milter.sock")) != NULL)
        n = strlen("assay/milter.sock");
    end = at ? at + n : NULL;
    return end && (*end == '\0' || strchr(", }\t", *end));
}

/* The list without our entries ({ ... } is one entry); NULL where none is ours. */
static const char *without_ours(struct postfix *p, const char *list)
{
    const char *out = "";
    bool found = false;
    for (const char *at = list + strspn(list, ", \t\n"); *at; at += strspn(at, ", \t\n")) {
        const char *start = at;
        for (int depth = 0; *at && (depth > 0 || !strchr(", \t\n", *at)); at++)
            depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
        struct slice entry = slice_of(start, (size_t)(at - start));
        bool ours = is_ours(p, entry);
        found = found || ours;
        if (!ours && out)
            out = arena_printf(p->h->arena, "%s%s%.*s", out, *out ? ", " : "", SLICE_ARG(entry));
    }
    return found ? out : NULL;
}

static void release_list(struct postfix *p, const char *name)
{
    const char *now = postfix_ask(p, "-h", name), *rest = now ? without_ours(p, now) : NULL, *expanded = get(p, name);
    if (rest)
        postfix_edit(p, name, rest);
    else if (without_ours(p, expanded) && !(now && strstr(now, "$smtpd_milters")))
        harden_refuse(p->h,
                      "%s/main.cf: %s = %s still asks Assay by a parameter of yours: take it out of there, then again",
                      p->original, name, now ? now : "");
}

/* Listeners with settings of their own in master.cf: named, and left to whoever wrote them. */
static void release_master(struct postfix *p)
{
    const char *out = postfix_ask(p, "-P", NULL);
    for (const char *line = out; line && *line;) {
        size_t n = strcspn(line, "\n");
        const char *text = arena_copy(p->h->arena, line, n), *value = text ? strchr(text, '=') : NULL;
        const char *milters = text ? strstr(text, "milters") : NULL;
        if (value && milters && milters < value && without_ours(p, value + 1))
            harden_refuse(p->h, "%s/master.cf: %s still asks assay-milter: take it out, then again", p->original, text);
        line += n + (line[n] == '\n');
    }
}

static void release_instance(struct harden *h, const char *dir)
{
    static const char *const lists[] = {"smtpd_milters", "non_smtpd_milters", "smtp_tls_policy_maps"};
    struct postfix p = {.h = h, .original = dir};
    if (open_copy(&p)) {
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            release_list(&p, lists[i]);
        release_master(&p);
        propose(&p, "-e", p.edits, p.count, "main.cf");
    }
    close_copy(&p);
}

void harden_postfix_release(struct harden *h)
{
    const char *more[] = {"postconf", "-h", "multi_instance_directories", NULL};
    int code = 0;
    const char *dir = instance_dir(h);
    const char *main_cf = dir ? arena_printf(h->arena, "%s/main.cf", dir) : NULL;
    if (!main_cf || access(main_cf, F_OK) != 0)
        return; /* Postfix is there and asks nobody */
    release_instance(h, dir);
    const char *list = h->postfix_dir ? NULL : harden_run(h, more, &code);
    for (const char *at = list; at && code == 0 && *(at += strspn(at, ", \t\n"));) {
        size_t n = strcspn(at, ", \t\n");
        const char *instance = arena_copy(h->arena, at, n);
        if (instance)
            release_instance(h, instance);
        at += n;
    }
}

void harden_postfix(struct harden *h)
{
    struct postfix p = {.h = h};
    const char *dir = instance_dir(h);
    if (!dir)
        return;
    h->found_mta = true;
    p.original = dir;
    if (open_copy(&p)) {
        const char *proxy = get(&p, "smtpd_proxy_filter");
        const char *socket = *proxy ? NULL : socket_for(&p);
        if (*proxy)
            harden_refuse(h,
                          "smtpd_proxy_filter=%s takes the message away before any milter sees it\nmove that filter to "
                          "content_filter or to a milter first",
                          proxy);
        if (socket) {
            edit_milters(&p, socket);
            edit_rest(&p);
            edit_policy_maps(&p);
            propose(&p, "-e", p.edits, p.count, "main.cf");
            propose(&p, "-P", p.master, p.master_count, "master.cf");
            look_at_master(&p, socket);
            if (p.count + p.master_count && h->reload_count < 8)
                h->reload[h->reload_count++] = "postfix reload";
        }
    }
    close_copy(&p);
}
