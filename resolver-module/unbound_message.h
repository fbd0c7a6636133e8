// SPDX-License-Identifier: BSD-2-Clause
/*
 * unbound_message.h - changes the message that a query will be answered with: leaves record sets out, cuts it behind a
 * link, joins the answer to another question on, and marks what is given out although it is bogus.
 *
 * A changed message is a new one in the query's region; what Unbound's cache holds is never touched. For files that
 * include Unbound's headers only.
 *
 * Threads: all functions from any, each on a query of its own.
 */
#ifndef ASSAY_RESOLVER_MODULE_UNBOUND_MESSAGE_H
#define ASSAY_RESOLVER_MODULE_UNBOUND_MESSAGE_H

#include "config.h"
#include "util/data/msgreply.h"
#include "util/module.h"

#include <stdbool.h>

/* In a record set's key: bogus, and given out under a suspension. Like Unbound's own PACKED_RRSET_RPZ it keeps such a
 * set apart from the real one in the cache of record sets, and is never sent. */
#define MESSAGE_SUSPENDED 0x40000000u

/* Leaves every record set out. */
void message_empty(struct module_qstate *q);

/* Leaves out the record sets of the additional section, and NS sets of the authority section, that `may` does not allow
 * to stand there. */
void message_thin(struct module_qstate *q, bool (*may)(void *arg, const struct ub_packed_rrset_key *k), void *arg);

/* Keeps the first `keep` record sets of the answer section, and nothing else. False: no memory. */
bool message_cut(struct module_qstate *q, size_t keep);

/* Puts `tail`, the answer to the question that a cut message leads on to, behind it. The whole counts as bogus until it
 * is judged again. False: no memory. */
bool message_join(struct module_qstate *q, const struct reply_info *tail);

/* Turns a bogus message into one that may be given out: unsigned, without authority and additional sections, and its
 * bogus record sets marked. */
void message_suspend(struct module_qstate *q);

/* Takes such marks off what came from the cache, or from another question: it counts as bogus again. */
void message_unmark(struct module_qstate *q);

/* The first marked record set; NULL: none. */
const struct ub_packed_rrset_key *message_marked(const struct reply_info *rep);

/* Tells whether an answer may be given only to a client that validates for itself: it is bogus, or nobody validated it.
 * A mere delegation is not meant. */
bool message_unjudged(const struct reply_info *rep);

/* For a reply callback: keeps the answer that Unbound is about to give from the client. A query on its way (`q`) gets
 * SERVFAIL. An answer from the cache (`q` NULL) belongs to all workers and cannot be changed: the client gets a
 * truncated reply without any record, and asks again by TCP. `region` is the reply's. */
void message_keep_from(struct query_info *qinfo, const struct module_qstate *q, struct reply_info *rep,
                       struct regional *region);

#endif
