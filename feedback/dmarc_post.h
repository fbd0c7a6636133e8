// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_post.h - sends a report's mail: signed if a key is set, by SMTP or by the mail command.
 */
#ifndef ASSAY_FEEDBACK_DMARC_POST_H
#define ASSAY_FEEDBACK_DMARC_POST_H

#include "ledger/config.h"

#define DMARC_POST_SECONDS 120 /* for one hand-over */
#define DMARC_POST_WHY 200

/* STATUS_OK: it was taken; why (DMARC_POST_WHY octets) is "". Else why says what was wrong. STATUS_MISSING: there is no
 * such address. STATUS_LIMIT: the destination did not take it; it is to be tried again. Any other: our own way of
 * sending failed (the command, the connection, the login, the key), so the destination is not to blame; so it did where
 * stop (may be NULL) cut it short. */
enum status dmarc_post(const struct ledger_config *c, const char *to, struct slice mail, bool (*stop)(void),
                       char *why) MUST_CHECK;

#endif
