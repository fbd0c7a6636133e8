// SPDX-License-Identifier: BSD-2-Clause
/*
 * dkim_sigfield.c - reads a signature field, one function per tag (RFC 6376 3.5, 8301 3.1, 8463 3, 8616 4; RFC 8617
 * 4.1.2, 4.1.3).
 *
 * RFC 6376 6.1.1 asks for meticulous checking: anything unexpected makes the signature unusable. Each tag's function
 * returns true when the tag is right, or notes the first problem and returns false. Names (d=, s=, i=) become canonical
 * names here and nowhere else; an invalid name (a NUL, a quote, a parenthesis, a blank) is refused before it can reach
 * DNS, a header or a log.
 *
 * Reading goes on after a problem as far as it can, in the order a, d, s, so that a report can still say whose
 * signature it was. Nothing is allocated outside the arena; when the arena is full the field is temperror, for it was
 * not judged.
 */
#include "standards/dkim/dkim_sigfield.h"
#include "base/domain.h"
#include "standards/dkim/dkim_check.h"

const char *dkim_algorithm_name(enum dkim_algorithm a)
{
    switch (a) {
    case ALGORITHM_RSA_SHA1:
        return "rsa-sha1";
    case ALGORITHM_RSA_SHA256:
        return "rsa-sha256";
    case ALGORITHM_ED25519_SHA256:
        return "ed25519-sha256";
    case ALGORITHM_OTHER:
        break;
    }
    return "";
}

/* Notes the first problem. Always false. */
static bool problem(struct dkim_sigfield *f, enum result r, const char *reason)
{
    if (f->problem == RESULT_PASS) {
        f->problem = r;
        f->reason = reason;
    }
    return false;
}

static bool syntax(struct dkim_sigfield *f, const char *reason)
{
    return problem(f, RESULT_NEUTRAL, reason);
}

static bool out_of_memory(struct dkim_sigfield *f)
{
    f->problem = RESULT_TEMPERROR;
    f->reason = "out of memory";
    return false;
}

static bool read_version(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *v = taglist_find(tags, "v");
    if (!v)
        return syntax(f, "no v= tag");
    return slice_eq(v->value, SLICE_LIT("1")) || syntax(f, "v= is not 1");
}

static bool read_algorithm(struct dkim_sigfield *f, const struct taglist *tags)
{
    static const enum dkim_algorithm known[] = {ALGORITHM_RSA_SHA256, ALGORITHM_ED25519_SHA256, ALGORITHM_RSA_SHA1};
    const struct tag *a = taglist_find(tags, "a");
    if (!a)
        return syntax(f, "no a= tag");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_eq(a->value, slice_str(dkim_algorithm_name(known[i]))))
            f->algorithm = known[i];
    if (f->algorithm == ALGORITHM_OTHER)
        return syntax(f, "a= asks for an algorithm that is not known");
    if (f->algorithm == ALGORITHM_RSA_SHA1)
        return problem(f, RESULT_PERMERROR, "rsa-sha1 is historic (RFC 8301 3.1)");
    return true;
}

static bool read_signature(struct arena *arena, struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *b = taglist_find(tags, "b");
    if (!b)
        return syntax(f, "no b= tag");
    f->b_raw = dkim_tags_raw(f->value, b);
    f->b_text = b->value;
    size_t room = b->value.n < SIGFIELD_SIGNATURE_MAX ? b->value.n : SIGFIELD_SIGNATURE_MAX;
    uint8_t *octets = arena_alloc(arena, room);
    if (!octets)
        return out_of_memory(f);
    if (dkim_tags_base64(b->value, octets, room, &f->signature_size) != STATUS_OK)
        return syntax(f, "b= is not base64, or longer than any key we accept");
    f->signature = octets;
    return f->signature_size || syntax(f, "b= is empty");
}

static bool read_body_hash(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *bh = taglist_find(tags, "bh");
    uint8_t octets[64];
    size_t n = 0;
    if (!bh)
        return syntax(f, "no bh= tag");
    if (dkim_tags_base64(bh->value, octets, sizeof octets, &n) != STATUS_OK)
        return syntax(f, "bh= is not the base64 of a hash");
    if (f->algorithm == ALGORITHM_RSA_SHA256 || f->algorithm == ALGORITHM_ED25519_SHA256) {
        if (n != sizeof f->body_hash)
            return syntax(f, "bh= has not the length of a SHA-256 hash");
        memcpy(f->body_hash, octets, sizeof f->body_hash);
    }
    return true;
}

static bool read_canonicalization(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *c = taglist_find(tags, "c");
    if (!c)
        return true; /* simple/simple */
    f->canonicalization_given = true;
    const char *slash = c->value.n ? memchr(c->value.p, '/', c->value.n) : NULL;
    size_t n = slash ? (size_t)(slash - c->value.p) : c->value.n;
    struct slice header = slice_of(c->value.p, n);
    struct slice body = slash ? slice_from(c->value, n + 1) : SLICE_LIT("simple");
    f->relaxed_header = slice_eq(header, SLICE_LIT("relaxed"));
    f->relaxed_body = slice_eq(body, SLICE_LIT("relaxed"));
    if ((!f->relaxed_header && !slice_eq(header, SLICE_LIT("simple"))) ||
        (!f->relaxed_body && !slice_eq(body, SLICE_LIT("simple"))))
        return syntax(f, "c= asks for a canonicalization that is not known");
    return true;
}

/* A domain name by RFC 6376's grammar: RFC 5321's sub-domains without a final dot, or the U-labels of RFC 8616. NULL:
 * none. */
static const char *read_name(struct arena *arena, struct slice text)
{
    char name[LIMIT_DOMAIN + 1];
    if (!text.n || text.p[text.n - 1] == '.' || domain_from_text(text, name) != STATUS_OK)
        return NULL;
    return arena_strdup(arena, name);
}

static bool read_domain(struct arena *arena, struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *d = taglist_find(tags, "d");
    if (!d)
        return syntax(f, "no d= tag");
    const char *name = read_name(arena, d->value);
    if (!name)
        return arena_failed(arena) ? out_of_memory(f) : syntax(f, "d= is not a domain name");
    if (domain_labels(name) < 2)
        return syntax(f, "d= is a single label");
    f->domain = name;
    return true;
}

static bool read_selector(struct arena *arena, struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *s = taglist_find(tags, "s");
    if (!s)
        return syntax(f, "no s= tag");
    f->selector = read_name(arena, s->value);
    if (!f->selector)
        return arena_failed(arena) ? out_of_memory(f) : syntax(f, "s= is not a selector");
    return true;
}

static bool is_field_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 33 || s.p[i] > 126)
            return false;
    return s.n > 0;
}

static bool read_names(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *h = taglist_find(tags, "h");
    size_t count = 0;
    if (!h)
        return syntax(f, "no h= tag");
    struct slice rest = h->value, name;
    while (dkim_tags_next(&rest, &name)) {
        if (++count > DKIM_CHECK_NAMES)
            return syntax(f, "h= has too many names");
        /* The public ARC suite takes empty names for fields that do not exist; RFC 6376's grammar has none. */
        if (!is_field_name(name) && (name.n || f->kind == SIGFIELD_DKIM))
            return syntax(f, "h= has something that is no field name");
        if (f->kind == SIGFIELD_ARC_MESSAGE && slice_eq_nocase(name, SLICE_LIT("arc-seal")))
            return syntax(f, "h= names ARC-Seal (RFC 8617 4.1.2)");
        if (slice_eq_nocase(name, SLICE_LIT("from")))
            f->from_names++;
    }
    f->names = h->value;
    if (!f->names.p)
        f->names.p = "";
    if (f->kind == SIGFIELD_DKIM && !f->from_names)
        return problem(f, RESULT_PERMERROR, "From is not signed");
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* dkim-quoted-printable (RFC 6376 2.11). NULL when it is none, or holds a control character. */
static char *decode_identity(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    if (!out)
        return NULL;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '=') {
            int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text.p[i + 2]) : -1;
            if (low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return NULL;
        out[n++] = c;
    }
    return out;
}

static bool read_identity(struct arena *arena, struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *i = taglist_find(tags, "i");
    if (!i) {
        f->identity_domain = f->domain;
        f->identity = f->domain ? arena_texts(arena, "@", f->domain) : NULL;
        return !f->domain || f->identity || out_of_memory(f);
    }
    if (i->value.n > LIMIT_ADDRESS)
        return syntax(f, "i= is too long");
    char *decoded = decode_identity(arena, i->value);
    char *at = decoded ? strrchr(decoded, '@') : NULL;
    const char *domain = at ? read_name(arena, slice_str(at + 1)) : NULL;
    if (!domain)
        return arena_failed(arena) ? out_of_memory(f) : syntax(f, "i= is not an address");
    f->identity_domain = domain;
    f->identity = arena_printf(arena, "%.*s@%s", (int)(at - decoded), decoded, domain);
    if (!f->identity)
        return out_of_memory(f);
    if (f->domain && !domain_is_within(domain, f->domain))
        return syntax(f, "i= is not within d=");
    return true;
}

static bool read_limit(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *l = taglist_find(tags, "l");
    if (!l)
        return true;
    f->limited = true;
    return dkim_tags_number(l->value, 76, &f->limit) || syntax(f, "l= is not a number");
}

/* q=: methods we do not know are ignored, but ours must be among them. "dns" alone is what drafts before RFC 4871
 * wrote. */
static bool read_query(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *q = taglist_find(tags, "q");
    if (!q || dkim_tags_list_has(q->value, "dns/txt") || dkim_tags_list_has(q->value, "dns"))
        return true;
    return syntax(f, "q= offers no way to the key that we know");
}

/* t= or x= into *out. 12 digits are the most (RFC 6376 3.5). */
static bool read_time(struct dkim_sigfield *f, const struct taglist *tags, const char *name, time_t *out)
{
    const struct tag *tag = taglist_find(tags, name);
    uint64_t v = 0;
    if (!tag)
        return true;
    if (!dkim_tags_number(tag->value, 12, &v))
        return syntax(f, name[0] == 't' ? "t= is not a time" : "x= is not a time");
    *out = (time_t)v;
    return true;
}

static bool read_times(struct dkim_sigfield *f, const struct taglist *tags, time_t now)
{
    bool has_expiry = taglist_find(tags, "x") && f->kind == SIGFIELD_DKIM;
    if (!read_time(f, tags, "t", &f->signed_at))
        return false;
    if (f->kind != SIGFIELD_DKIM)
        return true;
    if (has_expiry && !read_time(f, tags, "x", &f->expires))
        return false;
    if (has_expiry && taglist_find(tags, "t") && f->expires <= f->signed_at)
        return syntax(f, "x= is not after t=");
    if (has_expiry && f->expires < now)
        return problem(f, RESULT_POLICY, "expired (x=)");
    if (f->signed_at > now + DKIM_CHECK_DRIFT)
        return problem(f, RESULT_POLICY, "signed in the future (t=)");
    return true;
}

static bool read_instance(struct dkim_sigfield *f, const struct taglist *tags)
{
    const struct tag *i = taglist_find(tags, "i");
    uint64_t v = 0;
    if (!i || !dkim_tags_number(i->value, 2, &v) || v < 1 || v > 50)
        return syntax(f, "i= is not a number from 1 to 50");
    f->instance = (unsigned)v;
    return true;
}

/* What only an ARC-Seal has, and must not have (RFC 8617 4.1.3). */
static bool read_seal(struct dkim_sigfield *f, const struct taglist *tags)
{
    static const enum result words[] = {RESULT_NONE, RESULT_PASS, RESULT_FAIL};
    const struct tag *cv = taglist_find(tags, "cv");
    f->cv = RESULT_COUNT;
    for (size_t i = 0; cv && i < sizeof words / sizeof *words; i++)
        if (slice_eq(cv->value, slice_str(result_name(words[i]))))
            f->cv = words[i];
    if (f->cv == RESULT_COUNT)
        return syntax(f, "cv= is not none, pass or fail");
    if (taglist_find(tags, "h"))
        return syntax(f, "a seal must not have h= (RFC 8617 4.1.3)");
    return true;
}

void dkim_sigfield_read(struct arena *arena, enum dkim_sigfield_kind kind, struct slice value, time_t now,
                        struct dkim_sigfield *f)
{
    struct taglist tags;
    *f = (struct dkim_sigfield){.kind = kind, .problem = RESULT_PASS, .reason = "", .cv = RESULT_NONE, .value = value};
    if (value.n > DKIM_CHECK_TAG_OCTETS) {
        syntax(f, "the field is too long");
        return;
    }
    if (dkim_tags_parse(value, &tags, &f->reason) != STATUS_OK) {
        f->problem = RESULT_NEUTRAL;
        return;
    }
    f->reason = "";
    if (kind == SIGFIELD_DKIM)
        read_version(f, &tags);
    else
        read_instance(f, &tags);
    read_algorithm(f, &tags);
    read_domain(arena, f, &tags);
    read_selector(arena, f, &tags);
    read_signature(arena, f, &tags);
    if (kind == SIGFIELD_DKIM)
        read_identity(arena, f, &tags);
    if (kind == SIGFIELD_ARC_SEAL) {
        f->relaxed_header = true;
        read_seal(f, &tags);
    } else {
        read_body_hash(f, &tags);
        read_canonicalization(f, &tags);
        read_names(f, &tags);
        read_limit(f, &tags);
        read_query(f, &tags);
    }
    read_times(f, &tags, now);
}
