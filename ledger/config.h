// SPDX-License-Identifier: BSD-2-Clause
/*
 * config.h - the ledger's settings, from the policy (settings.def).
 *
 * Texts live as long as the policy they came from.
 */
#ifndef ASSAY_LEDGER_CONFIG_H
#define ASSAY_LEDGER_CONFIG_H

#include "policy/limits.h"
#include "policy/policy.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_FOLDERS (POLICY_TEXT_MAX / 2 + 3) /* as many as two settings and a list hold */

struct ledger_config {
    const struct policy *policy; /* the one it was read from */
    const char *store;
    char folders_text[POLICY_TEXT_MAX + 1];
    const char *folders[LEDGER_FOLDERS]; /* point into folders_text, too, so this struct must not be copied */
    size_t folder_count;
    int64_t keep_identity, keep_mails, keep_days; /* seconds */
    const char *knowledge;

    const char *contact, *from, *org, *extra, *sendmail, *dkim_key, *dkim_selector, *smtp, *smtp_ca, *smtp_login;
    bool smtp_opportunistic, failure, report_all;
    int64_t delay, size_max, per_host, failure_per_day, ceiling;
};

void ledger_config_read(struct ledger_config *c, const struct policy *p);

#endif
