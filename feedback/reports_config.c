// SPDX-License-Identifier: BSD-2-Clause
/*
 * reports_config.c - checks the settings of reports.
 *
 * Promises that an address that passes here can stand in a header and in an XML file without quoting.
 */
#include "feedback/reports_config.h"
#include <string.h>

/* local@domain, and no more: it goes into a header and an XML file. */
static bool is_address(const char *s)
{
    const char *at = strchr(s, '@');
    return at && at > s && at[1] && !strpbrk(s, " \t\r\n<>,;:\"()[]\\") && !strchr(at + 1, '@') && strchr(at, '.');
}

struct dmarc_smtp reports_config_smtp(const struct ledger_config *c)
{
    return (struct dmarc_smtp){
        .url = c->smtp, .opportunistic = c->smtp_opportunistic, .ca_file = c->smtp_ca, .login = c->smtp_login};
}

bool reports_config_usable(const struct ledger_config *c, const char **why)
{
    const char *ignored;
    why = why ? why : &ignored;
    *why = !c->contact[0]            ? "`set report.contact` is missing: no DMARC reports are sent"
           : !c->from[0]             ? "`set report.from` is missing: no DMARC reports are sent"
           : !is_address(c->contact) ? "`set report.contact` is not a mail address"
           : !is_address(c->from)    ? "`set report.from` is not a mail address"
           : c->dkim_key[0] && !c->dkim_selector[0]
               ? "`set report.dkim-selector` is missing: DMARC reports cannot be signed"
               : NULL;
    struct dmarc_smtp smtp = reports_config_smtp(c);
    if (!*why && smtp.url[0])
        (void)dmarc_smtp_is_usable(&smtp, why);
    return !*why;
}
