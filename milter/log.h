// SPDX-License-Identifier: BSD-2-Clause
/*
 * log.h - the log of assay-milter: stderr in the foreground, else syslog (facility mail). Any thread.
 *
 * Lines about mails are never suppressed. Complaints (log_complain) are rate-limited by cause, so that a broken disk or
 * a hostile client cannot fill the log; the next line of that cause says how many were suppressed.
 */
#ifndef ASSAY_MILTER_LOG_H
#define ASSAY_MILTER_LOG_H

#include "base/status.h"
#include <stdbool.h>

enum log_cause {
    LOG_START,
    LOG_POLICY,
    LOG_JOURNAL,
    LOG_MEMORY,
    LOG_PROTOCOL,
    LOG_ACTION,
    LOG_DNS,
    LOG_LIMIT,
    LOG_FLEET,
    LOG_CAUSES
};

#define LOG_BURST 10   /* at most so many lines of one cause ... */
#define LOG_SECONDS 60 /* ... in so many seconds */

void log_open(bool to_stderr);

/* From now on each line is one JSON object and nothing else: mails as log_line() gets them, all others as
 * {"program", "level", "message"}. */
void log_as_json(bool json);
bool log_is_json(void);
void log_line(const char *line);
void log_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Why the program does not start, or what it starts without. Level "error". */
void log_failure(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_complain(enum log_cause cause, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
