// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_command.c - reads what an MTA sends over the milter protocol.
 *
 * Promises never to read outside the octets given, and to accept no text without its NUL: texts are handed on as C
 * strings in place, without a copy. Numbers are taken octet by octet, so alignment and byte order of the host do not
 * matter. Failure: false or -1; the caller closes the connection.
 */
#include "milter/wire/wire_command.h"

#define LENGTH_OCTETS 4

static uint32_t number32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

long wire_command_first(struct slice in, uint32_t most, struct wire_command *out)
{
    uint32_t length;

    if (in.n < LENGTH_OCTETS)
        return 0;
    length = number32(in.p);
    if (length == 0 || length - 1 > most)
        return -1;
    if (in.n - LENGTH_OCTETS < length)
        return 0;
    out->letter = in.p[LENGTH_OCTETS];
    out->data = slice_of(in.p + LENGTH_OCTETS + 1, length - 1);
    return (long)(LENGTH_OCTETS + length);
}

bool wire_read_options(struct slice data, struct wire_options *out)
{
    if (data.n < 12) /* later versions may add data, which libmilter ignores too */
        return false;
    out->version = number32(data.p);
    out->actions = number32(data.p + 4);
    out->protocol = number32(data.p + 8);
    return out->version >= WIRE_VERSION_MIN && out->version <= INT32_MAX; /* libmilter reads it as a signed number */
}

/* Cuts the first text off. NULL: no NUL ends it. */
static const char *cut_text(struct slice *rest)
{
    const char *text = rest->p, *nul = rest->n ? memchr(text, '\0', rest->n) : NULL;

    if (!nul)
        return NULL;
    *rest = slice_from(*rest, (size_t)(nul - text) + 1);
    return text;
}

bool wire_read_connect(struct slice data, struct wire_connect *out)
{
    *out = (struct wire_connect){.host = cut_text(&data)};
    if (!out->host || !data.n)
        return false;
    out->family = *data.p;
    data = slice_from(data, 1);
    if (out->family == 'U') /* Sendmail sends nothing more, others may */
        return true;
    if ((out->family != '4' && out->family != '6' && out->family != 'L') || data.n < 2)
        return false;
    out->port = (uint16_t)((unsigned char)data.p[0] << 8 | (unsigned char)data.p[1]);
    data = slice_from(data, 2);
    out->address = cut_text(&data);
    return out->address && data.n == 0;
}

bool wire_read_text(struct slice data, const char **out)
{
    *out = cut_text(&data);
    return *out && data.n == 0;
}

bool wire_are_texts(struct slice data)
{
    return data.n && data.p[data.n - 1] == '\0';
}

const char *wire_next_text(struct slice *rest)
{
    return cut_text(rest);
}

bool wire_read_header(struct slice data, const char **name, const char **value)
{
    *name = cut_text(&data);
    *value = cut_text(&data);
    return *name && **name && *value && data.n == 0;
}

bool wire_read_macros(struct slice data, char *letter, struct slice *pairs)
{
    size_t count = 0;

    if (!data.n)
        return false;
    *letter = *data.p;
    *pairs = slice_from(data, 1);
    if (pairs->n && !wire_are_texts(*pairs))
        return false;
    for (struct slice rest = *pairs; wire_next_text(&rest);)
        count++;
    return count % 2 == 0;
}
