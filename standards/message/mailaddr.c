// SPDX-License-Identifier: BSD-2-Clause
/*
 * mailaddr.c - the paths of SMTP (RFC 5321 4.1.2) and the text form of an address.
 *
 *   Path          = "<" [ A-d-l ":" ] Mailbox ">"
 *   A-d-l         = At-domain *( "," At-domain )
 *   Mailbox       = Local-part "@" ( Domain / address-literal )
 *   Local-part    = Dot-string / Quoted-string
 *
 * One function per rule; each reads from a place and leaves it unmoved when it fails. The envelope is parsed here once,
 * and never again in another way: attacks by "empty senders" and injected results depend on a second, different parser.
 * RFC 6531 widens atext and qtext when the caller says so. The From field's grammar is in mailaddr_from.c.
 */
#include "standards/message/mailaddr.h"
#include "base/domain.h"
#include "base/ip.h"
#include "base/utf8.h"
#include "standards/message/lex822.h"

struct path_reader {
    struct lex at;
    struct arena *arena;
    bool utf8;
    struct buf local;
    struct mailbox box;
};

static bool has_8bit(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 127)
            return true;
    return false;
}

static bool utf8_allowed(const struct path_reader *r, struct slice s)
{
    return !has_8bit(s) || (r->utf8 && utf8_valid(s));
}

/* sub-domain = Let-dig [Ldh-str]; underscores taken too: no label begins or ends with a hyphen. */
static bool has_hyphen_ends(const char *kept)
{
    for (const char *p = kept; *p; p++)
        if (*p == '-' && (p == kept || p[-1] == '.' || p[1] == '.' || p[1] == '\0'))
            return true;
    return false;
}

/* Domain = sub-domain *("." sub-domain), to a canonical name */
static bool path_domain(struct path_reader *r, char kept[LIMIT_DOMAIN + 1])
{
    struct lex at = r->at;
    struct slice text;
    if (!lex_dot_atom(&at, &text) || !utf8_allowed(r, text) || domain_from_text(text, kept) != STATUS_OK ||
        has_hyphen_ends(kept))
        return false;
    r->at = at;
    return true;
}

bool mailaddr_is_literal(struct slice inner)
{
    struct ip ip;
    bool tagged = inner.n > 5 && slice_eq_nocase(slice_of(inner.p, 5), SLICE_LIT("IPv6:"));
    return ip_from_text(inner, &ip) == STATUS_OK && tagged == (memchr(inner.p, ':', inner.n) != NULL);
}

/* address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]" */
static bool address_literal(struct path_reader *r)
{
    const char *start = r->at.p;
    const char *close = start < r->at.end ? memchr(start, ']', (size_t)(r->at.end - start)) : NULL;
    if (!close || *start != '[' || !mailaddr_is_literal(slice_of(start + 1, (size_t)(close - start - 1))))
        return false;
    r->box.literal = slice_of(start, (size_t)(close - start + 1));
    r->at.p = close + 1;
    return true;
}

/* At-domain = "@" Domain */
static bool at_domain(struct path_reader *r)
{
    char ignored[LIMIT_DOMAIN + 1];
    struct lex before = r->at;
    if (lex_char(&r->at, '@') && path_domain(r, ignored))
        return true;
    r->at = before;
    return false;
}

/* [ A-d-l ":" ]: true also when there is none. */
static bool source_route(struct path_reader *r)
{
    if (lex_peek(&r->at) != '@')
        return true;
    do {
        if (!at_domain(r))
            return false;
    } while (lex_char(&r->at, ','));
    return lex_char(&r->at, ':');
}

/* Dot-string = Atom *("." Atom) */
static bool dot_string(struct path_reader *r)
{
    struct lex at = r->at;
    struct slice text;
    if (!lex_dot_atom(&at, &text) || !utf8_allowed(r, text))
        return false;
    buf_addslice(&r->local, text);
    r->at = at;
    return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE; qtextSMTP = %d32-33 / %d35-91 / %d93-126, quoted-pairSMTP = %d92
 * %d32-126 */
static bool quoted_string(struct path_reader *r)
{
    struct lex at = r->at;
    if (!lex_char(&at, '"'))
        return false;
    while (!lex_char(&at, '"')) {
        bool pair = lex_char(&at, '\\');
        int c = lex_peek(&at);
        if (c < 32 || c == 127 || (c > 127 && (pair || !r->utf8)))
            return false;
        buf_addc(&r->local, (char)c);
        at.p++;
    }
    if (!utf8_allowed(r, buf_slice(&r->local)))
        return false;
    r->at = at;
    return true;
}

/* Local-part = Dot-string / Quoted-string */
static bool local_part(struct path_reader *r)
{
    return dot_string(r) || quoted_string(r);
}

/* Mailbox = Local-part "@" ( Domain / address-literal ); RFC 5321 4.1.1.3 knows one without domain: Postmaster */
static bool mailbox(struct path_reader *r, char kept[LIMIT_DOMAIN + 1])
{
    if (!local_part(r))
        return false;
    if (!lex_char(&r->at, '@'))
        return slice_eq_nocase(buf_slice(&r->local), SLICE_LIT("postmaster"));
    return path_domain(r, kept) || address_literal(r);
}

/* Path without its brackets. */
static enum status path(struct path_reader *r, struct mailbox *out)
{
    char kept[LIMIT_DOMAIN + 1] = "";
    if (!source_route(r) || !mailbox(r, kept) || !lex_end(&r->at))
        return STATUS_INVALID;
    r->box.local = arena_slice(r->arena, buf_slice(&r->local));
    r->box.literal = arena_slice(r->arena, r->box.literal);
    if (kept[0])
        r->box.domain = arena_copy(r->arena, kept, strlen(kept));
    if (r->local.failed || arena_failed(r->arena))
        return STATUS_NOMEM;
    *out = r->box;
    return STATUS_OK;
}

/* What may stand before the last "@" without making another "@" the right one: no controls, and nothing that quotes or
 * comments, except one pair of quotes round it all. */
static bool is_odd_local(struct slice s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = slice_of(s.p + 1, s.n - 2);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 32 || c == 127 || strchr("<>()\"\\", c))
            return false;
    }
    return true;
}

/* A path that the grammar does not take, but whose domain is beyond doubt: what follows the last "@". */
static enum status odd_path(struct arena *arena, struct slice text, struct mailbox *out)
{
    char kept[LIMIT_DOMAIN + 1];
    while (text.n && text.p[0] == ' ')
        text = slice_from(text, 1);
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    const char *at = memrchr(text.p, '@', text.n);
    if (!at)
        return STATUS_INVALID;
    struct slice local = slice_of(text.p, (size_t)(at - text.p));
    struct slice name = slice_from(text, local.n + 1);
    if (!is_odd_local(local))
        return STATUS_INVALID;
    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    if (!utf8_valid(name) || domain_from_text(name, kept) != STATUS_OK)
        return STATUS_INVALID;
    const char *colon = local.n && local.p[0] == '@' ? memchr(local.p, ':', local.n) : NULL;
    if (colon)
        local = slice_from(local, (size_t)(colon - local.p) + 1);
    if (local.n >= 2 && local.p[0] == '"')
        local = slice_of(local.p + 1, local.n - 2);
    struct mailbox box = {.notes = MAILBOX_ODD_ADDRESS,
                          .local = arena_slice(arena, local),
                          .domain = arena_copy(arena, kept, strlen(kept))};
    if (arena_failed(arena))
        return STATUS_NOMEM;
    *out = box;
    return STATUS_OK;
}

enum status mailaddr_path(struct arena *arena, struct slice text, bool smtputf8, struct mailbox *out)
{
    text = slice_trim(text);
    if (text.n > LIMIT_ADDRESS)
        return STATUS_LIMIT;
    if (text.n && text.p[0] == '<') {
        if (text.n < 2 || text.p[text.n - 1] != '>')
            return STATUS_INVALID;
        text = slice_of(text.p + 1, text.n - 2);
    }
    if (text.n == 0) {
        *out = (struct mailbox){.domain = NULL};
        return STATUS_OK;
    }
    struct path_reader r = {.at = lex_of(text), .arena = arena, .utf8 = smtputf8, .local = BUF_INIT};
    enum status s = path(&r, out);
    buf_release(&r.local);
    return s == STATUS_INVALID ? odd_path(arena, text, out) : s;
}

void mailaddr_add(struct buf *out, const struct mailbox *m)
{
    struct lex at = lex_of(m->local);
    struct slice whole;
    if (!m->domain && !m->literal.n && !m->local.n)
        return;
    if (m->local.n && lex_dot_atom(&at, &whole) && lex_end(&at)) {
        buf_addslice(out, m->local);
    } else {
        buf_addc(out, '"');
        for (size_t i = 0; i < m->local.n; i++) {
            if (m->local.p[i] == '"' || m->local.p[i] == '\\')
                buf_addc(out, '\\');
            buf_addc(out, m->local.p[i]);
        }
        buf_addc(out, '"');
    }
    if (m->domain)
        buf_printf(out, "@%s", m->domain);
    else if (m->literal.n) {
        buf_addc(out, '@');
        buf_addslice(out, m->literal);
    }
}
