// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_parts.h - mail and mbox, for report_in_walk().
 *
 * One walk is one thread's.
 */
#ifndef ASSAY_FEEDBACK_REPORT_PARTS_H
#define ASSAY_FEEDBACK_REPORT_PARTS_H

#include "feedback/report_walk.h"

/* Goes through a mail; through an mbox (RFC 4155). */
void report_parts_mail(struct report_walk *w, struct slice text, const char *where, int depth);
void report_parts_mbox(struct report_walk *w, struct report_item it);

#endif
