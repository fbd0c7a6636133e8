// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_record.c - reading one DMARC Policy Record (RFC 9989 4.7, 4.8).
 *
 *   dmarc-record  = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]
 *   dmarc-version = "v" equals %s"DMARC1"
 *
 * Only the version decides whether a text is a record. Behind it nothing is an error: unknown tags are ignored, values
 * that break their tag's rule give way to the default, and what must be told apart from "absent" (p, sp, np: 4.10.1)
 * carries its state. Names and literals are compared without case (RFC 5234 2.3), the version with it. A tag given
 * twice with different values is not valid (RFC 6376 3.2 forbids it).
 */
#include "base/domain.h"
#include "base/hex.h"
#include "standards/dmarc/dmarc.h"
#include "standards/message/taglist.h"

enum slot {
    SLOT_P,
    SLOT_SP,
    SLOT_NP,
    SLOT_T,
    SLOT_PSD,
    SLOT_ADKIM,
    SLOT_ASPF,
    SLOT_RUA,
    SLOT_RUF,
    SLOT_FO,
    SLOT_PCT,
    SLOT_COUNT
};

static const char *const slot_names[SLOT_COUNT] = {"p",    "sp",  "np",  "t",  "psd", "adkim",
                                                   "aspf", "rua", "ruf", "fo", "pct"};

struct slots {
    struct {
        bool seen, broken;
        struct slice value;
    } of[SLOT_COUNT];
};

static bool is_wsp(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice skip_wsp(struct slice s)
{
    while (s.n && is_wsp(s.p[0]))
        s = slice_from(s, 1);
    return s;
}

/* dmarc-version, and behind it the end or a ";". *rest (may be NULL): what follows. */
static bool version(struct slice text, struct slice *rest)
{
    if (text.n == 0 || (text.p[0] != 'v' && text.p[0] != 'V'))
        return false;
    text = skip_wsp(slice_from(text, 1));
    if (text.n == 0 || text.p[0] != '=')
        return false;
    text = skip_wsp(slice_from(text, 1));
    if (text.n < 6 || memcmp(text.p, "DMARC1", 6) != 0)
        return false;
    text = skip_wsp(slice_from(text, 6));
    if (rest)
        *rest = text;
    return text.n == 0 || text.p[0] == ';';
}

bool dmarc_is_record(struct slice text)
{
    return version(text, NULL);
}

static bool value_is(struct slice value, const char *word)
{
    return slice_eq_nocase(value, slice_str(word));
}

static void fill_slots(struct slice text, struct slots *s)
{
    struct taglist_cursor c = TAGLIST_CURSOR(text);
    struct tag t;
    while (taglist_next(&c, &t)) {
        for (size_t i = 0; i < SLOT_COUNT; i++) {
            if (!value_is(t.name, slot_names[i]))
                continue;
            if (!t.valid || (s->of[i].seen && !slice_eq(s->of[i].value, t.value)))
                s->of[i].broken = true;
            s->of[i].seen = true;
            s->of[i].value = t.value;
        }
    }
}

/* The value of a tag that is there and not broken; else the empty slice, which is no tag's valid value. */
static struct slice value_of(const struct slots *s, enum slot i)
{
    return s->of[i].seen && !s->of[i].broken ? s->of[i].value : SLICE_NULL;
}

/* dmarc-request = "none" / "quarantine" / "reject" */
static enum dmarc_tag_state request(const struct slots *s, enum slot i, enum dmarc_policy *out)
{
    struct slice v = value_of(s, i);
    if (!s->of[i].seen)
        return DMARC_TAG_ABSENT;
    for (enum dmarc_policy p = DMARC_POLICY_NONE; p <= DMARC_POLICY_REJECT; p++) {
        if (value_is(v, dmarc_policy_name(p))) {
            *out = p;
            return DMARC_TAG_VALID;
        }
    }
    return DMARC_TAG_INVALID;
}

/* dmarc-fo: "0" or "1" at most, "d" and "s" at most once each, colons between. 0: not so. */
static unsigned failure_options(struct slice v)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"0", DMARC_FO_0}, {"1", DMARC_FO_1}, {"d", DMARC_FO_D}, {"s", DMARC_FO_S}};
    unsigned fo = 0;
    struct slice piece;
    while (taglist_piece(&v, ':', &piece)) {
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (value_is(piece, words[i].word))
                bit = words[i].bit;
        if (!bit || (fo & bit))
            return 0;
        fo |= bit;
    }
    return (fo & DMARC_FO_0) && (fo & DMARC_FO_1) ? 0 : fo;
}

/* ---- reporting URIs ---- */

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* obs-dmarc-report-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ], cut off where it stands at the end. */
static struct slice without_size(struct slice uri)
{
    size_t n = uri.n;
    if (n && strchr("kmgtKMGT", uri.p[n - 1]) && uri.p[n - 1])
        n--;
    size_t digits = n;
    while (n && is_digit(uri.p[n - 1]))
        n--;
    if (n == digits || n == 0 || uri.p[n - 1] != '!')
        return uri;
    return slice_of(uri.p, n - 1);
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":"; gives its length with the colon, or 0. */
static size_t scheme(struct slice uri)
{
    size_t i = 0;
    while (i < uri.n && (is_alpha(uri.p[i]) || (i && (is_digit(uri.p[i]) || strchr("+-.", uri.p[i])) && uri.p[i])))
        i++;
    return i && i < uri.n && uri.p[i] == ':' ? i + 1 : 0;
}

/* RFC 3986's characters, percent-encoding whole; "!" must be encoded here. */
static bool uri_characters(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            if (i + 2 >= s.n || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0)
                return false;
        } else if (!is_alpha(c) && !is_digit(c) && (c == '\0' || !strchr("-._~:/?#[]@$&'()*+;=", c))) {
            return false;
        }
    }
    return s.n > 0;
}

/* mailto: something, "@", a domain name. */
static bool mailto_rest(struct slice s)
{
    char kept[LIMIT_DOMAIN + 1];
    const char *query = memchr(s.p, '?', s.n);
    if (query)
        s.n = (size_t)(query - s.p);
    size_t at = s.n;
    while (at && s.p[at - 1] != '@')
        at--;
    return at > 1 && domain_from_text(slice_from(s, at), kept) == STATUS_OK;
}

static bool is_uri(struct slice uri)
{
    size_t n = scheme(uri);
    struct slice rest = slice_from(uri, n);
    if (n == 0 || !uri_characters(rest))
        return false;
    return !slice_eq_nocase(slice_of(uri.p, n), SLICE_LIT("mailto:")) || mailto_rest(rest);
}

/* dmarc-urilist: what is no URI is left out. */
static size_t uri_list(struct arena *arena, struct slice v, const char *out[DMARC_URIS_MAX], bool *wrong)
{
    size_t n = 0;
    struct slice piece;
    while (n < DMARC_URIS_MAX && taglist_piece(&v, ',', &piece)) {
        struct slice uri = without_size(piece);
        if (!is_uri(uri)) {
            *wrong = true;
            continue;
        }
        out[n] = arena_copy(arena, uri.p, uri.n);
        if (!out[n])
            break;
        n++;
    }
    return n;
}

enum status dmarc_record_parse(struct arena *arena, struct slice text, struct dmarc_record *out)
{
    struct slots s = {.of = {{.seen = false}}};
    struct dmarc_record r = {.fo = DMARC_FO_0};
    struct slice rest;
    if (text.n > DMARC_RECORD_MAX)
        return STATUS_LIMIT;
    if (!version(text, &rest))
        return STATUS_INVALID;
    fill_slots(rest, &s);
    r.p_state = request(&s, SLOT_P, &r.p);
    r.sp_state = request(&s, SLOT_SP, &r.sp);
    r.np_state = request(&s, SLOT_NP, &r.np);
    r.psd = value_is(value_of(&s, SLOT_PSD), "y")   ? DMARC_PSD_Y
            : value_is(value_of(&s, SLOT_PSD), "n") ? DMARC_PSD_N
                                                    : DMARC_PSD_U;
    r.testing = value_is(value_of(&s, SLOT_T), "y");
    r.adkim_strict = value_is(value_of(&s, SLOT_ADKIM), "s");
    r.aspf_strict = value_is(value_of(&s, SLOT_ASPF), "s");
    r.rua_count = uri_list(arena, value_of(&s, SLOT_RUA), r.rua, &r.rua_wrong);
    r.ruf_count = uri_list(arena, value_of(&s, SLOT_RUF), r.ruf, &r.ruf_wrong);
    unsigned fo = s.of[SLOT_RUF].seen ? failure_options(value_of(&s, SLOT_FO)) : 0;
    r.fo = fo ? fo : DMARC_FO_0;
    r.fo_wrong = s.of[SLOT_RUF].seen && s.of[SLOT_FO].seen && !fo;
    struct slice pct = value_of(&s, SLOT_PCT);
    r.pct = pct.n ? arena_copy(arena, pct.p, pct.n) : NULL;
    r.text = arena_copy(arena, text.p, text.n);
    if (arena_failed(arena))
        return STATUS_NOMEM;
    *out = r;
    return STATUS_OK;
}

const struct dmarc_record *dmarc_record_copy(struct arena *arena, const struct dmarc_record *r)
{
    struct dmarc_record *copy = ARENA_NEW(arena, struct dmarc_record);
    if (!copy)
        return NULL;
    *copy = *r;
    copy->text = arena_strdup(arena, r->text);
    copy->pct = arena_strdup(arena, r->pct);
    for (size_t i = 0; i < r->rua_count; i++)
        copy->rua[i] = arena_strdup(arena, r->rua[i]);
    for (size_t i = 0; i < r->ruf_count; i++)
        copy->ruf[i] = arena_strdup(arena, r->ruf[i]);
    return arena_failed(arena) ? NULL : copy;
}

const char *dmarc_policy_name(enum dmarc_policy p)
{
    static const char *const names[] = {"none", "quarantine", "reject"};
    return (size_t)p < sizeof names / sizeof names[0] ? names[p] : "?";
}
