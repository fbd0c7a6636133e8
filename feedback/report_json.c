// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_json.c - checks and walks a JSON text in place.
 *
 * Promises memory of a fixed size whatever the text is, no recursion, and that a text which passes the check is one
 * value by RFC 8259's grammar; octets that are no UTF-8 within a text become U+FFFD when it is read. No failure but
 * those of the check.
 */
#include "feedback/report_json.h"
#include "feedback/report_scratch.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MOST 100 /* octets of a member's name: longer than any of ours */

static const char twice[] = {REPORT_JSON_TWICE, '\0'}; /* a value of no kind */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct slice skip_blanks(struct slice s)
{
    while (s.n && is_blank(s.p[0]))
        s = slice_from(s, 1);
    return s;
}

/* Octets of the text in quotes that s begins with; 0: it does not end, or holds what may not be there. */
static size_t text_length(struct slice s)
{
    for (size_t i = 1; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (i % REPORT_SCRATCH_STEP == 0)
            report_scratch_passed(s.p + i);
        if (c == '"')
            return i + 1;
        if (c < 0x20)
            return 0;
        if (c != '\\')
            continue;
        if (++i == s.n || !s.p[i] || !strchr("\"\\/bfnrtu", s.p[i]))
            return 0;
        for (int k = 0; s.p[i] == 'u' && k < 4; k++)
            if (i + 1 + (size_t)k >= s.n || !strchr("0123456789abcdefABCDEF", s.p[i + 1 + (size_t)k]) ||
                !s.p[i + 1 + (size_t)k])
                return 0;
    }
    return 0;
}

/* RFC 8259 section 6. 0: it is none. */
static size_t number_length(struct slice s)
{
    size_t i = s.n && s.p[0] == '-', from;
    if (i < s.n && s.p[i] == '0')
        i++;
    else if (i < s.n && is_digit(s.p[i]))
        while (i < s.n && is_digit(s.p[i]))
            i++;
    else
        return 0;
    if (i < s.n && s.p[i] == '.') {
        for (from = ++i; i < s.n && is_digit(s.p[i]);)
            i++;
        if (i == from)
            return 0;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
        for (from = i; i < s.n && is_digit(s.p[i]);)
            i++;
        if (i == from)
            return 0;
    }
    return i;
}

/* Octets of the text, number or word that s begins with. */
static size_t scalar_length(struct slice s)
{
    static const char *const words[] = {"true", "false", "null"};
    if (s.n && s.p[0] == '"')
        return text_length(s);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_begins(s, words[i]))
            return strlen(words[i]);
    return number_length(s);
}

/* ---- the check ---- */

enum expected { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, COMMA_OR_END, NOTHING };

struct check {
    struct slice rest;
    char open[REPORT_JSON_DEPTH + 1]; /* '{' or '[' */
    size_t depth;
    enum expected expected;
};

static void value_is_over(struct check *c)
{
    c->expected = c->depth ? COMMA_OR_END : NOTHING;
}

static bool may_close(const struct check *c, char mark)
{
    char open = mark == '}' ? '{' : '[';
    return c->depth && c->open[c->depth - 1] == open &&
           (c->expected == COMMA_OR_END || (open == '{' ? c->expected == KEY_OR_END : c->expected == VALUE_OR_END));
}

/* One mark or scalar. */
static enum status take_token(struct check *c)
{
    char mark = c->rest.p[0];
    size_t n = 1;
    bool value = c->expected == VALUE || c->expected == VALUE_OR_END;
    if ((mark == '{' || mark == '[') && value) {
        if (c->depth == REPORT_JSON_DEPTH)
            return STATUS_LIMIT;
        c->open[c->depth++] = mark;
        c->expected = mark == '{' ? KEY_OR_END : VALUE_OR_END;
    } else if ((mark == '}' || mark == ']') && may_close(c, mark)) {
        c->depth--;
        value_is_over(c);
    } else if (mark == ':' && c->expected == COLON) {
        c->expected = VALUE;
    } else if (mark == ',' && c->expected == COMMA_OR_END) {
        c->expected = c->open[c->depth - 1] == '{' ? KEY : VALUE;
    } else if (mark == '"' && (c->expected == KEY || c->expected == KEY_OR_END)) {
        n = text_length(c->rest);
        c->expected = COLON;
    } else if (value) {
        n = scalar_length(c->rest);
        value_is_over(c);
    } else {
        n = 0;
    }
    c->rest = slice_from(c->rest, n);
    return n ? STATUS_OK : STATUS_INVALID;
}

static unsigned long line_of(struct slice text, const char *at)
{
    unsigned long line = 1;
    for (const char *p = text.p; p < at; p++) {
        line += *p == '\n';
        report_scratch_passed(p);
    }
    return line;
}

enum status report_json_check(struct slice text, char *why)
{
    struct check c = {.rest = skip_blanks(text), .expected = VALUE};
    enum status st = STATUS_OK;
    while (st == STATUS_OK && c.rest.n) {
        report_scratch_passed(c.rest.p);
        st = take_token(&c);
        if (st == STATUS_OK)
            c.rest = skip_blanks(c.rest);
    }
    if (st == STATUS_OK && c.expected != NOTHING)
        st = STATUS_INVALID;
    if (st == STATUS_LIMIT)
        snprintf(why, 200, "the JSON is nested more deeply than is read, in line %lu", line_of(text, c.rest.p));
    else if (st == STATUS_INVALID)
        snprintf(why, 200, c.rest.n ? "the JSON is not well-formed in line %lu" : "the JSON is cut off in line %lu",
                 line_of(text, c.rest.n ? c.rest.p : text.p + text.n));
    return st;
}

/* ---- walking ---- */

char report_json_kind(struct slice value)
{
    value = skip_blanks(value);
    return !value.n ? '\0' : is_digit(value.p[0]) || value.p[0] == '-' ? '0' : value.p[0];
}

/* Octets of the value that s begins with. */
static size_t value_length(struct slice s)
{
    size_t i = 0, depth = 0;
    do {
        char c = s.p[i];
        size_t n = 1;
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth -= depth > 0;
        else if (c == '"' || is_digit(c) || c == '-' || c == 't' || c == 'f' || c == 'n')
            n = scalar_length(slice_from(s, i));
        if (n == 0)
            return s.n;
        i += n;
        report_scratch_passed(s.p + i - 1);
    } while (depth && i < s.n);
    return i;
}

bool report_json_next(struct slice *rest, struct slice *key, struct slice *value)
{
    struct slice s = skip_blanks(*rest);
    *key = *value = SLICE_NULL;
    if (!s.n || !strchr("{[,", s.p[0]) || !s.p[0])
        return false;
    s = skip_blanks(slice_from(s, 1));
    if (!s.n || s.p[0] == '}' || s.p[0] == ']')
        return false;
    size_t n = s.p[0] == '"' ? text_length(s) : 0;
    struct slice behind = skip_blanks(slice_from(s, n));
    if (n && behind.n && behind.p[0] == ':') {
        *key = slice_of(s.p + 1, n - 2);
        s = skip_blanks(slice_from(behind, 1));
    }
    if (!s.n)
        return false;
    *value = slice_of(s.p, value_length(s));
    *rest = slice_from(s, value->n);
    return true;
}

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | (unsigned)(is_digit(p[i]) ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    return v;
}

static void add_point(struct buf *out, unsigned c)
{
    if (c == 0 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = 0xfffd;
    if (c < 0x80) {
        buf_addc(out, (char)c);
        return;
    }
    if (c >= 0x10000)
        buf_addc(out, (char)(0xf0 | c >> 18));
    if (c >= 0x800)
        buf_addc(out, (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 63) : 0xe0 | c >> 12));
    buf_addc(out, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6));
    buf_addc(out, (char)(0x80 | (c & 63)));
}

/* Adds the character that an escape stands for; returns its octets, a pair of surrogates as one. */
static size_t add_escaped(struct buf *out, struct slice s)
{
    static const char letters[] = "bfnrt", octets[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, s.p[1]);
    if (s.p[1] != 'u') {
        buf_addc(out, letter ? octets[letter - letters] : s.p[1]);
        return 2;
    }
    unsigned c = hex4(s.p + 2);
    bool pair = c >= 0xd800 && c < 0xdc00 && s.n >= 12 && s.p[6] == '\\' && s.p[7] == 'u';
    unsigned low = pair ? hex4(s.p + 8) : 0;
    pair = pair && low >= 0xdc00 && low < 0xe000;
    add_point(out, pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : c);
    return pair ? 12 : 6;
}

bool report_json_text(struct slice value, size_t most, struct buf *out)
{
    value = skip_blanks(value);
    if (value.n < 2 || value.p[0] != '"')
        return false;
    struct slice s = slice_of(value.p + 1, value.n - 2);
    size_t from = out->n;
    while (s.n && out->n - from <= most) {
        size_t n = s.p[0] == '\\' ? 0 : utf8_length(s);
        if (s.p[0] == '\\') {
            n = add_escaped(out, s);
        } else if (n) {
            buf_add(out, s.p, n);
        } else {
            add_point(out, 0xfffd);
            n = 1;
        }
        s = slice_from(s, n);
    }
    return true;
}

bool report_json_integer(struct slice value, int64_t *out)
{
    char text[24], *end;
    value = skip_blanks(value);
    if (!value.n || value.n >= sizeof text)
        return false;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return errno == 0 && end != text && *end == '\0' && (is_digit(text[0]) || text[0] == '-');
}

/* The octets of a member's name may be escaped (RFC 8259 section 7). */
static bool is_key(struct slice key, const char *name)
{
    if (!key.n || !memchr(key.p, '\\', key.n))
        return slice_eq(key, slice_str(name));
    struct buf text = BUF_INIT;
    bool is = report_json_text(slice_of(key.p - 1, key.n + 2), KEY_MOST, &text) &&
              slice_eq(buf_slice(&text), slice_str(name));
    buf_release(&text);
    return is;
}

void report_json_get_all(struct slice object, const char *const *name, struct slice *value, size_t n)
{
    struct slice rest = object, key, member;
    for (size_t i = 0; i < n; i++)
        value[i] = SLICE_NULL;
    if (report_json_kind(object) != '{')
        return;
    while (report_json_next(&rest, &key, &member))
        for (size_t i = 0; i < n; i++)
            if (is_key(key, name[i]))
                value[i] = !value[i].p || slice_eq(value[i], member) ? member : slice_of(twice, 1);
}

struct slice report_json_get(struct slice object, const char *key)
{
    struct slice value;
    report_json_get_all(object, &key, &value, 1);
    return value;
}
