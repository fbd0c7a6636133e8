// SPDX-License-Identifier: BSD-2-Clause
/*
 * rcpt_answer.h - whether an MTA is asked to wait for our answer to RCPT (milter protocol 6, SMFIP_NR_RCPT).
 *
 * Threads: any.
 */
#ifndef ASSAY_MILTER_RCPT_ANSWER_H
#define ASSAY_MILTER_RCPT_ANSWER_H

#include "milter/daemon.h"

/* Asked for each new connection. true: the policy or `assay doctor` may need the answer, or DNS is often asked. */
bool rcpt_answer_is_needed(const struct daemon *d);

/* Told of each mail, once the look-ups of its envelope have begun. asks: some of them were not in the cache. */
void rcpt_answer_learn(bool asks);

#endif
