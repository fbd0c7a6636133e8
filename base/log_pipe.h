// SPDX-License-Identifier: BSD-2-Clause
/*
 * log_pipe.h - writes a daemon's log without waiting for whoever reads it. Any thread; a process has one log.
 *
 * If nobody reads, the pipe is full. Lines then wait for room, together one second a minute. Without room they are
 * dropped, and the next line that can be written says how many were.
 */
#ifndef ASSAY_BASE_LOG_PIPE_H
#define ASSAY_BASE_LOG_PIPE_H

#include "base/log_text.h"
#include <stdarg.h>

/* The line has its end. program and json: how a line about dropped ones is written, as for log_text_add(). */
void log_pipe_write(int fd, const char *program, bool json, const char *line, size_t n);

/* Writes words as such a line: as they are behind "PROGRAM: ", or as JSON. Cut off like that of log_text_add(). */
void log_pipe_say(int fd, const char *program, enum log_level level, bool json, const char *fmt, va_list ap)
    PRINTF_LIKE(5, 0);

#endif
