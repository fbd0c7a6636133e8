// SPDX-License-Identifier: BSD-2-Clause
/*
 * postfix.c - what the files on Postfix share: a question to postconf, and the list of edits that it will be told.
 *
 * Promises that postconf works on the copy in p->dir, and that edits beyond POSTFIX_MAX_EDITS are refused.
 */
#include "cli/harden/harden_postfix.h"
#include "base/clock.h"
#include "base/inet_name.h"
#include "policy/policy_settings.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct postfix_answer *known_answer(const struct postfix *p, const char *option, const char *name)
{
    const struct postfix_answer *a = p->answers;
    while (a && (strcmp(a->option, option) != 0 || strcmp(a->name ? a->name : "", name ? name : "") != 0))
        a = a->next;
    return a;
}

static const char *keep_answer(struct postfix *p, const char *option, const char *name, const char *text)
{
    struct postfix_answer *a = p->only_asked ? ARENA_NEW(p->h->arena, struct postfix_answer) : NULL;
    const char *copy = a && name ? arena_strdup(p->h->arena, name) : NULL;
    if (!a || (name && !copy))
        return text;
    *a = (struct postfix_answer){option, copy, text, p->answers};
    p->answers = a;
    return text;
}

const char *postfix_ask(struct postfix *p, const char *option, const char *name)
{
    const struct postfix_answer *before = known_answer(p, option, name);
    if (before)
        return before->text;
    const char *argv[] = {"postconf", "-c", p->dir, option, name, NULL};
    int code;
    const char *out = harden_ask(p->h, argv, &code);
    return keep_answer(p, option, name, out && code == 0 ? out : NULL);
}

const char *postfix_table(struct postfix *p, const char *service, const char *const *argv)
{
    const struct postfix_answer *before = known_answer(p, "-x", service);
    if (before)
        return before->text;
    int code;
    const char *out = harden_ask(p->h, argv, &code), *name = service ? arena_strdup(p->h->arena, service) : NULL;
    return keep_answer(p, "-x", name, out && code == 0 ? out : NULL);
}

static void add_edit(struct postfix *p, const char **edits, size_t *count, const char *name, const char *value)
{
    const char *e = arena_printf(p->h->arena, "%s=%s", name, value);
    if (e && *count < POSTFIX_MAX_EDITS)
        edits[(*count)++] = e;
    else
        harden_refuse(p->h, "%s: more than %d settings of one file would change", name, POSTFIX_MAX_EDITS);
}

void postfix_edit(struct postfix *p, const char *name, const char *value)
{
    add_edit(p, p->edits, &p->count, name, value);
}

void postfix_edit_master(struct postfix *p, const char *name, const char *value)
{
    add_edit(p, p->master, &p->master_count, name, value);
}

const char *postfix_get(struct postfix *p, const char *name)
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
        harden_refuse(p->h, "%s:%u: a NUL octet; this is not a text file", path, line);
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

static const char *const copies[] = {"main.cf", "master.cf"};

/* Postfix's programs wait a second or two before they read a file that has just been written. Nobody else writes to our
 * copies: we let them look older. */
static void let_look_old(const char *copy)
{
    const struct timespec then[2] = {{.tv_sec = clock_wall() - 60}, {.tv_sec = clock_wall() - 60}};
    (void)utimensat(AT_FDCWD, copy, then, 0);
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
    if (ok)
        let_look_old(to);
    else
        harden_refuse(p->h, "%s: no room for a copy", to);
    return ok;
}

/* Tells whether postconf says of the file that it is broken. A parameter set twice is no such thing; nor is a value
 * with such words in it. */
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
bool postfix_open(struct postfix *p)
{
    if (!scratch_open(&p->scratch, "/tmp", "postfix")) {
        harden_refuse(p->h, "no room in /tmp for a copy of Postfix's configuration");
        return false;
    }
    snprintf(p->dir, sizeof p->dir, "%s", p->scratch.path);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        if (!copy_file(p, copies[i]))
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

void postfix_close(struct postfix *p)
{
    scratch_close(&p->scratch);
}

/* Tells whether a service of master.cf runs in a chroot: field 5 of "smtp inet n - y - - smtpd" ("-": no, since
 * 3.0). */
static bool in_chroot(struct postfix *p, const char *service)
{
    const char *line = postfix_ask(p, "-M", service);
    char field[6][32] = {""};
    return line && sscanf(line, "%31s %31s %31s %31s %31s", field[0], field[1], field[2], field[3], field[4]) == 5 &&
           strcmp(field[4], "y") == 0;
}

/* "inet:HOST:PORT", an IPv6 address in brackets (postconf(5), smtpd_milters); NULL: no name of a socket. */
static const char *inet_for_postfix(struct arena *a, const char *socket)
{
    struct inet_name n;
    if (!inet_name_read(socket, &n))
        return NULL;
    const char *host = *n.host ? n.host : n.family == AF_INET6 ? "::1" : "127.0.0.1";
    return arena_printf(a, strchr(host, ':') ? "inet:[%s]:%s" : "inet:%s:%s", host, n.port);
}

/* How a service of Postfix must write a socket of ours; NULL if its chroot keeps it from there. */
const char *postfix_writes(struct postfix *p, const char *service, const char *socket)
{
    struct arena *a = p->h->arena;
    const char *rest = strchr(socket, ':');
    rest = rest ? rest + 1 : socket;
    if (strncmp(socket, "inet", 4) == 0)
        return inet_for_postfix(a, socket);
    if (!in_chroot(p, service))
        return arena_printf(a, "unix:%s", rest);
    const char *queue = postfix_get(p, "queue_directory");
    size_t n = strlen(queue);
    return n && strncmp(rest, queue, n) == 0 && rest[n] == '/' ? arena_printf(a, "unix:%s", rest + n) : NULL;
}

const char *postfix_explicit(struct postfix *p, bool master, const char *name)
{
    const char *out = postfix_ask(p, master ? "-P" : "-n", name), *equals = out ? strstr(out, " =") : NULL;
    const size_t n = strlen(name);
    if (!equals || strncmp(out, name, n) != 0 || out[n] != ' ')
        return NULL;
    struct slice value = slice_trim(slice_str(equals + 2));
    return arena_copy(p->h->arena, value.p ? value.p : "", value.n);
}

/* What each edit changes is remembered with the file, for the way back. */
static void edit_remember(struct postfix *p, const char *target, bool master, const char *edit)
{
    const char *equals = strchr(edit, '=');
    const char *name = equals ? arena_copy(p->h->arena, edit, (size_t)(equals - edit)) : NULL;
    if (name)
        edit_note_setting(p->h->set, target, name, postfix_explicit(p, master, name), equals + 1);
}

bool postfix_run_edits(struct postfix *p, const char *option, const char *const *edits, size_t count)
{
    const char *argv[POSTFIX_MAX_EDITS + 5] = {"postconf", "-c", p->dir, option};
    int code = 0;
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        argv[4 + i] = edits[i];
    const char *out = harden_run(p->h, argv, &code);
    if (code != 0)
        harden_refuse(p->h, "postconf does not take the changes: %s", out ? out : "it could not be run");
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", p->dir, copies[i]);
        let_look_old(path);
    }
    return code == 0;
}

void postfix_take_copy(struct postfix *p, const char *file)
{
    struct edit *copy = edit_new(p->h->arena);
    struct slice text;
    bool exists;
    const char *why = NULL, *changed = arena_printf(p->h->arena, "%s/%s", p->dir, file),
               *target = arena_printf(p->h->arena, "%s/%s", p->original, file);
    if (!copy || !changed || !target || edit_text(copy, changed, &text, &exists, &why) != STATUS_OK)
        harden_refuse(p->h, "%s", why ? why : "out of memory");
    else
        harden_write(p->h, target, text, 0644);
}

/* Has postconf make the edits in the copy, and proposes the file. */
void postfix_propose(struct postfix *p, const char *option, const char *const *edits, size_t count, const char *file)
{
    const char *path = arena_printf(p->h->arena, "%s/%s", p->original, file);
    for (size_t i = 0; path && i < count; i++)
        edit_remember(p, path, strcmp(option, "-P") == 0, edits[i]);
    if (count && postfix_run_edits(p, option, edits, count))
        postfix_take_copy(p, file);
}

/* Postfix's configuration folder; NULL if there is no Postfix, or (refused) if it cannot say. */
const char *postfix_instance(struct harden *h)
{
    const char *argv[] = {"postconf", "-h", "config_directory", NULL};
    int code;
    if (h->postfix_dir)
        return *h->postfix_dir ? h->postfix_dir : NULL;
    const char *out = harden_ask(h, argv, &code);
    if (code == 0)
        return out && *out ? out : NULL;
    out = harden_run(h, argv, &code);
    if (!out || !*out || strstr(out, "No such file"))
        return NULL; /* not installed, or never set up */
    harden_refuse(h, "Postfix's main.cf is not in order, and nothing is changed until it is: %s", out);
    return NULL;
}

const char *postfix_reload_command(struct harden *h, const char *dir)
{
    const char *argv[] = {"postconf", "-d", "-h", "config_directory", NULL};
    int code;
    const char *usual = harden_ask(h, argv, &code);
    return code == 0 && usual && strcmp(usual, dir) != 0 ? arena_printf(h->arena, "postfix -c %s reload", dir)
                                                         : "postfix reload";
}

/* The next entry of a list: a word, or all between braces. false at the end. */
bool postfix_next_entry(const char **at, struct slice *entry)
{
    const char *p = *at + strspn(*at, ", \t\r\n");
    size_t n = 0;
    int depth = 0;
    for (; p[n] && (depth > 0 || !strchr(", \t\r\n", p[n])); n++)
        depth += p[n] == '{' ? 1 : p[n] == '}' ? -1 : 0;
    *entry = slice_of(p, n);
    *at = p + n;
    return n > 0;
}

/* Without its braces, and the blanks inside them; as it is if it has none. */
static struct slice bare(struct slice entry)
{
    entry = slice_trim(entry);
    const bool braces = entry.n >= 2 && entry.p[0] == '{' && entry.p[entry.n - 1] == '}';
    return braces ? slice_trim(slice_of(entry.p + 1, entry.n - 2)) : entry;
}

/* postconf(5), smtpd_milters: what is between the braces is split at commas and blanks; a setting with blanks around
 * its equals sign stands in braces of its own. Without these smtpd refuses it; what is meant is clear all the same. */
const char *postfix_entry_setting(struct arena *a, struct slice entry, const char *name)
{
    const struct slice inside = bare(entry);
    const char *found = NULL, *at = inside.p == slice_trim(entry).p ? "" : arena_copy(a, inside.p, inside.n);
    for (struct slice word, before = SLICE_NULL; at && postfix_next_entry(&at, &word); before = word) {
        word = bare(word);
        const char *equals = word.n ? memchr(word.p, '=', word.n) : NULL;
        if (!equals)
            continue;
        struct slice left = slice_trim(slice_of(word.p, (size_t)(equals - word.p))),
                     value = slice_trim(slice_from(word, (size_t)(equals - word.p) + 1));
        if (!value.n && postfix_next_entry(&at, &word))
            value = word;
        if (slice_eq(left.n ? left : before, slice_str(name)))
            found = arena_copy(a, value.p, value.n); /* the last one holds */
    }
    return found;
}

/* Tells whether an entry of a list of milters or maps is ours: one that harden wrote, the present socket, the one that
 * harden told the MTA before, or the default. */
bool postfix_is_ours(struct postfix *p, struct slice entry)
{
    const char *text = arena_copy(p->h->arena, entry.p, entry.n), *colon = strchr(p->h->socket, ':');
    const char *written = *p->h->socket ? postfix_writes(p, "smtp/inet", p->h->socket) : NULL;
    const char *told = p->h->policy ? policy_mta_socket(p->h->policy) : NULL;
    const char *const forms[] = {written, colon && colon[1] == '/' ? colon + 1 : NULL,
                                 told ? postfix_writes(p, "smtp/inet", told) : NULL,
                                 told && strncmp(told, "unix:", 5) == 0 ? told + 5 : NULL, "assay/milter.sock"};
    if (!text)
        return false;
    if (harden_wrote(p->h, entry))
        return true;
    if (strncmp(text, "socketmap:", 10) == 0)
        return (entry.n > 6 && strcmp(text + entry.n - 6, ":assay") == 0) ||
               (entry.n > 10 && strcmp(text + entry.n - 10, ":assay-sts") == 0);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *at = forms[i] ? strstr(text, forms[i]) : NULL;
        if (at && strchr(", }\t", at[strlen(forms[i])])) /* or the end */
            return true;
    }
    return false;
}

/* The list without our entries ({ ... } is one entry); NULL if none is ours. */
const char *postfix_without_ours(struct postfix *p, const char *list)
{
    const char *out = "";
    bool found = false;
    for (const char *at = list + strspn(list, ", \t\n"); *at; at += strspn(at, ", \t\n")) {
        const char *start = at;
        for (int depth = 0; *at && (depth > 0 || !strchr(", \t\n", *at)); at++)
            depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
        struct slice entry = slice_of(start, (size_t)(at - start));
        bool ours = postfix_is_ours(p, entry);
        found = found || ours;
        if (!ours && out)
            out = arena_printf(p->h->arena, "%s%s%.*s", out, *out ? ", " : "", SLICE_ARG(entry));
    }
    return found ? out : NULL;
}
