// SPDX-License-Identifier: BSD-2-Clause
/*
 * figure.h - keeps a figure of a bench in C: a line of JSON in the file that the environment's BENCH_FIGURES names.
 * Without the variable nothing is kept. Names and units are plain ASCII without quotes. figures.py is the same for
 * Python.
 */
#ifndef ASSAY_TESTS_BENCH_FIGURE_H
#define ASSAY_TESTS_BENCH_FIGURE_H

#include <stdio.h>
#include <stdlib.h>

/* asked: the value that is asked for; 0: none is. */
static inline void figure(const char *bench, const char *name, double value, const char *unit, double asked)
{
    const char *path = getenv("BENCH_FIGURES");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f)
        return;
    fprintf(f, "{\"bench\": \"%s\", \"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"asked\": ", bench, name,
            value, unit);
    if (asked > 0)
        fprintf(f, "%.6g}\n", asked);
    else
        fprintf(f, "null}\n");
    fclose(f);
}

#endif
