// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_convert.h - the part of an upgrade that would take long: rows of schemas 1 to 9 in the form of schema 10.
 *
 * The tables are changed at once (store_schema.c); the rows are brought over by this, while records are taken in and
 * questions are answered. Until it is done, reports about the days before are not made and nothing is forgotten or
 * deleted by age, since rows in the old form are seen by neither.
 *
 * Each step is a transaction of its own, so that a process that is killed loses none and doubles none: the next one
 * goes on from there. Several may do it at once.
 */
#ifndef ASSAY_LEDGER_STORE_CONVERT_H
#define ASSAY_LEDGER_STORE_CONVERT_H

#include "ledger/store.h"

/* The row of ledger_state that is there until it is done; its number: mails up to this moment are done. */
#define STORE_CONVERT_STATE "convert_10"

/* Whether nothing is left to be converted; where something is, store_error() says so. */
enum status store_converted(struct store *s, bool *done) MUST_CHECK;

/* How many rows, about, are left where store_converted() says that some are. */
enum status store_convert_left(struct store *s, int64_t *rows) MUST_CHECK;

struct store_convert {
    bool (*stop)(void);                            /* may be NULL; looked at between steps */
    void (*progress)(void *context, int64_t rows); /* may be NULL; rows converted by this call so far */
    void *context;
};

/* Converts until all is done or it is told to stop (STATUS_OK in both cases: store_converted() tells which). */
enum status store_convert(struct store *s, const struct store_convert *how) MUST_CHECK;

/* Takes away what only the old form needed. Within a transaction; for store_schema.c and store_convert.c. */
enum status store_convert_end(struct store *s) MUST_CHECK;

#endif
