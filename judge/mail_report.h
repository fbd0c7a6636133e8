// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_report.h - whether a mail is a DMARC report: the ledger reports on no domain whose only mail of a day was
 * reports, else two reporters would answer each other for ever.
 */
#ifndef ASSAY_JUDGE_MAIL_REPORT_H
#define ASSAY_JUDGE_MAIL_REPORT_H

#include "judge/mail.h"

/* Two of the signs must be there, since anyone writes a subject: the subject's form (RFC 9990 3.5.2 and how it is
 * really written: any case and blanks, encoded words, words before it); a type or file name of a report (RFC 9990
 * 3.5.1, RFC 7489 7.2.1.1, RFC 5965 2); Auto-Submitted or the null sender; a recipient whose name says that reports go
 * there. */
bool mail_is_dmarc_report(const struct judge_mail *m);

/* The subject alone, its encoded words decoded. */
bool mail_report_subject(struct slice subject);

#endif
