// SPDX-License-Identifier: BSD-2-Clause
/*
 * language.c - looks up a text in the catalogue of a language (language.h).
 *
 * The catalogues are made from po/NAME.po by po/compile when the program is built, sorted by the English text, so that
 * a look-up is a binary search. Promises never to return NULL for a text that is not NULL.
 */
#include "base/language.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LANGUAGES "one of en, nl, de, fr"

struct entry {
    const char *english, *text;
};

static const struct entry entries_nl[] = {
#include "po/nl.inc"
};

static const struct entry entries_de[] = {
#include "po/de.inc"
};

static const struct entry entries_fr[] = {
#include "po/fr.inc"
};

static const struct {
    const char *name, *direction;
    const struct entry *entries;
    size_t count;
} catalogues[LANGUAGE_COUNT] = {
    [LANGUAGE_EN] = {"en", "ltr", NULL, 0},
    [LANGUAGE_NL] = {"nl", "ltr", entries_nl, sizeof entries_nl / sizeof entries_nl[0]},
    [LANGUAGE_DE] = {"de", "ltr", entries_de, sizeof entries_de / sizeof entries_de[0]},
    [LANGUAGE_FR] = {"fr", "ltr", entries_fr, sizeof entries_fr / sizeof entries_fr[0]},
};

static int by_english(const void *key, const void *entry)
{
    return strcmp(key, ((const struct entry *)entry)->english);
}

const char *language_text(enum language l, const char *english)
{
    if ((unsigned)l >= LANGUAGE_COUNT || !catalogues[l].count || !english)
        return english;
    const struct entry *e = bsearch(english, catalogues[l].entries, catalogues[l].count, sizeof *e, by_english);
    return e ? e->text : english;
}

bool language_from_name(const char *name, enum language *out)
{
    size_t n = strcspn(name, "_.@-");
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        if (n == strlen(catalogues[i].name) && strncasecmp(name, catalogues[i].name, n) == 0) {
            *out = (enum language)i;
            return true;
        }
    return false;
}

const char *language_name(enum language l)
{
    return (unsigned)l < LANGUAGE_COUNT ? catalogues[l].name : "en";
}

const char *language_direction(enum language l)
{
    return (unsigned)l < LANGUAGE_COUNT ? catalogues[l].direction : "ltr";
}

const char *language_one_of(void)
{
    return LANGUAGES;
}

enum language language_of_user(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    enum language l = LANGUAGE_EN;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            (void)language_from_name(value, &l);
            break;
        }
    }
    return l;
}
