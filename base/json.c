// SPDX-License-Identifier: BSD-2-Clause
/*
 * json.c - a JSON writer.
 *
 * Promises valid JSON on one line for any input, whatever octets a sender put in. Memory failure and too deep nesting
 * set the buffer's failure mark.
 */
#include "base/json.h"
#include "base/eight.h"
#include "base/utf8.h"
#include <string.h>

/* \uXXXX, as a surrogate pair above the Basic Multilingual Plane (RFC 8259 7). */
static void escaped(struct json *j, uint32_t c)
{
    if (c > 0xffff) {
        escaped(j, 0xd800 + ((c - 0x10000) >> 10));
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    buf_printf(j->out, "\\u%04x", (unsigned)c);
}

static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static inline bool eight_plain(uint64_t eight)
{
    return !(eight_below(eight, ' ') | eight_above(eight, '~') | eight_have(eight, '"') | eight_have(eight, '\\'));
}

static inline bool are_plain(const char *p)
{
    return eight_plain(eight_at(p));
}

/* Whether all of s is plain. The last eight octets, or four, are looked at together, also those that were before. */
static bool all_plain(struct slice s)
{
    uint32_t first, last;

    if (s.n >= 8) {
        for (size_t n = 0; n + 8 < s.n; n += 8)
            if (!are_plain(s.p + n))
                return false;
        return are_plain(s.p + s.n - 8);
    }
    if (s.n >= 4) {
        memcpy(&first, s.p, sizeof first);
        memcpy(&last, s.p + s.n - sizeof last, sizeof last);
        return eight_plain((uint64_t)first << 32 | last);
    }
    for (size_t n = 0; n < s.n; n++)
        if (!is_plain(s.p[n]))
            return false;
    return true;
}

/* How many octets from the start of s stand for themselves: visible ASCII, as nearly all are. */
static size_t plain_run(struct slice s)
{
    size_t n = 0;

    while (n + 8 <= s.n && are_plain(s.p + n))
        n += 8;
    while (n < s.n && is_plain(s.p[n]))
        n++;
    return n;
}

/* The text in quotes, at once if all of it is plain. */
static void quoted(struct json *j, struct slice s)
{
    if (all_plain(s)) {
        buf_add_quoted(j->out, s);
        return;
    }
    buf_addc(j->out, '"');
    for (size_t i = 0; i < s.n;) {
        size_t run = plain_run(slice_from(s, i));
        if (run) {
            buf_add(j->out, s.p + i, run);
            i += run;
            continue;
        }
        unsigned char c = (unsigned char)s.p[i];
        size_t len = utf8_length(slice_from(s, i));
        if (c == '"' || c == '\\') {
            char two[2] = {'\\', (char)c};
            buf_add(j->out, two, 2);
        } else if (c == '\n') {
            buf_adds(j->out, "\\n");
        } else if (c == '\t') {
            buf_adds(j->out, "\\t");
        } else if (c == '\r') {
            buf_adds(j->out, "\\r");
        } else if (len == 0) {
            buf_adds(j->out, "\xef\xbf\xbd");
        } else if (!utf8_is_visible(utf8_point(slice_from(s, i)))) {
            escaped(j, utf8_point(slice_from(s, i)));
        } else {
            buf_add(j->out, s.p + i, len);
        }
        i += len ? len : 1;
    }
    buf_addc(j->out, '"');
}

static void value_start(struct json *j, const char *key)
{
    if (j->comma)
        buf_addc(j->out, ',');
    j->comma = true;
    if (key) {
        quoted(j, slice_str(key));
        buf_addc(j->out, ':');
    }
}

static void open_level(struct json *j, const char *key, char open, char close)
{
    value_start(j, key);
    if (j->depth == JSON_DEPTH) {
        j->out->failed = true;
        return;
    }
    buf_addc(j->out, open);
    j->close[j->depth++] = close;
    j->comma = false;
}

void json_open(struct json *j)
{
    open_level(j, NULL, '{', '}');
}

void json_open_in(struct json *j, const char *key)
{
    open_level(j, key, '{', '}');
}

void json_open_array(struct json *j, const char *key)
{
    open_level(j, key, '[', ']');
}

void json_end(struct json *j)
{
    if (j->depth == 0) {
        j->out->failed = true;
        return;
    }
    buf_addc(j->out, j->close[--j->depth]);
    j->comma = true;
}

void json_str(struct json *j, const char *key, const char *value)
{
    if (value)
        json_slice(j, key, slice_str(value));
    else
        json_write_null(j, key);
}

static char *put_quoted(char *at, struct slice s)
{
    *at++ = '"';
    if (s.n)
        memcpy(at, s.p, s.n);
    at += s.n;
    *at++ = '"';
    return at;
}

/* Nearly all keys and texts are plain: they are written with one look at the buffer's room. */
void json_slice(struct json *j, const char *key, struct slice value)
{
    const struct slice name = key ? slice_str(key) : SLICE_NULL;
    char *start_at, *at;

    if (!all_plain(name) || !all_plain(value)) {
        value_start(j, key);
        quoted(j, value);
        return;
    }
    start_at = at = buf_room(j->out, name.n + value.n + 6);
    if (!at)
        return;
    if (j->comma)
        *at++ = ',';
    j->comma = true;
    if (key) {
        at = put_quoted(at, name);
        *at++ = ':';
    }
    at = put_quoted(at, value);
    buf_took(j->out, (size_t)(at - start_at));
}

void json_int(struct json *j, const char *key, int64_t value)
{
    value_start(j, key);
    buf_add_number(j->out, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    value_start(j, key);
    buf_adds(j->out, value ? "true" : "false");
}

void json_write_null(struct json *j, const char *key)
{
    value_start(j, key);
    buf_adds(j->out, "null");
}

void json_opt(struct json *j, const char *key, const char *value)
{
    if (value && *value)
        json_str(j, key, value);
}
