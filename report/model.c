// SPDX-License-Identifier: BSD-2-Clause
/*
 * model.c - asks the ledger for what a report shows (model.h): the order of the questions, the mail as a whole, and
 * what the decisions cost.
 *
 * Promises that each figure is asked once, that the time before is as long and ends where this one begins, and that an
 * empty ledger is no failure. The first question that fails ends the filling with its status.
 */
#include "report/model.h"
#include "policy/policy_settings.h"
#include <string.h>

#define HOURS_KEPT_DAYS 55 /* counts by hour are kept for two months; of a longer time whole days are counted */

static const struct report_effort_row efforts[] = {
#define EFFORT(id, minutes, text) {minutes, LANGUAGE_MARK(text)},
#include "report/effort.def"
#undef EFFORT
};

const struct report_effort_row *report_effort(enum report_effort e)
{
    return (unsigned)e < REPORT_EFFORTS ? &efforts[e] : NULL;
}

int64_t report_told(const struct report_counts *t)
{
    return t->meets + t->explained + t->misses;
}

bool report_is_patchy(const struct report_model *m)
{
    return m->hours_seen * 100 < m->hours * REPORT_COVERED;
}

void report_cost(const struct report_model *m, struct report_cost *out)
{
    *out = (struct report_cost){.minutes = m->ending * efforts[REPORT_EFFORT_EXCEPTION].minutes};
    for (size_t i = 0; i < m->decision_count && i < 3; i++) {
        out->mails += m->decisions[i].mails;
        out->senders += m->decisions[i].senders;
        out->minutes += efforts[REPORT_EFFORT_POLICY_LINE].minutes +
                        m->decisions[i].senders * efforts[REPORT_EFFORT_ASK_SENDER].minutes;
    }
    for (size_t i = 0; i < m->own_count; i++)
        if (m->own[i].count)
            out->minutes +=
                (int64_t)m->own[i].grades[m->own[i].count - 1].failed * efforts[REPORT_EFFORT_OWN_TEST].minutes;
}

/* ---- the mail as a whole ---- */

static enum status ask_done(struct report_model *m)
{
    struct store_rows *r = store_ask(m->store,
                                     "SELECT action, would, sum(count) FROM verdict_hour WHERE hour >= $1 AND hour < "
                                     "$2 GROUP BY action, would",
                                     "ii", m->since_day * 24, (m->until_day + 1) * 24);
    while (store_next(r)) {
        const char *action = store_text(r, 0), *would = store_text(r, 1);
        int64_t n = store_number(r, 2);
        bool done = strcmp(action, would) == 0;
        m->mails += n;
        if (strcmp(action, "reject") == 0)
            m->refused += n;
        else if (strcmp(action, "quarantine") == 0 || strcmp(action, "hold") == 0)
            m->aside += n;
        else if (strcmp(action, "defer") == 0)
            m->deferred += n;
        if (!done && strcmp(would, "reject") == 0)
            m->would_refuse += n;
        else if (!done && (strcmp(would, "quarantine") == 0 || strcmp(would, "hold") == 0))
            m->would_aside += n;
    }
    return store_done(r);
}

/* Hours in which anything was written, of those since the first. */
static enum status ask_coverage(struct report_model *m)
{
    int64_t first = 0, now = m->made / 3600, end = (m->until_day + 1) * 24;
    int64_t oldest = 0;
    enum status st =
        store_ask_number(m->store, 0, &oldest, "SELECT min(hour) FROM standard_hour WHERE hour >= $1 AND hour < $2",
                         "ii", m->since_day * 24, end);
    if (st == STATUS_OK && m->since_day < m->made / 86400 - HOURS_KEPT_DAYS)
        st =
            store_ask_number(m->store, 0, &m->hours_seen,
                             "SELECT 24 * count(*) FROM (SELECT DISTINCT day FROM standard_day WHERE day >= $1 AND day "
                             "<= $2) AS seen",
                             "ii", m->since_day, m->until_day);
    else if (st == STATUS_OK)
        st = store_ask_number(m->store, 0, &m->hours_seen,
                              "SELECT count(*) FROM (SELECT DISTINCT hour FROM standard_hour WHERE hour >= $1 AND "
                              "hour < $2) AS seen",
                              "ii", m->since_day * 24, end);
    first = m->since_day * 24;
    m->first_day = oldest / 24;
    m->hours = (end < now + 1 ? end : now + 1) - first;
    m->hours = m->hours < 1 ? 1 : m->hours;
    return st;
}

static enum status ask_standards(struct report_model *m)
{
    struct store_rows *r = store_ask(
        m->store,
        "SELECT standard, sum(CASE WHEN day >= $1 THEN count ELSE 0 END), sum(CASE WHEN day >= $1 AND result = 'pass' "
        "THEN count ELSE 0 END), sum(CASE WHEN day < $1 THEN count ELSE 0 END), sum(CASE WHEN day < $1 AND result = "
        "'pass' THEN count ELSE 0 END) FROM standard_day WHERE scope = 'mail' AND day >= $2 AND day <= $3 GROUP BY "
        "standard",
        "iii", m->since_day, m->before_day, m->until_day);
    while (store_next(r)) {
        enum standard s = standard_from_name(slice_str(store_text(r, 0)));
        if (s >= STANDARD_MAIL_COUNT)
            continue;
        m->standards[s].mails = store_number(r, 1);
        m->standards[s].passed = store_number(r, 2);
        m->standards[s].mails_before = store_number(r, 3);
        m->standards[s].passed_before = store_number(r, 4);
    }
    return store_done(r);
}

static enum status ask_days(struct report_model *m)
{
    size_t most = (size_t)(m->until_day - m->since_day + 1);
    m->by_day = ARENA_ARRAY(m->arena, struct report_day, most);
    if (!m->by_day)
        return STATUS_NOMEM;
    struct store_rows *r = store_ask(m->store,
                                     "SELECT day, sum(mails), sum(met) FROM org_day WHERE day >= $1 AND day <= $2 AND "
                                     "asked <> '' GROUP BY day ORDER BY day",
                                     "ii", m->since_day, m->until_day);
    while (store_next(r) && m->day_count < most)
        m->by_day[m->day_count++] = (struct report_day){store_number(r, 0), store_number(r, 1), store_number(r, 2)};
    return store_done(r);
}

static enum status ask_hosts(struct report_model *m)
{
    int64_t n = 0;
    enum status st = store_ask_number(m->store, 0, &n, "SELECT count(*) FROM host", "");
    m->hosts = st == STATUS_OK ? ARENA_ARRAY(m->arena, struct report_host, (size_t)n + 1) : NULL;
    if (!m->hosts)
        return st == STATUS_OK ? STATUS_NOMEM : st;
    struct store_rows *r =
        store_ask(m->store, "SELECT name, last_seen, mails, dropped, lost FROM host ORDER BY name", "");
    while (store_next(r) && m->host_count < (size_t)n)
        m->hosts[m->host_count++] = (struct report_host){arena_strdup(m->arena, store_text(r, 0)), store_number(r, 1),
                                                         store_number(r, 2), store_number(r, 3), store_number(r, 4)};
    return store_done(r);
}

enum status report_model_fill(struct report_model *m)
{
    static enum status (*const parts[])(struct report_model *) = {ask_done,          ask_coverage,
                                                                  ask_standards,     ask_days,
                                                                  ask_hosts,         report_ask_organisations,
                                                                  report_ask_groups, report_ask_exceptions,
                                                                  report_ask_house,  report_ask_names};
    enum status st = STATUS_OK;
    if (!m->before_day)
        m->before_day = 2 * m->since_day - m->until_day - 1;
    m->only_records = policy_set_is(m->policy, SETTING_MODE, "dry-run");
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
        m->standards[s].standard = (enum standard)s;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && st == STATUS_OK; i++)
        st = parts[i](m);
    return st == STATUS_OK && arena_failed(m->arena) ? STATUS_NOMEM : st;
}

void report_model_free(struct report_model *m)
{
    organisations_free(&m->now);
    organisations_free(&m->before);
    m->arena = arena_free(m->arena);
}
