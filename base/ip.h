// SPDX-License-Identifier: BSD-2-Clause
/*
 * ip.h - addresses and networks.
 *
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d) becomes the IPv4 address when it is read, at this one place, so that no
 * check can be bypassed by the other spelling (RFC 4291 2.5.5.2). family is 4, 6, or 0 for "not known".
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef ASSAY_BASE_IP_H
#define ASSAY_BASE_IP_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

struct ip {
    uint8_t family;
    uint8_t octets[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct ip_net {
    struct ip base; /* host bits are zero */
    uint8_t bits;
};

#define IP_TEXT 46
#define IP_NET_TEXT 50

/* "192.0.2.1", "2001:db8::1", "IPv6:2001:db8::1" (RFC 5321 4.1.3), with or without square brackets. */
enum status ip_from_text(struct slice text, struct ip *out) MUST_CHECK;

/* From a socket address; family 0 in the result for anything but AF_INET and AF_INET6. */
struct ip ip_from_sockaddr(const struct sockaddr *sa);

/* "192.0.2.0/24", or an address alone (then /32 or /128). STATUS_INVALID also when host bits are set:
 * a network written as 192.0.2.1/24 is more likely a mistake than an intention. */
enum status ip_net_from_text(struct slice text, struct ip_net *out) MUST_CHECK;

bool ip_eq(const struct ip *a, const struct ip *b);
bool ip_in_net(const struct ip *a, const struct ip_net *net);

/* Tells whether the first `bits` bits agree (same family). */
bool ip_same_prefix(const struct ip *a, const struct ip *b, unsigned bits);

/* The network of that many bits that contains an address (bits beyond the family's width are cut to it). */
struct ip_net ip_net_of(const struct ip *a, unsigned bits);

bool ip_is_loopback(const struct ip *a);

/* ::ffff:a.b.c.d, an IPv4 address in the form of an IPv6 one: only octets that came from elsewhere can be so. */
bool ip_is_mapped(const struct ip *a);

/* Not a place on the public internet, by IANA's special-purpose address registries: loopback, private, link-local,
 * shared, benchmarking, documentation, protocol assignments, multicast, reserved and so on. IPv4-mapped, NAT64
 * (64:ff9b::/96) and 6to4 (2002::/16) addresses are judged by the IPv4 address in them. Family 0 is special.
 *
 * For tests only: the environment variable ASSAY_TEST_DOCUMENTATION_NETWORKS=public, read once, makes documentation
 * networks (RFC 5737, 3849, 9637) public. */
bool ip_is_special(const struct ip *a);

/* Text form; returns out. Family 0 gives "unknown". */
const char *ip_text(const struct ip *a, char out[IP_TEXT]);
const char *ip_net_text(const struct ip_net *n, char out[IP_NET_TEXT]);

/* The name to ask for PTR: 1.2.0.192.in-addr.arpa (RFC 1035 3.5), or nibbles under ip6.arpa (RFC 3596 2.5). */
#define IP_ARPA_TEXT 80
const char *ip_arpa(const struct ip *a, char out[IP_ARPA_TEXT]);

#endif
