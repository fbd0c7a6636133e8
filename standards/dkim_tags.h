// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_tags.h - the tag=value lists of DKIM and ARC (RFC 6376 3.2, with RFC 8616's UTF-8), and the encodings used in them.
 *
 * Pure functions on the caller's octets; any thread. Results point into the text given.
 */
#ifndef ASSAY_STANDARDS_DKIM_TAGS_H
#define ASSAY_STANDARDS_DKIM_TAGS_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

/* Tags in one list. RFC 6376 names fifteen; the rest is room for those to come. */
#define DKIM_TAGS_MAX 40

struct dkim_tag {
    struct slice name;  /* case-sensitive */
    struct slice value; /* without the white space around it */
    struct slice raw;   /* everything between '=' and ';' (or the end) */
};

struct dkim_tags {
    size_t count;
    struct dkim_tag tag[DKIM_TAGS_MAX];
};

/* Reads a tag list. STATUS_INVALID: not one (an empty part, no '=', a bad name, a control character, a tag twice: RFC 6376 3.2 makes the
 * whole list invalid); STATUS_LIMIT: more than DKIM_TAGS_MAX. *reason is a static text then. White space is space, tab, CR and LF. */
enum status dkim_tags_parse(struct slice text, struct dkim_tags *out, const char **reason) MUST_CHECK;

/* The tag of that name, or NULL. */
const struct dkim_tag *dkim_tags_find(const struct dkim_tags *tags, const char *name);

/* Base64 with white space anywhere; padding may be missing (RFC 6376 3.5, base64string). At most `size` octets go to out, *n is how many.
 * STATUS_INVALID: an octet that is not base64, or an impossible length; STATUS_LIMIT: more than size. */
enum status dkim_tags_base64(struct slice text, uint8_t *out, size_t size, size_t *n) MUST_CHECK;

/* 1 to max_digits digits, nothing else. Saturates at UINT64_MAX. */
bool dkim_tags_number(struct slice text, unsigned max_digits, uint64_t *out);

/* The next element of a colon-separated list, without white space around it. False at the end. Begin with *rest the list; an empty list has
 * one empty element, and *rest.p is NULL after the last. */
bool dkim_tags_next(struct slice *rest, struct slice *element);

/* Whether a colon-separated list has this element (case-sensitive). */
bool dkim_tags_list_has(struct slice list, const char *element);

#endif
