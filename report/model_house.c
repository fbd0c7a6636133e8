// SPDX-License-Identifier: BSD-2-Clause
/*
 * model_house.c - what others tell us of our own domains, and what our resolver was asked for (model.h).
 *
 * Counts of reports that others sent are bounded where they are read in; a ledger of an earlier version may hold
 * larger ones. On failure: the question's status.
 */
#include "report/model.h"
#include <string.h>

#define BOUNDED "CASE WHEN w.count > 1000000000 THEN 1000000000 ELSE w.count END"
#define OF_REPORT                                                                                                      \
    "FROM report_in i JOIN report_in_row w ON w.kind = i.kind AND w.org = i.org AND w.report_id = i.report_id AND "    \
    "w.domain = i.domain WHERE i.ours = 1 AND i.authenticated <> 0 AND i.ends >= $1 AND i.begins < $2 AND i.kind = "
#define REPORTED_MOST 200

static struct report_reported *reported(struct report_model *m, const char *domain)
{
    for (size_t i = 0; i < m->reported_count; i++)
        if (strcmp(m->reported[i].domain, domain) == 0)
            return &m->reported[i];
    if (m->reported_count == REPORTED_MOST)
        return NULL;
    m->reported[m->reported_count] = (struct report_reported){.domain = arena_strdup(m->arena, domain)};
    return m->reported[m->reported_count].domain ? &m->reported[m->reported_count++] : NULL;
}

enum status report_ask_house(struct report_model *m)
{
    m->reported = ARENA_ARRAY(m->arena, struct report_reported, REPORTED_MOST);
    if (!m->reported)
        return STATUS_NOMEM;
    struct store_rows *r =
        store_ask(m->store,
                  "SELECT i.domain, count(DISTINCT i.org), sum(" BOUNDED "), sum(CASE WHEN w.dkim = 'pass' OR w.spf = "
                  "'pass' THEN " BOUNDED " ELSE 0 END) " OF_REPORT "'dmarc' GROUP BY i.domain ORDER BY i.domain",
                  "ii", m->since_day * 86400, (m->until_day + 1) * 86400);
    while (store_next(r)) {
        struct report_reported *x = reported(m, store_text(r, 0));
        if (x) {
            x->reporters = store_number(r, 1);
            x->mails = store_number(r, 2);
            x->aligned = store_number(r, 3);
        }
    }
    enum status st = store_done(r);
    if (st != STATUS_OK)
        return st;
    r = store_ask(m->store,
                  "SELECT i.domain, sum(" BOUNDED "), sum(CASE WHEN w.result <> 'pass' THEN " BOUNDED
                  " ELSE 0 END) " OF_REPORT "'tls' GROUP BY i.domain ORDER BY i.domain",
                  "ii", m->since_day * 86400, (m->until_day + 1) * 86400);
    while (store_next(r)) {
        struct report_reported *x = reported(m, store_text(r, 0));
        if (x) {
            x->sessions = store_number(r, 1);
            x->sessions_failed = store_number(r, 2);
        }
    }
    return store_done(r);
}

enum status report_ask_names(struct report_model *m)
{
    struct store_rows *r =
        store_ask(m->store,
                  "SELECT security, sum(count) FROM standard_day WHERE scope = 'names' AND day >= $1 "
                  "AND day <= $2 GROUP BY security",
                  "ii", m->since_day, m->until_day);
    while (store_next(r)) {
        const char *state = store_text(r, 0);
        int64_t n = store_number(r, 1);
        m->names += n;
        if (strcmp(state, "secure") == 0)
            m->names_secure += n;
        else if (strcmp(state, "insecure") == 0)
            m->names_insecure += n;
        else if (strcmp(state, "bogus") == 0)
            m->names_bogus += n;
    }
    enum status st = store_done(r);
    if (st != STATUS_OK || !m->names)
        return st;
    r = store_ask(m->store,
                  "SELECT subject, security, sum(count) FROM subject_day WHERE standard = 'dnssec' AND scope = 'names' "
                  "AND day >= $1 AND day <= $2 AND security IN ('insecure', 'bogus') GROUP BY subject, security ORDER "
                  "BY sum(count) DESC, subject LIMIT $3",
                  "iii", m->since_day, m->until_day, (int64_t)REPORT_TOP);
    while (store_next(r) && m->zone_count < REPORT_TOP)
        m->zones[m->zone_count++] = (struct report_zone){arena_strdup(m->arena, store_text(r, 0)),
                                                         arena_strdup(m->arena, store_text(r, 1)), store_number(r, 2)};
    return store_done(r);
}
