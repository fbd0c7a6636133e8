// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisations.h - which organisations meet all that the policy asks of them, by the daily totals that are kept when
 * mail is taken in. This is the only definition; the site, its JSON, the annual report and the SQL views
 * (contrib/grafana) say the same, and tests check that.
 *
 *   organisation  DMARC's organisational domain of the From domain; only mail from outside counts
 *   stopped       forged mail, by the rule of stopped.h. Nobody has to act on it, and it is not counted.
 *   counted       at least ORGANISATION_LEAST mails in the time that are not stopped
 *   meets all     in at least ORGANISATION_SHARE per cent of its mail every standard that the policy follows or
 *                 requires of it passed. Explained: the same, where exempted mail counts as passed. What could not be
 *                 tested counts as neither; where all of it could not be, so does the organisation.
 *
 * Threads: one per store.
 */
#ifndef ASSAY_LEDGER_ORGANISATIONS_H
#define ASSAY_LEDGER_ORGANISATIONS_H

#include "base/arena.h"
#include "base/standard.h"
#include "ledger/store.h"

#define ORGANISATION_LEAST 5
#define ORGANISATION_SHARE 95
#define ORGANISATIONS_MAX 500000 /* looked at, those with the most mail first */

/* In org_failed_day.standard, besides a standard. All but the last count mail without a signature of the domain. */
#define ORGANISATION_ALL_MAIL ""
#define ORGANISATION_MISSED_ANY "all"
#define ORGANISATION_SIGNED "signed" /* mail that failed, signed by the domain: only its days count (stopped.h) */

enum organisation_state {
    ORGANISATION_TOO_FEW,   /* mails to say anything */
    ORGANISATION_NOT_ASKED, /* the policy asks nothing of it */
    ORGANISATION_UNTESTED,
    ORGANISATION_MEETS,
    ORGANISATION_EXPLAINED,
    ORGANISATION_MISSES,
    ORGANISATION_STATES
};

struct organisation {
    const char *name;
    int64_t mails; /* not stopped */
    int64_t stopped, met, explained, untested, not_asked;
    int64_t perhaps;                 /* of those that miss: may be forged, too few passed to tell (stopped.h) */
    uint32_t asked;                  /* bits of standards */
    uint32_t meets, excused, misses; /* by standard, as the states above; else too few, or untested */
    enum organisation_state state;
    struct {
        int32_t asked, missed, explained, untested;
    } by[STANDARD_MAIL_COUNT];
};

struct organisations {
    struct organisation *all; /* most mails first, then by name */
    size_t count;
    int64_t more; /* beyond ORGANISATIONS_MAX */
};

/* Those with at least ORGANISATION_LEAST mails between two days (both included); names are in the arena. Statuses as
 * store_ask(). organisations_free() gives the rest back. */
enum status organisations_ask(struct store *s, struct arena *a, int64_t since_day, int64_t until_day,
                              struct organisations *out) MUST_CHECK;
void organisations_free(struct organisations *o);

/* Its state in one standard; STANDARD_MAIL_COUNT: in all that is asked of it. */
enum organisation_state organisation_state_of(const struct organisation *o, enum standard s);

#endif
