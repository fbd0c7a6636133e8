// SPDX-License-Identifier: BSD-2-Clause
/*
 * base64.h - RFC 4648 section 4, for what travels in mail and in SQL.
 */
#ifndef ASSAY_BASE_BASE64_H
#define ASSAY_BASE_BASE64_H

#include "base/buf.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of each character of the alphabet, plus one; 0: not in the alphabet. For callers that parse with their own
 * rules. */
extern const uint8_t base64_value[256];

#define BASE64_MAIL_LINE 76 /* RFC 2045 6.8 */

/* Adds the text of `in`, padded. line: characters of a line (a multiple of 4), each line ended by LF; 0: one piece
 * without LF. */
void base64_encode(struct buf *out, struct slice in, unsigned line);

/* Adds the octets of a text, to its first '=' or its end. Characters outside the alphabet are skipped (RFC 2045 6.8
 * asks for it). */
void base64_decode(struct buf *out, struct slice in);

#define BASE64_PIECE 4096 /* characters of the text between two calls of a sink */

/* Takes n octets (possibly 0). read: everything before it has been decoded. false: stop. */
typedef bool base64_sink(void *context, const char *octets, size_t n, const char *read);

/* As base64_decode(), for octets that are not kept in memory: hands them to the sink, piece by piece. Returns false if
 * the sink stopped it. */
bool base64_decode_to(struct slice in, base64_sink *sink, void *context);

#endif
