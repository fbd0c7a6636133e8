// SPDX-License-Identifier: BSD-2-Clause
/*
 * facts_write.c - writes the lines of facts.h.
 *
 * Promises that whatever octets a value has, the result is one line of printable ASCII from which facts_read restores
 * the same octets. Failure is the buffer's error mark.
 */
#include "check/facts.h"

void facts_begin_line(struct buf *b, const char *kind)
{
    buf_adds(b, kind);
}

static bool is_bare(struct slice v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '"' || v.p[i] == '\\')
            return false;
    return v.n > 0;
}

void facts_text(struct buf *b, const char *name, struct slice v)
{
    buf_printf(b, " %s=", name);
    if (is_bare(v)) {
        buf_addslice(b, v);
        return;
    }
    buf_addc(b, '"');
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
            buf_printf(b, "\\x%02x", c);
        else
            buf_addc(b, (char)c);
    }
    buf_addc(b, '"');
}

void facts_str(struct buf *b, const char *name, const char *value)
{
    if (value)
        facts_text(b, name, slice_str(value));
}

void facts_number(struct buf *b, const char *name, int64_t value)
{
    buf_printf(b, " %s=%lld", name, (long long)value);
}

void facts_ip(struct buf *b, const char *name, const struct ip *a)
{
    char text[IP_TEXT];
    facts_str(b, name, ip_text(a, text));
}

void facts_end_line(struct buf *b)
{
    buf_addc(b, '\n');
}
