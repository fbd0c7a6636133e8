// SPDX-License-Identifier: BSD-2-Clause
/*
 * aggregate.h - counts of a batch of records, kept in memory and added to the store at once.
 *
 * Ingesting ten mails of one domain costs one upsert per count, not ten. A table of sums (aggregate.c) defines what is
 * added to which table. The order of the upserts is the same in every process (table, then key), so that two processes
 * ingesting into one PostgreSQL cannot deadlock.
 *
 * Threads: one.
 */
#ifndef ASSAY_LEDGER_AGGREGATE_H
#define ASSAY_LEDGER_AGGREGATE_H

#include "ledger/dmarc_row.h"
#include "ledger/store.h"

enum aggregate_sum {
    AGGREGATE_HOST,          /* name | mails, names, dropped, lost */
    AGGREGATE_STANDARD_HOUR, /* hour, host, scope, standard, result, security */
    AGGREGATE_STANDARD_DAY,  /* day, scope, standard, result, security */
    AGGREGATE_VERDICT_HOUR,  /* hour, host, source, action, would */
    AGGREGATE_SUBJECT_DAY,   /* subject, scope, standard, day, result, security */
    /* day, standard, subject, result, level, action, statement, exemption, expired, trust, policy */
    AGGREGATE_OUTCOME_DAY,
    AGGREGATE_SELECTOR,         /* domain, selector, algorithm, bits, result */
    AGGREGATE_SIGNER_DAY,       /* day, domain | passed, signed */
    AGGREGATE_ZONE,             /* name, state | count; the reason, algorithm and bits last seen */
    AGGREGATE_DMARC_DOMAIN,     /* day, domain | the record and rua last seen */
    AGGREGATE_DMARC_ROW,        /* day, domain, DMARC_ROW_NAMES: aggregate_dmarc_row() */
    AGGREGATE_DMARC_BEHIND,     /* day, domain, host */
    AGGREGATE_DMARC_POLICY,     /* day, domain, mark | the policy */
    AGGREGATE_CORRESPONDENT,    /* domain, how, day */
    AGGREGATE_ORG_DAY,          /* day, org, asked | mails, met, explained, untested */
    AGGREGATE_ORG_MISS_DAY,     /* day, org, standard | missed, explained, untested */
    AGGREGATE_ORG_FAILED_DAY,   /* day, org, net, standard | count, strict */
    AGGREGATE_ORG_GROUP_DAY,    /* day, list, org */
    AGGREGATE_ORG_SOURCE,       /* org, net | passed */
    AGGREGATE_ORG_SOURCE_LEAST, /* the same, where the store's row has less: recount.h */
    AGGREGATE_SUMS,
};

#define AGGREGATE_KEYS (2 + DMARC_ROW_COLUMNS)
#define AGGREGATE_KEYS_OCTETS 2500
#define AGGREGATE_KEY_OCTETS                                                                                           \
    (AGGREGATE_KEYS_OCTETS / 11) /* of 11 keys; DMARC rows have more, and a bound of their own */
#define AGGREGATE_COUNTS 4
#define AGGREGATE_NOTES 3

struct aggregate;

struct organisation_lists;

struct aggregate *aggregate_new(void);
struct aggregate *aggregate_free(struct aggregate *t);

/* The lists in which ingest_organisation() looks for organisations (NULL, the default: none). They must live as
 * long. */
void aggregate_set_lists(struct aggregate *t, const struct organisation_lists *lists);
const struct organisation_lists *aggregate_lists(const struct aggregate *t);

/* Only the sums of these bits are added from now on; of others nothing is kept. By default all are, but for
 * AGGREGATE_ORG_SOURCE_LEAST, which takes the place of AGGREGATE_ORG_SOURCE. */
#define AGGREGATE_BIT(sum) (UINT32_C(1) << (sum))
void aggregate_only(struct aggregate *t, uint32_t bits);

/* Adds. keys: as many texts as the sum has (NULL: empty); where they are longer than AGGREGATE_KEYS_OCTETS together,
 * each is cut at AGGREGATE_KEY_OCTETS, since an index row of PostgreSQL holds 2,700 or so. counts: as many as the sum
 * has. moment (a timestamp) widens first_seen and last_seen. notes: those with the latest timestamp are kept (NULL:
 * none). Out of memory is remembered until aggregate_flush. */
struct aggregate_entry {
    enum aggregate_sum sum;
    const char *keys[AGGREGATE_KEYS];
    int64_t counts[AGGREGATE_COUNTS];
    const char *notes[AGGREGATE_NOTES];
    int64_t moment, until; /* until 0: the same */
};
void aggregate_add(struct aggregate *t, const struct aggregate_entry *e);

/* Adds a row of a DMARC report. */
void aggregate_dmarc_row(struct aggregate *t, const char *day, const char *domain, const struct dmarc_row *row,
                         int64_t moment);

/* A statement that aggregate_flush runs before it adds the sums, in the order in which they came. sql stays where it
 * is; the parameters are copied, and a record ('z') is packed, here, where no other writer waits. */
enum status aggregate_statement(struct aggregate *t, struct store *s, const char *sql, const char *types,
                                ...) MUST_CHECK;

/* How many statements aggregate_flush would run now. */
size_t aggregate_rows(const struct aggregate *t);

/* Adds all to the store, within the caller's transaction, and empties the aggregate. STATUS_NOMEM where an addition was
 * lost. */
enum status aggregate_flush(struct aggregate *t, struct store *s) MUST_CHECK;

/* The length of a text that is longer than `most` after it is cut at the start of a character. */
size_t aggregate_cut(const char *text, size_t most);

/* Empties it. */
void aggregate_reset(struct aggregate *t);

#endif
