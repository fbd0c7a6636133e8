// SPDX-License-Identifier: BSD-2-Clause
/*
 * aside.h - the module's own threads, kept out of the resolver's way.
 *
 * A thread started here takes no signals, and has a table of open files of its own where the system can give it one (Linux, unshare(2)): while two
 * threads share that table each system call of either counts its file up and down by an atomic step, which a resolver of one thread would pay for
 * at every packet (some 1 % of a question that misses the cache). From this follows the rule of this room: a file is used and closed by the thread
 * that opened it (or one that this started), and what belongs to the resolver, its log above all, is not touched from here; lines for the log
 * are left here and a worker writes them.
 *
 * Threads: all functions from any.
 */
#ifndef ASSAY_RESOLVER_MODULE_ASIDE_H
#define ASSAY_RESOLVER_MODULE_ASIDE_H

#include "resolver-module/watch.h"
#include <pthread.h>
#include <stdbool.h>

#define ASIDE_LINES 64   /* left for a worker; more are counted, and the count is a line */
#define ASIDE_LINE 640

/* As pthread_create with default attributes. False: no thread, no memory. */
bool aside_start(pthread_t *thread, void *(*run)(void *), void *arg);

/* Whether the caller is such a thread. */
bool aside_here(void);

/* Leaves a line for the log. */
void aside_say(enum watch_log level, const char *line);

/* Hands over what was left, oldest first; costs one atomic load where there is nothing. For threads of the resolver. */
void aside_flush(void (*log)(enum watch_log level, const char *line));

#endif
