// SPDX-License-Identifier: BSD-2-Clause
/*
 * utf8.h - checks UTF-8 (RFC 3629), and escapes hostile text so that it is safe to show.
 */
#ifndef ASSAY_BASE_UTF8_H
#define ASSAY_BASE_UTF8_H

#include "base/buf.h"
#include "base/slice.h"
#include <stdint.h>

/* Octets of the well-formed character at the start of s (1..4), or 0: none (empty, cut off, overlong, surrogate, >
 * U+10FFFF). */
size_t utf8_length(struct slice s);

/* The code point of the well-formed character at the start of s, whose utf8_length is not 0. */
uint32_t utf8_point(struct slice s);

bool utf8_valid(struct slice s);

/* Tells whether a code point is visible and harmless: not a control character, not without width, not one that changes
 * the writing direction. */
bool utf8_is_visible(uint32_t point);

/* Adds s to b, escaped so that it is safe on a terminal, in a log line and in a page's text: control characters (C0,
 * C1, DEL), characters that turn the writing direction or have no width (bidi controls, zero-width, BOM, line and
 * paragraph separators), and octets that are no UTF-8, become \0 (NUL), \xHH or \u{H}; a backslash becomes two.
 * Never adds a newline. */
void utf8_add_visible(struct buf *b, struct slice s);

/* The same for text of ours that holds such words already and has lines: backslashes and newlines stay. */
void utf8_add_lines(struct buf *b, struct slice s);

#endif
