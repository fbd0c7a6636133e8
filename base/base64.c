// SPDX-License-Identifier: BSD-2-Clause
/*
 * base64.c - RFC 4648 section 4. No failure but the buffer's own (buf.h).
 */
#include "base/base64.h"

const uint8_t base64_value[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

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

bool base64_decode_to(struct slice in, base64_sink *sink, void *context)
{
    char octets[BASE64_PIECE];
    unsigned bits = 0, have = 0;
    bool ended = false, goes_on = true;
    for (size_t i = 0; i < in.n && !ended && goes_on;) {
        const size_t end = in.n - i < BASE64_PIECE ? in.n : i + BASE64_PIECE;
        size_t n = 0;
        for (; i < end && !ended; i++) {
            const unsigned v = base64_value[(unsigned char)in.p[i]];
            ended = in.p[i] == '=';
            if (!v)
                continue;
            bits = bits << 6 | (v - 1);
            have += 6;
            if (have >= 8) {
                have -= 8;
                octets[n++] = (char)(bits >> have & 0xff);
            }
        }
        goes_on = sink(context, octets, n, in.p + i);
    }
    return goes_on;
}

static bool add_to_buffer(void *context, const char *octets, size_t n, const char *read)
{
    (void)read;
    buf_add(context, octets, n);
    return true; /* the buffer keeps its own failure */
}

void base64_decode(struct buf *out, struct slice in)
{
    (void)base64_decode_to(in, add_to_buffer, out);
}
