// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_unbound_answer.c - reads libunbound's answer: its state, the records asked for at the end of the CNAME chain, and
 * how long they may be kept.
 *
 * Order matters: an answer that did not validate is bogus whatever it holds, and an error code says nothing about
 * existence. The TTL is the least of all records of the answer and authority sections, an SOA's not above its minimum
 * (RFC 2308 5). A packet that cannot be read is a temporary failure.
 */
#include "dns/dns_unbound_answer.h"
#include "dns/dns_cache.h"
#include "dns/dns_packet.h"
#include "base/limits.h"

/* The records of one section of a packet, one after the other. */
struct reading {
    struct slice packet;
    size_t at;
    unsigned answers, authorities;
};

struct dns_result *dns_unbound_failure(const char *why, enum limit_kind limit)
{
    return dns_result_new(
        &(struct dns_result){.state = DNS_TEMPFAIL, .security = DNS_UNKNOWN, .why = why, .limit = limit});
}

static const char *rcode_text(int rcode)
{
    switch (rcode) {
    case 1:
        return "the server answered FORMERR";
    case 2:
        return "no server gave an answer (SERVFAIL)";
    case 4:
        return "the server answered NOTIMP";
    case 5:
        return "the server refused (REFUSED)";
    default:
        return "the server answered with an error";
    }
}

static unsigned get16(struct slice m, size_t at)
{
    return (unsigned)(unsigned char)m.p[at] << 8 | (unsigned char)m.p[at + 1];
}

static bool reading_begin(struct reading *r, struct slice packet)
{
    if (packet.n < DNS_PACKET_HEADER || get16(packet, 4) != 1)
        return false;
    r->packet = packet;
    r->answers = get16(packet, 6);
    r->authorities = get16(packet, 8);
    r->at = dns_packet_question_end(packet, DNS_PACKET_HEADER);
    return r->at != 0;
}

/* The lesser of *ttl and the time that this record may be kept. */
static void heed_ttl(struct slice packet, const struct dns_packet_record *record, uint32_t *ttl)
{
    uint32_t its = record->ttl;
    if (record->type == DNS_SOA && record->end - record->at >= 4) {
        uint32_t least = (uint32_t)get16(packet, record->end - 4) << 16 | get16(packet, record->end - 2);
        its = least < its ? least : its;
    }
    *ttl = its < *ttl ? its : *ttl;
}

/* Reads the answer section: the chain of CNAME records from the name asked, and what its end has. libunbound gives them
 * in the order of the chain. false: malformed. */
static bool read_answers(struct arena *arena, const struct dns_question *q, struct reading *in, struct dns_result *r,
                         char last[DNS_NAME_TEXT], struct slice rdata[LIMIT_DNS_RRS])
{
    struct dns_packet_record record;
    char owner[DNS_NAME_TEXT];
    memcpy(last, q->name, DNS_NAME_TEXT);
    for (; in->answers; in->answers--) {
        if (!dns_packet_record(in->packet, &in->at, &record))
            return false;
        heed_ttl(in->packet, &record, &r->ttl);
        const bool cname = record.type == DNS_CNAME && q->type != DNS_CNAME;
        if ((record.type != q->type && !cname) || !dns_name_is_whole(record.owner, record.owner_length, owner) ||
            strcmp(owner, last) != 0)
            continue;
        struct slice one = dns_packet_rdata(arena, in->packet, &record);
        if ((!one.p && record.end > record.at) || (cname && !dns_name_is_whole(one.p, one.n, last)))
            return false;
        if (!cname && r->count < LIMIT_DNS_RRS)
            rdata[r->count++] = one;
    }
    return true;
}

static bool read_authorities(struct reading *in, struct dns_result *r)
{
    struct dns_packet_record record;
    for (; in->authorities; in->authorities--) {
        if (!dns_packet_record(in->packet, &in->at, &record))
            return false;
        heed_ttl(in->packet, &record, &r->ttl);
    }
    return true;
}

static struct dns_result *bogus(const char *why, unsigned packets)
{
    return dns_result_new(&(struct dns_result){
        .state = DNS_BOGUS, .security = DNS_BROKEN, .why = why ? why : "validation failure", .packets = packets});
}

static struct dns_result *answer_failed(const char *why, const struct dns_unbound_answer *answer)
{
    if (answer->stopped)
        why = "the look-ups of this message cost too many packets to ask more";
    return dns_result_new(&(struct dns_result){.state = DNS_TEMPFAIL,
                                               .security = DNS_UNKNOWN,
                                               .why = why,
                                               .limit = answer->stopped ? LIMIT_OF_COST : LIMIT_NOT_REACHED,
                                               .packets = answer->packets});
}

struct dns_result *dns_unbound_result(struct arena *arena, const struct dns_question *q,
                                      const struct dns_unbound_answer *answer, int64_t now)
{
    struct dns_result r = {
        .security = answer->security == 2 ? DNS_SECURE : DNS_INSECURE, .ttl = UINT32_MAX, .packets = answer->packets};
    struct slice rdata[LIMIT_DNS_RRS];
    char last[DNS_NAME_TEXT];
    struct reading in;
    int rcode = answer->rcode;
    if (answer->security == 1)
        return bogus(answer->why_bogus, answer->packets);
    if (answer->was_ratelimited)
        return answer_failed("our own rate limit for that zone is reached", answer);
    if (rcode == 0 && answer->packet.n >= DNS_PACKET_HEADER)
        rcode = answer->packet.p[3] & 0x0f;
    if (rcode != 0 && rcode != 3)
        return answer_failed(rcode_text(rcode), answer);
    r.rdata = rdata;
    if (!reading_begin(&in, answer->packet) || !read_answers(arena, q, &in, &r, last, rdata) ||
        !read_authorities(&in, &r))
        return answer_failed("libunbound's answer cannot be read", answer);
    r.state = rcode == 3 ? DNS_NXDOMAIN : r.count ? DNS_FOUND : DNS_NODATA;
    if (r.state != DNS_FOUND)
        r.count = 0;
    if (strcmp(last, q->name) != 0)
        r.canonical = last;
    if (r.ttl > LIMIT_DNS_CACHE_TTL)
        r.ttl = r.ttl == UINT32_MAX ? 0 : r.ttl;
    r.expires = now + (int64_t)dns_cache_ttl(q->name, r.ttl) * 1000;
    return dns_result_new(&r);
}
