// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_journal_power.c - a power cut, as far as a process can simulate one: every file loses what was written to it
 * after its last fsync.
 *
 * fsync and fdatasync of this program note how long the file was then. After the cut: all that was acknowledged more
 * than the promised second (and a tick) before the cut is there, whole, and nothing is there twice. What a write-back
 * of the kernel's own might have saved beyond that is thrown away here: the hardest case.
 */
#include "tests/unit/cm.h"

#include "base/clock.h"
#include "journal/journal.h"
#include "journal/journal_read.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES 256
#define PROMISED_MS 1000
#define TICK_MS 1500 /* the thread looks every 200 ms; the rest is for machines that are busy with other things */

static struct {
    ino_t inode;
    off_t length;
} synced[FILES];
static size_t synced_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char dir[64];

static void sync_note(int fd)
{
    struct stat st;
    size_t i = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    pthread_mutex_lock(&lock);
    while (i < synced_count && synced[i].inode != st.st_ino)
        i++;
    if (i == synced_count && synced_count < FILES)
        synced[synced_count++].inode = st.st_ino;
    if (i < FILES)
        synced[i].length = st.st_size;
    pthread_mutex_unlock(&lock);
}

/* Replaces the C library's. */
int fdatasync(int fd)
{
    sync_note(fd);
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    sync_note(fd);
    return (int)syscall(SYS_fsync, fd);
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/assay-power-XXXXXX");
    synced_count = 0;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

/* What the disk would have: a copy of each file up to if it was synced. */
static void power_cut(void)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        off_t length = 0;
        if (fstatat(dirfd(d), e->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
            continue;
        for (size_t i = 0; i < synced_count; i++)
            if (synced[i].inode == st.st_ino)
                length = synced[i].length;
        int fd = openat(dirfd(d), e->d_name, O_WRONLY);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, length), 0);
        close(fd);
    }
    closedir(d);
}

static size_t mails_there(void)
{
    struct journal_file *files;
    size_t n, mails = 0;
    assert_int_equal(journal_list(dir, &files, &n), STATUS_OK);
    for (size_t i = 0; i < n; i++) {
        struct journal_lines l;
        struct slice line;
        off_t after;
        assert_int_equal(journal_lines_open(&l, dir, files[i].name, 0), STATUS_OK);
        while (journal_lines_next(&l, &line, &after))
            mails += memmem(line.p, line.n, "\"kind\":\"mail\"", 13) != NULL;
        assert_false(l.torn); /* records are synced whole */
        journal_lines_close(&l);
    }
    journal_list_free(files, n);
    return mails;
}

static void loses_at_most_a_second(void **state)
{
    (void)state;
    static int64_t at[200000];
    size_t n = 0;
    struct journal *j = journal_open(dir, "test", &(struct journal_options){.segment_bytes = 100000}, NULL);
    assert_non_null(j);
    int64_t begun = clock_mono_ms();
    while (clock_mono_ms() - begun < 3500 && n < sizeof at / sizeof *at) {
        struct buf b = BUF_INIT;
        struct json out = JSON_INTO(&b);
        journal_record(j, &out, "mail");
        json_end(&out);
        if (journal_write(j, buf_slice(&b), JOURNAL_WAIT) == STATUS_OK)
            at[n++] = clock_mono_ms();
        buf_release(&b);
        usleep(500);
    }
    /* No close: the machine stops here. Taking the lock of the notes keeps the thread from syncing. */
    pthread_mutex_lock(&lock);
    int64_t now = clock_mono_ms();
    size_t safe = 0;
    while (safe < n && at[safe] < now - PROMISED_MS - TICK_MS)
        safe++;
    power_cut();
    pthread_mutex_unlock(&lock);
    size_t there = mails_there();
    if (there < safe || there > n)
        fail_msg("%zu there, %zu acknowledged, %zu of them longer ago than promised", there, n, safe);
    assert_true(safe > 100);
    journal_close(j);
}

static void all_after_a_flush(void **state)
{
    (void)state;
    struct journal *j = journal_open(dir, "test", NULL, NULL);
    assert_non_null(j);
    for (int i = 0; i < 50; i++)
        assert_int_equal(journal_write(j, SLICE_LIT("{\"kind\":\"mail\"}"), i % 2 ? JOURNAL_WAIT : JOURNAL_NOWAIT),
                         STATUS_OK);
    assert_true(journal_flush(j, 5000));
    power_cut();
    assert_int_equal(mails_there(), 50);
    journal_close(j);
}

static void all_after_close(void **state)
{
    (void)state;
    struct journal *j = journal_open(dir, "test", NULL, NULL);
    assert_non_null(j);
    for (int i = 0; i < 50; i++)
        assert_int_equal(journal_write(j, SLICE_LIT("{\"kind\":\"mail\"}"), JOURNAL_NOWAIT), STATUS_OK);
    journal_close(j);
    power_cut();
    assert_int_equal(mails_there(), 50);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_DIR(loses_at_most_a_second), IN_DIR(all_after_a_flush),
                                       IN_DIR(all_after_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
