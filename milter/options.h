// SPDX-License-Identifier: BSD-2-Clause
/*
 * options.h - the command line of assay-milter, from the table options.def.
 */
#ifndef ASSAY_MILTER_OPTIONS_H
#define ASSAY_MILTER_OPTIONS_H

#include <stdbool.h>

/* Options that were not given are NULL; the others point into argv. */
struct options {
#define FLAG(letter, long, field, help) bool field;
#define TEXT(letter, long, argument, field, help) const char *field;
#include "milter/options.def"
#undef FLAG
#undef TEXT
};

/* -1: go on; else the exit code: the help was printed, or a message on stderr named what is wrong. */
int milter_options(struct options *o, int argc, char **argv);

#endif
