// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_site.c - `assay report --html DIR`: hands the model what the ledger does not know (the next steps of the
 * policy, the grades of our own domains), fills it, and has the site written.
 *
 * Promises that a store that is away leaves the last site as it is. Exit codes: report.c's.
 */
#include "base/clock.h"
#include "cli/ledger/report.h"
#include "cli/next/next_report.h"
#include "report/site.h"

#define ARENA_MOST ((size_t)1 << 30)
static int code_of(enum status st)
{
    return st == STATUS_AGAIN ? EX_TEMPFAIL : st == STATUS_NOMEM ? EX_OSERR : EX_DATAERR;
}

int report_site(const struct report *r, const struct ledger_args *a)
{
    char why[SITE_WHY] = "";
    struct report_model m = {.language = a->language_given ? a->language : language_of_user(),
                             .policy = r->policy,
                             .store = r->store,
                             .arena = arena_new(ARENA_MOST),
                             .since_day = r->since_day,
                             .until_day = r->until_day,
                             .made = clock_wall()};
    if (!folder_may_write(a->html, false, why)) {
        cli_error("%s", why);
        report_model_free(&m);
        return EX_CANTCREAT;
    }
    enum status st = m.arena ? next_decisions(m.arena, a->policy ? a->policy : CLI_POLICY_PATH, m.store, m.decisions,
                                              REPORT_DECISIONS, &m.decision_count)
                             : STATUS_NOMEM;
    if (st == STATUS_OK)
        st = report_own_read(&m, a->checks ? a->checks : ASSAY_STATEDIR "/checks");
    if (st == STATUS_OK)
        st = report_model_fill(&m);
    int rc = EX_OK;
    if (st != STATUS_OK) {
        cli_error("%s", st == STATUS_NOMEM ? "out of memory" : store_error(m.store));
        rc = code_of(st);
    } else if (site_write(&m, a->html, why) != STATUS_OK) {
        cli_error("%s", why);
        rc = EX_CANTCREAT;
    }
    report_model_free(&m);
    return rc;
}
