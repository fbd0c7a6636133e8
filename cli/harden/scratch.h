// SPDX-License-Identifier: BSD-2-Clause
/*
 * scratch.h - a folder for a trial, which goes with the trial or, if that was killed, with the next one.
 *
 * Threads: none of its own; one caller at a time.
 */
#ifndef ASSAY_CLI_HARDEN_SCRATCH_H
#define ASSAY_CLI_HARDEN_SCRATCH_H

#include <stdbool.h>

#define SCRATCH_PATH 64
#define SCRATCH_DEPTH 16 /* folders in folders that are removed; Postfix's queue has six */

struct scratch {
    char path[SCRATCH_PATH]; /* "": there is none */
    int lock;                /* on the folder, while it is in use */
};

/* Makes TOP/assay-WHAT-XXXXXX (0700), and removes those of the same name whose maker is gone. A child process that is
 * only forked holds it too. False with errno: it could not be made. */
bool scratch_open(struct scratch *s, const char *top, const char *what);

/* Removes the folder and all in it, never anything outside. Nothing to do where it is not open. */
void scratch_close(struct scratch *s);

#endif
