// SPDX-License-Identifier: BSD-2-Clause
/*
 * mention.c - a name within a text.
 *
 * Promises the same answer as the regular expression of store_mentions() for PostgreSQL, and more: a name in U-labels
 * is found in every spelling that IDNA takes for it (capitals, decomposed and wide letters, the full stops of RFC 3490
 * 3.1), where PostgreSQL goes by its database's locale.
 */
#include "ledger/mention.h"
#include "base/domain.h"
#include "base/utf8.h"
#include <ctype.h>
#include <string.h>

/* Whether the character belongs to a name: beyond ASCII letters do, quotes, dashes and wide blanks do not. */
static bool is_of_name(const char *at)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x80)
        return isalnum(c) || c == '-' || c == '_';
    struct slice rest = slice_of(at, strnlen(at, 4));
    uint32_t point = utf8_length(rest) ? utf8_point(rest) : 0;
    return point > 0xBF && (point < 0x2000 || point > 0x206F) && (point < 0x3000 || point > 0x303F);
}

static const char *character_before(const char *text, const char *at)
{
    int octets = 1;
    while (octets < 4 && at - octets > text && ((unsigned char)at[-octets] & 0xC0) == 0x80)
        octets++;
    return at - octets;
}

static bool stands_in(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; len && at && (at = strcasestr(at, name)); at++) {
        const char *end = at + len;
        bool longer = is_of_name(end) || ((*end == '.' || *end == ':') && is_of_name(end + 1));
        if (!longer && (at == text || !is_of_name(character_before(text, at))))
            return true;
    }
    return false;
}

/* ---- in U-labels ---- */

/* Octets of the full stop that s begins with (RFC 3490 3.1); 0: it is none. */
static size_t full_stop(struct slice s)
{
    static const char *const stops[] = {".", "\u3002", "\uff0e", "\uff61"};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (slice_begins(s, stops[i]))
            return strlen(stops[i]);
    return 0;
}

/* Octets of the character of a name that s begins with, or of a full stop; 0: neither. */
static size_t of_name(struct slice s)
{
    size_t stop = full_stop(s), n = s.n ? utf8_length(s) : 0;
    return stop ? stop : n && is_of_name(s.p) ? n : 0;
}

/* The text behind its first full stop; empty: there is none. */
static struct slice behind_stop(struct slice s)
{
    for (size_t stop = 0; s.n && !stop; s = slice_from(s, stop ? stop : utf8_length(s)))
        stop = full_stop(s);
    return s;
}

/* The last labels of a name, as many as asked for; all if it has fewer. */
static struct slice last_labels(struct slice name, size_t labels)
{
    size_t has = 1;
    for (struct slice s = behind_stop(name); s.n; s = behind_stop(s))
        has++;
    for (; has > labels; has--)
        name = behind_stop(name);
    return name;
}

/* Whether name, or one below it, stands in the text, not as it is written but as IDNA reads it. */
static bool is_read_in(const char *text, const char *name)
{
    const size_t labels = domain_labels(name);
    bool beyond = false;
    struct slice s = slice_str(text), run = SLICE_NULL;
    while (s.n || run.n) {
        size_t n = of_name(s);
        if (n) {
            beyond = beyond || (unsigned char)s.p[0] >= 0x80;
            run = slice_of(run.n ? run.p : s.p, run.n + n);
            s = slice_from(s, n);
            continue;
        }
        while (run.n && run.p[run.n - 1] == '.') /* of the sentence */
            run.n--;
        char kept[LIMIT_DOMAIN + 1];
        if (beyond && domain_from_text(last_labels(run, labels), kept) == STATUS_OK && strcmp(kept, name) == 0)
            return true;
        run = SLICE_NULL;
        beyond = false;
        s = slice_from(s, s.n && utf8_length(s) ? utf8_length(s) : s.n > 0);
    }
    return false;
}

bool mention_of(const char *text, const char *name)
{
    return text && (stands_in(text, name) || (strstr(name, "xn--") && is_read_in(text, name)));
}
