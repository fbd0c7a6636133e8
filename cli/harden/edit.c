// SPDX-License-Identifier: BSD-2-Clause
/*
 * edit.c - proposes, shows and makes a set of file changes.
 *
 * Promises: before the first file is touched, all originals and the manifest are on disk (synced); a file is replaced
 * by rename, with the original's mode and owner (one with several names is written in place, so that they stay one
 * file); after a failure half-way the files already replaced are restored. undo_store.c and undo.c undo a set later.
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

struct change_set {
    struct arena *arena;
    struct change files[CHANGE_MAX_FILES];
    size_t count;
};

struct change_set *change_set_new(struct arena *a)
{
    struct change_set *s = ARENA_NEW(a, struct change_set);
    if (s)
        s->arena = a;
    return s;
}

static struct change *edit_find(struct change_set *s, const char *path)
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
static enum status entry(struct change_set *s, const char *path, struct change **out, const char **why)
{
    const char *name = real_place(s->arena, path);
    if (!name)
        return STATUS_NOMEM;
    *out = edit_find(s, name);
    if (*out)
        return STATUS_OK;
    if (s->count == CHANGE_MAX_FILES) {
        *why = "too many files in one set of changes";
        return STATUS_LIMIT;
    }
    struct change c = {.path = name};
    enum status st = change_read(s->arena, name, &c, why);
    if (st != STATUS_OK)
        return st;
    c.after = c.before;
    c.exists_after = c.existed;
    s->files[s->count] = c;
    *out = &s->files[s->count++];
    return STATUS_OK;
}

enum status change_text(struct change_set *s, const char *path, struct slice *text, bool *exists, const char **why)
{
    struct change *c;
    enum status st = entry(s, path, &c, why);
    if (st != STATUS_OK)
        return st;
    *text = c->after;
    *exists = c->exists_after;
    return STATUS_OK;
}

enum status change_propose(struct change_set *s, const char *path, struct slice text, mode_t mode, const char **why)
{
    struct change *c;
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

enum status change_remove(struct change_set *s, const char *path, const char **why)
{
    struct change *c;
    enum status st = entry(s, path, &c, why);
    if (st == STATUS_OK)
        c->exists_after = false;
    return st;
}

void change_edit(struct change_set *s, const char *path, const char *name, const char *was, const char *now)
{
    const char *ignored, *kept = arena_strdup(s->arena, name);
    struct change *c;
    struct change_edit *e = ARENA_NEW(s->arena, struct change_edit);
    if (!e || entry(s, path, &c, &ignored) != STATUS_OK)
        return;
    *e = (struct change_edit){.name = kept,
                              .was = was ? arena_strdup(s->arena, was) : NULL,
                              .now = now ? arena_strdup(s->arena, now) : NULL,
                              .next = c->edits};
    c->edits = e;
}

static bool is_change(const struct change *c)
{
    return c->existed != c->exists_after || (c->exists_after && !slice_eq(c->before, c->after));
}

size_t change_count(const struct change_set *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += is_change(&s->files[i]);
    return n;
}

const char *change_path(const struct change_set *s, size_t i)
{
    for (size_t k = 0; k < s->count; k++)
        if (is_change(&s->files[k]) && i-- == 0)
            return s->files[k].path;
    return NULL;
}

enum status change_may_write(struct change_set *s, const char **why)
{
    for (size_t i = 0; i < s->count; i++) {
        const char *path = s->files[i].path, *slash = strrchr(path, '/');
        const char *folder = slash == path ? "/" : slash ? arena_copy(s->arena, path, (size_t)(slash - path)) : ".";
        if (!is_change(&s->files[i]) || !folder || access(folder, W_OK) == 0)
            continue;
        *why = arena_printf(s->arena, "%s: %s", folder, strerror(errno));
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

static enum status diff_one(struct change_set *s, const struct change *c, FILE *out, const char **why)
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

enum status change_diff(struct change_set *s, FILE *out, const char **why)
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

enum status change_apply(struct change_set *s, const char *keep, const char **why)
{
    struct change todo[CHANGE_MAX_FILES];
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (is_change(&s->files[i]))
            todo[n++] = s->files[i];
    if (n == 0)
        return STATUS_OK;
    enum status st = keep ? change_store(s->arena, keep, todo, n, why) : STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < n; i++) {
        st = change_replace(s->arena, &todo[i], true, why);
        if (st == STATUS_OK)
            continue;
        const char *ignored = NULL;
        while (i-- > 0)
            if (change_replace(s->arena, &todo[i], false, &ignored) != STATUS_OK)
                *why = arena_printf(s->arena, "%s; and %s could not be put back: %s (the original is below %s)", *why,
                                    todo[i].path, ignored ? ignored : "no reason known", keep ? keep : "no folder");
        if (keep)
            change_forget(s->arena, keep);
        break;
    }
    return st;
}
