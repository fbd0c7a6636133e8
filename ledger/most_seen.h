// SPDX-License-Identifier: BSD-2-Clause
/*
 * most_seen.h - which subjects were seen most with one result, without adding up every subject.
 *
 * subject_day has a row for each subject, standard and day, so that the most frequent of a month are a sum over all of
 * them. Instead, the most frequent subjects of each closed day, and of 8 and of 64 days, are listed in the background
 * (most_seen), together with a bound: no subject that is not in the list has a higher count in that time. A query adds
 * up the listed subjects only, and is exact where the last one that it shows has a sum above the bounds of all lists;
 * where it does not, it adds up everything, as slowly as before. What came in after a list was made is in subject_seen,
 * a row for each subject and day, so that a list never goes stale: late mail, records that had waited, and the open
 * day, which has no list, are looked at by those rows. Rows that are deleted (retention, forget) lower sums and no
 * bound.
 */
#ifndef ASSAY_LEDGER_MOST_SEEN_H
#define ASSAY_LEDGER_MOST_SEEN_H

#include "ledger/store.h"

#define MOST_SEEN_LISTED 200 /* subjects of a list */

/* Makes the lists of days before `today` that something came in for; of a store of an earlier version those of all
 * days. A process that is killed leaves lists that are whole. stop (may be NULL): looked at in between; true ends early
 * with STATUS_OK. */
enum status most_seen_keep(struct store *s, int64_t today, bool (*stop)(void)) MUST_CHECK;

/* For whoever adds to subject_day, in the same transaction, before and for each subject and day. */
enum status most_seen_pass(struct store *s, int64_t *pass) MUST_CHECK;
enum status most_seen_note(struct store *s, const char *day, int64_t pass, const char *subject) MUST_CHECK;

/* The `limit` subjects seen most from day `first` to day `last`: their rows are subject, scope, result, security,
 * count, first, last. state: a result, or one of DNSSEC's states. by_lists (may be NULL): false if everything was
 * added up. */
struct store_rows *most_seen_ask(struct store *s, const char *standard, const char *state, bool is_result,
                                 int64_t first, int64_t last, int64_t limit, bool *by_lists);

#endif
