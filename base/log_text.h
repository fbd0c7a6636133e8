// SPDX-License-Identifier: BSD-2-Clause
/*
 * log_text.h - one line of a daemon's log, as text or as JSON (`set log.format`). Any thread.
 *
 * A daemon whose policy asks for JSON logs every line through this, the errors of a start too, so that a log collector
 * never meets a line of another form.
 */
#ifndef ASSAY_BASE_LOG_TEXT_H
#define ASSAY_BASE_LOG_TEXT_H

#include "base/buf.h"
#include <stdbool.h>

enum log_level { LOG_LEVEL_NOTICE, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

#define LOG_TEXT_MAX 8192 /* octets of a line, as most syslogs take them */

/* Appends the words as a line without its end: as they are, or {"program", "level", "message"}. Passwords in them are
 * hidden, controls and line ends made visible; what would make a line longer than LOG_TEXT_MAX is cut off. If memory
 * runs out, the line says so. */
void log_text_add(struct buf *out, const char *program, enum log_level level, const char *words, bool json);

#endif
