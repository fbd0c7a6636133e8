// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_organisations.c - the organisations that write to us, in the forms for a terminal and for programs.
 *
 * Promises the figures of the site and the annual report: they come of the same model (report/model.h), and nothing is
 * counted here. Below REPORT_FEW organisations there is no per cent. On failure: the model's status.
 */
#include "base/clock.h"
#include "base/standard.h"
#include "cli/ledger/report.h"
#include "report/model.h"

#define ARENA_MOST ((size_t)1 << 30)
#define TOO_FEW "No organisation has written at least five mails that are not stopped forgery."
#define NOT_ASKED                                                                                                      \
    "None to compare: organisations have written often enough, but the policy asks nothing of their mail yet."

static void add_counts(struct table *t, const struct report_counts *now, const struct report_counts *before)
{
    int64_t told = report_told(now);
    table_number(t, told);
    table_number(t, now->meets);
    table_share(t, now->meets, told < REPORT_FEW ? 0 : told);
    if (before)
        table_number(t, before->meets);
    table_number(t, now->explained);
    table_number(t, now->misses);
    table_number(t, now->untested);
}

static bool is_empty(const struct report_counts *t)
{
    return report_told(t) == 0 && t->untested == 0;
}

static void organisations(struct report *r, const struct report_model *m)
{
    static const struct table_column columns[] = {{"standard", "Standard"},
                                                  {"organisations", "Organisations"},
                                                  {"meets", "Meet it"},
                                                  {"share", "Share"},
                                                  {"before", "Before"},
                                                  {"explained", "Exempted"},
                                                  {"misses", "Do not"},
                                                  {"untested", "Not tested"},
                                                  {NULL, NULL}};
    struct table *t =
        report_section(r, "organisations", "Organisations that meet what the policy asks of their mail",
                       "An organisation counts with at least five mails that are not stopped forgery. It meets a "
                       "standard if at least 95 % of its mail passed; the first row is of all standards that the "
                       "policy asks of it.",
                       m->all.not_asked ? NOT_ASKED : TOO_FEW, columns);
    if (!is_empty(&m->all)) {
        table_text(t, "all");
        add_counts(t, &m->all, &m->all_before);
    }
    for (size_t i = 0; i < STANDARD_MAIL_COUNT; i++) {
        if (is_empty(&m->standards[i].now))
            continue;
        table_text(t, standard_name(m->standards[i].standard));
        add_counts(t, &m->standards[i].now, &m->standards[i].before);
    }
}

static void lists(struct report *r, const struct report_model *m)
{
    static const struct table_column columns[] = {{"list", "List"},           {"organisations", "Organisations"},
                                                  {"meets", "Meet all"},      {"share", "Share"},
                                                  {"explained", "Exempted"},  {"misses", "Do not"},
                                                  {"untested", "Not tested"}, {NULL, NULL}};
    struct table *t = report_section(r, "lists", "The same for each list of the policy",
                                     "Organisations that stood in a list of the policy on a day of the period.",
                                     "The policy names no list.", columns);
    for (size_t i = 0; i < m->group_count; i++) {
        table_text(t, m->groups[i].name);
        add_counts(t, &m->groups[i].counts, NULL);
    }
}

/* Beside the shares: of how much of the time there are findings. */
static void coverage(struct report *r, const struct report_model *m)
{
    static const struct table_column columns[] = {
        {"hours", "Hours"}, {"hours_seen", "With findings"}, {"share", "Share"}, {NULL, NULL}};
    struct table *t = report_section(r, "coverage", "How complete these figures are",
                                     "Hours of the period in which a host wrote findings. Below 80 %, take no share "
                                     "above for the whole period's.",
                                     "The policy names no list.", columns);
    table_number(t, m->hours);
    table_number(t, m->hours_seen);
    table_share(t, m->hours_seen, m->hours);
}

enum status report_organisations(struct report *r)
{
    struct report_model m = {.policy = r->policy,
                             .store = r->store,
                             .arena = arena_new(ARENA_MOST),
                             .since_day = r->since_day,
                             .until_day = r->until_day,
                             .made = clock_wall()};
    enum status st = m.arena ? report_model_fill(&m) : STATUS_NOMEM;
    if (st == STATUS_OK) {
        organisations(r, &m);
        lists(r, &m);
        coverage(r, &m);
    }
    report_model_free(&m);
    return st;
}
