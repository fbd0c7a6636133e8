// SPDX-License-Identifier: BSD-2-Clause
/*
 * rdns.c - forward-confirmed reverse DNS (RFC 8601 section 3) and what HELO said (RFC 5321 sections 4.1.1.1, 4.1.3,
 * 4.1.4).
 *
 * Names of the address are asked for together, at most ten of them. One that is confirmed is a pass, whatever the
 * others do; if none is, a look-up that failed makes the result temperror, since it might have been the one. A bogus
 * answer is a failed look-up. Fails only because memory ran out.
 */
#include "standards/rdns.h"

static enum dns_type address_type(const struct ip *client)
{
    return client->family == 6 ? DNS_AAAA : DNS_A;
}

static bool answer_failed(const struct dns_answer *a)
{
    return a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS;
}

static void security_weaken(enum dns_security *weakest, const struct dns_answer *a, bool first)
{
    if (first || a->state == DNS_BOGUS || (*weakest != DNS_BROKEN && a->security < *weakest))
        *weakest = a->security;
}

static bool has_address(const struct dns_answer *a, const struct ip *client)
{
    struct ip ip;
    for (size_t i = 0; i < a->count; i++)
        if (dns_address(a, i, &ip) && ip_eq(&ip, client))
            return true;
    return false;
}

static bool last_label_is_number(const char *name)
{
    const char *label = strrchr(name, '.');
    label = label ? label + 1 : name;
    return *label && label[strspn(label, "0123456789")] == '\0';
}

/* "[" IPv4 "]" or "[IPv6:" address "]" */
static bool literal_of(struct slice text, struct ip *out)
{
    if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
        return false;
    struct slice inside = slice_of(text.p + 1, text.n - 2);
    bool tagged = inside.n > 5 && slice_eq_nocase(slice_of(inside.p, 5), SLICE_LIT("IPv6:"));
    bool colon = memchr(inside.p, ':', inside.n) != NULL;
    return tagged == colon && ip_from_text(inside, out) == STATUS_OK;
}

enum helo_syntax helo_parse(struct slice text, char name[LIMIT_DOMAIN + 1], struct ip *literal)
{
    char kept[LIMIT_DOMAIN + 1];
    struct ip ip;
    if (text.n == 0)
        return HELO_MISSING;
    bool in_brackets = literal_of(text, &ip);
    if (in_brackets || (text.p[0] != '[' && ip_from_text(text, &ip) == STATUS_OK)) {
        if (literal)
            *literal = ip;
        return in_brackets ? HELO_LITERAL : HELO_BARE_ADDRESS;
    }
    if (domain_from_text(text, kept) != STATUS_OK || !domain_is_host(kept) || last_label_is_number(kept))
        return HELO_INVALID;
    if (name)
        memcpy(name, kept, strlen(kept) + 1);
    return strchr(kept, '.') ? HELO_NAME : HELO_SINGLE_LABEL;
}

void rdns_start(struct dns_scope *scope, const struct ip *client, const char *helo)
{
    char arpa[IP_ARPA_TEXT], name[LIMIT_DOMAIN + 1];
    if (client->family == 0)
        return;
    dns_start(scope, ip_arpa(client, arpa), DNS_PTR);
    if (helo && helo_parse(slice_str(helo), name, NULL) == HELO_NAME)
        dns_start(scope, name, address_type(client));
}

/* The names of a PTR answer, each asked for, then each awaited. */
static void confirm(struct dns_scope *scope, const struct ip *client, const struct dns_answer *ptr,
                    struct rdns_finding *out)
{
    const char *names[LIMIT_RDNS_NAMES], *unsure = NULL;
    size_t n = 0;
    for (size_t i = 0; i < ptr->count && n < LIMIT_RDNS_NAMES; i++) {
        const char *name = dns_host(scope, ptr, i, NULL);
        if (!name || strcmp(name, ".") == 0)
            continue;
        dns_start(scope, name, address_type(client));
        names[n++] = name;
    }
    out->name = n ? names[0] : NULL;
    for (size_t i = 0; i < n; i++) {
        const struct dns_answer *a = dns_get(scope, names[i], address_type(client));
        security_weaken(&out->security, a, false);
        if (has_address(a, client)) {
            out->name = names[i];
            out->result = RESULT_PASS;
            out->reason = "a name of the client's address has that address";
            return;
        }
        if (answer_failed(a) && !unsure)
            unsure = names[i];
    }
    out->result = unsure ? RESULT_TEMPERROR : RESULT_FAIL;
    out->reason = unsure ? "the addresses of a name of the client could not be found out now"
                  : n    ? "no name of the client's address has that address"
                         : "what the client's address leads to is no host name";
}

static void check_address(struct dns_scope *scope, const struct ip *client, struct rdns_finding *out)
{
    char arpa[IP_ARPA_TEXT];
    if (client->family == 0) {
        out->result = RESULT_PERMERROR;
        out->reason = "the client's address is not known";
        return;
    }
    const struct dns_answer *ptr = dns_get(scope, ip_arpa(client, arpa), DNS_PTR);
    security_weaken(&out->security, ptr, true);
    out->names = ptr->count;
    if (answer_failed(ptr)) {
        out->result = RESULT_TEMPERROR;
        out->reason = ptr->state == DNS_BOGUS ? "the name of the client's address does not validate (DNSSEC)"
                                              : "the name of the client's address could not be found out now";
    } else if (ptr->state != DNS_FOUND) {
        out->result = RESULT_PERMERROR;
        out->reason = "the client's address has no name";
    } else {
        confirm(scope, client, ptr, out);
    }
}

static void check_helo_name(struct dns_scope *scope, const struct ip *client, struct rdns_finding *out)
{
    out->helo.result = RESULT_NEUTRAL;
    out->helo.reason = "the client's address is not known";
    if (client->family == 0)
        return;
    const struct dns_answer *a = dns_get(scope, out->helo.name, address_type(client));
    security_weaken(&out->helo.security, a, true);
    if (answer_failed(a)) {
        out->helo.result = RESULT_TEMPERROR;
        out->helo.reason = "the addresses of the HELO name could not be found out now";
    } else if (has_address(a, client)) {
        out->helo.result = RESULT_PASS;
        out->helo.reason = "the HELO name has the client's address";
    } else {
        out->helo.reason = a->state == DNS_FOUND ? "the HELO name has other addresses than the client's"
                                                 : "the HELO name has no address of the client's kind";
    }
}

static void check_helo(struct dns_scope *scope, struct arena *arena, const struct ip *client, const char *helo,
                       struct rdns_finding *out)
{
    static const char *const words[] = {
        [HELO_MISSING] = "no HELO is known",
        [HELO_SINGLE_LABEL] = "the HELO name is not fully qualified",
        [HELO_LITERAL] = "the HELO address is not the client's",
        [HELO_BARE_ADDRESS] = "the HELO address stands without its brackets",
        [HELO_INVALID] = "the HELO argument is neither a host name nor an address literal",
    };
    char name[LIMIT_DOMAIN + 1];
    struct ip literal;
    out->helo.syntax = helo_parse(slice_str(helo), name, &literal);
    if (out->helo.syntax == HELO_NAME || out->helo.syntax == HELO_SINGLE_LABEL)
        out->helo.name = arena_strdup(arena, name);
    if (out->helo.syntax == HELO_NAME) {
        if (out->helo.name)
            check_helo_name(scope, client, out);
        return;
    }
    out->helo.result = out->helo.syntax == HELO_MISSING ? RESULT_NONE : RESULT_FAIL;
    out->helo.reason = words[out->helo.syntax];
    if (out->helo.syntax == HELO_LITERAL && ip_eq(&literal, client)) {
        out->helo.result = RESULT_PASS;
        out->helo.reason = "the HELO address is the client's";
    }
}

enum status rdns_check(struct dns_scope *scope, struct arena *arena, const struct ip *client, const char *helo,
                       struct rdns_finding *out)
{
    *out = (struct rdns_finding){.result = RESULT_TEMPERROR, .reason = "out of memory"};
    out->helo.result = RESULT_TEMPERROR;
    out->helo.reason = "out of memory";
    rdns_start(scope, client, helo);
    check_address(scope, client, out);
    check_helo(scope, arena, client, helo, out);
    if (!arena_failed(arena))
        return STATUS_OK;
    out->result = out->helo.result = RESULT_TEMPERROR;
    out->reason = out->helo.reason = "out of memory";
    return STATUS_NOMEM;
}
