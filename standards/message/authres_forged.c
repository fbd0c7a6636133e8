// SPDX-License-Identifier: BSD-2-Clause
/*
 * authres_forged.c - tells which fields of a message must be removed, because they could be taken for ours (RFC 8601 5,
 * CVE-2022-48521).
 *
 * The question is not "is this our name?" but "could any reader think so?". So only a field whose authserv-id is
 * plainly read, plainly ended by ";" or the end, and plainly somebody else's is left alone. Everything that is doubtful
 * up to there is ours, and goes. Pure; reads only the beginning of the field, and takes no memory.
 */
#include "base/domain.h"
#include "standards/message/authres.h"
#include "standards/message/lex822.h"

/* An id longer than any name with a job id behind it; more than that is doubtful. */
#define ID_MAX 1024

/* The id's own text, quotes undone, into id. False: cannot be plainly read. */
static bool read_id(struct lex *at, char id[ID_MAX], size_t *n)
{
    struct slice token;
    if (lex_peek(at) != '"') {
        /* 8-bit ids (RFC 8601 5.2 allows U-labels) are no tokens, but plain enough. */
        const char *start = at->p;
        while (!lex_end(at) && (lex_is_token((unsigned char)*at->p) || (unsigned char)*at->p > 127))
            at->p++;
        token = slice_of(start, (size_t)(at->p - start));
        if (token.n == 0 || token.n > ID_MAX)
            return false;
        memcpy(id, token.p, token.n);
        *n = token.n;
        return true;
    }
    struct buf text = {.p = buf_empty, .bound = ID_MAX};
    bool ok = lex_quoted_string(at, false, &text) && !text.failed;
    if (ok) {
        memcpy(id, text.p, text.n);
        *n = text.n;
    }
    buf_release(&text);
    return ok;
}

/* Behind the id: [CFWS authres-version] [CFWS], then ";" or the end. */
static bool ends_plainly(struct lex *at)
{
    if (!lex_cfws(at))
        return false;
    while (lex_peek(at) >= '0' && lex_peek(at) <= '9')
        at->p++;
    return lex_cfws(at) && (lex_end(at) || lex_peek(at) == ';');
}

/* The part of an id that may be a domain name: up to the first octet that belongs to none (a job id follows), without
 * blanks round it. */
static struct slice name_part(struct slice id)
{
    size_t n = 0;
    id = slice_trim(id);
    while (n < id.n &&
           (id.p[n] == '.' || id.p[n] == '-' || id.p[n] == '_' || (id.p[n] >= '0' && id.p[n] <= '9') ||
            (id.p[n] >= 'a' && id.p[n] <= 'z') || (id.p[n] >= 'A' && id.p[n] <= 'Z') || (unsigned char)id.p[n] > 127))
        n++;
    return slice_of(id.p, n);
}

static bool begins_nocase(struct slice s, struct slice with)
{
    return s.n >= with.n && slice_eq_nocase(slice_of(s.p, with.n), with);
}

/* Tells whether our id stands anywhere in an odd one. */
static bool mentions(struct slice id, struct slice ours)
{
    for (size_t i = 0; i < id.n; i++)
        if (begins_nocase(slice_from(id, i), ours))
            return true;
    return false;
}

static bool names_us(struct slice id, const char *our_id)
{
    char kept[LIMIT_DOMAIN + 1], ours[LIMIT_DOMAIN + 1];
    struct slice name = name_part(id), our_text = slice_trim(slice_str(our_id));
    if (name.n < slice_trim(id).n && mentions(id, our_text))
        return true;
    while (name.n && name.p[name.n - 1] == '.')
        name.n--;
    if (domain_from_text(our_text, ours) != STATUS_OK) {
        /* Ours is not a domain name: the same text, or the same with something behind it. */
        return begins_nocase(slice_trim(id), our_text);
    }
    if (domain_from_text(name, kept) != STATUS_OK)
        return true; /* no name of anybody's: doubtful */
    return domain_is_within(kept, ours);
}

bool authres_is_forged(struct slice value, const char *our_id)
{
    char id[ID_MAX];
    size_t n = 0;
    struct lex at = lex_of(slice_trim(value));
    if (!lex_cfws(&at) || !read_id(&at, id, &n) || !ends_plainly(&at))
        return true;
    return names_us(slice_of(id, n), our_id);
}
