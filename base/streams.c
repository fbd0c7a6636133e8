// SPDX-License-Identifier: BSD-2-Clause
/*
 * streams.c - the three standard streams of a program that was started without some of them (">&-").
 *
 * open() gives the lowest free number: without this, a policy, journal or lock that is opened while standard output is
 * closed becomes standard output, and is written to.
 */
#include "base/streams.h"
#include <fcntl.h>
#include <unistd.h>

bool streams_hold(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* All lower descriptors are open, so open() returns this one. */
        if (open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_NOCTTY) != fd)
            return false;
    }
    return true;
}
