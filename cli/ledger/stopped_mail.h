// SPDX-License-Identifier: BSD-2-Clause
/*
 * stopped_mail.h - the stopped forgery (ledger/stopped.h) in the ledger, so that `assay ledger unexplained` and
 * `assay report` do not tell it as the fault of those whose name was forged.
 */
#ifndef ASSAY_CLI_LEDGER_STOPPED_MAIL_H
#define ASSAY_CLI_LEDGER_STOPPED_MAIL_H

#include "ledger/store.h"
#include "policy/policy.h"

/* Newest mails that are looked at, and domains. */
#define STOPPED_MAIL_MOST 200000
#define STOPPED_MAIL_PASSED 10 /* rows gone through for each of them */
#define STOPPED_MAIL_DOMAINS 2000

struct stopped_domain {
    const char *domain;
    int64_t mails, first, last; /* microseconds since 1970 */
};

struct stopped_mail;

/* Looks for it among what did not meet the policy from day to day (UTC). On failure NULL, with *status. */
struct stopped_mail *stopped_mail_find(struct store *s, const struct policy *p, int64_t since_day, int64_t until_day,
                                       enum status *status);
struct stopped_mail *stopped_mail_free(struct stopped_mail *m); /* NULL is allowed */

/* Those whose name was forged, the most mails first; NULL at the end. */
const struct stopped_domain *stopped_mail_at(const struct stopped_mail *m, size_t i);
int64_t stopped_mail_count(const struct stopped_mail *m);

/* How many of these mails a sum of outcome_day holds, by its columns; result and statement NULL: all of them. */
int64_t stopped_mail_among(const struct stopped_mail *m, const char *standard, const char *subject, const char *result,
                           const char *action, const char *statement);
/* The same of the mails that may be forged: too little mail of their domain was seen to tell. They are not stopped. */
int64_t stopped_mail_perhaps_among(const struct stopped_mail *m, const char *standard, const char *subject,
                                   const char *result, const char *action, const char *statement);
size_t stopped_mail_sums(const struct stopped_mail *m);

#endif
