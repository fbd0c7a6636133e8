// SPDX-License-Identifier: BSD-2-Clause
/*
 * background.h - the module's own threads, which the resolver never waits for, and the lines they leave for its log.
 *
 * Everything that touches a file is done by such a thread: a disk that hangs stops the thread, and no answer. Threads
 * are detached, and never joined. What a thread works on is counted by reference, and freed by whoever ends last. The
 * module's code stays in memory when the resolver unloads it (linked with -z nodelete), so a thread that comes back
 * late finds it. Of each kind there is at most one thread in the process: it holds a `background_slot`, and while an
 * old one hangs no other is started.
 *
 * A thread started here takes no signals. Where the system can (Linux, unshare(2)) it has a table of open files of its
 * own, in which nothing of the resolver's is open: a thread that survives a reload keeps no socket open, and the
 * resolver's system calls do not count their files atomically because of it. From this follows the rule of this room: a
 * file is used and closed by the thread that opened it (or one that this started), and what belongs to the resolver,
 * its log above all, is not touched from here.
 *
 * Threads: all functions from any, but background_ready before the others.
 */
#ifndef ASSAY_RESOLVER_MODULE_BACKGROUND_H
#define ASSAY_RESOLVER_MODULE_BACKGROUND_H

#include "resolver-module/watch.h"
#include <stdatomic.h>
#include <stdbool.h>

#define BACKGROUND_LINES 64 /* left for a worker; more are counted, and the count is a line */
#define BACKGROUND_LINE 640

/* Makes room for the lines; once for the program's life. False: no memory; lines are lost. */
bool background_ready(void);

/* One kind of thread; static, and zero at first. */
struct background_slot {
    atomic_bool busy;
    atomic_int id; /* the system's, of the thread that holds it */
};

/* Starts `run`. The slot is held until it returns; `arg` is run's to release. False: the slot is held, or there is no
 * thread or memory to be had; then nothing was started. */
bool background_start(struct background_slot *slot, void (*run)(void *), void *arg);

/* Waits until *done, but never for a file: gives up when the slot's thread was seen waiting for idle_ms in all
 * (computing does not count), and after BACKGROUND_WAIT_MS in any case. */
#define BACKGROUND_WAIT_MS 10000
bool background_await(const struct background_slot *slot, const atomic_bool *done, int idle_ms);

/* Tells whether the caller is such a thread. */
bool background_here(void);

/* Leaves a line for the log. */
void background_say(enum watch_log level, const char *line);

/* Hands over what was left, oldest first; costs one atomic load if there is nothing. For threads of the resolver. */
void background_flush(void (*log)(enum watch_log level, const char *line));

#endif
