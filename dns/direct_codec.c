// SPDX-License-Identifier: BSD-2-Clause
/*
 * direct_codec.c - DNS messages of direct.h as octets (RFC 1035 section 4, EDNS of RFC 6891).
 *
 * Promises to read no octet outside the message, to follow compression only backwards (so that it ends), and to return
 * false for anything that is not an answer to the question. Pure; results live in the arena.
 */
#include "dns/direct.h"
#include "dns/dns_source.h"
#include <stdlib.h>

#define HEADER 12
#define EDNS_SIZE 1232 /* octets over UDP that are not fragmented on today's paths (DNS flag day 2020) */
#define TYPE_OPT 41
#define CLASS_IN 1

static void put16(unsigned char *p, unsigned v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
}

static unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t dns_direct_question(const char *name, enum dns_type type, uint16_t id, unsigned char out[512])
{
    char normal[DNS_NAME_TEXT];
    if (dns_name_normal(name, normal) != STATUS_OK)
        return 0;
    memset(out, 0, HEADER);
    put16(out, id);
    put16(out + 4, 1);  /* one question */
    put16(out + 10, 1); /* one additional record: OPT */
    size_t n = HEADER + dns_name_to_wire(normal, out + HEADER);
    put16(out + n, (unsigned)type);
    put16(out + n + 2, CLASS_IN);
    n += 4;
    unsigned char opt[11] = {0};
    put16(opt + 1, TYPE_OPT);
    put16(opt + 3, EDNS_SIZE);
    opt[7] = 0x80; /* DO */
    memcpy(out + n, opt, sizeof opt);
    return n + sizeof opt;
}

/* A name at `at`, without compression, into wire. Returns how many octets it takes in the message; 0: malformed. */
static size_t read_name(struct slice m, size_t at, unsigned char wire[DNS_NAME_WIRE], size_t *length)
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

/* The rdata of a type whose names may be compressed (RFC 1035 4.1.4), with the names written out. SLICE_NULL:
 * malformed. */
static struct slice plain_rdata(struct arena *arena, struct slice m, size_t at, size_t end, enum dns_type type)
{
    unsigned char out[2 + 2 * DNS_NAME_WIRE + 20], wire[DNS_NAME_WIRE];
    size_t n = 0, length = 0, names = type == DNS_SOA ? 2 : 1, fixed = type == DNS_SOA ? 20 : 0;
    if (type == DNS_MX) {
        if (end - at < 2)
            return SLICE_NULL;
        memcpy(out, m.p + at, 2);
        n = 2;
        at += 2;
    }
    for (size_t i = 0; i < names; i++) {
        at = read_name(slice_of(m.p, end), at, wire, &length);
        if (!at)
            return SLICE_NULL;
        memcpy(out + n, wire, length);
        n += length;
    }
    if (end - at != fixed)
        return SLICE_NULL;
    memcpy(out + n, m.p + at, fixed);
    return arena_slice(arena, slice_of((char *)out, n + fixed));
}

/* One record at *at. false: malformed. */
static bool read_record(struct arena *arena, struct slice m, size_t *at, struct dns_direct_record *r)
{
    const unsigned char *p = (const unsigned char *)m.p;
    unsigned char wire[DNS_NAME_WIRE];
    size_t length = 0, here = read_name(m, *at, wire, &length);
    if (!here || m.n - here < 10)
        return false;
    size_t octets = get16(p + here + 8), end = here + 10 + octets;
    if (end > m.n)
        return false;
    r->type = (enum dns_type)get16(p + here);
    r->ttl = get32(p + here + 4);
    *at = end;
    if (r->type == DNS_NS || r->type == DNS_CNAME || r->type == DNS_PTR || r->type == DNS_SOA || r->type == DNS_MX)
        r->rdata = plain_rdata(arena, m, here + 10, end, r->type);
    else
        r->rdata = arena_slice(arena, slice_of(m.p + here + 10, octets));
    return r->rdata.p != NULL;
}

/* The question section must be the one we sent, letter by letter (a server keeps our case). */
static bool same_question(struct slice m, struct slice q)
{
    size_t end = q.n - 11; /* without OPT */
    return m.n >= end && get16((const unsigned char *)m.p + 4) == 1 && slice_eq(slice_of(m.p, 2), slice_of(q.p, 2)) &&
           slice_eq_nocase(slice_of(m.p + HEADER, end - HEADER), slice_of(q.p + HEADER, end - HEADER));
}

/* An error that is only a header: servers that refuse a client send it (Unbound's access-control). */
static bool is_bare_error(struct slice m, struct slice q)
{
    static const char nothing[8] = {0};
    return m.n == HEADER && q.n >= 2 && slice_eq(slice_of(m.p, 2), slice_of(q.p, 2)) && (m.p[2] & 0x80) &&
           (m.p[3] & 0x0f) && memcmp(m.p + 4, nothing, sizeof nothing) == 0;
}

bool dns_direct_read(struct arena *arena, struct slice m, struct slice question, struct dns_direct_answer *out,
                     bool *truncated)
{
    const unsigned char *p = (const unsigned char *)m.p;
    *truncated = false;
    if (is_bare_error(m, question)) {
        out->rcode = p[3] & 0x0f;
        return true;
    }
    if (m.n < HEADER || question.n < HEADER + 11 + 5 || !(p[2] & 0x80) || !same_question(m, question))
        return false;
    *truncated = p[2] & 0x02;
    out->authoritative = p[2] & 0x04;
    out->authenticated = p[3] & 0x20;
    out->rcode = p[3] & 0x0f;
    size_t records = get16(p + 6), at = question.n - 11;
    out->cut = records > DNS_DIRECT_RECORDS;
    out->records = ARENA_ARRAY(arena, struct dns_direct_record, out->cut ? DNS_DIRECT_RECORDS : records);
    if (!out->records)
        return false;
    for (out->count = 0; out->count < records && out->count < DNS_DIRECT_RECORDS; out->count++)
        if (!read_record(arena, m, &at, &out->records[out->count]))
            return *truncated; /* a truncated answer may end anywhere */
    return true;
}

const char *dns_direct_outcome_name(enum dns_direct_outcome o)
{
    static const char *const names[] = {"answered", "timeout", "unreachable", "malformed", "internal"};
    return (unsigned)o < sizeof names / sizeof names[0] ? names[o] : "?";
}
