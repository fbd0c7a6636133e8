// SPDX-License-Identifier: BSD-2-Clause
/*
 * source.c - reads and writes whole files, and trusts none of them.
 *
 * Promises never to block on anything that is not a file, never to read more than allowed, and to give the reason for a
 * failure as text. It checks the permissions of the opened file (fstat), so that nobody can exchange it in between. A
 * file that shrinks while it is read is accepted with its new length; one that grows is read up to the limit. On
 * failure nothing is kept.
 */
#include "policy/source.h"
#include "base/array.h"
#include "base/rootfile.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FILES_MAX 400000u

static enum status system_says(struct source_text *t, int error)
{
    char words[128];
    snprintf(t->reason, sizeof t->reason, "%s", strerror_r(error, words, sizeof words));
    if (error == ENOENT || error == ENOTDIR)
        return STATUS_MISSING;
    return error == EACCES || error == EPERM || error == ELOOP ? STATUS_DENIED : STATUS_AGAIN;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static enum status source_check(const struct stat *st, size_t most, struct source_text *t)
{
    uid_t us = geteuid();
    if (!S_ISREG(st->st_mode)) {
        snprintf(t->reason, sizeof t->reason, "it is %s, not a file", kind_of(st->st_mode));
        return STATUS_INVALID;
    }
    if (st->st_mode & S_IWOTH) {
        snprintf(t->reason, sizeof t->reason, "anybody may write to it (mode %04o)", (unsigned)(st->st_mode & 07777));
        t->help = "chmod o-w it";
        return STATUS_DENIED;
    }
    bool ours = st->st_uid == 0 || st->st_uid == us;
    if (t->owned_by ? st->st_uid != t->must_own : !ours && !t->any_owner) {
        snprintf(t->reason, sizeof t->reason, "it belongs to user %lu; only root%s may own it",
                 (unsigned long)st->st_uid,
                 t->owned_by ? " or the owner of the including file" : " or the user who runs this");
        t->help = "chown it to root";
        return STATUS_DENIED;
    }
    if ((uintmax_t)st->st_size > most) {
        snprintf(t->reason, sizeof t->reason, "it has %ju octets; at most %zu are read", (uintmax_t)st->st_size, most);
        return STATUS_LIMIT;
    }
    t->owner = st->st_uid;
    return STATUS_OK;
}

/* The folder a file lies in: where anybody may write, anybody may put another file of that name (the sticky bit
 * prevents it). */
static enum status check_place(const struct stat *place, struct source_text *t)
{
    if (!(place->st_mode & S_IWOTH) || (place->st_mode & S_ISVTX))
        return STATUS_OK;
    snprintf(t->reason, sizeof t->reason, "anybody may write to the folder it lies in (mode %04o)",
             (unsigned)(place->st_mode & 07777));
    t->help = "chmod o-w the folder";
    return STATUS_DENIED;
}

/* What is known of the folder of `path`; of one that is too long, nothing: it is then not writable by anybody. */
static void stat_place(const char *path, struct stat *place)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    *place = (struct stat){0};
    if (n >= sizeof folder)
        return;
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (stat(n ? folder : slash ? "/" : ".", place) != 0)
        *place = (struct stat){0};
}

static enum status slurp(int fd, size_t expected, size_t most, struct source_text *t)
{
    size_t size = expected + 1, n = 0;
    char *p = malloc(size);
    while (p) {
        ssize_t got = read(fd, p + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(p);
            return system_says(t, errno);
        }
        n += (size_t)got;
        if (got == 0)
            break;
        if (n > most) {
            free(p);
            snprintf(t->reason, sizeof t->reason, "it grew beyond %zu octets while it was read", most);
            return STATUS_LIMIT;
        }
        if (n == size) {
            char *more = realloc(p, size * 2);
            if (!more)
                free(p);
            p = more;
            size *= 2;
        }
    }
    if (!p) {
        snprintf(t->reason, sizeof t->reason, "out of memory");
        return STATUS_NOMEM;
    }
    t->text = slice_of(p, n);
    return STATUS_OK;
}

/* ---- files that may be anybody's ---- */

struct source_folder source_folder_of(const char *path)
{
    return (struct source_folder){.path = path, .fd = -1};
}

void source_folder_close(struct source_folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* The name of a file within the folder, or NULL: it lies elsewhere. */
static const char *name_within(const struct source_folder *f, const char *path)
{
    size_t n = strlen(f->path);
    return strncmp(path, f->path, n) == 0 && path[n] == '/' && path[n + 1] && !strchr(path + n + 1, '/') ? path + n + 1
                                                                                                         : NULL;
}

/* Opens the folder if it is not open, without following links of others (base/rootfile.h). */
static bool open_folder(struct source_folder *f)
{
    if (f->fd >= 0)
        return true;
    f->fd = rootfile_folder(f->path);
    if (f->fd >= 0 && fstat(f->fd, &f->st) == 0)
        return true;
    int error = errno;
    source_folder_close(f);
    errno = error;
    return false;
}

/* Tells whether nobody but root and the caller may put names into a folder. */
static bool is_only_ours(const struct stat *place)
{
    return (place->st_uid == 0 || place->st_uid == geteuid()) && !(place->st_mode & (S_IWGRP | S_IWOTH));
}

/* Opens what a symbolic link leads to; *owner is the link's. */
static int open_link(int folder, const char *name, uid_t *owner)
{
    struct stat link;
    int mark = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
    if (mark >= 0 && fstat(mark, &link) == 0) {
        *owner = link.st_uid;
        fd = openat(folder, name,
                    O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (S_ISLNK(link.st_mode) ? 0 : O_NOFOLLOW));
    }
    int error = errno;
    if (mark >= 0)
        close(mark);
    errno = error;
    return fd;
}

/* Opens a file for a reader who may be root: a symbolic link counts only if it is root's or ours in a folder that only
 * we may write to, or leads to a file of the link's own owner; a second name of a file only in such a folder, or to a
 * file of the folder's owner. Else whoever may write to the folder would have us read for them what they may not. */
static int open_within(const struct source_folder *f, const char *name, struct stat *st)
{
    uid_t owner = f->st.st_uid; /* whose file it must be where others may put names */
    bool is_link = false;
    int fd = openat(f->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ELOOP || errno == EMLINK)) { /* EMLINK: FreeBSD */
        is_link = true;
        fd = open_link(f->fd, name, &owner);
    }
    if (fd < 0)
        return -1;
    int error = fstat(fd, st) != 0 ? errno : 0;
    if (!error && S_ISREG(st->st_mode) && !is_only_ours(&f->st) && (is_link || st->st_nlink > 1) && st->st_uid != owner)
        error = ELOOP;
    if (!error)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static int open_anybodys(const char *path, const struct source_text *t, struct stat *place, struct stat *st)
{
    const char *name = t->folder ? name_within(t->folder, path) : NULL;
    if (name) {
        int fd = open_folder(t->folder) ? open_within(t->folder, name, st) : -1;
        *place = t->folder->st;
        return fd;
    }
    struct source_folder alone = {.path = path, .fd = rootfile_parent(path, &name)};
    int fd = alone.fd >= 0 && fstat(alone.fd, &alone.st) == 0 ? open_within(&alone, name, st) : -1;
    int error = errno;
    *place = alone.st;
    source_folder_close(&alone);
    errno = error;
    return fd;
}

/* Opens a file that must be root's or ours. */
static int open_ours(const char *path, struct stat *place, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0) {
        stat_place(path, place);
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum status source_read(const char *path, size_t most, struct source_text *t)
{
    struct stat st, place;
    t->text = SLICE_NULL;
    t->help = NULL;
    int fd = t->any_owner ? open_anybodys(path, t, &place, &st) : open_ours(path, &place, &st);
    if (fd < 0) {
        enum status failed = system_says(t, errno);
        if (errno == ENXIO)
            snprintf(t->reason, sizeof t->reason, "it is a socket or a device, not a file");
        if (errno == ELOOP && t->any_owner)
            snprintf(t->reason, sizeof t->reason, "it is a link to a file of somebody else");
        return failed;
    }
    enum status s = source_check(&st, most, t);
    if (s == STATUS_OK)
        s = check_place(&place, t);
    if (s == STATUS_OK)
        s = slurp(fd, (size_t)st.st_size, most, t);
    close(fd);
    return s;
}

void source_text_release(struct source_text *t)
{
    free((void *)(uintptr_t)t->text.p);
    t->text = SLICE_NULL;
}

bool source_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_octets(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool wanted(const char *name)
{
    size_t n = strlen(name);
    return n > 7 && name[0] != '.' && strcmp(name + n - 7, ".policy") == 0;
}

static enum status names_collect(DIR *dir, struct buf *names, size_t *count, struct source_text *t)
{
    char **list = NULL;
    size_t n = 0, size = 0;
    enum status s = STATUS_OK;
    for (struct dirent *e; s == STATUS_OK && (errno = 0, e = readdir(dir));) {
        if (!wanted(e->d_name))
            continue;
        if (n == size) {
            char **more = array_grow(list, &size, 64, sizeof *list);
            if (!more) {
                s = STATUS_NOMEM;
                break;
            }
            list = more;
        }
        list[n] = n < DIR_FILES_MAX ? strdup(e->d_name) : NULL;
        if (list[n])
            n++;
        else
            s = n < DIR_FILES_MAX ? STATUS_NOMEM : STATUS_LIMIT;
    }
    if (s == STATUS_OK && errno)
        s = system_says(t, errno);
    else if (s != STATUS_OK)
        snprintf(t->reason, sizeof t->reason, s == STATUS_LIMIT ? "it holds more than %u files" : "out of memory",
                 DIR_FILES_MAX);
    if (n)
        qsort(list, n, sizeof *list, by_octets);
    for (size_t i = 0; i < n; i++) {
        buf_add(names, list[i], strlen(list[i]) + 1);
        free(list[i]);
    }
    free(list);
    *count = n;
    return s == STATUS_OK && names->failed ? STATUS_NOMEM : s;
}

enum status source_dir(const char *path, struct buf *names, size_t *count, struct source_text *t)
{
    struct stat st;
    *count = 0;
    t->help = NULL;
    DIR *dir = opendir(path);
    if (!dir)
        return system_says(t, errno);
    enum status s = STATUS_OK;
    if (fstat(dirfd(dir), &st) != 0)
        s = system_says(t, errno);
    else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
        snprintf(t->reason, sizeof t->reason, "anybody may write to this directory (mode %04o)",
                 (unsigned)(st.st_mode & 07777));
        t->help = "chmod o-w it";
        s = STATUS_DENIED;
    } else {
        s = names_collect(dir, names, count, t);
    }
    closedir(dir);
    return s;
}

enum status source_write(const char *path, struct slice text, unsigned mode, char reason[256])
{
    char words[128];
    struct stat st;
    const char *name;
    struct rootfile_rights rights = {.mode = mode, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    int folder = geteuid() == 0 ? rootfile_parent(path, &name) : -1;
    if (folder >= 0) { /* root writes on behalf of the folder's owner */
        if (fstat(folder, &st) == 0 && st.st_uid != 0) {
            rights.uid = st.st_uid;
            rights.gid = st.st_gid;
        }
        close(folder);
    }
    enum status s = rootfile_write(path, text, &rights);
    if (s == STATUS_OK)
        return s;
    int error = errno;
    snprintf(reason, 256, "%s",
             error == ENAMETOOLONG ? "the path is too long" : strerror_r(error, words, sizeof words));
    return error == ENAMETOOLONG ? STATUS_LIMIT : s == STATUS_DENIED ? s : STATUS_AGAIN;
}
