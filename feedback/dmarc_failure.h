// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_failure.h - DMARC failure reports (RFC 9991, in the form of RFC 6591 and RFC 5965): one mail about one mail.
 *
 * Off by default, and redacted always: they are made from what the journal keeps, so there is no body, no subject, no
 * recipient and no local part in them (RFC 6590); what stands in place of a local part is the word "redacted". They
 * contain the client's address, the domains, the Message-ID, what each mechanism found, and the SPF record that said
 * no.
 *
 * A mail gets one when its domain's record has a ruf tag and fo asks for it: 0 (no mechanism gave an aligned pass), 1
 * (one of them did not), d (a signature failed), s (SPF failed); d and s too are answered in DMARC's form. Never about
 * mail with the null sender, nor about report mail, so two reporters cannot answer each other; nor about mail that was
 * deferred (it comes again) or whose client is not known; nor to a public suffix operator (psd=y, RFC 9991 section 2).
 *
 * A destination outside the organisation gets one only when its DNS consents, as with aggregate reports, and no more
 * than report.failure-per-day a UTC day over the whole fleet (ledgers that count at the same instant may each send one
 * more). A report is claimed in the store first, and goes out once. What cannot be handed over is tried again while the
 * mail is younger than DMARC_FAILURE_SECONDS; so is, after DMARC_FAILURE_CLAIM_SECONDS, what a ledger had claimed and
 * did not settle, since it died: if it had handed it over by then, the second has the same Message-ID.
 */
#ifndef ASSAY_FEEDBACK_DMARC_FAILURE_H
#define ASSAY_FEEDBACK_DMARC_FAILURE_H

#include "feedback/dmarc_run.h"
#include "ledger/record.h"

#define DMARC_FAILURE_SECONDS (6 * 3600) /* older mails get no report */
#define DMARC_FAILURE_RUN 500            /* reports handed over by one run */
#define DMARC_FAILURE_CLAIM_SECONDS 600  /* more than handing over takes at most (DMARC_POST_SECONDS) */
#define DMARC_FAILURE_SPF 4000           /* octets of an SPF record that is quoted; a longer one is left out */

/* Tells whether the record's owner asked for a report about this mail. */
bool dmarc_failure_asked(const struct record *r);

/* The mail, lines ending in LF. from: our address. contact: whom to ask. id: the left part of its Message-ID.
 * STATUS_NOMEM; STATUS_INVALID: the record cannot be told of. */
enum status dmarc_failure_mail(const struct record *r, const char *from, const char *contact, const char *to,
                               const char *id, struct buf *out) MUST_CHECK;

/* Sends what is due, o->dry_run: only says so. Does nothing where report.failure is off. seen gets the states "failure
 * sent", "failure retry", and dry "failure would send". STATUS_OK; STATUS_AGAIN: the store. */
enum status dmarc_failure_run(struct store *s, const struct ledger_config *c, const struct dmarc_run_options *o,
                              struct dmarc_run_result *result) MUST_CHECK;

#endif
