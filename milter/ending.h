// SPDX-License-Identifier: BSD-2-Clause
/*
 * ending.h - bounds how long the end of the program may take, whatever still waits then: a look-up for the canary, a
 * probe, a message, a disk.
 *
 * Threads: ending_prepare() once, before there are others; ending_within() any.
 */
#ifndef ASSAY_MILTER_ENDING_H
#define ASSAY_MILTER_ENDING_H

#include <stdbool.h>

/* From the order to stop. More than MAIN_DRAIN_SECONDS (main.c) and what follows it, less than TimeoutStopSec of the
 * unit, after which systemd would kill the process. */
#define ENDING_SECONDS 35

/* Once all findings are on disk: nothing that is left can be lost. */
#define ENDING_NOTHING_LEFT_SECONDS 3

/* Starts the thread that watches the end, because there may be no memory for it then. false: there is none now. */
bool ending_prepare(void);

/* The process ends in at most so many seconds, with this exit code. A second call can only make it earlier. Without
 * ending_prepare() it does nothing. */
void ending_within(unsigned seconds, int code);

#endif
