// SPDX-License-Identifier: BSD-2-Clause
/*
 * parse_hints.c - what somebody most likely meant who wrote something that no statement has.
 *
 * Forms of other programs, of other languages' dates, and of word processors. A hint is never a guess between two: of
 * a form that can mean two things (01/02/2027) it says how the right one is written. Pure; texts in the policy's arena.
 */
#include "policy/parser.h"
#include "base/calendar.h"
#include "base/utf8.h"
#include "base/words.h"
#include <stdio.h>

static const struct {
    const char *found, *meant;
} others[] = {
    {"for", "of"},         {"from", "of"},         {"else", "otherwise"},  {"or", "otherwise"},
    {"until", "through"},  {"till", "through"},    {"to", "through"},      {"expires", "through"},
    {"reason", "because"}, {"approved", "agreed"}, {"by", "agreed"},       {"refuse", "reject"},
    {"bounce", "reject"},  {"drop", "reject"},     {"deny", "reject"},     {"block", "reject"},
    {"discard", "reject"}, {"junk", "quarantine"}, {"spam", "quarantine"}, {"mark", "tag"},
    {"tempfail", "defer"}, {"higher", "newer"},    {"later", "newer"},     {"above", "newer"},
    {"better", "newer"},   {"greater", "newer"},   {"older", "newer"},
};

static bool is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && slice_eq(t->raw, slice_str(word));
}

const char *hint_other_word(const struct token *t, const char *const *words)
{
    for (size_t i = 0; words && t->kind == TOKEN_WORD && i < sizeof others / sizeof *others; i++)
        for (size_t k = 0; is_word(t, others[i].found) && words[k]; k++)
            if (strcmp(words[k], others[i].meant) == 0)
                return others[i].meant;
    return NULL;
}

bool hint_is_quote(struct slice s)
{
    static const char *const quotes[] = {"\xe2\x80\x9c",
                                         "\xe2\x80\x9d",
                                         "\xe2\x80\x9e",
                                         "\xe2\x80\x98",
                                         "\xe2\x80\x99",
                                         "\xe2\x80\x9a",
                                         "\xc2\xab",
                                         "\xc2\xbb",
                                         "'",
                                         "`"};
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
        if (slice_begins(s, quotes[i]))
            return true;
    return false;
}

/* The first octets of the word that are no ASCII; empty: there are none. */
static struct slice foreign(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return slice_of(s.p + i, utf8_length(slice_from(s, i)));
    return SLICE_NULL;
}

const char *hint_letters(struct parser *ps, const struct token *t, const char *near)
{
    struct slice letter = t->kind == TOKEN_WORD ? foreign(t->raw) : SLICE_NULL;
    if (!letter.n)
        return NULL;
    unsigned point = (unsigned)utf8_point(letter);
    if (point == 0xa0 || point == 0x202f || point == 0x2007)
        return arena_printf(ps->p->arena, "between the words stands a no-break space (U+%04X): write a plain one",
                            point);
    return near ? arena_printf(ps->p->arena, "the letter U+%04X only looks like one of ours: write '%s'", point, near)
                : NULL;
}

/* A misspelt "list", "every", "names" or "only" was read as a domain, so the word behind it is unexpected: "of lst
 * government", "of evry name". Suggests the right word. */
static const char *hint_before(struct parser *ps, const struct token *t)
{
    static const char *const words[] = {"list", "every", "names", "only"};
    if (t - ps->l->tokens < 2 || !is_word(&t[-2], "of") || t[-1].kind != TOKEN_WORD ||
        memchr(t[-1].raw.p, '.', t[-1].raw.n))
        return NULL;
    const char *near = words_nearest(t[-1].raw, words, sizeof words / sizeof *words);
    return near ? arena_printf(ps->p->arena, "did you mean '%s' in place of '%.*s'?", near, SLICE_ARG(t[-1].raw))
                : NULL;
}

/* Tells whether this is the first word of a text for the sender, behind an action, without its quotes. */
static bool is_text_for_peer(const struct parser *ps, const struct token *t)
{
    return t->kind == TOKEN_WORD && t - ps->l->tokens >= 2 && is_word(&t[-2], "otherwise") &&
           (is_word(&t[-1], "reject") || is_word(&t[-1], "defer"));
}

static bool is_number(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

const char *hint_form(struct parser *ps, const struct token *t)
{
    if (t->kind == TOKEN_WORD && (slice_begins(t->raw, "//") || slice_begins(t->raw, "--") ||
                                  slice_begins(t->raw, ";") || slice_begins(t->raw, "/*")))
        return "comments begin with #";
    if (t->kind == TOKEN_WORD && hint_is_quote(t->raw))
        return "use the plain double quote: \"";
    if (is_word(t, "=") || is_word(t, ":"))
        return "settings are written without it: set mode enforce";
    if (t == ps->l->tokens) {
        struct slice name = slice_of(t->raw.p, t->raw.n - (t->raw.n && strchr(":=", t->raw.p[t->raw.n - 1]) ? 1 : 0));
        if (is_word(t, "of") || is_word(t, "everyone"))
            return "a statement begins with what is asked: require dmarc of everyone";
        return slice_eq(name, SLICE_LIT("mode")) || (name.n > 3 && memchr(name.p, '.', name.n))
                   ? arena_printf(ps->p->arena, "a setting is written: set %.*s VALUE", SLICE_ARG(name))
                   : NULL;
    }
    if (is_text_for_peer(ps, t))
        return arena_printf(ps->p->arena, "put the text for the sender in double quotes: %.*s \"...\"",
                            SLICE_ARG(t[-1].raw));
    const char *before = hint_before(ps, t);
    if (before)
        return before;
    if (is_word(ps->l->tokens, "set") && is_number(t[-1].raw) && t->raw.n && strchr("smhdw", t->raw.p[0]))
        return arena_printf(ps->p->arena, "a number and its unit are one word: %.*s%c", SLICE_ARG(t[-1].raw),
                            t->raw.p[0]);
    return NULL;
}

const char *hint_date(struct parser *ps, const struct token *t)
{
    char text[32], fault[CALENDAR_FAULT];
    unsigned y = 0, m = 0, d = 0;
    int end = 0;
    snprintf(text, sizeof text, "%.*s", (int)(t->raw.n < sizeof text - 1 ? t->raw.n : sizeof text - 1), t->raw.p);
    if (t->kind == TOKEN_STRING)
        return "dates are written without quotes: 2027-03-31 (year, month, day)";
    bool whole = (sscanf(text, "%4u-%2u-%2u%n", &y, &m, &d, &end) == 3 && (!text[end] || text[end] == 'T')) ||
                 (sscanf(text, "%4u/%2u/%2u%n", &y, &m, &d, &end) == 3 && !text[end]) ||
                 (sscanf(text, "%4u.%2u.%2u%n", &y, &m, &d, &end) == 3 && !text[end]) ||
                 (sscanf(text, "%2u.%2u.%4u%n", &d, &m, &y, &end) == 3 && !text[end] && y > 1000) ||
                 (sscanf(text, "%4u%2u%2u%n", &y, &m, &d, &end) == 3 && end == 8 && !text[end]);
    if (whole && y > 1000 && m >= 1 && m <= 12 && d >= 1 && d <= 31) {
        snprintf(text, sizeof text, "%04u-%02u-%02u", y % 10000, m, d);
        if (calendar_fault(slice_str(text), fault))
            return arena_printf(ps->p->arena, "there is no day %s: %s", text, fault);
        return policy_day(slice_str(text), 0) ? arena_printf(ps->p->arena, "did you mean %s?", text)
                                              : "the first year that can be written is 1971";
    }
    if (whole && y > 1000 && (m < 1 || m > 12))
        return "there is no such month: dates are written 2027-03-31 (year, month, day)";
    return "dates are written 2027-03-31 (year, month, day)";
}

/* "255.255.255.0" as 24; 0: it is no such mask. */
static unsigned mask_bits(struct slice s)
{
    struct ip ip;
    unsigned n = 0;
    if (ip_from_text(s, &ip) != STATUS_OK || ip.family != 4)
        return 0;
    while (n < 32 && (ip.octets[n / 8] & (0x80 >> n % 8)))
        n++;
    struct ip_net net = ip_net_of(&ip, n);
    return ip_eq(&net.base, &ip) ? n : 0;
}

const char *hint_network(struct parser *ps, const struct token *t)
{
    static const char usual[] = "networks are written 192.0.2.0/24 or 2001:db8::/32, single addresses without /";
    char text[IP_NET_TEXT], full[24];
    unsigned a, b, c, bits = 0;
    int end = 0;
    struct ip ip;
    const char *slash = memchr(t->raw.p, '/', t->raw.n);
    struct slice address = slash ? slice_of(t->raw.p, (size_t)(slash - t->raw.p)) : t->raw;
    if (is_word(t, "localhost"))
        return "this host is 127.0.0.0/8, and ::1";
    if (slash && ip_from_text(address, &ip) == STATUS_OK) {
        bits = mask_bits(slice_from(t->raw, address.n + 1));
        struct ip_net net = ip_net_of(&ip, bits);
        if (bits && ip.family == 4)
            return arena_printf(ps->p->arena, "did you mean %s?", ip_net_text(&net, text));
        return ip.family == 4 ? "behind / stands a number from 0 to 32" : "behind / stands a number from 0 to 128";
    }
    snprintf(full, sizeof full, "%.*s", (int)(t->raw.n < sizeof full - 1 ? t->raw.n : sizeof full - 1), t->raw.p);
    if (sscanf(full, "%3u.%3u.%3u%n", &a, &b, &c, &end) == 3 && a < 256 && b < 256 && c < 256 &&
        (strcmp(full + end, "") == 0 || strcmp(full + end, ".") == 0 || strcmp(full + end, ".*") == 0 ||
         strcmp(full + end, ".x") == 0))
        return arena_printf(ps->p->arena, "did you mean %u.%u.%u.0/24?", a, b, c);
    if (memchr(t->raw.p, '-', t->raw.n) && t->raw.p[0] >= '0' && t->raw.p[0] <= '9')
        return "write a range as networks with commas: 192.0.2.0/25, 192.0.2.128/26";
    for (size_t i = 0; i < t->raw.n; i++)
        if (strchr("ghijklmnopqrstuvwxyz", t->raw.p[i]))
            return "a host is named by its address here: 192.0.2.10";
    return usual;
}
