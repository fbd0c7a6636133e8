// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_rua.c - destinations of DMARC reports.
 *
 * Promises that an address it returns can be used unquoted in a header and on sendmail's input (RFC 5322 dot-atom, a
 * canonical domain), and that a place outside the organisation is used only when its own DNS says so (RFC 9990 section
 * 4): a record below _report._dmarc.HOST that begins with v=DMARC1. Bogus DNS is no consent. A name too long for DNS is
 * none either. If in doubt nothing is sent.
 */
#include "feedback/dmarc_rua.h"
#include "base/domain.h"
#include "base/hex.h"
#include <string.h>

/* dot-atom-text (RFC 5322 3.2.3) */
static bool is_dot_atom(const char *s, size_t n)
{
    if (n == 0 || n > LIMIT_LOCAL_PART || s[0] == '.' || s[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!(alnum || (c && c < 0x80 && strchr("!#$%&'*+-/=?^_`{|}~", c)) || (c == '.' && s[i - 1] != '.')))
            return false;
    }
    return s[0] != '-'; /* never to be taken for an option */
}

/* The address of one URI, or NULL. */
static const char *address_of(struct arena *a, struct slice uri)
{
    static const char scheme[] = "mailto:";
    char text[LIMIT_ADDRESS], domain[LIMIT_DOMAIN + 1];
    size_t n = 0;
    uri = slice_trim(uri);
    if (uri.n < sizeof scheme - 1 || strncasecmp(uri.p, scheme, sizeof scheme - 1) != 0)
        return NULL;
    uri = slice_from(uri, sizeof scheme - 1);
    for (size_t i = 0; i < uri.n && uri.p[i] != '!' && uri.p[i] != '?'; i++) {
        char c = uri.p[i];
        if (c == '%') {
            if (i + 2 >= uri.n || hex_value(uri.p[i + 1]) < 0 || hex_value(uri.p[i + 2]) < 0)
                return NULL;
            c = (char)(hex_value(uri.p[i + 1]) * 16 + hex_value(uri.p[i + 2]));
            i += 2;
        }
        if (n + 1 >= sizeof text || c == '\0')
            return NULL;
        text[n++] = c;
    }
    text[n] = '\0';
    char *at = strrchr(text, '@');
    if (!at || !is_dot_atom(text, (size_t)(at - text)) || domain_from_text(slice_str(at + 1), domain) != STATUS_OK ||
        !domain_is_host(domain))
        return NULL;
    return arena_printf(a, "%.*s@%s", (int)(at - text), text, domain);
}

enum status dmarc_rua_parse(struct arena *a, struct slice tag, struct dmarc_rua *out)
{
    *out = (struct dmarc_rua){0};
    for (size_t from = 0; from <= tag.n && out->count < DMARC_RUA_READ;) {
        struct slice rest = slice_from(tag, from);
        const char *comma = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
        size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
        const char *address = address_of(a, slice_of(rest.p, n));
        bool there = false;
        for (size_t i = 0; address && i < out->count; i++)
            there = there || strcmp(out->address[i], address) == 0;
        if (address && !there)
            out->address[out->count++] = address;
        from += n + 1;
    }
    return arena_failed(a) ? STATUS_NOMEM : STATUS_OK;
}

/* "v=DMARC1" first, then ';' or the end (RFC 9989 4.7: blanks round '=' allowed, the value in this case only). */
static bool is_dmarc_record(struct slice txt)
{
    struct slice s = slice_trim(txt);
    if (!s.n || s.p[0] != 'v')
        return false;
    s = slice_trim(slice_from(s, 1));
    if (!s.n || s.p[0] != '=')
        return false;
    s = slice_trim(slice_from(s, 1));
    if (s.n < 6 || memcmp(s.p, "DMARC1", 6) != 0)
        return false;
    s = slice_trim(slice_from(s, 6));
    return s.n == 0 || s.p[0] == ';';
}

static struct slice tag_of(struct slice txt, const char *name)
{
    for (size_t from = 0; from < txt.n;) {
        struct slice rest = slice_from(txt, from);
        const char *end = memchr(rest.p, ';', rest.n);
        struct slice part = slice_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        from += part.n + 1;
        const char *equals = part.n ? memchr(part.p, '=', part.n) : NULL;
        if (equals && slice_eq_nocase(slice_trim(slice_of(part.p, (size_t)(equals - part.p))), slice_str(name)))
            return slice_trim(slice_from(part, (size_t)(equals - part.p) + 1));
    }
    return SLICE_NULL;
}

static const char *host_of(const char *address)
{
    return strrchr(address, '@') + 1;
}

/* A record above the organisational domain is a public suffix's: then only that very host is its own. */
static bool same_organisation(const char *domain, const char *org, const char *host)
{
    if (!org || !*org)
        org = domain;
    if (strcmp(host, domain) == 0)
        return true;
    return domain_is_within(domain, org) && domain_is_within(host, org);
}

void dmarc_rua_own_first(struct dmarc_rua *r, const char *domain, const char *org)
{
    struct dmarc_rua sorted = {.count = r->count};
    size_t n = 0;
    for (int foreign = 0; foreign < 2; foreign++)
        for (size_t i = 0; i < r->count; i++)
            if (same_organisation(domain, org, host_of(r->address[i])) != foreign)
                sorted.address[n++] = r->address[i];
    *r = sorted;
}

static enum dmarc_rua_wanted address_check(struct dns_scope *s, struct arena *a, const char *tag, const char *domain,
                                           const char *org, const char **address, const char **why)
{
    const char *host = host_of(*address);
    *why = "the same organisation";
    if (same_organisation(domain, org, host))
        return DMARC_WANTED;
    const char *name = arena_printf(a, "%s._report._dmarc.%s", domain, host);
    *why = "the name to ask for consent is too long for DNS";
    if (!name || strlen(name) > LIMIT_DOMAIN)
        return DMARC_UNWANTED;
    const struct dns_answer *answer = dns_get(s, name, DNS_TXT);
    *why = arena_printf(a, "%s: %s", name, answer->state == DNS_BOGUS ? "bogus" : dns_state_name(answer->state));
    if (answer->state == DNS_TEMPFAIL)
        return DMARC_ASK_LATER;
    for (size_t i = 0; answer->state == DNS_FOUND && i < answer->count; i++) {
        struct slice txt = dns_txt(s, answer, i);
        if (!is_dmarc_record(txt))
            continue;
        struct dmarc_rua other;
        *why = arena_printf(a, "%s consents", name);
        if (tag_of(txt, tag).n == 0)
            return DMARC_WANTED;
        if (dmarc_rua_parse(a, tag_of(txt, tag), &other) != STATUS_OK || other.count == 0 ||
            strcmp(host_of(other.address[0]), host) != 0) {
            *why = arena_printf(a, "%s names an address on another host", name);
            return DMARC_UNWANTED;
        }
        *address = other.address[0];
        return DMARC_WANTED;
    }
    if (answer->state == DNS_FOUND)
        *why = arena_printf(a, "%s has no DMARC record", name);
    return DMARC_UNWANTED;
}

enum dmarc_rua_wanted dmarc_rua_check(struct dns_scope *s, struct arena *a, const char *domain, const char *org,
                                      const char **address, const char **why)
{
    return address_check(s, a, "rua", domain, org, address, why);
}

enum dmarc_rua_wanted dmarc_ruf_check(struct dns_scope *s, struct arena *a, const char *domain, const char *org,
                                      const char **address, const char **why)
{
    return address_check(s, a, "ruf", domain, org, address, why);
}
