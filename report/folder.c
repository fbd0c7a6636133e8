// SPDX-License-Identifier: BSD-2-Clause
/*
 * folder.c - a folder that is replaced as a whole (folder.h).
 *
 * Promises: all work is done by descriptors of folders that were opened once; no symbolic link is followed below them;
 * nothing is removed but regular files of names that we write, in a folder that bears our mark. On failure what stood
 * at the place stands there still, and the new folder is gone.
 */
#include "report/folder.h"
#include "base/rootfile.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_MOST 200
#define TRIES 16
#define STALE_SECONDS 3600 /* a new folder of a run that died is taken away after so long */

struct folder {
    enum folder_kind kind;
    const char *dir; /* as the caller named it: its own */
    int parent, fd;
    char name[NAME_MOST + 1], fresh[NAME_MOST + 40];
};

/* Web roots of the distributions and of their servers. */
static const char *const web_roots[] = {"/var/www",       "/srv/www",         "/srv/http",   "/usr/share/nginx",
                                        "/usr/local/www", "/usr/share/httpd", "/var/lib/www"};
static const char *const web_names[] = {"public_html", "htdocs", "wwwroot"};

static bool is_below(const char *path, const char *top)
{
    size_t n = strlen(top);
    return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool has_component(const char *path, const char *name)
{
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        if (n == strlen(name) && strncmp(p, name, n) == 0)
            return true;
        p += n + (p[n] == '/');
    }
    return false;
}

void folder_real_path(const char *dir, char out[PATH_MAX])
{
    char head[PATH_MAX], real[PATH_MAX];
    snprintf(head, sizeof head, "%s", dir);
    for (;;) {
        if (realpath(*head ? head : ".", real)) {
            if (snprintf(out, PATH_MAX, "%s%s%s", real, dir[strlen(head)] && dir[strlen(head)] != '/' ? "/" : "",
                         dir + strlen(head)) >= PATH_MAX)
                out[PATH_MAX - 1] = '\0';
            return;
        }
        char *slash = strrchr(head, '/');
        if (!slash)
            head[0] = '\0';
        else
            *(slash == head ? slash + 1 : slash) = '\0';
        if (slash == head && errno != ENOENT) {
            snprintf(out, PATH_MAX, "%s", dir);
            return;
        }
    }
}

/* Whether this folder, or one above it, was written for the world before (publish.h): a web server shows it. */
static bool was_published(const char *path)
{
    char log[PATH_MAX];
    struct stat st;
    for (size_t n = strlen(path); n > 1; n--) {
        if ((path[n] != '/' && path[n] != '\0') || path[n - 1] == '/')
            continue;
        if (snprintf(log, sizeof log, "%.*s" FOLDER_PUBLISHED, (int)n, path) >= (int)sizeof log ||
            fstatat(AT_FDCWD, log, &st, AT_SYMLINK_NOFOLLOW) == 0)
            return true;
    }
    return false;
}

static bool is_on_the_web(const char *dir)
{
    char path[PATH_MAX];
    folder_real_path(dir, path);
    if (was_published(path))
        return true;
    for (size_t i = 0; i < sizeof web_roots / sizeof *web_roots; i++)
        if (is_below(path, web_roots[i]))
            return true;
    for (size_t i = 0; i < sizeof web_names / sizeof *web_names; i++)
        if (has_component(path, web_names[i]))
            return true;
    return false;
}

static bool is_our_name(const char *name)
{
    static const char *const ends[] = {".html", ".css", ".json", ".txt"};
    size_t n = strlen(name);
    if (strcmp(name, FOLDER_MARK) == 0)
        return true;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.')
            return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (name[0] != '.' && n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Looks at each file of a folder of ours, and removes it if wanted. False: one is not ours; its name is in `other`. */
static bool each_file(int fd, bool clear, char other[NAME_MAX + 1])
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again >= 0 ? fdopendir(again) : NULL;
    bool ours = d != NULL, marked = false;
    struct stat st;
    snprintf(other, NAME_MAX + 1, "%s", d ? "" : "?");
    for (struct dirent *e; ours && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        marked |= strcmp(e->d_name, FOLDER_MARK) == 0;
        ours = is_our_name(e->d_name) && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
        if (!ours)
            snprintf(other, NAME_MAX + 1, "%s", e->d_name);
        else if (clear)
            unlinkat(fd, e->d_name, 0);
        else
            snprintf(other, NAME_MAX + 1, "%s", e->d_name);
    }
    if (d)
        closedir(d);
    else if (again >= 0)
        close(again);
    if (ours && !marked && *other && !clear)
        return false; /* files, but not our mark */
    return ours;
}

/* Opens the folder above, making what is missing; name gets the last component. -1 with why. */
static int open_parent(const char *dir, enum folder_kind kind, char name[NAME_MOST + 1], char *why)
{
    const struct rootfile_rights rights = {
        .mode = kind == FOLDER_OPEN ? 0755 : 0750, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    char path[ROOTFILE_PATH];
    const char *last;
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof path) {
        snprintf(why, FOLDER_WHY, "'%s' is no folder's name", dir);
        return -1;
    }
    memcpy(path, dir, n);
    path[n] = '\0';
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        int there = rootfile_folder(path), looked = errno;
        enum status st = there >= 0 ? STATUS_OK : rootfile_make_folder(path, &rights);
        if (there >= 0)
            close(there);
        if (st != STATUS_OK) {
            snprintf(why, FOLDER_WHY, "%.400s: %s", path, strerror(looked != ENOENT ? looked : errno));
            return -1;
        }
        *p = '/';
    }
    int fd = rootfile_parent(path, &last);
    if (fd < 0) {
        snprintf(why, FOLDER_WHY, "%.400s: %s", path,
                 errno == ELOOP    ? "a symbolic link on the way is not root's: it is not followed"
                 : errno == EINVAL ? "it is no folder's name: name one that may be replaced, as ./site"
                                   : strerror(errno));
        return -1;
    }
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strlen(last) > NAME_MOST) {
        snprintf(why, FOLDER_WHY, "'%s' is no folder's name", dir);
        close(fd);
        return -1;
    }
    snprintf(name, NAME_MOST + 1, "%s", last);
    return fd;
}

/* Tells whether another folder, or none, stands at the name by now. */
static bool is_replaced(int parent, const char *name, int fd)
{
    struct stat was, is;
    return fstat(fd, &was) == 0 &&
           (fstatat(parent, name, &is, AT_SYMLINK_NOFOLLOW) != 0 || is.st_ino != was.st_ino || is.st_dev != was.st_dev);
}

/* Whether what stands there, if anything, is a folder of ours. A folder that another run replaces and empties while it
 * is read says nothing: the one in its place is read. */
static bool is_replaceable(int parent, const char *name, const char *dir, char *why)
{
    char other[NAME_MAX + 1];
    bool ours = false, replaced = true;
    int fd = -1;
    for (unsigned i = 0; i < TRIES && !ours && replaced; i++) {
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return true;
        if (fd < 0)
            break;
        ours = each_file(fd, false, other);
        replaced = !ours && is_replaced(parent, name, fd);
        close(fd);
    }
    if (fd < 0) {
        snprintf(why, FOLDER_WHY, "%s: %s", dir,
                 errno == ELOOP || errno == ENOTDIR ? "it is no folder (a symbolic link is not followed)"
                                                    : strerror(errno));
        return false;
    }
    if (!ours)
        snprintf(why, FOLDER_WHY,
                 "%s holds files that are not a report of ours (%.100s): give a folder that is not there yet", dir,
                 other);
    return ours;
}

bool folder_may_write(const char *dir, enum folder_kind kind, char *why)
{
    char name[NAME_MOST + 1];
    if (kind == FOLDER_PRIVATE && is_on_the_web(dir)) {
        snprintf(why, FOLDER_WHY,
                 "%s is below a web server's folder, and this report names others: --publish writes what the world may "
                 "see",
                 dir);
        return false;
    }
    int parent = open_parent(dir, kind, name, why);
    bool may = parent >= 0 && is_replaceable(parent, name, dir, why);
    if (parent >= 0)
        close(parent);
    return may;
}

static void remove_folder(int parent, const char *name)
{
    char other[NAME_MAX + 1];
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)each_file(fd, true, other);
    close(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* What runs before us left when they were killed. */
static void folder_sweep(const struct folder *f)
{
    char begins[NAME_MOST + 16];
    int n = snprintf(begins, sizeof begins, ".%s.new-", f->name), again = openat(f->parent, ".", O_RDONLY | O_CLOEXEC);
    DIR *d = again >= 0 ? fdopendir(again) : NULL;
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d));)
        if (strncmp(e->d_name, begins, (size_t)n) == 0 &&
            fstatat(f->parent, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
            st.st_uid == geteuid() && st.st_mtime + STALE_SECONDS < time(NULL))
            remove_folder(f->parent, e->d_name);
    if (d)
        closedir(d);
    else if (again >= 0)
        close(again);
}

static void give_up(struct folder *f, enum status reason, char *why)
{
    if (why && !*why)
        snprintf(why, FOLDER_WHY, "%.400s: %s", f->dir,
                 reason == STATUS_NOMEM ? "out of memory"
                 : errno                ? strerror(errno)
                                        : "it could not be written");
    if (f->fd >= 0)
        close(f->fd);
    if (f->parent >= 0 && *f->fresh)
        remove_folder(f->parent, f->fresh);
    if (f->parent >= 0)
        close(f->parent);
    free(f);
}

enum status folder_drop(struct folder *f, enum status reason, char *why)
{
    give_up(f, reason, why);
    return reason;
}

/* Puts the new folder in its place. Two that exist change places: the old one stands under the new one's name then. */
static bool put_in_place(const struct folder *f)
{
    bool done = false;
    for (unsigned i = 0; i < TRIES && !done; i++) { /* another run's folder may come, or go, between the two calls */
        done = renameat2(f->parent, f->fresh, f->parent, f->name, RENAME_EXCHANGE) == 0;
        if (!done && errno != ENOENT)
            break;
        done = done || renameat2(f->parent, f->fresh, f->parent, f->name, RENAME_NOREPLACE) == 0;
        if (!done && errno != EEXIST)
            break;
    }
    return done;
}

struct folder *folder_begin(const char *dir, enum folder_kind kind, char *why)
{
    struct folder *f = calloc(1, sizeof *f);
    if (!f) {
        snprintf(why, FOLDER_WHY, "out of memory");
        return NULL;
    }
    f->fd = -1;
    f->kind = kind;
    f->dir = dir;
    f->parent = open_parent(dir, kind, f->name, why);
    if (f->parent < 0 || !is_replaceable(f->parent, f->name, dir, why)) {
        give_up(f, STATUS_DENIED, why);
        return NULL;
    }
    folder_sweep(f);
    for (unsigned i = 0; i < TRIES && f->fd < 0; i++) {
        snprintf(f->fresh, sizeof f->fresh, ".%s.new-%ld-%u", f->name, (long)getpid(), i);
        if (mkdirat(f->parent, f->fresh, 0700) == 0)
            f->fd = openat(f->parent, f->fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        else if (errno != EEXIST)
            break;
    }
    if (f->fd < 0) {
        snprintf(why, FOLDER_WHY, "%s: %s", dir, strerror(errno));
        f->fresh[0] = '\0';
        give_up(f, STATUS_DENIED, why);
        return NULL;
    }
    return f;
}

enum status folder_put(struct folder *f, const char *name, struct slice text)
{
    int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && fchmod(fd, f->kind == FOLDER_OPEN ? 0644 : 0640) == 0;
    for (size_t at = 0; good && at < text.n;) {
        ssize_t n = write(fd, text.p + at, text.n - at);
        good = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0 && close(fd) != 0)
        good = false;
    return good ? STATUS_OK : rootfile_status(errno);
}

enum status folder_finish(struct folder *f, char *why)
{
    enum status st =
        folder_put(f, FOLDER_MARK, SLICE_LIT("assay report wrote this folder, and replaces it as a whole.\n"));
    if (st != STATUS_OK || fchmod(f->fd, f->kind == FOLDER_OPEN ? 0755 : 0750) != 0 ||
        !is_replaceable(f->parent, f->name, f->name, why))
        return folder_drop(f, st != STATUS_OK ? st : STATUS_DENIED, why);
    if (!put_in_place(f))
        return folder_drop(f, rootfile_status(errno), why);
    (void)fsync(f->parent);
    *why = '\0';
    return folder_drop(f, STATUS_OK, NULL);
}
