// SPDX-License-Identifier: BSD-2-Clause
/*
 * ip.c - reading, comparing and writing addresses and networks.
 *
 * Promises that equal addresses have equal octets (mapped IPv4 is unwrapped, unused octets are zero). Text that is not
 * wholly an address is STATUS_INVALID; inet_pton's strict forms are the only ones taken (no 192.0.2, no octal, no scope
 * id).
 */
#include "base/ip.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static unsigned width(const struct ip *a)
{
    return a->family == 4 ? 32 : a->family == 6 ? 128 : 0;
}

static struct ip unwrap(struct ip a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a.family != 6 || memcmp(a.octets, mapped, sizeof mapped) != 0)
        return a;
    struct ip four = {.family = 4};
    memcpy(four.octets, a.octets + 12, 4);
    return four;
}

enum status ip_from_text(struct slice text, struct ip *out)
{
    char s[64];
    struct ip a = {0};
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = slice_of(text.p + 1, text.n - 2);
    bool tagged = text.n > 5 && slice_eq_nocase(slice_of(text.p, 5), SLICE_LIT("IPv6:"));
    if (tagged)
        text = slice_from(text, 5);
    if (text.n == 0 || text.n >= sizeof s || memchr(text.p, '\0', text.n))
        return STATUS_INVALID;
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    if (!tagged && inet_pton(AF_INET, s, a.octets) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, s, a.octets) == 1)
        a.family = 6;
    else
        return STATUS_INVALID;
    *out = unwrap(a);
    return STATUS_OK;
}

struct ip ip_from_sockaddr(const struct sockaddr *sa)
{
    struct ip a = {0};
    if (sa && sa->sa_family == AF_INET) {
        a.family = 4;
        memcpy(a.octets, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    } else if (sa && sa->sa_family == AF_INET6) {
        a.family = 6;
        memcpy(a.octets, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    }
    return unwrap(a);
}

enum status ip_net_from_text(struct slice text, struct ip_net *out)
{
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    struct ip a;
    enum status s = ip_from_text(slash ? slice_of(text.p, (size_t)(slash - text.p)) : text, &a);
    if (s != STATUS_OK)
        return s;
    unsigned bits = width(&a);
    if (slash) {
        struct slice digits = slice_from(text, (size_t)(slash - text.p) + 1);
        if (digits.n == 0 || digits.n > 3 || (digits.n > 1 && digits.p[0] == '0'))
            return STATUS_INVALID;
        unsigned v = 0;
        for (size_t i = 0; i < digits.n; i++) {
            if (digits.p[i] < '0' || digits.p[i] > '9')
                return STATUS_INVALID;
            v = v * 10 + (unsigned)(digits.p[i] - '0');
        }
        if (v > bits)
            return STATUS_INVALID;
        bits = v;
    }
    struct ip_net net = ip_net_of(&a, bits);
    if (!ip_eq(&net.base, &a))
        return STATUS_INVALID;
    *out = net;
    return STATUS_OK;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool ip_same_prefix(const struct ip *a, const struct ip *b, unsigned bits)
{
    if (a->family != b->family || bits > width(a))
        return false;
    if (memcmp(a->octets, b->octets, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || ((a->octets[bits / 8] ^ b->octets[bits / 8]) >> (8 - rest)) == 0;
}

bool ip_in_net(const struct ip *a, const struct ip_net *net)
{
    return ip_same_prefix(a, &net->base, net->bits);
}

struct ip_net ip_net_of(const struct ip *a, unsigned bits)
{
    struct ip_net net = {.base = *a};
    if (bits > width(a))
        bits = width(a);
    net.bits = (uint8_t)bits;
    for (unsigned i = 0; i < 16; i++) {
        if (i * 8 >= bits)
            net.base.octets[i] = 0;
        else if (bits - i * 8 < 8)
            net.base.octets[i] &= (uint8_t)(0xff << (8 - (bits - i * 8)));
    }
    return net;
}

bool ip_is_loopback(const struct ip *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return (a->family == 4 && a->octets[0] == 127) || (a->family == 6 && memcmp(a->octets, one, 16) == 0);
}

static bool special4(const uint8_t *o)
{
    return o[0] == 0 || o[0] == 10 || o[0] == 127 || o[0] >= 224 || (o[0] == 100 && (o[1] & 0xc0) == 64) ||
           (o[0] == 169 && o[1] == 254) || (o[0] == 172 && (o[1] & 0xf0) == 16) || (o[0] == 192 && o[1] == 168);
}

bool ip_is_special(const struct ip *a)
{
    static const uint8_t zero[15] = {0};
    if (a->family == 4)
        return special4(a->octets);
    if (a->family != 6)
        return true;
    return memcmp(a->octets, zero, 15) == 0 || (a->octets[0] & 0xfe) == 0xfc || a->octets[0] == 0xff ||
           (a->octets[0] == 0xfe && (a->octets[1] & 0xc0) == 0x80);
}

const char *ip_text(const struct ip *a, char out[IP_TEXT])
{
    int af = a->family == 4 ? AF_INET : AF_INET6;
    if (a->family == 0 || !inet_ntop(af, a->octets, out, IP_TEXT))
        snprintf(out, IP_TEXT, "unknown");
    return out;
}

const char *ip_net_text(const struct ip_net *n, char out[IP_NET_TEXT])
{
    char base[IP_TEXT];
    ip_text(&n->base, base);
    if (n->bits == width(&n->base))
        snprintf(out, IP_NET_TEXT, "%s", base);
    else
        snprintf(out, IP_NET_TEXT, "%s/%u", base, (unsigned)n->bits);
    return out;
}

const char *ip_arpa(const struct ip *a, char out[IP_ARPA_TEXT])
{
    if (a->family == 4) {
        snprintf(out, IP_ARPA_TEXT, "%u.%u.%u.%u.in-addr.arpa", a->octets[3], a->octets[2], a->octets[1], a->octets[0]);
        return out;
    }
    size_t at = 0;
    for (int i = 15; i >= 0; i--)
        at += (size_t)snprintf(out + at, IP_ARPA_TEXT - at, "%x.%x.", a->octets[i] & 0xf, a->octets[i] >> 4);
    snprintf(out + at, IP_ARPA_TEXT - at, "ip6.arpa");
    return out;
}
