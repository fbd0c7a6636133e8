// SPDX-License-Identifier: BSD-2-Clause
/*
 * recall.h - what a policy makes of a mail that was judged before, by the ledger's record of it.
 *
 * The facts are taken back out of the record (assay-journal(5)), and the milter's own decision is asked: nothing is
 * decided here. What a record does not hold is not known: recipients' addresses (statements `writing to` do not apply),
 * which kind of limit kept an answer back, and facts that the writing version did not record.
 *
 * Threads: any, each with its own arena.
 */
#ifndef ASSAY_CLI_RECALL_H
#define ASSAY_CLI_RECALL_H

#include "base/arena.h"
#include "judge/verdict.h"
#include "ledger/record.h"

struct recall {
    struct facts facts;
    bool early; /* it was decided about before its content came: only what can be said then is asked */
};

/* The facts of a record of kind mail. Texts point into the record and the arena. STATUS_NOMEM. */
enum status recall_facts(struct arena *a, const struct record *r, struct recall *out) MUST_CHECK;

/* The verdict of policy p on those facts at the time `at`; its `would` is what the policy asks for, whatever the mode.
 * STATUS_NOMEM. */
enum status recall_verdict(struct arena *a, const struct recall *f, const struct policy *p, time_t at,
                           struct verdict *out) MUST_CHECK;

#endif
