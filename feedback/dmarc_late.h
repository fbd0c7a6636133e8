// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_late.h - mails that are in no DMARC report, though they should be: their records came after their day's reports
 * were sent, or the reports could not be sent as long as their day was looked back at.
 *
 * The cut-off is report.delay after the end of the UTC day. There is one report for each policy domain, destination and
 * day, so what a host brings later is in no report: a second one under another Report-ID would count as another
 * reporter's, and the same Report-ID with other figures would be dropped by its reader as a repeat, or count twice. It
 * is not lost silently either: it stays in the ledger and is counted here. A domain of which nothing at all was known
 * at the cut-off still gets its first report, for DMARC_RUN_DAYS_BACK days; after that its mails are late too. A day of
 * which no report at all was sent is named as a whole, with the number of its domains.
 */
#ifndef ASSAY_FEEDBACK_DMARC_LATE_H
#define ASSAY_FEEDBACK_DMARC_LATE_H

#include "base/arena.h"
#include "ledger/store.h"

/* Days looked at by the command; the rows of older ones are gone, as ledger.keep-identity is set by default. */
#define DMARC_LATE_DAYS 13
#define DMARC_LATE_HOSTS 10 /* that are named */

struct dmarc_late {
    int64_t day, mails;
    const char *domain, *destination; /* destination: of a domain without any report, the first it asks for; both "" of
                                         a whole day */
    const char *why;                  /* "came after the report was sent", ...: what follows "3 mails" */
    bool first;                       /* no report at all */
    /* "mx2 3, mx1 1": who brought them, the most first; "" where that is not known (a mail taken in while its report
       was being made, or by a version that did not keep it) */
    const char *hosts;
};

/* The days from `since` to `last`, both included; `closed`: the newest day that is closed: later data for it is not
 * reported. Calls seen for each, by day and domain. STATUS_OK; STATUS_AGAIN: the store; STATUS_NOMEM. */
enum status dmarc_late_find(struct store *s, int64_t since, int64_t last, int64_t closed,
                            void (*seen)(void *context, const struct dmarc_late *late), void *context) MUST_CHECK;

#endif
