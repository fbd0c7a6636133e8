// SPDX-License-Identifier: BSD-2-Clause
/*
 * background.h - the module's own threads, which the resolver never waits for, and their lines for its log.
 *
 * Only such threads use files: a disk that hangs stops the thread, but no answer. Threads are detached, and never
 * joined. The data of a thread has a reference count, and the last user frees it. The module's code stays in memory
 * when the resolver unloads it (linked with -z nodelete), so a thread that wakes up late can still run. The process has
 * at most one thread of each kind: it holds a `background_slot`, and while an old one hangs no other is started.
 *
 * A thread started here takes no signals. If the system can do it (Linux, unshare(2)) it has its own file descriptor
 * table, without the resolver's descriptors: a thread that survives a reload keeps no socket open, and the resolver's
 * system calls need no atomic reference counts on its descriptors because of it. From this follows the rule of this
 * room: a file is used and closed by the thread that opened it (or one that this started), and what belongs to the
 * resolver, its log above all, is not touched from here.
 *
 * Threads: all functions from any, but background_ready before the others.
 */
#ifndef ASSAY_RESOLVER_MODULE_BACKGROUND_H
#define ASSAY_RESOLVER_MODULE_BACKGROUND_H

#include "resolver-module/watch.h"
#include <stdatomic.h>
#include <stdbool.h>

#define BACKGROUND_LINES 64 /* lines kept until a worker logs them; more are counted */
#define BACKGROUND_LINE 640

/* Allocates room for the lines, once in the life of the program. False: no memory; lines are lost. */
bool background_ready(void);

/* One kind of thread; static, and zero at first. */
struct background_slot {
    atomic_bool busy;
    atomic_int id; /* the system's, of the thread that holds it */
};

/* Starts `run`. The slot is held until it returns; run releases `arg`. False: the slot is in use, or there is no thread
 * or memory; then nothing was started. */
bool background_start(struct background_slot *slot, void (*run)(void *), void *arg);

/* Waits until *done, but never for a file: gives up when the slot's thread has been blocked for idle_ms in total (time
 * spent computing does not count), and after most_ms in any case. */
bool background_await(const struct background_slot *slot, const atomic_bool *done, int idle_ms, int most_ms);

/* Tells whether the slot's thread computes now: it does not wait for a file. Reads /proc. */
bool background_computes(const struct background_slot *slot);

/* Tells whether the caller is such a thread. */
bool background_here(void);

/* Queues a line for the log. */
void background_say(enum watch_log level, const char *line);

/* Logs the queued lines, oldest first; costs one atomic load if there is nothing. For threads of the resolver. */
void background_flush(void (*log)(enum watch_log level, const char *line));

#endif
