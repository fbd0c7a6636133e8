// SPDX-License-Identifier: BSD-2-Clause
/*
 * csv.h - texts that others wrote as cells of a CSV file (RFC 4180), which people open in a spreadsheet or look at on a
 * terminal.
 */
#ifndef ASSAY_CLI_CSV_H
#define ASSAY_CLI_CSV_H

#include "base/buf.h"

/* What a cell may hold: an apostrophe stands before what a spreadsheet would run as a formula; control characters and
 * such are escaped (base/utf8.h), a line end is a blank. */
void csv_content(struct buf *out, const char *text);

/* The same, in quotes. NULL: an empty cell. */
void csv_cell(struct buf *out, const char *text);

#endif
