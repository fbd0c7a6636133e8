// SPDX-License-Identifier: BSD-2-Clause
/*
 * domain_checks.h - what `assay check` found, kept in the ledger: facts of a domain by day, from which its grade can be
 * told anew at any time, and what `--watch` saw of it last.
 *
 * Facts are text (check/facts.h); the ledger does not read them. Names are canonical (base/domain.h).
 * Threads: the store's. Statuses: those of store_run() and store_done().
 */
#ifndef ASSAY_LEDGER_DOMAIN_CHECKS_H
#define ASSAY_LEDGER_DOMAIN_CHECKS_H

#include "base/slice.h"
#include "ledger/store.h"

/* day: days since 1970-01-01 (UTC). Takes the place of facts of the same day. */
enum status domain_check_put(struct store *s, int64_t day, const char *domain, const char *facts) MUST_CHECK;

/* Hands the facts of at most `most` checks to `each`, the newest first; `facts` is good during the call. */
enum status domain_check_each(struct store *s, int64_t until_day, int64_t most,
                              void (*each)(void *context, struct slice facts), void *context) MUST_CHECK;

/* Hands on what was seen of each domain the last time; the texts are good during the call. */
enum status domain_watch_each(struct store *s, void (*each)(void *context, const char *domain, const char *state),
                              void *context) MUST_CHECK;

enum status domain_watch_put(struct store *s, const char *domain, const char *state) MUST_CHECK;

#endif
