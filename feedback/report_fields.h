// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_fields.h - numbers and times in the reports of others, bounded where they come in.
 *
 * All functions are pure except the clock they ask.
 */
#ifndef ASSAY_FEEDBACK_REPORT_FIELDS_H
#define ASSAY_FEEDBACK_REPORT_FIELDS_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

/* More than that no report has seen: a sum of a million such rows still fits 64 bits. */
#define REPORT_COUNT_MAX INT64_C(1000000000)

/* A count of messages: digits alone, or behind a "+", from 1 to REPORT_COUNT_MAX. "1,234", "", NULL and "-1" are
 * none. */
bool report_field_count(const char *text, int64_t *out);

/* Seconds since 1970: as a number of seconds (a fraction is cut off) or milliseconds, or as a time (RFC 3339: any zone,
 * small letters too; ISO 8601's +0000; UTC and GMT by name), from 2005 to two days from now. A date alone is the first
 * second of that day (UTC), or its last one. */
bool report_field_moment(const char *text, int64_t *out);
/* A report's range of time, in that order. False: it is none, or longer than a year. */
bool report_field_range(const char *begin, const char *end, int64_t *begins, int64_t *ends);
bool report_field_last_moment(const char *text, int64_t *out);

/* An address in the one form that the ledger has it in (RFC 5952; IPv4 within IPv6 is IPv4), without a port; a network
 * of one address is that. What is none stays as it is. Returns text, or out. */
const char *report_field_address(const char *text, char out[IP_TEXT]);

/* A domain in its canonical form (domain.h), of an address without what is in front of its "@". False: it is none. */
bool report_field_domain(const char *text, char out[LIMIT_DOMAIN + 1]);

/* A word of a standard (a result, a disposition): they are in small letters. */
void report_field_word(char *text);

/* What is kept of an identifier, in the arena: of a long one its beginning and a hash of the whole, so that two that
 * begin alike are two. NULL: out of memory. */
const char *report_field_identifier(struct arena *a, struct slice text);

/* The text's first REPORT_IN_FIELD octets, without a cut in a character of UTF-8. */
struct slice report_field_cut(struct slice text);

#endif
