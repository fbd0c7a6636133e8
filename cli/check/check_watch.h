// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_watch.h - what `assay check --watch` saw the last time, and what has changed since.
 *
 * A file of its own, a line a domain: grade, points, how many runs in a row could not test everything, and the tests
 * that were not met. It is written anew and renamed at watch_close(). What could not be tested is said only when it was
 * so three times in a row.
 */
#ifndef ASSAY_CLI_CHECK_CHECK_WATCH_H
#define ASSAY_CLI_CHECK_CHECK_WATCH_H

#include "cli/check/check_cmd.h"

#define WATCH_PATIENCE 3

struct watch;

/* A file that is not there yet is empty. NULL, after a message: it cannot be read, or memory ran out. */
struct watch *watch_open(const char *path);

/* Adds a line for each change of a domain to out, and notes its state. */
void watch_show(struct watch *w, const struct check_one *one, struct buf *out);

/* Writes the file. 0, or -1 after a message. */
int watch_close(struct watch *w);

#endif
