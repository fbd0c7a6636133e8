// SPDX-License-Identifier: BSD-2-Clause
/*
 * page.h - the frame that all our HTML pages have in common: one file, nothing loaded from anywhere, no scripts, fit
 * for a screen of any width, light or dark, and for paper.
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

#endif
