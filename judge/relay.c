// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay.c - reading the client's address from Received fields that relays of ours wrote (RFC 5321 4.4).
 *
 * Forms read, before the word "by":
 *     from HELO (name [ADDRESS] ...)         Postfix, Sendmail, RFC 5321
 *     from HELO ([ADDRESS] ...)              Sendmail, Exim without reverse name
 *     from name ([ADDRESS] helo=HELO)        Exim
 *     from [ADDRESS] (helo=HELO ...)         Exim; also port=
 *     from name (HELO HELO) (ADDRESS)        qmail
 *     from name (ADDRESS)                    Exchange and others; ADDRESS, or [ADDRESS]
 * A comment of another shape (TLS, client certificate: its subject may hold anything) is passed over. Two comments of
 * these shapes: refused, since one of them may be the client's own words. Nothing of a HELO is ever taken for the
 * address.
 */
#include "judge/relay.h"
#include "policy/policy.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice skip_blanks(struct slice s)
{
    while (s.n && blank(s.p[0]))
        s = slice_from(s, 1);
    return s;
}

/* The next word: up to a blank or a parenthesis. */
static struct slice take_word(struct slice *s)
{
    size_t n = 0;
    struct slice w;

    while (n < s->n && !blank(s->p[n]) && s->p[n] != '(' && s->p[n] != ')')
        n++;
    w = slice_of(s->p, n);
    *s = slice_from(*s, n);
    return w;
}

/* The inside of the comment that *s begins with (RFC 5322 3.2.2: nested, quoted pairs; quoted strings as Postfix writes
 * certificate names). False where it does not end. */
static bool take_comment(struct slice *s, struct slice *inside)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < s->n; i++) {
        char c = s->p[i];
        if (c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == '(') {
            depth++;
        } else if (!quoted && c == ')' && --depth == 0) {
            *inside = slice_of(s->p + 1, i - 1);
            *s = slice_from(*s, i + 1);
            return true;
        }
    }
    return false;
}

static bool begins(struct slice s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* "[ADDRESS]" and nothing else. */
static bool literal(struct slice w, struct ip *out)
{
    return w.n > 2 && w.p[0] == '[' && w.p[w.n - 1] == ']' &&
           ip_from_text(slice_of(w.p + 1, w.n - 2), out) == STATUS_OK;
}

/* A comment that tells the client's address: [name] "[ADDRESS]" ..., or ADDRESS alone. */
static bool tcp_info(struct slice inside, struct ip *out, struct slice *helo)
{
    struct slice rest = skip_blanks(inside), w = take_word(&rest);

    if (slice_trim(rest).n == 0 && w.n && w.p[0] != '[')
        return ip_from_text(w, out) == STATUS_OK;
    if (w.n == 0 || w.p[0] != '[') {
        rest = skip_blanks(rest);
        w = take_word(&rest);
    }
    if (!literal(w, out))
        return false;
    rest = skip_blanks(rest);
    if (begins(rest, "helo=")) {
        rest = slice_from(rest, 5);
        *helo = take_word(&rest);
    }
    return true;
}

/* An Exim comment behind a literal: what the client said, and from which port. */
static bool exim_words(struct slice inside, struct slice *helo)
{
    struct slice rest = skip_blanks(inside);
    bool any = false;

    while (rest.n) {
        struct slice w = take_word(&rest);
        if (begins(w, "helo=")) {
            *helo = slice_from(w, 5);
            any = true;
        } else if (begins(w, "port=")) {
            any = true;
        }
        if (w.n == 0)
            break;
        rest = skip_blanks(rest);
    }
    return any;
}

struct clause {
    struct ip from_literal; /* the word behind "from", where it is an address literal */
    struct relay_hop hop;
    unsigned told; /* comments that tell an address */
    bool exim;
};

static enum status read_comments(struct slice *rest, struct clause *c)
{
    struct slice inside;

    while (rest->n && rest->p[0] == '(') {
        struct ip address;
        if (!take_comment(rest, &inside))
            return STATUS_INVALID;
        struct slice body = skip_blanks(inside);
        if (tcp_info(inside, &address, &c->hop.helo)) {
            c->hop.client = address;
            c->told++;
        } else if (begins(body, "HELO ") || begins(body, "EHLO ")) {
            c->hop.helo = slice_trim(slice_from(body, 5));
        } else if (c->from_literal.family && exim_words(inside, &c->hop.helo)) {
            c->exim = true;
        }
        *rest = skip_blanks(*rest);
    }
    return STATUS_OK;
}

enum status relay_read(struct slice received, struct relay_hop *out)
{
    struct slice rest = skip_blanks(received), w = take_word(&rest), helo;
    struct clause c = {0};

    if (!slice_eq_nocase(w, SLICE_LIT("from")))
        return STATUS_INVALID;
    rest = skip_blanks(rest);
    helo = take_word(&rest);
    if (!literal(helo, &c.from_literal))
        c.from_literal = (struct ip){0};
    rest = skip_blanks(rest);
    if (read_comments(&rest, &c) != STATUS_OK)
        return STATUS_INVALID;
    w = take_word(&rest);
    if (helo.n == 0 || !slice_eq_nocase(w, SLICE_LIT("by")) || c.told > 1)
        return STATUS_INVALID;
    if (c.told == 0) {
        if (!c.exim)
            return STATUS_INVALID;
        c.hop.client = c.from_literal;
    }
    if (c.hop.helo.n == 0 && !c.exim)
        c.hop.helo = helo;
    *out = c.hop;
    return STATUS_OK;
}

/* Whether an Assay-Verdict field stands above the first Received field: where only the host that handed the mail on can
 * have put it. */
static bool verdict_on_top(const struct header_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (header_is(&list->fields[i], "Received"))
            return false;
        if (header_is(&list->fields[i], "Assay-Verdict"))
            return true;
    }
    return false;
}

enum status relay_find(struct arena *a, const struct header_list *list, const struct policy *p,
                       struct relay_client *out)
{
    char text[IP_TEXT];

    *out = (struct relay_client){.judged = verdict_on_top(list)};
    for (unsigned i = 1; i <= RELAY_HOPS_MAX; i++) {
        const struct header_field *f = header_find(list, "Received", i);
        struct relay_hop hop;
        if (!f || relay_read(f->value, &hop) != STATUS_OK) {
            out->reason = arena_printf(a,
                                       f ? "the relay's Received field (number %u) does not tell the client"
                                         : "there is no Received field of the relay (number %u)",
                                       i);
            return out->reason ? STATUS_OK : STATUS_NOMEM;
        }
        if (policy_is_relay(p, &hop.client))
            continue;
        out->known = true;
        out->hop = hop;
        out->received = i;
        out->reason = arena_printf(a, "%s, by the relay's Received field (number %u)", ip_text(&hop.client, text), i);
        return out->reason ? STATUS_OK : STATUS_NOMEM;
    }
    out->reason = "too many relays of ours in a row";
    return STATUS_OK;
}
