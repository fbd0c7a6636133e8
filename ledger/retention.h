// SPDX-License-Identifier: BSD-2-Clause
/*
 * retention.h - what assay-ledger does with the store besides taking in: forgetting in time, and passing on knowledge.
 */
#ifndef ASSAY_LEDGER_RETENTION_H
#define ASSAY_LEDGER_RETENTION_H

#include "ledger/store.h"

struct retention_keep {
    int64_t identity, mails, days; /* seconds; settings ledger.keep-* */
};

/* Hours are kept this long, whatever the settings: they answer "what happened last week". */
#define RETENTION_HOURS_DAYS 62

/* Takes away what is older than it may be kept, and gives its space back. *rows: how many rows it changed. */
enum status retention_run(struct store *s, const struct retention_keep *keep, int64_t *rows) MUST_CHECK;

/* Forgets everything about a domain (and below) or an address, whatever its age. *rows: how many rows went. */
enum status retention_forget(struct store *s, const char *subject, int64_t *rows) MUST_CHECK;

/* Writes the file of knowledge.h, atomically. why: STORE_ERROR octets. */
enum status retention_write_signers(struct store *s, const char *path, size_t *count, char *why) MUST_CHECK;

#endif
