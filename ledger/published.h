// SPDX-License-Identifier: BSD-2-Clause
/*
 * published.h - which totals each page for the world shows (report/publish.h), so that what is shown next, there or
 * elsewhere, can be compared with it.
 *
 * A list's name is the policy's; PUBLISHED_ALL is the total of all organisations. A place is a page of a host. A set
 * is who was counted in a total: the marks of its members (report/publish_history.h), whose hash is its own mark. Sets
 * stay when a page shows something else: who kept the old page can still subtract.
 * Threads: the store's. Statuses: those of store_run() and store_done().
 */
#ifndef ASSAY_LEDGER_PUBLISHED_H
#define ASSAY_LEDGER_PUBLISHED_H

#include "ledger/store.h"

#define PUBLISHED_ALL "*"

/* Begins a transaction in which nobody else reads or writes these totals; store_commit() or store_rollback() ends it.
 */
enum status published_begin(struct store *s) MUST_CHECK;

/* Hands on the last total of each list at each place, those of this place first, then the newest first; the text is
 * good during the call. */
typedef void published_each_fn(void *context, bool here, const char *list, int64_t organisations, int64_t meets);
enum status published_each(struct store *s, const char *place, published_each_fn *each, void *context) MUST_CHECK;

/* Takes the place of the list's last one there. day: days since 1970-01-01 (UTC). */
enum status published_put(struct store *s, const char *place, int64_t day, const char *list, int64_t organisations,
                          int64_t meets) MUST_CHECK;

/* Hands on the `most` newest sets that were ever shown, the newest first, until `each` says that it has enough. */
typedef bool published_set_fn(void *context, const char *list, int64_t organisations, int64_t meets,
                              const char *members);
enum status published_sets_each(struct store *s, int64_t most, published_set_fn *each, void *context) MUST_CHECK;

/* Keeps a set; one that is there already stays. */
enum status published_set_put(struct store *s, const char *mark, int64_t day, const char *list, int64_t organisations,
                              int64_t meets, const char *members) MUST_CHECK;

#endif
