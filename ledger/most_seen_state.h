// SPDX-License-Identifier: BSD-2-Clause
/*
 * most_seen_state.h - the rows of ledger_state that the lists of most_seen.h have. For the ledger's files alone.
 */
#ifndef ASSAY_LEDGER_MOST_SEEN_STATE_H
#define ASSAY_LEDGER_MOST_SEEN_STATE_H

/* The number that rows of subject_seen get now. Lists that are made afterwards contain what lower numbers stand for. */
#define MOST_SEEN_PASS "most_seen_pass"
/* 1: each day that has rows is either listed, or all its subjects are in subject_seen. */
#define MOST_SEEN_READY "most_seen_ready"

#endif
