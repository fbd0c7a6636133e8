// SPDX-License-Identifier: BSD-2-Clause
/*
 * streams.h - keeps files away from the numbers of standard input, output and error.
 *
 * Threads: before any other starts.
 */
#ifndef ASSAY_BASE_STREAMS_H
#define ASSAY_BASE_STREAMS_H

#include <stdbool.h>

/* The first call of every program. A standard stream that the caller had closed is taken by /dev/null, opened the wrong
 * way round: to read or write there fails as before (EBADF), and no file opened later gets its number, and with it what
 * is printed. False: that cannot be done. */
bool streams_hold(void);

#endif
