// SPDX-License-Identifier: BSD-2-Clause
/*
 * undo_store.c - the files of a change: read, replaced by rename, kept, and put back.
 *
 * Promises that what is kept is synced before anything is replaced, and that undo gives back octets, mode and owner, or
 * says which file was changed by somebody else since. A manifest that cannot be read is STATUS_INVALID: nothing is
 * touched then.
 */
#include "cli/harden/undo_store.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SET_DIGITS 6

static enum status fail(struct arena *a, enum status s, const char *path, const char *what, const char **why)
{
    *why = arena_printf(a, "%s: %s", path, what ? what : strerror(errno));
    return s;
}

enum status change_read(struct arena *a, const char *path, struct change *c, const char **why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : fail(a, STATUS_DENIED, path, NULL, why);
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool small = regular && st.st_size <= CHANGE_MAX_FILE;
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
        return fail(a, regular ? STATUS_LIMIT : STATUS_INVALID, path, regular ? "too large" : "no regular file", why);
    if (!text)
        return STATUS_NOMEM;
    c->existed = true;
    c->mode = st.st_mode & 07777;
    c->uid = st.st_uid;
    c->gid = st.st_gid;
    c->before = slice_of(text, n);
    return STATUS_OK;
}

static enum status write_file(struct arena *a, const char *path, struct slice text, mode_t mode,
                              const struct change *owner, const char **why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(a, errno == ENOSPC ? STATUS_AGAIN : STATUS_DENIED, path, NULL, why);
    bool ok = true;
    for (size_t at = 0; ok && at < text.n;) {
        ssize_t w = write(fd, text.p + at, text.n - at);
        ok = w > 0;
        at += ok ? (size_t)w : 0;
    }
    if (ok && owner && owner->existed)
        ok = fchown(fd, owner->uid, owner->gid) == 0;
    ok = ok && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    enum status st = ok ? STATUS_OK : fail(a, errno == ENOSPC ? STATUS_AGAIN : STATUS_DENIED, path, NULL, why);
    close(fd);
    if (!ok)
        unlink(path);
    return st;
}

static void sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

enum status change_replace(struct arena *a, const struct change *c, bool forward, const char **why)
{
    bool exists = forward ? c->exists_after : c->existed;
    if (!exists)
        return unlink(c->path) == 0 || errno == ENOENT ? STATUS_OK : fail(a, STATUS_DENIED, c->path, NULL, why);
    const char *temporary = arena_printf(a, "%s.assay-new", c->path);
    if (!temporary)
        return STATUS_NOMEM;
    unlink(temporary);
    enum status st = write_file(a, temporary, forward ? c->after : c->before, c->mode, c, why);
    if (st != STATUS_OK)
        return st;
    if (rename(temporary, c->path) == 0)
        return STATUS_OK;
    st = fail(a, STATUS_DENIED, c->path, NULL, why);
    unlink(temporary);
    return st;
}

/* The newest set's number; 0: none. */
static unsigned newest(const char *keep)
{
    unsigned top = 0;
    DIR *d = opendir(keep);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char *end;
        unsigned long v = strtoul(e->d_name, &end, 10);
        if (*end == '\0' && end != e->d_name && v < 1000000 && v > top)
            top = (unsigned)v;
    }
    if (d)
        closedir(d);
    return top;
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

static char *manifest_text(const struct change *c, size_t n)
{
    json_t *files = json_array();
    for (size_t i = 0; i < n; i++) {
        char sha[65];
        sha256_hex(c[i].after, sha);
        json_array_append_new(files, json_pack("{s:s, s:b, s:b, s:i, s:i, s:i, s:s}", "path", c[i].path, "existed",
                                               c[i].existed, "exists_after", c[i].exists_after, "mode", (int)c[i].mode,
                                               "uid", (int)c[i].uid, "gid", (int)c[i].gid, "after", sha));
    }
    json_t *root = json_pack("{s:i, s:o}", "v", 1, "files", files);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    return text;
}

enum status change_store(struct arena *a, const char *keep, const struct change *c, size_t n, const char **why)
{
    char number[24];
    if (mkdir(keep, 0700) != 0 && errno != EEXIST)
        return fail(a, STATUS_DENIED, keep, NULL, why);
    unsigned set = newest(keep) + 1;
    const char *dir = set_path(a, keep, set, NULL);
    if (!dir || mkdir(dir, 0700) != 0)
        return fail(a, STATUS_DENIED, dir ? dir : keep, NULL, why);
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < n; i++) {
        snprintf(number, sizeof number, "%zu", i);
        st = c[i].existed ? write_file(a, set_path(a, keep, set, number), c[i].before, 0600, NULL, why) : STATUS_OK;
    }
    char *text = st == STATUS_OK ? manifest_text(c, n) : NULL;
    if (st == STATUS_OK)
        st = text ? write_file(a, set_path(a, keep, set, "manifest.json"), slice_str(text), 0600, NULL, why)
                  : STATUS_NOMEM;
    free(text);
    sync_folder(dir);
    sync_folder(keep);
    if (st != STATUS_OK)
        change_forget(a, keep);
    return st;
}

void change_forget(struct arena *a, const char *keep)
{
    unsigned set = newest(keep);
    const char *dir = set ? set_path(a, keep, set, NULL) : NULL;
    DIR *d = dir ? opendir(dir) : NULL;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    if (dir)
        rmdir(dir);
}

/* One file of the manifest, with its original read from the set's folder. */
static enum status load_file(struct arena *a, const char *keep, unsigned set, size_t i, json_t *j, struct change *c,
                             char after[65], const char **why)
{
    const char *path = NULL, *sha = NULL;
    int existed = 0, exists_after = 0, mode = 0, uid = 0, gid = 0;
    char number[24];
    if (json_unpack(j, "{s:s, s:b, s:b, s:i, s:i, s:i, s:s}", "path", &path, "existed", &existed, "exists_after",
                    &exists_after, "mode", &mode, "uid", &uid, "gid", &gid, "after", &sha) != 0 ||
        strlen(sha) != 64)
        return fail(a, STATUS_INVALID, keep, "the newest manifest.json is not one of ours", why);
    struct change kept = {0};
    snprintf(number, sizeof number, "%zu", i);
    if (existed) {
        enum status st = change_read(a, set_path(a, keep, set, number), &kept, why);
        if (st != STATUS_OK || !kept.existed)
            return st != STATUS_OK ? st : fail(a, STATUS_INVALID, keep, "an original is gone", why);
    }
    *c = (struct change){.path = arena_strdup(a, path),
                         .existed = existed,
                         .exists_after = exists_after,
                         .mode = (mode_t)mode,
                         .uid = (uid_t)uid,
                         .gid = (gid_t)gid,
                         .before = kept.before};
    memcpy(after, sha, 65);
    return c->path ? STATUS_OK : STATUS_NOMEM;
}

/* Whether the file still is what change_apply wrote. */
static enum status untouched(struct arena *a, const struct change *c, const char *after, const char **why)
{
    struct change now = {0};
    char sha[65];
    enum status st = change_read(a, c->path, &now, why);
    if (st != STATUS_OK)
        return st;
    sha256_hex(now.before, sha);
    if (now.existed == c->exists_after && (!now.existed || strcmp(sha, after) == 0))
        return STATUS_OK;
    if (now.existed == c->existed && (!now.existed || slice_eq(now.before, c->before)))
        return STATUS_OK; /* put back already */
    return fail(a, STATUS_INVALID, c->path,
                "somebody has changed it since; look at it, or use --force to put the original back all the same", why);
}

struct kept {
    struct change files[CHANGE_MAX_FILES];
    char after[CHANGE_MAX_FILES][65];
    size_t n;
};

static enum status load_set(struct arena *a, const char *keep, unsigned set, struct kept *k, const char **why)
{
    const char *name = set_path(a, keep, set, "manifest.json");
    json_t *root = name ? json_load_file(name, 0, NULL) : NULL;
    json_t *list = root ? json_object_get(root, "files") : NULL;
    k->n = json_array_size(list);
    enum status st = json_is_array(list) && k->n <= CHANGE_MAX_FILES
                         ? STATUS_OK
                         : fail(a, STATUS_INVALID, keep, "the newest manifest.json is not one of ours", why);
    for (size_t i = 0; st == STATUS_OK && i < k->n; i++)
        st = load_file(a, keep, set, i, json_array_get(list, i), &k->files[i], k->after[i], why);
    json_decref(root);
    return st;
}

enum status change_undo(struct arena *a, const char *keep, bool force, void (*done)(const char *path), const char **why)
{
    struct kept *k = arena_alloc(a, sizeof *k);
    unsigned set = newest(keep);
    if (!set)
        return fail(a, STATUS_MISSING, keep, "nothing is kept there: there is nothing to undo", why);
    enum status st = k ? load_set(a, keep, set, k, why) : STATUS_NOMEM;
    for (size_t i = 0; st == STATUS_OK && !force && i < k->n; i++)
        st = untouched(a, &k->files[i], k->after[i], why);
    for (size_t i = 0; st == STATUS_OK && i < k->n; i++) {
        st = change_replace(a, &k->files[i], false, why);
        if (st == STATUS_OK && done)
            done(k->files[i].path);
    }
    if (st == STATUS_OK)
        change_forget(a, keep);
    return st;
}

/* One set's files of that part. *whole: nothing of the set stays to be put back. */
static enum status release_set(struct arena *a, struct kept *k, bool (*part)(const char *path),
                               void (*done)(const char *path), bool *whole, const char **why)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < k->n; i++) {
        const char *ignored = NULL;
        bool ours = part(k->files[i].path);
        enum status same = untouched(a, &k->files[i], k->after[i], ours ? why : &ignored);
        if (ours && same == STATUS_OK) {
            st = change_replace(a, &k->files[i], false, why);
            if (st == STATUS_OK)
                done(k->files[i].path);
            continue;
        }
        *whole = false;
        if (ours && same != STATUS_INVALID)
            st = same;
    }
    return st;
}

enum status change_release(struct arena *a, const char *keep, bool (*part)(const char *path),
                           void (*done)(const char *path), const char **why)
{
    struct kept *k = arena_alloc(a, sizeof *k);
    enum status st = k ? STATUS_OK : STATUS_NOMEM;
    for (unsigned set = newest(keep); st == STATUS_OK && set > 0; set--) {
        const char *dir = set_path(a, keep, set, NULL);
        bool whole = true;
        if (!dir || access(dir, F_OK) != 0)
            continue;
        st = load_set(a, keep, set, k, why);
        if (st == STATUS_OK)
            st = release_set(a, k, part, done, &whole, why);
        if (st == STATUS_OK && whole && set == newest(keep))
            change_forget(a, keep);
    }
    return st;
}
