// SPDX-License-Identifier: BSD-2-Clause
/*
 * session_tls.c - reads version and cipher of the session from the MTA's macros {tls_version}, {cipher} and
 * {cipher_bits}.
 *
 * Promises no false alarm for a suite it does not know: only what RFC 9325 section 4.1 forbids by name is weak. Cannot
 * fail.
 */
#include "judge/session_tls.h"
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* 0: not a version that we know. */
static unsigned known_version(const char *text)
{
    static const struct {
        const char *name;
        unsigned version;
    } known[] = {{"TLSv1.3", 13}, {"TLSv1.2", 12}, {"TLSv1.1", 11}, {"TLSv1.0", 10},
                 {"TLSv1", 10},   {"SSLv3", 3},    {"SSLv2", 2}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(text, known[i].name) == 0)
            return known[i].version;
    return 0;
}

bool session_tls_is_known(const char *text)
{
    return known_version(text) != 0;
}

unsigned session_tls_version(const char *text)
{
    if (!text || !*text)
        return 0;
    unsigned known = known_version(text);
    return known ? known : strncasecmp(text, "TLSv1.", 6) == 0 ? 13 : 1; /* a later version than we know */
}

#define WORD(text) text, sizeof text - 1

/* In the order in which they are named if a suite has several. */
static const struct {
    const char *word;
    size_t length;
    const char *why;
} weak[] = {
    {WORD("NULL"), "a cipher that encrypts nothing"},
    {WORD("RC4"), "the broken cipher RC4"},
    {WORD("EXP"), "an export cipher"},
    {WORD("EXPORT"), "an export cipher"},
    {WORD("DES"), "the cipher DES"},
    {WORD("CBC3"), "the cipher 3DES"},
    {WORD("3DES"), "the cipher 3DES"},
    {WORD("RC2"), "the cipher RC2"},
    {WORD("MD5"), "the broken hash MD5"},
};
enum { WEAK = sizeof weak / sizeof *weak };

/* The first of the first `most` weak words that this word of a suite's name is; `most`: none. */
static size_t weak_word(const char *word, size_t length, size_t most)
{
    size_t i = 0;

    while (i < most && !(weak[i].length == length && strncasecmp(word, weak[i].word, length) == 0))
        i++;
    return i;
}

const char *session_tls_weakness(const char *cipher, unsigned bits)
{
    size_t found = WEAK;

    for (const char *p = cipher; p && *p;) {
        const size_t length = strcspn(p, "-_");
        found = weak_word(p, length, found);
        p += length;
        if (*p)
            p++;
    }
    if (found < WEAK)
        return weak[found].why;
    return bits > 0 && bits < 112 ? "a key of under 112 bits" : NULL;
}
