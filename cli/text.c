// SPDX-License-Identifier: BSD-2-Clause
/*
 * text.c - the language of a command's texts (text.h). Never fails: a text without a translation is English.
 */
#include "cli/text.h"

static enum language spoken = LANGUAGE_EN;

const char *cli_take_language(struct cli_language *into, const char *value)
{
    into->given = language_from_name(value, &into->language);
    return into->given ? NULL : language_one_of();
}

void cli_speak(const struct cli_language *l, bool for_programs)
{
    spoken = l->given ? l->language : for_programs ? LANGUAGE_EN : language_of_user();
}

enum language cli_language(void)
{
    return spoken;
}

const char *cli_text(const char *english)
{
    return language_text(spoken, english);
}
