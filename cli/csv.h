// SPDX-License-Identifier: BSD-2-Clause
/*
 * csv.h - texts that others wrote as cells of a CSV file (RFC 4180), which people open in a spreadsheet or look at on a
 * terminal.
 */
#ifndef ASSAY_CLI_CSV_H
#define ASSAY_CLI_CSV_H

#include "base/buf.h"

/* The content of a cell: an apostrophe comes before a text that a spreadsheet would run as a formula; control
 * characters and the like are escaped (base/utf8.h); a line end becomes a blank. */
void csv_content(struct buf *out, const char *text);

/* The same, in quotes. NULL: an empty cell. */
void csv_cell(struct buf *out, const char *text);

#endif
