// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_packet.c - names, records and rdata in a DNS message.
 *
 * Every length is checked before it is used. Malformed input gives 0, false or SLICE_NULL; nothing is repaired.
 */
#include "dns/dns_packet.h"

static unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* A name at `at`, without compression, into wire. Returns where it ends in the message; 0: malformed. */
static size_t read_name(struct slice m, size_t at, uint8_t wire[DNS_NAME_WIRE], size_t *length)
{
    const unsigned char *p = (const unsigned char *)m.p;
    size_t taken = 0, n = 0, lowest = at;
    while (at < m.n) {
        unsigned char c = p[at];
        if ((c & 0xc0) == 0xc0) {
            if (at + 2 > m.n)
                return 0;
            size_t to = (size_t)(c & 0x3f) << 8 | p[at + 1];
            if (!taken)
                taken = at + 2;
            if (to >= lowest)
                return 0; /* only backwards: so it ends */
            lowest = at = to;
        } else if (c > 63 || n + c + 1 > DNS_NAME_WIRE || at + 1 + c > m.n) {
            return 0;
        } else {
            memcpy(wire + n, p + at, (size_t)c + 1);
            n += (size_t)c + 1;
            at += (size_t)c + 1;
            if (c == 0) {
                *length = n;
                return taken ? taken : at;
            }
        }
    }
    return 0;
}

size_t dns_packet_question_end(struct slice m, size_t at)
{
    uint8_t wire[DNS_NAME_WIRE];
    size_t length, end = read_name(m, at, wire, &length);
    return end && m.n - end >= 4 ? end + 4 : 0;
}

bool dns_packet_record(struct slice m, size_t *at, struct dns_packet_record *out)
{
    const unsigned char *p = (const unsigned char *)m.p;
    size_t here = read_name(m, *at, out->owner, &out->owner_length);
    if (!here || m.n - here < 10)
        return false;
    out->type = (enum dns_type)get16(p + here);
    out->ttl = get32(p + here + 4);
    out->at = here + 10;
    out->end = out->at + get16(p + here + 8);
    if (out->end > m.n)
        return false;
    *at = out->end;
    return true;
}

/* The rdata of a type whose names may be compressed (RFC 1035 4.1.4). */
static struct slice plain_rdata(struct arena *arena, struct slice m, const struct dns_packet_record *r)
{
    unsigned char out[2 + 2 * DNS_NAME_WIRE + 20], wire[DNS_NAME_WIRE];
    const size_t names = r->type == DNS_SOA ? 2 : 1, fixed = r->type == DNS_SOA ? 20 : 0;
    size_t at = r->at, n = 0, length = 0;
    if (r->type == DNS_MX) {
        if (r->end - at < 2)
            return SLICE_NULL;
        memcpy(out, m.p + at, 2);
        n = 2;
        at += 2;
    }
    for (size_t i = 0; i < names; i++) {
        at = read_name(slice_of(m.p, r->end), at, wire, &length);
        if (!at)
            return SLICE_NULL;
        memcpy(out + n, wire, length);
        n += length;
    }
    if (r->end - at != fixed)
        return SLICE_NULL;
    memcpy(out + n, m.p + at, fixed);
    return arena_slice(arena, slice_of((char *)out, n + fixed));
}

struct slice dns_packet_rdata(struct arena *arena, struct slice m, const struct dns_packet_record *r)
{
    switch (r->type) {
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
    case DNS_SOA:
    case DNS_MX:
        return plain_rdata(arena, m, r);
    default:
        return arena_slice(arena, slice_of(m.p + r->at, r->end - r->at));
    }
}
