// SPDX-License-Identifier: BSD-2-Clause
/*
 * pause_state.c - reads the pause from disk, for each mail that it could affect.
 *
 * Promises that a pause, its end and `assay resume` take effect for every mail that is judged later: nothing is cached.
 * Where there is no pause that costs one open() of a file that does not exist. A file that is not a pause, or cannot be
 * read, stops nothing. It uses the real clock even in tests that fix the time. If there is no pause, enforcement may
 * still be suspended because our own DNS is broken (canary.h).
 */
#include "milter/pause_state.h"
#include "base/clock.h"
#include "milter/canary.h"
#include "policy/pause.h"

const char *pause_state_text(struct arena *a, const char *state_dir)
{
    char until[CLOCK_TEXT];
    struct pause p;
    if (pause_read(state_dir, clock_wall(), &p) != STATUS_OK)
        return canary_text(a);
    return arena_printf(a, "paused until %s by %s: %s", clock_utc_text(p.until, until), p.by, p.because);
}
