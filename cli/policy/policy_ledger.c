// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_ledger.c - the few questions `assay policy` has for the ledger.
 *
 * Everything is a help and nothing depends on it: a ledger that is not there, or cannot be asked, makes numbers
 * unknown.
 */
#include "cli/policy/policy_ledger.h"
#include "cli/cli.h"
#include "ledger/exceptions.h"
#include "policy/policy_settings.h"

struct store *policy_ledger_open(const struct policy *p)
{
    enum status st;
    return policy_ledger_open_at(policy_set_text(p, SETTING_LEDGER_STORE), &st);
}

struct store *policy_ledger_open_at(const char *where, enum status *st)
{
    char why[STORE_ERROR];
    *st = STATUS_OK;
    struct store *s = store_open(where, STORE_READ, st, why);
    if (!s && *st != STATUS_MISSING)
        cli_error("the ledger cannot be asked: %s", why);
    return s;
}

void policy_ledger_use(struct store *s, const struct policy *p, const struct policy_statement *st, const char *standard,
                       struct policy_use *out)
{
    *out = (struct policy_use){.count = -1};
    if (!s)
        return;
    int64_t count, last;
    if (exceptions_used(s, p, st, standard, &count, &last) != STATUS_OK)
        return;
    out->count = count;
    if (last)
        policy_day_text((time_t)(last / 1000000), out->last);
}
