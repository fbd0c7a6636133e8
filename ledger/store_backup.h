// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_backup.h - copies of a ledger in a file (SQLite), and back.
 *
 * PostgreSQL has tools of its own: these functions refuse it with STATUS_INVALID.
 */
#ifndef ASSAY_LEDGER_STORE_BACKUP_H
#define ASSAY_LEDGER_STORE_BACKUP_H

#include "ledger/store.h"

/* A whole copy of the store at one moment, while others read and write it. `file` must not exist; it is readable by its
 * owner alone. why: STORE_ERROR octets. STATUS_DENIED: the file; STATUS_AGAIN: the disk. */
enum status store_backup(struct store *s, const char *file, char *why) MUST_CHECK;

/* Puts a copy in the place of the store at `path`. Refuses while a daemon holds the store (store_hold), a file that is
 * no ledger or is damaged (STATUS_INVALID), one of a newer schema (STATUS_LIMIT). On failure the store is as it was. */
enum status store_restore(const char *path, const char *file, char *why) MUST_CHECK;

/* Says that a daemon works with the store in the file `path`, until the descriptor is closed; -1: it cannot be said.
 * Several may. */
int store_hold(const char *path);

#endif
