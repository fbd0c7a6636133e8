// SPDX-License-Identifier: BSD-2-Clause
/*
 * exceptions.h - the exceptions of each policy that was in force here, kept with the findings: which exemption "L14"
 * was, for whom, why, agreed by whom. Findings name an exception by its policy and id only, and policies change; the
 * register of exceptions (`assay policy explained`, `assay report`) must not forget with each change.
 *
 * An exception is the same one in two policies where kind and scope are the same (policy_scope()): it may stand in
 * another line, and may have been agreed anew.
 */
#ifndef ASSAY_LEDGER_EXCEPTIONS_H
#define ASSAY_LEDGER_EXCEPTIONS_H

#include "ledger/store.h"
#include "policy/policy.h"

/* Whether a statement is one of these: an exemption, a suspension or a trusted forwarder. */
bool exceptions_is_one(const struct policy_statement *st);

/* Records the exemptions, suspensions and trusted forwarders of a policy, once each; nothing if they are recorded
 * already. Statuses as store_run(), in one transaction. */
enum status exceptions_keep(struct store *s, const struct policy *p) MUST_CHECK;

/* How often an exemption was used for one standard, or a trust (standard NULL), under whatever policy. *last:
 * microseconds since 1970, 0: never. */
enum status exceptions_used(struct store *s, const struct policy *p, const struct policy_statement *st,
                            const char *standard, int64_t *count, int64_t *last) MUST_CHECK;

/* What has become of an exception. Whether its domain meets the standard by now is known of exemptions of single
 * domains only, by its mail of the last EXCEPTIONS_RECENT_DAYS. */
enum exceptions_state {
    EXCEPTIONS_EXPLAINED, /* in force, and not yet met */
    EXCEPTIONS_APPLIED,   /* met by now: the exception can go */
    EXCEPTIONS_ENDED,     /* ended, and nothing seen since that would need it */
    EXCEPTIONS_ENDED_NOT_APPLIED,
    EXCEPTIONS_COULD_NOT_TEST,
    EXCEPTIONS_STATES
};
#define EXCEPTIONS_RECENT_DAYS 30

/* Its state at a time, for one standard (NULL: a trust or suspension). s NULL: nothing was seen. On failure *state is
 * that of nothing seen, and the status is as store_ask()'s. */
enum status exceptions_state(struct store *s, const struct policy_statement *st, const char *standard, time_t at,
                             enum exceptions_state *state) MUST_CHECK;

/* One exception that was used, as exceptions_ask() tells it. Texts are good until the next store_next(). */
struct exceptions_use {
    const char *scope; /* for whom; its id, if its policy was never recorded here */
    const char *standard;
    const char *because, *agreed_by; /* as agreed last; NULL: not known */
    int64_t until;                   /* seconds since 1970, as agreed last; 0: no end known */
    int64_t subjects, count;
};

/* Exceptions used between two days (both included), the most used first. To be read by exceptions_next() and ended by
 * store_done(). */
struct store_rows *exceptions_ask(struct store *s, int64_t since_day, int64_t until_day, int64_t most);
bool exceptions_next(struct store_rows *r, struct exceptions_use *out);

#endif
