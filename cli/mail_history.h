// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail_history.h - from where each domain's mail came, to tell stopped forgery (ledger/stopped.h) from mail whose
 * sender has to act.
 *
 * Threads: one per history.
 */
#ifndef ASSAY_CLI_MAIL_HISTORY_H
#define ASSAY_CLI_MAIL_HISTORY_H

#include "base/arena.h"
#include "ledger/record.h"
#include "ledger/store.h"
#include "policy/policy.h"

struct mail_history;

/* In the arena; mail_history_free gives back what is not. NULL: out of memory. */
struct mail_history *mail_history_new(struct arena *a);
void mail_history_free(struct mail_history *h); /* NULL is allowed */

/* Remembers one mail; one from before the last STOPPED_LOOK_BACK_DAYS is left out. */
void mail_history_add(struct mail_history *h, const struct record *r);

/* Reads the networks that the ledger knows to be used by a domain's organisation: records of single mails are kept for
 * ledger.keep-identity only, these for longer. domain: only what concerns this one; NULL: all organisations of which
 * mail failed. On failure the store's status. */
enum status mail_history_load(struct mail_history *h, struct store *s, const char *domain) MUST_CHECK;

/* Tells whether further mail of this domain from this network (stopped_network(); NULL: not known) changes no answer
 * about it: enough of the domain has passed, and mail from there passed or failed on enough days to be no forgery. */
bool mail_history_is_decided(struct mail_history *h, const char *domain, const char *network);

/* Tells whether this mail is stopped forgery. All mail of its domain must have been added before. */
bool mail_history_is_stopped(struct mail_history *h, const struct policy *p, const struct record *r);

/* Tells whether it may be forged: too little mail of its domain was seen to tell (stopped_may_be_forged()). */
bool mail_history_may_be_forged(struct mail_history *h, const struct policy *p, const struct record *r);

#endif
