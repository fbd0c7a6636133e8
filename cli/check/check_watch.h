// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_watch.h - what `assay check --watch` saw the last time, and what has changed since.
 *
 * In the ledger, or in a file of its own, a line a domain: grade, points, how many runs in a row could not test
 * everything, and the tests that were not met. A file is written anew and renamed at watch_close(). What could not be
 * tested is said only when it was so three times in a row.
 */
#ifndef ASSAY_CLI_CHECK_CHECK_WATCH_H
#define ASSAY_CLI_CHECK_CHECK_WATCH_H

#include "cli/check/check_cmd.h"

#define WATCH_PATIENCE 3

struct watch;

/* path: a file, empty if it is not there yet; NULL: the ledger that the policy names, which must be there. Both must
 * stay until watch_close(). NULL, after a message: it cannot be read, or memory ran out. */
struct watch *watch_open(const char *path, const struct policy *policy);

/* Adds a line for each change of a domain to out, and notes its state. */
void watch_show(struct watch *w, const struct check_one *one, struct buf *out);

/* Writes the file, or into the ledger. 0, or -1 after a message. */
int watch_close(struct watch *w);

#endif
