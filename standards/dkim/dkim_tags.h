// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_tags.h - what DKIM and ARC need of tag lists beyond taglist.h: the octets of one tag, its reasons, and the
 * encodings in values (RFC 6376 3.2, 3.5).
 *
 * Pure functions on the caller's octets; any thread. Results point into the text given.
 */
#ifndef ASSAY_STANDARDS_DKIM_DKIM_TAGS_H
#define ASSAY_STANDARDS_DKIM_DKIM_TAGS_H

#include "base/slice.h"
#include "base/status.h"
#include "standards/message/taglist.h"
#include <stdbool.h>
#include <stdint.h>

/* taglist_parse, with the words for what is wrong: *reason is static, and set where the status is not STATUS_OK. */
enum status dkim_tags_parse(struct slice text, struct taglist *out, const char **reason) MUST_CHECK;

/* Everything between a tag's '=' and its ';' (or the end of the text it was parsed from), white space included. */
struct slice dkim_tags_raw(struct slice text, const struct tag *tag);

/* Base64 with white space anywhere; padding may be missing (RFC 6376 3.5, base64string). At most `size` octets go to
 * out, *n is how many. STATUS_INVALID: an octet that is not base64, or an impossible length; STATUS_LIMIT: more than
 * size. */
enum status dkim_tags_base64(struct slice text, uint8_t *out, size_t size, size_t *n) MUST_CHECK;

/* 1 to max_digits digits, nothing else. Saturates at UINT64_MAX. */
bool dkim_tags_number(struct slice text, unsigned max_digits, uint64_t *out);

/* The next element of a colon-separated list, without white space around it. False at the end. Begin with *rest the
 * list. An empty list has one empty element, and "a:" two; *rest.p is NULL after the last. */
bool dkim_tags_next(struct slice *rest, struct slice *element);

/* Tells whether a colon-separated list has this element (case-sensitive). */
bool dkim_tags_list_has(struct slice list, const char *element);

#endif
