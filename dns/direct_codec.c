// SPDX-License-Identifier: BSD-2-Clause
/*
 * direct_codec.c - DNS messages of direct.h as octets (RFC 1035 section 4, EDNS of RFC 6891).
 *
 * Promises to read no octet outside the message and to return false for anything that is not an answer to the
 * question. Records are read by dns_packet.h. Pure; results live in the arena.
 */
#include "dns/direct.h"
#include "base/language.h"
#include "dns/dns_packet.h"
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

/* One record at *at. false: malformed. */
static bool read_record(struct arena *arena, struct slice m, size_t *at, struct dns_direct_record *r)
{
    struct dns_packet_record record;
    if (!dns_packet_record(m, at, &record))
        return false;
    r->type = record.type;
    r->ttl = record.ttl;
    r->rdata = dns_packet_rdata(arena, m, &record);
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

/* What the server says of who else is to be asked, where the name asked for is cut off there (RFC 1034 4.3.2, step 3b).
 * Of a malformed section, what comes before the fault. */
static void read_referral(struct arena *arena, struct slice m, struct slice question, size_t at,
                          struct dns_direct_answer *out)
{
    const size_t records = get16((const unsigned char *)m.p + 8), name = question.n - HEADER - 11 - 4;
    struct dns_packet_record r;
    char text[DNS_NAME_TEXT];
    out->referred = ARENA_ARRAY(arena, const char *, records < DNS_DIRECT_RECORDS ? records : DNS_DIRECT_RECORDS);
    for (size_t i = 0; out->referred && i < records && i < DNS_DIRECT_RECORDS; i++) {
        if (!dns_packet_record(m, &at, &r))
            return;
        if (r.type != DNS_NS ||
            !slice_eq_nocase(slice_of((char *)r.owner, r.owner_length), slice_of(question.p + HEADER, name)))
            continue;
        struct slice rdata = dns_packet_rdata(arena, m, &r);
        const char *host = rdata.p && dns_name_is_whole(rdata.p, rdata.n, text) ? arena_strdup(arena, text) : NULL;
        if (host)
            out->referred[out->referred_count++] = host;
    }
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
    if (!records)
        read_referral(arena, m, question, at, out);
    return true;
}

const char *dns_direct_outcome_name(enum dns_direct_outcome o)
{
    static const char *const names[] = {LANGUAGE_MARK("answered"), LANGUAGE_MARK("timeout"),
                                        LANGUAGE_MARK("unreachable"), LANGUAGE_MARK("malformed"), "internal"};
    return (unsigned)o < sizeof names / sizeof names[0] ? names[o] : "?";
}
