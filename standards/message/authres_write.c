// SPDX-License-Identifier: BSD-2-Clause
/*
 * authres_write.c - writes the value of an Authentication-Results field (RFC 8601 2.2).
 *
 *   authres-payload = [CFWS] authserv-id [CFWS authres-version] ( no-result / 1*resinfo ) [CFWS] CRLF
 *   resinfo         = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
 *
 * The field is built of pieces, each wholly made in a small buffer by one of three functions: keyword, value or
 * comment. A piece is never split, folds stand only between pieces, and every octet of a piece that somebody else may
 * have chosen has passed plain(): printable ASCII or a blank. That is all that keeps results from being injected, and
 * it is enough.
 */
#include "base/domain.h"
#include "standards/message/authres.h"
#include "standards/message/lex822.h"

#define FIELD_START 24 /* "Authentication-Results: " */

/* Keyword of RFC 5321 4.1.2: Ldh-str, a letter or digit at its end. */
static bool is_keyword(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
              (s[i] == '-' && i && i + 1 < n)))
            return false;
    return n > 0;
}

/* What may stand in quotes or a comment as it is; anything else becomes "?". */
static char plain(char c)
{
    return c >= 32 && c < 127 ? c : '?';
}

/* A piece is written behind a blank; once its length is known, a fold may take the blank's place. Returns where its
 * text begins. */
static size_t begin_piece(struct authres_writer *w)
{
    buf_addc(w->out, ' ');
    return w->out->n;
}

static void end_piece(struct authres_writer *w, size_t from)
{
    struct buf *out = w->out;
    const size_t n = out->n - from, fold = strlen(w->fold);

    if (out->failed)
        return;
    if (w->column == 0 || w->column + 1 + n <= AUTHRES_LINE) {
        w->column += 1 + n;
        return;
    }
    if (!buf_room(out, fold - 1))
        return;
    memmove(out->p + from - 1 + fold, out->p + from, n);
    memcpy(out->p + from - 1, w->fold, fold);
    buf_took(out, fold - 1);
    w->column = 8 + n; /* the tab */
}

/* Like strchr(), for a few octets, none of which is NUL. */
static bool is_one_of(char c, const char *few)
{
    for (; *few; few++)
        if (*few == c)
            return true;
    return false;
}

/* Adds text of at most AUTHRES_VALUE_MAX octets, each made plain, with a backslash before those in `escape`. */
static void add_escaped(struct buf *b, struct slice text, const char *escape)
{
    size_t n = text.n > AUTHRES_VALUE_MAX ? AUTHRES_VALUE_MAX - 3 : text.n;
    size_t from = 0; /* what has been added */
    for (size_t i = 0; i < n; i++) {
        const char c = plain(text.p[i]);
        const bool escaped = is_one_of(c, escape);
        if (c == text.p[i] && !escaped)
            continue;
        buf_add(b, text.p + from, i - from);
        if (escaped)
            buf_addc(b, '\\');
        buf_addc(b, c);
        from = i + 1;
    }
    if (n > from)
        buf_add(b, text.p + from, n - from);
    if (n < text.n)
        buf_adds(b, "...");
}

static bool is_token(struct slice s)
{
    struct lex at = lex_of(s);
    struct slice token;
    return s.n <= AUTHRES_VALUE_MAX && lex_token(&at, &token) && lex_end(&at);
}

/* [ [ local-part ] "@" ] domain-name that needs no quotes: a local part of token characters and dots, or none; a kept
 * domain. */
static bool is_plain_address(struct slice s)
{
    char kept[LIMIT_DOMAIN + 1];
    const char *at = s.n && s.n <= AUTHRES_VALUE_MAX ? memchr(s.p, '@', s.n) : NULL;
    if (!at)
        return false;
    struct slice local = slice_of(s.p, (size_t)(at - s.p)), domain = slice_from(s, local.n + 1);
    struct lex l = lex_of(local);
    struct slice whole;
    if (local.n && (!is_token(local) || !lex_dot_atom(&l, &whole) || !lex_end(&l)))
        return false;
    return is_token(domain) && domain_from_text(domain, kept) == STATUS_OK;
}

/* value, as token or quoted-string (RFC 2045 5.1) */
static void add_value(struct buf *b, struct slice text)
{
    if (is_token(text)) {
        buf_addslice(b, text);
        return;
    }
    buf_addc(b, '"');
    add_escaped(b, text, "\"\\");
    buf_addc(b, '"');
}

/* pvalue = value / [ [ local-part ] "@" ] domain-name */
static void add_pvalue(struct buf *b, struct slice text)
{
    if (is_plain_address(text))
        buf_addslice(b, text);
    else
        add_value(b, text);
}

void authres_begin(struct authres_writer *w, struct buf *out, const char *id)
{
    const size_t from = out->n;
    *w = (struct authres_writer){.out = out, .column = FIELD_START, .fold = "\n\t"};
    if (!id || !*id)
        w->failed = true;
    add_value(out, slice_str(id));
    w->column += out->n - from;
}

void authres_method(struct authres_writer *w, const char *method, const char *result, const char *reason)
{
    if (!is_keyword(method) || !is_keyword(result)) {
        w->failed = true;
        return;
    }
    buf_add_texts(w->out, ";", w->fold, method, "=", result);
    w->column = 8 + strlen(method) + 1 + strlen(result);
    w->method = true;
    if (!reason || !*reason)
        return;
    const size_t from = begin_piece(w);
    buf_adds(w->out, "reason=\"");
    add_escaped(w->out, slice_str(reason), "\"\\");
    buf_addc(w->out, '"');
    end_piece(w, from);
}

void authres_comment(struct authres_writer *w, const char *text)
{
    if (!text || !*text)
        return;
    const size_t from = begin_piece(w);
    buf_addc(w->out, '(');
    add_escaped(w->out, slice_str(text), "()\\");
    buf_addc(w->out, ')');
    end_piece(w, from);
}

void authres_property_slice(struct authres_writer *w, const char *ptype, const char *property, struct slice value)
{
    if (value.n == 0)
        return;
    if (!w->method || !is_keyword(ptype) || !is_keyword(property)) {
        w->failed = true;
        return;
    }
    const size_t from = begin_piece(w);
    buf_add_texts(w->out, ptype, ".", property, "=");
    add_pvalue(w->out, value);
    end_piece(w, from);
}

void authres_property(struct authres_writer *w, const char *ptype, const char *property, const char *value)
{
    authres_property_slice(w, ptype, property, slice_str(value));
}

enum status authres_end(struct authres_writer *w)
{
    if (!w->method)
        buf_adds(w->out, "; none");
    if (w->out->failed)
        return STATUS_NOMEM;
    return w->failed ? STATUS_INVALID : STATUS_OK;
}
