// SPDX-License-Identifier: BSD-2-Clause
/*
 * merge_back.h - the three-way undo of a text file that somebody has edited since we changed it.
 *
 * Of the lines that we wrote, those that are still as written are removed, and those that we removed are restored in
 * their place; every other line stays as it is. What cannot be undone is counted and named.
 */
#ifndef ASSAY_CLI_HARDEN_MERGE_BACK_H
#define ASSAY_CLI_HARDEN_MERGE_BACK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#define MERGE_LINES 20000   /* of a file; more: STATUS_LIMIT */
#define MERGE_COMPARED 1500 /* lines of the middle that differ: above that they are one block */

/* before: as it was; after: as we wrote it; now: as it stands. *out: the result. Into `left`: a line for each thing
 * that stays, "remove: TEXT" or "put back: TEXT"; *left_count of them. */
enum status merge_back(struct arena *a, struct slice before, struct slice after, struct slice now, struct slice *out,
                       struct buf *left, size_t *left_count) MUST_CHECK;

#endif
