// SPDX-License-Identifier: BSD-2-Clause
/*
 * seal.h - adds an ARC set of our own to mail that is passed on (`set arc.seal`; RFC 8617 section 5.1).
 *
 * Off by default. With `relayed`, mail that has a recipient outside our own domains is sealed; with `all`, every judged
 * mail. A key that cannot be used stops no mail: it is passed on unsealed, and report.seal_problem says why.
 */
#ifndef ASSAY_JUDGE_SEAL_H
#define ASSAY_JUDGE_SEAL_H

#include "judge/stamp.h"

/* At the end of the header, before the body. */
void seal_prepare(struct judge *j);

/* After the verdict: puts the set's fields on top of those in `stamp`, whose Authentication-Results it repeats. Does
 * nothing if this mail is not sealed. */
void seal_stamp(struct judge *j, const char *results, struct stamp *stamp);

#endif
