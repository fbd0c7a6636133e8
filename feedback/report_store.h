// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_store.h - keeps a report that others sent (report_in.h) in the ledger, row by row, in one transaction.
 *
 *     report_store_begin(); report_store_row() for each; then store_commit(), or store_rollback() and nothing is kept.
 */
#ifndef ASSAY_FEEDBACK_REPORT_STORE_H
#define ASSAY_FEEDBACK_REPORT_STORE_H

#include "feedback/report_in.h"
#include "ledger/store.h"

/* What one sender may bring by mail in a UTC day; all that are not authenticated are one. */
#define REPORT_STORE_DAY_REPORTS 1000
#define REPORT_STORE_DAY_OCTETS INT64_C(1000000000)

/* One of the domains that a report is about. */
struct report_store_about {
    bool ours;                     /* set by the caller: else it is about others, and kept apart */
    bool fresh;                    /* false: it was there already, and its rows are not kept again */
    size_t rows;                   /* so far, fresh or not */
    int64_t count;                 /* their sum */
    char id[REPORT_IN_FIELD + 64]; /* as it is kept: with the range if another has the same */
};

/* Begins a transaction and writes the heads. about: one for each of r->domains. STATUS_LIMIT: its sender has brought as
 * much today as is taken. After a failure there is no transaction. */
enum status report_store_begin(struct store *s, const struct report_in *r, const char *file,
                               struct report_store_about *about) MUST_CHECK;

enum status report_store_row(struct store *s, const struct report_in *r, struct report_store_about *about,
                             const struct report_in_row *row) MUST_CHECK;

#endif
