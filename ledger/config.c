// SPDX-License-Identifier: BSD-2-Clause
/*
 * config.c - settings of the policy as the ledger's programs use them.
 *
 * Promises values within the ranges of settings.def (the policy's parser checks them) and a folder list without
 * repeats. No folder is left out: LEDGER_FOLDERS is what a setting of POLICY_TEXT_MAX octets can name.
 */
#include "ledger/config.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <string.h>

/* Nothing for a setting that is empty. */
static void add_folder(struct ledger_config *c, const char *folder)
{
    bool there = !*folder || c->folder_count == LEDGER_FOLDERS;
    for (size_t i = 0; i < c->folder_count; i++)
        there = there || strcmp(c->folders[i], folder) == 0;
    if (!there)
        c->folders[c->folder_count++] = folder;
}

void ledger_config_read(struct ledger_config *c, const struct policy *p)
{
    *c = (struct ledger_config){
        .policy = p,
        .store = policy_set_text(p, SETTING_LEDGER_STORE),
        .keep_identity = policy_set_number(p, SETTING_LEDGER_KEEP_IDENTITY),
        .keep_mails = policy_set_number(p, SETTING_LEDGER_KEEP_MAILS),
        .keep_days = policy_set_number(p, SETTING_LEDGER_KEEP_DAYS),
        .knowledge = policy_set_text(p, SETTING_LEDGER_KNOWLEDGE),
        .contact = policy_set_text(p, SETTING_REPORT_CONTACT),
        .from = policy_set_text(p, SETTING_REPORT_FROM),
        .org = policy_set_text(p, SETTING_REPORT_ORG),
        .extra = policy_set_text(p, SETTING_REPORT_EXTRA),
        .sendmail = policy_set_text(p, SETTING_REPORT_SENDMAIL),
        .dkim_key = policy_set_text(p, SETTING_REPORT_DKIM_KEY),
        .dkim_selector = policy_set_text(p, SETTING_REPORT_DKIM_SELECTOR),
        .smtp = policy_set_text(p, SETTING_REPORT_SMTP),
        .smtp_ca = policy_set_text(p, SETTING_REPORT_SMTP_CA),
        .smtp_login = policy_set_text(p, SETTING_REPORT_SMTP_LOGIN),
        .smtp_opportunistic = strcmp(policy_set_text(p, SETTING_REPORT_SMTP_TLS), "opportunistic") == 0,
        .report_all = policy_set_is(p, SETTING_REPORT_TO, "all"),
        .ceiling = policy_set_number(p, SETTING_REPORT_CEILING),
        .failure = strcmp(policy_set_text(p, SETTING_REPORT_FAILURE), "redacted") == 0,
        .failure_per_day = policy_set_number(p, SETTING_REPORT_FAILURE_PER_DAY),
        .delay = policy_set_number(p, SETTING_REPORT_DELAY),
        .size_max = policy_set_number(p, SETTING_REPORT_SIZE_MAX),
        .per_host = policy_set_number(p, SETTING_REPORT_PER_HOST),
    };
    add_folder(c, policy_set_text(p, SETTING_JOURNAL_DIR));
    add_folder(c, policy_set_text(p, SETTING_RESOLVER_JOURNAL));
    snprintf(c->folders_text, sizeof c->folders_text, "%s", policy_set_text(p, SETTING_LEDGER_JOURNALS));
    char *save = NULL;
    for (char *f = strtok_r(c->folders_text, " \t", &save); f; f = strtok_r(NULL, " \t", &save))
        add_folder(c, f);
}
