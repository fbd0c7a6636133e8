// SPDX-License-Identifier: BSD-2-Clause
/*
 * options.c - the command line, read by getopt_long from the one table.
 *
 * Promises: an option that is unknown, lacks its argument, or a word too many is EX_USAGE with one line that says
 * which.
 */
#include "milter/options.h"
#include <getopt.h>
#include <stddef.h>
#include <sysexits.h>

static const struct row {
    int letter;
    const char *name, *argument, *help;
    size_t field;
} rows[] = {
#define OPTION(letter, long, argument, field, help) {letter, long, argument, help, offsetof(struct options, field)},
#include "milter/options.def"
#undef OPTION
};

#define ROWS (sizeof rows / sizeof *rows)

void options_help(FILE *to)
{
    fprintf(to, "Usage: assay-milter [OPTION...]\n\nJudges incoming mail for Postfix and Sendmail by one policy file: "
                "assay-milter(8), assay-policy(5).\n\n");
    for (size_t i = 0; i < ROWS; i++) {
        char left[64];
        char letter[8] = "    ";
        if (rows[i].letter)
            snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        fprintf(to, "  %-22s %s\n", left, rows[i].help);
    }
}

int options_read(struct options *o, int argc, char **argv)
{
    struct option table[ROWS + 1] = {{0}};
    char letters[2 * ROWS + 1];
    size_t n = 0;
    int c, at = 0;

    *o = (struct options){0};
    for (size_t i = 0; i < ROWS; i++) {
        table[i] =
            (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, (int)(1000 + i)};
        if (rows[i].letter) {
            letters[n++] = (char)rows[i].letter;
            if (rows[i].argument)
                letters[n++] = ':';
        }
    }
    letters[n] = 0;
    while ((c = getopt_long(argc, argv, letters, table, &at)) != -1) {
        size_t i = 0;
        while (i < ROWS && c != rows[i].letter && c != (int)(1000 + i))
            i++;
        if (i == ROWS) { /* getopt has said what is wrong */
            fprintf(stderr, "Try 'assay-milter --help'.\n");
            return EX_USAGE;
        }
        *(const char **)((char *)o + rows[i].field) = rows[i].argument ? optarg : "yes";
    }
    if (optind < argc) {
        fprintf(stderr, "assay-milter: '%s' is no option\nTry 'assay-milter --help'.\n", argv[optind]);
        return EX_USAGE;
    }
    return 0;
}
