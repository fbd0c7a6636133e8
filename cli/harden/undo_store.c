// SPDX-License-Identifier: BSD-2-Clause
/*
 * undo_store.c - the files of a change: read, replaced, kept in the undo store, and read back from it.
 *
 * Promises that what is kept is synced before anything is replaced, and what is forgotten before that is said; that a
 * set which was stored or forgotten by half is none; that all work in the store is by base/rootfile, so that no set is
 * read which somebody else could have written. A manifest that cannot be read is STATUS_INVALID: nothing is touched
 * then.
 */
#include "cli/harden/undo_store.h"
#include "cli/json_text.h"
#include "base/rootfile.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SET_DIGITS 6
#define MANIFEST "manifest.json"
#define VERSION 2

static const struct rootfile_rights private = {.mode = 0600, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};

static enum status undo_fail(struct arena *a, enum status s, const char *path, const char *what, const char **why)
{
    *why = arena_printf(a, "%s: %s%s", path, what ? what : strerror(errno), what ? "" : status_as_root(errno));
    return s;
}

/* ---- one file ---- */

enum status undo_file_read(struct arena *a, const char *path, struct undo_file *c, const char **why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : undo_fail(a, STATUS_DENIED, path, NULL, why);
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool small = regular && st.st_size <= EDIT_MAX_FILE;
    char *text = small ? arena_alloc(a, (size_t)st.st_size + 1) : NULL;
    size_t n = 0;
    while (text && n < (size_t)st.st_size) {
        ssize_t got = read(fd, text + n, (size_t)st.st_size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    if (!small)
        return undo_fail(a, regular ? STATUS_LIMIT : STATUS_INVALID, path, regular ? "too large" : "no regular file",
                         why);
    if (!text)
        return STATUS_NOMEM;
    c->existed = true;
    c->several_names = st.st_nlink > 1;
    c->mode = st.st_mode & 07777;
    c->uid = st.st_uid;
    c->gid = st.st_gid;
    c->before = slice_of(text, n);
    return STATUS_OK;
}

static bool undo_put(int fd, struct slice text)
{
    for (size_t at = 0; at < text.n;) {
        ssize_t w = write(fd, text.p + at, text.n - at);
        if (w <= 0)
            return false;
        at += (size_t)w;
    }
    return true;
}

/* A file with several names stays one file: it is written where it is. The original is in the store by then. */
static enum status write_in_place(struct arena *a, const char *path, struct slice text, const char **why)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && undo_put(fd, text) &&
              ftruncate(fd, (off_t)text.n) == 0 && fsync(fd) == 0;
    enum status s = ok ? STATUS_OK : undo_fail(a, rootfile_status(errno), path, NULL, why);
    if (fd >= 0)
        close(fd);
    return s;
}

enum status undo_file_replace(struct arena *a, const struct undo_file *c, bool forward, const char **why)
{
    bool exists = forward ? c->exists_after : c->existed;
    struct slice text = forward ? c->after : c->before;
    struct rootfile_rights rights = {.mode = c->mode, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    if (c->existed) {
        rights.uid = c->uid;
        rights.gid = c->gid;
    }
    if (exists && c->several_names)
        return write_in_place(a, c->path, text, why);
    enum status s = exists ? rootfile_write(c->path, text, &rights) : rootfile_remove(c->path);
    if (s == STATUS_OK || (!exists && s == STATUS_MISSING))
        return STATUS_OK;
    return undo_fail(a, s == STATUS_AGAIN ? s : STATUS_DENIED, c->path, NULL, why);
}

/* ---- the store ---- */

const char *undo_place(struct arena *a, const char *state, const char *what)
{
    size_t n = strlen(state);
    while (n > 1 && state[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s-undo/%s", (int)n, state, what);
}

/* The folder, made where it is missing; refused where others may write to it or own it. */
static enum status own_folder(struct arena *a, const char *path, const char **why)
{
    const struct rootfile_rights rights = {.mode = 0700, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    struct stat st;
    enum status s = rootfile_make_folder(path, &rights);
    if (s != STATUS_OK)
        return undo_fail(a, s, path, NULL, why);
    int fd = rootfile_folder(path);
    bool good = fd >= 0 && fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022);
    if (fd >= 0)
        close(fd);
    return good ? STATUS_OK
                : undo_fail(a, STATUS_DENIED, path, "root must own it, and nobody else may write to it", why);
}

/* Opens a folder of sets to read it. -1: there is none, or (refused) it is not ours alone. */
static int open_folder(struct arena *a, const char *path, bool *refused, const char **why)
{
    struct stat st;
    int fd = rootfile_folder(path);
    *refused = fd < 0 && errno != ENOENT && errno != ENOTDIR;
    if (*refused)
        (void)undo_fail(a, STATUS_DENIED, path, NULL, why);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022))
        return fd;
    close(fd);
    *refused = true;
    (void)undo_fail(a, STATUS_DENIED, path, "not read: others than root can change it", why);
    return -1;
}

static unsigned number_of(const char *name)
{
    char *end;
    unsigned long v = strtoul(name, &end, 10);
    return *end == '\0' && strlen(name) == SET_DIGITS && v < 1000000 ? (unsigned)v : 0;
}

/* Tells whether a set is whole: its manifest is the last file that is stored and the first that is removed, so without
 * it nothing was changed yet, or all is undone (a process that was killed, a loss of power). */
static bool has_manifest(int keep, const char *set)
{
    struct stat st;
    int fd = openat(keep, set, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool found = fd < 0 ? errno != ENOENT : fstatat(fd, MANIFEST, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
    if (fd >= 0)
        close(fd);
    return found;
}

/* The highest number of a folder below `below` (0: of all); `whole`: only sets with a manifest. 0: there is none. */
static unsigned highest(const char *keep, unsigned below, bool whole)
{
    unsigned top = 0;
    int fd = rootfile_folder(keep);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        unsigned v = number_of(e->d_name);
        if (v > top && (!below || v < below) && (!whole || has_manifest(dirfd(d), e->d_name)))
            top = v;
    }
    if (d)
        closedir(d);
    return top;
}

/* The newest set's number below `below`; 0: none. */
static unsigned newest(const char *keep, unsigned below)
{
    return highest(keep, below, true);
}

static const char *set_path(struct arena *a, const char *keep, unsigned number, const char *name)
{
    return arena_printf(a, "%s/%0*u%s%s", keep, SET_DIGITS, number, name ? "/" : "", name ? name : "");
}

static void sha256_hex(struct slice s, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    memset(out, 0, 65);
    if (EVP_Digest(s.p ? s.p : "", s.n, digest, &n, EVP_sha256(), NULL) == 1)
        for (unsigned int i = 0; i < n && i < 32; i++)
            snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static json_t *edits_json(const struct undo_setting *e)
{
    json_t *list = json_array();
    for (; e; e = e->next)
        json_array_append_new(list, json_pack("{s:s, s:s?, s:s?}", "name", e->name, "was", e->was, "now", e->now));
    return list;
}

static char *manifest_text(const struct undo_file *c, size_t n)
{
    json_t *files = json_array();
    for (size_t i = 0; i < n; i++) {
        char sha[65];
        if (c[i].sha[0]) /* of a set that is taken over */
            memcpy(sha, c[i].sha, sizeof sha);
        else
            sha256_hex(c[i].exists_after ? c[i].after : SLICE_NULL, sha);
        json_array_append_new(files, json_pack("{s:s, s:b, s:b, s:i, s:s, s:o}", "path", c[i].path, "existed",
                                               c[i].existed, "exists_after", c[i].exists_after, "mode", (int)c[i].mode,
                                               "after", sha, "edits", edits_json(c[i].edits)));
    }
    json_t *root = json_pack("{s:i, s:o}", "v", VERSION, "files", files);
    char *text = json_text(root, JSON_INDENT(1));
    json_decref(root);
    return text;
}

static enum status keep_text(struct arena *a, const char *path, struct slice text, const char **why)
{
    enum status s = path ? rootfile_write(path, text, &private) : STATUS_NOMEM;
    return s == STATUS_OK || !path ? s : undo_fail(a, s, path, NULL, why);
}

/* The store's own folder, and the command's in it. */
static enum status own_folders(struct arena *a, const char *keep, const char **why)
{
    const char *slash = strrchr(keep, '/'), *store = slash ? arena_copy(a, keep, (size_t)(slash - keep)) : ".";
    enum status s = store ? own_folder(a, store, why) : STATUS_NOMEM;
    return s == STATUS_OK ? own_folder(a, keep, why) : s;
}

int undo_lock(struct arena *a, const char *keep, const char **why)
{
    int fd = own_folders(a, keep, why) == STATUS_OK ? rootfile_folder(keep) : -1;
    if (fd < 0 || flock(fd, LOCK_EX) == 0)
        return fd;
    (void)undo_fail(a, STATUS_AGAIN, keep, NULL, why);
    close(fd);
    return -1;
}

static void sync_folder(const char *path)
{
    int fd = rootfile_folder(path);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

enum status undo_keep(struct arena *a, const char *keep, const struct undo_file *c, size_t n, const char **why)
{
    char name[32];
    enum status st = own_folders(a, keep, why);
    if (st != STATUS_OK)
        return st;
    unsigned set = highest(keep, 0, false) + 1;
    const char *dir = set_path(a, keep, set, NULL);
    if (!dir || mkdir(dir, 0700) != 0)
        return undo_fail(a, STATUS_DENIED, dir ? dir : keep, NULL, why);
    for (size_t i = 0; st == STATUS_OK && i < n; i++) {
        snprintf(name, sizeof name, "%zu", i);
        if (c[i].existed)
            st = keep_text(a, set_path(a, keep, set, name), c[i].before, why);
        snprintf(name, sizeof name, "%zu.after", i);
        if (st == STATUS_OK && c[i].exists_after && (c[i].after_known || !c[i].sha[0]))
            st = keep_text(a, set_path(a, keep, set, name), c[i].after, why);
    }
    char *text = st == STATUS_OK ? manifest_text(c, n) : NULL;
    if (st == STATUS_OK)
        st = text ? keep_text(a, set_path(a, keep, set, MANIFEST), slice_str(text), why) : STATUS_NOMEM;
    free(text);
    sync_folder(keep);
    if (st != STATUS_OK)
        undo_forget(a, keep, set);
    return st;
}

void undo_forget(struct arena *a, const char *keep, unsigned number)
{
    const char *dir = number ? set_path(a, keep, number, NULL) : NULL;
    int fd = dir ? rootfile_folder(dir) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d && unlinkat(fd, MANIFEST, 0) == 0)
        (void)fsync(fd); /* from here on the set counts no more, whatever is left of it */
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    if (dir && rmdir(dir) == 0)
        sync_folder(keep);
}

void undo_forget_newest(struct arena *a, const char *keep)
{
    undo_forget(a, keep, newest(keep, 0));
}

/* ---- reading a set ---- */

/* A text of a set, into the arena. STATUS_MISSING: it is not there. */
static enum status read_text(struct arena *a, const char *keep, unsigned set, const char *name, struct slice *out,
                             const char **why)
{
    struct buf b = BUF_INIT;
    const char *path = set_path(a, keep, set, name);
    enum status s = path ? rootfile_read(path, ROOTFILE_NOBODY, EDIT_MAX_FILE, &b) : STATUS_NOMEM;
    if (s == STATUS_OK)
        *out = arena_slice(a, buf_slice(&b));
    else if (s != STATUS_MISSING && path)
        (void)undo_fail(a, s, path, "not read: it is not a regular file that root owns, or it cannot be read", why);
    buf_release(&b);
    return s;
}

static struct undo_setting *read_edits(struct arena *a, const json_t *list)
{
    struct undo_setting *first = NULL;
    for (size_t i = json_array_size(list); i-- > 0;) {
        struct undo_setting *e = ARENA_NEW(a, struct undo_setting);
        json_t *j = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(j, "name")),
                   *was = json_string_value(json_object_get(j, "was")),
                   *now = json_string_value(json_object_get(j, "now"));
        if (!e || !name)
            continue;
        *e = (struct undo_setting){.name = arena_strdup(a, name),
                                   .was = was ? arena_strdup(a, was) : NULL,
                                   .now = now ? arena_strdup(a, now) : NULL,
                                   .next = first};
        first = e;
    }
    return first;
}

/* One file of the manifest, with its original and what was written. */
static enum status load_file(struct arena *a, const char *keep, unsigned set, size_t i, json_t *j, struct undo_file *c,
                             const char **why)
{
    const char *path = NULL, *sha = NULL;
    int existed = 0, exists_after = 0, mode = 0;
    json_t *edits = NULL;
    char name[32];
    if (json_unpack(j, "{s:s, s:b, s:b, s:i, s:s, s?:o}", "path", &path, "existed", &existed, "exists_after",
                    &exists_after, "mode", &mode, "after", &sha, "edits", &edits) != 0 ||
        strlen(sha) != 64 || path[0] != '/')
        return undo_fail(a, STATUS_INVALID, keep, "the newest " MANIFEST " is not one of ours", why);
    /* The mode counts only for a file that has to be made again; never a set-user-id bit. */
    *c = (struct undo_file){.path = arena_strdup(a, path),
                            .existed = existed,
                            .exists_after = exists_after,
                            .mode = (mode_t)mode & 0777,
                            .edits = read_edits(a, edits)};
    memcpy(c->sha, sha, 65);
    if (!c->path)
        return STATUS_NOMEM;
    snprintf(name, sizeof name, "%zu", i);
    enum status st = existed ? read_text(a, keep, set, name, &c->before, why) : STATUS_OK;
    if (st == STATUS_MISSING)
        return undo_fail(a, STATUS_INVALID, keep, "an original is gone", why);
    if (st != STATUS_OK)
        return st;
    snprintf(name, sizeof name, "%zu.after", i);
    st = exists_after ? read_text(a, keep, set, name, &c->after, why) : STATUS_MISSING;
    c->after_known = st == STATUS_OK;
    return st == STATUS_MISSING ? STATUS_OK : st;
}

static enum status load_set(struct arena *a, const char *keep, unsigned number, struct undo_set *set, const char **why)
{
    struct slice text = SLICE_NULL;
    bool refused = false;
    const char *dir = set_path(a, keep, number, NULL);
    int fd = dir ? open_folder(a, dir, &refused, why) : -1;
    if (fd < 0)
        return refused ? STATUS_DENIED : STATUS_MISSING;
    close(fd);
    enum status st = read_text(a, keep, number, MANIFEST, &text, why);
    if (st != STATUS_OK && st != STATUS_MISSING)
        return st;
    json_t *root = st == STATUS_OK ? json_loadb(text.p, text.n, 0, NULL) : NULL,
           *list = root ? json_object_get(root, "files") : NULL;
    set->number = number;
    set->count = json_array_size(list);
    st = json_is_array(list) && set->count <= EDIT_MAX_FILES
             ? STATUS_OK
             : undo_fail(a, STATUS_INVALID, keep, "the newest " MANIFEST " is not one of ours", why);
    for (size_t i = 0; st == STATUS_OK && i < set->count; i++)
        st = load_file(a, keep, number, i, json_array_get(list, i), &set->files[i], why);
    json_decref(root);
    return st;
}

enum status undo_load(struct arena *a, const char *keep, unsigned below, struct undo_set *set, const char **why)
{
    bool refused = false;
    int fd = open_folder(a, keep, &refused, why);
    if (fd < 0)
        return refused ? STATUS_DENIED : STATUS_MISSING;
    close(fd);
    unsigned number = newest(keep, below);
    return number ? load_set(a, keep, number, set, why) : STATUS_MISSING;
}

enum status undo_state_of(struct arena *a, const struct undo_file *c, enum undo_state *state, struct slice *text,
                          const char **why)
{
    struct undo_file now = {0};
    char sha[65];
    enum status st = undo_file_read(a, c->path, &now, why);
    if (st != STATUS_OK)
        return st;
    sha256_hex(now.before, sha);
    *text = now.before;
    *state = now.existed == c->exists_after && (!now.existed || strcmp(sha, c->sha) == 0)     ? UNDO_AS_WRITTEN
             : now.existed == c->existed && (!now.existed || slice_eq(now.before, c->before)) ? UNDO_BACK
                                                                                              : UNDO_CHANGED;
    return STATUS_OK;
}

/* ---- what earlier versions kept ---- */

/* Tells whether an old folder and all in it is root's (or ours), and nobody else may write to it. */
static bool is_roots(const char *path, bool sets)
{
    struct stat st;
    int fd = rootfile_folder(path);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    bool good = d && fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022);
    for (struct dirent *e; good && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        good = fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
               (sets ? S_ISDIR(st.st_mode) && number_of(e->d_name) : S_ISREG(st.st_mode) && st.st_nlink == 1);
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    return good;
}

enum status undo_adopt(struct arena *a, const char *state, const char *what, const char **ignored, const char **why)
{
    const char *old = arena_printf(a, "%s/%s", state, what), *keep = undo_place(a, state, what);
    struct stat st;
    *ignored = NULL;
    if (!old || !keep)
        return STATUS_NOMEM;
    if (lstat(old, &st) != 0)
        return STATUS_OK;
    bool good = is_roots(old, true);
    enum status s = STATUS_OK;
    struct undo_set *set = arena_alloc(a, sizeof *set);
    unsigned top = good ? newest(old, 0) : 0;
    for (unsigned n = 1; s == STATUS_OK && set && good && n <= top; n++) {
        const char *dir = set_path(a, old, n, NULL);
        if (!dir || lstat(dir, &st) != 0)
            continue;
        good = is_roots(dir, false) && load_set(a, old, n, set, why) == STATUS_OK;
        if (good)
            s = undo_keep(a, keep, set->files, set->count, why);
        if (good && s == STATUS_OK)
            undo_forget(a, old, n);
    }
    if (good && s == STATUS_OK)
        (void)rmdir(old);
    else if (!good)
        *ignored = arena_printf(
            a,
            "%s: what an earlier version kept there is not believed, since others than root can change it; "
            "look at it, and remove it",
            old);
    *why = good ? *why : NULL;
    return s;
}
