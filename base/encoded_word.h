// SPDX-License-Identifier: BSD-2-Clause
/*
 * encoded_word.h - encoded words of header fields (RFC 2047), as lenient readers decode them.
 *
 * The charset is not converted: the octets come out as they are in it, and whoever reads on takes it for one that holds
 * ASCII. Only UTF-7 is unpacked, because it hides ASCII; its NULs stay. What is not wholly an encoded word stays as it
 * is (RFC 2047 6.3), so that one without an end hides nothing. More is taken for one than RFC 2047 2 allows, since
 * readers do: blanks and "?" in the text, text behind a word without a blank, and words longer than 75 characters.
 *
 * Threads: any; nothing is shared.
 */
#ifndef ASSAY_BASE_ENCODED_WORD_H
#define ASSAY_BASE_ENCODED_WORD_H

#include "base/buf.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>

/* Characters; a longer one is none. They bound the time for a field full of words that do not end. */
#define ENCODED_WORD_CHARSET_MAX 80
#define ENCODED_WORD_TEXT_MAX 2000

struct encoded_word {
    size_t n;             /* characters, with the marks */
    struct slice charset; /* without a language (RFC 2231 5) */
    bool base64;          /* the encoding: B, else Q */
    struct slice text;    /* encoded */
};

/* Reads the encoded word that begins at the front of s. false: none does, and *out is undefined. */
bool encoded_word_read(struct slice s, struct encoded_word *out);

/* Adds s with its encoded words decoded, without the blanks between two of them (RFC 2047 6.2). Never longer than s. */
void encoded_word_decode_all(struct buf *out, struct slice s);

/* Adds a text of the Q encoding (RFC 2047 4.2), decoded. A "=" without two hexadecimal digits stays. */
void encoded_word_decode_q(struct buf *out, struct slice text);

#endif
