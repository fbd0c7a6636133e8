// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_reach.c - who is no stranger.
 *
 * Promises that a domain is left out only with a reason in words, and that `report.never-to` wins over everything. On
 * failure of the store nothing is decided.
 */
#include "feedback/dmarc_reach.h"
#include "base/standard.h"
#include "ledger/timestamp.h"
#include "policy/policy_settings.h"
#include <stdio.h>
#include <string.h>

static bool speaks_of(const struct policy_statement *s)
{
    return s && (s->who.kind == POLICY_DOMAIN || s->who.kind == POLICY_ONLY || s->who.kind == POLICY_IN_LIST);
}

/* Whether a statement that is in force names the domain: a rule, an exemption, a forwarder. */
static bool named(const struct policy *p, const char *domain)
{
    for (int standard = 0; standard < STANDARD_MAIL_COUNT; standard++) {
        struct policy_answer a;
        policy_ask(p, &(struct policy_question){.standard = (enum standard)standard, .who = domain}, &a);
        if (speaks_of(a.statement) || speaks_of(a.exemption))
            return true;
    }
    return policy_trusted(p, domain, NULL, NULL, 0) != NULL;
}

static enum status days_of(struct store *s, const char *domain, const char *how, int64_t day, int64_t *days)
{
    return store_ask_number(
        s, 0, days, "SELECT count(*) FROM correspondent WHERE domain = $1 AND how = $2 AND day > $3 AND day <= $4",
        "ttii", domain, how, day - DMARC_REACH_WINDOW, day);
}

enum status dmarc_reach(struct store *s, const struct ledger_config *c, int64_t day, const char *domain,
                        bool all_refused, bool asked, bool *goes, char *why)
{
    int64_t passed = 0, written = 0;
    const bool always = policy_set_has(c->policy, SETTING_REPORT_ALWAYS_TO, domain);
    why[0] = '\0';
    *goes = false;
    if (policy_set_has(c->policy, SETTING_REPORT_NEVER_TO, domain)) {
        snprintf(why, DMARC_REACH_WHY, "report.never-to names the domain");
        return STATUS_OK;
    }
    if (all_refused && !always) {
        snprintf(why, DMARC_REACH_WHY, "all its mail of the day was refused");
        return STATUS_OK;
    }
    *goes = always || asked || c->report_all || named(c->policy, domain);
    if (*goes)
        return STATUS_OK;
    enum status st = days_of(s, domain, "written", day, &written);
    if (st == STATUS_OK && written == 0)
        st = days_of(s, domain, "passed", day, &passed);
    *goes = st == STATUS_OK && (written > 0 || passed >= DMARC_REACH_DAYS);
    if (!*goes)
        snprintf(why, DMARC_REACH_WHY,
                 "not known here: its mail passed DMARC on %lld of the last %d days (%d are needed), and nobody here "
                 "wrote to it",
                 (long long)passed, DMARC_REACH_WINDOW, DMARC_REACH_DAYS);
    return st;
}

enum status dmarc_reach_ceiling(struct store *s, const struct ledger_config *c, int64_t day, int64_t *most)
{
    int64_t messages = 0;
    *most = c->ceiling;
    if (*most > 0)
        return STATUS_OK;
    enum status st = store_ask_number(s, 0, &messages,
                                      "SELECT CAST(sum(count) AS BIGINT) FROM verdict_hour WHERE hour >= $1 AND hour "
                                      "< $2 AND source IN ('submission', 'own-network', 'local')",
                                      "ii", day * 24, day * 24 + 24);
    *most = messages * DMARC_REACH_PERCENT / 100;
    *most = *most > DMARC_REACH_LEAST ? *most : DMARC_REACH_LEAST;
    return st;
}
