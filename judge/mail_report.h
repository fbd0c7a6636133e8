// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_report.h - tells whether a mail is a DMARC report. The ledger sends no report to a domain whose only mail of a
 * day was reports; otherwise two reporters would answer each other for ever.
 */
#ifndef ASSAY_JUDGE_MAIL_REPORT_H
#define ASSAY_JUDGE_MAIL_REPORT_H

#include "judge/mail.h"

/* At least two signs must be present, because anyone can write a subject: the subject's form (RFC 9990 3.5.2 and how it
 * is really written: any case and blanks, encoded words, words before it); a type or file name of a report (RFC 9990
 * 3.5.1, RFC 7489 7.2.1.1, RFC 5965 2); Auto-Submitted or the null sender; a recipient whose name says that it receives
 * reports. */
bool mail_is_dmarc_report(const struct judge_mail *m);

/* The subject alone, its encoded words decoded. */
bool mail_report_subject(struct slice subject);

#endif
