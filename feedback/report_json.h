// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_json.h - JSON (RFC 8259) read in place, without a tree: for reports of any size.
 *
 * report_json_check() reads a text once and says whether it is one JSON value, within the bound of nesting. The other
 * functions are for a text that passed: they walk it, and cost time in proportion to what they step over.
 *
 * All functions but the check expect slices of a checked text; all are pure, but that they give back pages behind them
 * (report_scratch.h).
 */
#ifndef ASSAY_FEEDBACK_REPORT_JSON_H
#define ASSAY_FEEDBACK_REPORT_JSON_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdint.h>

#define REPORT_JSON_DEPTH 32

/* STATUS_INVALID, STATUS_LIMIT (nested more deeply): why (200 octets) names the line. */
enum status report_json_check(struct slice text, char *why) MUST_CHECK;

#define REPORT_JSON_TWICE '!'

/* '{' object, '[' array, '"' text, '0' number, 't' 'f' 'n' true, false, null; 0: nothing, as of SLICE_NULL;
 * REPORT_JSON_TWICE: of two values of one name. */
char report_json_kind(struct slice value);

/* Goes through the members of an object or the elements of an array: *rest is first the value itself. key: the octets
 * between the quotes, as they stand; SLICE_NULL in an array. False: there is no further one, or it is neither. */
bool report_json_next(struct slice *rest, struct slice *key, struct slice *value);

/* The member of that name; SLICE_NULL: there is none, or it is no object. A name that comes twice with different values
 * has none that all readers agree on (RFC 8259 section 4): what is returned then is of the kind REPORT_JSON_TWICE. */
struct slice report_json_get(struct slice object, const char *key);

/* The same for several names in one pass; name[i]'s member goes to value[i]. */
void report_json_get_all(struct slice object, const char *const *name, struct slice *value, size_t n);

/* Adds the characters of a text, up to about `most` octets, and a NUL as U+FFFD. False: it is no text. */
bool report_json_text(struct slice value, size_t most, struct buf *out);

/* An integer without fraction and exponent that fits; false: it is something else. */
bool report_json_integer(struct slice value, int64_t *out);

#endif
