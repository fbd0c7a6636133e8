// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_rdata.c - reading records: text, addresses, host names (RFC 1035 3.3, RFC 3596 2.2), and the names of states and
 * types.
 *
 * An rdata is octets from anybody: each function checks every length it meets and gives "nothing" for what is
 * malformed; a record that cannot be read is never half read.
 */
#include "dns/dns.h"
#include "dns/dns_source.h"
#include "base/domain.h"
#include "base/limits.h"

/* The rdata of record i of an answer that has records. */
static bool rdata_of(const struct dns_answer *a, size_t i, struct slice *out)
{
    if (a->state != DNS_FOUND || i >= a->count)
        return false;
    *out = a->rdata[i];
    return true;
}

bool dns_address(const struct dns_answer *a, size_t i, struct ip *out)
{
    struct slice r;
    if (!rdata_of(a, i, &r))
        return false;
    if (!(a->type == DNS_A && r.n == 4) && !(a->type == DNS_AAAA && r.n == 16))
        return false;
    struct ip read = {.family = a->type == DNS_A ? 4 : 6};
    memcpy(read.octets, r.p, r.n);
    if (ip_is_mapped(&read))
        return false;
    *out = read;
    return true;
}

/* The length of all strings in a TXT rdata together, or SIZE_MAX: a string goes beyond the end. */
static size_t txt_length(struct slice r)
{
    size_t total = 0, at = 0;
    while (at < r.n) {
        size_t n = (unsigned char)r.p[at++];
        if (n > r.n - at)
            return SIZE_MAX;
        at += n;
        total += n;
    }
    return total;
}

struct slice dns_txt(struct dns_scope *s, const struct dns_answer *a, size_t i)
{
    return dns_txt_in(dns_scope_arena(s), a, i);
}

struct slice dns_txt_in(struct arena *arena, const struct dns_answer *a, size_t i)
{
    struct slice r;
    if (a->type != DNS_TXT || !rdata_of(a, i, &r))
        return SLICE_NULL;
    size_t total = txt_length(r);
    if (total == SIZE_MAX)
        return SLICE_NULL;
    char *text = arena_alloc(arena, total + 1);
    if (!text)
        return SLICE_NULL;
    size_t at = 0, n = 0;
    while (at < r.n) {
        size_t length = (unsigned char)r.p[at++];
        memcpy(text + n, r.p + at, length);
        at += length;
        n += length;
    }
    return slice_of(text, n);
}

/* The host name in record i in normal form. */
static bool read_host(const struct dns_answer *a, size_t i, uint16_t *preference, char text[DNS_NAME_TEXT])
{
    struct slice r;
    if (!rdata_of(a, i, &r))
        return false;
    if (a->type == DNS_MX) {
        if (r.n < 3)
            return false;
        if (preference)
            *preference = (uint16_t)((unsigned char)r.p[0] << 8 | (unsigned char)r.p[1]);
        r = slice_from(r, 2);
    } else if (a->type != DNS_PTR && a->type != DNS_NS && a->type != DNS_CNAME) {
        return false;
    }
    return dns_name_is_whole(r.p, r.n, text);
}

const char *dns_host_text(struct dns_scope *s, const struct dns_answer *a, size_t i, uint16_t *preference)
{
    char text[DNS_NAME_TEXT];
    return read_host(a, i, preference, text) ? arena_strdup(dns_scope_arena(s), text) : NULL;
}

const char *dns_host(struct dns_scope *s, const struct dns_answer *a, size_t i, uint16_t *preference)
{
    char text[DNS_NAME_TEXT], kept[LIMIT_DOMAIN + 1];
    if (!read_host(a, i, preference, text))
        return NULL;
    if (strcmp(text, ".") == 0)
        return ".";
    if (domain_from_text(slice_str(text), kept) != STATUS_OK)
        return NULL;
    return arena_strdup(dns_scope_arena(s), kept);
}

const char *dns_state_name(enum dns_state s)
{
    static const char *const names[] = {
        [DNS_FOUND] = "found",           [DNS_NODATA] = "no data",
        [DNS_NXDOMAIN] = "no such name", [DNS_TEMPFAIL] = "temporary failure",
        [DNS_BOGUS] = "bogus",           [DNS_BADNAME] = "not a domain name",
    };
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "?";
}

const char *dns_security_name(enum dns_security s)
{
    static const char *const names[] = {
        [DNS_UNKNOWN] = "unknown", [DNS_INSECURE] = "insecure", [DNS_SECURE] = "secure", [DNS_BROKEN] = "bogus"};
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "?";
}

enum result dns_security_result(enum dns_security s)
{
    static const enum result results[] = {[DNS_UNKNOWN] = RESULT_TEMPERROR,
                                          [DNS_INSECURE] = RESULT_NONE,
                                          [DNS_SECURE] = RESULT_PASS,
                                          [DNS_BROKEN] = RESULT_FAIL};
    return (size_t)s < sizeof results / sizeof *results ? results[s] : RESULT_TEMPERROR;
}

const char *dns_type_name(enum dns_type t)
{
    switch (t) {
    case DNS_A:
        return "A";
    case DNS_NS:
        return "NS";
    case DNS_CNAME:
        return "CNAME";
    case DNS_SOA:
        return "SOA";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_DS:
        return "DS";
    case DNS_DNSKEY:
        return "DNSKEY";
    case DNS_TLSA:
        return "TLSA";
    case DNS_CAA:
        return "CAA";
    }
    return "?";
}
