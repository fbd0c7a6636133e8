// SPDX-License-Identifier: BSD-2-Clause
/*
 * action.h - carries out what was decided. The only file that changes a message or answers its sender. It decides
 * nothing.
 */
#ifndef ASSAY_MILTER_ACTION_H
#define ASSAY_MILTER_ACTION_H

#include "judge/reply.h"
#include "judge/stamp.h"
#include <stdbool.h>

struct smfi_str;

/* For a message that is passed on (deliver, tag, quarantine, hold): removes forged fields, inserts ours, and moves the
 * message to the hold queue if the verdict says so. Returns what the callback returns to libmilter: a temporary failure
 * if the MTA refused one of these changes. */
int action_pass(struct smfi_str *ctx, struct judge *j, enum policy_action action, const struct stamp *stamp);

/* Answers the current SMTP command with our reply; the reply's code says whether it is permanent or temporary. */
int action_refuse(struct smfi_str *ctx, const struct reply *r);

#endif
