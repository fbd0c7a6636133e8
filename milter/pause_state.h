// SPDX-License-Identifier: BSD-2-Clause
/*
 * pause_state.h - tells whether enforcement is paused (policy/pause.h). Asked and read from disk for every message.
 */
#ifndef ASSAY_MILTER_PAUSE_STATE_H
#define ASSAY_MILTER_PAUSE_STATE_H

#include "base/arena.h"

/* "paused until 2026-11-21T01:19:25Z by root: REASON" in the arena; "suspended: REASON" while our own DNS is broken
 * (canary.h); or NULL: the policy is enforced. Any thread. */
const char *pause_state_text(struct arena *a, const char *state_dir);

#endif
