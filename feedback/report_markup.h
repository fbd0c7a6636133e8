// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_markup.h - finds the XML documents in a text and what in them is not markup, before any parser reads them.
 *
 * All functions are pure, take time in proportion to what they look at, and may be called from any thread.
 */
#ifndef ASSAY_FEEDBACK_REPORT_MARKUP_H
#define ASSAY_FEEDBACK_REPORT_MARKUP_H

#include "base/buf.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>

/* Octets of the comment, CDATA section or processing instruction that s begins with (XML 1.0 2.5 to 2.7), its end
 * included; all of s where it does not end; 0: s begins with none of them. */
size_t report_markup_verbatim(struct slice s);

/* Takes the first <feedback> element, in any name space, from *rest, with what is in front of it; *rest is then what
 * follows. All of it where the element does not begin or does not end. */
struct slice report_markup_take(struct slice *rest);

/* The text from the first tag that begins a <feedback> element; empty: there is none. */
struct slice report_markup_find(struct slice s);

/* Tells whether the XML declaration says ISO-8859-1 or windows-1252. */
bool report_markup_is_latin(struct slice xml);

/* Adds the character that an octet from 0x80 on is in windows-1252, in UTF-8: ISO-8859-1 differs only where it has
 * control characters. U+FFFD: none. */
void report_markup_add_latin(struct buf *out, unsigned char octet);

#endif
