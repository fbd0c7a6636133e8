// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_backup.c - `assay ledger backup` and `assay ledger restore`.
 *
 * Promises that a backup of a running ledger is whole, and that restore changes nothing unless it can put the whole
 * copy in place. For PostgreSQL the line to run is printed. On failure: EX_CANTCREAT for the copy, EX_TEMPFAIL while a
 * daemon runs, EX_DATAERR for a file that is no ledger of ours.
 */
#include "base/clock.h"
#include "cli/ledger/ledger.h"
#include "ledger/store_backup.h"
#include <stdlib.h>

static bool is_shared(const char *store)
{
    return strncmp(store, "postgres", 8) == 0;
}

int ledger_backup(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "FILE",
        "Copies the ledger to FILE, which must not exist yet; the ledger may be in use. `assay ledger forget` names "
        "backups that are still there. With PostgreSQL: prints what to run."};
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    char why[STORE_ERROR] = "", name[4200], *real = NULL;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_STORE, 1, 1, &usage);
    if (rc >= 0)
        return rc;
    struct store *s = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!s)
        return rc;
    if (is_shared(c.store)) {
        printf("pg_dump --format=custom --file='%s' '%s'\n", a.words[0], c.store);
        return ledger_end(s, p, STATUS_OK);
    }
    /* Noted first, so that the copy knows of itself too; a name of no file is not shown. */
    const char *slash = strrchr(a.words[0], '/');
    char folder[4096];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - a.words[0]) + 1 : 1, slash ? a.words[0] : ".");
    real = realpath(folder, NULL);
    snprintf(name, sizeof name, "backup:%s/%s", real ? real : folder, slash ? slash + 1 : a.words[0]);
    free(real);
    enum status st = ledger_wait_for_lease(s, "a backup");
    if (st == STATUS_OK)
        st = store_run(s, &(int64_t){0},
                       "INSERT INTO ledger_state (name, number) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET "
                       "number = excluded.number",
                       "ti", name, clock_wall_us());
    enum status copied = st == STATUS_OK ? store_backup(s, a.words[0], why) : STATUS_OK;
    if (copied != STATUS_OK) {
        cli_error("%s", why);
        (void)ledger_end(s, p, STATUS_OK);
        return copied == STATUS_DENIED ? EX_CANTCREAT : EX_TEMPFAIL;
    }
    if (st == STATUS_OK)
        printf("The ledger is copied to %s.\n", a.words[0]);
    return ledger_end(s, p, st);
}

int ledger_restore(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "FILE", "Replaces the ledger by a backup. assay-ledger must not be running. Journals that are still there are "
                "ingested again if the backup does not contain them. With PostgreSQL: prints what to run."};
    struct ledger_args a;
    struct ledger_config c;
    char why[STORE_ERROR] = "";
    int rc = ledger_args_read(&a, argc, argv, LEDGER_STORE, 1, 1, &usage);
    if (rc >= 0)
        return rc;
    const struct policy *p = ledger_settings(&a, &c, &rc);
    if (!p)
        return rc;
    rc = EX_OK;
    if (is_shared(c.store)) {
        printf("pg_restore --clean --if-exists --dbname='%s' '%s'\n", c.store, a.words[0]);
    } else {
        enum status st = store_restore(c.store, a.words[0], why);
        if (st == STATUS_OK)
            printf("%s is restored from %s.\n", c.store, a.words[0]);
        else
            cli_error("%s", why);
        rc = st == STATUS_OK ? EX_OK : st == STATUS_AGAIN ? EX_TEMPFAIL : st == STATUS_DENIED ? EX_NOPERM : EX_DATAERR;
    }
    policy_unref(p);
    return rc;
}
