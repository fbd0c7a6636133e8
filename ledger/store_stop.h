// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_stop.h - lets a program that is told to end cut off what a store is doing.
 *
 * Threads: store_stop_when() once, before a store is opened; the function it is given may be called by any thread that
 * uses a store.
 */
#ifndef ASSAY_LEDGER_STORE_STOP_H
#define ASSAY_LEDGER_STORE_STOP_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_STOP_MS 1000

/* Once `stop` returns true, a statement, a transaction and a wait for another writer are cut off when they have lasted
 * STORE_STOP_MS: STATUS_AGAIN, and the caller rolls back. COMMIT and ROLLBACK are never cut off. NULL: nothing is (the
 * default). */
void store_stop_when(bool (*stop)(void));

/* Tells whether what began at this moment (clock_mono_ms) is to be cut off now. */
bool store_stop_now(int64_t began_ms);

#endif
