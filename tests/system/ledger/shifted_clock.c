// SPDX-License-Identifier: BSD-2-Clause
/*
 * shifted_clock.c - to be preloaded: the wall clock and the monotonic clock, shifted while the program runs.
 *
 * SHIFTED_CLOCK names a file of two int64_t: the seconds to add to CLOCK_REALTIME, and those to add to CLOCK_MONOTONIC.
 * Writing to the file shifts the clocks at once. CLOCK_BOOTTIME stays true, as it does when a machine's clock is set.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void open_shift(void)
{
    const char *path = getenv("SHIFTED_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, 2 * sizeof *shift, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    shift = at == MAP_FAILED ? NULL : at;
    if (fd >= 0)
        close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int rc = (int)syscall(SYS_clock_gettime, id, ts);
    if (rc == 0 && shift && (id == CLOCK_REALTIME || id == CLOCK_MONOTONIC))
        ts->tv_sec += shift[id == CLOCK_MONOTONIC];
    return rc;
}
