// SPDX-License-Identifier: BSD-2-Clause
/*
 * writer_process.h - the module's own threads, or a process instead, kept out of the resolver's way.
 *
 * A process that has two threads pays for it in all of them: the C library takes locks and steps aside for
 * cancellation, and each system call counts its file up and down by an atomic step. A resolver of one thread would pay
 * some 4 % of each question that misses the cache. So there what can be done apart is done by a process of its own,
 * forked while there is little in memory; it ends when the resolver is gone.
 *
 * A thread started here takes no signals, and has a table of open files of its own where the system can give it one
 * (Linux, unshare(2)). From this follows the rule of this room: a file is used and closed by the thread that opened it
 * (or one that this started), and what belongs to the resolver, its log above all, is not touched from here; lines for
 * the log are left here and a worker writes them.
 *
 * Threads: all functions from any, but writer_process_ready before the others.
 */
#ifndef ASSAY_RESOLVER_MODULE_WRITER_PROCESS_H
#define ASSAY_RESOLVER_MODULE_WRITER_PROCESS_H

#include "resolver-module/watch.h"
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#define WRITER_PROCESS_LINES 64 /* left for a worker; more are counted, and the count is a line */
#define WRITER_PROCESS_LINE 640

/* Makes room for the lines; once for the program's life. False: no memory; lines are lost. */
bool writer_process_ready(void);

/* As pthread_create with default attributes. False: no thread, no memory. */
bool writer_process_start(pthread_t *thread, void *(*run)(void *), void *arg);

/* Whether this process holds so little memory that a copy of it may stand beside: what it writes to later is there
 * twice until that process ends. */
#define WRITER_PROCESS_LIGHT (128 * 1024 * 1024) /* octets */
bool writer_process_is_light(void);

/* Starts `run` in a process of its own, which has no file open but the standard three, takes no signal that ends
 * programs, and is gone when run returns. Its memory is a copy, but for what is mapped to be shared. 0: there is
 * none to be had. The caller collects it (waitpid(2)). */
pid_t writer_process_process(void (*run)(void *), void *arg);

/* In such a process: the resolver that started it is gone. */
bool writer_process_orphaned(void);

/* Whether the caller is such a thread, or in such a process. */
bool writer_process_here(void);

/* Leaves a line for the log. */
void writer_process_say(enum watch_log level, const char *line);

/* Hands over what was left, oldest first; costs one atomic load where there is nothing. For threads of the resolver. */
void writer_process_flush(void (*log)(enum watch_log level, const char *line));

#endif
