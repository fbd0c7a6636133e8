// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_store_sync.c - a commit is on the disk when it returns, and nobody is kept from writing while the disk is waited
 * for.
 *
 * fsync and fdatasync of this program note how long SQLite's write-ahead log was then, and whether another connection
 * may write at that moment. The one exception is SQLite's own: the header of a log that begins anew is synced before
 * what follows it is written, under the writers' lock.
 */
#include "tests/unit/ledger_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEADER 32 /* of a write-ahead log: https://www.sqlite.org/fileformat2.html, 4.1 */

static struct ledger_store ledger;
static struct store *s;
static sqlite3 *other;
static int log_file = -1, failing;
static off_t synced;
static unsigned syncs, kept_out;
static char header[HEADER];

static bool is_log(int fd)
{
    struct stat a, b;
    return log_file >= 0 && fstat(fd, &a) == 0 && fstat(log_file, &b) == 0 && a.st_ino == b.st_ino;
}

static off_t length_of_log(void)
{
    struct stat st;
    assert_int_equal(fstat(log_file, &st), 0);
    return st.st_size;
}

/* The log begins anew, with other salts. */
static bool is_header_new(void)
{
    char now[HEADER] = "";
    assert_true(pread(log_file, now, sizeof now, 0) >= 0);
    const bool is_new = memcmp(now, header, sizeof header) != 0;
    memcpy(header, now, sizeof header);
    return is_new;
}

static int sync_note(int fd)
{
    if (!is_log(fd) || is_header_new())
        return 0;
    synced = length_of_log();
    syncs++;
    if (sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
        sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    else
        kept_out++;
    errno = EIO;
    return failing ? -1 : 0;
}

#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

/* Replaces the C library's, for libsqlite3 too. */
SEEN_BY_LIBRARIES int fdatasync(int fd)
{
    return sync_note(fd) == 0 ? (int)syscall(SYS_fdatasync, fd) : -1;
}

SEEN_BY_LIBRARIES int fsync(int fd)
{
    return sync_note(fd) == 0 ? (int)syscall(SYS_fsync, fd) : -1;
}

static int set_up(void **state)
{
    char path[512];
    (void)state;
    if (ledger_store_make(&ledger, -1) != 0 || !(s = ledger_store_open(&ledger)))
        return -1;
    if (sqlite3_open(ledger.file, &other) != SQLITE_OK || sqlite3_busy_timeout(other, 0) != SQLITE_OK)
        return -1;
    snprintf(path, sizeof path, "%s-wal", ledger.file);
    log_file = open(path, O_RDONLY | O_CLOEXEC);
    (void)is_header_new();
    syncs = kept_out = 0;
    failing = 0;
    return log_file >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close(log_file);
    log_file = -1;
    sqlite3_close(other);
    s = store_close(s);
    return ledger_store_remove(&ledger);
}

static enum status state_add(const char *name)
{
    return store_run(s, NULL, "INSERT INTO ledger_state (name, number) VALUES ($1, 1)", "t", name);
}

static void a_commit_is_on_the_disk(void **state)
{
    (void)state;
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_add("one"), STATUS_OK);
    assert_int_equal(state_add("two"), STATUS_OK);
    assert_int_equal(syncs, 0);
    assert_int_equal(store_commit(s), STATUS_OK);
    assert_int_equal(syncs, 1);
    assert_int_equal(kept_out, 0);
    assert_int_equal(synced, length_of_log());
}

static void so_is_a_statement_by_itself(void **state)
{
    (void)state;
    assert_int_equal(state_add("three"), STATUS_OK);
    assert_int_equal(syncs, 1);
    assert_int_equal(kept_out, 0);
    assert_int_equal(synced, length_of_log());
}

/* The caller keeps the segment, and asks again whether it is taken in. */
static void a_disk_that_fails_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_add("four"), STATUS_OK);
    failing = 1;
    assert_int_equal(store_commit(s), STATUS_AGAIN);
    store_rollback(s);
    failing = 0;
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_add("five"), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
}

/* In a long work the log is written back without the lock, and not truncated each time. */
static void a_long_log_is_written_back(void **state)
{
    char name[300];
    (void)state;
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "%04d-%0200d", i, i);
        assert_int_equal(state_add(name), STATUS_OK);
        store_write_back(s);
    }
    assert_int_equal(kept_out, 0);
    assert_true(length_of_log() > HEADER);
    assert_true(length_of_log() < (off_t)16 << 20);
    store_checkpoint(s);
    assert_int_equal(length_of_log(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_is_on_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(so_is_a_statement_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_log_is_written_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
