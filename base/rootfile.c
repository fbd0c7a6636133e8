// SPDX-License-Identifier: BSD-2-Clause
/*
 * rootfile.c - safe file operations for root in a folder that another user can write to.
 *
 * Promises that nothing outside the folder is opened for writing, created, changed or given another owner, whatever is
 * in the folder: each step is done on a descriptor that was checked, and a name is only ever created (O_EXCL), replaced
 * by rename or removed. On failure errno is kept and nothing half-written stays.
 */
#include "base/rootfile.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum status rootfile_status(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case ELOOP:
    case EROFS:
        return STATUS_DENIED;
    case ENOENT:
    case ENOTDIR:
        return STATUS_MISSING;
    case EINVAL:
    case ENAMETOOLONG:
        return STATUS_INVALID;
    default:
        return STATUS_AGAIN;
    }
}

static int rootfile_fail(int error)
{
    errno = error;
    return -1;
}

static void close_quietly(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
}

/* Puts the change of a name on the disk. A folder that cannot be synced (it may not be listed) is no failure. */
static void sync_quietly(int folder)
{
    int error = errno;
    (void)fsync(folder);
    errno = error;
}

static bool is_trusted(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* Tells whether nobody but root and the caller could have put this link where it stands. */
static bool is_safe_link(const struct stat *folder, const struct stat *link)
{
    return is_trusted(link->st_uid) && is_trusted(folder->st_uid) &&
           (!(folder->st_mode & (S_IWGRP | S_IWOTH)) || (folder->st_mode & S_ISVTX));
}

struct walk {
    int at;
    int links;
    char rest[ROOTFILE_PATH];
};

/* Puts a link's target before what is left of the path, and starts at "/" where it begins with one. */
static bool enter_link(struct walk *w, int link, const char *left)
{
    char target[ROOTFILE_PATH], joined[ROOTFILE_PATH];
    ssize_t n = readlinkat(link, "", target, sizeof target - 1);
    if (n <= 0)
        return rootfile_fail(n == 0 ? EINVAL : errno) == 0;
    target[n] = '\0';
    if (++w->links > ROOTFILE_LINKS)
        return rootfile_fail(ELOOP) == 0;
    int size = snprintf(joined, sizeof joined, "%s/%s", target, left);
    if (size < 0 || (size_t)size >= sizeof joined)
        return rootfile_fail(ENAMETOOLONG) == 0;
    if (target[0] == '/') {
        int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
            return false;
        close(w->at);
        w->at = root;
    }
    memcpy(w->rest, joined, (size_t)size + 1);
    return true;
}

/* One component: w->at becomes the folder of that name, or what a link there leads to is walked next. */
static bool walk_step(struct walk *w, const char *name, const char *left)
{
    struct stat folder, st;
    int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fstat(w->at, &folder) == 0 && fstat(fd, &st) == 0;
    if (good && S_ISLNK(st.st_mode)) {
        good = is_safe_link(&folder, &st) ? enter_link(w, fd, left) : rootfile_fail(ELOOP) == 0;
        close_quietly(fd);
        return good;
    }
    if (good && !S_ISDIR(st.st_mode))
        good = rootfile_fail(ENOTDIR) == 0;
    if (!good) {
        close_quietly(fd);
        return false;
    }
    close(w->at);
    w->at = fd;
    return true;
}

int rootfile_folder(const char *path)
{
    struct walk w = {.at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    size_t n = strlen(path);
    if (w.at < 0)
        return -1;
    if (n >= sizeof w.rest) {
        close_quietly(w.at);
        return rootfile_fail(ENAMETOOLONG);
    }
    memcpy(w.rest, path, n + 1);
    for (;;) {
        char name[256];
        size_t skip = strspn(w.rest, "/"), len = strcspn(w.rest + skip, "/");
        if (len == 0)
            break;
        if (len >= sizeof name) {
            close_quietly(w.at);
            return rootfile_fail(ENAMETOOLONG);
        }
        memcpy(name, w.rest + skip, len);
        name[len] = '\0';
        /* Uses a second buffer: glibc's memmove shares its code with memcpy, and valgrind reports the overlap. */
        char tail[sizeof w.rest];
        size_t left = strlen(w.rest + skip + len) + 1;
        memcpy(tail, w.rest + skip + len, left);
        memcpy(w.rest, tail, left);
        if (!walk_step(&w, name, w.rest)) {
            close_quietly(w.at);
            return -1;
        }
    }
    int fd = openat(w.at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES)
        return w.at; /* may be entered, not listed: enough for openat */
    close_quietly(w.at);
    return fd;
}

int rootfile_parent(const char *path, const char **name)
{
    char folder[ROOTFILE_PATH];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    *name = slash ? slash + 1 : path;
    if (n >= sizeof folder || !**name || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
        return rootfile_fail(n >= sizeof folder ? ENAMETOOLONG : EINVAL);
    memcpy(folder, path, n);
    folder[n] = '\0';
    return rootfile_folder(n ? folder : slash ? "/" : ".");
}

/* Opens a regular file for reading. `other`: whose file is accepted besides root's and the caller's. st may be NULL. */
static int rootfile_open(const char *path, uid_t other, struct stat *st)
{
    const char *name;
    struct stat own;
    st = st ? st : &own;
    int folder = rootfile_parent(path, &name);
    if (folder < 0)
        return -1;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    close_quietly(folder);
    if (fd < 0)
        return errno == ENXIO ? rootfile_fail(EINVAL) : -1;
    int wrong = fstat(fd, st) != 0                                                             ? errno
                : !S_ISREG(st->st_mode)                                                        ? EINVAL
                : st->st_nlink != 1                                                            ? EPERM
                : !is_trusted(st->st_uid) && (other == ROOTFILE_NOBODY || st->st_uid != other) ? EPERM
                                                                                               : 0;
    if (!wrong)
        return fd;
    close(fd);
    return rootfile_fail(wrong);
}

enum status rootfile_read(const char *path, uid_t other, size_t most, struct buf *out)
{
    char part[16384];
    size_t had = out->n;
    int fd = rootfile_open(path, other, NULL);
    if (fd < 0)
        return rootfile_status(errno);
    enum status s = STATUS_OK;
    for (;;) {
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            s = rootfile_status(errno);
        if (n <= 0)
            break;
        buf_add(out, part, (size_t)n);
        if (out->failed || out->n - had > most) {
            s = out->failed ? STATUS_NOMEM : STATUS_LIMIT;
            break;
        }
    }
    close_quietly(fd);
    return s;
}

static bool rootfile_put(int fd, struct slice text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return rootfile_fail(n == 0 ? ENOSPC : errno) == 0;
        text = slice_from(text, (size_t)n);
    }
    return true;
}

static bool set_rights(int fd, const struct rootfile_rights *r)
{
    bool owner = r->uid != ROOTFILE_NOBODY || r->gid != (gid_t)-1;
    return (!owner || fchown(fd, r->uid, r->gid) == 0) && (!r->mode || fchmod(fd, r->mode) == 0);
}

/* Creates a file under a random name next to the final one. */
static int create(int folder, const char *name, char fresh[NAME_MAX + 1])
{
    for (int tries = 0; tries < 8; tries++) {
        unsigned long long random;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            return -1;
        int n = snprintf(fresh, NAME_MAX + 1, ".%.200s.%016llx.new", name, random);
        if (n < 0)
            return rootfile_fail(EINVAL);
        int fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return rootfile_fail(EEXIST);
}

enum status rootfile_write(const char *path, struct slice text, const struct rootfile_rights *rights)
{
    const char *name;
    char fresh[NAME_MAX + 1];
    int folder = rootfile_parent(path, &name);
    if (folder < 0)
        return rootfile_status(errno);
    int fd = create(folder, name, fresh);
    bool good = fd >= 0 && rootfile_put(fd, text) && set_rights(fd, rights) && fsync(fd) == 0 &&
                renameat(folder, fresh, folder, name) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !good)
        unlinkat(folder, fresh, 0);
    if (good)
        sync_quietly(folder);
    close(folder);
    errno = error;
    return good ? STATUS_OK : rootfile_status(error);
}

/* Checks what exists under that name, and sets owner and mode. */
static enum status rights_set(int folder, const char *name, mode_t kind, const struct rootfile_rights *r)
{
    struct stat st;
    char by_descriptor[40];
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return rootfile_status(errno);
    int wrong = fstat(fd, &st) != 0             ? errno
                : S_ISLNK(st.st_mode)           ? ELOOP
                : (st.st_mode & S_IFMT) != kind ? EINVAL
                : (kind != S_IFDIR && st.st_nlink != 1) ||
                        (!is_trusted(st.st_uid) && (r->uid == ROOTFILE_NOBODY || st.st_uid != r->uid))
                    ? EPERM
                    : 0;
    bool owner = r->uid != ROOTFILE_NOBODY || r->gid != (gid_t)-1;
    if (!wrong && owner && fchownat(fd, "", r->uid, r->gid, AT_EMPTY_PATH) != 0)
        wrong = errno;
    snprintf(by_descriptor, sizeof by_descriptor, "/proc/self/fd/%d", fd);
    if (!wrong && r->mode && chmod(by_descriptor, r->mode) != 0)
        wrong = errno;
    close(fd);
    errno = wrong;
    return wrong ? rootfile_status(wrong) : STATUS_OK;
}

enum status rootfile_make_folder(const char *path, const struct rootfile_rights *rights)
{
    const char *name;
    struct rootfile_rights r = *rights;
    int folder = rootfile_parent(path, &name);
    if (folder < 0)
        return rootfile_status(errno);
    bool made = mkdirat(folder, name, 0700) == 0;
    enum status s = rootfile_status(errno);
    if (!made)
        r.mode = 0;
    if (made || errno == EEXIST)
        s = rights_set(folder, name, S_IFDIR, &r);
    if (made)
        sync_quietly(folder);
    close_quietly(folder);
    return s;
}

enum status rootfile_give(const char *path, mode_t kind, const struct rootfile_rights *rights)
{
    const char *name;
    int folder = rootfile_parent(path, &name);
    if (folder < 0)
        return rootfile_status(errno);
    enum status s = rights_set(folder, name, kind, rights);
    close_quietly(folder);
    return s;
}

enum status rootfile_remove(const char *path)
{
    const char *name;
    int folder = rootfile_parent(path, &name);
    if (folder < 0)
        return rootfile_status(errno);
    enum status s = unlinkat(folder, name, 0) == 0 ? STATUS_OK : rootfile_status(errno);
    if (s == STATUS_OK)
        sync_quietly(folder);
    close_quietly(folder);
    return s;
}
