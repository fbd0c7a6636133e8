// SPDX-License-Identifier: BSD-2-Clause
/*
 * inbox.h - a shared ledger (PostgreSQL) to which hosts may only add.
 *
 * A mail host is exposed to attacks: whoever breaks into one of fifty should not be able to delete, change or read what
 * all have found. So a host connects with a role that may only insert into the table `inbox` and into the register of
 * exceptions: it writes the lines of its journals there, with their positions. The ledger's owner, a host with a role
 * that may do everything, ingests them from there, each exactly once, as it does with its own.
 *
 * Which of the two a host is follows from the rights of the role in its `set ledger.store`; there is nothing to
 * configure. The table `inbox_host`, which only the owner can write, says which host a role may send for: lines in
 * another host's name are not ingested. Row security keeps a role from adding rows as another role.
 *
 * Threads: as for the store.
 */
#ifndef ASSAY_LEDGER_INBOX_H
#define ASSAY_LEDGER_INBOX_H

#include "base/buf.h"
#include "ledger/ingest.h"

/* Adds to *report: ingests the inbox into the tables. Rows that are refused stay there for INBOX_REFUSED_DAYS, with the
 * reason in the column `refused`, and first_trouble says so. One transaction per batch. Does nothing on SQLite.
 * Statuses as ingest_folder(). */
#define INBOX_REFUSED_DAYS 30
enum status inbox_take(struct store *s, const struct organisation_lists *lists, bool (*stop)(void),
                       struct ingest_report *report) MUST_CHECK;

/* The lines of one row, for the fuzzer too. Text: lines of a segment from place `at` on, each ended by LF; "!N"
 * stands for N octets of it that are no record. Calls line for each that ends behind `from`, counts what was left
 * out there, and sets *end to the place behind all. STATUS_INVALID: not such text; else the first status of `line`
 * that is not STATUS_OK. */
#define INBOX_PLACE_MAX (INT64_C(1) << 53)
struct inbox_reader {
    enum status (*line)(void *arg, struct slice line);
    void *arg;
    int64_t left_out;
};
enum status inbox_lines(struct slice text, int64_t at, int64_t from, struct inbox_reader *reader,
                        int64_t *end) MUST_CHECK;

/* The SQL that lets `role` add to this ledger for `host`, for a person to read and for psql to run as the owner:
 * takes from the role what else it was given, and ends without any change where it could still do more. False: a
 * name that cannot be one, why says which. */
bool inbox_grant(const char *role, const char *host, struct buf *out, const char **why);

#endif
