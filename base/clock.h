// SPDX-License-Identifier: BSD-2-Clause
/*
 * clock.h - the wall clock and the monotonic clock; tests and replays can fix the first.
 *
 * Wall time (seconds since 1970) decides dates: signatures, exemptions, days of reports. Monotonic time decides how
 * long we wait. Code calls these functions and never time(2), so that a case can be judged as of any day.
 *
 * Threads: clock_set_wall before other threads start; the rest from any thread.
 */
#ifndef ASSAY_BASE_CLOCK_H
#define ASSAY_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Wall time in seconds; the fixed value if one was set. */
time_t clock_wall(void);

/* Wall time in microseconds since 1970. */
int64_t clock_wall_us(void);

/* Milliseconds of the monotonic clock. */
int64_t clock_mono_ms(void);

/* Fixes wall time for the rest of the process; 0 lets it run again. */
void clock_set_wall(time_t fixed);

/* Sleeps that long; a signal may end it early. */
void clock_sleep_ms(int64_t ms);

/* "2026-11-20T23:19:25Z" */
#define CLOCK_TEXT 24
const char *clock_utc_text(time_t t, char out[CLOCK_TEXT]);

#endif
