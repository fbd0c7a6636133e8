// SPDX-License-Identifier: BSD-2-Clause
/*
 * report.c - `assay report`: what was found in a time, on one page, for people who decide and for programs.
 *
 * Promises the same sections and figures in each form; a page that needs no network and no script, is one file, and
 * shows a sender's text as text only; and a page in a folder that is replaced whole or not at all. On failure: the exit
 * codes of ledger.c, EX_CANTCREAT for the folder.
 */
#include "base/rootfile.h"
#include "cli/ledger/report.h"

#include "base/clock.h"
#include "base/json.h"
#include "ledger/timestamp.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERIOD_DAYS 30

static const struct ledger_usage usage = {
    "[--since TIME] [--until TIME] [--text | --json | --csv]\n[--since TIME] [--until TIME] [--lang LANGUAGE] "
    "[--checks FOLDER] [--prometheus FILE] [--html FOLDER] [--publish FOLDER] [--json | --csv]\n--annual YEAR [--lang "
    "LANGUAGE] [--checks FOLDER] [--prometheus FILE] [--html FOLDER] [--publish FOLDER]",
    "What was found, on one page: what was done with the mail, which standards it meets and how that has changed, who "
    "does not meet the policy and is not excused, and what others report about our domains."};

static void heading(const struct report *r, char out[128])
{
    char from[TIMESTAMP_TEXT], until[TIMESTAMP_TEXT];
    snprintf(out, 128, "%s to %s", timestamp_day_text(r->since_day, from), timestamp_day_text(r->until_day, until));
}

/* A sentence of ours in lines that fit. */
static void report_paragraph(struct buf *b, const char *text)
{
    const size_t width = (size_t)cli_width(stdout);
    cli_wrap(b, text, 0, width < 78 ? width : 78);
    buf_addc(b, '\n');
}

static void as_text(const struct report *r, struct buf *b)
{
    char period[128];
    heading(r, period);
    buf_printf(b, "%sWhat was found, %s%s\n", cli_colour(stdout, CLI_BOLD), period, cli_colour(stdout, CLI_PLAIN));
    for (size_t i = 0; i < r->count; i++) {
        const struct report_section *s = &r->sections[i];
        buf_printf(b, "\n%s%s%s\n", cli_colour(stdout, CLI_BOLD), s->title, cli_colour(stdout, CLI_PLAIN));
        report_paragraph(b, s->explain);
        buf_addc(b, '\n');
        table_write(s->table, TABLE_TEXT, s->none, b);
    }
}

static void as_json(const struct report *r, struct buf *b)
{
    char day[TIMESTAMP_TEXT];
    struct json j = JSON_INTO(b);
    json_open(&j);
    json_str(&j, "from", timestamp_day_text(r->since_day, day));
    json_str(&j, "until", timestamp_day_text(r->until_day, day));
    json_str(&j, "policy", policy_hash(r->policy));
    for (size_t i = 0; i < r->count; i++) {
        buf_printf(b, ",\"%s\":", r->sections[i].key); /* keys are ours */
        table_write(r->sections[i].table, TABLE_JSON, "", b);
        if (b->n && b->p[b->n - 1] == '\n')
            buf_cut(b, b->n - 1);
    }
    json_end(&j);
    buf_addc(b, '\n');
}

/* A table for each section, with a line of its name before and an empty one behind. */
static void as_csv(const struct report *r, struct buf *b)
{
    for (size_t i = 0; i < r->count; i++) {
        buf_printf(b, "%s\r\n", r->sections[i].key);
        table_write(r->sections[i].table, TABLE_CSV, "", b);
        buf_adds(b, "\r\n");
    }
}

static int report_put(const struct report *r, const struct ledger_args *a)
{
    struct buf b = BUF_INIT;
    if (a->form == TABLE_JSON)
        as_json(r, &b);
    else if (a->form == TABLE_CSV)
        as_csv(r, &b);
    else
        as_text(r, &b);
    return cli_flush(&b) ? EX_OK : EX_IOERR;
}

/* Options that make no sense, alone or together. EX_OK: go on. */
static int check_options(const struct ledger_args *a, int64_t today)
{
    char day[TIMESTAMP_TEXT];
    if (a->annual && (a->since || a->until))
        return cli_usage("--annual is a whole year: not with --since or --until");
    if (a->annual && a->form_given && a->form != TABLE_TEXT)
        return cli_usage("--annual is a document, as text or with --html: not with --json or --csv");
    if (a->annual && a->annual > strtol(timestamp_day_text(today, day), NULL, 10))
        return cli_usage("--annual: %lld has not begun", (long long)a->annual);
    if (a->since && a->since_day > today)
        return cli_usage("--since lies in the future: nothing is known of it");
    return EX_OK;
}

/* The page or site, and the sections where they are asked for, too. An exit code. */
static int put_all(struct report *r, const struct ledger_args *a, bool site, enum status *st)
{
    int rc = site ? report_site(r, a) : EX_OK;
    if (rc != EX_OK || (site && (!a->form_given || a->annual)))
        return rc;
    *st = report_fill(r);
    return *st == STATUS_OK ? report_put(r, a) : EX_OK;
}

int cmd_report(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    struct report r = {0};
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ASK | LEDGER_SINCE | LEDGER_UNTIL | LEDGER_HTML | LEDGER_TEXT, 0,
                              0, &usage);
    if (rc >= 0)
        return rc;
    int64_t today = timestamp_day(clock_wall_us());
    rc = check_options(&a, today);
    if (rc != EX_OK)
        return rc;
    r.store = ledger_store(&a, STORE_READ, &c, &r.policy, &rc);
    if (!r.store)
        return rc;
    r.until_day = a.until && a.until_day < today ? a.until_day : today;
    r.since_day = a.since ? a.since_day : r.until_day - PERIOD_DAYS + 1;
    if (r.since_day > r.until_day) {
        (void)ledger_end(r.store, r.policy, STATUS_OK);
        return cli_usage("--since lies behind --until");
    }
    enum status st = STATUS_OK;
    int shown = put_all(&r, &a, a.html || a.publish || a.annual || a.prometheus, &st);
    report_free(&r);
    rc = ledger_end(r.store, r.policy, st);
    return rc != EX_OK ? rc : shown;
}
