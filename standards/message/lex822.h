// SPDX-License-Identifier: BSD-2-Clause
/*
 * lex822.h - the tokens that mail header fields are made of (RFC 5322 3.2), one function per rule.
 *
 * A struct lex is a place in a text. Each rule reads from there: on success it moves on and returns true; otherwise it
 * leaves the place as it was and returns false. Octets above 127 count as text in comments, quoted strings and atoms
 * (RFC 6532 3.2, and raw 8-bit of old mailers); who needs UTF-8 checks for it. NUL, and CR and LF that are not part of
 * folding white space, are never taken by any rule, so that a text which holds them cannot be wholly read.
 *
 * Rules that give decoded text append it to a buf, whose failure flag says that memory ran out.
 */
#ifndef ASSAY_STANDARDS_MESSAGE_LEX822_H
#define ASSAY_STANDARDS_MESSAGE_LEX822_H

#include "base/buf.h"
#include "base/slice.h"
#include <stdbool.h>

struct lex {
    const char *p;
    const char *end;
};

/* The whole of a text. */
static inline struct lex lex_of(struct slice s)
{
    return (struct lex){s.p, s.n ? s.p + s.n : s.p};
}

static inline bool lex_end(const struct lex *l)
{
    return l->p >= l->end;
}

/* The octet here, or -1 at the end. */
static inline int lex_peek(const struct lex *l)
{
    return l->p < l->end ? (unsigned char)*l->p : -1;
}

/* Takes this one octet. */
bool lex_char(struct lex *l, char c);

/* [CFWS]: any number of the two. False when a comment is begun and never ended: then nothing is taken. True also when
 * there is none. */
bool lex_cfws(struct lex *l);

/* 1*atext (8-bit octets count as atext). */
bool lex_atom(struct lex *l, struct slice *out);

/* dot-atom-text: 1*atext *("." 1*atext) */
bool lex_dot_atom(struct lex *l, struct slice *out);

/* quoted-string without the CFWS around it. Appends its content, quoted pairs and folds undone. strict: no control
 * characters (obs-qtext). */
bool lex_quoted_string(struct lex *l, bool strict, struct buf *out);

/* token of RFC 2045 5.1: 1*<any CHAR except SPACE, CTLs, tspecials> */
bool lex_token(struct lex *l, struct slice *out);

bool lex_is_atext(unsigned char c); /* RFC 5322 3.2.3, and above 127 */
bool lex_is_token(unsigned char c); /* RFC 2045 5.1 */

#endif
