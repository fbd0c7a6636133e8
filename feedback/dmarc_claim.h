// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_claim.h - the store's row of one report (table report_out): who sends it, how often it was tried, what became
 * of it. For the files of dmarc_run.h.
 *
 * States: "new" (asked for again by --resend); "sending" (claimed); "sent"; "retry"; "dead" (given up: the destination
 * took it at none of DMARC_RUN_TRIES tries); "refused" (its mail server says that there is no such address);
 * "suppressed" (not sent: no consent, flooding, an address that fails); "left out" (not sent: report.to and the
 * like; one row, destination ""); "asked" (--resend: about to be sent all the same), then "answered".
 */
#ifndef ASSAY_FEEDBACK_DMARC_CLAIM_H
#define ASSAY_FEEDBACK_DMARC_CLAIM_H

#include "ledger/store.h"

struct dmarc_claim {
    struct store *store;
    const char *me; /* "HOST/PID", for a person who looks at the table */
    int64_t day;
    const char *domain, *destination, *report_id;
};

/* A row for it, if there is none yet: from then on it is due until it is settled. */
enum status dmarc_claim_open(const struct dmarc_claim *c) MUST_CHECK;

/* The row's state and reason, in the arena; NULL: there is no row. */
struct arena;
enum status dmarc_claim_look(const struct dmarc_claim *c, struct arena *a, const char **state,
                             const char **reason) MUST_CHECK;

/* Takes the report. *ours false: it is another ledger's, was settled, or is not due again yet. */
enum status dmarc_claim_take(const struct dmarc_claim *c, bool *ours) MUST_CHECK;

struct dmarc_claim_end {
    const char *state, *reason;
    /* The try failed on our side: it does not count, and the next one is soon. */
    bool own_fault;
    int64_t rows, octets, mails;
};

/* Ends it. "retry" becomes "dead" after DMARC_RUN_TRIES tries. *state: what stands there now. */
enum status dmarc_claim_settle(const struct dmarc_claim *c, const struct dmarc_claim_end *e,
                               const char **state) MUST_CHECK;

/* One row for all destinations of the domain: nothing is sent. Does nothing where there is one. */
enum status dmarc_claim_leave_out(const struct dmarc_claim *c, const char *reason, int64_t mails) MUST_CHECK;

/* Why this destination is to be left alone, or NULL; static or in `room` (200 octets). per_host: most reports for the
 * day to the host of `address`. asked: whatever failed before is tried again. */
enum status dmarc_claim_left_alone(const struct dmarc_claim *c, const char *address, int64_t per_host, bool asked,
                                   char *room, const char **why) MUST_CHECK;

/* A report that was sent came back for good: its destination is left alone as one that refused it. report_id: of the
 * mail (that of a further policy of the day has one label more). *noted false: no report of this name was sent
 * there. */
enum status dmarc_claim_bounced(struct store *s, const char *report_id, const char *address, const char *code,
                                bool *noted) MUST_CHECK;

/* How many reports of the day went out or are on their way. */
enum status dmarc_claim_count(struct store *s, int64_t day, int64_t *count) MUST_CHECK;

/* What was asked for has been dealt with. */
enum status dmarc_claim_answered(const struct dmarc_claim *c) MUST_CHECK;

/* Makes what was not sent, from `since` on, due again: of that day (0: any) and domain (NULL: any). */
enum status dmarc_claim_again(struct store *s, int64_t since, int64_t day, const char *domain) MUST_CHECK;

#endif
