// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_tags.c - tag=value lists by RFC 6376 3.2, one function per rule.
 *
 *   tag-list  = tag-spec *( ";" tag-spec ) [ ";" ]
 *   tag-spec  = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
 *   tag-name  = ALPHA *( ALPHA / DIGIT / "_" )
 *   tag-value = [ tval *( 1*(WSP / FWS) tval ) ]        tval = 1*( %x21-3A / %x3C-7E / UTF8-non-ascii )
 *
 * Promises: reads only the octets of the slice, keeps pointers into it, allocates nothing. On any breach the whole list is refused
 * (RFC 6376 6.1.1: "completely ignored"). UTF-8 (RFC 8616 section 3) is let through as octets of 0x80 and above; those who use a value
 * as a name check it there.
 */
#include "standards/dkim_tags.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_alpha(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_tag_name(struct slice s)
{
    if (!s.n || !is_alpha(s.p[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '_')
            return false;
    return true;
}

static bool is_tag_value(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!is_space(s.p[i]) && (c < 0x21 || c == 0x7f))
            return false;
    }
    return true;
}

/* One tag-spec. */
static const char *read_spec(struct slice spec, struct dkim_tag *tag)
{
    const char *equals = spec.n ? memchr(spec.p, '=', spec.n) : NULL;
    if (!equals)
        return "a tag without '='";
    tag->name = slice_trim(slice_of(spec.p, (size_t)(equals - spec.p)));
    tag->raw = slice_from(spec, (size_t)(equals - spec.p) + 1);
    tag->value = slice_trim(tag->raw);
    if (!is_tag_name(tag->name))
        return "a tag name that is none";
    if (!is_tag_value(tag->value))
        return "a control character in a tag's value";
    return NULL;
}

static bool is_known(const struct dkim_tags *tags, struct slice name)
{
    for (size_t i = 0; i < tags->count; i++)
        if (slice_eq(tags->tag[i].name, name))
            return true;
    return false;
}

enum status dkim_tags_parse(struct slice text, struct dkim_tags *out, const char **reason)
{
    struct slice rest = text;
    out->count = 0;
    for (;;) {
        const char *end = rest.n ? memchr(rest.p, ';', rest.n) : NULL;
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        struct slice spec = slice_of(rest.p, n);
        /* A list may end in ';' but not be empty. */
        if (!end && out->count && !slice_trim(spec).n)
            return STATUS_OK;
        if (out->count == DKIM_TAGS_MAX) {
            *reason = "too many tags";
            return STATUS_LIMIT;
        }
        struct dkim_tag *tag = &out->tag[out->count];
        if ((*reason = read_spec(spec, tag)))
            return STATUS_INVALID;
        if (is_known(out, tag->name)) {
            *reason = "a tag stands twice";
            return STATUS_INVALID;
        }
        out->count++;
        if (!end)
            return STATUS_OK;
        rest = slice_from(rest, n + 1);
    }
}

const struct dkim_tag *dkim_tags_find(const struct dkim_tags *tags, const char *name)
{
    struct slice wanted = slice_str(name);
    for (size_t i = 0; i < tags->count; i++)
        if (slice_eq(tags->tag[i].name, wanted))
            return &tags->tag[i];
    return NULL;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum status dkim_tags_base64(struct slice text, uint8_t *out, size_t size, size_t *n)
{
    uint32_t bits = 0;
    unsigned digits = 0, padding = 0;
    size_t made = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (is_space(text.p[i]))
            continue;
        if (text.p[i] == '=') {
            padding++;
            continue;
        }
        int value = base64_value(text.p[i]);
        if (value < 0 || padding)
            return STATUS_INVALID;
        bits = bits << 6 | (uint32_t)value;
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
