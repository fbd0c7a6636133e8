// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_reach.h - which domains get DMARC reports of ours: `set report.to`.
 *
 * RFC 9990 wishes that every domain with a rua tag gets a report. A host that does so writes to every spammer's domain
 * it sees, and block lists have listed hosts for that. So by default (`known`) a report goes to a domain that is no
 * stranger: DMARC passed, aligned, on at least DMARC_REACH_DAYS days of the last DMARC_REACH_WINDOW; or a user of ours
 * wrote to it in that time; or a statement of the policy names it; or `report.always-to` does. Never to a domain all of
 * whose mail of the day was refused, unless `report.always-to` names it; never to one that `report.never-to` names.
 */
#ifndef ASSAY_FEEDBACK_DMARC_REACH_H
#define ASSAY_FEEDBACK_DMARC_REACH_H

#include "ledger/config.h"
#include "ledger/store.h"

#define DMARC_REACH_WINDOW 90 /* days, the day of the report included */
#define DMARC_REACH_DAYS 2
#define DMARC_REACH_LEAST 50   /* reports for a day, however little mail goes out */
#define DMARC_REACH_PERCENT 20 /* of the messages that went out that day */

#define DMARC_REACH_WHY 200

/* Whether a report of `day` about the policy domain goes out at all. all_refused: of the day's mail. asked: somebody
 * asks for this report by name (--resend), so a stranger gets it too. *goes false: why (DMARC_REACH_WHY octets) says
 * why not. STATUS_OK; STATUS_AGAIN: the store. */
enum status dmarc_reach(struct store *s, const struct ledger_config *c, int64_t day, const char *domain,
                        bool all_refused, bool asked, bool *goes, char *why) MUST_CHECK;

/* How many reports may go out for the day: `report.ceiling`, or where that is 0 the greater of DMARC_REACH_LEAST and
 * DMARC_REACH_PERCENT of the messages our users sent on it. */
enum status dmarc_reach_ceiling(struct store *s, const struct ledger_config *c, int64_t day, int64_t *most) MUST_CHECK;

#endif
