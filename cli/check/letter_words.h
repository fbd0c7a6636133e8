// SPDX-License-Identifier: BSD-2-Clause
/*
 * letter_words.h - what the abbreviations in a letter mean, for a reader who knows none of them.
 */
#ifndef ASSAY_CLI_CHECK_LETTER_WORDS_H
#define ASSAY_CLI_CHECK_LETTER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define LETTER_WORDS 64

/* Marks the abbreviations that the text holds, and those that their meanings hold. */
void letter_words_find(const char *text, bool used[LETTER_WORDS]);

/* In alphabetical order: "DMARC", and its meaning in the user's language; NULL behind the last. */
const char *letter_word_name(size_t i);
const char *letter_word_meaning(size_t i);

#endif
