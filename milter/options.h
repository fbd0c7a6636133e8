// SPDX-License-Identifier: BSD-2-Clause
/*
 * options.h - the command line of assay-milter, from the table options.def.
 */
#ifndef ASSAY_MILTER_OPTIONS_H
#define ASSAY_MILTER_OPTIONS_H

#include <stdio.h>

/* A switch that was given is a non-NULL text, as an argument is. NULL: not given. */
struct options {
#define OPTION(letter, long, argument, field, help) const char *field;
#include "milter/options.def"
#undef OPTION
};

/* 0, or EX_USAGE after a message on stderr that names the argument. Texts point into argv. */
int options_read(struct options *o, int argc, char **argv);

void options_help(FILE *to);

#endif
