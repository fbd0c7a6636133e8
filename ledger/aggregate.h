// SPDX-License-Identifier: BSD-2-Clause
/*
 * aggregate.h - counts of a batch of records, kept in memory and added to the store at once.
 *
 * Taking in ten mails of one domain costs one upsert per count, not ten. What is added to which table is told by a
 * table of sums (tally.c); the order of the upserts is the same in every process (table, then key), so that two takers
 * in one PostgreSQL cannot lock each other out.
 *
 * Threads: one.
 */
#ifndef ASSAY_LEDGER_AGGREGATE_H
#define ASSAY_LEDGER_AGGREGATE_H

#include "ledger/store.h"

enum tally_sum {
    TALLY_HOST,          /* name | mails, names, dropped, lost */
    TALLY_STANDARD_HOUR, /* hour, host, scope, standard, result, security */
    TALLY_STANDARD_DAY,  /* day, scope, standard, result, security */
    TALLY_VERDICT_HOUR,  /* hour, host, source, action, would */
    TALLY_SUBJECT_DAY,   /* subject, scope, standard, day, result, security */
    TALLY_OUTCOME_DAY, /* day, standard, subject, result, level, action, statement, exemption, expired, trust, policy */
    TALLY_SELECTOR,    /* domain, selector, algorithm, bits, result */
    TALLY_SIGNER_DAY,  /* day, domain | passed, signed */
    TALLY_ZONE,        /* name, state | count; the reason, algorithm and bits last seen */
    TALLY_DMARC_DOMAIN, /* day, domain | the record and rua last seen */
    TALLY_DMARC_ROW,    /* day, domain, tuple */
    TALLY_DMARC_BEHIND, /* day, domain, host */
    TALLY_SUMS,
};

#define TALLY_KEYS 11
#define TALLY_KEYS_OCTETS 2500
#define TALLY_KEY_OCTETS (TALLY_KEYS_OCTETS / TALLY_KEYS)
#define TALLY_COUNTS 4
#define TALLY_NOTES 3

struct tally;

struct tally *tally_new(void);
struct tally *tally_free(struct tally *t);

/* Adds. keys: as many texts as the sum has (NULL: empty); where they are longer than TALLY_KEYS_OCTETS together, each is
 * cut at TALLY_KEY_OCTETS, since an index row of PostgreSQL holds 2,700 or so. counts: as many as the sum has. moment widens first_seen and
 * last_seen. notes: kept of the latest moment (NULL: none). Out of memory is remembered until tally_flush. */
struct tally_entry {
    enum tally_sum sum;
    const char *keys[TALLY_KEYS];
    int64_t counts[TALLY_COUNTS];
    const char *notes[TALLY_NOTES];
    int64_t moment, until; /* until 0: the same */
};
void tally_add(struct tally *t, const struct tally_entry *e);

/* Adds all to the store, within the caller's transaction, and empties the tally. STATUS_NOMEM where an addition was
 * lost. */
enum status tally_flush(struct tally *t, struct store *s) MUST_CHECK;

/* How many octets of a text that is longer than `most` are left when it is cut before a character. */
size_t tally_cut(const char *text, size_t most);

/* Empties it. */
void tally_reset(struct tally *t);

#endif
