// SPDX-License-Identifier: BSD-2-Clause
/*
 * recorder.c - preloaded into a program, writes down what it does to the names and the files below one folder.
 *
 * RECORD_ROOT is that folder, RECORD_LOG an existing folder for what is written down: `log` has one line for each call
 * that succeeded (create, mkdir, rename, unlink, rmdir, write, sync, syncdir; paths are absolute, separated by tabs),
 * and for each sync of a file its content at that moment in a file named by the line's number. cut.py beside this reads
 * it. One thread at a time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static const char *root(void)
{
    const char *r = getenv("RECORD_ROOT");
    return r && getenv("RECORD_LOG") ? r : NULL;
}

static int is_below(const char *path)
{
    size_t n = root() ? strlen(root()) : 0;
    return n && strncmp(path, root(), n) == 0 && (path[n] == '/' || !path[n]);
}

static void path_of_fd(int fd, char out[PATH_MAX])
{
    char name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
}

/* The path with its folder resolved; the last component stays, since the call may be about a link. */
static void path_at(int folder, const char *path, char out[PATH_MAX])
{
    char joined[2 * PATH_MAX], real[PATH_MAX], base[PATH_MAX] = "";
    if (*path != '/' && folder != AT_FDCWD)
        path_of_fd(folder, base);
    else if (*path != '/' && !getcwd(base, sizeof base))
        base[0] = '\0';
    snprintf(joined, sizeof joined, "%s%s%s", base, *path == '/' ? "" : "/", path);
    size_t end = strlen(joined);
    while (end > 1 && joined[end - 1] == '/')
        joined[--end] = '\0';
    char *slash = strrchr(joined, '/');
    *slash = '\0';
    if (!realpath(*joined ? joined : "/", real))
        snprintf(real, sizeof real, "%s", joined);
    snprintf(out, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash + 1);
}

/* Appends a line; returns its number. The log is also the count: one octet a line in `count`. */
static long call_note(const char *what, const char *path, const char *to)
{
    char name[PATH_MAX], line[3 * PATH_MAX];
    snprintf(name, sizeof name, "%s/count", getenv("RECORD_LOG"));
    int fd = REAL(int, "open", const char *, int, ...)(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1)
        abort();
    long number = lseek(fd, 0, SEEK_CUR);
    close(fd);
    snprintf(name, sizeof name, "%s/log", getenv("RECORD_LOG"));
    fd = REAL(int, "open", const char *, int, ...)(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int n = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\n", number, what, path, to ? to : "");
    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
    return number;
}

static void keep_content(int fd, long number)
{
    char name[PATH_MAX], part[4096], from[40];
    snprintf(name, sizeof name, "%s/%ld", getenv("RECORD_LOG"), number);
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    int in = REAL(int, "open", const char *, int, ...)(from, O_RDONLY);
    int out = REAL(int, "open", const char *, int, ...)(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0)
        abort();
    for (ssize_t n; (n = read(in, part, sizeof part)) > 0;)
        if (REAL(ssize_t, "write", int, const void *, size_t)(out, part, (size_t)n) != n)
            abort();
    close(in);
    close(out);
}

static int sync_by(const char *name, int fd)
{
    char path[PATH_MAX];
    struct stat st;
    int rc = REAL(int, name, int)(fd);
    path_of_fd(fd, path);
    if (rc == 0 && is_below(path) && fstat(fd, &st) == 0) {
        long number = call_note(S_ISDIR(st.st_mode) ? "syncdir" : "sync", path, NULL);
        if (S_ISREG(st.st_mode))
            keep_content(fd, number);
    }
    return rc;
}

int fsync(int fd)
{
    return sync_by("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_by("fdatasync", fd);
}

ssize_t write(int fd, const void *p, size_t n)
{
    char path[PATH_MAX];
    ssize_t rc = REAL(ssize_t, "write", int, const void *, size_t)(fd, p, n);
    path_of_fd(fd, path);
    if (rc > 0 && is_below(path))
        call_note("write", path, NULL);
    return rc;
}

static int open_by(const char *name, int folder, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    struct stat st;
    int is_new = (flags & O_CREAT) && fstatat(folder, path, &st, 0) != 0;
    int fd = strstr(name, "openat") ? REAL(int, name, int, const char *, int, ...)(folder, path, flags, mode)
                                    : REAL(int, name, const char *, int, ...)(path, flags, mode);
    int error = errno;
    path_at(folder, path, full);
    if (fd >= 0 && is_below(full) && (is_new || (flags & O_TRUNC)))
        call_note(is_new ? "create" : "write", full, NULL);
    errno = error;
    return fd;
}

#define OPEN(function)                                                                                                 \
    int function(const char *path, int flags, ...)                                                                     \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;                                                    \
        va_end(more);                                                                                                  \
        return open_by(#function, AT_FDCWD, path, flags, mode);                                                        \
    }
#define OPENAT(function)                                                                                               \
    int function(int folder, const char *path, int flags, ...)                                                         \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;                                                    \
        va_end(more);                                                                                                  \
        return open_by(#function, folder, path, flags, mode);                                                          \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

static int call_done(int rc, const char *what, int folder, const char *path, int to_folder, const char *to)
{
    char full[PATH_MAX], full_to[PATH_MAX] = "";
    int error = errno;
    path_at(folder, path, full);
    if (to)
        path_at(to_folder, to, full_to);
    if (rc == 0 && (is_below(full) || is_below(full_to)))
        call_note(what, full, full_to);
    errno = error;
    return rc;
}

int renameat(int folder, const char *path, int to_folder, const char *to)
{
    int rc = REAL(int, "renameat", int, const char *, int, const char *)(folder, path, to_folder, to);
    return call_done(rc, "rename", folder, path, to_folder, to);
}

int rename(const char *path, const char *to)
{
    int rc = REAL(int, "rename", const char *, const char *)(path, to);
    return call_done(rc, "rename", AT_FDCWD, path, AT_FDCWD, to);
}

int unlinkat(int folder, const char *path, int flags)
{
    int rc = REAL(int, "unlinkat", int, const char *, int)(folder, path, flags);
    return call_done(rc, flags & AT_REMOVEDIR ? "rmdir" : "unlink", folder, path, AT_FDCWD, NULL);
}

int unlink(const char *path)
{
    int rc = REAL(int, "unlink", const char *)(path);
    return call_done(rc, "unlink", AT_FDCWD, path, AT_FDCWD, NULL);
}

int rmdir(const char *path)
{
    int rc = REAL(int, "rmdir", const char *)(path);
    return call_done(rc, "rmdir", AT_FDCWD, path, AT_FDCWD, NULL);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    int rc = REAL(int, "mkdirat", int, const char *, mode_t)(folder, path, mode);
    return call_done(rc, "mkdir", folder, path, AT_FDCWD, NULL);
}

int mkdir(const char *path, mode_t mode)
{
    int rc = REAL(int, "mkdir", const char *, mode_t)(path, mode);
    return call_done(rc, "mkdir", AT_FDCWD, path, AT_FDCWD, NULL);
}
