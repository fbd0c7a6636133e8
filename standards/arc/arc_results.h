// SPDX-License-Identifier: BSD-2-Clause
/*
 * arc_results.h - what an ARC-Authentication-Results says, for the finding (RFC 8617 4.1.1, RFC 8601). Internal to
 * arc_*.
 */
#ifndef ASSAY_STANDARDS_ARC_ARC_RESULTS_H
#define ASSAY_STANDARDS_ARC_ARC_RESULTS_H

#include "standards/arc/arc_check.h"

/* Fills authserv, spf, dkim, dmarc, arc and dmarc_from from set->aar. What cannot be read leaves them none and NULL. */
void arc_results_read(struct arena *arena, struct arc_set *set);

#endif
