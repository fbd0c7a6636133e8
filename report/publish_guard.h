// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_guard.h - whether totals of groups that overlap tell, together, of fewer than five.
 *
 * A reader who knows the groups can add and subtract their totals: of a list, and one with its members and two more,
 * the difference is those two. Groups are sets of organisations; what follows from the totals of some of them is every
 * set that is a sum of these sets with factors. If one of fewer than PUBLISH_LEAST organisations is, a total must go.
 */
#ifndef ASSAY_REPORT_PUBLISH_GUARD_H
#define ASSAY_REPORT_PUBLISH_GUARD_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* member: for each organisation a bit for each group that it is in. shown: bits of the groups whose totals are known.
 * Tells whether a set of 1 to least - 1 organisations follows; *in: of which groups its organisations are. Where there
 * are more combinations than can be looked at, or no memory, the answer is true (*in: all of them). */
bool publish_guard_tells(struct arena *a, const uint64_t *member, size_t count, uint64_t shown, unsigned least,
                         uint64_t *in);

#endif
