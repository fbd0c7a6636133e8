// SPDX-License-Identifier: BSD-2-Clause
/*
 * rcpt_answer.h - decides whether an MTA must wait for our answer to RCPT (milter protocol 6, SMFIP_NR_RCPT).
 *
 * Threads: any.
 */
#ifndef ASSAY_MILTER_RCPT_ANSWER_H
#define ASSAY_MILTER_RCPT_ANSWER_H

#include "milter/daemon.h"

/* Called for each new connection. Returns true if the policy or `assay doctor` may need the answer, or if many
 * envelopes had to ask DNS. */
bool rcpt_answer_is_needed(const struct daemon *d);

/* Called for each mail, after the look-ups of its envelope have begun. asks: the cache did not have all answers. */
void rcpt_answer_learn(bool asks);

#endif
