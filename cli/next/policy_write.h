// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_write.h - the last step of every command that changes the policy (`assay next --write`, `assay exempt`): the
 * new text must load, the difference is shown, the administrator says yes, and the file is replaced, unless somebody
 * changed the policy in the meantime.
 */
#ifndef ASSAY_CLI_NEXT_POLICY_WRITE_H
#define ASSAY_CLI_NEXT_POLICY_WRITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

/* The milter and the ledger read the policy when they are told to. */
#define POLICY_WRITE_RELOAD "systemctl reload assay-milter assay-ledger"

struct policy_write {
    const char *path;
    const char *keep;        /* undo_place() of the command */
    struct slice before;     /* the text that `after` was made of */
    struct slice after;      /* its p NULL: there was no memory for it */
    const char *hash;        /* policy_hash() of the policy that the change was decided by; NULL: any that loads */
    unsigned warn_from_line; /* warnings about this line and later ones are printed; 0: none */
    const char *beware;      /* what the change lets in or keeps out: one line below the difference; NULL: nothing */
    bool yes;                /* do not ask */
    const char *then;        /* last line of what is printed when it is done: how to see it, how to undo it */
};

/* Reads the file that is to be changed. -1; else the exit code, after a message: EX_NOINPUT if there is none, EX_NOPERM
 * if it is a symbolic link or otherwise no regular file of its own, or may not be read. */
int policy_write_read(struct arena *a, const char *path, struct slice *text);

/* Appends lines, which end in LF, to `out`. They get the line end that most lines of `file` have (CR LF or LF). If the
 * last line of `out` has no line end, it gets one first. */
void policy_write_add(struct buf *out, struct slice file, const char *lines);

/* The exit code. EX_CONFIG: the new text does not load; CLI_WARNING: the answer was no; EX_TEMPFAIL: the policy was
 * changed meanwhile, by its file or by a list or include of it; EX_NOPERM. Nothing was written in all these cases. */
int policy_write(struct arena *a, const struct policy_write *w);

#endif
