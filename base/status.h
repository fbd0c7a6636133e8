// SPDX-License-Identifier: BSD-2-Clause
/*
 * status.h - the return codes of our functions, the same everywhere.
 *
 * Soft and hard failure are different values, so that nobody has to guess from a text whether trying again makes sense:
 *   STATUS_OK        done; results are set.
 *   STATUS_AGAIN     soft: may succeed later (a time-out, a full disk, a busy database). Results untouched.
 *   STATUS_INVALID   hard: the input is invalid. Results untouched.
 *   STATUS_LIMIT     hard: a named limit (limits.h) was exceeded. Results untouched.
 *   STATUS_MISSING   hard: there is no such thing.
 *   STATUS_DENIED    hard: not allowed (permissions, ownership).
 *   STATUS_NOMEM     soft: memory or an arena's bound ran out.
 * Functions that return it carry MUST_CHECK. Our libraries return; they never log, abort or exit.
 *
 * Threads: where a header says nothing about them, its functions have no state of their own. Any thread may call them,
 * and what a pointer leads to is used by one thread at a time. All of cli/ runs in one thread.
 */
#ifndef ASSAY_BASE_STATUS_H
#define ASSAY_BASE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_AGAIN,
    STATUS_INVALID,
    STATUS_LIMIT,
    STATUS_MISSING,
    STATUS_DENIED,
    STATUS_NOMEM,
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* A short lower-case text, never NULL. */
const char *status_text(enum status s);

/* The text to append to a message about this errno: "; run this as root" if a right is missing and we are not root,
 * otherwise "". */
const char *status_as_root(int error);

#endif
