// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_archive.h - zip and tar, for report_in_walk().
 *
 * One walk is one thread's.
 */
#ifndef ASSAY_FEEDBACK_REPORT_ARCHIVE_H
#define ASSAY_FEEDBACK_REPORT_ARCHIVE_H

#include "feedback/report_walk.h"

/* Tells whether the octets are a zip file's or a tar file's, and goes through it. A zip file may stand behind other
 * octets; by its beginning alone it is told at once. */
bool report_archive_is_zip(struct slice in);
bool report_archive_ends_as_zip(struct slice in);
void report_archive_zip(struct report_walk *w, struct report_item it);
bool report_archive_is_tar(struct slice in);
void report_archive_tar(struct report_walk *w, struct report_item it);

#endif
