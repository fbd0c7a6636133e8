// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_fields.h - reads the fields of reports that others sent, and checks their bounds.
 *
 * All functions are pure, but those that read times compare them with the clock.
 */
#ifndef ASSAY_FEEDBACK_REPORT_FIELDS_H
#define ASSAY_FEEDBACK_REPORT_FIELDS_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

/* The largest count that is accepted. The sum of a million such rows still fits in 64 bits. */
#define REPORT_COUNT_MAX INT64_C(1000000000)

/* Reads a count of messages: digits, or "+" and digits, from 1 to REPORT_COUNT_MAX. Returns false for anything else:
 * "1,234", "", NULL and "-1". */
bool report_field_count(const char *text, int64_t *out);

/* Reads a time, as seconds since 1970. The text is a number of seconds (a fraction is dropped) or of milliseconds, or a
 * time of RFC 3339 (any zone, also in lower case; +0000 as in ISO 8601; UTC or GMT). Returns false if it is before 2005
 * or more than two days ahead. A date without a time is the first second of that day in UTC; for
 * report_field_last_moment() it is the last second. */
bool report_field_moment(const char *text, int64_t *out);
bool report_field_last_moment(const char *text, int64_t *out);

/* Reads the time range of a report. Returns false if one of the times is not valid, if the end is before the beginning,
 * or if the range is longer than a year. */
bool report_field_range(const char *begin, const char *end, int64_t *begins, int64_t *ends);

/* Writes an address to out in canonical form, as the ledger stores it: RFC 5952, IPv4-mapped IPv6 as IPv4, without a
 * port. A network of one address becomes that address. Returns out, or text itself if it is not an address. */
const char *report_field_address(const char *text, char out[IP_TEXT]);

/* Writes a domain to out in canonical form (domain.h); of a mail address, the domain after its last "@". Returns false
 * if it is not a domain. */
bool report_field_domain(const char *text, char out[LIMIT_DOMAIN + 1]);

/* Converts a keyword of a standard (a result, a disposition) to lower case, in place. */
void report_field_word(char *text);

/* Copies an identifier into the arena. A long one is cut and gets a hash of the whole, so that two identifiers with the
 * same beginning stay different. NULL if memory ran out. */
const char *report_field_identifier(struct arena *a, struct slice text);

/* The first REPORT_IN_FIELD octets of the text, cut between two UTF-8 characters. */
struct slice report_field_cut(struct slice text);

#endif
