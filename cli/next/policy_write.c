// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_write.c - replaces the policy's main file by a new text.
 *
 * Promises: the new text loads, by the loader that the programs use; the whole policy, with its lists and includes, is
 * the one that the administrator saw when the file is replaced, which is looked at under the undo store's lock: of two
 * who write at once the second is refused; owner and permissions stay; the old text is kept for --undo. On failure
 * nothing is written.
 */
#include "cli/next/policy_write.h"
#include "cli/cli.h"
#include "cli/harden/undo_store.h"
#include "policy/policy.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int code_of(enum status s)
{
    return s == STATUS_DENIED ? EX_NOPERM : EX_TEMPFAIL;
}

int policy_write_read(struct arena *a, const char *path, struct slice *text)
{
    struct edit *set = edit_new(a);
    const char *why = NULL;
    struct stat st;
    bool exists;
    if (lstat(path, &st) != 0) {
        cli_error("%s: %s: nothing was written", path, strerror(errno));
        return EX_NOINPUT;
    }
    if (!S_ISREG(st.st_mode)) {
        char *to = S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;
        if (to)
            cli_error(
                "%s is not a regular file of its own but a symbolic link: nothing was written; --policy %s writes "
                "where it leads",
                path, to);
        else
            cli_error("%s is not a regular file of its own: nothing was written", path);
        free(to);
        return EX_NOPERM;
    }
    enum status s = set ? edit_text(set, path, text, &exists, &why) : STATUS_NOMEM;
    if (s == STATUS_OK)
        return -1;
    cli_error("%s: %s", path, why ? why : status_text(s));
    return code_of(s);
}

static bool ends_lines_with_crlf(struct slice text)
{
    size_t ends = 0, crlf = 0;
    for (size_t i = 0; i < text.n; i++) {
        ends += text.p[i] == '\n';
        crlf += text.p[i] == '\n' && i > 0 && text.p[i - 1] == '\r';
    }
    return crlf > ends - crlf;
}

void policy_write_add(struct buf *out, struct slice file, const char *lines)
{
    const char *end = ends_lines_with_crlf(file) ? "\r\n" : "\n";
    if (out->n && out->p[out->n - 1] != '\n')
        buf_adds(out, end);
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        buf_add(out, lines, n);
        buf_adds(out, end);
        lines += n + (lines[n] == '\n');
    }
}

/* Prints what is wrong with the new text, and warnings about what was added. False: it does not load. */
static bool loads(const struct policy_write *w)
{
    struct policy_report *r = policy_report_new();
    struct policy *p = policy_load_with(w->path, w->path, w->after, r);
    const struct policy_message *m;
    struct buf b = BUF_INIT;
    if (!p) {
        policy_report_print(r, POLICY_ERROR, &b);
        fputs(b.p, stderr);
        cli_error("with this change the policy would not load: nothing was written");
    }
    for (size_t i = 0; p && w->warn_from_line && (m = policy_report_at(r, i)); i++)
        if (m->severity == POLICY_WARNING && m->line >= w->warn_from_line && m->file && strcmp(m->file, w->path) == 0)
            cli_error("warning: %s%s%s", m->text, m->help ? ": " : "", m->help ? m->help : "");
    buf_release(&b);
    policy_report_free(r);
    policy_unref(p);
    return p != NULL;
}

/* Tells whether the policy is the one that the change was made for: its main file to the octet, and all the rest by its
 * hash. */
static bool is_as_it_was(struct arena *a, const struct policy_write *w, const char *hash)
{
    struct slice now;
    struct edit *set = edit_new(a); /* reads the file anew */
    const char *why = NULL;
    bool exists;
    if (!set || edit_text(set, w->path, &now, &exists, &why) != STATUS_OK || !slice_eq(now, w->before))
        return false;
    struct policy *p = policy_load(w->path, NULL);
    bool same = p && hash ? strcmp(policy_hash(p), hash) == 0 : !p && !hash;
    policy_unref(p);
    return same;
}

/* The hash to compare with: of the policy that the change was decided by, or of that in force. NULL: none loads. */
static const char *hash_of(struct arena *a, const struct policy_write *w)
{
    if (w->hash)
        return w->hash;
    struct policy *p = policy_load(w->path, NULL);
    const char *hash = p ? arena_strdup(a, policy_hash(p)) : NULL;
    policy_unref(p);
    return hash;
}

static enum status policy_replace(struct arena *a, const struct policy_write *w, struct edit *set, const char *hash,
                                  const char **why)
{
    int lock = undo_lock(a, w->keep, why);
    if (lock < 0)
        return STATUS_DENIED;
    enum status s = STATUS_AGAIN;
    if (is_as_it_was(a, w, hash))
        s = edit_apply(set, w->keep, why);
    else
        *why = "the policy was changed meanwhile; ask again";
    close(lock);
    return s;
}

int policy_write(struct arena *a, const struct policy_write *w)
{
    struct edit *set = edit_new(a);
    const char *why = NULL, *hash = hash_of(a, w);
    if (!w->after.p) {
        cli_error("out of memory: nothing was written");
        return EX_OSERR;
    }
    if (!loads(w))
        return EX_CONFIG;
    enum status s = set ? edit_propose(set, w->path, w->after, 0644, &why) : STATUS_NOMEM;
    if (s == STATUS_OK)
        s = edit_diff(set, stdout, &why);
    if (s == STATUS_OK && w->beware) {
        fputs("\nnote: ", stdout);
        cli_put_visible(stdout, w->beware);
        putchar('\n');
    }
    if (s == STATUS_OK && fflush(stdout) != 0) {
        cli_error("the change could not be shown: nothing was changed");
        return EX_IOERR;
    }
    if (s == STATUS_OK && !w->yes && !cli_confirm("\nChange %s?", w->path)) {
        puts("\nNothing was changed. --yes does it without asking.");
        return CLI_WARNING;
    }
    if (s == STATUS_OK)
        s = policy_replace(a, w, set, hash, &why);
    if (s != STATUS_OK) {
        cli_error("nothing was changed: %s", why ? why : status_text(s));
        return code_of(s);
    }
    printf("\nDone. The resolver's module takes it up by itself within seconds; for the others:\n  %s\n%s\n",
           POLICY_WRITE_RELOAD, w->then);
    return EX_OK;
}
