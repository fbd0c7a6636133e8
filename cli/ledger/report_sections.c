// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_sections.c - what a report says, section by section, out of the ledger.
 *
 * Promises that each section compares like with like (the period before is as long and ends where this one begins),
 * that what could not be tested counts neither as met nor as failed, and that only sums are read. A question that fails
 * ends the filling with its status.
 */
#include "base/standard.h"
#include "cli/ledger/report.h"
#include "cli/ledger/stopped_mail.h"
#include "report/standard_text.h"
#include "ledger/exceptions.h"
#include "ledger/questions.h"
#include "ledger/timestamp.h"
#include <inttypes.h>

/* Counts are bounded where they come in (feedback/report_fields.h); a store of an earlier version may hold others. */
#define BOUNDED "CASE WHEN w.count > 1000000000 THEN 1000000000 ELSE w.count END"

#define TOP 20

static enum status done_with_mail(struct report *r)
{
    static const struct table_column columns[] = {
        {"action", "Done"}, {"would", "The policy asks for"}, {"mails", "Mails"}, {"share", "Share"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "mail", "What was done with the mail",
                       "Every mail that was judged, and what became of it. Where what was done is less than "
                       "what the policy asks for, the server was "
                       "only trying the policy out (dry-run or trial) or was paused. Counted by hour, for the "
                       "last two months at most.",
                       "No mail was judged.", columns);
    int64_t all = 0;
    enum status st =
        store_ask_number(r->store, 0, &all, "SELECT sum(count) FROM verdict_hour WHERE hour >= $1 AND hour < $2", "ii",
                         r->since_day * 24, (r->until_day + 1) * 24);
    if (st != STATUS_OK)
        return st;
    struct store_rows *q = store_ask(r->store,
                                     "SELECT action, would, sum(count) FROM verdict_hour WHERE hour >= $1 AND hour < "
                                     "$2 GROUP BY action, would ORDER BY sum(count) DESC",
                                     "ii", r->since_day * 24, (r->until_day + 1) * 24);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_text(t, store_text(q, 1));
        table_number(t, store_number(q, 2));
        table_share(t, store_number(q, 2), all);
    }
    return store_done(q);
}

static enum status standards(struct report *r)
{
    static const struct table_column columns[] = {{"standard", "Standard"},
                                                  {"mails", "Mails"},
                                                  {"met", "Met"},
                                                  {"before", "Before"},
                                                  {"failed", "Failed"},
                                                  {"protects", "What it protects from"},
                                                  {NULL, NULL}};
    struct table *t =
        report_section(r, "standards", "Which standards the mail meets",
                       "The share of the mail that met each standard, and the same in as many days before. The "
                       "rest failed, was unprotected or could not be tested.",
                       "No mail was judged.", columns);
    struct store_rows *q = store_ask(
        r->store,
        "SELECT standard, sum(CASE WHEN day >= $1 THEN count ELSE 0 END), sum(CASE WHEN day >= $1 AND result = 'pass' "
        "THEN count ELSE 0 END), "
        "sum(CASE WHEN day < $1 THEN count ELSE 0 END), sum(CASE WHEN day < $1 AND result = 'pass' THEN count ELSE 0 "
        "END), "
        "sum(CASE WHEN day >= $1 AND result IN ('fail', 'softfail', 'policy', 'permerror') THEN count ELSE 0 END) "
        "FROM standard_day WHERE scope = 'mail' AND day >= $2 AND day <= $3 GROUP BY standard ORDER BY standard",
        "iii", r->since_day, 2 * r->since_day - r->until_day - 1, r->until_day);
    while (store_next(q)) {
        const struct standard_text *text = standard_text(standard_from_name(slice_str(store_text(q, 0))));
        table_text(t, store_text(q, 0));
        table_number(t, store_number(q, 1));
        table_share(t, store_number(q, 2), store_number(q, 1));
        table_share(t, store_number(q, 4), store_number(q, 3));
        table_share(t, store_number(q, 5), store_number(q, 1));
        table_text(t, text ? text->protects : "");
    }
    return store_done(q);
}

/* A success, shown apart from what somebody has to act on. */
static void forged(struct report *r, const struct stopped_mail *stopped)
{
    static const struct table_column columns[] = {{"domain", "Forged name"}, {"mails", "Mails"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "stopped", "Forged mail that was stopped",
                       "Mail that failed all proof and came from where the domain never sent. Its owners are "
                       "the victims: nobody has to act.",
                       "None was seen.", columns);
    const struct stopped_domain *d;
    for (size_t i = 0; i < TOP && (d = stopped_mail_at(stopped, i)); i++) {
        table_text(t, d->domain);
        table_number(t, d->mails);
    }
}

static enum status unexplained(struct report *r)
{
    char day[POLICY_DAY_TEXT];
    static const struct table_column columns[] = {{"standard", "Standard"},
                                                  {"subject", "Domain"},
                                                  {"action", "The policy asks for"},
                                                  {"count", "Count"},
                                                  {"ended", "Its exemption ended"},
                                                  {"may_be_forged", "May be forged"},
                                                  {NULL, NULL}};
    int64_t only_recorded = 0;
    enum status st =
        store_ask_number(r->store, 0, &only_recorded, QUESTION_ONLY_RECORDED, "ii", r->since_day, r->until_day);
    if (st != STATUS_OK)
        return st;
    struct table *t = report_section(
        r, "unexplained", "Mail that did not meet the policy, by domain",
        "Mail that did not meet the policy, and that no exception excuses. The domain's owner has to act, or an "
        "exception has to be agreed, with a reason and an end. Mail that is known to be forged is not counted "
        "here. \"May be forged\" counts mail of domains of which too little mail was seen to know: do not write "
        "to their owners before that is known.",
        only_recorded > 0 ? "None that the policy asks for. Mail failed DMARC, but nothing is asked of it "
                            "yet: it is only recorded."
                          : "None: all that was seen meets the policy or is explained.",
        columns);
    struct stopped_mail *stopped = stopped_mail_find(r->store, r->policy, r->since_day, r->until_day, &st);
    if (!stopped)
        return st;
    struct store_rows *q = store_ask(
        r->store,
        "SELECT standard, subject, action, sum(count), max(expired), max(until) FROM outcome_day o LEFT JOIN exception "
        "e "
        "ON e.policy = o.policy AND e.statement = o.expired WHERE o.day >= $1 AND o.day <= $2 AND action <> 'deliver' "
        "AND "
        "exemption = '' AND trust = '' GROUP BY standard, subject, action ORDER BY sum(count) DESC, subject LIMIT $3",
        "iii", r->since_day, r->until_day, (int64_t)(TOP + stopped_mail_sums(stopped)));
    while (store_next(q) && table_rows(t) < TOP) {
        int64_t left = store_number(q, 3) -
                       stopped_mail_among(stopped, store_text(q, 0), store_text(q, 1), NULL, store_text(q, 2), NULL);
        if (left <= 0)
            continue;
        for (int i = 0; i < 3; i++)
            table_text(t, store_text(q, i));
        table_number(t, left);
        int64_t until = store_number(q, 5);
        table_text(t, until ? policy_day_text((time_t)until - 43200, day) : store_text(q, 4));
        table_number(
            t, stopped_mail_perhaps_among(stopped, store_text(q, 0), store_text(q, 1), NULL, store_text(q, 2), NULL));
    }
    forged(r, stopped);
    stopped_mail_free(stopped);
    return store_done(q);
}

static enum status explained(struct report *r)
{
    static const struct table_column columns[] = {
        {"scope", "For whom"},  {"standard", "Standard"},   {"domains", "Domains"}, {"count", "Count"},
        {"because", "Because"}, {"agreed_by", "Agreed by"}, {"through", "Through"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "explained", "Not met, but explained",
                       "Exceptions of our policy that were used: who agreed to them, why, and until when, as it "
                       "was agreed last.",
                       "No exception was used.", columns);
    struct store_rows *q = exceptions_ask(r->store, r->since_day, r->until_day, TOP);
    struct exceptions_use use;
    char day[POLICY_DAY_TEXT];
    while (exceptions_next(q, &use)) {
        table_text(t, use.scope);
        table_text(t, use.standard);
        table_number(t, use.subjects);
        table_number(t, use.count);
        table_text(t, use.because);
        table_text(t, use.agreed_by);
        table_text(t, use.until ? policy_day_text((time_t)use.until - 43200, day) : NULL);
    }
    return store_done(q);
}

static enum status names(struct report *r)
{
    static const struct table_column columns[] = {
        {"state", "DNSSEC"}, {"names", "Names asked for"}, {"share", "Share"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "names", "What our resolver was asked for",
                       "Secure: signed, and the signature is right. Insecure: not signed, so anybody on the way "
                       "could have changed the answer. Bogus: the "
                       "signature is wrong, and the answer was refused.",
                       "No data from the resolver yet.", columns);
    int64_t all = 0;
    enum status st = store_ask_number(
        r->store, 0, &all, "SELECT sum(count) FROM standard_day WHERE scope = 'names' AND day >= $1 AND day <= $2",
        "ii", r->since_day, r->until_day);
    if (st != STATUS_OK)
        return st;
    struct store_rows *q = store_ask(r->store,
                                     "SELECT security, sum(count) FROM standard_day WHERE scope = 'names' AND day >= "
                                     "$1 AND day <= $2 GROUP BY security ORDER BY sum(count) DESC",
                                     "ii", r->since_day, r->until_day);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_number(t, store_number(q, 1));
        table_share(t, store_number(q, 1), all);
    }
    return store_done(q);
}

static enum status unsigned_zones(struct report *r)
{
    static const struct table_column columns[] = {
        {"zone", "Domain"}, {"state", "DNSSEC"}, {"count", "Asked for"}, {NULL, NULL}};
    struct table *t = report_section(
        r, "zones", "Domains without working DNSSEC, by how often they were asked for",
        "Whoever runs the DNS of these domains has to sign them, or to fix what is broken.", "None was seen.", columns);
    struct store_rows *q =
        store_ask(r->store,
                  "SELECT subject, security, sum(count) FROM subject_day WHERE standard = 'dnssec' AND scope = 'names' "
                  "AND day >= $1 AND day <= $2 AND security IN "
                  "('insecure', 'bogus') GROUP BY subject, security ORDER BY sum(count) DESC, subject LIMIT $3",
                  "iii", r->since_day, r->until_day, (int64_t)TOP);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_text(t, store_text(q, 1));
        table_number(t, store_number(q, 2));
    }
    return store_done(q);
}

static enum status about_us(struct report *r)
{
    static const struct table_column columns[] = {{"domain", "Our domain"},
                                                  {"reporters", "Reporters"},
                                                  {"mails", "Mails"},
                                                  {"aligned", "Proved to be ours"},
                                                  {NULL, NULL}};
    struct table *t =
        report_section(r, "about_us", "What others report about our domains",
                       "Mail that said it came from us, as the receivers who sent us DMARC reports saw it. What "
                       "is not proved to be ours is forged, or sent by a "
                       "server of ours that is not set up right.",
                       "No DMARC report about our domains was read in (assay ledger read-report).", columns);
    struct store_rows *q =
        store_ask(r->store,
                  "SELECT i.domain, count(DISTINCT i.org), sum(" BOUNDED "), sum(CASE WHEN w.dkim = 'pass' OR "
                  "w.spf = 'pass' THEN " BOUNDED " ELSE 0 END) FROM report_in i "
                  "JOIN report_in_row w ON w.kind = i.kind AND w.org = i.org AND w.report_id = i.report_id AND "
                  "w.domain = i.domain "
                  "WHERE i.kind = 'dmarc' AND i.ours = 1 AND i.authenticated <> 0 AND i.ends >= $1 AND i.begins < $2 "
                  "GROUP BY i.domain ORDER BY i.domain",
                  "ii", r->since_day * 86400, (r->until_day + 1) * 86400);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_number(t, store_number(q, 1));
        table_number(t, store_number(q, 2));
        table_share(t, store_number(q, 3), store_number(q, 2));
    }
    return store_done(q);
}

static enum status tls_to_us(struct report *r)
{
    static const struct table_column columns[] = {
        {"domain", "Our domain"}, {"result", "Result"}, {"sessions", "Sessions"}, {NULL, NULL}};
    struct table *t = report_section(
        r, "tls_to_us", "How others reached our mail servers",
        "Sessions of the senders who sent us TLS reports; anything but pass kept mail from us, or left it unprotected.",
        "No TLS report was read in (assay ledger read-report).", columns);
    struct store_rows *q =
        store_ask(r->store,
                  "SELECT w.header_from, w.result, sum(" BOUNDED ") FROM report_in i JOIN report_in_row "
                  "w ON w.kind = i.kind AND w.org = i.org AND w.report_id = i.report_id "
                  "AND w.domain = i.domain WHERE i.kind = 'tls' AND i.ours = 1 AND i.authenticated <> 0 AND i.ends >= "
                  "$1 AND i.begins < $2 "
                  "GROUP BY w.header_from, w.result ORDER BY w.header_from, sum(" BOUNDED ") DESC",
                  "ii", r->since_day * 86400, (r->until_day + 1) * 86400);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_text(t, store_text(q, 1));
        table_number(t, store_number(q, 2));
    }
    return store_done(q);
}

static enum status not_proved(struct report *r)
{
    static const struct table_column columns[] = {
        {"kind", "Kind"}, {"org", "Says it is from"}, {"domain", "Our domain"}, {"reports", "Reports"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "not_authenticated", "Reports that anyone may have written",
                       "Reports about our domains whose mail did not pass DMARC for the organisation they say "
                       "they are from. They are kept, and counted nowhere else.",
                       "None.", columns);
    struct store_rows *q =
        store_ask(r->store,
                  "SELECT kind, org, domain, count(*) FROM report_in WHERE ours = 1 AND "
                  "authenticated = 0 AND ends >= $1 AND begins < $2 GROUP BY kind, org, domain ORDER "
                  "BY count(*) DESC, org, domain LIMIT $3",
                  "iii", r->since_day * 86400, (r->until_day + 1) * 86400, (int64_t)TOP);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_text(t, store_text(q, 1));
        table_text(t, store_text(q, 2));
        table_number(t, store_number(q, 3));
    }
    return store_done(q);
}

static enum status reports_out(struct report *r)
{
    static const struct table_column columns[] = {{"state", "DMARC reports"}, {"count", "Count"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "reports_out", "DMARC reports we sent",
                       "What domain owners asked us to tell them about mail in their name.", "None.", columns);
    struct store_rows *q = store_ask(
        r->store, "SELECT state, count(*) FROM report_out WHERE day >= $1 AND day <= $2 GROUP BY state ORDER BY state",
        "ii", r->since_day, r->until_day);
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_number(t, store_number(q, 1));
    }
    return store_done(q);
}

static enum status losses(struct report *r)
{
    static const struct table_column columns[] = {
        {"host", "Host"}, {"last", "Last heard of"}, {"dropped", "Dropped"}, {"lost", "Lost"}, {NULL, NULL}};
    struct table *t =
        report_section(r, "hosts", "Findings that were lost",
                       "Findings that a host could not keep (a full disk, too many at once) since it began to "
                       "write, and when it was last heard of.",
                       "No host has written.", columns);
    struct store_rows *q = store_ask(r->store, "SELECT name, last_seen, dropped, lost FROM host ORDER BY name", "");
    while (store_next(q)) {
        table_text(t, store_text(q, 0));
        table_moment(t, store_number(q, 1));
        table_number(t, store_number(q, 2));
        table_number(t, store_number(q, 3));
    }
    return store_done(q);
}

enum status report_fill(struct report *r)
{
    static enum status (*const all[])(struct report *) = {
        done_with_mail, report_organisations, standards,   unexplained, explained, names, unsigned_zones, about_us,
        tls_to_us,      not_proved,           reports_out, losses};
    enum status st = STATUS_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && st == STATUS_OK; i++)
        st = all[i](r);
    return st;
}

void report_free(struct report *r)
{
    for (size_t i = 0; i < r->count; i++)
        table_free(r->sections[i].table);
}
