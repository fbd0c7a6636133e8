// SPDX-License-Identifier: BSD-2-Clause
/*
 * frame.h - what surrounds every page of a folder: head, title, foot, and the style sheet beside it.
 */
#ifndef ASSAY_REPORT_FRAME_H
#define ASSAY_REPORT_FRAME_H

#include "report/folder.h"
#include "report/write.h"

enum status frame_style(struct folder *f) MUST_CHECK;

/* Up to the navigation; from behind it to the first heading; the rest. with_policy: which policy, and whom to ask. */
void frame_head(struct write *w, const char *title);
void frame_main(struct write *w, const char *title);
void frame_end(struct write *w, bool with_policy);

/* The policy's title. */
const char *frame_name(const struct write *w);

#endif
