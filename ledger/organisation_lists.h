// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisation_lists.h - in which lists of the policy an organisation stands, for the daily totals: membership is
 * written with the mail, in the same transaction, so that it is that of the day.
 *
 * Threads: none writes after organisation_lists_new(), so any may read.
 */
#ifndef ASSAY_LEDGER_ORGANISATION_LISTS_H
#define ASSAY_LEDGER_ORGANISATION_LISTS_H

#include "policy/policy.h"

#define ORGANISATION_LISTS_MAX 64 /* lists that are looked at: those that the policy names first */

struct organisation_lists;

/* Keeps a reference to the policy. NULL: out of memory. */
struct organisation_lists *organisation_lists_new(const struct policy *p);
struct organisation_lists *organisation_lists_free(struct organisation_lists *l); /* NULL is allowed */

/* The names of the lists, good as long as l. l NULL: none. */
size_t organisation_lists_of(const struct organisation_lists *l, const char *org,
                             const char *names[ORGANISATION_LISTS_MAX]);

#endif
