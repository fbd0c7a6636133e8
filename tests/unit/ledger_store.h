// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_store.h - a folder and an empty ledger for each test: on SQLite, or on the store that ASSAY_TEST_STORE names
 * (a PostgreSQL database of its own, which is emptied: tests/system/ledger/run).
 */
#ifndef ASSAY_TESTS_UNIT_LEDGER_STORE_H
#define ASSAY_TESTS_UNIT_LEDGER_STORE_H

#include "tests/unit/cm.h"

#include "base/clock.h"
#include "ledger/store.h"
#include <stdio.h>

#define LEDGER_STORE_TODAY 20778 /* 2026-11-21 */

struct ledger_store {
    char dir[64], file[96];
    const char *where; /* file, or a URI */
};

/* The clock stands at `second` of LEDGER_STORE_TODAY until ledger_store_remove(); -1: it runs. 0: done. */
static inline int ledger_store_make(struct ledger_store *l, int second)
{
    snprintf(l->dir, sizeof l->dir, "/tmp/assay-ledger-XXXXXX");
    if (!mkdtemp(l->dir))
        return -1;
    snprintf(l->file, sizeof l->file, "%s/ledger.db", l->dir);
    l->where = getenv("ASSAY_TEST_STORE");
    if (l->where && system("psql -qAt \"$ASSAY_TEST_STORE\" -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public' "
                           ">/dev/null 2>&1") != 0)
        return -1;
    l->where = l->where ? l->where : l->file;
    if (second >= 0)
        clock_set_wall((time_t)LEDGER_STORE_TODAY * 86400 + second);
    return 0;
}

static inline int ledger_store_remove(struct ledger_store *l)
{
    char command[128];
    clock_set_wall(0);
    snprintf(command, sizeof command, "rm -rf '%s'", l->dir);
    return system(command);
}

/* NULL, with the reason printed: it cannot be opened. */
static inline struct store *ledger_store_open(const struct ledger_store *l)
{
    char why[STORE_ERROR] = "";
    struct store *s = store_open(l->where, STORE_WRITE, NULL, why);
    if (!s)
        print_error("%s\n", why);
    return s;
}

#endif
