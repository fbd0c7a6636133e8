// SPDX-License-Identifier: BSD-2-Clause
/*
 * options.h - the command line of a program or of one of its commands, read by one table.
 *
 * The table drives the parser, the help, and through the help the test of the manual and the shell completion. All
 * programs accept the same forms: `--policy FILE` and `--policy=FILE`, `-P FILE` and `-PFILE`, flags in one word
 * (`-ny`), an unambiguous beginning of a long name, options and operands in any order, `--` before operands that begin
 * with `-`. `-h` and `--help` are added to every table. No operand may be empty, and no value unless its row says so:
 * it is a variable of a script that was never set, and a file of no name.
 *
 * Nothing is printed here: a complaint is one line of text, with the nearest name if one is near. Texts point into
 * argv. Threads: any.
 */
#ifndef ASSAY_BASE_OPTIONS_H
#define ASSAY_BASE_OPTIONS_H

#include "base/buf.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_MAX 64        /* rows of one table */
#define OPTIONS_HELP_WIDTH 80 /* width of the help: the smallest usual terminal */

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char *, not empty */
    OPTION_ANY_TEXT, /* const char *, perhaps empty */
    OPTION_NUMBER,   /* int64_t, from low to high */
    OPTION_TAKE,     /* take() stores it */
};

struct option_row {
    char letter;          /* 0: no short form */
    const char *name;     /* the long form, without "--"; NULL: a heading in the help, with the text `help` */
    const char *argument; /* what the help calls its value; NULL: takes none */
    const char *help;
    enum option_kind kind;
    size_t at; /* offset of its field in the caller's struct */
    int64_t low, high;
    /* Puts the value (NULL for an option without one) into the caller's struct. NULL: accepted; else what was expected,
     * such as "a day such as 2026-11-20". */
    const char *(*take)(void *into, const char *value);
    unsigned bit; /* 0: of every command that uses this table; else of those whose `takes` has the bit */
};

#define OPTIONS_HEADING(text) {0, NULL, NULL, text, OPTION_FLAG, 0, 0, 0, NULL, 0}

/* Rows, for a struct that is named before them: #define OPTIONS_OF struct my_options */
// clang-format off
#define OPTIONS_FLAG(letter, name, field, help)                                                                        \
    {letter, name, NULL, help, OPTION_FLAG, offsetof(OPTIONS_OF, field), 0, 0, NULL, 0}
#define OPTIONS_TEXT(letter, name, argument, field, help)                                                              \
    {letter, name, argument, help, OPTION_TEXT, offsetof(OPTIONS_OF, field), 0, 0, NULL, 0}
#define OPTIONS_ANY_TEXT(letter, name, argument, field, help)                                                          \
    {letter, name, argument, help, OPTION_ANY_TEXT, offsetof(OPTIONS_OF, field), 0, 0, NULL, 0}
#define OPTIONS_NUMBER(letter, name, argument, field, low, high, help)                                                 \
    {letter, name, argument, help, OPTION_NUMBER, offsetof(OPTIONS_OF, field), low, high, NULL, 0}
#define OPTIONS_TAKE(letter, name, argument, take, help) {letter, name, argument, help, OPTION_TAKE, 0, 0, 0, take, 0}

/* A word that an operand may be, for the help. */
struct option_word {
    const char *name, *help;
};

struct options_spec {
    const char *synopsis; /* after the name; several forms: one per line */
    const char *text;     /* what it does; a paragraph a line */
    const struct option_row *rows;
    size_t row_count;
    unsigned takes;
    const char *words_are; /* a line above the words; NULL: operands are free */
    const struct option_word *words;
    size_t word_count;
    const char *after; /* below the options: exit codes, or NULL */
    const char *needs; /* what is missing where too few operands are given, such as "a queue ID"; NULL: "an argument" */
    int least, most;   /* operands; OPTIONS_ANY: no bound */
};

#define OPTIONS_ANY INT_MAX

enum options_end { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG };

/* Reads argv[1..] into the caller's struct. OK: the operands are argv[1] to argv[*operands], in their order. WRONG:
 * `why` has the complaint, without a line end. HELP: it was asked for; nothing behind it was read. */
enum options_end options_read(const struct options_spec *spec, int argc, char **argv, void *into, int *operands,
                              struct buf *why);

/* options_read for a program's entry: -1: go on; 0 after the help went to `out`; EX_USAGE after the complaint, and a
 * hint at the help, went to `err`. `name` as for options_help. */
int options_start(const struct options_spec *spec, const char *name, int argc, char **argv, void *into, int *operands,
                  FILE *out, FILE *err);

/* The help, made from the table, at most OPTIONS_HELP_WIDTH columns wide; `name` as typed ("assay doctor"). */
void options_help(const struct options_spec *spec, const char *name, struct buf *out);

#endif
