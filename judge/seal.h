// SPDX-License-Identifier: BSD-2-Clause
/*
 * seal.h - an ARC set of our own on mail that goes on (`set arc.seal`; RFC 8617 section 5.1).
 *
 * Off by default. With `relayed`, mail is sealed that has a recipient outside the own domains; with `all`, every judged
 * mail. A key that cannot be used stops no mail: it goes on unsealed, and report.seal_problem says why.
 */
#ifndef ASSAY_JUDGE_SEAL_H
#define ASSAY_JUDGE_SEAL_H

#include "judge/stamp.h"

/* At the end of the header, before the body. */
void seal_prepare(struct judge *j);

/* After the verdict: puts the set's fields on top of those in `stamp`, whose Authentication-Results it repeats. Nothing
 * where this mail is not sealed. */
void seal_stamp(struct judge *j, const char *results, struct stamp *stamp);

#endif
