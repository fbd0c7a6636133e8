// SPDX-License-Identifier: BSD-2-Clause
/*
 * action.h - carries out what was decided. The only file that changes a message or answers its sender. It decides
 * nothing.
 */
#ifndef ASSAY_MILTER_ACTION_H
#define ASSAY_MILTER_ACTION_H

#include "judge/reply.h"
#include "judge/stamp.h"
#include "milter/mta.h"
#include <stdbool.h>

/* For a message that is passed on (deliver, tag, quarantine, hold): removes forged fields, inserts ours, and moves the
 * message to the hold queue if the verdict says so. Returns the answer to the MTA: a temporary failure if it
 * does not allow one of these changes. */
enum mta_answer action_pass(struct mta *mta, struct judge *j, enum policy_action action, const struct stamp *stamp);

/* Answers the current SMTP command with our reply; the reply's code says whether it is permanent or temporary. */
enum mta_answer action_refuse(struct mta *mta, const struct reply *r);

#endif
