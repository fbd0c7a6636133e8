// SPDX-License-Identifier: BSD-2-Clause
/*
 * lex822.c - RFC 5322 3.2, one function per rule.
 *
 * Promises: no rule reads beyond the end, recurses, or takes time other than linear in what it reads; a rule that fails
 * has taken nothing. CR and LF pass only as part of a fold: an LF, with or without a CR before it, that a blank
 * follows. obs-ctext and obs-qtext (control characters, RFC 5322 4.1) are taken in comments, and in quoted strings
 * unless strict; NUL never is (obs-NO-WS-CTL leaves it out).
 */
#include "standards/message/lex822.h"

static bool is_blank(int c)
{
    return c == ' ' || c == '\t';
}

bool lex_is_atext(unsigned char c)
{
    if (c > 127 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

/* tspecials of RFC 2045 5.1, which end a token. */
static bool is_tspecial(unsigned char c)
{
    switch (c) {
    case '(':
    case ')':
    case '<':
    case '>':
    case '@':
    case ',':
    case ';':
    case ':':
    case '\\':
    case '"':
    case '/':
    case '[':
    case ']':
    case '?':
    case '=':
        return true;
    default:
        return false;
    }
}

bool lex_is_token(unsigned char c)
{
    return c > 32 && c < 127 && !is_tspecial(c);
}

bool lex_char(struct lex *l, char c)
{
    if (lex_peek(l) != (unsigned char)c)
        return false;
    l->p++;
    return true;
}

/* Octets of a line end that a blank follows, here; 0: there is none. */
static size_t fold_length(const struct lex *l)
{
    size_t left = (size_t)(l->end - l->p);
    if (left >= 2 && l->p[0] == '\n' && is_blank(l->p[1]))
        return 1;
    if (left >= 3 && l->p[0] == '\r' && l->p[1] == '\n' && is_blank(l->p[2]))
        return 2;
    return 0;
}

/* FWS: blanks, with line ends (CRLF or LF) that a blank follows; obs-FWS too. At least one octet. */
static bool lex_fws(struct lex *l)
{
    const char *start = l->p;
    for (;;) {
        size_t fold = fold_length(l);
        if (fold)
            l->p += fold + 1;
        else if (is_blank(lex_peek(l)))
            l->p++;
        else
            return l->p != start;
    }
}

/* quoted-pair: "\" (VCHAR / WSP), obs-qp; never a line end or NUL. Takes it and gives the octet quoted, or -1. */
static int quoted_pair(struct lex *l, bool strict)
{
    if (l->end - l->p < 2 || l->p[0] != '\\')
        return -1;
    unsigned char c = (unsigned char)l->p[1];
    if (c == '\0' || c == '\r' || c == '\n' || (strict && (c < 32 || c == 127) && c != '\t'))
        return -1;
    l->p += 2;
    return c;
}

/* ctext and obs-ctext: anything but parentheses, backslash, NUL, CR and LF. Blanks are lex_fws's. */
static bool is_ctext(int c)
{
    return c > 0 && c != '(' && c != ')' && c != '\\' && c != '\r' && c != '\n';
}

/* comment: nested, quoted pairs; in its whole length. */
static bool lex_comment(struct lex *l)
{
    struct lex at = *l;
    size_t depth = 0;
    do {
        if (lex_char(&at, '('))
            depth++;
        else if (lex_char(&at, ')'))
            depth--;
        else if (lex_fws(&at) || quoted_pair(&at, false) >= 0)
            continue;
        else if (is_ctext(lex_peek(&at)) && depth)
            at.p++;
        else
            return false;
    } while (depth);
    if (at.p[-1] != ')')
        return false;
    *l = at;
    return true;
}

bool lex_cfws(struct lex *l)
{
    struct lex at = *l;
    for (;;) {
        if (lex_fws(&at))
            continue;
        if (lex_peek(&at) != '(')
            break;
        if (!lex_comment(&at))
            return false;
    }
    *l = at;
    return true;
}

bool lex_atom(struct lex *l, struct slice *out)
{
    const char *start = l->p;
    while (l->p < l->end && lex_is_atext((unsigned char)*l->p))
        l->p++;
    *out = slice_of(start, (size_t)(l->p - start));
    return out->n > 0;
}

bool lex_dot_atom(struct lex *l, struct slice *out)
{
    struct lex at = *l;
    struct slice part;
    do {
        if (!lex_atom(&at, &part))
            return false;
    } while (lex_char(&at, '.'));
    *out = slice_of(l->p, (size_t)(at.p - l->p));
    *l = at;
    return true;
}

/* qtext, and obs-qtext unless strict. Blanks are lex_fws's. */
static bool is_qtext(int c, bool strict)
{
    if (c <= 0 || c == '"' || c == '\\' || c == '\r' || c == '\n')
        return false;
    return !strict || (c >= 32 && c != 127);
}

bool lex_quoted_string(struct lex *l, bool strict, struct buf *out)
{
    struct lex at = *l;
    size_t had = out->n;
    if (!lex_char(&at, '"'))
        return false;
    while (!lex_char(&at, '"')) {
        size_t fold = fold_length(&at);
        int c = lex_peek(&at), quoted;
        if (fold) {
            at.p += fold;
        } else if ((quoted = quoted_pair(&at, strict)) >= 0) {
            buf_addc(out, (char)quoted);
        } else if (is_blank(c) || is_qtext(c, strict)) {
            buf_addc(out, (char)c);
            at.p++;
        } else {
            buf_cut(out, had);
            return false;
        }
    }
    *l = at;
    return true;
}

bool lex_token(struct lex *l, struct slice *out)
{
    const char *start = l->p;
    while (l->p < l->end && lex_is_token((unsigned char)*l->p))
        l->p++;
    *out = slice_of(start, (size_t)(l->p - start));
    return out->n > 0;
}
