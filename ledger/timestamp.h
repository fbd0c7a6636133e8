// SPDX-License-Identifier: BSD-2-Clause
/*
 * timestamp.h - times as the ledger stores them: microseconds since 1970 (UTC) for records, days since 1970 (UTC) for
 * counts.
 *
 * All functions are pure except the clock they ask, and may be called from any thread.
 */
#ifndef ASSAY_LEDGER_TIMESTAMP_H
#define ASSAY_LEDGER_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#define TIMESTAMP_SECOND INT64_C(1000000)
#define TIMESTAMP_DAY (86400 * TIMESTAMP_SECOND)
#define TIMESTAMP_TEXT 24

/* "2026-11-20T23:19:25.123456Z" (fraction optional), as journals have it. False: not a valid time. */
bool timestamp_from_record(const char *text, int64_t *out);

/* Parses what a person types after --since: "2026-11-20", "2026-11-20T10:00", "yesterday", "today", "90m", "24h", "7d",
 * "4w" (ago). Local time; of an hour that comes twice in a night, the first. */
bool timestamp_from_person(const char *text, int64_t *out);

/* The same after --until: of a day its last moment, and the second hour of the two. */
bool timestamp_until_from_person(const char *text, int64_t *out);

/* The same for queries that count whole UTC days: a date is that very day, whatever the time zone; today and yesterday
 * are those of UTC; anything else is the UTC day of that time. */
bool timestamp_day_from_person(const char *text, int64_t *day);

/* Days since 1970 of a time, rounded down. */
int64_t timestamp_day(int64_t moment);

/* "2026-11-20" as days since 1970. */
bool timestamp_day_from_text(const char *text, int64_t *day);

/* "2026-11-20" for a day; "2026-11-20 23:19:25" for a time (local time). Return out. */
const char *timestamp_day_text(int64_t day, char out[TIMESTAMP_TEXT]);
const char *timestamp_local_text(int64_t moment, char out[TIMESTAMP_TEXT]);

/* The Monday that begins the week of a day (ISO 8601), and the first of its month. */
int64_t timestamp_week(int64_t day);
int64_t timestamp_month(int64_t day);

#endif
