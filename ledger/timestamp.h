// SPDX-License-Identifier: BSD-2-Clause
/*
 * timestamp.h - times as the ledger keeps them: microseconds since 1970 (UTC) for records, days since 1970 (UTC) for
 * counts.
 *
 * All functions are pure but for the clock they ask, and may be called from any thread.
 */
#ifndef ASSAY_LEDGER_TIMESTAMP_H
#define ASSAY_LEDGER_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_SECOND INT64_C(1000000)
#define MOMENT_DAY (86400 * MOMENT_SECOND)
#define MOMENT_TEXT 24

/* "2026-11-20T23:19:25.123456Z" (fraction optional), as journals have it. False: it is no such time. */
bool moment_from_record(const char *text, int64_t *out);

/* What a person types after --since: "2026-11-20", "2026-11-20T10:00", "yesterday", "today", "90m", "24h", "7d", "4w"
 * (ago). Local time. */
bool moment_from_person(const char *text, int64_t *out);

/* Days since 1970 of a moment, rounded down. */
int64_t moment_day(int64_t moment);

/* "2026-11-20" as days since 1970. */
bool moment_day_from_text(const char *text, int64_t *day);

/* "2026-11-20" of a day; "2026-11-20 23:19:25" of a moment (local time). Return out. */
const char *moment_day_text(int64_t day, char out[MOMENT_TEXT]);
const char *moment_local_text(int64_t moment, char out[MOMENT_TEXT]);

/* The Monday that begins the week of a day (ISO 8601), and the first of its month. */
int64_t moment_week(int64_t day);
int64_t moment_month(int64_t day);

#endif
