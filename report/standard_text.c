// SPDX-License-Identifier: BSD-2-Clause
/*
 * standard_text.c - the sentences of standards.def, by number and by name.
 *
 * Promises the judged and checked standards first, numbered as in base/standard.h, and the others behind them in the
 * order of standards.def. Static tables; beyond the end: NULL.
 */
#include "report/standard_text.h"

static const struct standard_text texts[STANDARD_COUNT] = {
#define STANDARD_TEXT(name, ...) [STANDARD_##name] = {__VA_ARGS__},
#define OTHER_STANDARD(word, ...)
#include "report/standards.def"
#undef STANDARD_TEXT
#undef OTHER_STANDARD
};

static const struct {
    const char *word;
    struct standard_text text;
} others[] = {
#define STANDARD_TEXT(name, ...)
#define OTHER_STANDARD(word, ...) {word, {__VA_ARGS__}},
#include "report/standards.def"
#undef STANDARD_TEXT
#undef OTHER_STANDARD
};

_Static_assert(STANDARD_COUNT + sizeof others / sizeof others[0] == STANDARD_TEXT_COUNT, "the header counts them too");

const struct standard_text *standard_text(enum standard s)
{
    return (unsigned)s < STANDARD_COUNT ? &texts[s] : NULL;
}

const struct standard_text *standard_text_at(size_t i)
{
    if (i < STANDARD_COUNT)
        return &texts[i];
    return i < STANDARD_TEXT_COUNT ? &others[i - STANDARD_COUNT].text : NULL;
}

const char *standard_text_word(size_t i)
{
    if (i < STANDARD_COUNT)
        return standard_name((enum standard)i);
    return i < STANDARD_TEXT_COUNT ? others[i - STANDARD_COUNT].word : NULL;
}
