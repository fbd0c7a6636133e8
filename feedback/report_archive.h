// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_archive.h - reads zip and tar archives, for report_in_walk().
 *
 * Threads: a walk belongs to one thread.
 */
#ifndef ASSAY_FEEDBACK_REPORT_ARCHIVE_H
#define ASSAY_FEEDBACK_REPORT_ARCHIVE_H

#include "feedback/report_walk.h"

/* Tells whether the octets begin as a zip file does. Reads only the first few octets. */
bool report_archive_is_zip(struct slice in);

/* Tells whether the octets end with the directory of a zip file. Other octets may precede the zip file. */
bool report_archive_ends_as_zip(struct slice in);

/* Tells whether the octets begin as a tar file does. */
bool report_archive_is_tar(struct slice in);

/* Passes each file in the archive to the walk. */
void report_archive_zip(struct report_walk *w, struct report_item it);
void report_archive_tar(struct report_walk *w, struct report_item it);

#endif
