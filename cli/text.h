// SPDX-License-Identifier: BSD-2-Clause
/*
 * text.h - the texts that a command shows to people, in their language.
 *
 * A command whose texts are in the catalogues (po/) says so by cli_speak(); until then all texts are English, as are
 * those of the other commands. What is for programs (--json, --csv) is English unless --lang is given.
 *
 * Threads: cli_speak() before others are started; then any.
 */
#ifndef ASSAY_CLI_TEXT_H
#define ASSAY_CLI_TEXT_H

#include "base/language.h"
#include "cli/cli.h"

/* What an option --lang takes. */
struct cli_language {
    enum language language;
    bool given;
};
const char *cli_take_language(struct cli_language *into,
                              const char *value); /* as OPTIONS_TAKE's: NULL, or what would do */

/* From now on texts are in the language given, or else in the user's; for programs: in the one given, or English. */
void cli_speak(const struct cli_language *l, bool for_programs);
enum language cli_language(void);

const char *cli_text(const char *english) __attribute__((format_arg(1)));

#define _(text) cli_text(LANGUAGE_MARK(text))
#define N_(text) LANGUAGE_MARK(text) /* translated where it is used */

#endif
