// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_sqlite.c - the store in a file.
 *
 * Promises: write-ahead log, so that queries never wait for ingesting; what a commit wrote is on the disk before it
 * returns, so that a segment is removed only then. Waits up to 30 seconds for another writer. A full disk, a locked or
 * a read-only file are STATUS_AGAIN or STATUS_DENIED with the path in the text; a file that is not a database is
 * STATUS_INVALID and is not changed.
 *
 * With synchronous=FULL SQLite would wait for the disk while it holds the writers' lock: hundreds of milliseconds,
 * where the disk has much else to write. synchronous=NORMAL keeps the file whole after a power cut, but not the last
 * commits. So the log is synced here after each commit, when the lock is free.
 */
#include "base/clock.h"
#include "ledger/mention.h"
#include "ledger/store_engine.h"
#include "ledger/store_stop.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define WAIT_MS 30000
#define WAIT_STEP_MS 3
#define CUT_OFF_STEPS 4000 /* of SQLite's virtual machine, between two looks whether to end: below a millisecond */
#define KEPT 96            /* prepared statements; one more takes the place of the one that was not used for longest */

struct kept {
    char *sql;
    const char *asked; /* the pointer it was asked by last: constant texts are found without comparing all of them */
    sqlite3_stmt *statement;
    uint64_t used; /* the largest number was used last */
    bool busy;     /* its rows are being read */
};

struct sqlite {
    sqlite3 *db;
    char *path;
    ino_t inode; /* of the file at path when it was opened */
    dev_t device;
    int wait_ms;      /* for another writer */
    int log_pages;    /* of the write-ahead log, after our last commit */
    int sync_error;   /* errno: that commit could not be synced, and nobody was told yet */
    int64_t began_ms; /* the statement that runs */
    struct kept kept[KEPT];
    uint64_t uses;
};

/* Asks again every few milliseconds. sqlite3_busy_timeout would wait longer each time, up to 100 ms, and so lose its
 * turn to whoever asks more often. */
static int wait_turn(void *context, int asked)
{
    const struct sqlite *q = context;
    if (asked >= q->wait_ms / WAIT_STEP_MS || store_stop_now(clock_mono_ms() - (int64_t)asked * WAIT_STEP_MS))
        return 0;
    nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_MS * 1000000}, NULL);
    return 1;
}

enum status store_sqlite_status(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return STATUS_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_INTERRUPT:
        return STATUS_AGAIN;
    case SQLITE_NOMEM:
        return STATUS_NOMEM;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return STATUS_DENIED;
    default:
        return STATUS_INVALID;
    }
}

/* "ann may not: root and the user assay may, and members of the group assay". SQLite needs to write beside the file even
 * to read it (the write-ahead log), so the folder counts. */
static void say_who_may(const char *path, char *out, size_t size)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;
    snprintf(folder, sizeof folder, "%.*s", slash && slash != path ? (int)(slash - path) : 1, slash ? path : ".");
    while (stat(folder, &st) != 0 && strrchr(folder, '/') > folder)
        *strrchr(folder, '/') = '\0'; /* one that we may look at */
    const struct passwd *me = getpwuid(geteuid());
    snprintf(out, size, "%s %.40s may not open it", me ? "user" : "this", me ? me->pw_name : "user");
    const struct passwd *owner = stat(folder, &st) == 0 ? getpwuid(st.st_uid) : NULL;
    size_t n = strlen(out);
    if (!owner)
        return;
    if (st.st_uid)
        snprintf(out + n, size - n, ": root and the user %.40s may (sudo -u %.40s assay ...)", owner->pw_name,
                 owner->pw_name);
    else
        snprintf(out + n, size - n, ": root may");
}

/* What keeps everybody from the file, and no right can help against; NULL: nothing. *st: what it is for the caller. */
static const char *disk_trouble(const char *path, enum status *st)
{
    struct statvfs v;
    *st = STATUS_DENIED;
    if (statvfs(path, &v) != 0)
        return NULL;
    if (v.f_flag & ST_RDONLY)
        return "its file system is mounted read-only";
    if (v.f_files == 0 || v.f_ffree > 0)
        return NULL;
    *st = STATUS_AGAIN; /* as with a full disk */
    return "its file system has no room for another file (df -i), and SQLite needs two beside it";
}

bool store_sqlite_damage(struct store *s, int rc, const char *text, const char *statement)
{
    const struct sqlite *q = s->handle;
    int words = statement ? (int)strcspn(statement, "(\n;") : 0;
    while (words && statement[words - 1] == ' ')
        words--;
    if ((rc & 0xff) == SQLITE_NOTADB) {
        s->damaged = true;
        snprintf(
            s->error, sizeof s->error,
            "%.150s: %.60s; if it was the ledger, its first page is damaged: stop assay-ledger and restore a backup "
            "(assay ledger restore FILE)",
            q->path, text);
        return true;
    }
    if ((rc & 0xff) != SQLITE_CORRUPT)
        return false;
    s->damaged = true;
    snprintf(
        s->error, sizeof s->error,
        "%.150s: the file is damaged (%.60s%s%.*s): stop assay-ledger, restore a backup (assay ledger restore FILE) "
        "and start it: journals that wait are taken in then",
        q->path, text, words ? ", at " : "", words > 40 ? 40 : words, words ? statement : "");
    return true;
}

/* Called by SQLite every so many steps of a statement: not 0 cuts it off. */
static int cut_off(void *context)
{
    const struct sqlite *q = context;
    return store_stop_now(q->began_ms);
}

void store_sqlite_begins(struct store *s)
{
    ((struct sqlite *)s->handle)->began_ms = clock_mono_ms();
}

/* The statement was committed, and the log could not be synced: said once. */
static enum status report_unsynced(struct store *s, struct sqlite *q)
{
    snprintf(s->error, sizeof s->error, "%s: what was written may not be on the disk: %s", q->path,
             strerror(q->sync_error));
    q->sync_error = 0;
    return STATUS_AGAIN;
}

/* statement: the one that failed, or NULL. */
static enum status sqlite_report(struct store *s, int rc, const char *statement)
{
    struct sqlite *q = s->handle;
    char who[200];
    enum status st = store_sqlite_status(rc);
    const char *disk = st == STATUS_DENIED ? disk_trouble(q->path, &st) : NULL;
    if (st == STATUS_OK && q->sync_error)
        return report_unsynced(s, q);
    if (st == STATUS_OK)
        return STATUS_OK;
    if (disk) {
        snprintf(s->error, sizeof s->error, "%s: %s", q->path, disk);
        return st;
    }
    if (store_sqlite_damage(s, rc, sqlite3_errmsg(q->db), statement))
        return STATUS_INVALID;
    if (st == STATUS_DENIED && access(q->path, R_OK | W_OK) != 0) {
        say_who_may(q->path, who, sizeof who);
        snprintf(s->error, sizeof s->error, "%s: %s", q->path, who);
        return STATUS_DENIED;
    }
    snprintf(s->error, sizeof s->error, "%s: %s", q->path, sqlite3_errmsg(q->db));
    return st;
}

static struct kept *kept_find(struct sqlite *q, const char *sql)
{
    for (size_t i = 0; i < KEPT && q->kept[i].sql; i++)
        if (q->kept[i].asked == sql && !q->kept[i].busy && strcmp(q->kept[i].sql, sql) == 0)
            return &q->kept[i];
    for (size_t i = 0; i < KEPT && q->kept[i].sql; i++)
        if (!q->kept[i].busy && strcmp(q->kept[i].sql, sql) == 0)
            return &q->kept[i];
    return NULL;
}

/* A free place, or that of the statement that was not used for longest; NULL: all are in use. A new store runs a
 * hundred statements once, to create its tables: they must not keep those out that run for each record. */
static struct kept *kept_place(struct sqlite *q)
{
    struct kept *oldest = NULL;
    for (size_t i = 0; i < KEPT; i++) {
        struct kept *k = &q->kept[i];
        if (!k->sql)
            return k;
        if (!k->busy && (!oldest || k->used < oldest->used))
            oldest = k;
    }
    return oldest;
}

/* Returns the prepared statement from the cache; *slot NULL: the caller must finalize it. */
static int sqlite_prepare(struct sqlite *q, const char *sql, sqlite3_stmt **out, struct kept **slot)
{
    struct kept *k = *slot = kept_find(q, sql);
    int rc = SQLITE_OK;
    if (!k) {
        rc = sqlite3_prepare_v3(q->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
        char *copy = rc == SQLITE_OK && (k = kept_place(q)) ? strdup(sql) : NULL;
        if (!copy)
            return rc;
        sqlite3_finalize(k->statement);
        free(k->sql);
        *k = (struct kept){.sql = copy, .statement = *out};
        *slot = k;
    }
    k->asked = sql;
    k->used = ++q->uses;
    *out = k->statement;
    return rc;
}

/* texts: SQLITE_STATIC if they stay where they are until let_go(). */
static int bind(sqlite3_stmt *st, const struct store_value *v, size_t n, sqlite3_destructor_type texts)
{
    for (size_t i = 0; i < n; i++) {
        int at = (int)i + 1;
        int rc = v[i].is_number ? sqlite3_bind_int64(st, at, v[i].number)
                 : v[i].text    ? sqlite3_bind_text(st, at, v[i].text, -1, texts)
                                : sqlite3_bind_null(st, at);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

static void let_go(sqlite3_stmt *st, struct kept *k)
{
    if (!k) {
        sqlite3_finalize(st);
        return;
    }
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    k->busy = false;
}

static enum status sqlite_run(struct store *s, const char *sql, const struct store_value *v, size_t n, int64_t *changed)
{
    struct sqlite *q = s->handle;
    sqlite3_stmt *st = NULL;
    struct kept *k;
    store_sqlite_begins(s);
    int rc = sqlite_prepare(q, sql, &st, &k);
    if (rc != SQLITE_OK)
        return sqlite_report(s, rc, sql);
    rc = bind(st, v, n, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            ;
    enum status out = sqlite_report(s, rc, sql);
    if (changed)
        *changed = sqlite3_changes64(q->db);
    let_go(st, k);
    return out;
}

struct cursor {
    sqlite3_stmt *st;
    struct kept *kept;
};

static enum status sqlite_ask(struct store *s, const char *sql, const struct store_value *v, size_t n, void **cursor)
{
    struct sqlite *q = s->handle;
    struct cursor *c = calloc(1, sizeof *c);
    if (!c)
        return STATUS_NOMEM;
    store_sqlite_begins(s);
    int rc = sqlite_prepare(q, sql, &c->st, &c->kept);
    if (rc == SQLITE_OK)
        rc = bind(c->st, v, n, SQLITE_TRANSIENT);
    if (rc != SQLITE_OK) {
        enum status out = sqlite_report(s, rc, sql);
        let_go(c->st, c->kept);
        free(c);
        return out;
    }
    if (c->kept)
        c->kept->busy = true;
    *cursor = c;
    return STATUS_OK;
}

static bool sqlite_next(struct store *s, void *cursor, enum status *status)
{
    struct cursor *c = cursor;
    int rc = sqlite3_step(c->st);
    *status = sqlite_report(s, rc, sqlite3_sql(c->st));
    return rc == SQLITE_ROW;
}

static const char *sqlite_text(void *cursor, int column)
{
    return (const char *)sqlite3_column_text(((struct cursor *)cursor)->st, column);
}

static int64_t sqlite_number(void *cursor, int column)
{
    return sqlite3_column_int64(((struct cursor *)cursor)->st, column);
}

static void sqlite_done(struct store *s, void *cursor)
{
    struct cursor *c = cursor;
    (void)s;
    let_go(c->st, c->kept);
    free(c);
}

static bool replaced(const struct store *s)
{
    const struct sqlite *q = s->handle;
    struct stat st;
    if (!q->inode) /* in memory */
        return false;
    return stat(q->path, &st) != 0 || st.st_ino != q->inode || st.st_dev != q->device;
}

/* A file whose place another one took while we waited for it is not written to: that would be lost. */
static enum status sqlite_begin(struct store *s)
{
    struct sqlite *q = s->handle;
    enum status st = sqlite_run(s, "BEGIN IMMEDIATE", NULL, 0, NULL);
    if (st != STATUS_OK || !replaced(s))
        return st;
    (void)sqlite_run(s, "ROLLBACK", NULL, 0, NULL);
    snprintf(s->error, sizeof s->error, "%s: it was replaced by another file meanwhile: try again", q->path);
    return STATUS_AGAIN;
}

static enum status sqlite_commit(struct store *s)
{
    return sqlite_run(s, "COMMIT", NULL, 0, NULL);
}

static void rollback(struct store *s)
{
    struct sqlite *q = s->handle;
    if (!sqlite3_get_autocommit(q->db))
        (void)sqlite_run(s, "ROLLBACK", NULL, 0, NULL);
}

/* Waits for readers only this long, because other writers wait meanwhile. */
#define CHECKPOINT_WAIT_MS 50
#define CHECKPOINT_TRIES 5
#define CHECKPOINT_PAUSE_MS 10
#define CHECKPOINT_PAGES 4000 /* of the write-ahead log */
#define WRITE_BACK_PAGES 1000 /* the same, in a long work: a nearly full disk has room for these (4 MB) */
#define VACUUM_PAGES "256"
#define VACUUM_STEPS 100000

/* A passive checkpoint writes the pages and waits for the disk without the writers' lock; false: some could not be
 * written, because a reader or another checkpoint is at them. */
static bool write_pages_back(struct sqlite *q)
{
    int pages = 0, written = -1;
    for (int i = 0; i < CHECKPOINT_TRIES; i++) {
        if (i)
            nanosleep(&(struct timespec){.tv_nsec = CHECKPOINT_PAUSE_MS * 1000000}, NULL);
        int rc = sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &written);
        if (rc == SQLITE_OK && pages == written)
            return true;
    }
    return false;
}

/* The log is not truncated: the next writer begins it anew, and overwrites what it has allocated already. The first
 * commit after that waits for the disk under the writers' lock, so it is not done for a few pages. */
static void write_back(struct store *s)
{
    struct sqlite *q = s->handle;
    if (q->log_pages >= WRITE_BACK_PAGES)
        (void)write_pages_back(q);
}

/* The truncating checkpoint has the writers' lock while it waits for the disk, so it is left little or nothing to
 * write. */
static void checkpoint(struct store *s)
{
    struct sqlite *q = s->handle;
    if (!write_pages_back(q))
        return; /* it would not succeed either */
    q->wait_ms = CHECKPOINT_WAIT_MS;
    (void)sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    q->wait_ms = WAIT_MS;
}

static int64_t ask_pragma(struct store *s, const char *sql)
{
    void *cursor = NULL;
    enum status st = sqlite_ask(s, sql, NULL, 0, &cursor);
    int64_t n = -1;
    if (st == STATUS_OK && sqlite_next(s, cursor, &st))
        n = sqlite_number(cursor, 0);
    if (cursor)
        sqlite_done(s, cursor);
    return n;
}

static enum status vacuum(struct store *s)
{
    enum status st = STATUS_OK;
    int64_t left = ask_pragma(s, "PRAGMA freelist_count");
    for (int i = 0; left > 0 && i < VACUUM_STEPS && st == STATUS_OK; i++) {
        int64_t began = clock_mono_ms();
        st = sqlite_run(s, "PRAGMA incremental_vacuum(" VACUUM_PAGES ")", NULL, 0, NULL);
        write_back(s);
        store_give_way(s, (clock_mono_ms() - began) * 1000);
        int64_t now = ask_pragma(s, "PRAGMA freelist_count");
        if (now >= left)
            break; /* an old file, made without auto_vacuum: its free pages are used again */
        left = now;
    }
    checkpoint(s);
    return st;
}

/* If another connection has written the log back and begun it anew meanwhile, the commit is in the file, which that one
 * synced first. */
static bool sync_log(sqlite3 *db, const char *schema)
{
    sqlite3_file *log = NULL;
    return sqlite3_file_control(db, schema, SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log && log->pMethods &&
           log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

/* Called by SQLite after a commit, when others may write already. Takes the place of its own automatic checkpoint. An
 * error that it returned would be a mistake in the statement (SQLITE_ERROR) to whoever committed. */
static int committed(void *context, sqlite3 *db, const char *schema, int pages)
{
    struct store *s = context;
    struct sqlite *q = s->handle;
    s->ended_ms = clock_mono_ms();
    q->log_pages = pages;
    errno = 0;
    if (!sync_log(db, schema))
        q->sync_error = errno ? errno : EIO;
    if (pages >= CHECKPOINT_PAGES)
        (void)sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

static void mentions(sqlite3_context *out, int n, sqlite3_value **v)
{
    (void)n;
    const char *name = (const char *)sqlite3_value_text(v[1]);
    sqlite3_result_int(out, name && mention_of((const char *)sqlite3_value_text(v[0]), name));
}

static void shrink(struct store *s)
{
    (void)sqlite_run(s, "PRAGMA cache_size=-8192", NULL, 0, NULL);
}

static enum status confirm(struct store *s, const char *sql, const char *value)
{
    struct sqlite *q = s->handle;
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    const char *real = sqlite3_db_filename(q->db, "main");
    if (!real || !real[0]) /* in memory */
        return STATUS_OK;
    int rc = sqlite3_open_v2(real, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_handler(db, wait_turn, q);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(st, 1, value, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    enum status out = rc == SQLITE_ROW ? STATUS_OK : rc == SQLITE_DONE ? STATUS_MISSING : store_sqlite_status(rc);
    if (out != STATUS_OK && out != STATUS_MISSING && !store_sqlite_damage(s, rc, sqlite3_errmsg(db), sql))
        snprintf(s->error, sizeof s->error, "%.200s: %.150s", q->path, sqlite3_errmsg(db));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return out;
}

static enum status sqlite_check(struct store *s)
{
    void *cursor = NULL;
    enum status st = sqlite_ask(s, "PRAGMA quick_check(1)", NULL, 0, &cursor);
    if (st == STATUS_OK && sqlite_next(s, cursor, &st) && strcmp(sqlite_text(cursor, 0), "ok") != 0)
        st = store_sqlite_damage(s, SQLITE_CORRUPT, sqlite_text(cursor, 0), NULL) ? STATUS_INVALID : STATUS_OK;
    if (cursor)
        sqlite_done(s, cursor);
    return st;
}

struct sqlite3 *store_sqlite_handle(struct store *s)
{
    return ((struct sqlite *)s->handle)->db;
}

static void close_it(struct store *s)
{
    struct sqlite *q = s->handle;
    for (size_t i = 0; i < KEPT && q->kept[i].sql; i++) {
        sqlite3_finalize(q->kept[i].statement);
        free(q->kept[i].sql);
    }
    sqlite3_close_v2(q->db);
    if (s->lease >= 0) /* as PostgreSQL does with the session */
        close(s->lease);
    free(q->path);
    free(q);
}

static const struct store_engine engine = {.close = close_it,
                                           .run = sqlite_run,
                                           .ask = sqlite_ask,
                                           .next = sqlite_next,
                                           .text = sqlite_text,
                                           .number = sqlite_number,
                                           .done = sqlite_done,
                                           .begin = sqlite_begin,
                                           .commit = sqlite_commit,
                                           .rollback = rollback,
                                           .vacuum = vacuum,
                                           .checkpoint = checkpoint,
                                           .write_back = write_back,
                                           .replaced = replaced,
                                           .shrink = shrink,
                                           .check = sqlite_check,
                                           .confirm = confirm};

static enum status sqlite_settle(struct store *s, enum store_mode mode)
{
    static const char *const write_pragmas[] = {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA cell_size_check=ON",
                                                "PRAGMA journal_mode=WAL",        "PRAGMA synchronous=NORMAL",
                                                "PRAGMA cache_size=-65536",       "PRAGMA temp_store=MEMORY",
                                                "PRAGMA secure_delete=ON"};
    static const char *const read_pragmas[] = {"PRAGMA query_only=1", "PRAGMA cache_size=-65536",
                                               "PRAGMA temp_store=MEMORY"};
    struct sqlite *q = s->handle;
    const char *const *p = mode == STORE_WRITE ? write_pragmas : read_pragmas;
    size_t n = mode == STORE_WRITE ? sizeof write_pragmas / sizeof *p : sizeof read_pragmas / sizeof *p;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < n && st == STATUS_OK; i++)
        st = sqlite_run(s, p[i], NULL, 0, NULL);
    if (mode == STORE_WRITE)
        (void)sqlite3_wal_hook(q->db, committed, s);
    return st;
}

/* The folder by its real path, and the file's own name in it, which must be no link to a file elsewhere: the folder may
 * belong to a user who is not trusted with what root may open. */
static bool real_place(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup("."), *real = NULL;
    struct stat st;
    if (strcmp(path, ":memory:") == 0) { /* SQLite's name for a database in memory: fuzz targets and benches */
        free(folder);
        return snprintf(out, PATH_MAX, "%s", path) > 0;
    }
    if (folder)
        real = realpath(folder, NULL);
    int n = real ? snprintf(out, PATH_MAX, "%s/%s", real, slash ? slash + 1 : path) : -1;
    free(folder);
    free(real);
    return n > 0 && n < PATH_MAX && (lstat(out, &st) != 0 || (S_ISREG(st.st_mode) && st.st_nlink == 1));
}

static const char *const beside_ends[] = {"-wal", "-shm", "-journal"};
#define BESIDE (sizeof beside_ends / sizeof *beside_ends)

/* Tells whether the name is that of a file that SQLite keeps beside a database. */
static bool is_beside(const char *path)
{
    const char *end = strrchr(path, '-');
    for (size_t i = 0; end && i < BESIDE; i++)
        if (strcmp(end, beside_ends[i]) == 0)
            return true;
    return false;
}

/* How SQLite opens a file. As root it gives the files beside a database to the database's owner, and writes to them: a
 * second name of somebody else's file is refused there. The descriptor is looked at, not the name, so that nobody can
 * put another file in between. A FIFO is not waited for. */
static int open_own(const char *path, int flags, int mode)
{
    struct stat st;
    int fd = open(path, flags | O_NONBLOCK | O_NOCTTY, (mode_t)mode);
    bool matters = (flags & O_ACCMODE) != O_RDONLY || is_beside(path);
    if (fd < 0 || !matters || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink <= 1)
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

/* Before anything else is asked of SQLite. Without its memory statistics no allocation takes a lock. */
static void guard_open(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (vfs && vfs->iVersion >= 3)
        (void)vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)open_own);
}

void store_sqlite_guard(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, guard_open);
}

/* The file beside the database that is none of its own, or NULL. */
static const char *strange_beside(const char *real, char name[PATH_MAX])
{
    struct stat st;
    for (size_t i = 0; i < BESIDE; i++) {
        int n = snprintf(name, PATH_MAX, "%s%s", real, beside_ends[i]);
        if (n > 0 && n < PATH_MAX && lstat(name, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_nlink > 1))
            return name;
    }
    return NULL;
}

/* Opens the file. Not STATUS_OK: `why` says what is wrong. */
static enum status open_file(struct store *s, const char *path, enum store_mode mode, char *why)
{
    struct sqlite *q = s->handle;
    struct stat st;
    char real[PATH_MAX];
    if (stat(path, &st) != 0 && errno == EACCES) {
        char who[200];
        say_who_may(path, who, sizeof who);
        snprintf(why, STORE_ERROR, "%s: %s", path, who);
        return STATUS_DENIED;
    }
    if (mode == STORE_READ && stat(path, &st) != 0) {
        snprintf(why, STORE_ERROR, "%s: there is no ledger yet (assay-ledger creates it)", path);
        return STATUS_MISSING;
    }
    if (!real_place(path, real)) {
        snprintf(why, STORE_ERROR, "%s: not opened: its folder is missing, or it is a link or not a regular file",
                 path);
        return STATUS_DENIED;
    }
    char beside[PATH_MAX];
    if (strange_beside(real, beside)) {
        snprintf(why, STORE_ERROR, "%.200s: a link, a second name or no regular file: remove it", beside);
        return STATUS_DENIED;
    }
    store_sqlite_guard();
    if (stat(real, &st) == 0) {
        q->inode = st.st_ino;
        q->device = st.st_dev;
    }
    /* A reader also opens for writing, because of the write-ahead log's shared memory; query_only prevents any other
     * write. */
    mode_t old = umask(0027);
    int rc = sqlite3_open_v2(real, &q->db,
                             /* no lock for each call: a store belongs to one thread at a time */
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
                                 (mode == STORE_WRITE ? SQLITE_OPEN_CREATE : 0),
                             NULL);
    umask(old);
    enum status status = rc == SQLITE_OK ? STATUS_OK : sqlite_report(s, rc, NULL);
    if (status != STATUS_OK)
        snprintf(why, STORE_ERROR, "%s", s->error);
    return status;
}

/* What each connection needs, and which file it was: a restore puts another in its place. */
static enum status set_up(struct store *s, const char *path, enum store_mode mode, char *why)
{
    struct sqlite *q = s->handle;
    sqlite3_extended_result_codes(q->db, 1);
    q->wait_ms = WAIT_MS;
    sqlite3_busy_handler(q->db, wait_turn, q);
    sqlite3_progress_handler(q->db, CUT_OFF_STEPS, cut_off, q);
    (void)sqlite3_create_function(q->db, "mentions", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, mentions, NULL, NULL);
    enum status status = sqlite_settle(s, mode);
    if (status != STATUS_OK)
        snprintf(why, STORE_ERROR, "%s", s->error);
    struct stat st;
    if (status != STATUS_OK || stat(path, &st) != 0)
        return status;
    if (q->inode && (st.st_ino != q->inode || st.st_dev != q->device)) {
        snprintf(why, STORE_ERROR, "%s: it was replaced by another file meanwhile: try again", path);
        return STATUS_AGAIN;
    }
    q->inode = st.st_ino;
    q->device = st.st_dev;
    return STATUS_OK;
}

struct store *store_sqlite_open(const char *path, enum store_mode mode, enum status *status, char *why)
{
    struct store *s = calloc(1, sizeof *s);
    struct sqlite *q = calloc(1, sizeof *q);
    if (!s || !q || !(q->path = strdup(path))) {
        free(s);
        free(q);
        *status = STATUS_NOMEM;
        snprintf(why, STORE_ERROR, "out of memory");
        return NULL;
    }
    s->engine = &engine;
    s->handle = q;
    s->lease = -1;
    *status = open_file(s, path, mode, why);
    if (*status == STATUS_OK)
        *status = set_up(s, path, mode, why);
    return *status == STATUS_OK ? s : store_close(s);
}
