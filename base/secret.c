// SPDX-License-Identifier: BSD-2-Clause
/*
 * secret.c - finds passwords in addresses.
 *
 * The password of SCHEME://USER:PASSWORD@HOST/... stands between the first ':' and the last '@' of what comes before
 * the first of / ? # (RFC 3986 3.2.1). A database's address may be written wrongly and still connect: if there is no
 * '@' there, the last one of the whole address ends the password. An address ends at the '"' of its string; without one
 * at a blank, or at the end if the text begins with it.
 */
#include "base/secret.h"
#include "base/utf8.h"
#include <string.h>

static bool is_database(struct slice before)
{
    static const char *const schemes[] = {"postgres", "postgresql"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i]);
        if (before.n >= n && slice_eq_nocase(slice_from(before, before.n - n), slice_str(schemes[i])))
            return true;
    }
    return false;
}

/* The first octet of the address "SCHEME://" whose "://" stands at `at`. */
static size_t scheme_start(struct slice text, size_t at)
{
    while (at && memchr(" \t\"'<(,=", text.p[at - 1], 9) == NULL)
        at--;
    return at;
}

static size_t address_end(struct slice text, size_t begin, size_t at)
{
    bool quoted = begin && text.p[begin - 1] == '"';
    for (; at < text.n; at++) {
        if (text.p[at] == '\\' && at + 1 < text.n)
            at++;
        else if (quoted ? text.p[at] == '"' : begin && (text.p[at] == ' ' || text.p[at] == '\t' || text.p[at] == '"'))
            break;
    }
    return at;
}

static size_t last_of(struct slice text, size_t from, size_t to, char c)
{
    for (size_t at = to; at > from; at--)
        if (text.p[at - 1] == c)
            return at - 1;
    return to;
}

static size_t first_of(struct slice text, size_t from, size_t to, const char *set)
{
    while (from < to && strchr(set, text.p[from]) == NULL)
        from++;
    return from;
}

/* "password=..." (and sslpassword=) between from and to: the value. */
static bool find_parameter(struct slice text, size_t from, size_t to, size_t *start, size_t *end)
{
    static const char word[] = "password=";
    const size_t n = sizeof word - 1;
    for (size_t at = from; at + n <= to; at++)
        if (slice_eq_nocase(slice_of(text.p + at, n), slice_of(word, n))) {
            *start = at + n;
            *end = first_of(text, *start, to, "&");
            return *end > *start || find_parameter(text, *end, to, start, end);
        }
    return false;
}

/* Of one address, whose "://" ends before `at`. */
static bool find_in_address(struct slice text, size_t from, size_t at, size_t to, bool database, size_t *start,
                            size_t *end)
{
    size_t authority = first_of(text, at, to, "/?#"), last = last_of(text, at, authority, '@');
    size_t colon = first_of(text, at, last, ":");
    bool has = last < authority && colon < last;
    if (database && last == authority && memchr(text.p + at, ':', authority - at)) {
        last = last_of(text, at, to, '@');
        colon = first_of(text, at, last, ":");
        has = last < to && colon < last;
    }
    *start = colon + 1;
    *end = last;
    if (has && *start >= from && *end > *start)
        return true;
    return database && find_parameter(text, has && last > from ? last : at > from ? at : from, to, start, end);
}

bool secret_find(struct slice text, size_t from, size_t *start, size_t *end)
{
    for (size_t at = 0; at + 3 <= text.n; at++) {
        if (memcmp(text.p + at, "://", 3) != 0)
            continue;
        size_t begin = scheme_start(text, at), to = address_end(text, begin, at + 3);
        bool database = is_database(slice_of(text.p, at));
        if (to > from && find_in_address(text, from, at + 3, to, database, start, end))
            return true;
    }
    return false;
}

void secret_add(struct buf *out, struct slice text)
{
    size_t from = 0, start, end;
    for (; secret_find(text, from, &start, &end); from = end) {
        buf_add(out, text.p + from, start - from);
        buf_adds(out, "********");
    }
    buf_add(out, text.p + from, text.n - from);
}

void secret_add_line(struct buf *out, struct slice text)
{
    struct buf hidden = BUF_INIT, safe = BUF_INIT;
    secret_add(&hidden, text);
    utf8_add_lines(&safe, buf_slice(&hidden));
    for (size_t i = 0; i < safe.n; i++) {
        if (safe.p[i] == '\n')
            buf_adds(out, "\\x0A");
        else
            buf_add(out, safe.p + i, 1);
    }
    if (hidden.failed || safe.failed)
        buf_adds(out, "(a line was lost: out of memory)");
    buf_release(&hidden);
    buf_release(&safe);
}

bool secret_blank(char *text, size_t n)
{
    size_t from = 0, start, end;
    for (; secret_find(slice_of(text, n), from, &start, &end); from = end)
        memset(text + start, '*', end - start);
    return from > 0;
}
