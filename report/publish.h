// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish.h - a report that is fit for the public web: our own domains and their grades, totals of lists of at least
 * PUBLISH_LEAST members. No correspondent, reason, agreement or host is in it. The ledger keeps
 * the totals that each page shows, and FOLDER.published beside the folder those of its page (publish_log.h).
 */
#ifndef ASSAY_REPORT_PUBLISH_H
#define ASSAY_REPORT_PUBLISH_H

#include "report/folder.h"
#include "report/model.h"
#include "report/publish_log.h"

/* As site_write(). kept: the ledger of the model, opened for writing. */
enum status publish_write(const struct report_model *m, struct store *kept, const char *dir,
                          char why[FOLDER_WHY]) MUST_CHECK;

#endif
