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

/* Tells whether one of the words in a suite's name is `word`. */
static bool has_word(const char *cipher, const char *word)
{
    const size_t n = strlen(word);

    for (const char *p = cipher; *p;) {
        const size_t len = strcspn(p, "-_");
        if (len == n && strncasecmp(p, word, n) == 0)
            return true;
        p += len;
        if (*p)
            p++;
    }
    return false;
}

const char *session_tls_weakness(const char *cipher, unsigned bits)
{
    static const struct {
        const char *word, *why;
    } weak[] = {
        {"NULL", "a cipher that encrypts nothing"},
        {"RC4", "the broken cipher RC4"},
        {"EXP", "an export cipher"},
        {"EXPORT", "an export cipher"},
        {"DES", "the cipher DES"},
        {"CBC3", "the cipher 3DES"},
        {"3DES", "the cipher 3DES"},
        {"RC2", "the cipher RC2"},
        {"MD5", "the broken hash MD5"},
    };

    for (size_t i = 0; cipher && i < sizeof weak / sizeof *weak; i++)
        if (has_word(cipher, weak[i].word))
            return weak[i].why;
    return bits > 0 && bits < 112 ? "a key of under 112 bits" : NULL;
}
