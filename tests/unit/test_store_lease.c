// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_store_lease.c - one long work on a store at a time: whoever comes second is told who is first, nothing of its
 * own is done, and a lease ends with its holder.
 *
 * On the store that ASSAY_TEST_STORE names too.
 */
#include "tests/unit/ledger_store.h"

#include "ledger/most_seen.h"
#include "ledger/recount.h"
#include "ledger/retention.h"
#include "ledger/store_backup.h"
#include "ledger/store_lease.h"
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ledger_store ledger;
static struct store *s, *other;

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&ledger, -1) != 0)
        return -1;
    s = ledger_store_open(&ledger);
    other = ledger_store_open(&ledger);
    return s && other ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    s = store_close(s);
    other = store_close(other);
    return ledger_store_remove(&ledger);
}

static void assert_busy(const char *work)
{
    char words[128];
    snprintf(words, sizeof words, "the ledger is busy: %s by test_store_lease, process %ld", work, (long)getpid());
    assert_int_equal(store_lease_take(other, "forget"), STATUS_AGAIN);
    assert_true(store_is_busy(other));
    if (!strstr(store_error(other), words))
        fail_msg("'%s', not '%s'", store_error(other), words);
}

static void the_second_is_told_who_is_first(void **state)
{
    (void)state;
    assert_int_equal(store_lease_take(s, "retention"), STATUS_OK);
    assert_false(store_is_busy(s));
    assert_busy("retention");
    store_lease_leave(s);
    assert_int_equal(store_lease_take(other, "forget"), STATUS_OK);
    assert_false(store_is_busy(other));
    assert_int_equal(store_lease_take(s, "retention"), STATUS_AGAIN);
}

/* A work that is a part of another one. */
static void it_is_left_as_often_as_it_was_taken(void **state)
{
    (void)state;
    assert_int_equal(store_lease_take(s, "forget"), STATUS_OK);
    assert_int_equal(store_lease_take(s, "an upgrade"), STATUS_OK);
    store_lease_leave(s);
    assert_busy("forget");
    store_lease_leave(s);
    assert_int_equal(store_lease_take(other, "forget"), STATUS_OK);
}

/* A PostgreSQL ends a session, and the session's lock, a moment after the client has gone. */
static void assert_free_soon(void)
{
    enum status st = STATUS_AGAIN;
    for (int i = 0; i < 600 && (st = store_lease_take(other, "forget")) == STATUS_AGAIN; i++)
        usleep(50000);
    assert_int_equal(st, STATUS_OK);
}

static void a_store_that_is_closed_leaves_it(void **state)
{
    (void)state;
    assert_int_equal(store_lease_take(s, "retention"), STATUS_OK);
    assert_int_equal(store_lease_take(s, "retention"), STATUS_OK);
    s = store_close(s);
    if (store_is_shared(other))
        assert_free_soon();
    else
        assert_int_equal(store_lease_take(other, "forget"), STATUS_OK);
}

/* No return: the child, with the lease. */
static void hold_for_ever(int told)
{
    struct store *mine = ledger_store_open(&ledger);
    bool has = mine && store_lease_take(mine, "retention") == STATUS_OK;
    ssize_t n = write(told, has ? "y" : "n", 1);
    (void)n;
    for (;;)
        pause();
}

static void it_ends_with_its_holder(void **state)
{
    (void)state;
    int told[2];
    char has = 'n';
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0)
        hold_for_ever(told[1]);
    assert_true(child > 0);
    assert_int_equal(read(told[0], &has, 1), 1);
    assert_int_equal(has, 'y');
    assert_int_equal(store_lease_take(other, "forget"), STATUS_AGAIN);
    char words[64];
    snprintf(words, sizeof words, "process %ld", (long)child);
    assert_non_null(strstr(store_error(other), words));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_free_soon();
    close(told[0]);
    close(told[1]);
}

/* Each pair of long works: whatever has the lease, none of the others begins. */
static void no_long_work_beside_another(void **state)
{
    (void)state;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    struct recount found;
    char file[160], why[STORE_ERROR] = "";
    int64_t rows = 1;
    assert_int_equal(store_run(s, &(int64_t){0},
                               "INSERT INTO signer_day (day, domain, passed, signed) VALUES (1, 'a.example', 1, 1)",
                               ""),
                     STATUS_OK);
    assert_int_equal(store_lease_take(s, "a backup"), STATUS_OK);
    assert_int_equal(retention_run(other, &keep, clock_wall_us(), NULL, &rows), STATUS_AGAIN);
    assert_true(store_is_busy(other));
    assert_int_equal(rows, 0);
    assert_int_equal(retention_forget(other, "a.example", false, &rows), STATUS_AGAIN);
    assert_int_equal(rows, 0);
    assert_int_equal(recount(other, NULL, &found), STATUS_AGAIN);
    assert_int_equal(most_seen_keep(other, LEDGER_STORE_TODAY, NULL), STATUS_AGAIN);
    assert_int_equal(retention_forget(other, "a.example", true, &rows), STATUS_OK); /* it only counts */
    assert_int_equal(rows, 1);
    if (store_is_shared(s))
        return;
    snprintf(file, sizeof file, "%s/copy.db", ledger.dir);
    assert_int_equal(store_backup(other, file, why), STATUS_AGAIN);
    assert_non_null(strstr(why, "the ledger is busy: a backup by"));
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(store_backup(s, file, why), STATUS_OK);
    assert_int_equal(store_restore(ledger.file, file, why), STATUS_AGAIN);
    assert_non_null(strstr(why, "wait for it"));
    store_lease_leave(s);
    assert_int_equal(store_restore(ledger.file, file, why), STATUS_OK);
}

/* PostgreSQL: who has lost the connection has lost the lease; it takes it again, unless somebody else was faster. */
static void a_new_connection(void **state)
{
    (void)state;
    int64_t n = 0, pid = 0;
    if (!store_is_shared(s))
        skip();
    for (int faster = 0; faster < 2; faster++) {
        assert_int_equal(store_lease_take(s, "retention"), STATUS_OK);
        assert_int_equal(store_ask_number(s, 0, &pid, "SELECT pg_backend_pid()", ""), STATUS_OK);
        assert_int_equal(
            store_ask_number(other, 0, &n, "SELECT pg_terminate_backend(CAST($1 AS int), 5000)::int", "i", pid),
            STATUS_OK);
        assert_int_equal(store_ask_number(s, 0, &n, "SELECT 1", ""), STATUS_AGAIN);
        if (faster)
            assert_int_equal(store_lease_take(other, "forget"), STATUS_OK);
        assert_int_equal(store_begin(s), faster ? STATUS_AGAIN : STATUS_OK);
        assert_int_equal(store_is_busy(s), faster);
        if (faster) /* nor at the second try */
            assert_int_equal(store_begin(s), STATUS_AGAIN);
        if (!faster) {
            assert_busy("retention");
            assert_int_equal(store_commit(s), STATUS_OK);
        }
        store_lease_leave(s);
    }
}

/* SQLite: the file of the lock is the store's owner's, and no other file is written to by its name. */
static void a_strange_file_in_its_place(void **state)
{
    (void)state;
    char lock[160], precious[160];
    struct stat st;
    if (store_is_shared(s))
        skip();
    snprintf(lock, sizeof lock, "%s" STORE_LEASE_ENDING, ledger.file);
    snprintf(precious, sizeof precious, "%s/precious", ledger.dir);
    FILE *f = fopen(precious, "w");
    assert_true(f && fputs("precious", f) > 0 && fclose(f) == 0);
    for (int how = 0; how < 3; how++) {
        (void)unlink(lock);
        assert_int_equal(how == 0 ? link(precious, lock) : how == 1 ? symlink(precious, lock) : mkfifo(lock, 0600), 0);
        assert_int_equal(store_lease_take(s, "retention"), STATUS_DENIED);
        assert_false(store_is_busy(s));
        assert_non_null(strstr(store_error(s), STORE_LEASE_ENDING));
    }
    assert_int_equal(stat(precious, &st), 0);
    assert_int_equal(st.st_size, 8);
    assert_int_equal(unlink(lock), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(ledger.file, 1234, 1235), 0);
        assert_int_equal(store_lease_take(s, "retention"), STATUS_OK);
        assert_int_equal(stat(lock, &st), 0);
        assert_int_equal(st.st_uid, 1234);
        assert_int_equal(st.st_gid, 1235);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_is_told_who_is_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_left_as_often_as_it_was_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_is_closed_leaves_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends_with_its_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_long_work_beside_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_strange_file_in_its_place, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
