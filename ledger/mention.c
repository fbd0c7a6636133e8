// SPDX-License-Identifier: BSD-2-Clause
/*
 * mention.c - a name within a text.
 *
 * Promises the same answer as the regular expression of store_mentions() for PostgreSQL, but for capitals beyond ASCII,
 * which are not taken for the small letters that they belong to.
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

bool mention_of(const char *text, const char *name)
{
    char shown[MENTION_SHOWN];
    return stands_in(text, name) ||
           (strstr(name, "xn--") && stands_in(text, domain_to_unicode(name, shown, sizeof shown)));
}
