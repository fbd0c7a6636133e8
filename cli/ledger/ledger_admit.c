// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_admit.c - `assay ledger admit`: the SQL by which a host's role may add to a shared ledger, and do nothing
 * else.
 *
 * Promises to change nothing itself: roles are created by the database administrator. What it prints can be run again.
 * If there is a policy, it is read only to learn whether its ledger is a PostgreSQL database. On failure: EX_USAGE for
 * an invalid name, or if the ledger is a SQLite file; EX_CONFIG for a policy that cannot be read.
 */
#include "cli/ledger/ledger.h"
#include "ledger/inbox.h"
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says that a SQLite file belongs to one host, and who may read it. */
static int is_sqlite(const char *store)
{
    struct stat st;
    struct group *g = stat(store, &st) == 0 && (st.st_mode & S_IRGRP) && st.st_gid ? getgrgid(st.st_gid) : NULL;
    struct buf who = BUF_INIT;
    if (g)
        buf_printf(&who,
                   "\nWho may read this ledger: members of group %s, while assay-ledger runs (usermod -aG %s NAME)",
                   g->gr_name, g->gr_name);
    int rc = cli_usage("the ledger is the SQLite file %s, which only this host writes: admit is for a PostgreSQL "
                       "database that hosts share (set ledger.store \"postgresql://USER@HOST/DATABASE\", or --store)%s",
                       store, who.p ? who.p : "");
    buf_release(&who);
    return rc;
}

/* Returns -1 if the ledger is a PostgreSQL database, or if neither option nor policy names one: printing SQL needs no
 * policy. */
static int need_postgresql(const struct ledger_args *a)
{
    struct ledger_config c;
    int rc = -1;
    if (!a->policy && !a->store && access(CLI_POLICY_PATH, F_OK) != 0)
        return -1;
    if (a->store)
        return *a->store == '/' ? is_sqlite(a->store) : -1;
    const struct policy *p = ledger_settings(a, &c, &rc);
    if (p && *c.store == '/')
        rc = is_sqlite(c.store);
    policy_unref(p);
    return rc;
}

int ledger_admit(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "HOST --role ROLE [--store STORE] | psql DATABASE",
        "Prints the SQL that lets the database role ROLE add what the host HOST has found to a shared ledger "
        "(PostgreSQL), and do nothing else: not read it, not change it, not speak for another host. HOST is its name "
        "as `assay ledger hosts` shows it (uname -n there). Nothing is changed before psql runs it as the ledger's "
        "owner."};
    struct ledger_args a;
    struct buf sql = BUF_INIT;
    const char *why;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ROLE | LEDGER_STORE, 1, 1, &usage);
    if (rc >= 0)
        return rc;
    if (!a.role)
        return cli_usage("--role is missing: the role by which %s connects to the database", a.words[0]);
    rc = need_postgresql(&a);
    if (rc >= 0)
        return rc;
    if (!inbox_grant(a.role, a.words[0], &sql, &why)) {
        buf_release(&sql);
        return cli_usage("%s", why ? why : "out of memory");
    }
    fputs(sql.p, stdout);
    buf_release(&sql);
    return EX_OK;
}
