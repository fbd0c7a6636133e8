// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_suppressed.c - `assay ledger suppressed`: which DMARC reports of ours were not sent, and why.
 *
 * Promises to count each report that `assay ledger dmarc-reports` left out, suppressed or gave up, by reason; with
 * --domain each by itself. Writes nothing. On failure: the exit codes of ledger.c.
 */
#include "cli/ledger/ledger.h"

#define STATES "('left out', 'asked', 'suppressed', 'refused', 'dead')"
#define ROWS_DEFAULT 200

static const struct ledger_usage usage = {
    "[--since TIME] [--until TIME] [--domain NAME]",
    "DMARC reports of ours that were not sent, by reason; of one domain each by itself. --resend of dmarc-reports "
    "sends them all the same, as long as the ledger has their rows (ledger.keep-identity)."};

/* Adds the rows of a question. columns: t text, n number, d day. */
static enum status add_rows(struct table *t, struct store_rows *q, const char *columns)
{
    while (store_next(q))
        for (int i = 0; columns[i]; i++) {
            if (columns[i] == 't')
                table_text(t, store_text(q, i));
            else if (columns[i] == 'd')
                table_day(t, store_number(q, i));
            else
                table_number(t, store_number(q, i));
        }
    return store_done(q);
}

static enum status suppressed_ask(const struct ledger_args *a, struct store *s, struct table *t)
{
    const int64_t since = a->since ? a->since_day : 0, until = a->until ? a->until_day : INT64_C(1000000),
                  most = a->limit ? a->limit : ROWS_DEFAULT;
    if (a->domain)
        return add_rows(
            t,
            store_ask(s,
                      "SELECT day, domain, destination, state, mails, reason FROM report_out WHERE state IN " STATES
                      " AND domain = $1 AND day >= $2 AND day <= $3 ORDER BY day DESC, destination LIMIT $4",
                      "tiii", a->domain, since, until, most),
            "dtttnt");
    return add_rows(
        t,
        store_ask(s,
                  "SELECT state, reason, count(*), CAST(sum(mails) AS BIGINT), min(day), max(day), min(domain) FROM "
                  "report_out WHERE state IN " STATES " AND day >= $1 AND day <= $2 GROUP BY state, reason ORDER BY "
                  "count(*) DESC, state, reason LIMIT $3",
                  "iii", since, until, most),
        "ttnnddt");
}

int ledger_suppressed(int argc, char **argv)
{
    static const struct table_column reasons[] = {
        {"state", "State"}, {"reason", "Because"}, {"reports", "Reports"},          {"mails", "Mails"},
        {"first", "From"},  {"last", "Until"},     {"example", "A domain of them"}, {NULL, NULL}};
    static const struct table_column one[] = {{"day", "Day"},     {"domain", "Domain"}, {"destination", "To"},
                                              {"state", "State"}, {"mails", "Mails"},   {"reason", "Because"},
                                              {NULL, NULL}};
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *p;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_ASK | LEDGER_SINCE | LEDGER_UNTIL | LEDGER_DOMAIN | LEDGER_LIMIT,
                              0, 0, &usage);
    if (rc >= 0)
        return rc;
    struct store *s = ledger_store(&a, STORE_READ, &c, &p, &rc);
    if (!s)
        return rc;
    struct table *t = table_new(a.domain ? one : reasons);
    enum status st = suppressed_ask(&a, s, t);
    bool ok = st != STATUS_OK || table_print(t, a.form, "Every report was sent, or nothing was to be reported.");
    table_free(t);
    rc = ledger_end(s, p, st);
    return ok ? rc : EX_IOERR;
}
