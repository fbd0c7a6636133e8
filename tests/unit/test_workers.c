// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_workers.c - the resolver's threads beside the module's own: each hands its events over by a lane of its own and
 * none is lost, each sees a changed policy at its next answer, and what the module's threads have to say waits for a
 * thread of the resolver.
 */
#include "tests/unit/cm.h"
#include "resolver-module/writer_process.h"
#include "resolver-module/observe.h"
#include "resolver-module/queue.h"
#include "resolver-module/workers.h"
#include "policy/policy_settings.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
static char last_line[WRITER_PROCESS_LINE];

static void see(enum watch_log level, const char *line)
{
    (void)level;
    lines_seen++;
    snprintf(last_line, sizeof last_line, "%s", line);
}

static int pipe_of_the_main_thread[2];

static void *writer_process_thread(void *arg)
{
    unsigned lines = *(unsigned *)arg;
    assert_true(writer_process_here());
    for (unsigned i = 0; i < lines; i++) {
        char text[40];
        snprintf(text, sizeof text, "line %u", i);
        writer_process_say(WATCH_INFO, text);
    }
    close(pipe_of_the_main_thread[1]);
    return NULL;
}

static void run_aside(unsigned lines)
{
    pthread_t thread;
    assert_true(writer_process_start(&thread, writer_process_thread, &lines));
    pthread_join(thread, NULL);
    lines_seen = 0;
    writer_process_flush(see);
}

static void lines_wait_for_the_resolver(void **state)
{
    (void)state;
    assert_false(writer_process_here());
    assert_true(writer_process_ready());
    assert_int_equal(pipe(pipe_of_the_main_thread), 0);
    run_aside(3);
    assert_int_equal(lines_seen, 3);
    assert_string_equal(last_line, "line 2");
    run_aside(WRITER_PROCESS_LINES + 7);
    assert_int_equal(lines_seen, WRITER_PROCESS_LINES + 1);
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
    struct observe_options options = {.dir = dir, .watch = watch, .hooks = &hooks};
    struct observe *observe = observe_start(&options);
    assert_non_null(observe);
    assert_true(watch_follow(watch));
    workers = workers_new(watch, observe_lanes(observe));
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
    worker_queue_counts(observe_lanes(observe), &counts);
    assert_int_equal(counts.states[DECIDE_STATE_INSECURE], THREADS * EVENTS);
    assert_int_equal(counts.dropped, 0);
    assert_int_equal(atomic_load(&saw_first), THREADS);
    assert_int_equal(atomic_load(&saw_second), THREADS);
    workers = workers_free(workers);
    observe_stop(observe);
    watch_stop(watch);
    char command[200];
    snprintf(command, sizeof command,
             "grep -h '\"kind\":\"names\"' %s/*.journal | grep -o '\"count\":[0-9]*' | awk -F: '{n += $2} END {exit n "
             "!= %d}'",
             dir, THREADS * EVENTS);
    assert_int_equal(system(command), 0); /* and all of it is in the journal */
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* ---- a flood of refusals ---- */

static bool lines_with(const char *dir, const char *what)
{
    char command[300];
    snprintf(command, sizeof command, "test $(grep -h '\"kind\":\"names\"' %s/*.journal | grep -c '%s') -ge 1", dir,
             what);
    return system(command) == 0;
}

/* More than the long queue holds, each with words of its own: all are counted, and of each zone a reason is kept. */
static void a_flood_of_refusals_is_counted(void **state)
{
    (void)state;
    char dir[] = "/tmp/assay-workers.XXXXXX", path[64], command[200];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/policy", dir);
    write_policy(path, "enforce");
    struct watch_hooks hooks = {.log = NULL};
    watch = watch_start(path, dir, dir, &hooks);
    struct observe_options options = {.dir = dir, .watch = watch, .hooks = &hooks};
    struct observe *observe = observe_start(&options);
    assert_true(watch_follow(watch));
    workers = workers_new(watch, observe_lanes(observe));
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
    worker_queue_counts(observe_lanes(observe), &counts);
    assert_int_equal(counts.refused, 3 * WORKER_QUEUE_QUEUE_LONG);
    assert_int_equal(counts.dropped, 0);
    observe_stop(observe);
    watch_stop(watch);
    assert_true(lines_with(dir, "of one.example is not signed"));
    assert_true(lines_with(dir, "of two.example is not signed"));
    snprintf(command, sizeof command,
             "grep -h '\"kind\":\"names\"' %s/*.journal | grep -o '\"refused\":[0-9]*' | awk -F: '{n += $2} END {exit "
             "n != %d}'",
             dir, 3 * WORKER_QUEUE_QUEUE_LONG);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* ---- readers that are killed ---- */

#define CELLS 16
#define KILLS 300

static void a_killed_reader_leaves_the_queue_whole(void **state)
{
    (void)state;
    size_t octets = queue_octets(sizeof(unsigned), CELLS);
    void *memory = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    struct queue *q = queue_in(memory, sizeof(unsigned), CELLS);
    unsigned v = 0, item;
    for (int k = 0; k < KILLS; k++) {
        pid_t reader = fork();
        if (reader == 0)
            for (;;)
                (void)queue_pop(q, &item);
        for (unsigned i = 0; i < 20000U + (unsigned)k * 37U; i++)
            if (queue_push_alone(q, &v, sizeof v))
                v++;
        assert_int_equal(kill(reader, SIGKILL), 0);
        assert_int_equal(waitpid(reader, NULL, 0), reader);
    }
    while (queue_pop(q, &item))
        ;
    for (unsigned i = 0; i < CELLS; i++)
        assert_true(queue_push_alone(q, &i, sizeof i));
    assert_false(queue_push_alone(q, &v, sizeof v));
    for (unsigned i = 0; i < CELLS; i++) {
        assert_true(queue_pop(q, &item));
        assert_int_equal(item, i);
    }
    assert_false(queue_pop(q, &item));
    munmap(memory, octets);
}

/* Just that moment: the cell is given back, and the number not yet counted. */
static void a_reader_killed_at_the_worst_moment(void **state)
{
    (void)state;
    size_t octets = queue_octets(sizeof(unsigned), 4);
    char *memory = aligned_alloc(QUEUE_ALIGN, octets), *before = malloc(octets);
    assert_non_null(memory);
    assert_non_null(before);
    struct queue *q = queue_in(memory, sizeof(unsigned), 4);
    unsigned item;
    for (unsigned i = 0; i < 3; i++)
        assert_true(queue_push_alone(q, &i, sizeof i));
    memcpy(before, memory, octets);
    assert_true(queue_pop(q, &item));
    for (size_t i = 0; i < QUEUE_ALIGN * 3;
         i += QUEUE_ALIGN) /* its head, its tail, the rest: what was counted is forgotten, the cells are as they are */
        memcpy(memory + i, before + i, QUEUE_ALIGN);
    for (unsigned i = 1; i < 3; i++) {
        assert_true(queue_pop(q, &item));
        assert_int_equal(item, i);
    }
    assert_false(queue_pop(q, &item));
    free(memory);
    free(before);
}

/* ---- a process that writes ---- */

struct apart {
    char dir[40];
    struct observe *observe;
    struct worker_queue *lane;
};

static const struct watch_hooks words = {.log = see};

static void begin_apart(struct apart *a)
{
    char path[64];
    snprintf(a->dir, sizeof a->dir, "/tmp/assay-workers.XXXXXX");
    assert_non_null(mkdtemp(a->dir));
    snprintf(path, sizeof path, "%s/policy", a->dir);
    write_policy(path, "enforce");
    assert_true(writer_process_ready());
    watch = watch_start(path, a->dir, a->dir, &words);
    assert_non_null(watch);
    struct observe_options options = {.dir = a->dir, .watch = watch, .hooks = &words, .apart = true};
    a->observe = observe_start(&options);
    assert_non_null(a->observe);
    a->lane = worker_queue_take(observe_lanes(a->observe));
    assert_non_null(a->lane);
}

static void hand_over(struct apart *a, unsigned count)
{
    struct zones_event e = {.state = DECIDE_STATE_INSECURE,
                            .type = 1,
                            .weight = 1,
                            .refused = true,
                            .has_reason = true,
                            .zone = "example.org",
                            .reason = "why"};
    for (unsigned i = 0; i < count; i++)
        worker_queue_event(observe_lanes(a->observe), a->lane, &e);
}

static unsigned journalled(const struct apart *a)
{
    char command[300], text[32] = "";
    snprintf(command, sizeof command,
             "cat %s/*.journal %s/*.open 2>/dev/null | grep '\"kind\":\"names\"' | grep -o '\"count\":[0-9]*' | awk "
             "-F: '{n += $2} END {print n+0}'",
             a->dir, a->dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    pclose(f);
    return (unsigned)strtoul(text, NULL, 10);
}

static void clean_up(const struct apart *a)
{
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", a->dir);
    assert_int_equal(system(command), 0);
}

/* Our one child; 0: there is none. */
static pid_t the_child(void)
{
    int pid = 0;
    FILE *f = fopen("/proc/thread-self/children", "r");
    if (f && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    return pid;
}

static void a_process_writes_all(void **state)
{
    (void)state;
    struct apart a;
    struct worker_queue_counts counts;
    begin_apart(&a);
    pid_t child = the_child();
    assert_true(child > 0);
    for (int i = 0; i < 4; i++) {
        hand_over(&a, 1500);
        usleep(150000);
    }
    worker_queue_counts(observe_lanes(a.observe), &counts);
    assert_int_equal(counts.refused, 6000);
    assert_int_equal(counts.dropped, 0);
    observe_stop(a.observe);
    assert_int_equal(the_child(), 0); /* gone, and collected */
    watch_stop(watch);
    assert_int_equal(journalled(&a), 6000);
    clean_up(&a);
}

static void a_thread_takes_the_place_of_a_killed_process(void **state)
{
    (void)state;
    struct apart a;
    begin_apart(&a);
    pid_t child = the_child();
    assert_true(child > 0);
    observe_look(a.observe);
    assert_int_equal(kill(child, SIGKILL), 0);
    hand_over(&a, 700); /* nobody takes it in now */
    lines_seen = 0;
    for (int i = 0; i < 2000 && lines_seen == 0; i++) {
        usleep(1000);
        observe_look(a.observe);
    }
    assert_int_equal(lines_seen, 1);
    assert_non_null(strstr(last_line, "has ended (signal 9); a thread goes on"));
    hand_over(&a, 300);
    observe_stop(a.observe);
    watch_stop(watch);
    assert_int_equal(journalled(&a), 1000);
    clean_up(&a);
}

static void who_holds_much_has_no_copy_beside(void **state)
{
    (void)state;
#ifndef __SANITIZE_ADDRESS__
    assert_true(writer_process_is_light());
    char *much = malloc(2 * WRITER_PROCESS_LIGHT);
    assert_non_null(much);
    memset(much, 1, 2 * WRITER_PROCESS_LIGHT);
    assert_false(writer_process_is_light());
    free(much);
    assert_true(writer_process_is_light());
#endif
}

/* A dead process that nobody has collected yet is gone, too. */
static bool lives(pid_t pid)
{
    char path[40], how = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*s %c", &how) != 1)
        how = 'Z';
    if (f)
        fclose(f);
    return how != 'Z';
}

/* The resolver is killed: what it had handed over is written all the same, and nobody is left behind. */
static void a_process_outlives_a_killed_resolver(void **state)
{
    (void)state;
    struct apart a;
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t resolver = fork();
    if (resolver == 0) {
        begin_apart(&a);
        pid_t child = the_child();
        hand_over(&a, 900);
        if (write(out[1], &a, sizeof a) != sizeof a || write(out[1], &child, sizeof child) != sizeof child)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    pid_t child;
    assert_int_equal(read(out[0], &a, sizeof a), sizeof a);
    assert_int_equal(read(out[0], &child, sizeof child), sizeof child);
    int how;
    assert_int_equal(waitpid(resolver, &how, 0), resolver);
    assert_true(WIFSIGNALED(how));
    for (int i = 0; i < 5000 && lives(child); i++)
        usleep(1000);
    assert_false(lives(child));
    assert_int_equal(journalled(&a), 900);
    close(out[0]);
    close(out[1]);
    clean_up(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_in_order_and_full),
        cmocka_unit_test(lines_wait_for_the_resolver),
        cmocka_unit_test(nothing_is_lost_and_a_change_is_seen),
        cmocka_unit_test(a_killed_reader_leaves_the_queue_whole),
        cmocka_unit_test(a_reader_killed_at_the_worst_moment),
        cmocka_unit_test(who_holds_much_has_no_copy_beside),
        cmocka_unit_test(a_process_writes_all),
        cmocka_unit_test(a_thread_takes_the_place_of_a_killed_process),
        cmocka_unit_test(a_process_outlives_a_killed_resolver),
        cmocka_unit_test(a_flood_of_refusals_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
