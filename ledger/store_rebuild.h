// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_rebuild.h - writes a ledger in a file (SQLite) anew, where an upgrade asks for it.
 *
 * A file that was left half empty, or was made without auto_vacuum, gives back what is deleted only from then on. On
 * PostgreSQL these functions do nothing.
 */
#ifndef ASSAY_LEDGER_STORE_REBUILD_H
#define ASSAY_LEDGER_STORE_REBUILD_H

#include "ledger/store.h"

/* Copies the store in steps into a second file, PATH.rebuilt, until all is done or `stop` (may be NULL; looked at
 * between steps) says so; the next call goes on from there, in this process or another. Others read and write
 * meanwhile. *wanted: it asks to be rebuilt. *done: the second file is in its place; this store must be closed and
 * opened again. It is put there only while nobody else has the store open; else STATUS_OK and not *done.
 * STATUS_MISSING: there is less free space than 1.2 times the new size, and the store works on as it is; store_error()
 * says how much it needs. Outside of transactions. */
enum status store_rebuild(struct store *s, bool (*stop)(void), bool *wanted, bool *done) MUST_CHECK;

/* Removes the second file, which may hold what is to be forgotten; store_rebuild() then begins anew. */
enum status store_rebuild_end(struct store *s) MUST_CHECK;

#endif
