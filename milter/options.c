// SPDX-License-Identifier: BSD-2-Clause
/*
 * options.c - assay-milter's command line, by the table options.def (base/options.h says how it is read).
 */
#include "milter/options.h"
#include "base/options.h"

#define OPTIONS_OF struct options
static const struct option_row rows[] = {
#define FLAG(letter, long, field, help) OPTIONS_FLAG(letter, long, field, help),
#define TEXT(letter, long, argument, field, help) OPTIONS_TEXT(letter, long, argument, field, help),
#include "milter/options.def"
#undef FLAG
#undef TEXT
};

int milter_options(struct options *o, int argc, char **argv)
{
    static const struct options_spec spec = {
        .synopsis = "[OPTION...]",
        .text = "Judges incoming mail for Postfix and Sendmail by one policy file: assay-milter(8), assay-policy(5).",
        .rows = rows,
        .row_count = sizeof rows / sizeof *rows,
    };
    int operands;
    *o = (struct options){0};
    return options_start(&spec, "assay-milter", argc, argv, o, &operands, stdout, stderr);
}
