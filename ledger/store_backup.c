// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_backup.c - backs up and restores a store in a file, by SQLite's backup interface.
 *
 * Promises that a copy is complete (the state of one transaction) or does not exist, and that a restored store is on
 * the disk before the old one is removed. On failure partial files are removed.
 */
#include "ledger/store_backup.h"
#include "ledger/store_engine.h"
#include "ledger/store_lease.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLD_ENDING ".lock"
#define PAGES_AT_ONCE 1000
#define WAIT_MS 30000

static enum status backup_complain(char *why, enum status st, const char *file, const char *text)
{
    snprintf(why, STORE_ERROR, "%.200s: %.100s", file, text);
    return st;
}

static enum status copy(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int rc = b ? SQLITE_OK : SQLITE_ERROR;
    while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
        rc = sqlite3_backup_step(b, PAGES_AT_ONCE);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
            sqlite3_sleep(50);
    }
    if (b)
        (void)sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? STATUS_OK : STATUS_AGAIN;
}

/* Creates a new, empty file. */
static bool make_file(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Removes the copy and its rollback journal: SQLite leaves the journal if the disk is full, and would replay it into
 * the next copy. */
static void remove_copy(const char *file)
{
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%s-journal", file);
    (void)unlink(file);
    if (n > 0 && n < (int)sizeof name)
        (void)unlink(name);
}

/* Without a transaction around all steps the copy would begin anew whenever somebody writes, and where records come in
 * all the time it would never be whole. Writers do not wait for it; the write-ahead log grows meanwhile. */
#define SNAPSHOT "BEGIN; SELECT count(*) FROM sqlite_master"

static enum status copy_into(const char *file, const char *from, char *why)
{
    sqlite3 *in = NULL, *out = NULL;
    if (!make_file(file))
        return backup_complain(why, STATUS_DENIED, file, strerror(errno));
    store_sqlite_guard();
    int rc = sqlite3_open_v2(from, &in, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_open_v2(file, &out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    (void)sqlite3_busy_timeout(in, WAIT_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(in, SNAPSHOT, NULL, NULL, NULL);
    enum status st = rc == SQLITE_OK ? copy(out, in) : STATUS_INVALID;
    if (st != STATUS_OK)
        (void)backup_complain(why, st, file, sqlite3_errmsg(out ? out : in));
    sqlite3_close(in);
    sqlite3_close(out);
    if (st != STATUS_OK)
        remove_copy(file);
    return st;
}

/* The copy gets its name when it is whole, so that one which was cut short is never taken for a backup. */
static enum status back_up(struct store *s, const char *file, char *why)
{
    char part[PATH_MAX];
    struct stat was;
    if (s->engine->shared)
        return backup_complain(why, STATUS_INVALID, "PostgreSQL", "its own pg_dump makes the copy");
    if (lstat(file, &was) == 0)
        return backup_complain(why, STATUS_DENIED, file, strerror(EEXIST));
    int n = snprintf(part, sizeof part, "%s" STORE_BACKUP_PART, file);
    if (n < 0 || n >= (int)sizeof part)
        return backup_complain(why, STATUS_DENIED, file, strerror(ENAMETOOLONG));
    if (lstat(part, &was) == 0 && S_ISREG(was.st_mode) && was.st_nlink == 1 && was.st_uid == geteuid())
        remove_copy(part); /* of a process that was killed */
    enum status st = copy_into(part, sqlite3_db_filename(store_sqlite_handle(s), "main"), why);
    if (st != STATUS_OK)
        return st;
    if (renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE) == 0)
        return STATUS_OK;
    if (errno == EINVAL && link(part, file) == 0) /* a file system without it */
        return unlink(part) == 0 ? STATUS_OK : backup_complain(why, STATUS_AGAIN, part, strerror(errno));
    st = backup_complain(why, STATUS_DENIED, file, strerror(errno));
    (void)unlink(part);
    return st;
}

enum status store_backup(struct store *s, const char *file, char *why)
{
    enum status st = store_lease_take(s, "a backup");
    if (st != STATUS_OK)
        return backup_complain(why, st, file, store_error(s));
    st = back_up(s, file, why);
    store_lease_leave(s);
    return st;
}

int store_hold(const char *path)
{
    return store_lock_file(path, HOLD_ENDING, LOCK_SH);
}

/* Checks that it is undamaged, a ledger, and not of a newer schema. */
static enum status examine(const char *file, char *why)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    int version = -1;
    bool good = false;
    struct stat st;
    if (lstat(file, &st) != 0)
        return backup_complain(why, STATUS_INVALID, file, strerror(errno));
    if (!S_ISREG(st.st_mode)) /* SQLite would wait at a FIFO */
        return backup_complain(why, STATUS_INVALID, file, "it is not a regular file");
    store_sqlite_guard();
    int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL);
    if (rc == SQLITE_OK && sqlite3_prepare_v2(db, "SELECT version FROM assay_schema", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        version = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    q = NULL;
    if (version >= 0 && sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        good = strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
    sqlite3_finalize(q);
    sqlite3_close(db);
    return version < 0 ? backup_complain(why, STATUS_INVALID, file, "this is no ledger")
           : version > STORE_SCHEMA_VERSION
               ? backup_complain(why, STATUS_LIMIT, file, "it was made by a newer assay-ledger")
           : !good ? backup_complain(why, STATUS_INVALID, file, "it is damaged")
                   : STATUS_OK;
}

/* Gives the new store the mode and owner of the old one. The folder belongs to the ledger's user, who could put a link
 * in the new store's place while root is at work: so the opened file is changed, and only if it is the one that we
 * made. */
bool store_give_rights(int fd, const char *path)
{
    struct stat old, made;
    if (fstat(fd, &made) != 0)
        return false;
    if (!S_ISREG(made.st_mode) || made.st_nlink != 1 || made.st_uid != geteuid()) {
        errno = EPERM;
        return false;
    }
    if (lstat(path, &old) != 0 || !S_ISREG(old.st_mode))
        return true;
    return fchmod(fd, old.st_mode & 0777) == 0 && (geteuid() != 0 || fchown(fd, old.st_uid, old.st_gid) == 0);
}

bool store_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", !slash ? 1 : slash == path ? 1 : (int)(slash - path), slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static enum status put_in_place(const char *path, const char *fresh, char *why)
{
    char name[PATH_MAX];
    int fd = open(fresh, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || !store_give_rights(fd, path)) {
        enum status st = backup_complain(why, STATUS_DENIED, fresh, strerror(errno));
        if (fd >= 0)
            close(fd);
        return st;
    }
    /* SQLite would take the log of the old file for the new one's. So it is removed first; nothing in it is wanted
     * back. A copy of the old file that store_rebuild() has begun is removed, too. */
    for (const char *const *end = (const char *const[]){"-wal", "-shm", ".rebuilt", NULL}; *end; end++) {
        snprintf(name, sizeof name, "%s%s", path, *end);
        if (unlink(name) != 0 && errno != ENOENT) {
            close(fd);
            return backup_complain(why, STATUS_DENIED, name, strerror(errno));
        }
    }
    (void)store_sync_folder(path); /* before the new file is there: it must never stand beside the old log */
    bool ok = fsync(fd) == 0 && rename(fresh, path) == 0;
    close(fd);
    if (ok)
        (void)store_sync_folder(path);
    return ok ? STATUS_OK : backup_complain(why, STATUS_AGAIN, path, strerror(errno));
}

/* Neither a daemon nor a long work of a command (store_lease.h) writes to the store meanwhile. */
static enum status lock_out(const char *path, int *daemon, int *work, char *why)
{
    *daemon = store_lock_file(path, HOLD_ENDING, LOCK_EX);
    if (*daemon >= 0)
        *work = store_lock_file(path, STORE_LEASE_ENDING, LOCK_EX);
    if (*daemon >= 0 && *work >= 0)
        return STATUS_OK;
    int error = errno;
    const char *text = *daemon < 0 ? "assay-ledger is running: stop it first"
                                   : "a command (tidy, forget, backup, recount) is at work on it: wait for it";
    if (*daemon >= 0)
        close(*daemon);
    return error == EWOULDBLOCK ? backup_complain(why, STATUS_AGAIN, path, text)
                                : backup_complain(why, STATUS_DENIED, path, strerror(error));
}

enum status store_restore(const char *path, const char *file, char *why)
{
    char fresh[PATH_MAX];
    enum status st = examine(file, why);
    if (st != STATUS_OK)
        return st;
    int lock, work = -1;
    st = lock_out(path, &lock, &work, why);
    if (st != STATUS_OK)
        return st;
    snprintf(fresh, sizeof fresh, "%s.restored", path);
    remove_copy(fresh);
    st = copy_into(fresh, file, why);
    if (st == STATUS_OK)
        st = put_in_place(path, fresh, why);
    if (st != STATUS_OK)
        (void)unlink(fresh);
    close(work);
    close(lock);
    return st;
}
