// SPDX-License-Identifier: BSD-2-Clause
/*
 * utf8.c - RFC 3629 and visible text.
 *
 * Promises that nothing a sender wrote can move a cursor, turn the writing direction or end a log line.
 */
#include "base/utf8.h"

static size_t expected_length(unsigned char c)
{
    return c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

size_t utf8_length(struct slice s)
{
    if (s.n == 0)
        return 0;
    const unsigned char *u = (const unsigned char *)s.p;
    size_t len = expected_length(u[0]);
    if (len == 0 || len > s.n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
        (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return len;
}

uint32_t utf8_point(struct slice s)
{
    const unsigned char *u = (const unsigned char *)s.p;
    switch (expected_length(u[0])) {
    case 1:
        return u[0];
    case 2:
        return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
    case 3:
        return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
    default:
        return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 | (uint32_t)(u[2] & 0x3f) << 6 |
               (u[3] & 0x3f);
    }
}

bool utf8_valid(struct slice s)
{
    while (s.n) {
        size_t len = utf8_length(s);
        if (len == 0)
            return false;
        s = slice_from(s, len);
    }
    return true;
}

bool utf8_is_visible(uint32_t c)
{
    return !(c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x180e ||
             (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
             c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff));
}

/* One character of s, made visible; returns its octets. */
static size_t add_one(struct buf *b, struct slice s)
{
    size_t len = utf8_length(s);
    unsigned char c = (unsigned char)s.p[0];
    if (c == '\0')
        buf_adds(b, "\\0");
    else if (len == 0 || c < 0x20 || c == 0x7f)
        buf_printf(b, "\\x%02x", (unsigned)c);
    else if (!utf8_is_visible(utf8_point(s)))
        buf_printf(b, "\\u{%x}", (unsigned)utf8_point(s));
    else
        buf_add(b, s.p, len);
    return len ? len : 1;
}

/* How many octets from the start of s are visible ASCII and no backslash. */
static size_t plain_run(struct slice s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '\\')
        n++;
    return n;
}

void utf8_add_visible(struct buf *b, struct slice s)
{
    while (s.n) {
        const size_t run = plain_run(s);
        if (run) {
            buf_add(b, s.p, run);
            s = slice_from(s, run);
            continue;
        }
        if (s.p[0] == '\\')
            buf_addc(b, '\\');
        s = slice_from(s, add_one(b, s));
    }
}

void utf8_add_lines(struct buf *b, struct slice s)
{
    while (s.n) {
        size_t n = 1;
        if (s.p[0] == '\n')
            buf_addc(b, '\n');
        else
            n = add_one(b, s);
        s = slice_from(s, n);
    }
}
