// SPDX-License-Identifier: BSD-2-Clause
/*
 * ending.c - a thread that ends the process when its time is over.
 *
 * Promises to wait for no lock but its own until it has ended the process; so what hangs elsewhere cannot hold it up.
 * Failure: without the thread the end takes as long as it takes.
 */
#include "milter/ending.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool watched;
    int64_t at_ms; /* 0: not ordered */
    int code;
} ending = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *ending_watch(void *unused)
{
    pthread_mutex_lock(&ending.lock);
    for (;;) {
        const int64_t at = ending.at_ms;
        const struct timespec until = {.tv_sec = (time_t)(at / 1000), .tv_nsec = (long)(at % 1000) * 1000000};
        if (!at)
            pthread_cond_wait(&ending.changed, &ending.lock);
        else if (pthread_cond_timedwait(&ending.changed, &ending.lock, &until) == ETIMEDOUT)
            _exit(ending.code);
    }
    return unused;
}

bool ending_prepare(void)
{
    pthread_condattr_t attr;
    pthread_t thread;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* as clock_mono_ms() */
    pthread_cond_init(&ending.changed, &attr);
    pthread_condattr_destroy(&attr);
    ending.watched = quiet_thread_create(&thread, ending_watch, NULL) == 0;
    if (ending.watched)
        pthread_detach(thread);
    return ending.watched;
}

void ending_within(unsigned seconds, int code)
{
    const int64_t at = clock_mono_ms() + seconds * INT64_C(1000);

    if (!ending.watched)
        return;
    pthread_mutex_lock(&ending.lock);
    if (!ending.at_ms || at < ending.at_ms) {
        ending.at_ms = at;
        ending.code = code;
        pthread_cond_signal(&ending.changed);
    }
    pthread_mutex_unlock(&ending.lock);
}
