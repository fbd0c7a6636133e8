// SPDX-License-Identifier: BSD-2-Clause
/*
 * mention.c - a name within a text.
 *
 * Promises the same answer as the regular expression of store_mentions() for PostgreSQL.
 */
#include "ledger/mention.h"
#include <ctype.h>
#include <string.h>

static bool name_octet(unsigned char c)
{
    return isalnum(c) || c == '-' || c == '_';
}

bool mention_of(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; len && at && (at = strcasestr(at, name)); at++) {
        unsigned char before = at > text ? (unsigned char)at[-1] : 0, after = (unsigned char)at[len];
        bool longer = name_octet(after) || ((after == '.' || after == ':') && name_octet((unsigned char)at[len + 1]));
        if (!name_octet(before) && !longer)
            return true;
    }
    return false;
}
