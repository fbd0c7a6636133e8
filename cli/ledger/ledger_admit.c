// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_admit.c - `assay ledger admit`: the SQL by which a host's role may add to a shared ledger, and do nothing
 * else.
 *
 * Promises to change nothing itself: roles are created by the database administrator. What it prints can be run again.
 * On failure: EX_USAGE for a name that cannot be one.
 */
#include "cli/ledger/ledger.h"
#include "ledger/inbox.h"

int ledger_admit(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "HOST --role ROLE | psql DATABASE",
        "Prints the SQL that lets the database role ROLE add what the host HOST has found to a shared ledger "
        "(PostgreSQL), and do nothing else: not read it, not change it, not speak for another host. HOST is its name "
        "as `assay ledger hosts` shows it (uname -n there). Nothing is changed before psql runs it as the ledger's "
        "owner."};
    struct ledger_args a;
    struct buf sql = BUF_INIT;
    const char *why;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ROLE, 1, 1, &usage);
    if (rc >= 0)
        return rc;
    if (!a.role)
        return cli_usage("--role is missing: the role by which %s connects to the database", a.words[0]);
    if (!inbox_grant(a.role, a.words[0], &sql, &why)) {
        buf_release(&sql);
        return cli_usage("%s", why ? why : "out of memory");
    }
    fputs(sql.p, stdout);
    buf_release(&sql);
    return EX_OK;
}
