// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_run.h - a day's DMARC reports: which are due, to whom, made once over the fleet, sent, and tried again.
 *
 * A report (policy domain, destination, UTC day) is claimed in the store before it is sent, so that only one of two
 * ledgers sends it. If a ledger dies while sending, its claim ends after an hour: the report is then sent again, under
 * the same Report-ID and file name. A report that could not be handed over is tried again after 15 minutes, then after
 * twice as long each time, eight times. A destination that failed in this way on three days gets nothing for a week; an
 * address that does not exist, by its mail server's answer, gets nothing for 30 days. A failure of our own (the mail
 * command, the connection to our mail server, the key) does not count against a destination: the reports wait until it
 * is fixed. No more than report.per-host reports a day go to one host, by turns. Who gets reports at all is
 * dmarc_reach.h. A day that could not be reported in its time (the ledger was down) is reported for DMARC_RUN_DAYS_BACK
 * days more; what hosts bring after the cut-off, or later than that, is counted (dmarc_late.h).
 *
 * A report has data of one policy only. Where a domain's policy changed during the day, there is one report for each
 * policy that was applied (RFC 9990 3.1), under one claim.
 *
 * What is reported: mail that came by SMTP from outside and got a verdict that was not to defer it. Behind a relay of
 * ours (a backup MX) the mail came from outside all the same: it is reported under the client that the relay got it
 * from, never under the relay; where that client cannot be read, it is not reported, since a report would blame the
 * relay. Mail that a relay of our fleet has judged is reported by that one alone. Submission, own networks and mail of
 * this host are never reported.
 */
#ifndef ASSAY_FEEDBACK_DMARC_RUN_H
#define ASSAY_FEEDBACK_DMARC_RUN_H

#include "dns/dns.h"
#include "ledger/config.h"
#include "ledger/store.h"

#define DMARC_RUN_TRIES 8
#define DMARC_RUN_CLAIM_SECONDS 3600
#define DMARC_RUN_DAYS_BACK 7    /* days before the last one that are looked at for what is still to be sent */
#define DMARC_RUN_RESEND_DAYS 30 /* ... and by `resend`: RETENTION_RESEND_DAYS keeps their rows */
#define DMARC_RUN_DEAD_DAYS 3

struct dmarc_run_item {
    int64_t day;
    const char *domain, *destination;
    const char *state;  /* "sent", "retry", "dead", "refused", "suppressed", "left out", "late"; with dry_run or to_dir
                           also "would send", "was sent", "unwanted", "ask later", "written" */
    const char *reason; /* never NULL */
    size_t rows, octets;
    const char *file;
};

struct dmarc_run_options {
    struct dns *dns; /* for the consent of destinations outside */
    bool one_day;    /* only `day`, due or not */
    int64_t day;
    bool dry_run;       /* say what would be done; nothing is claimed, sent or stored */
    bool resend;        /* what was left out, suppressed or given up too, but for what report.never-to names and domains
                           all of whose mail was refused */
    const char *domain; /* only this policy domain; NULL: all */
    const char *to_dir; /* write the reports there instead of sending; nothing is claimed */
    bool (*stop)(void);
    void (*seen)(void *context, const struct dmarc_run_item *item); /* after each; may be NULL */
    void *context;
};

struct dmarc_run_result {
    unsigned sent, failed, suppressed;
    unsigned left_out;   /* domains (dmarc_reach.h) */
    char own_fault[200]; /* why our own way of sending failed, the last time it did; "": it did not */
    unsigned failures;   /* failure reports sent (dmarc_failure.h) */
    uint64_t late; /* mails that came too late for their report (dmarc_late.h), of the days still looked at; with `seen`
                      also of those before */
};

/* The DNS that consent is asked of, by the policy's settings; the system's root key where the milter has made no trust
 * anchor of its own yet. NULL with *error (malloc'ed) set. */
struct dns *dmarc_run_dns(const struct policy *p, char **error) MUST_CHECK;

/* STATUS_OK; STATUS_AGAIN: the store. */
enum status dmarc_run(struct store *s, const struct ledger_config *c, const struct dmarc_run_options *o,
                      struct dmarc_run_result *result) MUST_CHECK;

#endif
