// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_tags.c - the encodings in the tags of DKIM and ARC.
 *
 * The list itself is read by taglist.c; on any breach the whole list is refused (RFC 6376 6.1.1: "completely ignored").
 * What stands here reads only the octets of the slice it is given, keeps no state and allocates nothing.
 */
#include "standards/dkim/dkim_tags.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum status dkim_tags_parse(struct slice text, struct taglist *out, const char **reason)
{
    enum status s = taglist_parse(text, out);
    if (s != STATUS_OK)
        *reason = s == STATUS_LIMIT ? "too many tags" : "no list of tags: one is malformed, or stands twice";
    return s;
}

struct slice dkim_tags_raw(struct slice text, const struct tag *tag)
{
    const char *end = text.p + text.n, *from = tag->name.p + tag->name.n;
    const char *equals = memchr(from, '=', (size_t)(end - from));
    if (!equals)
        return SLICE_NULL;
    from = equals + 1;
    const char *stop = from < end ? memchr(from, ';', (size_t)(end - from)) : NULL;
    return slice_of(from, (size_t)((stop ? stop : end) - from));
}

/* Values of the base64 digits, plus one; 0: none. */
static const uint8_t digits_of[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

enum status dkim_tags_base64(struct slice text, uint8_t *out, size_t size, size_t *n)
{
    uint32_t bits = 0;
    unsigned digits = 0, padding = 0;
    size_t made = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint32_t digit = digits_of[(unsigned char)text.p[i]];
        if (!digit) {
            if (text.p[i] == '=')
                padding++;
            else if (!is_space(text.p[i]))
                return STATUS_INVALID;
            continue;
        }
        if (padding)
            return STATUS_INVALID;
        bits = bits << 6 | (digit - 1);
        digits++;
        if (digits % 4 == 1)
            continue; /* six bits are no octet yet */
        if (made == size)
            return STATUS_LIMIT;
        unsigned spare = digits % 4 == 2 ? 4 : digits % 4 == 3 ? 2 : 0;
        out[made++] = (uint8_t)(bits >> spare);
    }
    unsigned over = digits % 4;
    if (over == 1 || (padding && (padding > 2 || (over + padding) % 4 != 0)))
        return STATUS_INVALID;
    *n = made;
    return STATUS_OK;
}

bool dkim_tags_number(struct slice text, unsigned max_digits, uint64_t *out)
{
    uint64_t v = 0;
    if (!text.n || text.n > max_digits)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]))
            return false;
        uint64_t digit = (uint64_t)(text.p[i] - '0');
        v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
    }
    *out = v;
    return true;
}

bool dkim_tags_next(struct slice *rest, struct slice *element)
{
    if (!rest->p)
        return false;
    const char *colon = rest->n ? memchr(rest->p, ':', rest->n) : NULL;
    size_t n = colon ? (size_t)(colon - rest->p) : rest->n;
    *element = slice_trim(slice_of(rest->p, n));
    *rest = colon ? slice_of(colon + 1, rest->n - n - 1) : SLICE_NULL;
    return true;
}

bool dkim_tags_list_has(struct slice list, const char *element)
{
    struct slice rest = list, e;
    while (dkim_tags_next(&rest, &e))
        if (slice_eq(e, slice_str(element)))
            return true;
    return false;
}
