// SPDX-License-Identifier: BSD-2-Clause
/*
 * config.c - settings of the policy as the ledger's programs use them.
 *
 * Promises values within the ranges of settings.def (the policy's parser holds them) and a folder list without repeats.
 * Folders beyond LEDGER_FOLDERS are left out: the parser's text limit keeps the list shorter.
 */
#include "ledger/config.h"
#include <stdio.h>
#include <string.h>

static void add_folders(struct ledger_config *c)
{
    char *save = NULL;
    for (char *f = strtok_r(c->folders_text, " \t", &save); f && c->folder_count < LEDGER_FOLDERS;
         f = strtok_r(NULL, " \t", &save)) {
        bool there = false;
        for (size_t i = 0; i < c->folder_count; i++)
            there = there || strcmp(c->folders[i], f) == 0;
        if (!there)
            c->folders[c->folder_count++] = f;
    }
}

void ledger_config_read(struct ledger_config *c, const struct policy *p)
{
    *c = (struct ledger_config){
        .store = policy_set_text(p, "ledger.store"),
        .keep_identity = policy_set_number(p, "ledger.keep-identity"),
        .keep_mails = policy_set_number(p, "ledger.keep-mails"),
        .keep_days = policy_set_number(p, "ledger.keep-days"),
        .knowledge = policy_set_text(p, "ledger.knowledge"),
        .contact = policy_set_text(p, "report.contact"),
        .from = policy_set_text(p, "report.from"),
        .org = policy_set_text(p, "report.org"),
        .extra = policy_set_text(p, "report.extra"),
        .sendmail = policy_set_text(p, "report.sendmail"),
        .dkim_key = policy_set_text(p, "report.dkim-key"),
        .dkim_selector = policy_set_text(p, "report.dkim-selector"),
        .smtp = policy_set_text(p, "report.smtp"),
        .smtp_ca = policy_set_text(p, "report.smtp-ca"),
        .smtp_login = policy_set_text(p, "report.smtp-login"),
        .smtp_opportunistic = strcmp(policy_set_text(p, "report.smtp-tls"), "opportunistic") == 0,
        .rfc7489_to = policy_set_text(p, "report.rfc7489-to"),
        .failure = strcmp(policy_set_text(p, "report.failure"), "redacted") == 0,
        .failure_per_day = policy_set_number(p, "report.failure-per-day"),
        .delay = policy_set_number(p, "report.delay"),
        .size_max = policy_set_number(p, "report.size-max"),
        .per_host = policy_set_number(p, "report.per-host"),
    };
    snprintf(c->folders_text, sizeof c->folders_text, "%s %s %s", policy_set_text(p, "journal.dir"),
             policy_set_text(p, "resolver.journal"), policy_set_text(p, "ledger.journals"));
    add_folders(c);
}

/* local@domain, and no more: it goes into a header and an XML file. */
static bool is_address(const char *s)
{
    const char *at = strchr(s, '@');
    return at && at > s && at[1] && !strpbrk(s, " \t\r\n<>,;:\"()[]\\") && !strchr(at + 1, '@') && strchr(at, '.');
}

struct dmarc_smtp ledger_config_smtp(const struct ledger_config *c)
{
    return (struct dmarc_smtp){
        .url = c->smtp, .opportunistic = c->smtp_opportunistic, .ca_file = c->smtp_ca, .login = c->smtp_login};
}

bool ledger_config_reports(const struct ledger_config *c, const char **why)
{
    const char *ignored;
    why = why ? why : &ignored;
    *why = !c->contact[0]            ? "`set report.contact` is not there: no DMARC reports are sent"
           : !c->from[0]             ? "`set report.from` is not there: no DMARC reports are sent"
           : !is_address(c->contact) ? "`set report.contact` is no mail address"
           : !is_address(c->from)    ? "`set report.from` is no mail address"
           : c->dkim_key[0] && !c->dkim_selector[0]
               ? "`set report.dkim-selector` is not there: DMARC reports cannot be signed"
               : NULL;
    struct dmarc_smtp smtp = ledger_config_smtp(c);
    if (!*why && smtp.url[0])
        (void)dmarc_smtp_is_usable(&smtp, why);
    return !*why;
}
