// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_sender.h - who sent a report to us, as far as that is proved: the mail that brought it passed DMARC when it
 * came in, by our own Authentication-Results (RFC 8601).
 *
 * Anyone can write a report in anyone's name. So a report that came by mail counts as authenticated only if its mail
 * passed DMARC for the organisation that the report says it is from.
 *
 * Threads: none of it keeps state.
 */
#ifndef ASSAY_FEEDBACK_REPORT_SENDER_H
#define ASSAY_FEEDBACK_REPORT_SENDER_H

#include "feedback/report_in.h"

/* What the mail proves. *domain (in the arena): the From domain that passed DMARC; NULL: none did, or authserv_id wrote
 * no Authentication-Results. Only the topmost field of ours is looked at: assay-milter removes those that came with the
 * mail. STATUS_NOMEM. */
enum status report_sender_read(struct arena *a, struct slice mail, const char *authserv_id,
                               const char **domain) MUST_CHECK;

/* Whether a mail from `domain` (NULL: not proved) may bring this report: its contact address, or where it has none the
 * organisation's name, is of the same organisation. */
bool report_sender_speaks_for(const char *domain, const struct report_in *r);

#endif
