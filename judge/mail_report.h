// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_report.h - tells whether a mail is a DMARC report. The ledger sends no report to a domain whose only mail of a
 * day was reports; otherwise two reporters would answer each other for ever.
 */
#ifndef ASSAY_JUDGE_MAIL_REPORT_H
#define ASSAY_JUDGE_MAIL_REPORT_H

#include "judge/mail.h"

#define MAIL_REPORT_HEAD 16384 /* octets of the body that are kept and searched for parts that are reports */
#define MAIL_REPORT_NAMES 3    /* DMARC records that are looked up: the subject's, and those of recipients */

/* Two of four signs must be there, since anyone writes a subject: the subject's form (RFC 9990 3.5.2 and how it is
 * really written: any case and blanks, encoded words, words before it); the type or file name of an attachment, in the
 * header or in the first MAIL_REPORT_HEAD octets of the body (RFC 9990 3.5.1, RFC 7489 7.2.1.1, RFC 5965 2);
 * Auto-Submitted or the null sender; a recipient that a published DMARC record names for reports (to_rua). */
bool mail_is_dmarc_report(const struct judge_mail *m);

/* Tells whether the header shows a sign: then the body's head is worth keeping, and DMARC records worth a look-up. */
bool mail_report_may_be(const struct judge_mail *m);

/* The names ("_dmarc.example.org") whose TXT records may name a recipient; none if the header shows no sign. */
struct mail_report_names {
    const char *name[MAIL_REPORT_NAMES];
    size_t count;
};
void mail_report_records(const struct judge_mail *m, struct arena *a, struct mail_report_names *out);

/* Tells whether this TXT record is of DMARC and its rua or ruf tag names a recipient of the mail. */
bool mail_report_names_rcpt(const struct judge_mail *m, struct slice txt);

/* The subject alone, its encoded words decoded. */
bool mail_report_subject(struct slice subject);

#endif
