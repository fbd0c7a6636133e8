// SPDX-License-Identifier: BSD-2-Clause
/*
 * base64.c - RFC 4648 section 4. No failure but the buffer's own (buf.h).
 */
#include "base/base64.h"

void base64_encode(struct buf *out, struct slice in, unsigned line)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned column = 0;
    for (size_t i = 0; i < in.n; i += 3) {
        unsigned char c[3] = {(unsigned char)in.p[i], i + 1 < in.n ? (unsigned char)in.p[i + 1] : 0,
                              i + 2 < in.n ? (unsigned char)in.p[i + 2] : 0};
        char four[4] = {set[c[0] >> 2], set[(c[0] & 3) << 4 | c[1] >> 4],
                        i + 1 < in.n ? set[(c[1] & 15) << 2 | c[2] >> 6] : '=', i + 2 < in.n ? set[c[2] & 63] : '='};
        buf_add(out, four, 4);
        column += 4;
        if (line && column >= line) {
            buf_addc(out, '\n');
            column = 0;
        }
    }
    if (line && column)
        buf_addc(out, '\n');
}

static int value_of(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

void base64_decode(struct buf *out, struct slice in)
{
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < in.n && in.p[i] != '='; i++) {
        int v = value_of(in.p[i]);
        if (v < 0)
            continue;
        bits = bits << 6 | (unsigned)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_addc(out, (char)(bits >> have & 0xff));
        }
    }
}
