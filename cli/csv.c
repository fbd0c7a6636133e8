// SPDX-License-Identifier: BSD-2-Clause
/*
 * csv.c - cells of a CSV file (csv.h). Promises that no text ends its cell or its row, is run by a spreadsheet, or is
 * obeyed by a terminal. Failure is the buffer's mark.
 */
#include "cli/csv.h"
#include "base/utf8.h"
#include <string.h>

void csv_content(struct buf *out, const char *text)
{
    const char *first = text + strspn(text, " ");
    if (*first && strchr("=+-@\t\r", *first))
        buf_addc(out, '\'');
    while (*text) {
        size_t n = strcspn(text, "\n");
        utf8_add_lines(out, slice_of(text, n));
        text += n;
        if (*text) {
            buf_addc(out, ' ');
            text++;
        }
    }
}

void csv_cell(struct buf *out, const char *text)
{
    struct buf b = BUF_INIT;
    csv_content(&b, text ? text : "");
    buf_addc(out, '"');
    for (const char *p = b.p; *p; p++) {
        if (*p == '"')
            buf_addc(out, '"');
        buf_addc(out, *p);
    }
    buf_addc(out, '"');
    out->failed |= b.failed;
    buf_release(&b);
}
