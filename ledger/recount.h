// SPDX-License-Identifier: BSD-2-Clause
/*
 * recount.h - counts the daily totals by standard, organisation and list again, from the mails' records.
 *
 * Only days of which every mail's record is still there are counted (ledger.keep-identity); others stay as they are.
 * What the ledger keeps of networks over many days (org_source) is raised to what the records show, never lowered,
 * since older mails' records are gone. Membership of lists is that of the day and stays; a day without any gets that
 * of the lists given. While records are taken in as they were written, recount changes nothing.
 *
 * Threads: one per store. Others may write meanwhile: each day is one transaction.
 */
#ifndef ASSAY_LEDGER_RECOUNT_H
#define ASSAY_LEDGER_RECOUNT_H

#include "ledger/organisation_lists.h"
#include "ledger/store.h"

#define RECOUNT_DAYS 400 /* looked at, the newest */

struct recount {
    int64_t days;                 /* that were counted */
    int64_t left;                 /* of which records are missing */
    int64_t mended[RECOUNT_DAYS]; /* days since 1970 whose totals were wrong, the oldest first */
    size_t mended_count;
    bool sources_mended;
};

/* lists: NULL: membership is not looked at. Statuses as store_run(); what was mended until then stays. */
enum status recount(struct store *s, const struct organisation_lists *lists, struct recount *out) MUST_CHECK;

#endif
