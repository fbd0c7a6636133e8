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
#include <sys/stat.h>
#include <unistd.h>

#define PERIOD_DAYS 30

static const struct ledger_usage usage = {
    "[--since TIME] [--until TIME] [--text | --json | --csv]\n[--since TIME] [--until TIME] [--lang LANGUAGE] "
    "[--checks "
    "FOLDER] [--prometheus FILE] [--html FOLDER] [--publish FOLDER]\n--annual YEAR [--html FOLDER]",
    "What was found, on one page: what was done with the mail, which standards it meets and how that has changed, who "
    "does not meet the policy and is not excused, and what others report about our domains."};

static void heading(const struct report *r, char out[128])
{
    char from[TIMESTAMP_TEXT], until[TIMESTAMP_TEXT];
    snprintf(out, 128, "%s to %s", timestamp_day_text(r->since_day, from), timestamp_day_text(r->until_day, until));
}

/* A sentence of ours in lines that fit. */
static void paragraph(struct buf *b, const char *text)
{
    size_t column = 0, width = (size_t)(cli_width(stdout) < 78 ? cli_width(stdout) : 78);
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column && column + 1 + n > width) {
            buf_addc(b, '\n');
            column = 0;
        } else if (column) {
            buf_addc(b, ' ');
            column++;
        }
        buf_add(b, text, n);
        column += n;
        text += n + (text[n] == ' ');
    }
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
        paragraph(b, s->explain);
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

int cmd_report(int argc, char **argv)
{
    struct ledger_args a;
    struct ledger_config c;
    struct report r = {0};
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ASK | LEDGER_SINCE | LEDGER_UNTIL | LEDGER_HTML | LEDGER_TEXT, 0,
                              0, &usage);
    if (rc >= 0)
        return rc;
    r.store = ledger_store(&a, STORE_READ, &c, &r.policy, &rc);
    if (!r.store)
        return rc;
    r.until_day = timestamp_day(clock_wall_us());
    if (a.until)
        r.until_day = a.until_day;
    r.since_day = a.since ? a.since_day : r.until_day - PERIOD_DAYS + 1;
    if (r.since_day > r.until_day) {
        (void)ledger_end(r.store, r.policy, STATUS_OK);
        return cli_usage("--since lies behind --until");
    }
    bool site = a.html || a.publish || a.annual || a.prometheus;
    enum status st = site ? STATUS_OK : report_fill(&r);
    int shown = st != STATUS_OK ? EX_OK : site ? report_site(&r, &a) : report_put(&r, &a);
    report_free(&r);
    rc = ledger_end(r.store, r.policy, st);
    return rc != EX_OK ? rc : shown;
}
