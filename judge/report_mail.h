// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_mail.h - a mail that is itself a DMARC report: how it is recognised. The ledger sends no report to a domain
 * that sent nothing but reports on a day; otherwise two reporters would report about each other's reports for ever.
 */
#ifndef ASSAY_JUDGE_REPORT_MAIL_H
#define ASSAY_JUDGE_REPORT_MAIL_H

#include "judge/mail.h"

#define REPORT_MAIL_HEAD 16384 /* octets of the body that are kept and searched for parts that are reports */
#define REPORT_MAIL_NAMES 3    /* DMARC records that are looked up: the subject's, and those of recipients */

/* Two of four signs must be there, since anyone writes a subject: the subject's form (RFC 9990 3.5.2 and how it is
 * really written: any case and blanks, encoded words, words before it); the type or file name of an attachment, in the
 * header or in the first REPORT_MAIL_HEAD octets of the body (RFC 9990 3.5.1, RFC 7489 7.2.1.1, RFC 5965 2);
 * Auto-Submitted or the null sender; a recipient that a published DMARC record names for reports (to_rua). */
bool mail_is_dmarc_report(const struct judge_mail *m);

/* Tells whether the header shows a sign: then the body's head is worth keeping, and DMARC records worth a look-up. */
bool report_mail_may_be(const struct judge_mail *m);

/* The names ("_dmarc.example.org") whose TXT records may name a recipient; none if the header shows no sign. */
struct report_mail_names {
    const char *name[REPORT_MAIL_NAMES];
    size_t count;
};
void report_mail_records(const struct judge_mail *m, struct arena *a, struct report_mail_names *out);

/* Tells whether this TXT record is of DMARC and its rua or ruf tag names a recipient of the mail. */
bool report_mail_names_rcpt(const struct judge_mail *m, struct slice txt);

/* The subject alone, its encoded words decoded. */
bool report_mail_subject(struct slice subject);

#endif
