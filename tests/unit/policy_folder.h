// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_folder.h - a folder of policy files for one test program: written whole, and deleted with all that is in it.
 */
#ifndef ASSAY_TESTS_UNIT_POLICY_FOLDER_H
#define ASSAY_TESTS_UNIT_POLICY_FOLDER_H

#include "tests/unit/cm.h"

#include <stdio.h>
#include <unistd.h>

static char folder[64];

/* 0: made. */
static inline int folder_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/assay-policy-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* The path of a file in it; the last four are good. */
static inline const char *in(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *p = paths[turn++ % 4];
    snprintf(p, sizeof paths[0], "%s/%s", folder, name);
    return p;
}

/* Writes a file where it stands: a reader may see half of it. */
static inline void put(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Writes a file under another name, and renames it: a reader sees the old text or the new one. */
static inline void put_whole(const char *name, const char *text)
{
    char fresh[64];
    snprintf(fresh, sizeof fresh, "%s.new", name);
    put(fresh, text);
    assert_int_equal(rename(in(fresh), in(name)), 0);
}

#endif
