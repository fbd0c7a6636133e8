// SPDX-License-Identifier: BSD-2-Clause
/*
 * criteria_dns.c - tests the domain in DNS: whether it exists, whether it is signed, and its name servers.
 *
 * Pure over the facts. What validates comes from our own validating look-ups; what each name server says by itself
 * (signature dates, differences, questions it cannot answer) from the questions put to it directly.
 */
#include "check/testing.h"
#include "dns/direct.h"

#define EXPIRY_DAYS 3
#define RSA_BITS 2048u

/* The zone that holds the domain: its name at or above, where NS records are. Where that cannot be looked up we go no
 * further up: the parent's keys and servers are not the domain's. */
static const char *find_apex(struct testing *t)
{
    for (const char *name = t->facts->domain; name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
        enum dns_state s = dns_get(t->scope, name, DNS_NS)->state;
        if (s == DNS_FOUND || s == DNS_TEMPFAIL || s == DNS_BOGUS)
            return name;
    }
    return t->facts->domain;
}

static void test_existence(struct testing *t)
{
    const struct dns_answer *soa = dns_get(t->scope, t->facts->domain, DNS_SOA);
    t->gone = soa->state == DNS_NXDOMAIN;
    if (t->gone)
        testing_say(t, CHECK_EXISTS, CHECK_FAIL, NULL, "%s does not exist (NXDOMAIN)", t->facts->domain);
    else if (soa->state == DNS_TEMPFAIL)
        testing_say(t, CHECK_EXISTS, CHECK_UNTESTED, NULL, "%s: %s", t->facts->domain, testing_failure(t, soa));
    else
        testing_say(t, CHECK_EXISTS, CHECK_PASS, NULL, "%s is there", t->facts->domain);
}

static void test_answer(struct testing *t, const char *name, enum dns_type type)
{
    const struct dns_answer *a = name ? dns_get(t->scope, name, type) : NULL;
    if (a && a->state == DNS_BOGUS)
        testing_say(t, CHECK_DNSSEC_VALID, CHECK_FAIL, testing_sign_anew, "%s %s: %s", name, dns_type_name(type),
                    testing_failure(t, a));
}

/* The domain's own records, and those below it by which others judge its mail. */
static void test_validation(struct testing *t)
{
    static const enum dns_type types[] = {DNS_SOA, DNS_NS, DNS_MX, DNS_TXT, DNS_DNSKEY};
    static const char *const below[] = {"_dmarc", "_mta-sts", "_smtp._tls"};
    const struct dns_answer *soa = dns_get(t->scope, t->facts->domain, DNS_SOA);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        test_answer(t, t->facts->domain, types[i]);
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        test_answer(t, arena_printf(t->arena, "%s.%s", below[i], t->facts->domain), DNS_TXT);
    t->signed_zone = soa->security == DNS_SECURE;
    const char *untestable = soa->security == DNS_INSECURE ? testing_untestable(t, t->facts->domain) : NULL;
    if (soa->state == DNS_TEMPFAIL || soa->security == DNS_UNKNOWN) {
        testing_say(t, CHECK_DNSSEC_VALID, CHECK_UNTESTED, NULL, "%s", testing_failure(t, soa));
        testing_say(t, CHECK_DNSSEC_SIGNED, CHECK_UNTESTED, NULL, "%s", testing_failure(t, soa));
    } else if (soa->state == DNS_BOGUS) {
        t->signed_zone = true;
        testing_say(t, CHECK_DNSSEC_SIGNED, CHECK_PASS, NULL, "the parent zone holds a DS record");
    } else if (t->signed_zone) {
        testing_say(t, CHECK_DNSSEC_VALID, CHECK_PASS, NULL, "validated from the root");
        testing_say(t, CHECK_DNSSEC_SIGNED, CHECK_PASS, NULL, "validated from the root");
    } else if (untestable) {
        testing_say_untestable(t, CHECK_DNSSEC_VALID, untestable);
        testing_say_untestable(t, CHECK_DNSSEC_SIGNED, untestable);
    } else {
        testing_say(t, CHECK_DNSSEC_SIGNED, CHECK_FAIL,
                    "Switch DNSSEC on at the DNS host, and let the registrar publish the DS record.",
                    "%s is proved to be unsigned", t->facts->domain);
    }
}

/* Bits of the modulus in an RSA key (RFC 3110 section 2); 0: malformed. */
static unsigned rsa_bits(struct slice key)
{
    const unsigned char *p = (const unsigned char *)key.p;
    size_t exponent, at = 1;
    if (key.n < 3)
        return 0;
    exponent = p[0];
    if (exponent == 0) {
        exponent = (size_t)p[1] << 8 | p[2];
        at = 3;
    }
    at += exponent;
    while (at < key.n && p[at] == 0)
        at++;
    return at < key.n ? (unsigned)(key.n - at) * 8 : 0;
}

/* 1 is SHA-1, 3 GOST R 34.11-94: neither is to be published (RFC 8624 3.3, RFC 9905, RFC 9906). A resolver ignores a DS
 * record with a digest that it does not know (RFC 4035 5.2). */
static void test_digests(struct testing *t, const char *apex)
{
    const struct dns_answer *ds = dns_get(t->scope, apex, DNS_DS);
    bool strong = false;
    unsigned weak = 0;
    for (size_t i = 0; i < ds->count; i++) {
        unsigned digest = ds->rdata[i].n > 4 ? (unsigned char)ds->rdata[i].p[3] : 0;
        strong = strong || digest == 2 || digest == 4;
        weak = digest;
    }
    if (strong)
        testing_say(t, CHECK_DNSSEC_DIGEST, CHECK_PASS, NULL, "DS with SHA-256 or better");
    else if (ds->count)
        testing_say(t, CHECK_DNSSEC_DIGEST, CHECK_FAIL,
                    "Let the registrar publish a DS record with digest type 2 (SHA-256).",
                    weak == 1   ? "the DS records of %s have SHA-1 alone"
                    : weak == 3 ? "the DS records of %s have GOST R 34.11-94 alone"
                                : "the DS records of %s have no digest that resolvers must know (the last has type %u)",
                    apex, weak);
    else if (ds->state != DNS_NODATA)
        testing_say(t, CHECK_DNSSEC_DIGEST, CHECK_UNTESTED, NULL, "the DS records of %s: %s", apex,
                    testing_failure(t, ds));
}

static const char algorithm_fix[] = LANGUAGE_MARK("Roll the DNSSEC keys over to algorithm 13 (ECDSA P-256).");

/* Algorithms that resolvers must or should validate (RFC 8624 3.1). */
static bool is_known_algorithm(unsigned a)
{
    return a == 5 || a == 7 || a == 8 || a == 10 || (a >= 13 && a <= 16);
}

/* SHA-1 or older (RFC 8624 3.1, RFC 9905, RFC 9906). */
static bool is_old_algorithm(unsigned a)
{
    return a == 1 || a == 3 || a == 5 || a == 6 || a == 7 || a == 12;
}

/* What is wrong with the DS records of a zone that could not be validated by them: none of them has both an algorithm
 * and a digest that resolvers know (RFC 4035 5.2; RFC 6840 5.2), or ours knows less than others. */
static void test_untestable(struct testing *t, const char *apex)
{
    const struct dns_answer *ds = dns_get(t->scope, apex, DNS_DS);
    bool good = false;
    unsigned algorithm = 0;
    if (!ds->count)
        return;
    for (size_t i = 0; i < ds->count; i++) {
        algorithm = ds->rdata[i].n > 4 ? (unsigned char)ds->rdata[i].p[2] : 0;
        good = good || (is_known_algorithm(algorithm) && !is_old_algorithm(algorithm));
    }
    test_digests(t, apex);
    if (good)
        testing_say_untestable(t, CHECK_DNSSEC_ALGORITHM, apex);
    else
        testing_say(t, CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, algorithm_fix,
                    is_old_algorithm(algorithm) ? "the DS records of %s have algorithm %u (SHA-1 or older)"
                                                : "the DS records of %s have algorithm %u, which few resolvers know",
                    apex, algorithm);
}

static void test_keys(struct testing *t, const char *apex)
{
    const struct dns_answer *keys = dns_get(t->scope, apex, DNS_DNSKEY);
    for (size_t i = 0; i < keys->count; i++) {
        struct slice r = keys->rdata[i];
        unsigned algorithm = r.n > 4 ? (unsigned char)r.p[3] : 0, bits = rsa_bits(slice_from(r, 4));
        bool rsa = algorithm == 5 || algorithm == 7 || algorithm == 8 || algorithm == 10;
        if (is_old_algorithm(algorithm))
            testing_say(t, CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, algorithm_fix,
                        "a key of %s has algorithm %u (SHA-1 or older)", apex, algorithm);
        else if (!is_known_algorithm(algorithm)) /* beside it another one validates, or the zone would not be secure */
            testing_say(t, CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, algorithm_fix,
                        "a key of %s has algorithm %u, which few resolvers know", apex, algorithm);
        else if (rsa && bits < RSA_BITS - 8)
            testing_say(t, CHECK_DNSSEC_ALGORITHM, CHECK_FAIL, algorithm_fix, "a key of %s is RSA with %u bits", apex,
                        bits);
        else
            testing_say(t, CHECK_DNSSEC_ALGORITHM, CHECK_PASS, NULL, "algorithm %u", algorithm);
    }
    if (keys->count == 0)
        testing_say(t, CHECK_DNSSEC_ALGORITHM, CHECK_UNTESTED, NULL, "the keys of %s: %s", apex,
                    testing_failure(t, keys));
}

static void test_nsec3(struct testing *t, const char *apex)
{
    const struct dns_answer *a = dns_get(t->scope, apex, DNS_NSEC3PARAM);
    if (a->state == DNS_NODATA) {
        testing_say(t, CHECK_DNSSEC_NSEC3, CHECK_PASS, NULL, "the zone uses NSEC");
        return;
    }
    if (a->state != DNS_FOUND || a->rdata[0].n < 5) {
        testing_say(t, CHECK_DNSSEC_NSEC3, CHECK_UNTESTED, NULL, "NSEC3PARAM of %s: %s", apex, testing_failure(t, a));
        return;
    }
    const unsigned char *p = (const unsigned char *)a->rdata[0].p;
    unsigned iterations = (unsigned)p[2] << 8 | p[3], salt = p[4];
    if (iterations || salt)
        testing_say(t, CHECK_DNSSEC_NSEC3, CHECK_ADVICE, "Set NSEC3 to 0 iterations and no salt.",
                    "NSEC3 with extra iterations or a salt: iterations %u, octets of salt %u", iterations, salt);
    else
        testing_say(t, CHECK_DNSSEC_NSEC3, CHECK_PASS, NULL, "NSEC3 without extra iterations and salt");
}

/* Name servers that sign each answer when they give it make signatures of a day or two, which always end soon. Whose
 * signature has much of its life left is signed anew in time (RFC 6781 4.4.2). */
static bool is_ending(const struct facts_server *s, time_t now)
{
    const double left = difftime(s->signed_to, now), life = difftime(s->signed_to, s->signed_from);
    return left < EXPIRY_DAYS * 86400 && (!s->signed_from || left * 4 < life);
}

static void test_expiry(struct testing *t)
{
    time_t earliest = 0;
    bool ending = false;
    for (size_t i = 0; i < t->facts->server_count; i++) {
        const struct facts_server *s = &t->facts->servers[i];
        bool ends = s->signed_to && is_ending(s, t->facts->at);
        if (s->signed_to && (!earliest || (ends && !ending) || (ends == ending && s->signed_to < earliest)))
            earliest = s->signed_to;
        ending = ending || ends;
    }
    if (!earliest) {
        testing_say(t, CHECK_DNSSEC_EXPIRY, CHECK_UNTESTED, NULL, "no name server showed its signatures");
        return;
    }
    long long hours = ((long long)earliest - (long long)t->facts->at) / 3600;
    if (ending)
        testing_say(t, CHECK_DNSSEC_EXPIRY, CHECK_FAIL, "Ask the DNS host why the zone is not signed anew in time.",
                    "hours until a signature ends: %lld", hours);
    else
        testing_say(t, CHECK_DNSSEC_EXPIRY, CHECK_PASS, NULL, "the first signature ends in %lld days", hours / 24);
}

/* ---- name servers ---- */

static bool answered(const struct facts_server *s)
{
    return strcmp(s->outcome, "answered") == 0 && s->rcode == 0;
}

static bool server_asked(const struct facts_server *s, const char *question, int family)
{
    return strcmp(s->question, question) == 0 && (!family || s->address.family == family) &&
           strcmp(s->outcome, "skipped") != 0;
}

static const char *rcode_name(unsigned rcode)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    return rcode < sizeof names / sizeof names[0] ? names[rcode] : LANGUAGE_MARK("an error");
}

static const char *server_words(struct testing *t, const struct facts_server *s)
{
    char ip[IP_TEXT];
    const char *said = strcmp(s->outcome, "answered") != 0 ? s->outcome : rcode_name(s->rcode);
    const char *text = arena_printf(t->arena, "%s (%s): %s", s->host, ip_text(&s->address, ip), testing_word(t, said));
    return text ? text : "";
}

static const char load_fix[] = LANGUAGE_MARK("Let this name server load the zone, or take it out of the NS records.");

/* What to do about a server that does not answer as it should: one that says so is running, and either does not hold
 * the zone or does not understand the question (RFC 1035 4.1.1; RFC 6891 section 7; RFC 3597). */
static const char *server_fix(const struct facts_server *s)
{
    if (strcmp(s->outcome, "answered") != 0)
        return LANGUAGE_MARK("Start this name server, or take it out of the NS records.");
    if (s->rcode == 1 || s->rcode == 4) /* FORMERR, NOTIMP */
        return LANGUAGE_MARK(
            "Bring the name server's software up to date: it must answer questions of every type, and with EDNS.");
    return load_fix;
}

/* Tells whether they answer, over one family of addresses (0: IPv4, and a server is silent only if others are not). */
static void test_answers(struct testing *t, enum check_test test, int family)
{
    bool any = false, looked = false;
    for (size_t i = 0; i < t->facts->server_count; i++)
        any = any || (server_asked(&t->facts->servers[i], "SOA", 0) && answered(&t->facts->servers[i]));
    for (size_t i = 0; i < t->facts->server_count; i++) {
        const struct facts_server *s = &t->facts->servers[i];
        if (strcmp(s->outcome, "skipped") == 0 && s->address.family == family)
            testing_say(t, test, CHECK_UNTESTED, NULL, "%s: %s", server_words(t, s), testing_word(t, s->why));
        if (!server_asked(s, "SOA", family))
            continue;
        looked = true;
        if (answered(s) && !s->authoritative)
            testing_say(t, test, CHECK_FAIL, load_fix, "%s does not hold the zone", s->host);
        else if (answered(s))
            testing_say(t, test, CHECK_PASS, NULL, "all answer");
        else
            testing_say(t, test, any ? CHECK_FAIL : CHECK_UNTESTED, any ? server_fix(s) : NULL, "%s",
                        server_words(t, s));
    }
    if (!looked)
        testing_say(t, test, CHECK_UNTESTED, NULL, "no name server was asked");
}

/* An address that was not asked, as the last of very many are, is no pass by what the others said. */
static void test_unasked(struct testing *t, enum check_test test, int family, const struct dns_answer *ns)
{
    for (size_t i = 0; i < ns->count; i++) {
        const char *host = dns_host(t->scope, ns, i, NULL);
        const struct dns_answer *a = host ? dns_get(t->scope, host, family == 4 ? DNS_A : DNS_AAAA) : NULL;
        struct ip address;
        for (size_t k = 0; a && k < a->count; k++) {
            bool asked = !dns_address(a, k, &address);
            for (size_t n = 0; n < t->facts->server_count && !asked; n++)
                asked = ip_eq(&t->facts->servers[n].address, &address);
            char ip[IP_TEXT];
            if (!asked)
                testing_say(t, test, CHECK_UNTESTED, NULL, "%s (%s) was not asked", host, ip_text(&address, ip));
        }
    }
}

/* Names of name servers that lead nowhere (RFC 1912 2.8), and a zone that half of the internet's resolvers, which have
 * IPv4 alone, cannot ask (RFC 3901 section 4). */
static void test_server_names(struct testing *t, const struct dns_answer *ns)
{
    bool v4 = false, v6 = false;
    for (size_t i = 0; i < ns->count; i++) {
        const char *host = dns_host(t->scope, ns, i, NULL);
        if (!host)
            continue;
        enum dns_state a = dns_get(t->scope, host, DNS_A)->state, aaaa = dns_get(t->scope, host, DNS_AAAA)->state;
        bool no4 = a == DNS_NODATA || a == DNS_NXDOMAIN, no6 = aaaa == DNS_NODATA || aaaa == DNS_NXDOMAIN;
        v4 = v4 || !no4;
        v6 = v6 || aaaa == DNS_FOUND;
        if (dns_get(t->scope, host, DNS_CNAME)->state == DNS_FOUND) /* RFC 2181 10.3 */
            testing_say(t, CHECK_NS_ANSWER, CHECK_FAIL, "Name the host itself in the NS record, not its alias.",
                        "%s is an alias (CNAME)", host);
        else if (no4 && no6)
            testing_say(t, CHECK_NS_ANSWER, CHECK_FAIL, "Correct the name in the NS record, or remove the record.",
                        "%s has no address", host);
    }
    if (!v4 && v6)
        testing_say(t, CHECK_NS_ANSWER, CHECK_FAIL, "Give a name server an IPv4 address.",
                    "no name server has an IPv4 address: resolvers without IPv6 cannot look the domain up");
}

/* Tells whether all names of name servers have the same address, one of each family at most: so they are one server
 * (RFC 2182 section 5). */
static bool is_one_server(struct testing *t, const struct dns_answer *ns)
{
    struct ip first[2] = {{.family = 0}, {.family = 0}}, other;
    unsigned names = 0; /* that have an address */
    for (size_t i = 0; i < ns->count; i++) {
        const char *host = dns_host(t->scope, ns, i, NULL);
        bool same = false, any = false;
        for (size_t k = 0; host && k < 2; k++) {
            const struct dns_answer *a = dns_get(t->scope, host, k ? DNS_AAAA : DNS_A);
            if (a->count > 1 || a->state == DNS_TEMPFAIL || a->state == DNS_BOGUS)
                return false;
            if (!dns_address(a, 0, &other))
                continue;
            any = true;
            same = same || ip_eq(&first[k], &other);
            if (first[k].family && !ip_eq(&first[k], &other))
                return false;
            first[k] = other;
        }
        if (any && names && !same)
            return false;
        names += any;
    }
    return names >= 2;
}

static void test_ipv6(struct testing *t, const struct dns_answer *ns)
{
    unsigned with = 0, unknown = 0;
    for (size_t i = 0; i < ns->count; i++) {
        const char *host = dns_host(t->scope, ns, i, NULL);
        const struct dns_answer *a = host ? dns_get(t->scope, host, DNS_AAAA) : NULL;
        enum dns_state state = a ? a->state : DNS_NODATA;
        with += a && testing_reachable(t->facts, a);
        unknown += state == DNS_TEMPFAIL || state == DNS_BOGUS;
    }
    if (with >= 2)
        testing_say(t, CHECK_NS_IPV6, CHECK_PASS, NULL, "%u name servers have an IPv6 address", with);
    else if (with + unknown >= 2)
        testing_say(t, CHECK_NS_IPV6, CHECK_UNTESTED, NULL, "name servers whose addresses could not be looked up: %u",
                    unknown);
    else
        testing_say(t, CHECK_NS_IPV6, CHECK_FAIL, "Give at least two name servers an AAAA record.",
                    "name servers with an IPv6 address: %u of %zu", with, ns->count);
    if (t->facts->ipv6 != FACTS_YES && with) {
        testing_say(t, CHECK_NS_IPV6_REACH, CHECK_UNTESTED, NULL, "this computer has no IPv6");
    } else if (with) {
        test_answers(t, CHECK_NS_IPV6_REACH, 6);
        test_unasked(t, CHECK_NS_IPV6_REACH, 6, ns);
    }
}

/* A server without the signatures that others have fails whoever validates and asks it. */
static void test_signatures(struct testing *t)
{
    const struct facts_server *with = NULL;
    for (size_t i = 0; i < t->facts->server_count && !with; i++)
        if (server_asked(&t->facts->servers[i], "SOA", 0) && t->facts->servers[i].signed_to)
            with = &t->facts->servers[i];
    for (size_t i = 0; i < t->facts->server_count && with && t->signed_zone; i++) {
        const struct facts_server *s = &t->facts->servers[i];
        if (server_asked(s, "SOA", 0) && answered(s) && s->authoritative && !s->signed_to)
            testing_say(t, CHECK_NS_AGREE, CHECK_FAIL, "Let every name server load the same zone.",
                        "%s gives no signatures, and %s does", s->host, with->host);
    }
}

/* Tells whether it is the question for the TLSA records of a mail host. */
static bool asks_tlsa(const struct facts_server *s)
{
    return strncmp(s->question, "TLSA", 4) == 0 && strcmp(s->outcome, "skipped") != 0;
}

/* Below the domain, no record and no such name are the same to who asks; the domain's own name exists. */
static bool is_no_name(const struct facts_server *s)
{
    return strcmp(s->outcome, "answered") == 0 && s->rcode == 3 && (asks_tlsa(s) || strchr(s->question, ' '));
}

/* Tells whether an answer can be compared with others'. A SOA's serial may differ for the moments that a change takes.
 */
static bool is_comparable(const struct facts_server *s)
{
    return strcmp(s->question, "SOA") != 0 && strcmp(s->outcome, "skipped") != 0 && s->authoritative &&
           (answered(s) || is_no_name(s));
}

/* The first of the servers from `from` to before `of` that answered the same question; NULL: none did. */
static const struct facts_server *first_with(const struct facts_server *from, const struct facts_server *of)
{
    for (const struct facts_server *s = from; s < of; s++)
        if (strcmp(s->question, of->question) == 0 && is_comparable(s))
            return s;
    return NULL;
}

/* Tells whether all give the same records. */
static void test_agreement(struct testing *t)
{
    struct buf compared = BUF_INIT;
    for (size_t i = 0; i < t->facts->server_count; i++) {
        const struct facts_server *s = &t->facts->servers[i];
        const struct facts_server *first = is_comparable(s) ? first_with(t->facts->servers, s) : NULL;
        char ip[2][IP_TEXT];
        if (!first)
            continue;
        if (!first_with(first + 1, s))
            buf_printf(&compared, "%s%s", compared.n ? ", " : "", s->question);
        if (strcmp(first->digest, s->digest) != 0)
            testing_say(t, CHECK_NS_AGREE, CHECK_FAIL, "Let every name server load the same zone.",
                        "%s (%s) and %s (%s) differ about %s", first->host, ip_text(&first->address, ip[0]), s->host,
                        ip_text(&s->address, ip[1]), s->question);
    }
    if (compared.n)
        testing_say(t, CHECK_NS_AGREE, CHECK_PASS, NULL, "the same everywhere: %s", compared.p);
    else
        testing_say(t, CHECK_NS_AGREE, CHECK_UNTESTED, NULL, "fewer than two name servers answered");
    buf_release(&compared);
}

/* Tells whether this address answers for the zone at all. */
static bool serves(const struct facts *f, const struct ip *address)
{
    for (size_t i = 0; i < f->server_count; i++)
        if (server_asked(&f->servers[i], "SOA", 0) && ip_eq(&f->servers[i].address, address))
            return answered(&f->servers[i]);
    return false;
}

/* Tells whether the name is in a list with blanks between its names. */
static bool is_listed(const char *names, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = names; *p; p += strspn(p, " ")) {
        const size_t length = strcspn(p, " ");
        if (length == n && strncmp(p, name, n) == 0)
            return true;
        p += length;
    }
    return false;
}

/* A name server of the zone by the parent zone, or by itself, and not by the other. */
static void say_delegation(struct testing *t, const char *zone, const char *host, const char *own, bool at_parent)
{
    testing_say(
        t, CHECK_NS_AGREE, at_parent ? CHECK_FAIL : CHECK_ADVICE,
        testing_print(t, "Let the registrar name the same name servers for %s as the zone itself: %s", zone, own),
        at_parent ? "the parent zone names %s as a name server of %s, which the zone does not"
                  : "the parent zone does not name %s, a name server of %s",
        host, zone);
}

/* The NS records on both sides of the cut are the same (RFC 1034 4.2.2). A server that the parent alone names is asked
 * for the zone, and nobody keeps it up to date. */
static void test_delegation(struct testing *t, const char *zone, const struct dns_answer *ns)
{
    const struct facts_parent *parent = t->facts->parent.host && *t->facts->parent.names ? &t->facts->parent : NULL;
    struct buf own = BUF_INIT;
    for (size_t i = 0; parent && i < ns->count; i++) {
        const char *host = dns_host(t->scope, ns, i, NULL);
        if (!host) /* said by others; a list without it would be none */
            parent = NULL;
        else
            buf_printf(&own, "%s%s", own.n ? " " : "", host);
    }
    for (size_t i = 0; parent && own.n && i < ns->count; i++) {
        const char *host = dns_host(t->scope, ns, i, NULL);
        if (!is_listed(parent->names, host))
            say_delegation(t, zone, host, own.p, false);
    }
    for (const char *p = parent && own.n ? parent->names : ""; *p; p += strspn(p, " ")) {
        const char *host = arena_copy(t->arena, p, strcspn(p, " "));
        p += strcspn(p, " ");
        if (host && !is_listed(own.p, host))
            say_delegation(t, zone, testing_shown(t, slice_str(host), 200), own.p, true);
    }
    buf_release(&own);
}

/* Name servers answer over TCP, too (RFC 7766 section 5, RFC 9210 section 3): what does not fit one packet is asked for
 * so. That none does may be our own network's doing. */
static void test_tcp(struct testing *t)
{
    bool any = false;
    for (size_t i = 0; i < t->facts->tcp_count; i++)
        any = any || strcmp(t->facts->tcp[i].outcome, "answered") == 0;
    for (size_t i = 0; i < t->facts->tcp_count; i++) {
        const struct facts_tcp *tcp = &t->facts->tcp[i];
        char ip[IP_TEXT];
        if (strcmp(tcp->outcome, "answered") != 0 && serves(t->facts, &tcp->address))
            testing_say(t, CHECK_NS_ANSWER, any ? CHECK_FAIL : CHECK_UNTESTED,
                        any ? "Let this name server answer over TCP, too, and no firewall stop it." : NULL,
                        "over TCP: %s (%s): %s", tcp->host, ip_text(&tcp->address, ip), testing_word(t, tcp->outcome));
    }
}

/* A server that answers for the zone, and not what it is asked about the domain. */
static void test_questions(struct testing *t)
{
    for (size_t i = 0; i < t->facts->server_count; i++) {
        const struct facts_server *s = &t->facts->servers[i];
        if (server_asked(s, "SOA", 0) || asks_tlsa(s) || answered(s) || is_no_name(s) || !serves(t->facts, &s->address))
            continue;
        const bool talks = strcmp(s->outcome, "answered") == 0;
        testing_say(t, CHECK_NS_ANSWER, talks ? CHECK_FAIL : CHECK_UNTESTED, talks ? server_fix(s) : NULL,
                    "asked for %s: %s", s->question, server_words(t, s));
    }
}

static void test_tlsa_question(struct testing *t)
{
    bool looked = false;
    for (size_t i = 0; i < t->facts->server_count; i++) {
        const struct facts_server *s = &t->facts->servers[i];
        if (!asks_tlsa(s) || !serves(t->facts, &s->address))
            continue;
        looked = true;
        bool talks = strcmp(s->outcome, "answered") == 0;
        if ((talks && s->rcode != 0 && s->rcode != 3) || strcmp(s->outcome, "timeout") == 0)
            testing_say(t, CHECK_NS_TLSA, CHECK_FAIL,
                        "Ask the DNS host to mend the name server: it must answer a question for TLSA with the "
                        "records, or that there are none.",
                        "asked for TLSA: %s", server_words(t, s));
        else if (talks)
            testing_say(t, CHECK_NS_TLSA, CHECK_PASS, NULL, "answered");
    }
    if (!looked || !t->report->results[CHECK_NS_TLSA].evidence)
        testing_say(t, CHECK_NS_TLSA, CHECK_UNTESTED, NULL, "no name server answered");
}

void criteria_dns(struct testing *t)
{
    test_existence(t);
    if (t->gone)
        return;
    test_validation(t);
    const char *apex = find_apex(t);
    const struct dns_answer *ns = dns_get(t->scope, apex, DNS_NS);
    if (t->signed_zone && t->report->results[CHECK_DNSSEC_VALID].state != CHECK_FAIL) {
        test_keys(t, apex);
        test_digests(t, apex);
        test_nsec3(t, apex);
        test_expiry(t);
    } else if (!t->signed_zone) {
        test_untestable(t, apex);
    }
    if (ns->count >= 2 && is_one_server(t, ns))
        testing_say(t, CHECK_NS_COUNT, CHECK_FAIL, "Add a second name server in another network.",
                    "the names of its name servers have one address (names: %zu)", ns->count);
    else if (ns->count >= 2)
        testing_say(t, CHECK_NS_COUNT, CHECK_PASS, NULL, "%zu name servers", ns->count);
    else if (ns->count == 1)
        testing_say(t, CHECK_NS_COUNT, CHECK_FAIL, "Add a second name server in another network.", "one name server");
    else
        testing_say(t, CHECK_NS_COUNT, CHECK_UNTESTED, NULL, "the name servers: %s", testing_failure(t, ns));
    if (ns->count)
        test_ipv6(t, ns);
    test_answers(t, CHECK_NS_ANSWER, 4);
    test_unasked(t, CHECK_NS_ANSWER, 4, ns);
    test_server_names(t, ns);
    test_questions(t);
    test_tcp(t);
    test_signatures(t);
    test_agreement(t);
    test_delegation(t, apex, ns);
    test_tlsa_question(t);
}
