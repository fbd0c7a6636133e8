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

static const char *list_text(struct arena *a, struct buf *b)
{
    const char *text = b->n && !b->failed ? arena_copy(a, b->p, b->n) : NULL;

    buf_release(b);
    return text ? text : "";
}

static void list_add(struct buf *list, const char *text, size_t n)
{
    buf_printf(list, "%s%.*s", list->n ? ", " : "", (int)n, text);
}

static void add_net(struct buf *list, const struct ip_net *net)
{
    char text[IP_NET_TEXT];
    ip_net_text(net, text);
    list_add(list, text, strlen(text));
}

/* What mynetworks leaves out by a pattern that stands before the network; there it counts. */
struct left_out {
    struct ip_net *nets;
    size_t count, room;
};

static bool network_holds(const struct ip_net *outer, const struct ip_net *inner)
{
    return outer->base.family == inner->base.family && outer->bits <= inner->bits && ip_in_net(&inner->base, outer);
}

static void leave_out(struct arena *a, struct left_out *l, const struct ip_net *net)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        struct ip_net *more = arena_alloc(a, room * sizeof *more);
        if (!more)
            return;
        if (l->count)
            memcpy(more, l->nets, l->count * sizeof *more);
        l->nets = more;
        l->room = room;
    }
    l->nets[l->count++] = *net;
}

struct telling {
    const struct policy *policy;
    const struct left_out *out;
    struct ip_net parts[MTA_NETWORKS_PARTS];
    size_t count;
    bool too_many;
};

static bool is_left_out(const struct telling *t, const struct ip_net *net, bool *in_part)
{
    bool whole = false;
    for (size_t i = 0; i < t->out->count; i++) {
        whole |= network_holds(&t->out->nets[i], net);
        *in_part |= network_holds(net, &t->out->nets[i]);
    }
    return whole;
}

/* Collects the parts of the network that are not left out and not the policy's own already. */
static void network_split(struct telling *t, const struct ip_net *net)
{
    bool in_part = false;
    if (t->too_many || is_left_out(t, net, &in_part) || is_own(t->policy, net))
        return;
    if (in_part) {
        struct ip half = net->base;
        struct ip_net low = ip_net_of(&half, net->bits + 1);
        network_split(t, &low);
        half.octets[net->bits / 8] |= (uint8_t)(0x80 >> net->bits % 8);
        struct ip_net high = ip_net_of(&half, net->bits + 1);
        network_split(t, &high);
    } else if (t->count == MTA_NETWORKS_PARTS) {
        t->too_many = true;
    } else {
        t->parts[t->count++] = *net;
    }
}

struct lists {
    struct buf here, others, left_out, unread, open;
};

static void network_sort(struct lists *l, const struct policy *p, const struct left_out *out, const struct ip_net *net,
                         struct slice word)
{
    const bool single = net->bits == (net->base.family == 4 ? 32 : 128);
    struct buf *list = ip_is_loopback(&net->base) || single ? &l->here : &l->others;
    struct telling t = {.policy = p, .out = out};

    if (net->bits == 0) {
        list_add(&l->open, word.p, word.n);
        return;
    }
    network_split(&t, net);
    for (size_t i = 0; !t.too_many && i < t.count; i++)
        add_net(list, &t.parts[i]);
    if (t.too_many)
        list_add(&l->unread, word.p, word.n);
    for (size_t i = 0; t.count && i < out->count; i++)
        if (network_holds(net, &out->nets[i]))
            add_net(&l->left_out, &out->nets[i]);
}

struct mta_networks mta_networks_unknown(struct arena *a, const struct policy *p, const char *mynetworks)
{
    struct lists l = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};
    struct left_out out = {0};

    for (const char *at = mynetworks; p && *at;) {
        at += strspn(at, ", \t\r\n");
        struct slice word = slice_of(at, strcspn(at, ", \t\r\n")), pattern = word;
        bool without = false;
        struct ip_net net;
        at += word.n;
        for (; pattern.n && *pattern.p == '!'; pattern = slice_from(pattern, 1))
            without = !without;
        if (!pattern.n)
            continue;
        if (!network_of(pattern, &net)) {
            const bool all = pattern.n > 7 && memcmp(pattern.p, "static:", 7) == 0;
            list_add(all && !without ? &l.open : &l.unread, word.p, word.n);
        } else if (ip_is_loopback(&net.base) && net.base.family == 4 && memchr(pattern.p, ':', pattern.n)) {
            continue; /* 127.0.0.0/8 again, as IPv4-mapped */
        } else if (without) {
            leave_out(a, &out, &net);
        } else {
            network_sort(&l, p, &out, &net, word);
        }
    }
    return (struct mta_networks){.here = list_text(a, &l.here),
                                 .others = list_text(a, &l.others),
                                 .left_out = list_text(a, &l.left_out),
                                 .unread = list_text(a, &l.unread),
                                 .open = list_text(a, &l.open)};
}
