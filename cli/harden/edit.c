// SPDX-License-Identifier: BSD-2-Clause
/*
 * edit.c - proposes, shows and makes a set of file changes.
 *
 * Promises: nothing is replaced if one of the files was changed since it was read; before the first file is touched,
 * all originals and the manifest are on disk (synced); a file is replaced by rename, with the original's mode and owner
 * (one with several names is written in place, so that they stay one file); after a failure half-way the files already
 * replaced are restored. undo_store.c and undo.c undo a set later.
 */
#include "cli/harden/edit.h"
#include "cli/harden/undo_store.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINKS_MAX 40

struct edit {
    struct arena *arena;
    struct undo_file files[EDIT_MAX_FILES];
    size_t count;
};

struct edit *edit_new(struct arena *a)
{
    struct edit *s = ARENA_NEW(a, struct edit);
    if (s)
        s->arena = a;
    return s;
}

static struct undo_file *edit_find(struct edit *s, const char *path)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->files[i].path, path) == 0)
            return &s->files[i];
    return NULL;
}

/* Where a path leads to: through symbolic links, also through one whose end is not there yet. NULL: its folder is
 * missing. */
static const char *real_place(struct arena *a, const char *path)
{
    char *real = realpath(path, NULL), target[PATH_MAX];
    const char *at = path;
    for (int links = 0; !real && links < LINKS_MAX; links++) {
        ssize_t n = readlink(at, target, sizeof target - 1);
        const char *slash = strrchr(at, '/');
        if (n <= 0)
            break;
        target[n] = '\0';
        at = target[0] == '/' || !slash ? arena_strdup(a, target)
                                        : arena_printf(a, "%.*s/%s", (int)(slash - at), at, target);
        if (!at)
            return NULL;
    }
    const char *found = arena_strdup(a, real ? real : at);
    free(real);
    return found;
}

/* The entry for path, made from the disk at its first use. */
static enum status entry(struct edit *s, const char *path, struct undo_file **out, const char **why)
{
    const char *name = real_place(s->arena, path);
    if (!name)
        return STATUS_NOMEM;
    *out = edit_find(s, name);
    if (*out)
        return STATUS_OK;
    if (s->count == EDIT_MAX_FILES) {
        *why = "too many files in one set of changes";
        return STATUS_LIMIT;
    }
    struct undo_file c = {.path = name};
    enum status st = undo_file_read(s->arena, name, &c, why);
    if (st != STATUS_OK)
        return st;
    c.after = c.before;
    c.exists_after = c.existed;
    s->files[s->count] = c;
    *out = &s->files[s->count++];
    return STATUS_OK;
}

enum status edit_text(struct edit *s, const char *path, struct slice *text, bool *exists, const char **why)
{
    struct undo_file *c;
    enum status st = entry(s, path, &c, why);
    if (st != STATUS_OK)
        return st;
    *text = c->after;
    *exists = c->exists_after;
    return STATUS_OK;
}

enum status edit_propose(struct edit *s, const char *path, struct slice text, mode_t mode, const char **why)
{
    struct undo_file *c;
    enum status st = entry(s, path, &c, why);
    if (st != STATUS_OK)
        return st;
    c->after = arena_slice(s->arena, text);
    if (!c->after.p)
        return STATUS_NOMEM;
    c->exists_after = true;
    if (!c->existed)
        c->mode = mode;
    return STATUS_OK;
}

enum status edit_remove(struct edit *s, const char *path, const char **why)
{
    struct undo_file *c;
    enum status st = entry(s, path, &c, why);
    if (st == STATUS_OK)
        c->exists_after = false;
    return st;
}

void edit_note_setting(struct edit *s, const char *path, const char *name, const char *was, const char *now)
{
    const char *ignored, *kept = arena_strdup(s->arena, name);
    struct undo_file *c;
    struct undo_setting *e = ARENA_NEW(s->arena, struct undo_setting);
    if (!e || entry(s, path, &c, &ignored) != STATUS_OK)
        return;
    *e = (struct undo_setting){.name = kept,
                               .was = was ? arena_strdup(s->arena, was) : NULL,
                               .now = now ? arena_strdup(s->arena, now) : NULL,
                               .next = c->edits};
    c->edits = e;
}

static bool is_change(const struct undo_file *c)
{
    return c->existed != c->exists_after || (c->exists_after && !slice_eq(c->before, c->after));
}

size_t edit_count(const struct edit *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += is_change(&s->files[i]);
    return n;
}

const char *edit_path(const struct edit *s, size_t i)
{
    for (size_t k = 0; k < s->count; k++)
        if (is_change(&s->files[k]) && i-- == 0)
            return s->files[k].path;
    return NULL;
}

enum status edit_may_write(struct edit *s, const char **why)
{
    for (size_t i = 0; i < s->count; i++) {
        const char *path = s->files[i].path, *slash = strrchr(path, '/');
        const char *folder = slash == path ? "/" : slash ? arena_copy(s->arena, path, (size_t)(slash - path)) : ".";
        if (!is_change(&s->files[i]) || !folder || access(folder, W_OK) == 0)
            continue;
        *why = arena_printf(s->arena, "%s: %s%s", folder, strerror(errno), status_as_root(errno));
        return errno == ENOENT ? STATUS_MISSING : STATUS_DENIED;
    }
    return STATUS_OK;
}

/* A file without a name, holding text, whose descriptor a child process can open as /dev/fd/N. -1 on failure. */
static int text_file(struct slice text)
{
    char name[] = "/tmp/assay-diff-XXXXXX";
    int fd = mkostemp(name, 0);
    if (fd < 0)
        return -1;
    unlink(name);
    for (size_t at = 0; at < text.n;) {
        ssize_t w = write(fd, text.p + at, text.n - at);
        if (w <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)w;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static enum status diff_one(struct edit *s, const struct undo_file *c, FILE *out, const char **why)
{
    int a = text_file(c->before), b = text_file(c->after);
    if (a < 0 || b < 0) {
        *why = arena_printf(s->arena, "no room in /tmp for a diff: %s", strerror(errno));
        if (a >= 0)
            close(a);
        return STATUS_AGAIN;
    }
    char file_a[32], file_b[32];
    const char *label = c->existed ? c->path : "/dev/null";
    snprintf(file_a, sizeof file_a, "/dev/fd/%d", a);
    snprintf(file_b, sizeof file_b, "/dev/fd/%d", b);
    fflush(out);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(out), 1);
        execlp("diff", "diff", "-u", "--label", label, "--label", c->path, file_a, file_b, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    if (pid > 0)
        waitpid(pid, &status, 0);
    close(a);
    close(b);
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return STATUS_OK;
    *why = "the program diff could not be run";
    return STATUS_MISSING;
}

enum status edit_diff(struct edit *s, FILE *out, const char **why)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!is_change(&s->files[i]))
            continue;
        enum status st = diff_one(s, &s->files[i], out, why);
        if (st != STATUS_OK)
            return st;
    }
    return STATUS_OK;
}

/* The change was made of what the file held when it was read; minutes may have passed since, at the question. */
static enum status check_unchanged(struct edit *s, const struct undo_file *c, const char **why)
{
    struct undo_file now = {0};
    enum status st = undo_file_read(s->arena, c->path, &now, why);
    if (st != STATUS_OK)
        return st;
    if (now.existed == c->existed && slice_eq(now.before, c->before) &&
        (!now.existed || (now.mode == c->mode && now.uid == c->uid && now.gid == c->gid)))
        return STATUS_OK;
    *why = arena_printf(s->arena, "%s was changed meanwhile; run this again", c->path);
    return STATUS_AGAIN;
}

enum status edit_apply(struct edit *s, const char *keep, const char **why)
{
    struct undo_file todo[EDIT_MAX_FILES];
    size_t n = 0;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < s->count; i++)
        if (is_change(&s->files[i]))
            todo[n++] = s->files[i];
    for (size_t i = 0; st == STATUS_OK && i < n; i++)
        st = check_unchanged(s, &todo[i], why);
    if (n == 0 || st != STATUS_OK)
        return st;
    st = keep ? undo_keep(s->arena, keep, todo, n, why) : STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < n; i++) {
        st = undo_file_replace(s->arena, &todo[i], true, why);
        if (st == STATUS_OK)
            continue;
        const char *ignored = NULL;
        while (i-- > 0)
            if (undo_file_replace(s->arena, &todo[i], false, &ignored) != STATUS_OK)
                *why = arena_printf(s->arena, "%s; and %s could not be put back: %s (the original is below %s)", *why,
                                    todo[i].path, ignored ? ignored : "no reason known", keep ? keep : "no folder");
        if (keep)
            undo_forget_newest(s->arena, keep);
        break;
    }
    return st;
}
