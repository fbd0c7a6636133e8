// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_recount.c - `assay ledger recount`: the daily totals, counted again from the mails' records.
 *
 * Promises to say each day that was wrong and is right now, and how many days could not be counted. On failure: as
 * ledger_args.c; what was mended until then stays.
 */
#include "cli/ledger/ledger.h"
#include "ledger/organisation_states.h"
#include "ledger/recount.h"
#include "ledger/timestamp.h"

static void recount_say(const struct recount *found)
{
    printf("Counted %lld day%s again.\n", (long long)found->days, found->days == 1 ? "" : "s");
    for (size_t i = 0; i < found->mended_count; i++) {
        char day[TIMESTAMP_TEXT];
        printf("%s: its totals were wrong, and are right now.\n", timestamp_day_text(found->mended[i], day));
    }
    if (found->sources_mended)
        printf("Networks that proved to be an organisation's were missing, and are there now.\n");
    if (!found->mended_count && !found->sources_mended)
        printf("Nothing had to be changed.\n");
    if (found->left)
        printf("%lld day%s left as %s: not every mail of %s still has its record (ledger.keep-identity).\n",
               (long long)found->left, found->left == 1 ? " is" : "s are", found->left == 1 ? "it was" : "they were",
               found->left == 1 ? "it" : "them");
}

int ledger_recount(int argc, char **argv)
{
    static const struct ledger_usage usage = {
        "", "Counts the daily totals by standard, organisation and list again, from the mails' records, for each day "
            "of which all records are still there, and mends what differs. The report and its views read these "
            "totals only."};
    struct ledger_args a;
    struct ledger_config c;
    struct recount found;
    const struct policy *p;
    int rc = ledger_args_read(&a, argc, argv, LEDGER_STORE, 0, 0, &usage);
    if (rc >= 0)
        return rc;
    struct store *s = ledger_store(&a, STORE_WRITE, &c, &p, &rc);
    if (!s)
        return rc;
    struct organisation_lists *lists = organisation_lists_new(p);
    enum status st = lists ? ledger_wait_for_lease(s, "recount") : STATUS_NOMEM;
    if (st == STATUS_OK)
        st = recount(s, lists, &found);
    organisation_lists_free(lists);
    if (st == STATUS_OK)
        st = organisation_states_keep(s, p);
    if (st == STATUS_OK)
        recount_say(&found);
    return ledger_end(s, p, st);
}
