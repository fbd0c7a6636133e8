// SPDX-License-Identifier: BSD-2-Clause
/*
 * charset.h - standard output and error in the character set of the user's terminal.
 *
 * All texts here are UTF-8. Where the locale has another character set (ISO-8859-1, KOI8-R), what goes to a terminal is
 * converted to it, and a character that it does not have becomes "?". A file or a pipe gets UTF-8 in every locale: JSON,
 * a policy or a letter is read again by somebody who expects it. The C locale names ASCII and says nothing of the
 * terminal: there, as in UTF-8, every octet goes out as it is.
 *
 * Threads: charset_begin() before any other starts; then as stdio.
 */
#ifndef ASSAY_CLI_CHARSET_H
#define ASSAY_CLI_CHARSET_H

#include "base/buf.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdio.h>

/* After setlocale(): from now on stdout and stderr convert, where that is needed and can be done. */
void charset_begin(void);

/* The file descriptor of a stream, of stdout and stderr too while they convert. */
int charset_fd(FILE *f);

struct charset;

/* Between UTF-8 and another character set. NULL: that one is not known. */
struct charset *charset_new(const char *name);
struct charset *charset_free(struct charset *c); /* NULL is allowed */

/* Adds the text in the character set. A character that is cut off at the end is kept for the next call. */
void charset_add(struct charset *c, struct slice text, struct buf *out);

#endif
