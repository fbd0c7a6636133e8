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
    bool ours;                              /* set by the caller: else it is about others, and kept apart */
    bool fresh;                             /* false: it was there already, and its rows are not kept again */
    size_t rows;                            /* so far, fresh or not */
    int64_t count;                          /* their sum */
    struct report_store_rows *rows_waiting; /* of the first domain: the rows of all that are not written yet */
    char id[REPORT_IN_FIELD + 64];          /* as it is kept: with the range if another has the same */
};

/* A report's rows are collected and written a step at a time, each in a transaction of its own, so that nobody waits
 * for a large report, nor for one that is slow to read. Its heads are marked as unfinished until the last step: no
 * query sees them or their rows. */
#define REPORT_STORE_STEP 1500        /* rows; others are let in for at least 10 ms between two steps */
#define REPORT_STORE_UNFINISHED (-1)  /* in the column "ours" */
#define REPORT_STORE_LEFT_SECONDS 120 /* an unfinished report that got no row for so long was left by one that died */

/* Writes the heads. about: one for each of r->domains. STATUS_LIMIT: its sender has brought as much today as is taken;
 * STATUS_AGAIN also while another program reads the same report. After a failure nothing else need be called; else
 * report_store_end() or report_store_drop() ends it. */
enum status report_store_begin(struct store *s, const struct report_in *r, const char *file,
                               struct report_store_about *about) MUST_CHECK;

/* After a failure of one of these: report_store_drop(). */
enum status report_store_row(struct store *s, const struct report_in *r, struct report_store_about *about,
                             const struct report_in_row *row) MUST_CHECK;
enum status report_store_end(struct store *s, const struct report_in *r, struct report_store_about *about) MUST_CHECK;

/* Takes back what was written. What cannot be taken back now stays unseen, and goes when the report is read again. */
void report_store_drop(struct store *s, const struct report_in *r, struct report_store_about *about);

#endif
