// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_rebuild.c - a store in a file is rebuilt in steps while others write: kill -9 at any moment changes no row of
 * any table, an earlier copy is never continued, and deleted rows are not in the second file.
 *
 * Each change is made to a store and to its mirror, which nobody rebuilds; at the end both have the same rows.
 */
#include "tests/unit/cm.h"

#include "base/clock.h"
#include "ledger/retention.h"
#include "ledger/store_backup.h"
#include "ledger/store_rebuild.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 9000
#define KILLS 25

static char dir[64], db[96], mirror[96], fresh[112], backup[96];
static unsigned seed;
static int steps_left;

static unsigned some(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

static struct store *open_it(const char *path)
{
    char why[STORE_ERROR] = "";
    struct store *s = store_open(path, STORE_WRITE, NULL, why);
    if (!s)
        fail_msg("%s", why);
    return s;
}

/* Only in a process of the test's own: the daemon's part. */
static bool rebuild_stop(void)
{
    return steps_left-- <= 0;
}

static void mails_add(struct store *s, unsigned n, unsigned count)
{
    char name[40], id[40];
    snprintf(name, sizeof name, "d%u.example", n);
    snprintf(id, sizeof id, "Q%u", n);
    assert_int_equal(store_run(s, NULL,
                               "INSERT INTO mail (t, host, queue_id, source, exact, from_domain, rcpts, action, would) "
                               "VALUES ($1, 'mx', $2, 'milter', 0, $3, 1, 'deliver', 'deliver')",
                               "itt", (int64_t)n, id, name),
                     STATUS_OK);
    assert_int_equal(
        store_run(s, NULL,
                  "INSERT INTO subject_day (subject, scope, standard, day, result, security, count, first_seen, "
                  "last_seen) VALUES ($1, 'it''s \"a\" \\ b', 'spf', $2, 'pass', '', $3, 1, 2) ON CONFLICT "
                  "(subject, scope, standard, day, result, security) DO UPDATE SET count = subject_day.count + "
                  "excluded.count",
                  "tii", name, (int64_t)(n % 7), (int64_t)count),
        STATUS_OK);
}

static void change(struct store *s, unsigned n, unsigned how)
{
    char name[40];
    snprintf(name, sizeof name, "d%u.example", n);
    if (how == 0)
        mails_add(s, n, 3);
    else if (how == 1)
        assert_int_equal(store_run(s, NULL, "DELETE FROM subject_day WHERE subject = $1", "t", name), STATUS_OK);
    else if (how == 2)
        assert_int_equal(store_run(s, NULL, "DELETE FROM mail WHERE t = $1", "i", (int64_t)n), STATUS_OK);
    else if (how == 3) /* its key changes */
        assert_int_equal(
            store_run(s, NULL, "UPDATE OR REPLACE subject_day SET day = day + 1 WHERE subject = $1", "t", name),
            STATUS_OK);
    else
        assert_int_equal(store_run(s, NULL, "UPDATE mail SET rcpts = rcpts + 1 WHERE t = $1", "i", (int64_t)n),
                         STATUS_OK);
}

static void store_fill(const char *path)
{
    struct store *s = open_it(path);
    assert_int_equal(store_begin(s), STATUS_OK);
    for (unsigned n = 0; n < ROWS; n++)
        mails_add(s, n, n);
    assert_int_equal(store_commit(s), STATUS_OK);
    store_close(s);
}

static void want(const char *path)
{
    struct store *s = open_it(path);
    assert_int_equal(store_run(s, NULL, "INSERT INTO ledger_state (name, number) VALUES ('rebuild', 1)", ""),
                     STATUS_OK);
    store_close(s);
}

static int set_up(void **state)
{
    (void)state;
    seed = 1;
    snprintf(dir, sizeof dir, "/tmp/assay-rebuild-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(db, sizeof db, "%s/ledger.db", dir);
    snprintf(fresh, sizeof fresh, "%s.rebuilt", db);
    snprintf(mirror, sizeof mirror, "%s/mirror.db", dir);
    snprintf(backup, sizeof backup, "%s/backup.db", dir);
    store_fill(db);
    store_fill(mirror);
    want(db);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* One call, in a process that lives so many steps, or is killed by then. */
static pid_t rebuild_in_child(int steps, bool dies)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    bool wanted = false, done = false;
    char why[STORE_ERROR];
    struct store *s = store_open(db, STORE_WRITE, NULL, why);
    steps_left = steps;
    if (!s)
        _exit(3);
    enum status st = store_rebuild(s, rebuild_stop, &wanted, &done);
    if (dies)
        raise(SIGKILL);
    if (st != STATUS_OK)
        fprintf(stderr, "%s\n", store_error(s));
    store_close(s);
    _exit(st != STATUS_OK ? 2 : done ? 1 : 0);
}

static int ended(pid_t pid)
{
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

/* Every table of the schema has the same rows in both. */
static void stores_same(void)
{
    char sql[700], names[64][64];
    size_t count = 0;
    struct store *s = open_it(db);
    assert_int_equal(store_run(s, NULL, "ATTACH $1 AS mirror", "t", mirror), STATUS_OK);
    struct store_rows *r = store_ask(s, "SELECT name FROM mirror.sqlite_master WHERE type = 'table' ORDER BY name", "");
    while (store_next(r) && count < 64)
        snprintf(names[count++], sizeof names[0], "%.60s", store_text(r, 0));
    assert_int_equal(store_done(r), STATUS_OK);
    assert_in_range(count, 20, 63);
    for (size_t i = 0; i < count; i++) {
        int64_t differ = -1;
        snprintf(sql, sizeof sql,
                 "SELECT (SELECT count(*) FROM (SELECT * FROM main.%.60s EXCEPT SELECT * FROM mirror.%.60s)) + (SELECT "
                 "count(*) "
                 "FROM "
                 "(SELECT * FROM mirror.%.60s EXCEPT SELECT * FROM main.%.60s)) + abs((SELECT count(*) FROM "
                 "main.%.60s) - (SELECT "
                 "count(*) FROM mirror.%.60s))",
                 names[i], names[i], names[i], names[i], names[i], names[i]);
        assert_int_equal(store_ask_number(s, -1, &differ, sql, ""), STATUS_OK);
        if (differ)
            fail_msg("%s differs in %lld rows", names[i], (long long)differ);
    }
    int64_t n = -1;
    assert_int_equal(store_ask_number(s, -1, &n,
                                      "SELECT count(*) FROM (SELECT sql FROM main.sqlite_master EXCEPT SELECT sql FROM "
                                      "mirror.sqlite_master) ",
                                      ""),
                     STATUS_OK);
    assert_int_equal(n, 0); /* no trigger and no table of the rebuild, all indexes */
    store_close(s);
}

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static void rebuild_finish(void)
{
    int how = 0;
    for (int i = 0; i < 50 && how == 0; i++)
        how = ended(rebuild_in_child(100000, false));
    assert_int_equal(how, 1);
    assert_false(is_there(fresh));
    struct store *s = open_it(db);
    int64_t n = -1;
    assert_int_equal(store_ask_number(s, -1, &n, "PRAGMA auto_vacuum", ""), STATUS_OK);
    assert_int_equal(n, 2);
    assert_int_equal(store_ask_number(s, -1, &n, "SELECT (integrity_check = 'ok') FROM pragma_integrity_check", ""),
                     STATUS_OK);
    assert_int_equal(n, 1);
    store_close(s);
}

/* Killed between steps and in the middle of them, while another process changes rows before and behind the copy. */
static void test_killed(void **state)
{
    (void)state;
    struct stat before, after;
    off_t largest = 0;
    int grew = 0;
    assert_int_equal(stat(db, &before), 0);
    for (int k = 0; k < KILLS; k++) {
        pid_t pid = rebuild_in_child(k % 4, true);
        struct store *s = open_it(db), *m = open_it(mirror);
        for (int i = 0; i < 20; i++) {
            unsigned n = some(ROWS * 11 / 10), how = some(5);
            change(s, n, how);
            change(m, n, how);
        }
        if (k % 3 == 0)
            kill(pid, SIGKILL);
        store_close(s);
        store_close(m);
        assert_int_equal(ended(pid), -SIGKILL);
        struct stat st;
        if (k % 3 != 0 && stat(fresh, &st) == 0) { /* else it may contain what is rolled back next */
            grew += st.st_size > largest;
            assert_true(st.st_size >= largest); /* it went on, and did not begin anew */
            largest = st.st_size;
        }
    }
    assert_true(grew > 1);
    rebuild_finish();
    assert_int_equal(stat(db, &after), 0);
    assert_true(after.st_ino != before.st_ino);
    assert_int_equal(after.st_mode, before.st_mode);
    stores_same();
}

/* While somebody has the store open it is not put in place; who opened the old file then may not write to it. */
static void test_open_elsewhere(void **state)
{
    (void)state;
    struct store *other = open_it(db), *m = open_it(mirror);
    int64_t n;
    assert_int_equal(store_ask_number(other, 0, &n, "SELECT count(*) FROM mail", ""), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ended(rebuild_in_child(100000, false)), 0);
    assert_true(is_there(fresh));
    change(other, 5, 3);
    change(m, 5, 3);
    assert_false(store_is_replaced(other));
    store_close(other);
    store_close(m);
    rebuild_finish();
    stores_same();
}

/* A store from a backup is older than the copy; a store that somebody forgot of is not what was copied. */
static void test_begins_anew(void **state)
{
    (void)state;
    char why[STORE_ERROR] = "";
    assert_int_equal(ended(rebuild_in_child(3, false)), 0);
    struct store *s = open_it(db);
    assert_int_equal(store_backup(s, backup, why), STATUS_OK);
    change(s, 1, 1);
    store_close(s);
    assert_int_equal(ended(rebuild_in_child(3, false)), 0);
    assert_int_equal(store_restore(db, backup, why), STATUS_OK);
    assert_false(is_there(fresh));
    assert_int_equal(ended(rebuild_in_child(3, false)), 0);
    assert_true(is_there(fresh));
    int64_t rows = 0;
    s = open_it(db);
    struct store *m = open_it(mirror);
    assert_int_equal(retention_forget(s, "d77.example", false, &rows), STATUS_OK);
    assert_true(rows >= 2);
    assert_false(is_there(fresh));
    assert_int_equal(
        store_ask_number(s, -1, &rows, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'rebuild%'", ""), STATUS_OK);
    assert_int_equal(rows, 0);
    assert_int_equal(retention_forget(m, "d77.example", false, &rows), STATUS_OK);
    store_close(s);
    store_close(m);
    rebuild_finish();
    stores_same();
}

/* A process that still has the old file open when another one is in its place. */
static void test_replaced(void **state)
{
    (void)state;
    char why[STORE_ERROR] = "";
    int64_t n = -1;
    struct store *old = open_it(db);
    assert_int_equal(store_backup(old, backup, why), STATUS_OK);
    assert_int_equal(store_begin(old), STATUS_OK); /* nobody replaced it yet */
    assert_int_equal(store_commit(old), STATUS_OK);
    assert_int_equal(rename(backup, db), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_begin(old), STATUS_AGAIN);
        assert_non_null(strstr(store_error(old), "replaced"));
        assert_non_null(strstr(store_error(old), "try again"));
        assert_non_null(strstr(store_error(old), db));
    }
    assert_true(store_is_replaced(old));
    /* No lock of the old file is left, and the new one is written to as ever. */
    struct store *fresh_one = open_it(db);
    assert_int_equal(store_begin(fresh_one), STATUS_OK);
    change(fresh_one, ROWS + 1, 0);
    assert_int_equal(store_commit(fresh_one), STATUS_OK);
    assert_int_equal(store_ask_number(fresh_one, -1, &n, "SELECT count(*) FROM mail", ""), STATUS_OK);
    assert_int_equal(n, ROWS + 1);
    store_close(fresh_one);
    store_close(old);
}

static void copy_file(const char *from, const char *to)
{
    char command[400];
    snprintf(command, sizeof command, "cp '%s' '%s' && rm -f '%s-wal' '%s-shm'", from, to, to, to);
    assert_int_equal(system(command), 0);
}

static void change_both(unsigned from, unsigned to)
{
    struct store *s = open_it(db), *m = open_it(mirror);
    for (unsigned n = from; n < to; n++) {
        change(s, n, 1 + n % 4);
        change(m, n, 1 + n % 4);
    }
    store_close(s);
    store_close(m);
}

/* An earlier state of the store, with the log of the rebuild in it, is put back by cp while nobody runs; the second
 * file, which is further, stays beside it. */
static void test_copied_by_hand(void **state)
{
    (void)state;
    char why[STORE_ERROR] = "", kept[112];
    snprintf(kept, sizeof kept, "%s.kept", mirror);
    for (int rounds = 1; rounds < 5; rounds++) {
        assert_int_equal(ended(rebuild_in_child(rounds, false)), 0);
        change_both(100, 200);
        struct store *s = open_it(db), *m = open_it(mirror);
        (void)unlink(backup);
        (void)unlink(kept);
        assert_int_equal(store_backup(s, backup, why), STATUS_OK);
        assert_int_equal(store_backup(m, kept, why), STATUS_OK);
        store_close(s);
        store_close(m);
        /* The same number of rows as before, so that counting them shows nothing. */
        struct store *both[] = {open_it(db), open_it(mirror)};
        for (int i = 0; i < 2; i++) {
            assert_int_equal(store_run(both[i], NULL, "UPDATE mail SET rcpts = 77 WHERE t < 300", ""), STATUS_OK);
            assert_int_equal(store_run(both[i], NULL, "UPDATE mail SET t = t + 90000000 WHERE t < 20", ""), STATUS_OK);
            store_close(both[i]);
        }
        assert_int_equal(ended(rebuild_in_child(rounds, false)), 0);
        assert_true(is_there(fresh));
        copy_file(backup, db);
        copy_file(kept, mirror);
    }
    rebuild_finish();
    stores_same();
}

static const struct {
    const char *table, *column;
} passing[] = {
#define TABLE(t, ...)
#define COLUMN(t, c, k)
#define PASSING(t, c, k) {#t, #c},
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
};

#define PASSING_COLUMNS (sizeof passing / sizeof *passing)

/* What a rebuild makes beside the schema is marked, and gone once somebody forgot. */
static void test_passing_tables_are_marked(void **state)
{
    (void)state;
    size_t marked = 0;
    int64_t n = -1;
    assert_int_equal(ended(rebuild_in_child(3, false)), 0);
    struct store *s = open_it(db);
    assert_int_equal(store_run(s, NULL, "ATTACH $1 AS fresh", "t", fresh), STATUS_OK);
    struct store_rows *r = store_ask(
        s,
        "SELECT m.name, c.name FROM (SELECT name, 'main' AS base FROM main.sqlite_master WHERE type = 'table' UNION "
        "ALL "
        "SELECT name, 'fresh' FROM fresh.sqlite_master WHERE type = 'table') m, pragma_table_info(m.name, m.base) c "
        "WHERE m.name LIKE 'rebuild%' OR m.name NOT IN (SELECT name FROM main.sqlite_master)",
        "");
    while (store_next(r)) {
        bool found = false;
        for (size_t i = 0; i < PASSING_COLUMNS; i++)
            found |=
                strcmp(passing[i].table, store_text(r, 0)) == 0 && strcmp(passing[i].column, store_text(r, 1)) == 0;
        if (!found)
            fail_msg("%s.%s has no line in ledger/subjects.def", store_text(r, 0), store_text(r, 1));
        marked++;
    }
    assert_int_equal(store_done(r), STATUS_OK);
    assert_int_equal(marked, PASSING_COLUMNS);
    assert_int_equal(store_run(s, NULL, "DETACH fresh", ""), STATUS_OK);
    assert_int_equal(retention_forget(s, "nobody.example", false, &n), STATUS_OK);
    assert_int_equal(store_ask_number(s, -1, &n, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'rebuild%'", ""),
                     STATUS_OK);
    assert_int_equal(n, 0);
    assert_false(is_there(fresh));
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copied_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_passing_tables_are_marked, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
