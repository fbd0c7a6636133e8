// SPDX-License-Identifier: BSD-2-Clause
/*
 * outgoing_log.h - the log of assay-outgoing, on stderr. Any thread.
 *
 * Complaints about domains are limited for each domain and in total, so that a broken or hostile domain cannot fill the
 * log; the next line of that domain, or any other line, says how many were suppressed.
 */
#ifndef ASSAY_OUTGOING_OUTGOING_LOG_H
#define ASSAY_OUTGOING_OUTGOING_LOG_H

#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

#define OUTGOING_LOG_DOMAIN_SECONDS 3600 /* one line for a domain in so many seconds */
#define OUTGOING_LOG_BURST 20            /* lines about domains ... */
#define OUTGOING_LOG_SECONDS 60          /* ... in so many seconds */
#define OUTGOING_LOG_DOMAINS 1024        /* domains remembered; of two that share a place the newer is */

/* From now on each line is one JSON object and nothing else: {"program", "level", "message"}. */
void outgoing_log_as_json(bool json);
bool outgoing_log_is_json(void);

void outgoing_log(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Why the program does not start, or does not do what it was told. Level "error". */
void outgoing_log_failure(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* "MTA-STS: DOMAIN: WHAT". */
void outgoing_log_domain(const char *domain, const char *what);

/* The limit's own answer, for tests: whether a line about this domain may be written at now_ms (of a clock that does
 * not go back), and how many were left out before it, of the domain and of all. */
struct outgoing_log_left {
    unsigned of_domain, of_all;
};
bool outgoing_log_may(const char *domain, int64_t now_ms, struct outgoing_log_left *left);

#endif
