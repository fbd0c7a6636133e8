// SPDX-License-Identifier: BSD-2-Clause
/*
 * taglist.c - tag=value lists, RFC 6376 3.2:
 *
 *   tag-list  = tag-spec *( ";" tag-spec ) [ ";" ]
 *   tag-spec  = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
 *   tag-name  = ALPHA *ALNUMPUNC
 *   tag-value = [ tval *( 1*(WSP / FWS) tval ) ]       ; VALCHAR is %x21-3A / %x3C-7E
 *
 * Promises to point only into the text given, and to read it once. Octets above 126 make a tag invalid (DKIM's i= may
 * hold UTF-8 by RFC 8616 2: well-formed UTF-8 is taken). Line ends count as blanks only where a fold may stand; any
 * other CR, LF, or NUL makes the tag invalid.
 */
#include "standards/message/taglist.h"
#include "base/eight.h"
#include "base/utf8.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_alpha(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_tag_name(struct slice s)
{
    if (s.n == 0 || !is_alpha((unsigned char)s.p[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_alpha((unsigned char)s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_')
            return false;
    return true;
}

/* Octets of FWS at the start: blanks, and line ends that a blank follows. 0: none. */
static size_t fws_length(struct slice s)
{
    if (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        return 1;
    size_t eol = s.n && s.p[0] == '\n' ? 1 : s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n' ? 2 : 0;
    if (eol && s.n > eol && (s.p[eol] == ' ' || s.p[eol] == '\t'))
        return eol + 1;
    return 0;
}

static bool is_tag_value(struct slice s)
{
    while (s.n) {
        while (s.n >= 8 && !(eight_below(eight_at(s.p), 33) | eight_above(eight_at(s.p), 126)))
            s = slice_of(s.p + 8, s.n - 8);
        if (!s.n)
            break;
        size_t step = fws_length(s);
        if (!step && s.p[0] > 32 && s.p[0] < 127)
            step = 1;
        if (!step && (unsigned char)s.p[0] > 127)
            step = utf8_length(s);
        if (!step)
            return false;
        s = slice_from(s, step);
    }
    return true;
}

/* Without FWS at its ends. A line end at the very end of the text is no fold, but ends the field: it goes too. */
static struct slice trim(struct slice s)
{
    while (s.n && is_space(s.p[0]))
        s = slice_from(s, 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

static struct slice cut_at(struct slice *rest, char separator)
{
    const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    struct slice piece = at ? slice_of(rest->p, (size_t)(at - rest->p)) : *rest;
    *rest = at ? slice_from(*rest, piece.n + 1) : SLICE_NULL;
    return piece;
}

/* tag-spec, from a piece that is not blank */
static struct tag tag_spec(struct slice piece)
{
    const char *eq = memchr(piece.p, '=', piece.n);
    struct tag t = {.name = trim(piece)};
    if (!eq)
        return t;
    size_t at = (size_t)(eq - piece.p);
    t.name = trim(slice_of(piece.p, at));
    t.value = trim(slice_from(piece, at + 1));
    t.valid = is_tag_name(t.name) && is_tag_value(t.value);
    return t;
}

bool taglist_next(struct taglist_cursor *c, struct tag *out)
{
    while (c->rest.n) {
        struct slice piece = trim(cut_at(&c->rest, ';'));
        if (piece.n) {
            *out = tag_spec(piece);
            return true;
        }
    }
    return false;
}

const struct tag *taglist_find(const struct taglist *list, const char *name)
{
    struct slice want = slice_str(name);
    for (size_t i = 0; i < list->count; i++)
        if (slice_eq(list->tags[i].name, want))
            return &list->tags[i];
    return NULL;
}

static bool has_name(const struct taglist *list, struct slice name)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_eq(list->tags[i].name, name))
            return true;
    return false;
}

enum status taglist_parse(struct slice text, struct taglist *out)
{
    struct taglist list = {.count = 0};
    struct slice rest = text;
    while (trim(rest).n) {
        struct slice piece = trim(cut_at(&rest, ';'));
        struct tag t = piece.n ? tag_spec(piece) : (struct tag){.valid = false};
        if (!t.valid || has_name(&list, t.name))
            return STATUS_INVALID;
        if (list.count == TAGLIST_MAX)
            return STATUS_LIMIT;
        list.tags[list.count++] = t;
    }
    *out = list;
    return STATUS_OK;
}

bool taglist_piece(struct slice *rest, char separator, struct slice *out)
{
    if (!rest->p)
        return false;
    const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    *out = trim(at ? slice_of(rest->p, (size_t)(at - rest->p)) : *rest);
    *rest = at ? slice_of(at + 1, rest->n - (size_t)(at + 1 - rest->p)) : SLICE_NULL;
    return true;
}

enum status taglist_squeeze(struct slice value, char *out, size_t size, size_t *n)
{
    size_t k = 0;
    for (size_t i = 0; i < value.n; i++)
        k += !is_space(value.p[i]);
    if (k > size)
        return STATUS_LIMIT;
    k = 0;
    for (size_t i = 0; i < value.n; i++)
        if (!is_space(value.p[i]))
            out[k++] = value.p[i];
    *n = k;
    return STATUS_OK;
}
