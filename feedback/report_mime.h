// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_mime.h - the grammar of a mail that brings a report: header fields, their parameters, encodings (RFC 2045, RFC
 * 2231, RFC 5322), and what senders make of it.
 *
 * All functions read slices in place, in time proportional to what they look at, and give back pages behind them
 * (report_scratch.h). Texts that they write are cut to the room they are given.
 */
#ifndef ASSAY_FEEDBACK_REPORT_MIME_H
#define ASSAY_FEEDBACK_REPORT_MIME_H

#include "base/slice.h"
#include "feedback/report_scratch.h"
#include <stdbool.h>

#define REPORT_MIME_NAME 300 /* octets of a parameter, with the NUL */
#define REPORT_MIME_LINE 998 /* RFC 5322 2.1.1 */

struct report_mime_part {
    struct slice type, encoding, disposition; /* values of header fields; the type begins with its first word */
    struct slice body;
};

/* The first line of s, with its end. */
struct slice report_mime_line(struct slice s);

/* A header field with its folded lines; what follows is left in *s. */
struct slice report_mime_field(struct slice *s);

/* Tells whether the field has that name; *value is then its value without comments and blanks in front. */
bool report_mime_field_is(struct slice field, const char *name, struct slice *value);

/* Tells whether a header begins here: a field, or a "From " line that was quoted. */
bool report_mime_begins_header(struct slice s);

/* Reads a header. False: it has no header at all. An empty header (a part that begins with an empty line) is one. */
bool report_mime_part(struct slice text, struct report_mime_part *p);

/* A parameter of a value, whole or in pieces, with or without a character set (RFC 2231). False: there is none. */
bool report_mime_parameter(struct slice value, const char *name, char out[REPORT_MIME_NAME]);

/* The name that a part gives to its file, encoded words (RFC 2047) decoded: to be shown, never to be opened. */
void report_mime_file_name(const struct report_mime_part *p, char out[REPORT_MIME_NAME]);

bool report_mime_begins(struct slice s, const char *word); /* in any case */
bool report_mime_is_type(const struct report_mime_part *p, const char *type);

/* The transfer encoding, in any case, quoted or not, a comment behind it or not. */
struct slice report_mime_encoding(const struct report_mime_part *p);

/* Tells whether the part's body is in base64 or quoted-printable, and decodes it then. Lines that are no base64 (a
 * footer of a mailing list, of a gateway) are skipped; each padding begins anew. */
bool report_mime_decode(const struct report_mime_part *p, struct report_scratch *out);

/* The lines of a multipart's body between its boundaries. */
struct report_mime_parts {
    struct slice rest, begin; /* begin.p: NULL outside of the parts */
    const char *boundary;
};
bool report_mime_next_part(struct report_mime_parts *m, struct slice *part);

#endif
