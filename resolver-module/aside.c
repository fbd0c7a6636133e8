// SPDX-License-Identifier: BSD-2-Clause
/*
 * aside.c - threads with a file table of their own, and the lines they leave for the resolver's log.
 *
 * Promises: no line is lost but beyond ASIDE_LINES, and then their number is told; a line is cut at ASIDE_LINE, never at a wrong place in memory. Where
 * the file table cannot be had alone (another system, a filter of system calls) the thread runs all the same, and only the saving is gone.
 */
#include "resolver-module/aside.h"
#include "base/quiet_thread.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct line {
    enum watch_log level;
    char text[ASIDE_LINE];
};

struct start {
    void *(*run)(void *);
    void *arg;
};

static _Thread_local bool here;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the three below */
static struct line lines[ASIDE_LINES];
static unsigned count, lost;
static atomic_bool waiting;

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

bool aside_start(pthread_t *thread, void *(*run)(void *), void *arg)
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

bool aside_here(void)
{
    return here;
}

void aside_say(enum watch_log level, const char *line)
{
    pthread_mutex_lock(&lock);
    if (count < ASIDE_LINES) {
        lines[count].level = level;
        snprintf(lines[count++].text, ASIDE_LINE, "%s", line);
    } else {
        lost++;
    }
    atomic_store(&waiting, true);
    pthread_mutex_unlock(&lock);
}

void aside_flush(void (*log)(enum watch_log level, const char *line))
{
    if (!atomic_load_explicit(&waiting, memory_order_relaxed))
        return;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < count; i++)
        log(lines[i].level, lines[i].text);
    if (lost) {
        char text[80];
        snprintf(text, sizeof text, "assay: %u more lines came faster than they could be logged", lost);
        log(WATCH_WARNING, text);
    }
    count = lost = 0;
    atomic_store(&waiting, false);
    pthread_mutex_unlock(&lock);
}
