// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay.c - reads the client's address from Received fields that our relays wrote (RFC 5321 4.4).
 *
 * Forms read, before the word "by":
 *     from HELO (name [ADDRESS] ...)         Postfix, Sendmail, RFC 5321
 *     from HELO ([ADDRESS] ...)              Sendmail, Exim without reverse name
 *     from name ([ADDRESS] helo=HELO)        Exim
 *     from [ADDRESS] (helo=HELO ...)         Exim; also port=
 *     from name (HELO HELO) (ADDRESS)        qmail; ident@ADDRESS too
 *     from name (ADDRESS)                    Exchange and others; ADDRESS, or [ADDRESS]
 *     from [ADDRESS] (HELO HELO) by host (CommuniGate Pro ...)   "account NAME" may stand before HELO
 * ADDRESS may have :PORT after its bracket (Exim). A comment of another shape (TLS, client certificate: its subject may
 * hold anything) is skipped. A field with two comments of these shapes is refused, because one of them may be the
 * client's own text. Text of a HELO is never taken for the address.
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

/* Returns the inside of the comment at the start of *s (RFC 5322 3.2.2: nested, quoted pairs; quoted strings as Postfix
 * writes certificate names). False if it does not end. */
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

static bool text_begins_nocase(struct slice s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* "[ADDRESS]", perhaps with ":PORT", and nothing else. */
static bool literal(struct slice w, struct ip *out)
{
    size_t end = w.n;

    while (end && w.p[end - 1] >= '0' && w.p[end - 1] <= '9')
        end--;
    if (end < w.n && end && w.p[end - 1] == ':')
        w.n = end - 1;
    return w.n > 2 && w.p[0] == '[' && w.p[w.n - 1] == ']' &&
           ip_from_text(slice_of(w.p + 1, w.n - 2), out) == STATUS_OK;
}

/* ADDRESS, or the user that identd reported, "@" and ADDRESS. */
static bool bare_address(struct slice w, struct ip *out)
{
    for (size_t i = w.n; i-- > 0;)
        if (w.p[i] == '@')
            return ip_from_text(slice_from(w, i + 1), out) == STATUS_OK;
    return ip_from_text(w, out) == STATUS_OK;
}

/* A comment that tells the client's address: [name] "[ADDRESS]" ..., or ADDRESS alone. */
static bool tcp_info(struct slice inside, struct ip *out, struct slice *helo, struct slice *name)
{
    struct slice rest = skip_blanks(inside), w = take_word(&rest);

    if (slice_trim(rest).n == 0 && w.n && w.p[0] != '[')
        return bare_address(w, out);
    *name = SLICE_NULL;
    if (w.n == 0 || w.p[0] != '[') {
        *name = w;
        rest = skip_blanks(rest);
        w = take_word(&rest);
    }
    if (!literal(w, out))
        return false;
    rest = skip_blanks(rest);
    if (text_begins_nocase(rest, "helo=")) {
        rest = slice_from(rest, 5);
        *helo = take_word(&rest);
    }
    return true;
}

/* An Exim comment after a literal: the client's HELO, and its port. */
static bool exim_words(struct slice inside, struct slice *helo)
{
    struct slice rest = skip_blanks(inside);
    bool any = false;

    while (rest.n) {
        struct slice w = take_word(&rest);
        if (text_begins_nocase(w, "helo=")) {
            *helo = slice_from(w, 5);
            any = true;
        } else if (text_begins_nocase(w, "port=")) {
            any = true;
        }
        if (w.n == 0)
            break;
        rest = skip_blanks(rest);
    }
    return any;
}

struct clause {
    struct ip from_literal; /* the word after "from", if it is an address literal */
    struct relay_hop hop;
    unsigned told;      /* number of comments that tell an address */
    bool exim, greeted; /* after the literal is the comment that Exim writes; "HELO ..." */
};

/* "HELO x", and CommuniGate's "account NAME HELO x": *helo is x. */
static bool greeting(struct slice inside, struct slice *helo)
{
    struct slice rest = skip_blanks(inside);

    if (text_begins_nocase(rest, "account ")) {
        rest = skip_blanks(slice_from(rest, 8));
        take_word(&rest);
        rest = skip_blanks(rest);
    }
    if (!text_begins_nocase(rest, "HELO ") && !text_begins_nocase(rest, "EHLO "))
        return false;
    *helo = slice_trim(slice_from(rest, 5));
    return true;
}

static enum status read_comments(struct slice *rest, struct clause *c)
{
    struct slice inside;

    while (rest->n && rest->p[0] == '(') {
        struct ip address;
        struct slice name;
        if (!take_comment(rest, &inside))
            return STATUS_INVALID;
        if (greeting(inside, &c->hop.helo)) {
            c->greeted = true;
        } else if (tcp_info(inside, &address, &c->hop.helo, &name)) {
            c->hop.client = address;
            c->hop.name = name;
            c->told++;
        } else if (c->from_literal.family && exim_words(inside, &c->hop.helo)) {
            c->exim = true;
        }
        *rest = skip_blanks(*rest);
    }
    return STATUS_OK;
}

/* Reads who wrote the field, after "by": a name or literal, and a comment with its name and address; CommuniGate names
 * itself in the next comment. */
static void read_writer(struct slice rest, struct relay_hop *hop, bool *communigate)
{
    struct slice inside, helo = SLICE_NULL;
    struct ip address;

    rest = skip_blanks(rest);
    hop->by = take_word(&rest);
    if (!literal(hop->by, &hop->by_address) && ip_from_text(hop->by, &hop->by_address) != STATUS_OK)
        hop->by_address = (struct ip){0};
    rest = skip_blanks(rest);
    while (rest.n && rest.p[0] == '(' && take_comment(&rest, &inside)) {
        *communigate |= text_begins_nocase(skip_blanks(inside), "CommuniGate Pro");
        if (!hop->by_name.n && tcp_info(inside, &address, &helo, &hop->by_name) && !hop->by_address.family)
            hop->by_address = address;
        rest = skip_blanks(rest);
    }
}

enum status relay_read(struct slice received, struct relay_hop *out)
{
    struct slice rest = skip_blanks(received), w = take_word(&rest);
    struct clause c = {0};
    bool communigate = false;

    if (!slice_eq_nocase(w, SLICE_LIT("from")))
        return STATUS_INVALID;
    rest = skip_blanks(rest);
    c.hop.from = take_word(&rest);
    if (!literal(c.hop.from, &c.from_literal))
        c.from_literal = (struct ip){0};
    rest = skip_blanks(rest);
    if (read_comments(&rest, &c) != STATUS_OK)
        return STATUS_INVALID;
    w = take_word(&rest);
    if (c.hop.from.n == 0 || !slice_eq_nocase(w, SLICE_LIT("by")) || c.told > 1)
        return STATUS_INVALID;
    read_writer(rest, &c.hop, &communigate);
    if (c.told == 0) {
        if (!c.from_literal.family || !(c.exim || (c.greeted && communigate)))
            return STATUS_INVALID;
        c.hop.client = c.from_literal;
    }
    if (c.hop.helo.n == 0 && !c.exim)
        c.hop.helo = c.hop.from;
    *out = c.hop;
    return STATUS_OK;
}

/* ---- from hop to hop ---- */

/* True for a name that a host would give itself: not "unknown", and not blank. */
static bool same_host(struct slice a, struct slice b)
{
    if (a.n && a.p[a.n - 1] == '.')
        a.n--;
    if (b.n && b.p[b.n - 1] == '.')
        b.n--;
    return a.n && slice_eq_nocase(a, b) && !slice_eq_nocase(a, SLICE_LIT("unknown"));
}

static bool is_named(const struct relay_hop *before, const struct slice names[2], bool by_itself)
{
    for (int i = 0; i < 2; i++) {
        if (same_host(names[i], before->from) || same_host(names[i], before->name) || same_host(names[i], before->helo))
            return true;
        if (by_itself && (same_host(names[i], before->by) || same_host(names[i], before->by_name)))
            return true;
    }
    return false;
}

/* Tells whether `next` was written by the host that passed the mail to the writer of `before`. by_itself: that was the
 * same host, so its own names are accepted too. */
static bool was_written_by(const struct relay_hop *next, const struct relay_hop *before, bool by_itself)
{
    const struct slice names[2] = {next->by, next->by_name};

    return (next->by_address.family && ip_eq(&next->by_address, &before->client)) || is_named(before, names, by_itself);
}

/* Loopback, private and link-local addresses (RFC 1122 3.2.1.3, RFC 1918, RFC 4193, RFC 3927, RFC 4291): only hosts of
 * the relay's own network connect from there. */
static bool is_inside(const struct ip *a)
{
    static const char *const nets[] = {"10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                       "169.254.0.0/16", "fc00::/7",      "fe80::/10"};
    struct ip_net net;

    if (ip_is_loopback(a))
        return true;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if (ip_net_from_text(slice_str(nets[i]), &net) == STATUS_OK && ip_in_net(a, &net))
            return true;
    return false;
}

static enum status client_set_reason(struct relay_client *out, const char *reason)
{
    out->reason = reason;
    return reason ? STATUS_OK : STATUS_NOMEM;
}

enum status relay_find(struct arena *a, const struct header_list *list, const struct policy *p, const struct ip *peer,
                       struct relay_client *out)
{
    struct relay_hop before = {0};
    bool by_itself = false;
    char text[IP_TEXT];

    *out = (struct relay_client){0};
    for (unsigned i = 1; i <= RELAY_HOPS_MAX; i++) {
        const struct header_field *f = header_find(list, "Received", i);
        struct relay_hop hop;
        if (!f)
            return client_set_reason(out, arena_printf(a, "there is no Received field of the relay (number %u)", i));
        if (relay_read(f->value, &hop) != STATUS_OK)
            return client_set_reason(
                out, arena_printf(a, "the relay's Received field (number %u) does not tell the client", i));
        if (i > 1 && !was_written_by(&hop, &before, by_itself))
            return client_set_reason(
                out, arena_printf(a, "Received field number %u was not written by the host before it", i));
        by_itself = is_inside(&hop.client) || (peer->family && ip_eq(&hop.client, peer));
        if (!by_itself && !policy_is_relay(p, &hop.client) && !policy_is_own_network(p, &hop.client)) {
            out->known = true;
            out->hop = hop;
            out->received = i;
            return client_set_reason(
                out, arena_printf(a, "%s, by the relay's Received field (number %u)", ip_text(&hop.client, text), i));
        }
        before = hop;
    }
    return client_set_reason(out, "too many hosts of ours in a row");
}
