// SPDX-License-Identifier: BSD-2-Clause
/*
 * figure.h - keeps a figure of a bench in C: a line of JSON in the file that the environment's BENCH_FIGURES names.
 * Without the variable nothing is kept. Names and units are plain ASCII without quotes. figures.py is the same for
 * Python. figure_folder() makes the temporary folder of a bench.
 */
#ifndef ASSAY_TESTS_BENCH_FIGURE_H
#define ASSAY_TESTS_BENCH_FIGURE_H

#include <stdio.h>
#include <stdlib.h>

enum figure_better { FIGURE_LESS, FIGURE_MORE };

/* goal: at most, or at least, so much; 0: there is none. */
static inline void figure(const char *bench, const char *name, double value, const char *unit,
                          enum figure_better better, double goal)
{
    const char *path = getenv("BENCH_FIGURES");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f)
        return;
    fprintf(f,
            "{\"bench\": \"%s\", \"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"better\": \"%s\", \"goal\": ",
            bench, name, value, unit, better == FIGURE_MORE ? "more" : "less");
    if (goal > 0)
        fprintf(f, "%.6g}\n", goal);
    else
        fprintf(f, "null}\n");
    fclose(f);
}

/* Makes a folder in TMPDIR, or in /tmp. False: it cannot be made, or its path has no room. */
static inline int figure_folder(char *path, size_t room)
{
    const char *top = getenv("TMPDIR");
    const int n = snprintf(path, room, "%s/assay-bench-XXXXXX", top && *top ? top : "/tmp");
    return n > 0 && (size_t)n < room && mkdtemp(path) != NULL;
}

#endif
