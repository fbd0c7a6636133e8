// SPDX-License-Identifier: BSD-2-Clause
/*
 * pause_state.c - reads the pause from disk, and caches it for a second.
 *
 * Promises that a pause takes effect within a second and ends within a second of its time. A file that is not a pause,
 * or cannot be read, stops nothing. It uses the real clock even in tests that fix the time. If there is no pause,
 * enforcement may still be suspended because our own DNS is broken (canary.h).
 */
#include "milter/pause_state.h"
#include "base/clock.h"
#include "milter/canary.h"
#include "policy/pause.h"
#include <pthread.h>

#define KEEP_MS 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pause last;
static bool last_on;
static int64_t last_ms = -KEEP_MS;

const char *pause_state_text(struct arena *a, const char *state_dir)
{
    char until[CLOCK_TEXT];
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&lock);
    if (now - last_ms >= KEEP_MS) {
        last_on = pause_read(state_dir, clock_wall(), &last) == STATUS_OK;
        last_ms = now;
    }
    struct pause p = last;
    bool on = last_on;
    pthread_mutex_unlock(&lock);
    return on ? arena_printf(a, "paused until %s by %s: %s", clock_utc_text(p.until, until), p.by, p.because)
              : canary_text(a);
}
