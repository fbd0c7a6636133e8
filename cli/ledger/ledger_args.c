// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_args.c - what the sub-commands of `assay ledger` share: options, the policy's settings, the store.
 *
 * Promises that an option means the same in each of them, and that a mistyped one is named. On failure: EX_USAGE for
 * arguments, EX_CONFIG for a policy that cannot be read, EX_NOINPUT if there is no ledger, EX_TEMPFAIL where it is
 * away, EX_NOPERM where it may not be read.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "cli/day.h"
#include "cli/ledger/ledger.h"
#include "ledger/store_lease.h"
#include "ledger/timestamp.h"
#include <stdlib.h>

#define LEASE_LOOK_MS 200

/* ---- arguments ---- */

static void set_form(struct ledger_args *a, enum table_form form)
{
    a->two_forms = a->two_forms || (a->form_given && a->form != form);
    a->form_given = true;
    a->form = form;
}

static const char *take_text(void *into, const char *value)
{
    (void)value;
    set_form(into, TABLE_TEXT);
    return NULL;
}

static const char *take_json(void *into, const char *value)
{
    (void)value;
    set_form(into, TABLE_JSON);
    return NULL;
}

static const char *take_csv(void *into, const char *value)
{
    (void)value;
    set_form(into, TABLE_CSV);
    return NULL;
}

/* A moment, and the UTC day it stands for where whole days are counted. */
static const char *take_time(const char *value, bool until, int64_t *moment, int64_t *day)
{
    return (until ? timestamp_until_from_person : timestamp_from_person)(value, moment) &&
                   timestamp_day_from_person(value, day)
               ? NULL
               : cli_day_wanted(value, "a time: 2026-11-20, '2026-11-20 14:00', yesterday, 24h, 7d, 4w");
}

static const char *take_since(void *into, const char *value)
{
    struct ledger_args *a = into;
    return take_time(value, false, &a->since, &a->since_day);
}

static const char *take_until(void *into, const char *value)
{
    struct ledger_args *a = into;
    return take_time(value, true, &a->until, &a->until_day);
}

static const char *take_day(void *into, const char *value)
{
    struct ledger_args *a = into;
    a->day_given = timestamp_day_from_text(value, &a->day);
    return a->day_given ? NULL : cli_day_wanted(value, "a day such as 2026-11-20 (UTC)");
}

static const char *take_domain(void *into, const char *value)
{
    static char kept[LIMIT_DOMAIN + 1];
    if (domain_from_text(slice_str(value), kept) != STATUS_OK)
        return "a domain name";
    ((struct ledger_args *)into)->domain = kept;
    return NULL;
}

static const char *take_language(void *into, const char *value)
{
    struct ledger_args *a = into;
    a->language_given = language_from_name(value, &a->language);
    return a->language_given ? NULL : language_one_of();
}

// clang-format off
#define AT(field) offsetof(struct ledger_args, field)
#define LIMIT_MOST 1000000
static const struct option_row rows[] = {
    {0, "since", "TIME", "only from then on: 2026-11-20, '2026-11-20 14:00', yesterday, 90m, 24h, 7d, 4w", OPTION_TAKE, 0, 0, 0, take_since, LEDGER_SINCE},
    {0, "until", "TIME", "only up to then; of a day, its end", OPTION_TAKE, 0, 0, 0, take_until, LEDGER_UNTIL},
    {0, "domain", "NAME", "only mail from, and names of, this domain and all below it", OPTION_TAKE, 0, 0, 0, take_domain, LEDGER_DOMAIN},
    {0, "from", "DOMAIN", "only mail whose From or MAIL FROM is of this domain or one below it", OPTION_TEXT, AT(from), 0, 0, NULL, LEDGER_SEARCH},
    {0, "client", "ADDRESS", "only mail that this client, or one of this network, handed over", OPTION_TEXT, AT(client), 0, 0, NULL, LEDGER_SEARCH},
    {0, "to-domain", "DOMAIN", "only mail to recipients at this domain or one below it", OPTION_TEXT, AT(to_domain), 0, 0, NULL, LEDGER_SEARCH},
    {0, "by", "PERIOD", "day, week, month or all", OPTION_TEXT, AT(by), 0, 0, NULL, LEDGER_BY},
    {0, "standard", "STANDARD", "of this standard: spf, dkim, dmarc, ...", OPTION_TEXT, AT(standard), 0, 0, NULL, LEDGER_STANDARD},
    {0, "state", "STATE", "pass, fail, none, ...; or secure, insecure, bogus (default fail)", OPTION_TEXT, AT(state), 0, 0, NULL, LEDGER_STATE},
    {0, "names", NULL, "of the names the resolver was asked for, instead of mail", OPTION_FLAG, AT(names), 0, 0, NULL, LEDGER_NAMES},
    {'n', "limit", "COUNT", "at most so many", OPTION_NUMBER, AT(limit), 1, LIMIT_MOST, NULL, LEDGER_LIMIT},
    {0, "day", "DAY", "of that day (UTC), due or not: 2026-11-20", OPTION_TAKE, 0, 0, 0, take_day, LEDGER_DAY},
    {0, "dry-run", NULL, "show what would be done, and do nothing", OPTION_FLAG, AT(dry_run), 0, 0, NULL, LEDGER_DRY_RUN},
    {0, "resend", NULL, "what was left out, suppressed or given up is sent too; needs --day or --domain", OPTION_FLAG, AT(resend), 0, 0, NULL, LEDGER_RESEND},
    {'y', "yes", NULL, "do not ask", OPTION_FLAG, AT(yes), 0, 0, NULL, LEDGER_YES},
    {0, "to", "FOLDER", "write the reports there (gzip) instead of sending them", OPTION_TEXT, AT(to), 0, 0, NULL, LEDGER_TO},
    {0, "dns", "FILE", "saved answers instead of DNS", OPTION_TEXT, AT(dns), 0, 0, NULL, LEDGER_DNS},
    {0, "role", "ROLE", "the role by which the host connects to the database", OPTION_TEXT, AT(role), 0, 0, NULL, LEDGER_ROLE},
    {0, "maildir", "FOLDER", "the mails in FOLDER/new; those that were read go to FOLDER/cur", OPTION_TEXT, AT(maildir), 0, 0, NULL, LEDGER_MAILDIR},
    {0, "watch", NULL, "go on, and look for new mail every 5 seconds", OPTION_FLAG, AT(watch), 0, 0, NULL, LEDGER_MAILDIR},
    {0, "now", NULL, "the clock is right: go by it even after it jumped ahead", OPTION_FLAG, AT(now), 0, 0, NULL, LEDGER_NOW},
    {0, "html", "FOLDER", "a site for a browser: FOLDER/index.html", OPTION_TEXT, AT(html), 0, 0, NULL, LEDGER_HTML},
    {0, "publish", "FOLDER", "a page fit for the public web: no correspondent is named", OPTION_TEXT, AT(publish), 0, 0, NULL, LEDGER_HTML},
    {0, "annual", "YEAR", "the year beside the one before it, and the register, as one document", OPTION_NUMBER, AT(annual), 1971, 2200, NULL, LEDGER_HTML},
    {0, "prometheus", "FILE", "the figures as metrics for a node exporter, too", OPTION_TEXT, AT(prometheus), 0, 0, NULL, LEDGER_HTML},
    {0, "lang", "LANGUAGE", "of the site; by default the user's", OPTION_TAKE, 0, 0, 0, take_language, LEDGER_HTML},
    {0, "checks", "FOLDER", "facts that assay check --save kept, in place of those in the ledger", OPTION_TEXT, AT(checks), 0, 0, NULL, LEDGER_HTML},
    {0, "text", NULL, "for people (the default)", OPTION_TAKE, 0, 0, 0, take_text, LEDGER_TEXT},
    {0, "json", NULL, "for programs", OPTION_TAKE, 0, 0, 0, take_json, LEDGER_JSON},
    {0, "csv", NULL, "for spreadsheets", OPTION_TAKE, 0, 0, 0, take_csv, LEDGER_CSV},
    {0, "store", "STORE", "this ledger instead of the policy's", OPTION_TEXT, AT(store), 0, 0, NULL, LEDGER_STORE},
    {0, "journal", "FOLDER", "this folder of journals instead of the policy's", OPTION_TEXT, AT(journal), 0, 0, NULL, LEDGER_JOURNAL},
    {'P', "policy", "FILE", "the policy (default " CLI_POLICY_PATH ")", OPTION_TEXT, AT(policy), 0, 0, NULL, 0},
};
// clang-format on

int ledger_args_read(struct ledger_args *a, int argc, char **argv, unsigned takes, int least, int most,
                     const struct ledger_usage *usage)
{
    const struct options_spec spec = {.synopsis = usage->synopsis,
                                      .text = usage->text,
                                      .rows = rows,
                                      .row_count = sizeof rows / sizeof *rows,
                                      .takes = takes,
                                      .least = least,
                                      .most = most};
    *a = (struct ledger_args){.words = argv + 1};
    int rc = cli_options(&spec, argc, argv, a, &a->word_count);
    return rc < 0 && a->two_forms ? cli_usage("--json and --csv exclude each other, and --text excludes both") : rc;
}

/* ---- settings and store ---- */

const struct policy *ledger_settings(const struct ledger_args *a, struct ledger_config *c, int *rc)
{
    const char *path = a->policy ? a->policy : CLI_POLICY_PATH;
    struct policy_report *report = policy_report_new();
    const struct policy *p = policy_load(path, report);
    if (!p && !a->policy && (a->store || a->journal))
        p = policy_load_text(SLICE_LIT(""), "defaults", NULL);
    if (p) {
        ledger_config_read(c, p);
        c->store = a->store ? a->store : c->store;
        if (a->journal) {
            c->folder_count = 1;
            c->folders[0] = a->journal;
        }
    } else {
        struct buf b = BUF_INIT;
        policy_report_print(report, POLICY_ERROR, &b);
        fwrite(b.p, 1, b.n, stderr);
        buf_release(&b);
        *rc = EX_CONFIG;
    }
    policy_report_free(report);
    return p;
}

struct store *ledger_store(const struct ledger_args *a, enum store_mode mode, struct ledger_config *c,
                           const struct policy **policy, int *rc)
{
    char why[STORE_ERROR];
    enum status st = STATUS_OK;
    *policy = ledger_settings(a, c, rc);
    if (!*policy)
        return NULL;
    struct store *s = store_open(c->store, mode, &st, why);
    if (!s) {
        cli_error("%s", why);
        *rc = st == STATUS_MISSING  ? EX_NOINPUT
              : st == STATUS_DENIED ? EX_NOPERM
              : st == STATUS_AGAIN  ? EX_TEMPFAIL
                                    : EX_DATAERR;
        policy_unref(*policy);
        *policy = NULL;
    }
    return s;
}

enum status ledger_wait_for_lease(struct store *s, const char *work)
{
    enum status st;
    for (bool told = false; (st = store_lease_take(s, work)) == STATUS_AGAIN && store_is_busy(s); told = true) {
        if (!told)
            cli_error("waits: %s", store_error(s));
        clock_sleep_ms(LEASE_LOOK_MS);
    }
    return st;
}

int ledger_end(struct store *s, const struct policy *policy, enum status st)
{
    int rc = st == STATUS_OK       ? EX_OK
             : st == STATUS_AGAIN  ? EX_TEMPFAIL
             : st == STATUS_DENIED ? EX_NOPERM
             : st == STATUS_NOMEM  ? EX_OSERR
                                   : EX_DATAERR;
    if (st == STATUS_NOMEM)
        cli_error("out of memory");
    else if (st != STATUS_OK)
        cli_error("%s", store_error(s));
    store_close(s);
    policy_unref(policy);
    return rc;
}
