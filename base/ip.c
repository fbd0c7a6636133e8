// SPDX-License-Identifier: BSD-2-Clause
/*
 * ip.c - reading, comparing and writing addresses and networks.
 *
 * Promises that equal addresses have equal octets (mapped IPv4 is unwrapped, unused octets are zero). Text that is not
 * wholly an address is STATUS_INVALID; only inet_pton's strict forms are accepted (no 192.0.2, no octal, no scope id).
 */
#include "base/ip.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static unsigned width(const struct ip *a)
{
    return a->family == 4 ? 32 : a->family == 6 ? 128 : 0;
}

bool ip_is_mapped(const struct ip *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return a->family == 6 && memcmp(a->octets, mapped, sizeof mapped) == 0;
}

static struct ip unwrap(struct ip a)
{
    if (!ip_is_mapped(&a))
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

/* The IANA special-purpose address registries of IPv4 and IPv6 (RFC 6890 and what is entered since; read 2026-11), all
 * entries that are not globally reachable, and multicast and reserved addresses. The first match decides. `embeds`: the
 * octet where an embedded IPv4 address begins, which is judged instead; 0: none. Documentation networks: see
 * ip_is_special in ip.h. */
static const struct special {
    uint8_t family, base[16], bits;
    enum { IS_SPECIAL, IS_PUBLIC, IS_DOCUMENTATION } what;
    uint8_t embeds;
} specials[] = {
    {4, {192, 0, 0, 9}, 32, IS_PUBLIC, 0},               /* Port Control Protocol anycast, RFC 7723 */
    {4, {192, 0, 0, 10}, 32, IS_PUBLIC, 0},              /* TURN anycast, RFC 8155 */
    {4, {0}, 8, IS_SPECIAL, 0},                          /* this network, RFC 791 */
    {4, {10}, 8, IS_SPECIAL, 0},                         /* private, RFC 1918 */
    {4, {100, 64}, 10, IS_SPECIAL, 0},                   /* shared, RFC 6598 */
    {4, {127}, 8, IS_SPECIAL, 0},                        /* loopback, RFC 1122 */
    {4, {169, 254}, 16, IS_SPECIAL, 0},                  /* link-local, RFC 3927 */
    {4, {172, 16}, 12, IS_SPECIAL, 0},                   /* private */
    {4, {192, 0, 0}, 24, IS_SPECIAL, 0},                 /* IETF protocol assignments, RFC 6890 */
    {4, {192, 0, 2}, 24, IS_DOCUMENTATION, 0},           /* TEST-NET-1, RFC 5737 */
    {4, {192, 88, 99}, 24, IS_SPECIAL, 0},               /* deprecated 6to4 relay anycast, RFC 7526 */
    {4, {192, 168}, 16, IS_SPECIAL, 0},                  /* private */
    {4, {198, 18}, 15, IS_SPECIAL, 0},                   /* benchmarking, RFC 2544 */
    {4, {198, 51, 100}, 24, IS_DOCUMENTATION, 0},        /* TEST-NET-2 */
    {4, {203, 0, 113}, 24, IS_DOCUMENTATION, 0},         /* TEST-NET-3 */
    {4, {224}, 3, IS_SPECIAL, 0},                        /* multicast, reserved, broadcast: RFC 5771, 1112, 8190 */
    {6, {[10] = 0xff, 0xff}, 96, IS_PUBLIC, 12},         /* IPv4-mapped, RFC 4291: by the address in it */
    {6, {0, 0x64, 0xff, 0x9b}, 96, IS_PUBLIC, 12},       /* NAT64, RFC 6052: likewise */
    {6, {0, 0x64, 0xff, 0x9b, 0, 1}, 48, IS_SPECIAL, 0}, /* local NAT64, RFC 8215 */
    {6, {0}, 96, IS_SPECIAL, 0},                         /* unspecified, loopback, deprecated IPv4-compatible */
    {6, {1}, 64, IS_SPECIAL, 0},                         /* discard-only, RFC 6666 */
    {6, {1, 0, 0, 0, 0, 0, 0, 1}, 64, IS_SPECIAL, 0},    /* dummy prefix, RFC 9780 */
    {6, {0x20, 1, 0, 1, [15] = 1}, 128, IS_PUBLIC, 0},   /* PCP anycast */
    {6, {0x20, 1, 0, 1, [15] = 2}, 128, IS_PUBLIC, 0},   /* TURN anycast */
    {6, {0x20, 1, 0, 3}, 32, IS_PUBLIC, 0},              /* AMT, RFC 7450 */
    {6, {0x20, 1, 0, 4, 1, 0x12}, 48, IS_PUBLIC, 0},     /* AS112, RFC 7535 */
    {6, {0x20, 1, 0, 0x20}, 28, IS_PUBLIC, 0},           /* ORCHIDv2, RFC 7343 */
    {6, {0x20, 1, 0, 0x30}, 28, IS_PUBLIC, 0},           /* drone remote identifiers, RFC 9374 */
    {6, {0x20, 1}, 23, IS_SPECIAL, 0},                   /* IETF protocol assignments with Teredo, RFC 2928, 4380 */
    {6, {0x20, 1, 0xd, 0xb8}, 32, IS_DOCUMENTATION, 0},  /* RFC 3849 */
    {6, {0x20, 2}, 16, IS_PUBLIC, 2},                    /* 6to4, RFC 3056: by the address in it */
    {6, {0x3f, 0xff}, 20, IS_DOCUMENTATION, 0},          /* RFC 9637 */
    {6, {0x5f}, 16, IS_SPECIAL, 0},                      /* segment routing identifiers, RFC 9602 */
    {6, {0xfc}, 7, IS_SPECIAL, 0},                       /* unique local, RFC 4193 */
    {6, {0xfe, 0x80}, 10, IS_SPECIAL, 0},                /* link-local */
    {6, {0xfe, 0xc0}, 10, IS_SPECIAL, 0},                /* deprecated site-local, RFC 3879 */
    {6, {0xff}, 8, IS_SPECIAL, 0},                       /* multicast */
};

static bool documentation_is_public;

static void read_environment(void)
{
    const char *set = secure_getenv("ASSAY_TEST_DOCUMENTATION_NETWORKS");
    documentation_is_public = set && strcmp(set, "public") == 0;
}

static bool is_special_for_tests_too(const struct special *s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    return s->what == IS_SPECIAL || (s->what == IS_DOCUMENTATION && !documentation_is_public);
}

bool ip_is_special(const struct ip *a)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        const struct special *s = &specials[i];
        struct ip base = {.family = s->family};
        memcpy(base.octets, s->base, sizeof base.octets);
        if (!ip_same_prefix(a, &base, s->bits))
            continue;
        if (!s->embeds)
            return is_special_for_tests_too(s);
        struct ip inner = {.family = 4};
        memcpy(inner.octets, a->octets + s->embeds, 4);
        return ip_is_special(&inner);
    }
    return a->family != 4 && a->family != 6;
}

/* Writes 0 to 255 in digits; returns what follows them. Written for each mail several times, hence without printf(). */
static char *put_octet(char *at, unsigned n)
{
    if (n >= 100)
        *at++ = (char)('0' + n / 100);
    if (n >= 10)
        *at++ = (char)('0' + n / 10 % 10);
    *at++ = (char)('0' + n % 10);
    return at;
}

const char *ip_text(const struct ip *a, char out[IP_TEXT])
{
    if (a->family == 4) {
        char *at = put_octet(out, a->octets[0]);
        for (int i = 1; i < 4; i++) {
            *at++ = '.';
            at = put_octet(at, a->octets[i]);
        }
        *at = '\0';
    } else if (a->family == 0 || !inet_ntop(AF_INET6, a->octets, out, IP_TEXT)) {
        memcpy(out, "unknown", sizeof "unknown");
    }
    return out;
}

const char *ip_net_text(const struct ip_net *n, char out[IP_NET_TEXT])
{
    ip_text(&n->base, out);
    if (n->bits != width(&n->base)) {
        char *at = out + strlen(out);
        *at++ = '/';
        *put_octet(at, n->bits) = '\0';
    }
    return out;
}

const char *ip_arpa(const struct ip *a, char out[IP_ARPA_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    char *at = out;
    if (a->family == 4) {
        for (int i = 3; i >= 0; i--) {
            at = put_octet(at, a->octets[i]);
            *at++ = '.';
        }
        memcpy(at, "in-addr.arpa", sizeof "in-addr.arpa");
        return out;
    }
    for (int i = 15; i >= 0; i--) {
        *at++ = digits[a->octets[i] & 0xf];
        *at++ = '.';
        *at++ = digits[a->octets[i] >> 4];
        *at++ = '.';
    }
    memcpy(at, "ip6.arpa", sizeof "ip6.arpa");
    return out;
}
