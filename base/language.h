// SPDX-License-Identifier: BSD-2-Clause
/*
 * language.h - texts for people in their language, from catalogues that are part of the program.
 *
 * The English text is the key; if a catalogue (po/NAME.po, compiled in) does not have it, the English text is returned.
 * No locale need be installed, and none is changed: numbers in files and on the wire stay as they are.
 *
 * Pure, except language_of_user(), which reads the environment. Any thread.
 */
#ifndef ASSAY_BASE_LANGUAGE_H
#define ASSAY_BASE_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>

/* All of them, for people; a new one is added to both. */
#define LANGUAGE_NAMES "en, nl, de or fr"
enum language { LANGUAGE_EN, LANGUAGE_NL, LANGUAGE_DE, LANGUAGE_FR, LANGUAGE_COUNT };

/* The text in a language, or the English text. english must be exactly as in the catalogue. */
const char *language_text(enum language l, const char *english) __attribute__((format_arg(2)));

/* "nl", "nl_NL.UTF-8", "NL". false: there is no catalogue for this language. */
bool language_from_name(const char *name, enum language *out);

/* By LC_ALL, LC_MESSAGES or LANG, the first that is set; English if it names no language we have. */
enum language language_of_user(void);

const char *language_name(enum language l); /* "en", "nl" */

/* "ltr" or "rtl": the direction of writing, as a value of the HTML attribute dir. */
const char *language_direction(enum language l);

/* "one of en, nl, de, fr": what an option takes. */
const char *language_one_of(void);

/* ---- numbers, shares, days and plurals, as the language writes them (language_forms.c) ---- */

#define LANGUAGE_FORM 48

/* "12,345" */
const char *language_number(enum language l, int64_t n, char out[LANGUAGE_FORM]);

/* "62%". Never rounded to 100% or 0%: these mean all and none. "-" if whole is 0. */
const char *language_share(enum language l, int64_t part, int64_t whole, char out[LANGUAGE_FORM]);

/* "28 November 2026", of a day since 1970. */
const char *language_day(enum language l, int64_t day, char out[LANGUAGE_FORM]);

/* Returns one or many, by the plural rule of the language: French says "0 mail", the others "0 mails". */
const char *language_plural(enum language l, int64_t n, const char *one, const char *many)
    __attribute__((format_arg(3), format_arg(4)));

/* Marks a text that is looked up elsewhere: tests/tree/languages demands a translation of it. */
#define LANGUAGE_MARK(text) text

#endif
