// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_text.c - reading records as zone files write them (RFC 1035 5.1, RFC 3596 2.4, RFC 3597 5, RFC 4034, RFC 6698
 * 2.2, RFC 8659 4.1.1).
 *
 * One small function per kind of field and a table that says which fields a type has. Strict: a word too many, a number
 * out of range or half a hex octet is an error with words for it; numbers have no sign. A TXT string of more than 255
 * octets is cut into several, which a zone file may not hold but a person may mean. Nothing is kept; on failure the
 * contents of `out` are undefined and the caller drops them.
 */
#include "base/base64.h"
#include "dns/dns_text.h"
#include "dns/dns_source.h"
#include "base/limits.h"
#include <arpa/inet.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : -1;
}

static int hex_of(char c)
{
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return digit_of(c);
}

/* The length of a word or of a quoted string's inside at s; SIZE_MAX: quote not closed. */
static size_t token_length(struct slice s, bool quoted)
{
    size_t i = 0;
    for (; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        else if (quoted ? s.p[i] == '"' : is_blank(s.p[i]))
            return i;
    }
    return quoted ? SIZE_MAX : s.n;
}

size_t dns_tokens(struct slice line, struct dns_token out[DNS_TOKENS], const char **why)
{
    size_t count = 0;
    for (;;) {
        while (line.n && is_blank(line.p[0]))
            line = slice_from(line, 1);
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
            return count;
        bool quoted = line.p[0] == '"';
        if (quoted)
            line = slice_from(line, 1);
        size_t n = token_length(line, quoted);
        if (n == SIZE_MAX || count == DNS_TOKENS) {
            *why = n == SIZE_MAX ? "a quote is not closed" : "too many words";
            return SIZE_MAX;
        }
        out[count++] = (struct dns_token){slice_of(line.p, n), quoted};
        line = slice_from(line, n + (quoted ? 1 : 0));
    }
}

static bool text_number(struct slice text, uint32_t max, uint32_t *out)
{
    uint64_t value = 0;
    if (text.n == 0 || text.n > 10)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (digit_of(text.p[i]) < 0)
            return false;
        value = value * 10 + (uint64_t)digit_of(text.p[i]);
    }
    *out = (uint32_t)value;
    return value <= max;
}

bool dns_type_from_text(struct slice text, enum dns_type *out)
{
    static const enum dns_type known[] = {DNS_A,   DNS_NS,   DNS_CNAME, DNS_SOA,    DNS_PTR,  DNS_MX,
                                          DNS_TXT, DNS_AAAA, DNS_DS,    DNS_DNSKEY, DNS_TLSA, DNS_CAA};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_eq_nocase(text, slice_str(dns_type_name(known[i])))) {
            *out = known[i];
            return true;
        }
    }
    uint32_t value;
    if (text.n < 5 || !slice_eq_nocase(slice_of(text.p, 4), SLICE_LIT("TYPE")) ||
        !text_number(slice_from(text, 4), 65535, &value))
        return false;
    *out = (enum dns_type)value;
    return true;
}

enum status dns_text_octets(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\\') {
            buf_addc(out, text.p[i]);
            continue;
        }
        uint32_t value;
        if (i + 3 < text.n && digit_of(text.p[i + 1]) >= 0) {
            if (!text_number(slice_of(text.p + i + 1, 3), 255, &value))
                return STATUS_INVALID;
            buf_addc(out, (char)value);
            i += 3;
        } else if (i + 1 < text.n && digit_of(text.p[i + 1]) < 0) {
            buf_addc(out, text.p[++i]);
        } else {
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

static const char *put_number(struct slice text, unsigned octets, struct buf *out)
{
    uint32_t value;
    if (!text_number(text, octets == 1 ? 255 : octets == 2 ? 65535 : UINT32_MAX, &value))
        return octets == 1   ? "expected a number from 0 to 255"
               : octets == 2 ? "expected a number from 0 to 65535"
                             : "expected a number";
    for (unsigned i = octets; i-- > 0;)
        buf_addc(out, (char)(value >> (8 * i)));
    return NULL;
}

static const char *put_name(struct slice text, struct buf *out)
{
    char raw[DNS_NAME_TEXT + 1], normal[DNS_NAME_TEXT];
    uint8_t wire[DNS_NAME_WIRE];
    if (text.n >= sizeof raw || memchr(text.p, '\0', text.n))
        return "not a domain name";
    memcpy(raw, text.p, text.n);
    raw[text.n] = '\0';
    if (dns_name_normal(raw, normal) != STATUS_OK)
        return "not a domain name";
    buf_add(out, wire, dns_name_to_wire(normal, wire));
    return NULL;
}

static const char *put_address(struct slice text, int family, struct buf *out)
{
    char raw[IP_TEXT];
    uint8_t octets[16];
    if (text.n >= sizeof raw)
        return "not an address";
    memcpy(raw, text.p, text.n);
    raw[text.n] = '\0';
    if (strlen(raw) != text.n || inet_pton(family, raw, octets) != 1)
        return family == AF_INET ? "not an IPv4 address" : "not an IPv6 address";
    buf_add(out, octets, family == AF_INET ? 4 : 16);
    return NULL;
}

/* One string, cut into pieces of 255 octets. */
static const char *put_string(struct slice text, struct buf *out)
{
    struct buf octets = BUF_INIT;
    const char *why = dns_text_octets(text, &octets) == STATUS_OK ? NULL : "a bad escape in a string";
    size_t at = 0;
    do {
        size_t n = octets.n - at > 255 ? 255 : octets.n - at;
        buf_addc(out, (char)n);
        buf_add(out, octets.p + at, n);
        at += n;
    } while (at < octets.n);
    buf_release(&octets);
    return why;
}

static const char *put_hex(const struct dns_token *t, size_t count, struct buf *out)
{
    int high = -1;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < t[i].text.n; k++) {
            int value = hex_of(t[i].text.p[k]);
            if (value < 0)
                return "expected hexadecimal digits";
            if (high >= 0)
                buf_addc(out, (char)(high << 4 | value));
            high = high >= 0 ? -1 : value;
        }
    }
    return high >= 0 ? "an odd number of hexadecimal digits" : NULL;
}

static const char *put_base64(const struct dns_token *t, size_t count, struct buf *out)
{
    uint32_t bits = 0;
    unsigned have = 0, pad = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < t[i].text.n; k++) {
            char c = t[i].text.p[k];
            const uint8_t value = base64_value[(unsigned char)c];
            if (c == '=' ? ++pad > 2 : !value || pad)
                return "not base64";
            if (c == '=')
                continue;
            bits = bits << 6 | (uint32_t)(value - 1);
            have += 6;
            if (have >= 8) {
                have -= 8;
                buf_addc(out, (char)(bits >> have));
            }
        }
    }
    return have >= 6 ? "not base64" : NULL;
}

/* RFC 3597 5: \# LENGTH HEX... */
static const char *put_generic(const struct dns_token *t, size_t count, struct buf *out)
{
    uint32_t length;
    size_t before = out->n;
    if (count < 2 || !text_number(t[1].text, LIMIT_DNS_RDATA, &length))
        return "expected \\# LENGTH HEX";
    const char *why = put_hex(t + 2, count - 2, out);
    if (!why && out->n - before != length)
        why = "the length after \\# is not the number of octets";
    return why;
}

/* Fields: 1 2 4 numbers of so many octets, n name, i IPv4 address, j IPv6 address, s strings to the end, c one string,
 * v octets to the end, h hex to the end, b base64 to the end. */
static const char *fields_of(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "i";
    case DNS_AAAA:
        return "j";
    case DNS_MX:
        return "2n";
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        return "n";
    case DNS_SOA:
        return "nn44444";
    case DNS_TXT:
        return "s";
    case DNS_TLSA:
        return "111h";
    case DNS_DS:
        return "211h";
    case DNS_DNSKEY:
        return "211b";
    case DNS_CAA:
        return "1cv";
    }
    return NULL;
}

static const char *put_field(char field, const struct dns_token *t, size_t left, size_t *used, struct buf *out)
{
    *used = 1;
    if (field == 's' || field == 'h' || field == 'b')
        *used = left;
    else if (left == 0)
        return "a field is missing";
    switch (field) {
    case '1':
        return put_number(t->text, 1, out);
    case '2':
        return put_number(t->text, 2, out);
    case '4':
        return put_number(t->text, 4, out);
    case 'n':
        return put_name(t->text, out);
    case 'i':
        return put_address(t->text, AF_INET, out);
    case 'j':
        return put_address(t->text, AF_INET6, out);
    case 'c':
        return t->text.n <= 255 ? put_string(t->text, out) : "a tag is too long";
    case 'v':
        return dns_text_octets(t->text, out) == STATUS_OK ? NULL : "a bad escape in a string";
    case 'h':
        return put_hex(t, left, out);
    case 'b':
        return put_base64(t, left, out);
    default:
        break;
    }
    for (size_t i = 0; i < left; i++) {
        const char *why = put_string(t[i].text, out);
        if (why)
            return why;
    }
    return NULL;
}

enum status dns_rdata_parse(enum dns_type type, const struct dns_token *tokens, size_t count, struct buf *out,
                            const char **why)
{
    const char *fields = fields_of(type);
    size_t before = out->n;
    *why = NULL;
    if (count && !tokens[0].quoted && slice_eq(tokens[0].text, SLICE_LIT("\\#"))) {
        *why = put_generic(tokens, count, out);
    } else if (!fields) {
        *why = "this type is written as \\# LENGTH HEX";
    } else {
        size_t at = 0, used = 0;
        for (; *fields && !*why; fields++, at += used)
            *why = put_field(*fields, tokens + at, count - at, &used, out);
        if (!*why && at < count)
            *why = "more words than the type has fields";
    }
    if (!*why && out->n - before > LIMIT_DNS_RDATA)
        *why = "longer than 65535 octets";
    return *why ? STATUS_INVALID : STATUS_OK;
}
