// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_networks.c - mynetworks beside the policy's own networks, for doctor and harden.
 *
 * Promises that a network is named whole or not at all: a text that is cut would be another, wider network.
 */
#include "cli/mta_networks.h"
#include "base/buf.h"
#include "base/ip.h"
#include <stdlib.h>
#include <string.h>

/* Tells whether both ends of a network are in own networks of the policy. */
static bool is_own(const struct policy *p, const struct ip_net *net)
{
    struct ip last = net->base;

    for (unsigned bit = net->bits; bit < (last.family == 4 ? 32u : 128u); bit++)
        last.octets[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return policy_is_own_network(p, &net->base) && policy_is_own_network(p, &last);
}

/* "192.0.2.0/24", "[2001:db8::]/32", as mynetworks has them; host bits count for nothing. */
static bool network_of(struct slice text, struct ip_net *net)
{
    const char *slash = memchr(text.p, '/', text.n);
    struct slice address = slash ? slice_of(text.p, (size_t)(slash - text.p)) : text;
    struct ip ip;
    char *end;

    if (ip_from_text(address, &ip) != STATUS_OK)
        return false;
    unsigned most = ip.family == 4 ? 32 : 128;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : most;
    if (slash && ip.family == 4 && memchr(address.p, ':', address.n))
        bits = bits >= 96 ? bits - 96 : most; /* IPv4-mapped */
    *net = ip_net_of(&ip, bits < most ? (unsigned)bits : most);
    return true;
}

static const char *kept(struct arena *a, struct buf *b)
{
    const char *text = b->n && !b->failed ? arena_copy(a, b->p, b->n) : NULL;

    buf_release(b);
    return text ? text : "";
}

struct mta_networks mta_networks_unknown(struct arena *a, const struct policy *p, const char *mynetworks)
{
    struct buf here = BUF_INIT, others = BUF_INIT;

    for (const char *at = mynetworks; p && *at;) {
        at += strspn(at, ", \t\r\n");
        struct slice word = slice_of(at, strcspn(at, ", \t\r\n"));
        struct ip_net net;
        char text[IP_NET_TEXT];
        at += word.n;
        if (!network_of(word, &net) || is_own(p, &net))
            continue;
        const bool single = net.bits == (net.base.family == 4 ? 32 : 128);
        if (ip_is_loopback(&net.base) && net.base.family == 4 && memchr(word.p, ':', word.n))
            continue; /* 127.0.0.0/8 again, as IPv4-mapped */
        struct buf *list = ip_is_loopback(&net.base) || single ? &here : &others;
        buf_printf(list, "%s%s", list->n ? ", " : "", ip_net_text(&net, text));
    }
    return (struct mta_networks){.here = kept(a, &here), .others = kept(a, &others)};
}
