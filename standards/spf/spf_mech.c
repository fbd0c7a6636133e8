// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_mech.c - one function per mechanism (RFC 7208 section 5) and a table of them.
 *
 * A failing or bogus look-up is temperror at once (5: "the DNS lookup returns a server error or times out"), except
 * ptr, which then does not match (5.5). A name that is not a domain name is not asked for and does not match (4.3,
 * 4.8). A void look-up is counted once per term: 4.6.4 limits the "terms" for which queries return nothing; an mx is
 * void when there is no MX record, or its hosts were asked for and none has an address. A null MX (RFC 7505) is an
 * answer.
 */
#include "standards/spf/spf_check.h"

static enum dns_type address_type(const struct spf_check *c)
{
    return c->in->client.family == 6 ? DNS_AAAA : DNS_A;
}

static enum spf_match temperror(struct spf_check *c, const struct dns_answer *a)
{
    c->reason = spf_check_failure(c, a);
    return SPF_MATCH_TEMPERROR;
}

static bool answer_failed(const struct dns_answer *a)
{
    return a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS;
}

static bool is_void(const struct dns_answer *a)
{
    return a->state == DNS_NODATA || a->state == DNS_NXDOMAIN;
}

/* Counts a void term. False: one too many. */
static bool count_void(struct spf_check *c)
{
    if (++c->voids <= LIMIT_SPF_VOID)
        return true;
    c->reason = "more than 2 terms whose look-up finds nothing (RFC 7208 4.6.4)";
    return false;
}

static enum spf_match nothing(struct spf_check *c)
{
    return count_void(c) ? SPF_NO_MATCH : SPF_MATCH_PERMERROR;
}

/* Tells whether an address of the answer is the client's, by the prefix length of its family; addresses that may send
 * are counted. */
static bool addresses_match(struct spf_check *c, const struct dns_answer *a, const struct spf_term *t)
{
    unsigned bits = c->in->client.family == 6 ? t->bits6 : t->bits4;
    bool match = false;
    struct ip ip;
    for (size_t i = 0; i < a->count; i++) {
        if (!dns_address(a, i, &ip))
            continue;
        match |= ip_same_prefix(&ip, &c->in->client, bits);
        if (c->counting && t->qualifier == RESULT_PASS) {
            struct ip_net net = ip_net_of(&ip, bits);
            spf_ranges_add(c->arena, &c->ranges, &net);
        }
    }
    return match;
}

static enum spf_match match_all(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    return SPF_MATCH;
}

/* ip4, ip6 */
static enum spf_match match_network(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    return ip_in_net(&c->in->client, &t->net) ? SPF_MATCH : SPF_NO_MATCH;
}

/* 5.2: the table of what an included check's result means here. */
static enum spf_match match_include(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    const char *target = spf_check_target(c, domain, t->domain);
    if (!target)
        return SPF_MATCH_PERMERROR;
    bool counting = c->counting;
    c->counting = counting && t->qualifier == RESULT_PASS;
    enum result r = spf_check_host(c, target, true);
    c->counting = counting;
    switch (r) {
    case RESULT_PASS:
        return SPF_MATCH;
    case RESULT_FAIL:
    case RESULT_SOFTFAIL:
    case RESULT_NEUTRAL:
        return SPF_NO_MATCH;
    case RESULT_TEMPERROR:
        return SPF_MATCH_TEMPERROR;
    case RESULT_NONE: {
        const char *text = arena_printf(c->arena, "%.300s is included but has no SPF record", target);
        c->reason = text ? text : "an included domain has no SPF record";
        return SPF_MATCH_PERMERROR;
    }
    default:
        return SPF_MATCH_PERMERROR;
    }
}

static enum spf_match match_a(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    const char *target = spf_check_target(c, domain, t->domain);
    if (!target)
        return SPF_MATCH_PERMERROR;
    const struct dns_answer *a = spf_check_get(c, target, address_type(c));
    if (answer_failed(a))
        return temperror(c, a);
    if (is_void(a))
        return nothing(c);
    return addresses_match(c, a, t) ? SPF_MATCH : SPF_NO_MATCH;
}

struct mx_host {
    const char *name;
    uint16_t preference;
};

/* The hosts by preference (5.4), at most LIMIT_SPF_MX; those of one preference as they came. Returns how many. */
static size_t hosts_in_order(struct spf_check *c, const struct dns_answer *mx, struct mx_host out[LIMIT_SPF_MX])
{
    size_t count = 0;
    for (size_t i = 0; i < mx->count && count < LIMIT_SPF_MX; i++) {
        struct mx_host one;
        one.name = dns_host_text(c->scope, mx, i, &one.preference);
        if (!one.name || strcmp(one.name, ".") == 0)
            continue;
        size_t at = count++;
        for (; at && out[at - 1].preference > one.preference; at--)
            out[at] = out[at - 1];
        out[at] = one;
    }
    return count;
}

/* All hosts are asked for before the first is awaited; each is judged in its turn, so that what cannot be told behind a
 * match does no harm. */
static enum spf_match match_mx_hosts(struct spf_check *c, const struct dns_answer *mx, const struct spf_term *t)
{
    struct mx_host host[LIMIT_SPF_MX];
    size_t count = hosts_in_order(c, mx, host);
    bool any_address = false, any_void = false;
    for (size_t i = 0; i < count; i++)
        dns_start(c->scope, host[i].name, address_type(c));
    for (size_t i = 0; i < count; i++) {
        const struct dns_answer *a = spf_check_get(c, host[i].name, address_type(c));
        if (answer_failed(a))
            return temperror(c, a);
        any_address |= a->count > 0;
        any_void |= is_void(a);
        if (addresses_match(c, a, t))
            return SPF_MATCH;
    }
    return any_void && !any_address ? nothing(c) : SPF_NO_MATCH;
}

static enum spf_match match_mx(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    const char *target = spf_check_target(c, domain, t->domain);
    if (!target)
        return SPF_MATCH_PERMERROR;
    const struct dns_answer *mx = spf_check_get(c, target, DNS_MX);
    if (answer_failed(mx))
        return temperror(c, mx);
    if (is_void(mx))
        return nothing(c);
    if (mx->count > LIMIT_SPF_MX) {
        c->reason = "an mx has more than 10 hosts (RFC 7208 4.6.4)";
        return SPF_MATCH_PERMERROR;
    }
    return mx->state == DNS_FOUND ? match_mx_hosts(c, mx, t) : SPF_NO_MATCH;
}

static enum spf_match match_exists(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    const char *target = spf_check_target(c, domain, t->domain);
    if (!target)
        return SPF_MATCH_PERMERROR;
    const struct dns_answer *a = spf_check_get(c, target, DNS_A);
    if (answer_failed(a))
        return temperror(c, a);
    if (is_void(a))
        return nothing(c);
    return a->state == DNS_FOUND ? SPF_MATCH : SPF_NO_MATCH;
}

static const struct dns_answer *client_names(struct spf_check *c)
{
    char arpa[IP_ARPA_TEXT];
    return spf_check_get(c, ip_arpa(&c->in->client, arpa), DNS_PTR);
}

/* Tells whether name has the client's address. A failure means that it is skipped (5.5). */
static bool leads_back(struct spf_check *c, const char *name)
{
    const struct dns_answer *a = spf_check_get(c, name, address_type(c));
    struct ip ip;
    for (size_t i = 0; i < a->count; i++)
        if (dns_address(a, i, &ip) && ip_eq(&ip, &c->in->client))
            return true;
    return false;
}

static bool is_within(const char *name, const char *top)
{
    size_t n = strlen(name), t = strlen(top);
    if (t && top[t - 1] == '.')
        t--;
    return n >= t && slice_eq_nocase(slice_of(name + n - t, t), slice_of(top, t)) && (n == t || name[n - t - 1] == '.');
}

/* Names of the client that lie at or below `top` are asked for at once. */
static void start_names(struct spf_check *c, const struct dns_answer *ptr, const char *top)
{
    for (size_t i = 0; i < ptr->count && i < LIMIT_SPF_PTR; i++) {
        const char *name = dns_host_text(c->scope, ptr, i, NULL);
        if (name && (!top || is_within(name, top)))
            dns_start(c->scope, name, address_type(c));
    }
}

static enum spf_match match_ptr(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    const char *target = spf_check_target(c, domain, t->domain);
    if (!target)
        return SPF_MATCH_PERMERROR;
    const struct dns_answer *ptr = client_names(c);
    if (is_void(ptr))
        return nothing(c);
    start_names(c, ptr, target);
    for (size_t i = 0; i < ptr->count && i < LIMIT_SPF_PTR; i++) {
        const char *name = dns_host_text(c->scope, ptr, i, NULL);
        if (name && is_within(name, target) && leads_back(c, name))
            return SPF_MATCH;
    }
    return SPF_NO_MATCH;
}

/* 7.3: `domain` itself before a name below it, that before any other. */
const char *spf_check_validated(struct spf_check *c, const char *domain)
{
    if (c->validated && strcmp(c->validated_for, domain) == 0)
        return c->validated;
    const struct dns_answer *ptr = client_names(c);
    const char *found = "unknown";
    int best = 0;
    start_names(c, ptr, NULL);
    for (size_t i = 0; i < ptr->count && i < LIMIT_SPF_PTR; i++) {
        const char *name = dns_host_text(c->scope, ptr, i, NULL);
        int rank = !name ? 0 : strcasecmp(name, domain) == 0 ? 3 : is_within(name, domain) ? 2 : 1;
        if (rank > best && leads_back(c, name)) {
            best = rank;
            found = name;
        }
    }
    c->validated = found;
    c->validated_for = domain;
    return found;
}

enum spf_match spf_mechanism_match(struct spf_check *c, const char *domain, const struct spf_term *t)
{
    static const struct {
        enum spf_match (*match)(struct spf_check *c, const char *domain, const struct spf_term *t);
        bool looks_up;
    } table[SPF_TERM_KINDS] = {
        [SPF_TERM_ALL] = {match_all, false},     [SPF_TERM_INCLUDE] = {match_include, true},
        [SPF_TERM_A] = {match_a, true},          [SPF_TERM_MX] = {match_mx, true},
        [SPF_TERM_PTR] = {match_ptr, true},      [SPF_TERM_IP4] = {match_network, false},
        [SPF_TERM_IP6] = {match_network, false}, [SPF_TERM_EXISTS] = {match_exists, true},
    };
    if (table[t->kind].looks_up && !spf_check_count_term(c))
        return SPF_MATCH_PERMERROR;
    return table[t->kind].match(c, domain, t);
}
