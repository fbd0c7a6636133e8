// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_print.c - records as zone files write them, so that dns_text.c reads the same octets back.
 *
 * Whatever a record holds, its text is one line of printable ASCII. Rdata that its type's form cannot express (cut off,
 * a compressed name, more behind the end) is written as \# LENGTH HEX (RFC 3597 section 5), which expresses everything.
 * Cannot fail except memory, which the buffer remembers.
 */
#include "dns/dns_source.h"
#include "dns/dns_text.h"
#include <arpa/inet.h>

static unsigned octet(struct slice r, size_t i)
{
    return (unsigned char)r.p[i];
}

void dns_string_print(struct slice octets, struct buf *out)
{
    buf_addc(out, '"');
    for (size_t i = 0; i < octets.n; i++) {
        unsigned c = octet(octets, i);
        if (c < 32 || c > 126)
            buf_printf(out, "\\%03u", c);
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", (char)c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '"');
}

static void print_hex(struct slice r, struct buf *out)
{
    for (size_t i = 0; i < r.n; i++)
        buf_printf(out, "%02x", octet(r, i));
}

/* A name that fills r to its end. */
static bool print_name(struct slice r, struct buf *out)
{
    char text[DNS_NAME_TEXT];
    if (!dns_name_is_whole(r.p, r.n, text))
        return false;
    buf_adds(out, text);
    return true;
}

static bool print_address(int family, struct slice r, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    if (r.n != (family == AF_INET ? 4 : 16) || !inet_ntop(family, r.p, text, sizeof text))
        return false;
    buf_adds(out, text);
    return true;
}

/* No string at all (empty rdata) is written as nothing. */
static bool print_txt(struct slice r, struct buf *out)
{
    size_t at = 0;
    while (at < r.n) {
        size_t n = octet(r, at);
        if (n > r.n - at - 1)
            return false;
        if (at)
            buf_addc(out, ' ');
        dns_string_print(slice_of(r.p + at + 1, n), out);
        at += n + 1;
    }
    return true;
}

static bool print_own_form(enum dns_type type, struct slice r, struct buf *out)
{
    switch (type) {
    case DNS_A:
        return print_address(AF_INET, r, out);
    case DNS_AAAA:
        return print_address(AF_INET6, r, out);
    case DNS_TXT:
        return print_txt(r, out);
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        return print_name(r, out);
    case DNS_MX:
        if (r.n < 3)
            return false;
        buf_printf(out, "%u ", octet(r, 0) << 8 | octet(r, 1));
        return print_name(slice_from(r, 2), out);
    case DNS_TLSA:
        if (r.n < 3)
            return false;
        buf_printf(out, "%u %u %u ", octet(r, 0), octet(r, 1), octet(r, 2));
        print_hex(slice_from(r, 3), out);
        return true;
    default:
        return false;
    }
}

void dns_rdata_print(enum dns_type type, struct slice rdata, struct buf *out)
{
    size_t before = out->n;
    if (print_own_form(type, rdata, out))
        return;
    buf_cut(out, before);
    buf_printf(out, "\\# %zu ", rdata.n);
    print_hex(rdata, out);
}
