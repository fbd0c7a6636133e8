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

enum language { LANGUAGE_EN, LANGUAGE_NL, LANGUAGE_COUNT };

/* The text in a language, or the English text. english must be exactly as in the catalogue. */
const char *language_text(enum language l, const char *english);

/* "nl", "nl_NL.UTF-8", "NL". false: there is no catalogue for this language. */
bool language_from_name(const char *name, enum language *out);

/* By LC_ALL, LC_MESSAGES or LANG, the first that is set; English if it names no language we have. */
enum language language_of_user(void);

/* For texts that are looked up elsewhere: marks them for po/update. */
#define LANGUAGE_MARK(text) text

#endif
