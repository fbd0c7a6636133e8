// SPDX-License-Identifier: BSD-2-Clause
/*
 * scratch.c - the folders of scratch.h.
 *
 * A folder has its lock before it has its name. Promises that only a folder of ours that nobody holds a lock on is
 * removed as a leftover, and that removal goes by
 * descriptors: what another user puts into a subfolder of his (Postfix's data folder) leads nowhere else.
 */
#include "cli/harden/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_folder(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Tells whether nothing is mounted between the two. */
static bool are_on_one_disk(int outer, int inner)
{
    struct stat a, b;
    return fstat(outer, &a) == 0 && fstat(inner, &b) == 0 && a.st_dev == b.st_dev;
}

static void remove_tree(int top, const char *name, unsigned depth)
{
    int folder = open_folder(top, name);
    DIR *d = folder >= 0 && are_on_one_disk(top, folder) ? fdopendir(folder) : NULL;
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlinkat(folder, e->d_name, 0) != 0 && depth)
            remove_tree(folder, e->d_name, depth - 1);
    if (d)
        closedir(d);
    else if (folder >= 0)
        close(folder);
    unlinkat(top, name, AT_REMOVEDIR);
}

/* Tells whether it is a folder of ours whose maker is gone. */
static bool is_left(int top, const char *name, const char *prefix)
{
    struct stat st;
    const size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0 || strlen(name) != n + 6)
        return false;
    int folder = open_folder(top, name);
    bool left =
        folder >= 0 && fstat(folder, &st) == 0 && st.st_uid == geteuid() && flock(folder, LOCK_EX | LOCK_NB) == 0;
    if (folder >= 0)
        close(folder);
    return left;
}

static void remove_left(const char *top, const char *prefix)
{
    int folder = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = folder >= 0 ? fdopendir(folder) : NULL;
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (is_left(dirfd(d), e->d_name, prefix))
            remove_tree(dirfd(d), e->d_name, SCRATCH_DEPTH);
    if (d)
        closedir(d);
    else if (folder >= 0)
        close(folder);
}

bool scratch_open(struct scratch *s, const char *top, const char *what)
{
    char prefix[32], unlocked[SCRATCH_PATH];
    snprintf(prefix, sizeof prefix, "assay-%s-", what);
    snprintf(unlocked, sizeof unlocked, "%s/.%sXXXXXX", top, prefix);
    s->path[0] = '\0';
    remove_left(top, prefix);
    if (!mkdtemp(unlocked))
        return false;
    s->lock = open_folder(AT_FDCWD, unlocked);
    snprintf(s->path, sizeof s->path, "%s/%s", top, unlocked + strlen(top) + 2);
    if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0 && rename(unlocked, s->path) == 0)
        return true;
    int error = errno;
    rmdir(unlocked);
    if (s->lock >= 0)
        close(s->lock);
    s->path[0] = '\0';
    errno = error;
    return false;
}

void scratch_close(struct scratch *s)
{
    char *slash = strrchr(s->path, '/');
    if (!slash)
        return;
    *slash = '\0';
    int top = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top >= 0) {
        remove_tree(top, slash + 1, SCRATCH_DEPTH);
        close(top);
    }
    if (s->lock >= 0)
        close(s->lock);
    s->path[0] = '\0';
}
