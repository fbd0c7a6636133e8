// SPDX-License-Identifier: BSD-2-Clause
/*
 * reports_config.h - what the ledger's settings (ledger/config.h) mean for DMARC reports that go out. Pure; any thread.
 */
#ifndef ASSAY_FEEDBACK_REPORTS_CONFIG_H
#define ASSAY_FEEDBACK_REPORTS_CONFIG_H

#include "feedback/dmarc_smtp.h"
#include "ledger/config.h"

/* The mail server of report.smtp; its url is "" if reports go by report.sendmail. */
struct dmarc_smtp reports_config_smtp(const struct ledger_config *c);

/* Tells whether DMARC reports may be sent: contact and From are set and are addresses. why (may be NULL): what is
 * missing. */
bool reports_config_usable(const struct ledger_config *c, const char **why);

#endif
