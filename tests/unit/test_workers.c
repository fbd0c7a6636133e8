// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_workers.c - the resolver's threads beside the module's own: each hands its events over by a queue of its own and
 * none is lost, each sees a changed policy at its next answer, and what the module's threads have to say waits for a
 * thread of the resolver.
 */
#include "tests/unit/cm.h"
#include "resolver-module/background.h"
#include "resolver-module/observe.h"
#include "resolver-module/queue.h"
#include "resolver-module/workers.h"
#include "policy/policy_settings.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- one that pushes alone ---- */

#define EACH 200000

static void *push_all(void *arg)
{
    for (unsigned i = 0; i < EACH;) {
        queue_expect(arg);
        if (queue_push_alone(arg, &i, sizeof i))
            i++;
    }
    return NULL;
}

static void alone_in_order_and_full(void **state)
{
    (void)state;
    struct queue *q = queue_new(sizeof(unsigned), 64);
    unsigned v, want = 0;
    for (unsigned i = 0; i < 64; i++)
        assert_true(queue_push_alone(q, &i, sizeof i));
    assert_false(queue_push_alone(q, &want, sizeof want));
    for (unsigned i = 0; i < 64; i++) {
        assert_true(queue_pop(q, &v));
        assert_int_equal(v, i);
    }
    assert_false(queue_pop(q, &v));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, push_all, q), 0);
    while (want < EACH)
        if (queue_pop(q, &v))
            assert_int_equal(v, want++);
    pthread_join(thread, NULL);
    assert_false(queue_pop(q, &v));
    queue_free(q);
}

/* ---- lines for the log ---- */

static unsigned lines_seen;
static char last_line[BACKGROUND_LINE];

static void see(enum watch_log level, const char *line)
{
    (void)level;
    lines_seen++;
    snprintf(last_line, sizeof last_line, "%s", line);
}

static int pipe_of_the_main_thread[2];

static struct background_slot slot;
#define WAIT_MS 60000

static atomic_bool done;

static void background_thread(void *arg)
{
    unsigned lines = *(unsigned *)arg;
    assert_true(background_here());
    for (unsigned i = 0; i < lines; i++) {
        char text[40];
        snprintf(text, sizeof text, "line %u", i);
        background_say(WATCH_INFO, text);
    }
    close(pipe_of_the_main_thread[1]);
    atomic_store(&done, true);
}

static void run_aside(unsigned lines)
{
    atomic_store(&done, false);
    while (!background_start(&slot, background_thread, &lines)) /* the one before returns now */
        usleep(100);
    assert_true(background_await(&slot, &done, 5000, WAIT_MS));
    lines_seen = 0;
    background_flush(see);
}

static void lines_wait_for_the_resolver(void **state)
{
    (void)state;
    assert_false(background_here());
    assert_true(background_ready());
    assert_int_equal(pipe(pipe_of_the_main_thread), 0);
    run_aside(3);
    assert_int_equal(lines_seen, 3);
    assert_string_equal(last_line, "line 2");
    run_aside(BACKGROUND_LINES + 7);
    assert_int_equal(lines_seen, BACKGROUND_LINES + 1);
    assert_non_null(strstr(last_line, "7 more lines"));
    run_aside(0);
    assert_int_equal(lines_seen, 0);
#ifdef __linux__
    /* What it closes is its own: the resolver's file of that number is still open. */
    assert_true(fcntl(pipe_of_the_main_thread[1], F_GETFD) >= 0);
#endif
    close(pipe_of_the_main_thread[0]);
    close(pipe_of_the_main_thread[1]);
}

static void opens_and_waits(void *arg)
{
    int fd = open(arg, O_RDONLY); /* until somebody writes */
    if (fd >= 0)
        close(fd);
    atomic_store(&done, true);
}

static void computes(void *arg)
{
    for (struct timespec a, b = {0}; b.tv_sec < 1; b.tv_sec = a.tv_sec - *(time_t *)arg)
        clock_gettime(CLOCK_MONOTONIC, &a);
    atomic_store(&done, true);
}

static atomic_bool enough;

static void computes_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&enough))
        ;
    atomic_store(&done, true);
}

/* ... and no longer than most_ms, however long it computes: a reload that has a policy already. */
static void a_long_computation_is_not_waited_for(void **state)
{
    (void)state;
    static struct background_slot busy;
    atomic_store(&done, false);
    atomic_store(&enough, false);
    assert_true(background_start(&busy, computes_on, NULL));
    assert_false(background_await(&busy, &done, 60000, 100));
    atomic_store(&enough, true);
    assert_true(background_await(&busy, &done, 60000, 60000));
}

/* One that hangs is waited for no longer than said, and no second is started beside it; one that computes is. */
static void a_thread_that_hangs_is_not_waited_for(void **state)
{
    (void)state;
    static struct background_slot hangs, busy;
    struct timespec a, b;
    atomic_store(&done, false);
    clock_gettime(CLOCK_MONOTONIC, &a);
    char dir[] = "/tmp/assay-workers.XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(background_start(&hangs, opens_and_waits, path));
    assert_false(background_await(&hangs, &done, 100, WAIT_MS));
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 1000);
    assert_false(background_start(&hangs, opens_and_waits, path));
    int fd = open(path, O_WRONLY); /* wakes it */
    assert_true(fd >= 0);
    assert_true(background_await(&hangs, &done, 5000, WAIT_MS));
    close(fd);
    unlink(path);
    rmdir(dir);
    time_t now = b.tv_sec;
    atomic_store(&done, false);
    assert_true(background_start(&busy, computes, &now));
    assert_true(background_await(&busy, &done, 200, WAIT_MS));
}

/* ---- threads that judge ---- */

#define THREADS 4
#define EVENTS 3000

static struct workers *workers;
static struct watch *watch;
static atomic_uint saw_first, saw_second, ready;
static atomic_bool changed;

static void *judge_all(void *arg)
{
    struct zones_event e = {.state = DECIDE_STATE_INSECURE, .type = 1, .weight = 1};
    (void)arg;
    snprintf(e.zone, sizeof e.zone, "example.org");
    const struct policy *p = workers_policy(workers, watch_version(watch));
    atomic_fetch_add(&saw_first, p && policy_set_is(p, SETTING_MODE, "dry-run"));
    for (unsigned i = 0; i < EVENTS; i++) {
        e.has_reason = i % 16 == 0; /* goes the common way */
        workers_event(workers, &e);
        if (i % 512 == 511)
            usleep(120000); /* the writer comes every 100 ms */
    }
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&changed))
        usleep(1000);
    p = workers_policy(workers, watch_version(watch));
    atomic_fetch_add(&saw_second, p && policy_set_is(p, SETTING_MODE, "enforce"));
    return NULL;
}

static void write_policy(const char *path, const char *mode)
{
    char new[300];
    snprintf(new, sizeof new, "%s.new", path);
    FILE *f = fopen(new, "w");
    assert_non_null(f);
    fprintf(
        f, "policy \"t\" owner \"x@example.org\"\nset mode %s\nset journal.dir \"%.*s\"\nfollow dnssec of every name\n",
        mode, (int)(strrchr(path, '/') - path), path);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(new, 0644), 0);
    assert_int_equal(rename(new, path), 0);
}

/* On a busy machine the writer ends its work after observe_stop() has returned. */
static bool comes_true(const char *command)
{
    for (int i = 0; i < 600; i++) {
        if (system(command) == 0)
            return true;
        usleep(100000);
    }
    return false;
}

static void nothing_is_lost_and_a_change_is_seen(void **state)
{
    (void)state;
    char dir[] = "/tmp/assay-workers.XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/policy", dir);
    write_policy(path, "dry-run");
    struct watch_hooks hooks = {.log = NULL};
    watch = watch_start(path, dir, dir, &hooks);
    assert_non_null(watch);
    struct suspend *suspend = suspend_new("/nowhere/at/all");
    struct observe_options options = {.dir = dir, .watch = watch, .suspend = suspend, .hooks = &hooks};
    struct observe *observe = observe_start(&options);
    assert_non_null(observe);
    workers = workers_new(watch, observe_queues(observe));
    assert_non_null(workers);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, judge_all, NULL), 0);
    while (atomic_load(&ready) < THREADS)
        usleep(1000);
    unsigned before = watch_version(watch);
    write_policy(path, "enforce");
    for (int i = 0; i < 5000 && watch_version(watch) == before; i++)
        usleep(1000);
    assert_int_not_equal(watch_version(watch), before);
    atomic_store(&changed, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    struct worker_queue_counts counts;
    worker_queue_counts(observe_queues(observe), &counts);
    assert_int_equal(counts.states[DECIDE_STATE_INSECURE], THREADS * EVENTS);
    assert_int_equal(counts.dropped, 0);
    assert_int_equal(atomic_load(&saw_first), THREADS);
    assert_int_equal(atomic_load(&saw_second), THREADS);
    workers = workers_free(workers);
    observe_stop(observe);
    watch_stop(watch);
    suspend_release(suspend);
    char command[200];
    snprintf(command, sizeof command,
             "grep -h '\"kind\":\"names\"' %s/*.journal | grep -o '\"count\":[0-9]*' | awk -F: '{n += $2} END {exit n "
             "!= %d}'",
             dir, THREADS * EVENTS);
    assert_true(comes_true(command)); /* and all of it is in the journal */
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_true(comes_true(command));
}

/* ---- a flood of refusals ---- */

static bool lines_with(const char *dir, const char *what)
{
    char command[300];
    snprintf(command, sizeof command, "test $(grep -h '\"kind\":\"names\"' %s/*.journal | grep -c '%s') -ge 1", dir,
             what);
    return comes_true(command);
}

/* More than fit into the long queue, each with a text of its own: all are counted, and one reason is kept for each
 * zone. */
static void a_flood_of_refusals_is_counted(void **state)
{
    (void)state;
    char dir[] = "/tmp/assay-workers.XXXXXX", path[64], command[200];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/policy", dir);
    write_policy(path, "enforce");
    struct watch_hooks hooks = {.log = NULL};
    watch = watch_start(path, dir, dir, &hooks);
    struct suspend *suspend = suspend_new("/nowhere/at/all");
    struct observe_options options = {.dir = dir, .watch = watch, .suspend = suspend, .hooks = &hooks};
    struct observe *observe = observe_start(&options);
    workers = workers_new(watch, observe_queues(observe));
    assert_non_null(workers);
    for (unsigned i = 0; i < 3 * WORKER_QUEUE_QUEUE_LONG; i++) {
        struct zones_event e = {
            .state = DECIDE_STATE_INSECURE, .type = 1, .weight = 1, .refused = true, .has_reason = true};
        snprintf(e.zone, sizeof e.zone, i % 2 ? "one.example" : "two.example");
        snprintf(e.reason, sizeof e.reason, "n%u of %.20s is not signed", i, e.zone);
        workers_event(workers, &e);
    }
    workers = workers_free(workers);
    struct worker_queue_counts counts;
    worker_queue_counts(observe_queues(observe), &counts);
    assert_int_equal(counts.refused, 3 * WORKER_QUEUE_QUEUE_LONG);
    assert_int_equal(counts.dropped, 0);
    observe_stop(observe);
    watch_stop(watch);
    suspend_release(suspend);
    assert_true(lines_with(dir, "of one.example is not signed"));
    assert_true(lines_with(dir, "of two.example is not signed"));
    snprintf(command, sizeof command,
             "grep -h '\"kind\":\"names\"' %s/*.journal | grep -o '\"refused\":[0-9]*' | awk -F: '{n += $2} END {exit "
             "n != %d}'",
             dir, 3 * WORKER_QUEUE_QUEUE_LONG);
    assert_true(comes_true(command));
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_true(comes_true(command));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_in_order_and_full),
        cmocka_unit_test(lines_wait_for_the_resolver),
        cmocka_unit_test(nothing_is_lost_and_a_change_is_seen),
        cmocka_unit_test(a_thread_that_hangs_is_not_waited_for),
        cmocka_unit_test(a_long_computation_is_not_waited_for),
        cmocka_unit_test(a_flood_of_refusals_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
