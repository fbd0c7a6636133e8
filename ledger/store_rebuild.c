// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_rebuild.c - writes a store in a file (SQLite) anew into a second file, in steps, and puts that in its place.
 *
 * Promises that the store is whole and in use at every moment, whoever writes to it meanwhile: triggers note the keys
 * of rows that change (table rebuild_log), and these rows are copied once more at the end. Each step is a transaction,
 * and the second file itself says how far it is, so a process that is killed goes on where it was. The second file
 * takes the place of the first while nobody else has that open, in one rename, after both hold the same rows and all of
 * it is on the disk. On failure the store stays as it is; without room for it, no second file is left.
 */
#include "ledger/store_rebuild.h"
#include "base/buf.h"
#include "ledger/store_engine.h"
#include "ledger/store_lease.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STEP_ROWS 2000
#define STEP_CHANGES 2000
#define TABLES_MAX 64
#define ROOM 12 / 10 /* of the new size */

/* What the second file says of itself: which log it goes with, of which schema it was made, and how far it is. */
enum phase { COPYING, COPIED, COMPARED };

struct table {
    char *name, *columns; /* "a, b, c": what is copied */
    char *key;            /* "a, b", or "rowid" */
    char *key_down;       /* "a DESC, b DESC" */
    char *new_key, *old_key, *logged_key;
};

struct rebuilding {
    struct store *store;
    sqlite3 *db;
    bool (*stop)(void);
    char old[PATH_MAX], fresh[PATH_MAX];
    int fd; /* of the second file, locked */
    struct table tables[TABLES_MAX];
    size_t count;
};

static enum status rebuild_complain(struct rebuilding *r, int rc)
{
    if (store_sqlite_damage(r->store, rc, sqlite3_errmsg(r->db), "the rebuild"))
        return STATUS_INVALID;
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
        snprintf(r->store->error, sizeof r->store->error, "%.150s: not rebuilt: %.150s", r->old, sqlite3_errmsg(r->db));
    return store_sqlite_status(rc);
}

static enum status rebuild_run(struct rebuilding *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static enum status rebuild_run(struct rebuilding *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *sql = NULL;
    int n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0)
        return STATUS_NOMEM;
    store_sqlite_begins(r->store);
    enum status st = rebuild_complain(r, sqlite3_exec(r->db, sql, NULL, NULL, NULL));
    free(sql);
    return st;
}

/* The first column of the first row; NULL: none, or it failed. The caller frees it. */
static char *rebuild_ask(struct rebuilding *r, const char *sql)
{
    sqlite3_stmt *q = NULL;
    char *out = NULL;
    store_sqlite_begins(r->store);
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW && sqlite3_column_text(q, 0))
        out = strdup((const char *)sqlite3_column_text(q, 0));
    (void)rebuild_complain(r, rc);
    sqlite3_finalize(q);
    return out;
}

static int64_t ask_number(struct rebuilding *r, const char *sql)
{
    char *text = rebuild_ask(r, sql);
    int64_t n = text ? strtoll(text, NULL, 10) : -1;
    free(text);
    return n;
}

/* ---- the tables ---- */

static void add_name(struct buf *b, const char *before, const char *name, const char *after)
{
    buf_printf(b, "%s%s\"%s\"%s", b->n ? ", " : "", before, name, after);
}

static char *taken(struct buf *b, const char *none)
{
    char *out = b->failed ? NULL : strdup(b->n ? b->p : none);
    buf_release(b);
    return out;
}

static bool read_table(struct rebuilding *r, const char *name)
{
    struct table *t = &r->tables[r->count];
    struct buf columns = BUF_INIT, key = BUF_INIT, down = BUF_INIT, fresh = BUF_INIT, old = BUF_INIT, logged = BUF_INIT;
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(r->db, "SELECT name, pk FROM pragma_table_info(?1, 'main') ORDER BY pk", -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(q, 1, name, -1, SQLITE_TRANSIENT);
    for (int n = 0; rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;) {
        const char *column = (const char *)sqlite3_column_text(q, 0);
        add_name(&columns, "", column, "");
        if (sqlite3_column_int(q, 1) == 0)
            continue;
        add_name(&key, "", column, "");
        add_name(&down, "", column, " DESC");
        add_name(&fresh, "NEW.", column, "");
        add_name(&old, "OLD.", column, "");
        buf_printf(&logged, "%sjson_extract(key, '$[%d]')", n ? ", " : "", n);
        n++;
    }
    sqlite3_finalize(q);
    if (!key.n)
        buf_adds(&columns, ", rowid");
    *t = (struct table){.name = strdup(name),
                        .columns = taken(&columns, ""),
                        .key = taken(&key, "rowid"),
                        .key_down = taken(&down, "rowid DESC"),
                        .new_key = taken(&fresh, "NEW.rowid"),
                        .old_key = taken(&old, "OLD.rowid"),
                        .logged_key = taken(&logged, "json_extract(key, '$[0]')")};
    r->count++;
    return rc == SQLITE_OK && t->name && t->columns && t->key && t->key_down && t->new_key && t->old_key &&
           t->logged_key;
}

#define OWN_TABLES "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'rebuild\\_%' ESCAPE '\\'"

static enum status read_tables(struct rebuilding *r)
{
    sqlite3_stmt *q = NULL;
    bool good = true;
    int rc = sqlite3_prepare_v2(
        r->db, "SELECT name FROM main.sqlite_master WHERE type = 'table' AND " OWN_TABLES " ORDER BY name", -1, &q,
        NULL);
    while (good && rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        good = r->count < TABLES_MAX && read_table(r, (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return rc != SQLITE_OK ? rebuild_complain(r, rc) : good ? STATUS_OK : STATUS_NOMEM;
}

static void free_tables(struct rebuilding *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct table *t = &r->tables[i];
        free(t->name);
        free(t->columns);
        free(t->key);
        free(t->key_down);
        free(t->new_key);
        free(t->old_key);
        free(t->logged_key);
    }
}

/* ---- the beginning, and giving up ---- */

#define HAS_LOG "SELECT count(*) FROM main.sqlite_master WHERE name = 'rebuild_log'"

static void remove_fresh(const struct rebuilding *r)
{
    char beside[PATH_MAX + 16];
    (void)unlink(r->fresh);
    snprintf(beside, sizeof beside, "%s-journal", r->fresh);
    (void)unlink(beside);
}

/* The second file first: without its log it must not be taken for a copy. */
static enum status give_up(struct rebuilding *r)
{
    remove_fresh(r);
    if (ask_number(r, HAS_LOG) == 0)
        return STATUS_OK;
    enum status st = rebuild_run(r, "BEGIN IMMEDIATE");
    char *drops =
        rebuild_ask(r, "SELECT group_concat('DROP TRIGGER main.\"' || name || '\"', ';') FROM main.sqlite_master "
                       "WHERE type = 'trigger' AND name LIKE 'rebuild\\_%' ESCAPE '\\'");
    if (st == STATUS_OK && drops)
        st = rebuild_run(r, "%s", drops);
    free(drops);
    if (st == STATUS_OK)
        st = rebuild_run(r, "DROP TABLE IF EXISTS main.rebuild_log");
    if (st == STATUS_OK)
        st = rebuild_run(r, "COMMIT");
    if (!sqlite3_get_autocommit(r->db))
        (void)sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static enum status need_room(struct rebuilding *r, int64_t done)
{
    struct statvfs v;
    int64_t size = (ask_number(r, "PRAGMA main.page_count") - ask_number(r, "PRAGMA main.freelist_count")) *
                   ask_number(r, "PRAGMA main.page_size");
    int64_t need = size * ROOM - done;
    if (statvfs(r->old, &v) == 0 && (int64_t)v.f_bavail * (int64_t)v.f_frsize >= need)
        return STATUS_OK;
    snprintf(r->store->error, sizeof r->store->error,
             "%.300s: not rebuilt: it needs %" PRId64 " MB of free space for a while", r->old, need / 1000000 + 1);
    return STATUS_MISSING;
}

/* From now on each change is noted. */
static enum status begin_log(struct rebuilding *r)
{
    enum status st = rebuild_run(r, "BEGIN IMMEDIATE");
    if (st == STATUS_OK)
        st = rebuild_run(r,
                         "CREATE TABLE main.rebuild_log (n INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL);"
                         "INSERT INTO main.rebuild_log VALUES (0, '', hex(randomblob(16)))");
    for (size_t i = 0; i < r->count && st == STATUS_OK; i++) {
        const struct table *t = &r->tables[i];
        const char *note = "INSERT INTO rebuild_log (name, key) VALUES";
        st = rebuild_run(
            r,
            "CREATE TRIGGER main.\"rebuild_%s_i\" AFTER INSERT ON \"%s\" BEGIN %s ('%s', json_array(%s)); END;"
            "CREATE TRIGGER main.\"rebuild_%s_d\" AFTER DELETE ON \"%s\" BEGIN %s ('%s', json_array(%s)); END;"
            "CREATE TRIGGER main.\"rebuild_%s_u\" AFTER UPDATE ON \"%s\" BEGIN %s ('%s', json_array(%s)); "
            "%s ('%s', json_array(%s)); END",
            t->name, t->name, note, t->name, t->new_key, t->name, t->name, note, t->name, t->old_key, t->name, t->name,
            note, t->name, t->old_key, note, t->name, t->new_key);
    }
    if (st == STATUS_OK)
        st = rebuild_run(r, "COMMIT");
    if (!sqlite3_get_autocommit(r->db))
        (void)sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static enum status open_fresh(struct rebuilding *r)
{
    r->fd = open(r->fresh, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    struct stat st;
    if (r->fd < 0 || fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
        snprintf(r->store->error, sizeof r->store->error, "%.300s: not a file of ours, or not to be made: remove it",
                 r->fresh);
        return STATUS_DENIED;
    }
    if (flock(r->fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(r->store->error, sizeof r->store->error, "%.300s: another process rebuilds it", r->old);
        return STATUS_AGAIN;
    }
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(r->db, "ATTACH ?1 AS fresh", -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(q, 1, r->fresh, -1, SQLITE_TRANSIENT);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    sqlite3_finalize(q);
    enum status out = rebuild_complain(r, rc);
    if (out == STATUS_OK)
        out =
            rebuild_run(r,
                        "PRAGMA fresh.page_size=%" PRId64
                        "; PRAGMA fresh.auto_vacuum=INCREMENTAL; PRAGMA fresh.journal_mode=DELETE; "
                        "PRAGMA fresh.synchronous=FULL; PRAGMA fresh.secure_delete=ON; PRAGMA fresh.cache_size=-16384",
                        ask_number(r, "PRAGMA main.page_size"));
    return out;
}

static void close_fresh(struct rebuilding *r)
{
    if (!sqlite3_get_autocommit(r->db))
        (void)sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    (void)sqlite3_exec(r->db, "DETACH fresh", NULL, NULL, NULL);
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

#define SCHEMA                                                                                                         \
    "(SELECT group_concat(sql, ';') FROM (SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE " \
    "'rebuild\\_%' ESCAPE '\\' ORDER BY name))"

/* Whether the second file goes with the log and the schema. */
static bool is_ours(struct rebuilding *r)
{
    return ask_number(r, HAS_LOG) == 1 &&
           ask_number(r, "SELECT count(*) FROM fresh.sqlite_master WHERE name = 'rebuild_of'") == 1 &&
           ask_number(r, "SELECT count(*) FROM pragma_table_info('rebuild_of', 'fresh') WHERE name = 'next'") == 1 &&
           ask_number(
               r, "SELECT count(*) FROM fresh.rebuild_of WHERE (SELECT key FROM main.rebuild_log WHERE n = 0) IN (log, "
                  "next) AND schema = " SCHEMA) == 1;
}

/* Both files get a new mark, at the beginning and at the end of each call: a store of an earlier moment, which somebody
 * put back, then does not go with the copy. A process that dies between two of the three leaves marks that go together.
 */
static enum status renew_marks(struct rebuilding *r)
{
    enum status st = rebuild_run(r, "UPDATE fresh.rebuild_of SET next = hex(randomblob(16))");
    if (st == STATUS_OK)
        st = rebuild_run(r, "UPDATE main.rebuild_log SET key = (SELECT next FROM fresh.rebuild_of) WHERE n = 0");
    return st == STATUS_OK ? rebuild_run(r, "UPDATE fresh.rebuild_of SET log = next") : st;
}

static enum status make_tables(struct rebuilding *r)
{
    enum status st = rebuild_run(r, "BEGIN");
    char *sql = rebuild_ask(
        r, "SELECT group_concat('CREATE TABLE fresh.' || substr(sql, 14), ';') FROM main.sqlite_master WHERE "
           "type = 'table' AND " OWN_TABLES);
    if (st == STATUS_OK)
        st = sql ? rebuild_run(r, "%s", sql) : STATUS_NOMEM;
    free(sql);
    if (st == STATUS_OK)
        st = rebuild_run(r, "%s",
                         "CREATE TABLE fresh.rebuild_of (log TEXT, next TEXT, schema TEXT, phase INTEGER); INSERT INTO "
                         "fresh.rebuild_of SELECT key, key, " SCHEMA ", 0 FROM main.rebuild_log WHERE n = 0");
    return st == STATUS_OK ? rebuild_run(r, "COMMIT") : st;
}

/* Goes on with the second file, or begins anew. */
static enum status rebuild_start(struct rebuilding *r)
{
    struct stat file;
    enum status st = need_room(r, stat(r->fresh, &file) == 0 ? file.st_size : 0);
    if (st == STATUS_OK)
        st = open_fresh(r);
    if (st != STATUS_OK)
        return st;
    if (is_ours(r))
        return renew_marks(r);
    close_fresh(r);
    st = give_up(r);
    if (st == STATUS_OK)
        st = begin_log(r);
    if (st == STATUS_OK)
        st = open_fresh(r);
    return st == STATUS_OK ? make_tables(r) : st;
}

/* ---- the copy ---- */

/* Rows after the last that is there. *n: how many. */
static enum status copy_step(struct rebuilding *r, const struct table *t, int *n)
{
    char question[200];
    snprintf(question, sizeof question, "SELECT count(*) FROM (SELECT 1 FROM fresh.\"%s\" LIMIT 1)", t->name);
    bool empty = ask_number(r, question) == 0;
    enum status st =
        empty
            ? rebuild_run(r, "INSERT INTO fresh.\"%s\" (%s) SELECT %s FROM main.\"%s\" ORDER BY %s LIMIT %d", t->name,
                          t->columns, t->columns, t->name, t->key, STEP_ROWS)
            : rebuild_run(
                  r,
                  "INSERT INTO fresh.\"%s\" (%s) SELECT %s FROM main.\"%s\" WHERE (%s) > (SELECT %s FROM fresh.\"%s\" "
                  "ORDER BY %s LIMIT 1) ORDER BY %s LIMIT %d",
                  t->name, t->columns, t->columns, t->name, t->key, t->key, t->name, t->key_down, t->key, STEP_ROWS);
    *n = st == STATUS_OK ? sqlite3_changes(r->db) : 0;
    return st;
}

static bool told(const struct rebuilding *r)
{
    return r->stop && r->stop();
}

/* Tables first: an index is made faster at the end, each in one go. */
static enum status copy(struct rebuilding *r)
{
    enum status st = STATUS_OK;
    char *sql;
    for (size_t i = 0; i < r->count; i++)
        for (int n = 1; n > 0 && st == STATUS_OK;) {
            st = copy_step(r, &r->tables[i], &n);
            if (n > 0 && told(r)) /* a call copies at least one step, however short its time */
                return STATUS_OK;
        }
    while (st == STATUS_OK &&
           (sql = rebuild_ask(
                r, "SELECT 'CREATE INDEX fresh.' || substr(sql, 14) FROM main.sqlite_master WHERE type = 'index' AND "
                   "sql IS NOT NULL AND name NOT IN (SELECT name FROM fresh.sqlite_master) LIMIT 1"))) {
        if (!told(r))
            st = rebuild_run(r, "%s", sql);
        free(sql);
        if (told(r))
            return st;
    }
    return st == STATUS_OK ? rebuild_run(r, "UPDATE fresh.rebuild_of SET phase = %d", COPIED) : st;
}

/* Copies the rows that changed once more, up to number `to` of the log. Within a transaction. */
static enum status copy_changed(struct rebuilding *r, int64_t to)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; i < r->count && st == STATUS_OK; i++) {
        const struct table *t = &r->tables[i];
        struct buf keys = BUF_INIT;
        buf_printf(&keys, "(%s) IN (SELECT %s FROM main.rebuild_log WHERE n > 0 AND n <= %" PRId64 " AND name = '%s')",
                   t->key, t->logged_key, to, t->name);
        st = keys.failed
                 ? STATUS_NOMEM
                 : rebuild_run(r,
                               "DELETE FROM fresh.\"%s\" WHERE %s; INSERT INTO fresh.\"%s\" (%s) SELECT %s FROM "
                               "main.\"%s\" WHERE %s",
                               t->name, keys.p, t->name, t->columns, t->columns, t->name, keys.p);
        buf_release(&keys);
    }
    return st;
}

#define LOGGED "SELECT coalesce(max(n), 0) FROM main.rebuild_log"

/* Until no change is left to be copied. */
static enum status catch_up(struct rebuilding *r, bool *level)
{
    enum status st = STATUS_OK;
    for (*level = false; st == STATUS_OK && !told(r);) {
        st = rebuild_run(r, "BEGIN");
        int64_t first = ask_number(r, "SELECT coalesce(min(n), 0) FROM main.rebuild_log WHERE n > 0"),
                last = ask_number(r, LOGGED);
        if (first > 0 && last > first + STEP_CHANGES)
            last = first + STEP_CHANGES;
        if (st == STATUS_OK)
            st = first < 0 || last < 0 ? STATUS_AGAIN : copy_changed(r, last);
        if (st == STATUS_OK)
            st = rebuild_run(r, "COMMIT");
        if (st == STATUS_OK && last == 0) {
            *level = true;
            return STATUS_OK;
        }
        if (st == STATUS_OK)
            st = rebuild_run(r, "DELETE FROM main.rebuild_log WHERE n > 0 AND n <= %" PRId64, last);
    }
    return st;
}

/* Both have as many rows in each table, at a moment when no change is left. *same: false also when somebody wrote. */
static enum status rebuild_compare(struct rebuilding *r, bool *same)
{
    char question[300];
    enum status st = rebuild_run(r, "BEGIN");
    bool still = ask_number(r, LOGGED) == 0;
    *same = still;
    for (size_t i = 0; i < r->count && st == STATUS_OK && *same; i++) {
        snprintf(question, sizeof question,
                 "SELECT (SELECT count(*) FROM main.\"%s\") = (SELECT count(*) FROM fresh.\"%s\")", r->tables[i].name,
                 r->tables[i].name);
        *same = ask_number(r, question) == 1;
    }
    if (st == STATUS_OK)
        st = rebuild_run(r, "COMMIT");
    if (st == STATUS_OK && still && !*same) {
        snprintf(r->store->error, sizeof r->store->error, "%.300s: not rebuilt: the copy has not as many rows", r->old);
        return STATUS_INVALID;
    }
    return st == STATUS_OK && *same ? rebuild_run(r, "UPDATE fresh.rebuild_of SET phase = %d", COMPARED) : st;
}

/* ---- the end ---- */

/* The first file is locked by us alone, and has no write-ahead log beside it. */
static enum status rebuild_finish(struct rebuilding *r)
{
    enum status st = rebuild_run(r, "BEGIN EXCLUSIVE");
    char *mode = st == STATUS_OK ? rebuild_ask(r, "PRAGMA main.journal_mode") : NULL;
    if (st == STATUS_OK && (!mode || strcmp(mode, "delete") != 0))
        st = STATUS_AGAIN; /* somebody opened it in between */
    free(mode);
    int64_t last = ask_number(r, LOGGED);
    if (st == STATUS_OK)
        st = last < 0 ? STATUS_AGAIN : copy_changed(r, last);
    if (st == STATUS_OK)
        st = rebuild_run(r, "DELETE FROM fresh.ledger_state WHERE name = '" STORE_REBUILD_STATE
                            "'; DROP TABLE fresh.rebuild_of");
    if (st == STATUS_OK)
        st = rebuild_run(r, "COMMIT");
    if (st != STATUS_OK)
        return st;
    if (!store_give_rights(r->fd, r->old) || fsync(r->fd) != 0 || rename(r->fresh, r->old) != 0) {
        snprintf(r->store->error, sizeof r->store->error, "%.300s: not rebuilt: %s", r->old, strerror(errno));
        return STATUS_AGAIN;
    }
    (void)store_sync_folder(r->old); /* after a loss of power the one file or the other is there, whole */
    return STATUS_OK;
}

/* *done stays false while somebody else has the file open: that is tried again. */
static enum status put_in_place(struct rebuilding *r, bool *done)
{
    char *mode = rebuild_ask(r, "PRAGMA main.journal_mode=DELETE");
    bool alone = mode && strcmp(mode, "delete") == 0;
    free(mode);
    if (!alone)
        return STATUS_OK;
    enum status st = rebuild_run(r, "PRAGMA main.locking_mode=EXCLUSIVE");
    if (st == STATUS_OK)
        st = rebuild_finish(r);
    *done = st == STATUS_OK;
    if (*done)
        return st;
    char error[STORE_ERROR];
    memcpy(error, r->store->error, sizeof error);
    if (!sqlite3_get_autocommit(r->db))
        (void)sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    (void)rebuild_run(
        r, "PRAGMA main.locking_mode=NORMAL; SELECT count(*) FROM main.sqlite_master; PRAGMA main.journal_mode=WAL");
    memcpy(r->store->error, error, sizeof error);
    return st;
}

static enum status go_on(struct rebuilding *r, bool *done)
{
    bool level = false, same = true;
    enum status st = STATUS_OK;
    if (ask_number(r, "SELECT phase FROM fresh.rebuild_of") == COPYING)
        st = copy(r);
    if (st == STATUS_OK && ask_number(r, "SELECT phase FROM fresh.rebuild_of") >= COPIED)
        st = catch_up(r, &level);
    if (st == STATUS_OK && level && ask_number(r, "SELECT phase FROM fresh.rebuild_of") == COPIED)
        st = rebuild_compare(r, &same);
    return st == STATUS_OK && level && same && !told(r) ? put_in_place(r, done) : st;
}

static bool set_up(struct rebuilding *r, struct store *s)
{
    *r = (struct rebuilding){.store = s, .db = store_sqlite_handle(s), .fd = -1};
    const char *path = sqlite3_db_filename(r->db, "main");
    int n = path && path[0] ? snprintf(r->old, sizeof r->old, "%s", path) : -1;
    return n > 0 && n < PATH_MAX && snprintf(r->fresh, sizeof r->fresh, "%s.rebuilt", path) < PATH_MAX;
}

static enum status rebuild(struct store *s, bool (*stop)(void), bool *done)
{
    struct rebuilding *r = malloc(sizeof *r);
    if (!r || !set_up(r, s)) {
        free(r);
        return STATUS_NOMEM;
    }
    r->stop = stop;
    enum status st = read_tables(r);
    if (st == STATUS_OK)
        st = rebuild_start(r);
    if (st == STATUS_OK)
        st = go_on(r, done);
    if (st == STATUS_OK && !*done)
        st = renew_marks(r);
    bool full = (sqlite3_errcode(r->db) & 0xff) == SQLITE_FULL || st == STATUS_MISSING || st == STATUS_INVALID;
    char error[STORE_ERROR];
    memcpy(error, s->error, sizeof error);
    close_fresh(r);
    if (st != STATUS_OK && full)
        (void)give_up(r);
    memcpy(s->error, error, sizeof error);
    free_tables(r);
    free(r);
    return st;
}

enum status store_rebuild(struct store *s, bool (*stop)(void), bool *wanted, bool *done)
{
    int64_t n = 0;
    *wanted = *done = false;
    if (store_is_shared(s))
        return STATUS_OK;
    enum status st =
        store_ask_number(s, 0, &n, "SELECT count(*) FROM ledger_state WHERE name = $1", "t", STORE_REBUILD_STATE);
    *wanted = st == STATUS_OK && n;
    if (*wanted)
        st = store_lease_take(s, "an upgrade");
    if (!*wanted || st != STATUS_OK)
        return st;
    st = rebuild(s, stop, done);
    store_lease_leave(s);
    return st;
}

enum status store_rebuild_end(struct store *s)
{
    if (store_is_shared(s))
        return STATUS_OK;
    struct rebuilding *r = malloc(sizeof *r);
    enum status st = !r ? STATUS_NOMEM : set_up(r, s) ? give_up(r) : STATUS_OK;
    free(r);
    return st;
}
