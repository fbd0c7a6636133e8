// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_journal.c - the journal's promises, one by one: what was acknowledged is read back, whatever happened to the
 * writer or the disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal/journal.h"
#include "journal/journal_read.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/assay-journal-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    return rmdir(dir);
}

struct seen {
    unsigned mails, notes, segments, ends, other, open_files, closed_files, torn;
    long long dropped, lost, sum, bad;
    char host[64];
};

static long long number_after(const char *line, const char *key)
{
    const char *p = strstr(line, key);
    return p ? strtoll(p + strlen(key), NULL, 10) : 0;
}

static void count_line(struct seen *s, struct slice line)
{
    char *text = strndup(line.p, line.n);
    assert_non_null(text);
    if (strstr(text, "\"kind\":\"mail\"")) {
        s->mails++;
        s->sum += number_after(text, "\"n\":");
    } else if (strstr(text, "\"kind\":\"note\"")) {
        s->notes++;
        s->dropped += number_after(text, "\"dropped\":");
        s->lost += number_after(text, "\"lost\":");
    } else if (strstr(text, "\"kind\":\"segment\"")) {
        s->segments++;
    } else if (strstr(text, "\"kind\":\"end\"")) {
        s->ends++;
    } else {
        s->other++;
    }
    free(text);
}

/* false: a segment was closed, and so renamed, since the folder was listed. */
static bool look_once(struct seen *s)
{
    struct journal_file *files;
    size_t n;
    bool whole = true;
    *s = (struct seen){0};
    assert_int_equal(journal_list(dir, &files, &n), STATUS_OK);
    for (size_t i = 0; i < n && whole; i++) {
        struct journal_lines l;
        struct slice line;
        off_t after;
        const enum status st = journal_lines_open(&l, dir, files[i].name, 0);
        whole = st != STATUS_MISSING || !files[i].open;
        if (!whole)
            break;
        assert_int_equal(st, STATUS_OK);
        files[i].open ? s->open_files++ : s->closed_files++;
        while (journal_lines_next(&l, &line, &after))
            count_line(s, line);
        s->torn += l.torn;
        s->bad += (long long)l.bad;
        journal_lines_close(&l);
    }
    journal_list_free(files, n);
    return whole;
}

static struct seen folder_look(void)
{
    struct seen s;
    int tries = 0;
    while (!look_once(&s))
        assert_true(++tries < 100);
    return s;
}

static enum status record_put(struct journal *j, int n, enum journal_how how)
{
    struct buf b = BUF_INIT;
    struct json out = JSON_INTO(&b);
    journal_record(j, &out, "mail");
    json_int(&out, "n", n);
    json_end(&out);
    enum status s = journal_write(j, buf_slice(&b), how);
    buf_release(&b);
    return s;
}

static struct journal *open_it(const struct journal_options *o)
{
    const char *error = "";
    struct journal *j = journal_open(dir, "test", o, &error);
    if (!j)
        fail_msg("%s", error);
    return j;
}

static void reads_back_what_was_written(void **state)
{
    (void)state;
    struct journal *j = open_it(NULL);
    for (int i = 1; i <= 100; i++)
        assert_int_equal(record_put(j, i, i % 2 ? JOURNAL_WAIT : JOURNAL_NOWAIT), STATUS_OK);
    assert_true(journal_flush(j, 5000));
    struct seen s = folder_look();
    assert_int_equal(s.mails, 100);
    assert_int_equal(s.sum, 5050);
    assert_int_equal(s.open_files, 1);
    struct journal_stats st;
    journal_stats(j, &st);
    assert_int_equal(st.written, 100);
    assert_true(st.healthy);
    journal_close(j);
    s = folder_look();
    assert_int_equal(s.open_files, 0);
    assert_int_equal(s.closed_files, 1);
    assert_int_equal(s.segments, 1);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.mails, 100);
}

static void nothing_written_makes_no_segment(void **state)
{
    (void)state;
    journal_close(open_it(NULL));
    assert_int_equal(folder_look().closed_files, 0);
}

static void refuses_what_is_no_record(void **state)
{
    (void)state;
    struct journal *j = open_it(NULL);
    assert_int_equal(journal_write(j, SLICE_LIT(""), JOURNAL_WAIT), STATUS_INVALID);
    assert_int_equal(journal_write(j, SLICE_LIT("[1]"), JOURNAL_WAIT), STATUS_INVALID);
    assert_int_equal(journal_write(j, SLICE_LIT("{\"a\":\n1}"), JOURNAL_NOWAIT), STATUS_INVALID);
    assert_int_equal(journal_write(j, SLICE_LIT("{\"a\":\0001}"), JOURNAL_NOWAIT), STATUS_INVALID);
    char *big = malloc(JOURNAL_RECORD_MAX + 1);
    assert_non_null(big);
    memset(big, 'x', JOURNAL_RECORD_MAX + 1);
    big[0] = '{';
    big[JOURNAL_RECORD_MAX] = '}';
    assert_int_equal(journal_write(j, slice_of(big, JOURNAL_RECORD_MAX + 1), JOURNAL_WAIT), STATUS_LIMIT);
    big[JOURNAL_RECORD_MAX - 1] = '}';
    assert_int_equal(journal_write(j, slice_of(big, JOURNAL_RECORD_MAX), JOURNAL_WAIT), STATUS_OK);
    free(big);
    struct journal_stats st;
    journal_stats(j, &st);
    assert_int_equal(st.refused, 5);
    journal_close(j);
    assert_int_equal(folder_look().other, 1);
}

static void bad_names_and_places(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *writer, *says;
    } t[] = {{"/nonexistent/x/y", "test", "/nonexistent/x/y: No such file"},
             {"/dev/null", "test", "/dev/null: Not a directory"},
             {"/tmp", "", "a writer's name"},
             {"/tmp", "Milter", "a writer's name"},
             {"/tmp", "a/b", "a writer's name"}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const char *error = NULL;
        assert_null(journal_open(t[i].dir, t[i].writer, NULL, &error));
        assert_non_null(strstr(error, t[i].says));
    }
    journal_close(NULL);
}

static void closes_by_size(void **state)
{
    (void)state;
    struct journal *j = open_it(&(struct journal_options){.segment_bytes = 2000});
    for (int i = 0; i < 200; i++) {
        assert_int_equal(record_put(j, 1, JOURNAL_WAIT), STATUS_OK);
        if (i % 10 == 0)
            assert_true(journal_flush(j, 5000));
    }
    journal_close(j);
    struct seen s = folder_look();
    assert_int_equal(s.mails, 200);
    assert_true(s.closed_files >= 5);
    assert_int_equal(s.ends, s.closed_files);
    assert_int_equal(s.segments, s.closed_files);
}

static void closes_by_age(void **state)
{
    (void)state;
    struct journal *j = open_it(&(struct journal_options){.segment_seconds = 1});
    assert_int_equal(record_put(j, 1, JOURNAL_WAIT), STATUS_OK);
    for (int i = 0; i < 40 && folder_look().closed_files == 0; i++)
        usleep(100000);
    assert_int_equal(folder_look().closed_files, 1);
    assert_int_equal(record_put(j, 1, JOURNAL_WAIT), STATUS_OK);
    journal_close(j);
    assert_int_equal(folder_look().mails, 2);
}

static void full_queue_is_counted_and_recorded(void **state)
{
    (void)state;
    struct journal *j = open_it(&(struct journal_options){.queue_records = 4, .queue_bytes = 1 << 20});
    unsigned ok = 0, full = 0;
    for (int i = 0; i < 20000; i++) {
        enum status s = record_put(j, 1, JOURNAL_NOWAIT);
        assert_true(s == STATUS_OK || s == STATUS_LIMIT);
        s == STATUS_OK ? ok++ : full++;
    }
    assert_true(full > 0);
    assert_true(journal_healthy(j));
    struct journal_stats st;
    journal_stats(j, &st);
    assert_int_equal(st.dropped, full);
    journal_close(j);
    struct seen s = folder_look();
    assert_int_equal(s.mails, ok);
    assert_int_equal(s.dropped, full);
}

static void *hammer(void *arg)
{
    for (int i = 0; i < 2000; i++)
        while (record_put(arg, 1, i % 2 ? JOURNAL_WAIT : JOURNAL_NOWAIT) != STATUS_OK)
            sched_yield();
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    struct journal *j = open_it(&(struct journal_options){.segment_bytes = 64 * 1024});
    pthread_t t[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, hammer, j), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    journal_close(j);
    struct seen s = folder_look();
    assert_int_equal(s.mails, 16000);
    assert_int_equal(s.torn + s.other, 0);
}

/* A limit on file size stands for a full disk: write(2) takes a part and then nothing. */
static void full_disk_is_counted_and_recovers(void **state)
{
    (void)state;
    struct journal *j = open_it(NULL);
    struct rlimit old, small = {3000, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    unsigned ok = 0, lost = 0;
    for (int i = 0; i < 100; i++)
        record_put(j, 1, JOURNAL_WAIT) == STATUS_OK ? ok++ : lost++;
    assert_true(ok > 5 && lost > 5);
    assert_false(journal_healthy(j));
    struct seen s = folder_look();
    assert_int_equal(s.mails, ok);
    assert_int_equal(s.torn, 0);
    setrlimit(RLIMIT_FSIZE, &old);
    for (int i = 0; i < 50 && !journal_healthy(j); i++)
        usleep(100000);
    assert_true(journal_healthy(j));
    assert_int_equal(record_put(j, 1, JOURNAL_WAIT), STATUS_OK);
    journal_close(j);
    s = folder_look();
    assert_int_equal(s.mails, ok + 1);
    assert_int_equal(s.lost, lost);
    assert_int_equal(s.notes, 1);
}

static void folder_bound(void **state)
{
    (void)state;
    struct journal *j = open_it(&(struct journal_options){.folder_bytes = 4000});
    unsigned ok = 0, lost = 0;
    for (int i = 0; i < 100; i++)
        record_put(j, 1, JOURNAL_WAIT) == STATUS_OK ? ok++ : lost++;
    assert_true(ok >= 20 && lost > 0);
    assert_false(journal_healthy(j));
    struct journal_stats st;
    journal_stats(j, &st);
    assert_int_equal(st.lost, lost);
    assert_non_null(strstr(st.error, "over its limit"));
    assert_string_equal(journal_folder(j), dir);
    journal_close(j);
    assert_int_equal(folder_look().mails, ok);
}

static int spawn_writer(int count, bool close_it, pid_t *child)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *child = fork();
    if (*child == 0) {
        const char *error;
        struct journal *j = journal_open(dir, "test", NULL, &error);
        for (int i = 0; j && i != count; i++)
            if (record_put(j, 1, JOURNAL_WAIT) == STATUS_OK && write(ends[1], "x", 1) != 1)
                break;
        if (close_it)
            journal_close(j);
        else
            pause();
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static void killed_writer_loses_nothing_acknowledged(void **state)
{
    (void)state;
    unsigned acknowledged = 0;
    for (int round = 0; round < 20; round++) {
        pid_t child;
        int fd = spawn_writer(-1, false, &child);
        char c[4096];
        ssize_t n = read(fd, c, 1);
        assert_int_equal(n, 1);
        acknowledged++;
        usleep((useconds_t)(round * 300));
        kill(child, SIGKILL);
        while ((n = read(fd, c, sizeof c)) > 0)
            acknowledged += (unsigned)n;
        close(fd);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    struct seen s = folder_look();
    /* The last record of each may have been written and not yet acknowledged. */
    assert_true(s.mails >= acknowledged && s.mails <= acknowledged + 20);
    assert_int_equal(s.open_files, 1);
    journal_close(open_it(NULL));
    s = folder_look();
    assert_int_equal(s.open_files, 0);
    assert_int_equal(s.closed_files, 20);
    assert_true(s.mails >= acknowledged && s.mails <= acknowledged + 20);
}

static void living_writers_segment_is_left_alone(void **state)
{
    (void)state;
    pid_t child;
    int fd = spawn_writer(1, false, &child);
    char c;
    assert_int_equal(read(fd, &c, 1), 1);
    journal_close(open_it(NULL));
    assert_int_equal(folder_look().open_files, 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
}

static void works_on_after_fork(void **state)
{
    (void)state;
    struct journal *j = open_it(NULL);
    assert_int_equal(record_put(j, 1, JOURNAL_WAIT), STATUS_OK);
    pid_t child = fork();
    if (child == 0) {
        bool ok = record_put(j, 10, JOURNAL_NOWAIT) == STATUS_OK && record_put(j, 10, JOURNAL_WAIT) == STATUS_OK &&
                  journal_flush(j, 5000);
        journal_close(j);
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(folder_look().open_files, 1);
    assert_int_equal(record_put(j, 1, JOURNAL_WAIT), STATUS_OK);
    journal_close(j);
    struct seen s = folder_look();
    assert_int_equal(s.mails, 4);
    assert_int_equal(s.sum, 22);
    assert_int_equal(s.closed_files, 2);
}

static void write_file(const char *name, const void *p, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void reader_survives_what_a_power_cut_leaves(void **state)
{
    (void)state;
    static const char torn[] =
        "{\"kind\":\"segment\"}\n{\"kind\":\"mail\",\"n\":1}\n\0\0\0\0\n{\"kind\":\"mail\",\"n\":2}\n{\"kind\":\"ma";
    write_file("test-20260101T000000Z-00000001.journal", torn, sizeof torn - 1);
    size_t n = 3 * 1024 * 1024;
    char *big = malloc(n);
    assert_non_null(big);
    memset(big, 'y', n);
    static const char last[] = "\n{\"kind\":\"mail\",\"n\":4}\n";
    memcpy(big + n - (sizeof last - 1), last, sizeof last - 1);
    write_file("test-20260101T000001Z-00000002.journal", big, n);
    free(big);
    write_file("test-20260101T000002Z-00000003.journal", "", 0);
    struct seen s = folder_look();
    assert_int_equal(s.mails, 3);
    assert_int_equal(s.sum, 7);
    assert_int_equal(s.torn, 1);
    assert_int_equal(s.bad, 2);
    struct journal_lines l;
    assert_int_equal(journal_lines_open(&l, dir, "nothing.journal", 0), STATUS_MISSING);
    assert_int_equal(journal_lines_open(&l, "/nonexistent", "x", 0), STATUS_MISSING);
    assert_int_equal(journal_lines_open(&l, dir, ".", 0), STATUS_INVALID);
}

static void reading_goes_on_where_it_stopped(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";
    write_file("test-20260101T000000Z-00000001.journal", text, sizeof text - 1);
    struct journal_lines l;
    struct slice line;
    off_t after = 0;
    assert_int_equal(journal_lines_open(&l, dir, "test-20260101T000000Z-00000001.journal", 0), STATUS_OK);
    assert_true(journal_lines_next(&l, &line, &after));
    journal_lines_close(&l);
    assert_int_equal(after, 8);
    assert_int_equal(journal_lines_open(&l, dir, "test-20260101T000000Z-00000001.journal", after), STATUS_OK);
    assert_true(journal_lines_next(&l, &line, &after));
    assert_true(slice_eq(line, SLICE_LIT("{\"b\":2}")));
    assert_true(journal_lines_next(&l, &line, &after));
    assert_false(journal_lines_next(&l, &line, &after));
    assert_false(l.torn);
    assert_int_equal(after, 24);
    journal_lines_close(&l);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(reads_back_what_was_written),
        IN_DIR(nothing_written_makes_no_segment),
        IN_DIR(refuses_what_is_no_record),
        IN_DIR(bad_names_and_places),
        IN_DIR(closes_by_size),
        IN_DIR(closes_by_age),
        IN_DIR(full_queue_is_counted_and_recorded),
        IN_DIR(many_threads),
        IN_DIR(full_disk_is_counted_and_recovers),
        IN_DIR(folder_bound),
        IN_DIR(killed_writer_loses_nothing_acknowledged),
        IN_DIR(living_writers_segment_is_left_alone),
        IN_DIR(works_on_after_fork),
        IN_DIR(reader_survives_what_a_power_cut_leaves),
        IN_DIR(reading_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
