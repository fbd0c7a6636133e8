// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf_record.c - one function per rule of the grammar in RFC 7208 section 12.
 *
 * Strict, and over the whole record before any of it is used: RFC 7208 4.6 wants a syntax error anywhere to be
 * permerror, whatever matched before it. Terms are separated by spaces only. Names are compared without regard to case.
 * Unknown modifiers are checked and ignored (6), unknown mechanisms are errors. On failure `reason` quotes the term,
 * cut and made harmless.
 */
#include "standards/spf/spf_record.h"
#include "base/utf8.h"
#include "standards/spf/spf.h"
#include "standards/spf/spf_macro.h"
#include <arpa/inet.h>

#define QUOTED_MAX 80 /* octets of a term shown in a reason */

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool spf_record_is(struct slice text)
{
    return text.n >= 6 && slice_eq_nocase(slice_of(text.p, 6), SLICE_LIT("v=spf1")) &&
           (text.n == 6 || text.p[6] == ' ');
}

bool spf_record_sends_nothing(const struct spf_record *r)
{
    return r->count == 1 && r->terms[0].kind == SPF_TERM_ALL && r->terms[0].qualifier == RESULT_FAIL;
}

/* ip4-cidr-length and ip6-cidr-length after their slashes: "0", or no leading zero, up to max. */
static bool cidr_number(struct slice s, unsigned max, uint8_t *out)
{
    unsigned value = 0;
    if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        value = value * 10 + (unsigned)(s.p[i] - '0');
    }
    *out = (uint8_t)value;
    return value <= max;
}

/* Takes SLASHES DIGITS off the end of *s. False: they are there, but out of range. */
static bool cut_cidr(struct slice *s, const char *slashes, unsigned max, uint8_t *out)
{
    size_t n = s->n, k = strlen(slashes);
    while (n && is_digit(s->p[n - 1]))
        n--;
    if (n == s->n || n < k || memcmp(s->p + n - k, slashes, k) != 0)
        return true;
    if (!cidr_number(slice_from(*s, n), max, out))
        return false;
    s->n = n - k;
    return true;
}

/* dual-cidr-length, from the end: a domain-spec may hold slashes, but cannot end in one with digits behind it. */
static const char *dual_cidr(struct slice *s, struct spf_term *t)
{
    if (!cut_cidr(s, "//", 128, &t->bits6))
        return "IPv6 prefix length out of range";
    if (!cut_cidr(s, "/", 32, &t->bits4))
        return "IPv4 prefix length out of range";
    return NULL;
}

/* ":" domain-spec. */
static const char *domain_spec(struct slice s, struct slice *out)
{
    if (s.n < 2 || s.p[0] != ':')
        return "expected : and a domain name";
    *out = slice_from(s, 1);
    return spf_macro_check(*out, SPF_MACRO_DOMAIN);
}

static const char *rule_all(struct slice rest, struct spf_term *t)
{
    return rest.n ? "\"all\" takes no argument" : NULL;
}

/* include and exists: the domain is not optional. */
static const char *rule_domain(struct slice rest, struct spf_term *t)
{
    return domain_spec(rest, &t->domain);
}

static const char *rule_a_mx(struct slice rest, struct spf_term *t)
{
    const char *why = dual_cidr(&rest, t);
    return why || rest.n == 0 ? why : domain_spec(rest, &t->domain);
}

static const char *rule_ptr(struct slice rest, struct spf_term *t)
{
    return rest.n ? domain_spec(rest, &t->domain) : NULL;
}

/* ":" address [ "/" length ], the address in the family's own form (RFC 7208 5.6; qnum has no leading zero, as
 * inet_pton wants it). */
static const char *network(struct slice rest, int family, struct spf_term *t)
{
    char text[IP_TEXT];
    struct ip ip = {.family = family == AF_INET ? 4 : 6};
    uint8_t bits = family == AF_INET ? 32 : 128;
    if (rest.n < 2 || rest.p[0] != ':')
        return "expected : and an address";
    rest = slice_from(rest, 1);
    if (!cut_cidr(&rest, "/", bits, &bits))
        return "prefix length out of range";
    if (rest.n == 0 || rest.n >= sizeof text || memchr(rest.p, '\0', rest.n))
        return "not an address";
    memcpy(text, rest.p, rest.n);
    text[rest.n] = '\0';
    if (inet_pton(family, text, ip.octets) != 1)
        return family == AF_INET ? "not an IPv4 address" : "not an IPv6 address";
    t->net = ip_net_of(&ip, bits);
    return NULL;
}

static const char *rule_ip4(struct slice rest, struct spf_term *t)
{
    return network(rest, AF_INET, t);
}

static const char *rule_ip6(struct slice rest, struct spf_term *t)
{
    return network(rest, AF_INET6, t);
}

static const struct {
    const char *name;
    const char *(*rule)(struct slice rest, struct spf_term *t);
} mechanisms[SPF_TERM_KINDS] = {
    [SPF_TERM_ALL] = {"all", rule_all}, [SPF_TERM_INCLUDE] = {"include", rule_domain},
    [SPF_TERM_A] = {"a", rule_a_mx},    [SPF_TERM_MX] = {"mx", rule_a_mx},
    [SPF_TERM_PTR] = {"ptr", rule_ptr}, [SPF_TERM_IP4] = {"ip4", rule_ip4},
    [SPF_TERM_IP6] = {"ip6", rule_ip6}, [SPF_TERM_EXISTS] = {"exists", rule_domain},
};

/* [ qualifier ] mechanism */
static const char *directive(struct slice text, struct spf_term *t)
{
    static const char marks[] = "+-~?";
    static const enum result results[] = {RESULT_PASS, RESULT_FAIL, RESULT_SOFTFAIL, RESULT_NEUTRAL};
    *t = (struct spf_term){.qualifier = RESULT_PASS, .text = text, .bits4 = 32, .bits6 = 128};
    const char *mark = text.p[0] ? strchr(marks, text.p[0]) : NULL;
    if (mark) {
        t->qualifier = results[mark - marks];
        text = slice_from(text, 1);
    }
    size_t n = 0;
    while (n < text.n && text.p[n] != ':' && text.p[n] != '/')
        n++;
    for (unsigned k = 0; k < SPF_TERM_KINDS; k++) {
        if (slice_eq_nocase(slice_of(text.p, n), slice_str(mechanisms[k].name))) {
            t->kind = (enum spf_term_kind)k;
            return mechanisms[k].rule(slice_from(text, n), t);
        }
    }
    return "no mechanism of that name";
}

/* The length of `name` when text is a modifier (name "=" ...), else 0. */
static size_t modifier_name(struct slice text)
{
    size_t n = 0;
    if (text.n == 0 || !is_alpha(text.p[0]))
        return 0;
    while (n < text.n && (is_alpha(text.p[n]) || is_digit(text.p[n]) || strchr("-_.", text.p[n])) && text.p[n])
        n++;
    return n < text.n && text.p[n] == '=' ? n : 0;
}

static const char *modifier(struct slice text, size_t name, struct spf_record *r)
{
    struct slice value = slice_from(text, name + 1);
    bool redirect = slice_eq_nocase(slice_of(text.p, name), SLICE_LIT("redirect"));
    if (!redirect && !slice_eq_nocase(slice_of(text.p, name), SLICE_LIT("exp")))
        return spf_macro_check(value, SPF_MACRO_STRING);
    struct slice *place = redirect ? &r->redirect : &r->exp;
    if (place->n)
        return "a modifier that may stand only once";
    if (value.n == 0)
        return "expected a domain name";
    if (redirect)
        r->redirect_text = text;
    *place = value;
    return spf_macro_check(value, SPF_MACRO_DOMAIN);
}

static const char *describe(struct arena *arena, const char *why, struct slice term)
{
    struct buf shown = BUF_INIT;
    utf8_add_visible(&shown, slice_of(term.p, term.n > QUOTED_MAX ? QUOTED_MAX : term.n));
    const char *text = arena_printf(arena, "syntax error in \"%s\": %s", shown.p, why);
    buf_release(&shown);
    return text ? text : why;
}

static size_t count_terms(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] != ' ' && (i == 0 || text.p[i - 1] == ' ');
    return count;
}

enum status spf_record_parse(struct arena *arena, struct slice text, struct spf_record *out, const char **reason)
{
    struct slice rest = slice_from(text, 6);
    *out = (struct spf_record){0};
    if (text.n > LIMIT_SPF_RECORD) {
        *reason = "the record is longer than 16384 octets";
        return STATUS_INVALID;
    }
    out->terms = ARENA_ARRAY(arena, struct spf_term, count_terms(rest));
    if (!out->terms)
        return STATUS_NOMEM;
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ')
            n++;
        struct slice term = slice_of(rest.p, n);
        rest = slice_from(rest, n + 1);
        if (n == 0)
            continue;
        size_t name = modifier_name(term);
        const char *why = name ? modifier(term, name, out) : directive(term, &out->terms[out->count++]);
        if (why) {
            *reason = describe(arena, why, term);
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}
