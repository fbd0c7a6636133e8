// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse_party.c - parses WHO and WHOM: domains, networks, names of lists.
 *
 * Names become canonical names (base/domain.h) here and nowhere else. Forms that people know from other programs
 * (*.example, .example, a@b as a sender, 192.0.2.1/24) are refused with the form they most likely meant.
 */
#include "policy/parser.h"
#include "base/domain.h"
#include "base/words.h"
#include <stdio.h>

/* Tells whether the word can only be meant as an address or a network. */
static bool like_network(struct slice w)
{
    struct ip ip;
    if (w.n && (memchr(w.p, '/', w.n) || memchr(w.p, ':', w.n) || ip_from_text(w, &ip) == STATUS_OK))
        return true;
    for (size_t i = 0; i < w.n; i++)
        if (w.p[i] != '.' && (w.p[i] < '0' || w.p[i] > '9'))
            return false;
    return w.n > 0;
}

static void bad_network(struct parser *ps, const struct token *t)
{
    const char *slash = memchr(t->raw.p, '/', t->raw.n), *help = hint_network(ps, t);
    struct ip ip;
    unsigned bits = 0;
    if (slash && ip_from_text(slice_of(t->raw.p, (size_t)(slash - t->raw.p)), &ip) == STATUS_OK) {
        for (const char *p = slash + 1; p < t->raw.p + t->raw.n && *p >= '0' && *p <= '9' && bits < 1000; p++)
            bits = bits * 10 + (unsigned)(*p - '0');
        struct ip_net net = ip_net_of(&ip, bits);
        char text[IP_NET_TEXT];
        if (bits <= (ip.family == 4 ? 32u : 128u) && !ip_eq(&net.base, &ip)) {
            help = arena_printf(ps->p->arena, "did you mean %s?", ip_net_text(&net, text));
            parse_error(ps, t, help, "%s has bits set beyond its prefix", parse_shown(ps, t));
            return;
        }
    }
    parse_error(ps, t, help, "%s is neither an address nor a network", parse_shown(ps, t));
}

bool parse_network(struct parser *ps, struct policy_party *out)
{
    const struct token *t = parse_peek(ps);
    if (t->kind != TOKEN_WORD) {
        parse_unexpected(ps, t, "an address or a network", NULL);
        return false;
    }
    if (ip_net_from_text(t->raw, &out->net) != STATUS_OK) {
        bad_network(ps, t);
        return false;
    }
    out->kind = POLICY_NETWORK;
    ps->at++;
    return true;
}

static const char *domain_help(struct parser *ps, struct slice w)
{
    char kept[LIMIT_DOMAIN + 1];
    if (w.n > 2 && w.p[0] == '*' && w.p[1] == '.' && domain_from_text(slice_from(w, 2), kept) == STATUS_OK)
        return arena_printf(ps->p->arena, "a domain means it and all below: write %s", kept);
    if (w.n > 1 && w.p[0] == '.' && domain_from_text(slice_from(w, 1), kept) == STATUS_OK)
        return arena_printf(ps->p->arena, "a domain means it and all below: write %s", kept);
    if (w.n > 1 && strchr(";:,", w.p[w.n - 1]) && domain_from_text(slice_of(w.p, w.n - 1), kept) == STATUS_OK)
        return arena_printf(ps->p->arena, "leave out what is behind it: %s", kept);
    const char *scheme = memmem(w.p, w.n, "://", 3);
    if (scheme) {
        struct slice host = slice_from(w, (size_t)(scheme - w.p) + 3);
        const char *end = memchr(host.p, '/', host.n);
        host.n = end ? (size_t)(end - host.p) : host.n;
        if (domain_from_text(host, kept) == STATUS_OK)
            return arena_printf(ps->p->arena, "a domain is no link: write %s", kept);
    }
    if (w.n > 4 && memmem(w.p, w.n, "xn--", 4))
        return "what stands behind xn-- is no valid name in Punycode: write it in its own letters (bücher.example)";
    const char *at = memchr(w.p, '@', w.n);
    if (at && domain_from_text(slice_from(w, (size_t)(at - w.p) + 1), kept) == STATUS_OK)
        return arena_printf(ps->p->arena, "senders are told apart by domain: write %s", kept);
    return "a domain name is written example.org: letters, digits, hyphens, and single dots between";
}

bool parse_domain(struct parser *ps, const char **out)
{
    const struct token *t = parse_peek(ps);
    char kept[LIMIT_DOMAIN + 1];
    if (t->kind != TOKEN_WORD) {
        parse_unexpected(ps, t, "a domain name", NULL);
        return false;
    }
    enum status s = like_network(t->raw) ? STATUS_INVALID : domain_from_text(t->raw, kept);
    if (s == STATUS_LIMIT) {
        parse_error(ps, t, NULL, "%s is too long for a domain name (63 octets a label, 253 in all)",
                    parse_shown(ps, t));
        return false;
    }
    if (s != STATUS_OK) {
        parse_error(ps, t, domain_help(ps, t->raw), "%s is no domain name", parse_shown(ps, t));
        return false;
    }
    ps->at++;
    return (*out = parse_copy(ps, slice_str(kept))) != NULL;
}

bool parse_list_name(struct parser *ps, const char **out)
{
    const struct token *t = parse_peek(ps);
    bool ok = t->kind == TOKEN_WORD && t->raw.n <= 60;
    for (size_t i = 0; ok && i < t->raw.n; i++) {
        char c = t->raw.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             c == '.';
    }
    if (!ok) {
        parse_error(ps, t, "names of lists are letters, digits, '-', '_' and '.', at most 60",
                    "expected the name of a list, found %s", parse_shown(ps, t));
        return false;
    }
    ps->at++;
    return (*out = parse_copy(ps, t->raw)) != NULL;
}

/* `everyone` mistyped would silently be a top-level domain that does not exist. */
static bool mistyped(struct parser *ps, const struct token *t)
{
    static const char *const words[] = {"everyone", "everybody", "submission"};
    const char *dot = memchr(t->raw.p, '.', t->raw.n);
    if (dot && dot != t->raw.p + t->raw.n - 1)
        return false;
    const char *near = words_nearest(t->raw, words, 3);
    if (!near && !parse_is(t, "all") && !parse_is(t, "anyone"))
        return false;
    if (!near || strcmp(near, "everybody") == 0)
        near = "everyone";
    parse_error(ps, t, arena_printf(ps->p->arena, "did you mean '%s'?", near), "expected who is meant, found %s",
                parse_shown(ps, t));
    return true;
}

bool parse_who(struct parser *ps, struct policy_party *out)
{
    static const char *const words[] = {"everyone", "only", "list", "submission", NULL};
    const struct token *t = parse_peek(ps);
    if (t->kind != TOKEN_WORD) {
        parse_unexpected(ps, t, "who is meant (everyone, a domain, only DOMAIN, list NAME, a network)", words);
        return false;
    }
    if (parse_accept(ps, "everyone")) {
        out->kind = POLICY_EVERYONE;
        return true;
    }
    if (parse_accept(ps, "submission")) {
        out->kind = POLICY_SUBMITTERS;
        return true;
    }
    if (parse_accept(ps, "list")) {
        out->kind = POLICY_IN_LIST;
        ps->item.who_word = parse_peek(ps)->raw;
        return parse_list_name(ps, &out->name);
    }
    if (parse_accept(ps, "only")) {
        out->kind = POLICY_ONLY;
        return parse_domain(ps, &out->name);
    }
    if (like_network(t->raw) && !memmem(t->raw.p, t->raw.n, "://", 3))
        return parse_network(ps, out);
    if (mistyped(ps, t))
        return false;
    out->kind = POLICY_DOMAIN;
    return parse_domain(ps, &out->name);
}

/* An address with its local part in lower case and its domain canonical. */
static bool parse_address(struct parser *ps, const struct token *t, size_t at, struct policy_party *out)
{
    char kept[LIMIT_DOMAIN + 1], local[LIMIT_LOCAL_PART * 4 + 1];
    if (at == 0 || at >= sizeof local || domain_from_text(slice_from(t->raw, at + 1), kept) != STATUS_OK ||
        at + 1 + strlen(kept) > KEYSET_KEY_MAX) {
        parse_error(ps, t, "addresses are written name@domain", "%s is no address", parse_shown(ps, t));
        return false;
    }
    for (size_t i = 0; i < at; i++)
        local[i] = (char)(t->raw.p[i] >= 'A' && t->raw.p[i] <= 'Z' ? t->raw.p[i] + ('a' - 'A') : t->raw.p[i]);
    out->kind = POLICY_ADDRESS;
    out->name = arena_printf(ps->p->arena, "%.*s@%s", (int)at, local, kept);
    if (!out->name)
        ps->ld->out_of_memory = true;
    ps->at++;
    return out->name != NULL;
}

bool parse_whom(struct parser *ps, struct policy_party *out)
{
    static const char *const words[] = {"list", NULL};
    const struct token *t = parse_peek(ps);
    if (t->kind != TOKEN_WORD) {
        parse_unexpected(ps, t, "a recipient (a domain, an address, list NAME)", words);
        return false;
    }
    if (parse_accept(ps, "list")) {
        out->kind = POLICY_IN_LIST;
        ps->item.whom_word = parse_peek(ps)->raw;
        return parse_list_name(ps, &out->name);
    }
    if (parse_is(t, "everyone")) {
        parse_error(ps, t, "leave 'writing to' away", "a statement without 'writing to' is already for all recipients");
        return false;
    }
    const char *sign = memrchr(t->raw.p, '@', t->raw.n);
    if (sign)
        return parse_address(ps, t, (size_t)(sign - t->raw.p), out);
    out->kind = POLICY_DOMAIN;
    return parse_domain(ps, &out->name);
}
