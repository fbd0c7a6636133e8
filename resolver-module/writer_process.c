// SPDX-License-Identifier: BSD-2-Clause
/*
 * writer_process.c - threads with a file table of their own, a process of its own, and the lines they leave for the
 * resolver's log.
 *
 * Promises: no line is lost but beyond WRITER_PROCESS_LINES, and then their number is told; a line is cut at
 * WRITER_PROCESS_LINE, never at a wrong place in memory. Lines lie in shared memory and are handed over without a lock,
 * so that a process killed at any moment leaves nobody waiting. Where the file table cannot be had alone (another
 * system, a filter of system calls) the thread runs all the same, and only the saving is gone.
 */
#include "resolver-module/writer_process.h"
#include "base/quiet_thread.h"
#include "resolver-module/queue.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

struct line {
    enum watch_log level;
    char text[WRITER_PROCESS_LINE];
};

struct lines {
    atomic_uint waiting; /* goes up with each line, lost or not */
    atomic_uint lost;
    struct queue *queue;
};

struct start {
    void *(*run)(void *);
    void *arg;
};

static _Thread_local bool here;
static pid_t resolver; /* in a process of ours: who started it */
static struct lines *lines;
static atomic_uint flushed;

bool writer_process_ready(void)
{
    size_t head = (sizeof *lines + QUEUE_ALIGN - 1) / QUEUE_ALIGN * QUEUE_ALIGN,
           octets = head + queue_octets(sizeof(struct line), WRITER_PROCESS_LINES);
    if (lines)
        return true;
    void *p = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    lines = p;
    lines->queue = queue_in((char *)p + head, sizeof(struct line), WRITER_PROCESS_LINES);
    return true;
}

static void *begin(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    here = true;
#ifdef CLONE_FILES
    (void)unshare(CLONE_FILES);
#endif
    return s.run(s.arg);
}

bool writer_process_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    struct start *s = malloc(sizeof *s);
    if (!s)
        return false;
    *s = (struct start){run, arg};
    if (quiet_thread_create(thread, begin, s) == 0)
        return true;
    free(s);
    return false;
}

bool writer_process_is_light(void)
{
    unsigned long pages = 0;
#ifdef __GLIBC__
    (void)malloc_trim(0); /* what was freed and is still ours would be copied too, when it is used again */
#endif
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    struct rusage most;
    if (pages == 0 && getrusage(RUSAGE_SELF, &most) == 0)
        return most.ru_maxrss < WRITER_PROCESS_LIGHT / 1024;
    return pages > 0 && pages < WRITER_PROCESS_LIGHT / (unsigned long)sysconf(_SC_PAGESIZE);
}

/* The resolver's sockets above all: while we held one, nobody else could listen there. */
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

pid_t writer_process_process(void (*run)(void *), void *arg)
{
    static const int deaf_to[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM};
    sigset_t all, before;
    pid_t parent = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    fflush(NULL); /* what stands in a buffer would be written twice */
    pid_t child = fork();
    if (child == 0) {
        resolver = parent;
        here = true;
        for (size_t i = 0; i < sizeof deaf_to / sizeof deaf_to[0]; i++)
            signal(deaf_to[i], SIG_IGN);
        sigprocmask(SIG_SETMASK, &before, NULL);
        close_files();
#ifdef PR_SET_NAME
        (void)prctl(PR_SET_NAME, "assay-writer");
#endif
        run(arg);
        _exit(0);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child > 0 ? child : 0;
}

bool writer_process_orphaned(void)
{
    return getppid() != resolver;
}

bool writer_process_here(void)
{
    return here;
}

void writer_process_say(enum watch_log level, const char *line)
{
    struct line l = {.level = level};
    if (!lines)
        return;
    snprintf(l.text, sizeof l.text, "%s", line);
    if (!queue_push(lines->queue, &l, offsetof(struct line, text) + strlen(l.text) + 1))
        atomic_fetch_add(&lines->lost, 1);
    atomic_fetch_add(&lines->waiting, 1);
}

void writer_process_flush(void (*log)(enum watch_log level, const char *line))
{
    unsigned waiting = lines ? atomic_load_explicit(&lines->waiting, memory_order_relaxed) : 0;
    if (!lines || waiting == atomic_load_explicit(&flushed, memory_order_relaxed))
        return;
    atomic_store(&flushed, waiting);
    struct line l;
    while (queue_pop(lines->queue, &l))
        log(l.level, l.text);
    unsigned lost = atomic_exchange(&lines->lost, 0);
    if (lost) {
        char text[80];
        snprintf(text, sizeof text, "assay: %u more lines came faster than they could be logged", lost);
        log(WATCH_WARNING, text);
    }
}
