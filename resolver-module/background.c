// SPDX-License-Identifier: BSD-2-Clause
/*
 * background.c - detached threads with a file descriptor table of their own, and their lines for the resolver's log.
 *
 * Promises: nothing here waits for a thread without a bound. Lines are lost only beyond BACKGROUND_LINES, and then
 * their number is reported; a line is cut at BACKGROUND_LINE. Lines are passed on without a lock. If the thread cannot
 * get its own descriptor table (another system, a filter of system calls) it runs all the same, and shares the
 * resolver's.
 */
#include "resolver-module/background.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include "resolver-module/queue.h"
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAP_MS 5

struct line {
    enum watch_log level;
    char text[BACKGROUND_LINE];
};

struct start {
    struct background_slot *slot;
    void (*run)(void *);
    void *arg;
};

static _Thread_local bool here;
static struct queue *lines;
static atomic_uint waiting; /* incremented for each line, lost or not */
static atomic_uint lost;
static atomic_uint flushed;

bool background_ready(void)
{
    if (!lines)
        lines = queue_new(sizeof(struct line), BACKGROUND_LINES);
    return lines != NULL;
}

/* ---- threads ---- */

/* Gets a descriptor table of our own and closes everything in it: while we held one of the resolver's sockets, queries
 * could still be delivered to it after the resolver has closed it. */
static void close_files(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    if (close_range(3, ~0U, 0) == 0)
        return;
#endif
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (most > 0 && most < 65536 ? (int)most : 65536); fd++)
        (void)close(fd);
}

static int thread_id(void)
{
#ifdef SYS_gettid
    return (int)syscall(SYS_gettid);
#else
    return 0;
#endif
}

static void *thread_begin(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    here = true;
    atomic_store(&s.slot->id, thread_id());
#ifdef CLONE_FILES
    if (unshare(CLONE_FILES) == 0)
        close_files();
#endif
    s.run(s.arg);
    atomic_store(&s.slot->id, 0);
    atomic_store(&s.slot->busy, false);
    return NULL;
}

bool background_start(struct background_slot *slot, void (*run)(void *), void *arg)
{
    bool held = false;
    pthread_t thread;
    if (!atomic_compare_exchange_strong(&slot->busy, &held, true))
        return false;
    struct start *s = malloc(sizeof *s);
    if (s) {
        *s = (struct start){slot, run, arg};
        if (quiet_thread_create(&thread, thread_begin, s) == 0) {
            (void)pthread_detach(thread);
            return true;
        }
    }
    free(s);
    atomic_store(&slot->busy, false);
    return false;
}

/* Tells whether the thread is running or runnable (proc(5)), or has not begun yet: then it does not wait for a file. */
bool background_computes(const struct background_slot *slot)
{
    char path[64], state = '?';
    const int id = atomic_load(&slot->id);
    if (id == 0 && atomic_load(&slot->busy))
        return true;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (f)
        fclose(f);
    return state == 'R';
}

bool background_await(const struct background_slot *slot, const atomic_bool *done, int idle_ms, int most_ms)
{
    int64_t began = clock_mono_ms(), now = began, idle = 0;
    while (!atomic_load(done) && now - began < most_ms && idle < idle_ms) {
        nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
        int64_t then = now;
        now = clock_mono_ms();
        if (!background_computes(slot))
            idle += now - then;
    }
    return atomic_load(done);
}

bool background_here(void)
{
    return here;
}

/* ---- lines for the log ---- */

void background_say(enum watch_log level, const char *line)
{
    struct line l = {.level = level};
    if (!lines)
        return;
    snprintf(l.text, sizeof l.text, "%s", line);
    if (!queue_push(lines, &l, offsetof(struct line, text) + strlen(l.text) + 1))
        atomic_fetch_add(&lost, 1);
    atomic_fetch_add(&waiting, 1);
}

void background_flush(void (*log)(enum watch_log level, const char *line))
{
    unsigned now = atomic_load_explicit(&waiting, memory_order_relaxed);
    if (!lines || now == atomic_load_explicit(&flushed, memory_order_relaxed))
        return;
    atomic_store(&flushed, now);
    struct line l;
    while (queue_pop(lines, &l))
        log(l.level, l.text);
    unsigned left_out = atomic_exchange(&lost, 0);
    if (left_out) {
        char text[80];
        snprintf(text, sizeof text, "assay: %u more line%s came faster than could be logged", left_out,
                 left_out == 1 ? "" : "s");
        log(WATCH_WARNING, text);
    }
}
