// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger.c - `assay ledger`: its sub-commands.
 *
 * Promises that nothing but dmarc-reports, read-report, tidy, recount, backup, restore and forget writes. On failure:
 * as ledger_args.c.
 */
#include "cli/ledger/ledger.h"

static const struct cli_command commands[] = {
    {"show", ledger_show, NULL, "the last findings, from the journals"},
    {"domain", ledger_domain, NULL, "what was seen of one domain"},
    {"standards", ledger_standards, NULL, "how many meet each standard, by week"},
    {"refused", ledger_refused, NULL, "what was refused or held, or would have been, and why"},
    {"top", ledger_top, NULL, "the domains seen most with one result"},
    {"stopped", ledger_stopped, NULL, "forged mail that did not pass, by the name it bore"},
    {"unexplained", ledger_unexplained, NULL, "what does not meet the policy and is excused by no exemption"},
    {"selectors", ledger_selectors, NULL, "DKIM selectors, algorithms and key sizes seen of a domain"},
    {"hosts", ledger_hosts, NULL, "the hosts that write to this ledger"},
    {"dmarc-reports", ledger_reports, NULL, "make and send a day's DMARC reports, or show what would be sent"},
    {"suppressed", ledger_suppressed, NULL, "DMARC reports of ours that were not sent, and why"},
    {"read-report", ledger_read_report, NULL, "read DMARC and TLS reports that others sent about our domains"},
    {"admit", ledger_admit, NULL, "let a host add to a shared ledger, and do nothing else"},
    {"tidy", ledger_tidy, NULL, "delete what is older than it may be kept, now"},
    {"recount", ledger_recount, NULL, "count the daily totals again from the mails' records"},
    {"backup", ledger_backup, NULL, "copy the ledger to a file while it is in use"},
    {"restore", ledger_restore, NULL, "replace the ledger by a backup"},
    {"forget", ledger_forget, NULL, "delete everything about a domain or an address from the ledger"},
    {NULL, NULL, NULL, NULL},
};

int cmd_ledger(int argc, char **argv)
{
    return cli_dispatch("assay ledger", commands, argc, argv);
}
