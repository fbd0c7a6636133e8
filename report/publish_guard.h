// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish_guard.h - whether totals of sets of organisations tell, together, of fewer than five.
 *
 * A reader adds and subtracts the totals that were ever shown: of a list, and one with its members and two more, the
 * difference is those two; so it is of a list and two others that hold all of it but one, or of one list on two days,
 * of which one organisation has changed. A total is a set of organisations, each of which meets all or does not; what
 * follows from some totals is every sum of them with factors. If such a sum speaks of one to four organisations, and
 * nobody else, one of its totals must go.
 */
#ifndef ASSAY_REPORT_PUBLISH_GUARD_H
#define ASSAY_REPORT_PUBLISH_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publish_member {
    uint64_t organisation; /* a mark of its name */
    bool meets;            /* all, at that time; one that changed is another part of a sum */
};

/* Each organisation once. */
struct publish_set {
    const struct publish_member *all;
    size_t count;
};

/* Tells whether a sum of the sets, with any factors, speaks of 1 to least - 1 organisations. in, where not NULL: for
 * each set whether it has one of those. Where there is more to look at than PUBLISH_GUARD_WORK, or no memory, the
 * answer is true, and so is each of `in`. Pure; at most some seconds. */
#define PUBLISH_GUARD_WORK UINT64_C(4000000000)
bool publish_guard_tells(const struct publish_set *const *sets, size_t count, unsigned least, bool *in);

#endif
