// SPDX-License-Identifier: BSD-2-Clause
/*
 * site.h - a report as a folder of pages: index.html and its neighbours, one style sheet, no script, nothing loaded
 * from anywhere, the same from a disk as from a web server.
 *
 * The folder is our own: it is made beside its place, filled, and put there by one rename, so that a reader sees the
 * old site or the new one. What stands there and is not ours is left alone, and refused. Correspondents' pages are
 * named by a hash, so that no name that a sender chose becomes a file's.
 */
#ifndef ASSAY_REPORT_SITE_H
#define ASSAY_REPORT_SITE_H

#include "report/folder.h"
#include "report/model.h"

#define SITE_WHY FOLDER_WHY /* folder_may_write() says beforehand whether dir may be one */

/* The pages of this model into dir. STATUS_OK; STATUS_DENIED, STATUS_INVALID or STATUS_AGAIN with why. */
enum status site_write(const struct report_model *m, const char *dir, char why[SITE_WHY]) MUST_CHECK;

#endif
