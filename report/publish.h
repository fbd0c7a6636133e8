// SPDX-License-Identifier: BSD-2-Clause
/*
 * publish.h - a report that is fit for the public web: our own domains and their grades, totals of lists of at least
 * PUBLISH_LEAST members. No correspondent, reason, agreement or host is in it. FOLDER.published beside the folder keeps
 * the totals that were shown last.
 */
#ifndef ASSAY_REPORT_PUBLISH_H
#define ASSAY_REPORT_PUBLISH_H

#include "report/folder.h"
#include "report/model.h"

#define PUBLISH_LEAST 5

/* As site_write(). */
enum status publish_write(const struct report_model *m, const char *dir, char why[FOLDER_WHY]) MUST_CHECK;

#endif
