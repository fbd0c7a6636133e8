// SPDX-License-Identifier: BSD-2-Clause
/*
 * action.h - doing what was decided. The only file that changes a message or answers its sender; nothing is decided
 * here.
 */
#ifndef ASSAY_MILTER_ACTION_H
#define ASSAY_MILTER_ACTION_H

#include "judge/reply.h"
#include "judge/stamp.h"
#include <stdbool.h>

struct smfi_str;

/* At the end of a message that goes on (deliver, tag, quarantine, hold): forged fields out, ours in, the hold queue
 * where asked. Returns what the callback returns to libmilter; a temporary failure where the MTA would not do what was
 * asked. */
int action_pass(struct smfi_str *ctx, struct judge *j, enum policy_action action, const struct stamp *stamp);

/* Answers the command that is being judged with our reply, permanent or temporary by its code. */
int action_refuse(struct smfi_str *ctx, const struct reply *r);

#endif
