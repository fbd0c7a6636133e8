// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_open.c - opens a store: chooses the database, finds out the rights of this host's role, and upgrades the
 * schema.
 *
 * Promises a store whose schema is this program's version, or none. On failure the error text says what is wrong, and
 * nothing is left open.
 */
#include "ledger/store_engine.h"
#include <stdio.h>
#include <string.h>

/* Sets only_adds. */
static enum status find_rights(struct store *s)
{
    int64_t rights = 0;
    enum status st = STATUS_OK;
    if (s->engine->shared)
        st = store_ask_number(
            s, 0, &rights,
            "SELECT CASE WHEN to_regclass('inbox') IS NULL OR has_table_privilege('assay_schema', 'SELECT') THEN 0 "
            "WHEN has_table_privilege('inbox', 'INSERT') THEN 1 ELSE 2 END",
            "");
    s->only_adds = rights == 1;
    if (st == STATUS_OK && rights == 2) {
        snprintf(
            s->error, sizeof s->error,
            "this host's role has no rights in the ledger: its owner gives them, assay ledger admit HOST --role ROLE");
        st = STATUS_DENIED;
    }
    return st;
}

static bool is_pg(const char *where)
{
    return strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
}

bool store_name_is_valid(const char *where, char why[STORE_ERROR])
{
    *why = '\0';
    return !is_pg(where) || store_pg_is_uri(where, why);
}

struct store *store_open(const char *where, enum store_mode mode, enum status *status, char *why)
{
    enum status ignored;
    char nowhere[STORE_ERROR];
    status = status ? status : &ignored;
    why = why ? why : nowhere;
    struct store *s =
        is_pg(where) ? store_pg_open(where, mode, status, why) : store_sqlite_open(where, mode, status, why);
    if (!s)
        return NULL;
    *status = find_rights(s);
    if (*status == STATUS_OK && s->only_adds && mode == STORE_READ) {
        snprintf(s->error, sizeof s->error,
                 "the ledger may only be added to by this host's role: ask where its owner is, or with a role that may "
                 "read");
        *status = STATUS_DENIED;
    } else if (*status == STATUS_OK && !s->only_adds) {
        *status = store_migrate(s, mode == STORE_WRITE);
    }
    if (*status == STATUS_OK)
        return s;
    snprintf(why, STORE_ERROR, "%s", s->error);
    return store_close(s);
}
