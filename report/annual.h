// SPDX-License-Identifier: BSD-2-Clause
/*
 * annual.h - the figures of a time and the register of exceptions as one document, for an annual report: as plain text,
 * or as one page in a folder.
 */
#ifndef ASSAY_REPORT_ANNUAL_H
#define ASSAY_REPORT_ANNUAL_H

#include "report/folder.h"
#include "report/model.h"

void annual_text(const struct report_model *m, struct buf *out); /* failure is the buffer's mark */

/* As site_write(). */
enum status annual_write(const struct report_model *m, const char *dir, char why[FOLDER_WHY]) MUST_CHECK;

#endif
