// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_backup.h - copies a ledger in a file (SQLite), and restores a copy.
 *
 * PostgreSQL has tools of its own: these functions refuse it with STATUS_INVALID.
 */
#ifndef ASSAY_LEDGER_STORE_BACKUP_H
#define ASSAY_LEDGER_STORE_BACKUP_H

#include "ledger/store.h"

#define STORE_BACKUP_PART ".part" /* behind the name of a copy that is not whole yet */

/* Makes a complete copy of the store while others read and write it. `file` must not exist, nor does it before the copy
 * is whole; it is readable by its owner alone. why: STORE_ERROR octets. STATUS_DENIED: the file; STATUS_AGAIN: the
 * disk. */
enum status store_backup(struct store *s, const char *file, char *why) MUST_CHECK;

/* Replaces the store at `path` by a copy. Refuses while a daemon holds the store (store_hold), a file that is no ledger
 * or is damaged (STATUS_INVALID), one of a newer schema (STATUS_LIMIT). On failure the store is as it was. */
enum status store_restore(const char *path, const char *file, char *why) MUST_CHECK;

/* Marks the store in the file `path` as in use by a daemon, until the descriptor is closed; -1: failed. Several daemons
 * may hold it. */
int store_hold(const char *path);

#endif
