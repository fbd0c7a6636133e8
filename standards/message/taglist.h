// SPDX-License-Identifier: BSD-2-Clause
/*
 * taglist.h - lists of tag=value pairs (RFC 6376 3.2): DKIM and ARC fields and keys, DMARC records.
 *
 * taglist_next() gives one tag after the other and says of each whether it is well-formed, for records whose odd tags
 * are to be ignored (DMARC: RFC 9989 4.8). taglist_parse() takes the list whole and refuses it when anything is wrong
 * with it, a tag that stands twice included (DKIM: RFC 6376 3.2). Nothing is copied: slices point into the text. Names
 * are compared with case unless said.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_TAGLIST_H
#define ASSAY_STANDARDS_MESSAGE_TAGLIST_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

#define TAGLIST_MAX 64 /* tags of one list; the RFCs define fewer than 20 */

struct tag {
    struct slice name;  /* without blanks */
    struct slice value; /* without blanks at its ends; folds and blanks within are kept (RFC 6376 3.2) */
    bool valid;         /* name is ALPHA *(ALPHA / DIGIT / "_"), value is VALCHARs and FWS */
};

struct taglist_cursor {
    struct slice rest;
};

#define TAGLIST_CURSOR(text) ((struct taglist_cursor){(text)})

/* The next tag, separators and empty places skipped; false at the end. A piece without "=" gives an empty value and
 * valid == false. */
bool taglist_next(struct taglist_cursor *c, struct tag *out);

struct taglist {
    struct tag tags[TAGLIST_MAX];
    size_t count;
};

/* The whole list. STATUS_INVALID: a malformed or doubled tag, or an empty place other than behind the last ";";
 * STATUS_LIMIT: over TAGLIST_MAX. */
enum status taglist_parse(struct slice text, struct taglist *out) MUST_CHECK;

/* The tag of that name, or NULL. */
const struct tag *taglist_find(const struct taglist *list, const char *name);

/* The next piece of a value between separators (":" in h= and q=, "," in rua=), without FWS at its ends; false at the
 * end of *rest. Pieces may be empty. */
bool taglist_piece(struct slice *rest, char separator, struct slice *out);

/* Copies a value without any blanks, CR and LF (base64 in b= and bh=: RFC 6376 3.5) to out, which holds `size` octets.
 * STATUS_LIMIT: too long. */
enum status taglist_squeeze(struct slice value, char *out, size_t size, size_t *n) MUST_CHECK;

#endif
