// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_reason.h - the column Why: one mail's decision, or what was found, in a few words.
 */
#ifndef ASSAY_CLI_LEDGER_MAIL_REASON_H
#define ASSAY_CLI_LEDGER_MAIL_REASON_H

#include "base/buf.h"
#include "ledger/record.h"

/*
 * Adds why the policy wants something done ("dmarc: because it failed"), or, where it wants nothing, the worst of what
 * was looked at ("dmarc=fail: because it failed"; "dmarc=pass" if nothing failed).
 */
void mail_reason_add(struct buf *out, const struct record *r);

#endif
