// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_names.c - the names a DMARC report goes by: its identifier and its file (RFC 9990 3.5.1, 3.5.2).
 *
 * Promises names by RFC 9990's grammar for any canonical domain, and the same ones each time.
 */
#include "feedback/dmarc_report.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <string.h>

const char *dmarc_domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    return at ? at + 1 : "";
}

void dmarc_report_id(const struct dmarc_report *r, char out[DMARC_NAME_MAX])
{
    char day[TIMESTAMP_TEXT];
    const char *mark = r->mark ? r->mark : "";
    snprintf(out, DMARC_NAME_MAX, "%s.%s%s%s@%s", timestamp_day_text(r->day, day), r->domain, *mark ? "." : "", mark,
             dmarc_domain_of(r->from));
}

void dmarc_report_file(const struct dmarc_report *r, char out[DMARC_NAME_MAX])
{
    const char *mark = r->mark ? r->mark : "";
    snprintf(out, DMARC_NAME_MAX, "%s!%s!%lld!%lld%s%s.xml.gz", dmarc_domain_of(r->from), r->domain,
             (long long)r->day * 86400, (long long)r->day * 86400 + 86399, *mark ? "!" : "", mark);
}
