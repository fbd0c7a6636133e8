// SPDX-License-Identifier: BSD-2-Clause
/*
 * known_signers.h - the domains that, by the ledger, sign all their mail; the milter needs them to
 * judge.
 *
 * assay-ledger writes the file every minute, under a temporary name, and renames it; assay-milter loads it and looks up
 * domains. A domain is in it when, of the mails of its own that passed DMARC in the last 30 days, at least 20 on at
 * least 7 different days' span had an aligned passing signature, and no less than 99 of 100. Mail that failed DMARC
 * does not count: a flood of forgeries cannot take a domain off the list.
 *
 * Threads: known_signers_signs from any thread; it never waits for another thread, and looks for a new file at most
 * every KNOWN_SIGNERS_LOOK_MS. Depends on base only.
 */
#ifndef ASSAY_JOURNAL_KNOWN_SIGNERS_H
#define ASSAY_JOURNAL_KNOWN_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>

#define KNOWN_SIGNERS_LOOK_MS 30000 /* between two looks for a new file */
#define KNOWN_SIGNERS_PASSES 20
#define KNOWN_SIGNERS_SPAN_DAYS 7
#define KNOWN_SIGNERS_WINDOW_DAYS 30
#define KNOWN_SIGNERS_BYTES_MAX ((size_t)256 << 20) /* of the file; our own limit, some ten million domains */

struct known_signers;

/* A handle on the file, which need not be there yet: nothing is known then. NULL when out of memory. */
struct known_signers *known_signers_open(const char *path);
struct known_signers *known_signers_close(struct known_signers *k); /* NULL is allowed; no thread may use it */

/* Tells whether the domain (canonical form, exactly) signs all its mail. False also if nothing is known. */
bool known_signers_signs(struct known_signers *k, const char *domain);

/* How many domains are known. */
size_t known_signers_count(struct known_signers *k);

/* Looks for a new file now. */
void known_signers_refresh(struct known_signers *k);

#endif
