// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_name.c - domain names as DNS has them: any octets in labels, in text (RFC 1035 5.1), in normal form, and on the
 * wire (3.1).
 *
 * Unlike domain.h, which is for names that people own, this file is for names that are looked up: an SPF macro may put
 * any octet of a local part into one. All spellings of one name have the same normal form, so that it can be compared,
 * cached and written to a file. Malformed names are refused, nothing is repaired, and results are written only on
 * success.
 */
#include "dns/dns_source.h"
#include "base/limits.h"
#include <stdio.h>

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static unsigned char name_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 'a' - 'A') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The octet that text begins with, escapes undone; *used is its length in text, 0 if the escape is malformed. */
static unsigned char text_octet(const char *text, size_t *used)
{
    if (text[0] != '\\') {
        *used = 1;
        return (unsigned char)text[0];
    }
    if (is_digit(text[1]) && is_digit(text[2]) && is_digit(text[3])) {
        int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
        *used = value <= 255 ? 4 : 0;
        return (unsigned char)value;
    }
    *used = text[1] && !is_digit(text[1]) ? 2 : 0;
    return (unsigned char)text[1];
}

/* Adds one octet of a label in normal form; out has room for any name of legal length. */
static size_t put_octet(char *out, unsigned char c)
{
    static const char digits[] = "0123456789";
    c = name_lower(c);
    if (is_plain(c)) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = digits[c / 100];
    out[2] = digits[c / 10 % 10];
    out[3] = digits[c % 10];
    return 4;
}

enum status dns_name_normal(const char *text, char out[DNS_NAME_TEXT])
{
    char made[DNS_NAME_TEXT];
    size_t n = 0, label = 0, wire = 1;
    if (strcmp(text, ".") == 0) {
        memcpy(out, ".", 2);
        return STATUS_OK;
    }
    while (*text) {
        if (*text == '.') {
            if (label == 0)
                return STATUS_INVALID;
            label = 0;
            text++;
            if (*text)
                made[n++] = '.';
            continue;
        }
        const unsigned char plain = name_lower((unsigned char)*text);
        if (is_plain(plain)) { /* nearly all octets */
            wire += label == 0 ? 2 : 1;
            if (++label > LIMIT_LABEL || wire > DNS_NAME_WIRE)
                return STATUS_LIMIT;
            made[n++] = (char)plain;
            text++;
            continue;
        }
        size_t used;
        unsigned char c = text_octet(text, &used);
        if (used == 0)
            return STATUS_INVALID;
        wire += label == 0 ? 2 : 1;
        if (++label > LIMIT_LABEL || wire > DNS_NAME_WIRE)
            return STATUS_LIMIT;
        n += put_octet(made + n, c);
        text += used;
    }
    if (n == 0)
        return STATUS_INVALID;
    memcpy(out, made, n);
    out[n] = '\0';
    return STATUS_OK;
}

size_t dns_name_from_wire(const void *wire, size_t n, char out[DNS_NAME_TEXT])
{
    const unsigned char *p = wire;
    char made[DNS_NAME_TEXT];
    size_t at = 0, made_n = 0;
    for (;;) {
        if (at >= n || p[at] > LIMIT_LABEL)
            return 0;
        size_t label = p[at++];
        if (label == 0)
            break;
        if (label > n - at || at + label + 1 > DNS_NAME_WIRE)
            return 0;
        if (made_n)
            made[made_n++] = '.';
        for (size_t i = 0; i < label; i++)
            made_n += put_octet(made + made_n, p[at + i]);
        at += label;
    }
    if (made_n == 0)
        made[made_n++] = '.';
    memcpy(out, made, made_n);
    out[made_n] = '\0';
    return at;
}

bool dns_name_is_whole(const void *wire, size_t n, char out[DNS_NAME_TEXT])
{
    size_t used = dns_name_from_wire(wire, n, out);
    return used && used == n;
}

size_t dns_name_to_wire(const char *normal, uint8_t out[DNS_NAME_WIRE])
{
    size_t n = 0;
    if (strcmp(normal, ".") != 0) {
        while (*normal) {
            size_t length_at = n++, used;
            for (; *normal && *normal != '.'; normal += used)
                out[n++] = text_octet(normal, &used);
            out[length_at] = (uint8_t)(n - length_at - 1);
            if (*normal == '.')
                normal++;
        }
    }
    out[n++] = 0;
    return n;
}

/* The last n labels of a name in normal form; all of it if it has no more. */
static const char *last_labels(const char *name, unsigned n)
{
    const char *at = name + strlen(name);
    while (at > name) {
        if (at[-1] == '.' && --n == 0)
            return at;
        at--;
    }
    return name;
}

const char *dns_name_zone(const char *name)
{
    const char *top = last_labels(name, 1), *two = last_labels(name, 2);
    if (strcmp(two, "in-addr.arpa") == 0)
        return last_labels(name, 4);
    if (strcmp(two, "ip6.arpa") == 0)
        return last_labels(name, 10);
    return strlen(top) == 2 && top - two <= 4 ? last_labels(name, 3) : two;
}
