// SPDX-License-Identifier: BSD-2-Clause
/*
 * mailaddr_from.c - the From field's grammar: RFC 5322 3.4 with the obsolete forms of 4.4 that cannot mislead, and RFC
 * 6854's groups.
 *
 *   From         = mailbox-list / address-list
 *   address      = mailbox / group
 *   mailbox      = name-addr / addr-spec
 *   name-addr    = [display-name] angle-addr
 *   group        = display-name ":" [group-list] ";" [CFWS]
 *   addr-spec    = local-part "@" domain
 *
 * Promises: OK only when the whole field is one of these; every mailbox given stands in the field, once. A phrase and
 * an address begin alike, so phrase() reads words and addresses as they come, and mailbox_or_group() decides by what
 * follows: nothing is read twice in two ways. From an "@" on there is no way back: what is not an address then is an
 * error with its reason, not a word of a name.
 */
#include "base/domain.h"
#include "base/utf8.h"
#include "standards/message/author_candidates.h"
#include "standards/message/lex822.h"
#include "standards/message/mailaddr.h"

/* What a rule that may or may not be there found. */
enum found { FOUND, FOUND_NOT, FOUND_BAD };

struct from_reader {
    struct lex at;
    struct arena *arena;
    struct buf text;   /* of the rule at work */
    const char *no_at; /* no local part that begins before this is followed by "@": keeps a long dotted phrase linear */
    const char *reason;
    bool limit;
    struct mailbox box[MAILADDR_FROM_MAX];
    size_t count;
};

/* The words read before "<", ":" or the end. */
struct phrase {
    struct buf words; /* the display name */
    size_t elements;
    bool quoted, odd;       /* a quoted-string among them; something that RFC 5322 does not know there */
    struct mailbox address; /* the last address among the words; its domain is that of all others */
    size_t addresses;
};

static enum found bad(struct from_reader *r, const char *reason)
{
    if (!r->reason)
        r->reason = reason;
    return FOUND_BAD;
}

/* Tells whether "=?" charset "?" encoding "?" text "?=" (RFC 2047 2) begins here. */
static bool is_encoded_word(struct slice s)
{
    unsigned marks = 0;
    if (s.n < 2 || s.p[0] != '=' || s.p[1] != '?')
        return false;
    for (size_t i = 2; i < s.n; i++) {
        if (s.p[i] == '?' && marks >= 2 && i + 1 < s.n && s.p[i + 1] == '=')
            return true;
        marks += s.p[i] == '?';
    }
    return false;
}

/* RFC 2047 5 (3): an encoded word is never part of an address, decoded or not. */
static bool has_encoded_word(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_encoded_word(slice_from(s, i)))
            return true;
    return false;
}

/* U+FF20 and U+FE6B, which compatibility normalisation makes into "@": a reader that does so sees another address. */
static bool has_wide_at(struct slice s)
{
    return memmem(s.p, s.n, "\xef\xbc\xa0", 3) != NULL || memmem(s.p, s.n, "\xef\xb9\xab", 3) != NULL;
}

/* [CFWS] "." [CFWS]. Tells by *gap whether there was more than the dot. */
static bool dot(struct lex *l, bool *gap)
{
    struct lex at = *l;
    if (!lex_cfws(&at) || !lex_char(&at, '.') || !lex_cfws(&at))
        return false;
    *gap |= at.p - l->p > 1;
    *l = at;
    return true;
}

static bool has_at(struct slice s)
{
    return s.n && memchr(s.p, '@', s.n) != NULL;
}

/* local-part = dot-atom / quoted-string / obs-local-part; obs-local-part = word *("." word). In r->text. A quoted "@"
 * beside a gap is refused: who takes the words one by one sees an address in it. */
static bool local_part(struct from_reader *r, bool *gap)
{
    struct slice atom;
    bool quoted_at = false;
    buf_reset(&r->text);
    do {
        const size_t had = r->text.n;
        if (lex_atom(&r->at, &atom))
            buf_addslice(&r->text, atom);
        else if (!lex_quoted_string(&r->at, true, &r->text))
            return false;
        else
            quoted_at |= has_at(slice_from(buf_slice(&r->text), had));
    } while (dot(&r->at, gap) && (buf_addc(&r->text, '.'), true));
    return !(quoted_at && *gap);
}

/* domain-literal = "[" *([FWS] dtext) [FWS] "]"; dtext = %d33-90 / %d94-126. Strict: no folds, and nothing but an
 * address (RFC 5321 4.1.3), since a reader may take a name in brackets for the domain. */
static bool domain_literal(struct from_reader *r, struct slice *out)
{
    struct lex at = r->at;
    if (!lex_char(&at, '['))
        return false;
    while (lex_peek(&at) > 32 && lex_peek(&at) < 127 && !strchr("[]\\", lex_peek(&at)))
        at.p++;
    if (!lex_char(&at, ']') || !mailaddr_is_literal(slice_of(r->at.p + 1, (size_t)(at.p - r->at.p) - 2)))
        return false;
    *out = slice_of(r->at.p, (size_t)(at.p - r->at.p));
    r->at = at;
    return true;
}

/* obs-domain = atom *("." atom) with blanks or comments round its first dot, and round no other: who stops at the gap
 * sees one label, which is nobody's domain. In r->text; FOUND_NOT, with nothing taken, if there is no gap, or another.
 */
static enum found obs_domain(struct from_reader *r)
{
    struct lex at = r->at, behind;
    struct slice first, rest;
    bool gap = false, another = false;
    if (!lex_atom(&at, &first) || !dot(&at, &gap) || !gap || !lex_dot_atom(&at, &rest))
        return FOUND_NOT;
    behind = at;
    if (dot(&behind, &another))
        return FOUND_NOT;
    buf_reset(&r->text);
    buf_addslice(&r->text, first);
    buf_addc(&r->text, '.');
    buf_addslice(&r->text, rest);
    r->at = at;
    return FOUND;
}

/* domain = dot-atom / domain-literal / obs-domain */
static enum found mailbox_domain(struct from_reader *r, struct mailbox *m)
{
    struct slice text;
    char kept[LIMIT_DOMAIN + 1];
    if (domain_literal(r, &text)) {
        m->literal = arena_slice(r->arena, text);
        return FOUND;
    }
    if (obs_domain(r) == FOUND) {
        text = buf_slice(&r->text);
        m->notes |= MAILBOX_OBSOLETE;
    } else if (!lex_dot_atom(&r->at, &text)) {
        return bad(r, "the domain of an address in From cannot be read");
    }
    if (domain_from_text(text, kept) != STATUS_OK)
        return bad(r, "an address in From has something as domain that is no domain name");
    m->domain = arena_copy(r->arena, kept, strlen(kept));
    return FOUND;
}

/* [CFWS] local-part [CFWS] "@". A scan that ends without "@" would end at the same place from any later word of the
 * same dotted run. */
static bool local_part_and_at(struct from_reader *r, bool *gap)
{
    if (!lex_cfws(&r->at) || (r->no_at && r->at.p < r->no_at))
        return false;
    bool local = local_part(r, gap);
    const char *scanned = r->at.p;
    if (local && lex_cfws(&r->at) && lex_char(&r->at, '@'))
        return true;
    r->no_at = scanned;
    return false;
}

/* addr-spec, CFWS round its parts included. FOUND_NOT, with nothing taken, while no "@" has been seen. */
static enum found addr_spec(struct from_reader *r, struct mailbox *out)
{
    struct lex before = r->at;
    struct mailbox m = {.domain = NULL};
    bool gap = false;
    if (!local_part_and_at(r, &gap)) {
        r->at = before;
        return FOUND_NOT;
    }
    m.notes = gap ? MAILBOX_OBSOLETE : 0;
    struct slice local = buf_slice(&r->text);
    if (local.n > LIMIT_ADDRESS) {
        r->limit = true;
        return bad(r, "an address in From is too long");
    }
    if (!utf8_valid(local))
        return bad(r, "an address in From holds octets that are no UTF-8");
    if (has_wide_at(local))
        return bad(r, "an address in From holds a character that is shown as @");
    if (has_encoded_word(local))
        return bad(r, "an encoded word stands as an address in From");
    m.local = arena_slice(r->arena, local);
    if (!lex_cfws(&r->at))
        return bad(r, "a comment in From is not ended");
    enum found f = mailbox_domain(r, &m);
    if (f == FOUND && !lex_cfws(&r->at))
        return bad(r, "a comment in From is not ended");
    if (f == FOUND)
        *out = m;
    return f;
}

/* An address of one "@" that is no addr-spec, though its domain is beyond doubt: dots if none may stand, a colon, a dot
 * behind the domain. Nothing that another reader would begin or end something with. */
static enum found odd_address(struct from_reader *r, struct slice text, struct mailbox *out)
{
    char kept[LIMIT_DOMAIN + 1];
    const char *at = memchr(text.p, '@', text.n);
    if (!at || at == text.p || at[-1] == ':' || text.n > LIMIT_ADDRESS)
        return FOUND_NOT;
    struct slice local = slice_of(text.p, (size_t)(at - text.p)), name = slice_from(text, local.n + 1);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= 32 || text.p[i] == 127 || (strchr("\"()<>[]\\,;", text.p[i])))
            return FOUND_NOT;
    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    if (memchr(name.p, '@', name.n) || !utf8_valid(local) || has_wide_at(text) || has_encoded_word(local) ||
        domain_from_text(name, kept) != STATUS_OK)
        return FOUND_NOT;
    *out = (struct mailbox){.notes = MAILBOX_ODD_ADDRESS,
                            .local = arena_slice(r->arena, local),
                            .domain = arena_copy(r->arena, kept, strlen(kept))};
    return FOUND;
}

/* addr-spec ">", the "<" being read. */
static enum found in_brackets(struct from_reader *r, struct mailbox *out)
{
    enum found f = addr_spec(r, out);
    if (f == FOUND_NOT)
        return bad(r, "what stands between < and > in From is no address");
    if (f == FOUND && !lex_char(&r->at, '>'))
        return bad(r, "an address in From is not ended by >");
    return f;
}

/* The same with an odd address. */
static enum found odd_in_brackets(struct from_reader *r, struct mailbox *out)
{
    const char *close = r->at.p < r->at.end ? memchr(r->at.p, '>', (size_t)(r->at.end - r->at.p)) : NULL;
    if (!close || odd_address(r, slice_trim(slice_of(r->at.p, (size_t)(close - r->at.p))), out) != FOUND)
        return FOUND_NOT;
    r->at.p = close + 1;
    return FOUND;
}

/* obs-route = obs-domain-list ":"; obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain]). FOUND_NOT:
 * there is none; else the one domain that all its hosts have is in kept. */
static enum found route(struct from_reader *r, char kept[LIMIT_DOMAIN + 1])
{
    struct slice text;
    char host[LIMIT_DOMAIN + 1];
    kept[0] = '\0';
    for (;;) {
        while (lex_cfws(&r->at) && lex_char(&r->at, ','))
            ;
        if (!lex_char(&r->at, '@'))
            break;
        if (!lex_cfws(&r->at) || !lex_dot_atom(&r->at, &text) || domain_from_text(text, host) != STATUS_OK ||
            (kept[0] && strcmp(kept, host) != 0))
            return bad(r, "a source route of another domain stands in From");
        memcpy(kept, host, sizeof host);
    }
    if (!kept[0])
        return FOUND_NOT;
    return lex_char(&r->at, ':') ? FOUND : bad(r, "a source route in From is not ended by :");
}

/* [obs-route] addr-spec ">". A route is taken only by way of the address's own domain: whichever of the two a reader
 * shows, it is the same. */
static enum found routed(struct from_reader *r, struct mailbox *out)
{
    char host[LIMIT_DOMAIN + 1];
    const struct lex before = r->at;
    enum found f = route(r, host);
    if (f == FOUND_BAD)
        return f;
    if (f == FOUND_NOT) {
        r->at = before;
        return in_brackets(r, out);
    }
    f = in_brackets(r, out);
    if (f == FOUND && (!out->domain || strcmp(out->domain, host) != 0))
        return bad(r, "a source route of another domain stands in From");
    out->notes |= f == FOUND ? MAILBOX_OBSOLETE : 0u;
    return f;
}

/* angle-addr = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr, from the "<" on */
static enum found angle_addr(struct from_reader *r, struct mailbox *out)
{
    if (!lex_char(&r->at, '<'))
        return FOUND_NOT;
    const struct lex inner = r->at;
    const char *reason_before = r->reason;
    enum found f = routed(r, out);
    if (f == FOUND_BAD && !r->limit) {
        const struct lex failed = r->at;
        r->at = inner;
        f = odd_in_brackets(r, out);
        if (f == FOUND)
            r->reason = reason_before;
        else
            r->at = failed;
    }
    if (f != FOUND)
        return FOUND_BAD;
    return lex_cfws(&r->at) ? FOUND : bad(r, "a comment in From is not ended");
}

/* encoded-word (RFC 2047 2), whole, with commas and colons in its text that 5 (3) forbids in phrases and many mailers
 * put there; never "<", ">" or
 * "@", so that no address can stand in one unseen, nor quotes or parentheses, which other readers would begin something
 * with. */
static bool encoded_word(struct from_reader *r, struct phrase *ph)
{
    struct lex at = r->at;
    unsigned marks = 0;
    bool odd = false;
    if (!lex_char(&at, '=') || !lex_char(&at, '?'))
        return false;
    while (marks < 3) {
        int c = lex_peek(&at);
        if (c <= 32 || c == 127 || strchr("<>@\"()\\", c))
            return false;
        odd |= !lex_is_atext((unsigned char)c);
        marks += c == '?';
        at.p++;
    }
    if (!lex_char(&at, '=') || (odd && ph->quoted))
        return false;
    ph->odd |= odd;
    buf_addslice(&r->text, slice_of(r->at.p, (size_t)(at.p - r->at.p)));
    r->at = at;
    return true;
}

/* "." (obs-phrase) behind another word; square brackets. */
static bool odd_word(struct from_reader *r, struct phrase *ph)
{
    int c = lex_peek(&r->at);
    bool bracket = c == '[' || c == ']';
    if (!(bracket ? !ph->quoted : c == '.' && ph->elements))
        return false;
    ph->odd |= bracket;
    buf_addc(&r->text, (char)c);
    r->at.p++;
    return true;
}

/* word = atom / quoted-string; and what else stands in phrases. In r->text. Odd words only if there is no
 * quoted-string: beside one, some readers see other addresses than we do. */
static bool word(struct from_reader *r, struct phrase *ph)
{
    struct slice atom;
    buf_reset(&r->text);
    if (encoded_word(r, ph))
        return true;
    if (lex_atom(&r->at, &atom)) {
        buf_addslice(&r->text, atom);
        return true;
    }
    if (odd_word(r, ph))
        return true;
    if (ph->odd || !lex_quoted_string(&r->at, false, &r->text))
        return false;
    ph->quoted = true;
    return true;
}

/* One more address among the words: a second domain there is nobody's display name. */
static enum found note_address(struct from_reader *r, struct phrase *ph, const struct mailbox *m)
{
    if (ph->addresses && (!m->domain || !ph->address.domain || strcmp(m->domain, ph->address.domain) != 0))
        return bad(r, "From holds addresses that no comma separates");
    ph->address = *m;
    ph->addresses++;
    return FOUND;
}

/* phrase: words, obs-phrase, and addresses that stand where the last words should. Empty is FOUND too. */
static enum found phrase(struct from_reader *r, struct phrase *ph)
{
    for (;;) {
        struct mailbox m;
        const char *start = r->at.p;
        if (!lex_cfws(&r->at))
            return bad(r, "a comment in From is not ended");
        bool gap = r->at.p != start && ph->words.n;
        start = r->at.p;
        enum found f = addr_spec(r, &m);
        if (f == FOUND) {
            f = note_address(r, ph, &m);
            buf_reset(&r->text);
            buf_addslice(&r->text, slice_trim(slice_of(start, (size_t)(r->at.p - start))));
        }
        if (f == FOUND_BAD)
            return f;
        if (f == FOUND_NOT && (ph->addresses || !word(r, ph)))
            return FOUND;
        if (gap)
            buf_addc(&ph->words, ' ');
        buf_addslice(&ph->words, buf_slice(&r->text));
        ph->elements++;
    }
}

static enum found add_mailbox(struct from_reader *r, const struct mailbox *m, const struct buf *display)
{
    if (r->count == MAILADDR_FROM_MAX) {
        r->limit = true;
        return bad(r, "From holds too many addresses");
    }
    r->box[r->count] = *m;
    if (display)
        r->box[r->count].display = arena_slice(r->arena, buf_slice(display));
    r->count++;
    return FOUND;
}

/* name-addr: the words are read, "<" is next. */
static enum found name_addr(struct from_reader *r, const struct phrase *ph)
{
    struct mailbox m;
    enum found f = angle_addr(r, &m);
    if (f != FOUND)
        return f;
    if (ph->addresses && (!m.domain || !ph->address.domain || strcmp(m.domain, ph->address.domain) != 0))
        return bad(r, "From shows an address of another domain in the place of a name");
    return add_mailbox(r, &m, &ph->words);
}

static enum found list(struct from_reader *r, bool in_group);

/* group: the display name is read, ":" is next. */
static enum found group(struct from_reader *r, const struct phrase *ph)
{
    if (ph->elements == 0 || ph->addresses)
        return bad(r, "a group in From has no proper name");
    if (!lex_char(&r->at, ':'))
        return FOUND_NOT;
    enum found f = list(r, true);
    if (f != FOUND_BAD && (!lex_char(&r->at, ';') || !lex_cfws(&r->at)))
        return bad(r, "a group in From is not ended by ;");
    return f == FOUND_BAD ? f : FOUND;
}

static enum found mailbox_or_group_behind(struct from_reader *r, struct phrase *ph, bool in_group)
{
    enum found f = phrase(r, ph);
    if (f == FOUND_BAD)
        return f;
    int next = lex_peek(&r->at);
    if (next == '<')
        return name_addr(r, ph);
    if (next == ':' && !in_group)
        return group(r, ph);
    if (ph->elements == 0)
        return FOUND_NOT;
    if (ph->elements > 1 || ph->addresses != 1)
        return bad(r, ph->addresses ? "words stand beside an address in From that has no < and >"
                                    : "From holds words that are no address");
    return add_mailbox(r, &ph->address, NULL);
}

/* address = mailbox / group; within a group only mailboxes */
static enum found from_address(struct from_reader *r, bool in_group)
{
    struct phrase ph = {.words = BUF_INIT};
    enum found f = mailbox_or_group_behind(r, &ph, in_group);
    if (ph.words.failed)
        f = FOUND_BAD;
    buf_release(&ph.words);
    return f;
}

/* mailbox-list, address-list and group-list with the empty places that obs-mbox-list, obs-addr-list and obs-group-list
 * allow. FOUND_NOT: all places are empty. Stops if no "," follows. */
static enum found list(struct from_reader *r, bool in_group)
{
    bool any = false;
    do {
        enum found f = from_address(r, in_group);
        if (f == FOUND_BAD)
            return f;
        any |= f == FOUND;
    } while (lex_char(&r->at, ','));
    return any ? FOUND : FOUND_NOT;
}

static enum status hand_out(struct from_reader *r, struct mailbox **out, size_t *count, const char **reason)
{
    struct mailbox *all = ARENA_ARRAY(r->arena, struct mailbox, r->count);
    if (!all) {
        *reason = "out of memory";
        return STATUS_NOMEM;
    }
    if (r->count)
        memcpy(all, r->box, r->count * sizeof *all);
    *out = all;
    *count = r->count;
    return STATUS_OK;
}

static enum status from(struct from_reader *r, struct mailbox **out, size_t *count, const char **reason)
{
    enum found f = list(r, false);
    if (f == FOUND && !lex_end(&r->at))
        f = bad(r, "From holds something behind its addresses");
    if (r->text.failed || arena_failed(r->arena)) {
        *reason = "out of memory";
        return STATUS_NOMEM;
    }
    if (f != FOUND) {
        *reason = r->reason ? r->reason : lex_end(&r->at) ? "From is empty" : "From holds something that is no address";
        return r->limit ? STATUS_LIMIT : STATUS_INVALID;
    }
    return hand_out(r, out, count, reason);
}

static void no_matter(void *context, const char *domain)
{
    (void)context;
    (void)domain;
}

/* Tells whether an encoded word (RFC 2047) or a word of base64 holds an "@": a reader that decodes the field before it
 * reads it sees the address. */
static bool any_encoded_at(struct slice s)
{
    struct author_candidates c = {.found = no_matter};
    author_candidates_read(&c, s);
    return c.any_sign || c.too_many;
}

/* Words that can only be the name of the address behind them, whatever marks stand among them, also right before the
 * address ("Doe, <x@y>"): no "@", no brackets, quotes in pairs, no bare CR or LF. */
static bool is_odd_name(struct slice s)
{
    bool quoted = false;
    if (s.n == 0 || has_wide_at(s) || !utf8_valid(s) || any_encoded_at(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : ' ';
        if (c == '@' || c == '>' || c == '\\' || c == '\0' || c == 127)
            return false;
        if ((c == '\r' && next != '\n') || (c == '\n' && next != ' ' && next != '\t'))
            return false;
        if ((unsigned char)c < 32 && c != '\r' && c != '\n' && c != '\t')
            return false;
        quoted ^= c == '"';
    }
    return !quoted;
}

/* "'x@y' <x@y>": the name is an address of the same domain, between apostrophes. */
static bool is_address_in_apostrophes(struct from_reader *r, struct slice s, const char *domain)
{
    struct mailbox m;
    return domain && s.n > 2 && s.p[0] == '\'' && s.p[s.n - 1] == '\'' &&
           odd_address(r, slice_of(s.p + 1, s.n - 2), &m) == FOUND && strcmp(m.domain, domain) == 0;
}

/* A field that is not a list by the grammar, but in which one author is beyond doubt: a lone odd address, or words
 * without another "@" and the field's only angle address behind them. */
static enum found one_odd_author(struct from_reader *r, struct slice text)
{
    struct mailbox m;
    text = slice_trim(text);
    r->reason = NULL;
    r->limit = false;
    r->count = 0;
    if (odd_address(r, text, &m) == FOUND)
        return add_mailbox(r, &m, NULL);
    const char *open = memchr(text.p, '<', text.n);
    if (!open || text.p[text.n - 1] != '>')
        return FOUND_NOT;
    struct slice name = slice_trim(slice_of(text.p, (size_t)(open - text.p)));
    if (memchr(open + 1, '<', text.n - (size_t)(open + 1 - text.p)))
        return FOUND_NOT;
    r->at = lex_of(slice_of(open, text.n - (size_t)(open - text.p)));
    if (angle_addr(r, &m) != FOUND || !lex_end(&r->at) ||
        !(is_odd_name(name) || is_address_in_apostrophes(r, name, m.domain)))
        return FOUND_NOT;
    m.notes |= MAILBOX_ODD_NAME;
    m.display = arena_slice(r->arena, name);
    return add_mailbox(r, &m, NULL);
}

enum status mailaddr_from(struct arena *arena, struct slice field_body, struct mailbox **out, size_t *count,
                          const char **reason)
{
    if (field_body.n > LIMIT_HEADER_FIELD) {
        *reason = "From is too long";
        return STATUS_LIMIT;
    }
    if (field_body.n && field_body.p[field_body.n - 1] == '\n')
        field_body.n -= field_body.n > 1 && field_body.p[field_body.n - 2] == '\r' ? 2 : 1;
    struct from_reader r = {.at = lex_of(field_body), .arena = arena, .text = BUF_INIT};
    enum status s = from(&r, out, count, reason);
    if (s == STATUS_INVALID && one_odd_author(&r, field_body) == FOUND)
        s = hand_out(&r, out, count, reason);
    buf_release(&r.text);
    return s;
}
