// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_tags.c - the encodings in the tags of DKIM and ARC.
 *
 * The list itself is read by taglist.c; on any breach the whole list is refused (RFC 6376 6.1.1: "completely ignored").
 * What stands here reads only the octets of the slice it is given, keeps no state and allocates nothing.
 */
#include "standards/dkim/dkim_tags.h"
#include "base/base64.h"

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

/* The next four octets as 24 bits, if all of them are digits, as they are but for folds and the end. */
static bool four_digits(struct slice text, uint32_t *bits)
{
    if (text.n < 4)
        return false;
    const uint32_t a = base64_value[(unsigned char)text.p[0]], b = base64_value[(unsigned char)text.p[1]],
                   c = base64_value[(unsigned char)text.p[2]], d = base64_value[(unsigned char)text.p[3]];
    if (!a || !b || !c || !d)
        return false;
    *bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
    return true;
}

enum status dkim_tags_base64(struct slice text, uint8_t *out, size_t size, size_t *n)
{
    uint32_t bits = 0;
    unsigned digits = 0, padding = 0;
    size_t made = 0;
    for (size_t i = 0; i < text.n; i++) {
        while (digits % 4 == 0 && !padding && size - made >= 3 && four_digits(slice_from(text, i), &bits)) {
            out[made++] = (uint8_t)(bits >> 16);
            out[made++] = (uint8_t)(bits >> 8);
            out[made++] = (uint8_t)bits;
            digits += 4;
            i += 4;
        }
        if (i == text.n)
            break;
        uint32_t digit = base64_value[(unsigned char)text.p[i]];
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
