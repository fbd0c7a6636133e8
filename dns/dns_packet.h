// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_packet.h - reads the records of a DNS message (RFC 1035 section 4).
 *
 * Pure. Reads no octet outside the message, and follows compression only backwards, so that it ends.
 */
#ifndef ASSAY_DNS_DNS_PACKET_H
#define ASSAY_DNS_DNS_PACKET_H

#include "dns/dns_source.h"

#define DNS_PACKET_HEADER 12

struct dns_packet_record {
    uint8_t owner[DNS_NAME_WIRE]; /* without compression */
    size_t owner_length;
    enum dns_type type;
    uint32_t ttl;
    size_t at, end; /* the rdata's place in the message */
};

/* The record at *at, which is moved behind it. false: malformed, or cut off. */
bool dns_packet_record(struct slice message, size_t *at, struct dns_packet_record *out) MUST_CHECK;

/* The end of the question at `at`; 0: malformed. */
size_t dns_packet_question_end(struct slice message, size_t at);

/* Its rdata, with the names of NS, CNAME, SOA, PTR and MX written out (others may not be compressed: RFC 3597 4).
 * SLICE_NULL: malformed, or out of memory. */
struct slice dns_packet_rdata(struct arena *arena, struct slice message, const struct dns_packet_record *r);

#endif
