// SPDX-License-Identifier: BSD-2-Clause
/*
 * folder.h - a folder of ours that is replaced as a whole: made new beside its place, filled, renamed.
 *
 * It holds the file FOLDER_MARK by which we know it again. A folder that holds
 * anything else than what we write is not ours, and is refused. Folders above it are made where they are missing;
 * symbolic links on the way are followed by the rules of base/rootfile.h, at the end never.
 */
#ifndef ASSAY_REPORT_FOLDER_H
#define ASSAY_REPORT_FOLDER_H

#include "base/slice.h"
#include "base/status.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Who may read it. */
enum folder_kind {
    FOLDER_PRIVATE, /* 0750, files 0640 */
    FOLDER_OPEN     /* 0755, files 0644: for a web server */
};
#define FOLDER_MARK ".assay-report"
#define FOLDER_PUBLISHED ".published" /* behind the name of a folder for the world: its log (publish.h) */
#define FOLDER_WHY 512

struct folder;

/* Whether a folder may be written there; why (FOLDER_WHY octets) says what is in the way. */
bool folder_may_write(const char *dir, enum folder_kind kind, char *why);

/* The nearest folder above that exists, without links, with what is behind it. */
void folder_real_path(const char *dir, char out[PATH_MAX]);

/* A new folder beside that place. NULL after why. */
struct folder *folder_begin(const char *dir, enum folder_kind kind, char *why);

/* One file, whose name is ours: letters, digits, '-' and '.'. */
enum status folder_put(struct folder *f, const char *name, struct slice text) MUST_CHECK;

/* Puts it in its place; what stood there goes. Or drops it, for that reason. Both free it. */
enum status folder_finish(struct folder *f, char *why) MUST_CHECK;
enum status folder_drop(struct folder *f, enum status reason, char *why) MUST_CHECK;

#endif
