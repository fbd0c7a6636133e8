// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_ask.c - the commands that are a single query to the store: domain, standards, top, unexplained, stopped,
 * selectors, hosts, refused.
 *
 * Promises to read sums by day and domain, or an index, never every mail, so that each answers at once however much is
 * kept; and to write nothing. An empty answer says until when the ledger knows anything, since findings reach it a
 * little after the mail. Percentages are rounded down: 100 % means all. On failure: the exit codes of ledger.c.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "cli/ledger/ledger.h"
#include "cli/ledger/mail_reason.h"
#include "cli/ledger/stopped_mail.h"
#include "ledger/timestamp.h"
#include "ledger/most_seen.h"
#include "ledger/questions.h"
#include "ledger/record.h"
#include "ledger/stopped.h"

#define ROWS_DEFAULT 30

/* Everything one question needs. */
struct question {
    struct ledger_args a;
    struct ledger_config c;
    const struct policy *policy;
    struct store *s;
    int64_t since_day, until_day;
};

static int question_begin(struct question *q, int argc, char **argv, unsigned takes, int words,
                          const struct ledger_usage *usage)
{
    int rc = ledger_args_read(&q->a, argc, argv, takes | LEDGER_ASK, words, words, usage);
    if (rc >= 0)
        return rc;
    q->s = ledger_store(&q->a, STORE_READ, &q->c, &q->policy, &rc);
    q->since_day = q->a.since ? q->a.since_day : 0;
    q->until_day = q->a.until ? q->a.until_day : INT64_C(1000000);
    return q->s ? -1 : rc;
}

/* Behind an empty answer: until when the ledger knows anything. `assay why` reads the journals, and knows at once. */
static enum status tell_until(struct store *s)
{
    char when[TIMESTAMP_TEXT];
    int64_t last = 0;
    enum status st = store_ask_number(s, 0, &last, "SELECT max(last_seen) FROM host", "");
    if (st == STATUS_OK && last)
        printf("The ledger holds what was found until %s; newer findings come within a minute.\n",
               timestamp_local_text(last, when));
    else if (st == STATUS_OK)
        printf("The ledger holds nothing yet; while assay-ledger runs, findings come within a minute.\n");
    return st;
}

static int question_end(struct question *q, struct table *t, enum status st, const char *none)
{
    bool ok = st != STATUS_OK || table_print(t, q->a.form, none);
    if (ok && st == STATUS_OK && q->a.form == TABLE_TEXT && table_rows(t) == 0)
        st = tell_until(q->s);
    table_free(t);
    int rc = ledger_end(q->s, q->policy, st);
    return ok ? rc : EX_IOERR;
}

static int64_t limit_of(const struct question *q, int64_t otherwise)
{
    return q->a.limit ? q->a.limit : otherwise;
}

static int kept_domain(const char *word, char out[LIMIT_DOMAIN + 1])
{
    if (domain_from_text(slice_str(word), out) == STATUS_OK)
        return -1;
    return cli_usage("'%s' is no domain name", word);
}

/* ---- domain ---- */

int ledger_domain(int argc, char **argv)
{
    static const struct ledger_usage usage = {"NAME [--since TIME]",
                                              "What was seen of one domain, and what was done about it."};
    static const struct table_column columns[] = {
        {"what", "What"},       {"standard", "Standard"}, {"result", "Result"},
        {"security", "DNSSEC"}, {"count", "Count"},       {"first", "First"},
        {"last", "Last"},       {"statement", "Line"},    {NULL, NULL}};
    struct question q;
    char domain[LIMIT_DOMAIN + 1];
    int rc = question_begin(&q, argc, argv, LEDGER_SINCE | LEDGER_UNTIL, 1, &usage);
    if (rc >= 0)
        return rc;
    if ((rc = kept_domain(q.a.words[0], domain)) >= 0) {
        (void)ledger_end(q.s, q.policy, STATUS_OK);
        return rc;
    }
    struct table *t = table_new(columns);
    struct store_rows *r = store_ask(q.s,
                                     "SELECT scope, standard, result, security, sum(count), min(first_seen), "
                                     "max(last_seen) FROM subject_day WHERE subject = $1 "
                                     "AND day >= $2 AND day <= $3 GROUP BY scope, standard, result, security ORDER BY "
                                     "scope, standard, sum(count) DESC",
                                     "tii", domain, q.since_day, q.until_day);
    while (store_next(r)) {
        table_text(t, strcmp(store_text(r, 0), "names") == 0 ? "names seen" : "mail seen");
        for (int i = 1; i <= 3; i++)
            table_text(t, store_text(r, i));
        table_number(t, store_number(r, 4));
        table_moment(t, store_number(r, 5));
        table_moment(t, store_number(r, 6));
        table_text(t, "");
    }
    enum status st = store_done(r);
    if (st != STATUS_OK)
        return question_end(&q, t, st, "");
    r = store_ask(
        q.s,
        "SELECT action, standard, result, exemption, sum(count), min(first_seen), max(last_seen), statement FROM "
        "outcome_day WHERE subject = $1 "
        "AND day >= $2 AND day <= $3 GROUP BY action, standard, result, exemption, statement ORDER BY sum(count) DESC",
        "tii", domain, q.since_day, q.until_day);
    while (store_next(r)) {
        const char *exemption = store_text(r, 3);
        char line[80];
        snprintf(line, sizeof line, "%.30s%s%.30s", store_text(r, 7), *exemption ? ", excused by " : "", exemption);
        table_text(t, *exemption ? "excused" : store_text(r, 0));
        table_text(t, store_text(r, 1));
        table_text(t, store_text(r, 2));
        table_text(t, "");
        table_number(t, store_number(r, 4));
        table_moment(t, store_number(r, 5));
        table_moment(t, store_number(r, 6));
        table_text(t, line);
    }
    return question_end(&q, t, store_done(r), "Nothing was seen of this domain.");
}

/* ---- standards ---- */

enum period { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_ALL };

static int period_of(const char *by, enum period *out)
{
    static const char *const words[] = {"day", "week", "month", "all"};
    *out = PERIOD_WEEK;
    for (int i = 0; by && i < 4; i++)
        if (strcmp(by, words[i]) == 0) {
            *out = (enum period)i;
            return -1;
        }
    return by ? cli_usage("--by wants day, week, month or all; not '%s'", by) : -1;
}

static int64_t period_start(enum period p, int64_t day)
{
    return p == PERIOD_DAY     ? day
           : p == PERIOD_WEEK  ? timestamp_week(day)
           : p == PERIOD_MONTH ? timestamp_month(day)
                               : 0;
}

struct shares {
    int64_t start;
    char standard[32];
    int64_t pass, fail, none, unsure;
};

static void put_shares(struct table *t, const struct shares *s, enum period p)
{
    int64_t all = s->pass + s->fail + s->none + s->unsure;
    if (!all)
        return;
    if (p == PERIOD_ALL)
        table_text(t, "all");
    else
        table_day(t, s->start);
    table_text(t, s->standard);
    table_number(t, all);
    table_share(t, s->pass, all);
    table_share(t, s->fail, all);
    table_share(t, s->none, all);
    table_share(t, s->unsure, all);
}

static void add_share(struct shares *s, const char *result, int64_t n)
{
    if (strcmp(result, "pass") == 0)
        s->pass += n;
    else if (strcmp(result, "none") == 0 || strcmp(result, "neutral") == 0)
        s->none += n;
    else if (strcmp(result, "temperror") == 0 || strcmp(result, "untested") == 0)
        s->unsure += n;
    else
        s->fail += n;
}

int ledger_standards(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "[--since TIME] [--by day|week|month|all] [--names]",
        "How much of the mail met each standard. Time-outs and what could not be tested are neither pass nor fail."};
    static const struct table_column columns[] = {
        {"from", "From"}, {"standard", "Standard"}, {"count", "Count"},   {"pass", "Pass"},
        {"fail", "Fail"}, {"none", "None"},         {"unsure", "Unsure"}, {NULL, NULL}};
    struct question q;
    enum period by;
    int rc = question_begin(&q, argc, argv, LEDGER_SINCE | LEDGER_UNTIL | LEDGER_BY | LEDGER_NAMES, 0, &usage);
    if (rc >= 0)
        return rc;
    if ((rc = period_of(q.a.by, &by)) >= 0) {
        (void)ledger_end(q.s, q.policy, STATUS_OK);
        return rc;
    }
    if (!q.a.since)
        q.since_day = by == PERIOD_ALL ? 0 : timestamp_day(clock_wall_us()) - 8 * 7;
    struct table *t = table_new(columns);
    struct shares now[32] = {{0}};
    size_t n = 0;
    struct store_rows *r = store_ask(
        q.s,
        "SELECT day, standard, result, sum(count) FROM standard_day WHERE scope = $1 AND day >= $2 AND day <= $3 "
        "GROUP BY day, standard, result ORDER BY day, standard",
        "tii", q.a.names ? "names" : "mail", q.since_day, q.until_day);
    int64_t start = INT64_MIN;
    while (store_next(r)) {
        int64_t begins = period_start(by, store_number(r, 0));
        if (begins != start) {
            for (size_t i = 0; i < n; i++)
                put_shares(t, &now[i], by);
            n = 0;
            start = begins;
        }
        size_t i = 0;
        while (i < n && strcmp(now[i].standard, store_text(r, 1)) != 0)
            i++;
        if (i == n && n < sizeof now / sizeof *now) {
            now[n] = (struct shares){.start = begins};
            snprintf(now[n++].standard, sizeof now->standard, "%s", store_text(r, 1));
        }
        if (i < n)
            add_share(&now[i], store_text(r, 2), store_number(r, 3));
    }
    for (size_t i = 0; i < n; i++)
        put_shares(t, &now[i], by);
    return question_end(&q, t, store_done(r), "Nothing was seen in this time.");
}

/* ---- top ---- */

int ledger_top(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "--standard STANDARD [--state STATE] [--since TIME] [-n COUNT]",
        "The domains that were seen most with one result; for dnssec also the zones that the resolver saw."};
    static const struct table_column columns[] = {{"subject", "Domain"},  {"scope", "Of"},    {"result", "Result"},
                                                  {"security", "DNSSEC"}, {"count", "Count"}, {"first", "First"},
                                                  {"last", "Last"},       {NULL, NULL}};
    struct question q;
    int rc = question_begin(&q, argc, argv, LEDGER_SINCE | LEDGER_UNTIL | LEDGER_LIMIT | LEDGER_STANDARD | LEDGER_STATE,
                            0, &usage);
    if (rc >= 0)
        return rc;
    if (!q.a.standard || standard_from_name(slice_str(q.a.standard)) == STANDARD_COUNT) {
        (void)ledger_end(q.s, q.policy, STATUS_OK);
        return cli_usage("--standard wants one of spf, dkim, dmarc, arc, dane, tls, dnssec, message-format, rdns");
    }
    const char *state = q.a.state ? q.a.state : "fail";
    bool is_result = result_from_name(slice_str(state)) != RESULT_COUNT;
    struct table *t = table_new(columns);
    struct store_rows *r =
        most_seen_ask(q.s, q.a.standard, state, is_result, q.since_day, q.until_day, limit_of(&q, ROWS_DEFAULT), NULL);
    while (store_next(r)) {
        for (int i = 0; i < 4; i++)
            table_text(t, store_text(r, i));
        table_number(t, store_number(r, 4));
        table_moment(t, store_number(r, 5));
        table_moment(t, store_number(r, 6));
    }
    return question_end(&q, t, store_done(r), "None was seen.");
}

/* ---- unexplained ---- */

/* For people, behind the table: mails that it does not show, and what its last column means. */
static void tell_behind(int64_t only_recorded, int64_t perhaps, int64_t forged)
{
    if (only_recorded)
        printf("\nThe policy asks nothing of %lld mail%s that failed DMARC: only recorded (assay ledger top --standard "
               "dmarc).\nassay next shows what it can ask for.\n",
               (long long)only_recorded, only_recorded == 1 ? "" : "s");
    if (perhaps)
        printf(
            "\nWhat may be forged: fewer than %d mails of the domain passed, too few to tell. Do not ask its owner to "
            "mend anything yet.\n",
            STOPPED_PASSES);
    if (forged)
        printf("\n%lld forged mail%s not counted here: assay ledger stopped shows whose name %s.\n", (long long)forged,
               forged == 1 ? " is" : "s are", forged == 1 ? "it bore" : "they bore");
}

/* At most so many rows, less the forged mail that was stopped. Returns how many of their mails may be forged. */
static int64_t put_unexplained(struct table *t, struct store_rows *r, const struct stopped_mail *stopped, int64_t most)
{
    int64_t perhaps = 0;
    while (store_next(r) && (int64_t)table_rows(t) < most) {
        int64_t left = store_number(r, 5) - stopped_mail_among(stopped, store_text(r, 0), store_text(r, 1),
                                                               store_text(r, 2), store_text(r, 3), store_text(r, 4));
        if (left <= 0)
            continue;
        for (int i = 0; i < 5; i++)
            table_text(t, store_text(r, i));
        table_number(t, left);
        table_moment(t, store_number(r, 6));
        table_moment(t, store_number(r, 7));
        table_text(t, store_text(r, 8));
        const int64_t n = stopped_mail_perhaps_among(stopped, store_text(r, 0), store_text(r, 1), store_text(r, 2),
                                                     store_text(r, 3), store_text(r, 4));
        table_number(t, n);
        perhaps += n;
    }
    return perhaps;
}

int ledger_unexplained(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "[--since TIME] [-n COUNT]", "Mail that did not meet the policy and that no exemption excuses, by sender."};
    static const struct table_column columns[] = {{"standard", "Standard"},
                                                  {"subject", "Domain"},
                                                  {"result", "Result"},
                                                  {"action", "Action"},
                                                  {"statement", "Line"},
                                                  {"count", "Count"},
                                                  {"first", "First"},
                                                  {"last", "Last"},
                                                  {"expired", "Explained, expired"},
                                                  {"may_be_forged", "May be forged"},
                                                  {NULL, NULL}};
    struct question q;
    int rc = question_begin(&q, argc, argv, LEDGER_SINCE | LEDGER_UNTIL | LEDGER_LIMIT, 0, &usage);
    if (rc >= 0)
        return rc;
    enum status st = STATUS_OK;
    struct stopped_mail *stopped = stopped_mail_find(q.s, q.policy, q.since_day, q.until_day, &st);
    if (!stopped)
        return ledger_end(q.s, q.policy, st);
    struct table *t = table_new(columns);
    const int64_t most = limit_of(&q, ROWS_DEFAULT);
    struct store_rows *r =
        store_ask(q.s,
                  "SELECT standard, subject, result, action, statement, sum(count), min(first_seen), max(last_seen), "
                  "max(expired) FROM outcome_day "
                  "WHERE day >= $1 AND day <= $2 AND action <> 'deliver' AND exemption = '' AND trust = '' "
                  "GROUP BY standard, subject, result, action, statement ORDER BY sum(count) DESC, subject LIMIT $3",
                  "iii", q.since_day, q.until_day, most + (int64_t)stopped_mail_sums(stopped));
    const int64_t perhaps = put_unexplained(t, r, stopped, most);
    st = store_done(r);
    int64_t forged = stopped_mail_count(stopped), only_recorded = 0;
    if (st == STATUS_OK && table_rows(t) == 0)
        st = store_ask_number(q.s, 0, &only_recorded, QUESTION_ONLY_RECORDED, "ii", q.since_day, q.until_day);
    stopped_mail_free(stopped);
    const bool only = only_recorded > 0 && table_rows(t) == 0;
    rc = question_end(&q, t, st,
                      only ? "Nothing: what the policy asks for is met or is explained."
                           : "Nothing: all that was seen meets the policy or is explained.");
    if (rc == EX_OK && q.a.form == TABLE_TEXT)
        tell_behind(only ? only_recorded : 0, perhaps, forged);
    return rc;
}

/* ---- stopped ---- */

int ledger_stopped(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "[--since TIME] [-n COUNT]",
        "Forged mail that did not pass: it failed all proof and came from where the domain never sent. Nobody has to "
        "act, so it is not in `assay ledger unexplained`."};
    static const struct table_column columns[] = {
        {"domain", "Forged name"}, {"mails", "Mails"}, {"first", "First"}, {"last", "Last"}, {NULL, NULL}};
    struct question q;
    const struct stopped_domain *d;
    enum status st = STATUS_OK;
    int rc = question_begin(&q, argc, argv, LEDGER_SINCE | LEDGER_UNTIL | LEDGER_LIMIT, 0, &usage);
    if (rc >= 0)
        return rc;
    struct stopped_mail *stopped = stopped_mail_find(q.s, q.policy, q.since_day, q.until_day, &st);
    if (!stopped)
        return ledger_end(q.s, q.policy, st);
    struct table *t = table_new(columns);
    for (size_t i = 0; (int64_t)i < limit_of(&q, ROWS_DEFAULT) && (d = stopped_mail_at(stopped, i)); i++) {
        table_text(t, d->domain);
        table_number(t, d->mails);
        table_moment(t, d->first);
        table_moment(t, d->last);
    }
    rc = question_end(&q, t, st, "None was seen.");
    stopped_mail_free(stopped);
    return rc;
}

/* ---- selectors ---- */

int ledger_selectors(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "NAME", "The DKIM selectors, algorithms and key sizes seen of a domain and all below it."};
    static const struct table_column columns[] = {
        {"domain", "Domain"}, {"selector", "Selector"}, {"algorithm", "Algorithm"},
        {"bits", "Bits"},     {"result", "Result"},     {"count", "Count"},
        {"first", "First"},   {"last", "Last"},         {NULL, NULL}};
    struct question q;
    char domain[LIMIT_DOMAIN + 1], below[LIMIT_DOMAIN + 8];
    int rc = question_begin(&q, argc, argv, LEDGER_LIMIT, 1, &usage);
    if (rc >= 0)
        return rc;
    if ((rc = kept_domain(q.a.words[0], domain)) >= 0) {
        (void)ledger_end(q.s, q.policy, STATUS_OK);
        return rc;
    }
    snprintf(below, sizeof below, "%%.%s", domain);
    struct table *t = table_new(columns);
    struct store_rows *r = store_ask(q.s,
                                     "SELECT domain, selector, algorithm, bits, result, count, first_seen, last_seen "
                                     "FROM selector WHERE domain = $1 OR domain LIKE $2 "
                                     "ORDER BY domain, last_seen DESC LIMIT $3",
                                     "tti", domain, below, limit_of(&q, 1000));
    while (store_next(r)) {
        for (int i = 0; i < 3; i++)
            table_text(t, store_text(r, i));
        table_number(t, store_number(r, 3));
        table_text(t, store_text(r, 4));
        table_number(t, store_number(r, 5));
        table_moment(t, store_number(r, 6));
        table_moment(t, store_number(r, 7));
    }
    return question_end(&q, t, store_done(r), "No signature of this domain was seen.");
}

/* ---- hosts ---- */

/* What waits in a shared ledger's inbox and may not be taken in: said apart, it is for the owner to mend. */
static enum status tell_refused(struct store *s)
{
    struct store_rows *r = store_ask(s,
                                     "SELECT host, role, refused, count(*) FROM inbox WHERE refused IS NOT NULL "
                                     "GROUP BY host, role, refused ORDER BY host, role LIMIT 20",
                                     "");
    while (store_next(r))
        cli_error("of %s (role %s) %s pieces are not taken in: %s", store_text(r, 0), store_text(r, 1),
                  store_text(r, 3), store_text(r, 2));
    return store_done(r);
}

int ledger_hosts(int argc, char **argv)
{
    static const struct ledger_usage usage = {"",
                                              "The hosts that write to this ledger, and what they had to leave out."};
    static const struct table_column columns[] = {{"host", "Host"},       {"mails", "Mails"}, {"names", "Names"},
                                                  {"dropped", "Dropped"}, {"lost", "Lost"},   {"first", "First"},
                                                  {"last", "Last"},       {NULL, NULL}};
    struct question q;
    int rc = question_begin(&q, argc, argv, 0, 0, &usage);
    if (rc >= 0)
        return rc;
    struct table *t = table_new(columns);
    struct store_rows *r =
        store_ask(q.s, "SELECT name, mails, names, dropped, lost, first_seen, last_seen FROM host ORDER BY name", "");
    while (store_next(r)) {
        table_text(t, store_text(r, 0));
        for (int i = 1; i <= 4; i++)
            table_number(t, store_number(r, i));
        table_moment(t, store_number(r, 5));
        table_moment(t, store_number(r, 6));
    }
    enum status st = store_done(r);
    if (st == STATUS_OK && store_is_shared(q.s))
        st = tell_refused(q.s);
    return question_end(&q, t, st, "No host has written yet.");
}

/* ---- refused ---- */

/* Why the policy wanted it, and the reference of the reply; both empty once the record is no longer kept. */
static void reason_of(const char *record, struct buf *why, char *reference, size_t reference_size)
{
    struct record r;
    snprintf(reference, reference_size, "%s", "");
    if (!record || record_parse(slice_str(record), &r, NULL) != STATUS_OK)
        return;
    mail_reason_add(why, &r);
    if (value_text(r.root, "reference"))
        snprintf(reference, reference_size, "%s", value_text(r.root, "reference"));
    record_free(&r);
}

int ledger_refused(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "[--since TIME] [-n COUNT]",
        "Mail that was refused, deferred, held or quarantined, or would have been, the newest first."};
    static const struct table_column columns[] = {{"time", "Time"},           {"host", "Host"},      {"action", "Done"},
                                                  {"would", "Policy"},        {"statement", "Line"}, {"from", "From"},
                                                  {"mail_from", "MAIL FROM"}, {"client", "Client"},  {"id", "Queue ID"},
                                                  {"reference", "Reference"}, {"reason", "Why"},     {NULL, NULL}};
    struct question q;
    int rc = question_begin(&q, argc, argv, LEDGER_SINCE | LEDGER_UNTIL | LEDGER_LIMIT, 0, &usage);
    if (rc >= 0)
        return rc;
    struct table *t = table_new(columns);
    struct store_rows *r = store_ask(q.s,
                                     "SELECT t, host, action, would, statement, from_domain, client, client_net, "
                                     "queue_id, record, mail_from FROM mail WHERE t >= $1 AND t <= $2 AND "
                                     "would <> 'deliver' AND would <> 'tag' ORDER BY t DESC LIMIT $3",
                                     "iii", q.a.since, q.a.until ? q.a.until : INT64_MAX, limit_of(&q, ROWS_DEFAULT));
    while (store_next(r)) {
        char reference[40];
        struct buf why = BUF_INIT;
        reason_of(store_record(r, 9), &why, reference, sizeof reference);
        table_moment(t, store_number(r, 0));
        for (int i = 1; i <= 5; i++)
            table_text(t, store_text(r, i));
        table_text(t, store_text(r, 10) ? store_text(r, 10) : "<>");
        table_text(t, store_text(r, 6) ? store_text(r, 6) : store_text(r, 7));
        table_text(t, store_text(r, 8));
        table_text(t, reference);
        table_text(t, why.p ? why.p : "");
        buf_release(&why);
    }
    return question_end(&q, t, store_done(r), "Nothing was refused.");
}
