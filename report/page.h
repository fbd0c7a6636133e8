// SPDX-License-Identifier: BSD-2-Clause
/*
 * page.h - what all our HTML pages have in common: one style, texts that stay texts, tables; and the frame of a page
 * that stands alone (one file, nothing loaded from anywhere, no scripts). Fit for a screen of any width, light or dark,
 * and for paper. A site's pages have a frame of their own (frame.h).
 */
#ifndef ASSAY_REPORT_PAGE_H
#define ASSAY_REPORT_PAGE_H

#include "base/buf.h"
#include "base/language.h"

/* One page alone: everything up to and with the first heading. Texts may be anybody's: they are escaped. */
void page_begin(struct buf *out, enum language language, const char *title, const char *heading);
void page_end(struct buf *out);

/* Adds text: harmless to show, and no markup in it. */
void page_text(struct buf *out, const char *text);

/* The same, isolated from the direction of the text around it: a name, a figure, what somebody else wrote. Only where
 * elements may stand. */
void page_isolated(struct buf *out, const char *text);

/* The style sheet of all pages; static. */
struct slice page_style(void);

/* A table that a narrow screen shows as a list of rows. head: its columns, ended by NULL; it is kept until the end.
 * Cells from left to right; a row begins and ends by itself. An empty text is shown as a dash. */
struct page_table {
    struct buf *out;
    const char *const *head;
    size_t column, columns;
};
void page_table(struct page_table *t, struct buf *out, const char *caption, const char *const *head);
void page_cell(struct page_table *t, const char *text);
void page_table_end(struct page_table *t);

/* A cell whose content is added in between, by page_text() and markup of ours. class: NULL, "num", or "long":
 * its words may be broken. */
void page_cell_open(struct page_table *t, const char *class);
void page_cell_close(struct page_table *t);

#endif
