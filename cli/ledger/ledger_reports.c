// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_reports.c - `assay ledger dmarc-reports`: sends a day's DMARC aggregate reports by command.
 *
 * Promises that --dry-run and --to send nothing and change nothing in the ledger, and that without them a report goes
 * out only when nobody else has sent it (the claims of dmarc_run.h). On failure: EX_CONFIG where reports are not set
 * up, saying which setting is missing; EX_TEMPFAIL where some could not be handed over and will be tried again.
 */
#include "dns/dns_replay.h"
#include "cli/ledger/ledger.h"
#include "feedback/reports_config.h"
#include "feedback/dmarc_failure.h"
#include <signal.h>
#include <stdlib.h>

#define TAKES (LEDGER_ASK | LEDGER_DRY_RUN | LEDGER_DAY | LEDGER_DOMAIN | LEDGER_TO | LEDGER_DNS | LEDGER_RESEND)

static const struct ledger_usage usage = {
    "[--dry-run | --to FOLDER] [--day DAY] [--domain NAME] [--resend]",
    "Makes the DMARC aggregate reports (RFC 9990) that are due, and sends those that nobody has sent yet; without --to "
    "and --day also the failure reports (RFC 9991), where `set report.failure` allows them."};

static void item_add(void *context, const struct dmarc_run_item *item)
{
    struct table *t = context;
    table_day(t, item->day);
    table_text(t, item->domain);
    table_text(t, item->destination);
    table_text(t, item->state);
    table_number(t, (int64_t)item->rows);
    table_text(t, item->file);
    table_text(t, item->reason);
}

static struct dns *open_dns(const struct ledger_args *a, const struct policy *p)
{
    char *error = NULL;
    struct dns *d;
    if (a->dns)
        d = dns_replay_new(a->dns, &error);
    else
        d = dmarc_run_dns(p, &error);
    if (!d)
        cli_error("%s", error ? error : "out of memory");
    free(error);
    return d;
}

static int reports_run(const struct ledger_args *a, struct store *s, const struct ledger_config *c,
                       const struct policy *p, enum status *st)
{
    static const struct table_column columns[] = {{"day", "Day"},        {"domain", "Domain"}, {"destination", "To"},
                                                  {"state", "State"},    {"rows", "Rows"},     {"file", NULL},
                                                  {"reason", "Because"}, {NULL, NULL}};
    struct dns *dns = open_dns(a, p);
    if (!dns)
        return EX_UNAVAILABLE;
    struct table *t = table_new(columns);
    struct dmarc_run_result result = {0};
    struct dmarc_run_options o = {.dns = dns,
                                  .one_day = a->day_given,
                                  .day = a->day,
                                  .dry_run = a->dry_run,
                                  .resend = a->resend,
                                  .domain = a->domain,
                                  .to_dir = a->to,
                                  .seen = item_add,
                                  .context = t};
    *st = dmarc_run(s, c, &o, &result);
    if (*st == STATUS_OK && result.own_fault[0])
        cli_error("reports cannot be sent from here, and wait: %s", result.own_fault);
    if (*st == STATUS_OK && !a->to && !a->day_given && !a->domain)
        *st = dmarc_failure_run(s, c, &o, &result);
    bool ok = *st != STATUS_OK || table_print(t, a->form, "No report is due.");
    table_free(t);
    dns_close(dns);
    return !ok ? EX_IOERR : result.failed ? EX_TEMPFAIL : EX_OK;
}

int ledger_reports(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    const char *why;
    int rc = ledger_args_read(&a, argc, argv, TAKES, 0, 0, &usage);
    if (rc >= 0)
        return rc;
    if (a.dry_run && a.to)
        return cli_usage("--dry-run and --to exclude each other");
    if (a.resend && (!a.day_given && !a.domain))
        return cli_usage("--resend needs --day or --domain: it says which reports");
    if (a.resend && a.to)
        return cli_usage("--resend and --to exclude each other");
    struct store *s = ledger_store(&a, a.dry_run || a.to ? STORE_READ : STORE_WRITE, &c, &p, &rc);
    if (!s)
        return rc;
    if (!reports_config_usable(&c, &why)) {
        cli_error("%s", why);
        (void)ledger_end(s, p, STATUS_OK);
        return EX_CONFIG;
    }
    enum status st = STATUS_OK;
    int sent = reports_run(&a, s, &c, p, &st);
    rc = ledger_end(s, p, st);
    return rc != EX_OK ? rc : sent;
}
