// SPDX-License-Identifier: BSD-2-Clause
/*
 * clock.c - wall and monotonic time.
 *
 * Promises that every caller sees a fixed wall time, and that the monotonic clock is never fixed, so that waiting
 * always ends.
 */
#include "base/clock.h"
#include <stdatomic.h>
#include <stdio.h>

static _Atomic int64_t fixed_wall;

void clock_set_wall(time_t fixed)
{
    fixed_wall = (int64_t)fixed;
}

int64_t clock_wall_us(void)
{
    int64_t fixed = fixed_wall;
    if (fixed)
        return fixed * 1000000;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

time_t clock_wall(void)
{
    return (time_t)(clock_wall_us() / 1000000);
}

int64_t clock_mono_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *clock_utc_text(time_t t, char out[CLOCK_TEXT])
{
    struct tm tm;
    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099 ||
        strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, CLOCK_TEXT, "0000-00-00T00:00:00Z");
    return out;
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    if (ms > 0)
        nanosleep(&t, NULL);
}
