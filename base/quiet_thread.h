// SPDX-License-Identifier: BSD-2-Clause
/*
 * quiet_thread.h - starts a thread that blocks all signals: the main thread waits for them, and in another thread a
 * signal's default action would end the program.
 */
#ifndef ASSAY_BASE_QUIET_THREAD_H
#define ASSAY_BASE_QUIET_THREAD_H

#include <pthread.h>
#include <signal.h>

/* As pthread_create with default attributes, with all signals blocked in the new thread from its start. */
static inline int quiet_thread_create(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

#endif
