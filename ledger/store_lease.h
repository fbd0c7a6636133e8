// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_lease.h - one long work on a store at a time: retention, forgetting, a backup, an upgrade, counting again.
 *
 * Each of them holds writers up for a moment in every step, so that two at once would hold ingesting up twice as often,
 * and much of what the second does the first has done. Whoever has the lease works; everybody else, in any process and
 * on any host of the store, is told who that is, and waits or leaves it to them. A lease ends with its holder, however
 * that ends: on SQLite it is a lock on the file STORE.work, on PostgreSQL an advisory lock of the session.
 */
#ifndef ASSAY_LEDGER_STORE_LEASE_H
#define ASSAY_LEDGER_STORE_LEASE_H

#include "ledger/store.h"

#define STORE_LEASE_ENDING ".work"

/* Takes the lease, for `work` ("retention"). Who has it may take it again, as often as it leaves it again. STATUS_AGAIN
 * with store_is_busy(): somebody else has it, and store_error() says who, and for what. Outside of transactions. */
enum status store_lease_take(struct store *s, const char *work) MUST_CHECK;
void store_lease_leave(struct store *s);

/* Whether the last store_lease_take() of this store failed because somebody else has the lease. */
bool store_is_busy(const struct store *s);

/* For store_pg.c: a new connection in the place of one that had the lease takes it again. */
enum status store_lease_renew(struct store *s) MUST_CHECK;

/* Locks the file PATH with this ending, which is made if it is not there, for the owner of the store; LOCK_SH or
 * LOCK_EX, and it does not wait. -1: failed; errno is EWOULDBLOCK where somebody else has it. */
int store_lock_file(const char *path, const char *ending, int how);

#endif
