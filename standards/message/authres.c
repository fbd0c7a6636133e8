// SPDX-License-Identifier: BSD-2-Clause
/*
 * authres.c - reads the value of an Authentication-Results field (RFC 8601 2.2), one function per rule.
 *
 *   authres-payload = [CFWS] authserv-id [CFWS authres-version] ( no-result / 1*resinfo ) [CFWS] CRLF
 *   resinfo         = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
 *   methodspec      = [CFWS] method [CFWS] "=" [CFWS] result
 *   propspec        = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
 *
 * All or nothing: a field that is not wholly parsed gives no result at all. The empty place behind a last ";" is taken,
 * since many writers leave one. Whether a field is a forgery of ours is in authres_forged.c, which must also judge what
 * cannot be parsed.
 */
#include "standards/message/authres.h"
#include "standards/message/lex822.h"

struct reader {
    struct lex at;
    struct arena *arena;
    struct buf text;
    struct authres_result results[AUTHRES_RESULTS_MAX];
    size_t count;
    bool lenient;       /* properties without ptype are taken */
    enum status status; /* why the last rule failed, where it is not STATUS_INVALID */
};

/* Keyword, and "_" as in real property names. */
static bool keyword(struct reader *r, struct slice *out)
{
    struct lex at = r->at;
    while (!lex_end(&at) && lex_is_token((unsigned char)*at.p) && *at.p != '.')
        at.p++;
    *out = slice_of(r->at.p, (size_t)(at.p - r->at.p));
    r->at = at;
    return out->n > 0;
}

static bool reader_digits(struct reader *r, struct slice *out)
{
    const char *start = r->at.p;
    while (lex_peek(&r->at) >= '0' && lex_peek(&r->at) <= '9')
        r->at.p++;
    *out = slice_of(start, (size_t)(r->at.p - start));
    return out->n > 0;
}

static struct slice reader_keep(struct reader *r, struct slice s)
{
    return arena_slice(r->arena, s);
}

static bool quoted_string(struct reader *r, struct slice *out)
{
    buf_reset(&r->text);
    if (!lex_quoted_string(&r->at, false, &r->text))
        return false;
    *out = reader_keep(r, buf_slice(&r->text));
    return true;
}

/* value = token / quoted-string. In authserv-id and reason. */
static bool value(struct reader *r, struct slice *out)
{
    struct slice token;
    if (quoted_string(r, out))
        return true;
    if (!lex_token(&r->at, &token))
        return false;
    *out = reader_keep(r, token);
    return true;
}

/* What stands in a pvalue without quotes: token characters, "@", and the "/" "=" ":" "[" "]" that signature digests and
 * addresses hold and many writers leave unquoted. */
static bool is_pvalue(int c)
{
    return c > 0 && (lex_is_token((unsigned char)c) || c > 127 || strchr("@/=:[]+?", c));
}

/* pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS] */
static bool pvalue(struct reader *r, struct slice *out)
{
    struct slice quoted = SLICE_NULL;
    bool has_quoted = quoted_string(r, &quoted);
    const char *start = r->at.p;
    while (is_pvalue(lex_peek(&r->at)))
        r->at.p++;
    struct slice rest = slice_of(start, (size_t)(r->at.p - start));
    if (has_quoted && rest.n == 0) {
        *out = quoted;
        return true;
    }
    if (has_quoted && rest.p[0] != '@')
        return false;
    const char *joined = arena_printf(r->arena, "%.*s%.*s", SLICE_ARG(quoted), SLICE_ARG(rest));
    *out = slice_str(joined);
    return rest.n > 0;
}

/* propspec; leniently also without ptype, as in the `action=none` of Microsoft 365 and the `x-bits=2048` of Fastmail:
 * that names no property of RFC 8601, so nobody finds it, but the rest of the field can be read. */
static bool propspec(struct reader *r, struct authres_property_read *out)
{
    struct lex before = r->at;
    *out = (struct authres_property_read){.ptype = SLICE_NULL};
    bool ok = keyword(r, &out->name) && lex_cfws(&r->at);
    if (ok && !r->lenient && lex_peek(&r->at) != '.')
        ok = false;
    if (ok && lex_char(&r->at, '.')) {
        out->ptype = reader_keep(r, out->name);
        ok = lex_cfws(&r->at) && keyword(r, &out->name) && lex_cfws(&r->at);
    }
    if (ok && lex_char(&r->at, '=') && lex_cfws(&r->at) && pvalue(r, &out->value)) {
        out->name = reader_keep(r, out->name);
        return true;
    }
    r->at = before;
    return false;
}

/* method = Keyword [ [CFWS] "/" [CFWS] method-version ] */
static bool method(struct reader *r, struct authres_result *out)
{
    if (!keyword(r, &out->method) || !lex_cfws(&r->at))
        return false;
    if (!lex_char(&r->at, '/'))
        return true;
    return lex_cfws(&r->at) && reader_digits(r, &out->method_version) && lex_cfws(&r->at);
}

/* methodspec */
static bool methodspec(struct reader *r, struct authres_result *out)
{
    return method(r, out) && lex_char(&r->at, '=') && lex_cfws(&r->at) && keyword(r, &out->result);
}

/* reasonspec = "reason" [CFWS] "=" [CFWS] value; true also when there is none. */
static bool reasonspec(struct reader *r, struct authres_result *out)
{
    struct lex before = r->at;
    struct slice word;
    if (keyword(r, &word) && slice_eq_nocase(word, SLICE_LIT("reason")) && lex_cfws(&r->at) && lex_char(&r->at, '='))
        return lex_cfws(&r->at) && value(r, &out->reason);
    r->at = before;
    return true;
}

static bool properties(struct reader *r, struct authres_result *out)
{
    struct authres_property_read p[AUTHRES_PROPERTIES_MAX];
    size_t n = 0;
    while (lex_cfws(&r->at) && !lex_end(&r->at) && lex_peek(&r->at) != ';') {
        if (n == AUTHRES_PROPERTIES_MAX) {
            r->status = STATUS_LIMIT;
            return false;
        }
        if (!propspec(r, &p[n]))
            return false;
        n++;
    }
    struct authres_property_read *own = ARENA_ARRAY(r->arena, struct authres_property_read, n);
    if (!own)
        return false;
    if (n)
        memcpy(own, p, n * sizeof *own);
    out->properties = own;
    out->property_count = n;
    return true;
}

/* resinfo behind its ";" */
static bool resinfo(struct reader *r)
{
    struct authres_result result = {.property_count = 0};
    if (r->count == AUTHRES_RESULTS_MAX) {
        r->status = STATUS_LIMIT;
        return false;
    }
    if (!methodspec(r, &result) || !lex_cfws(&r->at) || !reasonspec(r, &result) || !properties(r, &result))
        return false;
    result.method = reader_keep(r, result.method);
    result.method_version = reader_keep(r, result.method_version);
    result.result = reader_keep(r, result.result);
    r->results[r->count++] = result;
    return true;
}

/* no-result = [CFWS] ";" [CFWS] "none", behind the ";" */
static bool no_result(struct reader *r)
{
    struct lex before = r->at;
    struct slice word;
    if (keyword(r, &word) && slice_eq_nocase(word, SLICE_LIT("none")) && lex_cfws(&r->at) &&
        (lex_end(&r->at) || lex_peek(&r->at) == ';'))
        return true;
    r->at = before;
    return false;
}

static bool results(struct reader *r)
{
    bool none = false;
    do {
        if (!lex_cfws(&r->at))
            return false;
        if (lex_end(&r->at) && (r->count || none))
            return true;
        if (r->count == 0 && !none && no_result(r))
            none = true;
        else if (none || !resinfo(r))
            return false;
    } while (lex_char(&r->at, ';'));
    return true;
}

/* authres-payload */
static bool payload(struct reader *r, struct authres *out)
{
    if (!lex_cfws(&r->at) || !value(r, &out->id) || !lex_cfws(&r->at))
        return false;
    if (reader_digits(r, &out->version) && !lex_cfws(&r->at))
        return false;
    return lex_char(&r->at, ';') && results(r) && lex_cfws(&r->at) && lex_end(&r->at);
}

static enum status payload_parse(struct reader *r, struct authres *out)
{
    struct authres a = {.count = 0};
    bool ok = payload(r, &a);
    if (r->text.failed || arena_failed(r->arena))
        return STATUS_NOMEM;
    if (!ok)
        return r->status ? r->status : STATUS_INVALID;
    struct authres_result *own = ARENA_ARRAY(r->arena, struct authres_result, r->count);
    if (!own)
        return STATUS_NOMEM;
    if (r->count)
        memcpy(own, r->results, r->count * sizeof *own);
    a.version = reader_keep(r, a.version);
    a.results = own;
    a.count = r->count;
    *out = a;
    return STATUS_OK;
}

static enum status read_text(struct arena *arena, struct slice text, bool lenient, struct authres *out)
{
    struct reader r = {.at = lex_of(slice_trim(text)), .arena = arena, .text = BUF_INIT, .lenient = lenient};
    enum status s = payload_parse(&r, out);
    buf_release(&r.text);
    return s;
}

enum status authres_parse(struct arena *arena, struct slice text, struct authres *out)
{
    return read_text(arena, text, false, out);
}

enum status authres_parse_lenient(struct arena *arena, struct slice text, struct authres *out)
{
    return read_text(arena, text, true, out);
}

const struct authres_result *authres_find(const struct authres *a, const char *name, const struct authres_result *after)
{
    for (size_t i = after ? (size_t)(after - a->results) + 1 : 0; i < a->count; i++)
        if (slice_eq_nocase(a->results[i].method, slice_str(name)))
            return &a->results[i];
    return NULL;
}

struct slice authres_get(const struct authres_result *r, const char *ptype, const char *name)
{
    for (size_t i = 0; i < r->property_count; i++)
        if (slice_eq_nocase(r->properties[i].ptype, slice_str(ptype)) &&
            slice_eq_nocase(r->properties[i].name, slice_str(name)))
            return r->properties[i].value;
    return SLICE_NULL;
}
