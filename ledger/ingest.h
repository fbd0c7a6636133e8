// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest.h - ingests journals into the store, each record exactly once.
 *
 * ingest_folder() reads every segment of a folder from the position where it stopped (the position is stored in the
 * same transaction as the records), also those still being written; a closed segment that has been read to its end is
 * removed. Any number of processes may work on the same folder or store: the second finds that the position has moved,
 * and ingests nothing. It may be killed at any instant.
 *
 *   - a segment with invalid lines is ingested as far as possible, and renamed to NAME.bad with
 * NAME.bad.why
 *   - a segment of a newer version is left for an upgraded program, and counted in `newer`
 *   - if the store is not available nothing is lost: STATUS_AGAIN, and the segments wait
 *
 * Threads: one per store.
 */
#ifndef ASSAY_LEDGER_INGEST_H
#define ASSAY_LEDGER_INGEST_H

#include "base/ip.h"
#include "ledger/record.h"
#include "ledger/store.h"
#include "ledger/aggregate.h"
#include "ledger/organisation_lists.h"

struct ingest_report {
    uint64_t segments; /* taken to their end, and removed or set aside */
    uint64_t records;
    uint64_t torn;           /* last lines that their writer never finished */
    uint64_t bad;            /* lines that could not be understood */
    uint64_t aside;          /* segments set aside */
    uint64_t newer;          /* segments left for a newer version */
    uint64_t waiting;        /* octets still to be taken when ingest_folder returned */
    bool refused;            /* the cause of STATUS_AGAIN: the store's role lacks a right */
    char first_trouble[400]; /* the first thing worth a line in the log; "" */
};

/* lists: of the policy, for the totals by list; NULL: none are kept. Adds to *report. STATUS_OK also where single
 * segments had trouble; STATUS_AGAIN: the store; STATUS_MISSING, STATUS_DENIED: the folder. stop (may be NULL):
 * looked at between batches; true ends early with STATUS_OK. */
enum status ingest_folder(struct store *s, const struct organisation_lists *lists, const char *dir, bool (*stop)(void),
                          struct ingest_report *report) MUST_CHECK;

/* Adds one record to what aggregate_flush writes. Nothing goes to the store here. ingest_record.c. */
enum status ingest_record(struct store *s, struct aggregate *t, const struct record *r, struct slice line) MUST_CHECK;

/* Adds only what ledger recount may rebuild of a mail: the totals by standard and by organisation. ingest_record.c. */
void ingest_totals(struct aggregate *t, const struct record *r);

/* What one mail adds to its organisation's daily totals (organisations.h). day: since 1970, as text.
 * ingest_organisation.c. */
void ingest_organisation(struct aggregate *t, const struct record *r, const char *day);

#define INGEST_AHEAD_COUNTED 1000 /* a host whose clock is ahead sends as many as it has mails */

/* Records dated further in the future than this wait in the table `ahead` until their time comes; then ingest_ahead()
 * ingests them, some at a time. *waiting: how many still wait, counted
 * up to INGEST_AHEAD_COUNTED. */
#define INGEST_AHEAD (INT64_C(3600) * 1000000)
enum status ingest_ahead(struct store *s, const struct organisation_lists *lists, int64_t *waiting) MUST_CHECK;

/* "192.0.2.0/24" or "2001:db8:0:100::/56" of an address; other text as it is. For what is kept longer than
 * ledger.keep-identity. */
/* Records longer than this are kept without their text. */
#define INGEST_LINE_KEPT 65536

/* A short name of a policy of DMARC as it was published: equal texts have equal marks, by which rows of reports say
 * which policy they were judged by. */
#define INGEST_MARK 9
const char *ingest_policy_mark(const char *published, char out[INGEST_MARK]);

#define INGEST_NET IP_NET_TEXT
const char *ingest_coarse(const char *subject, char out[INGEST_NET]);

#endif
