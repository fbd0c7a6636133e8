// SPDX-License-Identifier: BSD-2-Clause
/*
 * checks.h - runs the engines over one message, and turns their findings into facts. For judge.c only.
 *
 * checks_start_* ask DNS and never wait; checks_end waits. The first two may be called once, in this order.
 * STATUS_NOMEM if memory ran out; what could not be looked up is part of a finding.
 */
#ifndef ASSAY_JUDGE_CHECKS_H
#define ASSAY_JUDGE_CHECKS_H

#include "judge/forged.h"
#include "judge/judge.h"
#include "judge/report_mail.h"
#include "judge/relay.h"

struct judge {
    struct arena *arena;
    struct arena *early; /* judge_early_arena(); NULL: not asked for yet */
    const struct policy *policy;
    const struct judge_host *host;
    struct dns_scope *scope;
    struct dkim_checker *dkim;
    struct arc_checker *arc;
    struct judge_mail mail;
    struct judge_report report;
    struct relay_client relay;
    struct forged_list forged;
    bool behind_relay;
    bool client_started;
    bool sealing;               /* `set arc.seal` applies to this mail, and the body is being hashed */
    struct dkim_bodyhash *body; /* for the fleet's proof; NULL: not needed */
    int body_number;
    struct report_mail_names report_records; /* looked up to tell whether a recipient is there for reports */
    struct buf head;                         /* of the body, for mail.body_head */
    bool keep_head;
    struct classes classes;
    void (*arrived)(void *context); /* judge_no_wait(); NULL: judge_end() waits */
    void *arrived_context;
    bool ending, waits;          /* judge_end() has begun; its last run lacked answers */
    unsigned runs;               /* of the engines at the end */
    int64_t end_began;           /* clock_mono_ms() */
    struct judge_report *before; /* the report as it was before the first run; NULL: there is one run only */
};

/* Runs of the engines at the end of a message that may not wait for DNS. An SPF record may lead through ten terms of
 * two steps each (RFC 7208 4.6.4); beyond this the look-ups are given up, and the mail is deferred. */
#define CHECKS_RUNS 24

/* Call when the client's address is known: starts SPF and the reverse name. */
void checks_start_client(struct judge *j);
/* Call at the end of the header section: starts DMARC's tree walk and the look-ups of keys. */
enum status checks_start_header(struct judge *j) MUST_CHECK;
/* Tells whether an SPF pass counts: a record that lets everybody send, or more addresses than the policy accepts,
 * proves nothing about the sender. */
bool checks_spf_counts(const struct judge *j, const struct spf_finding *f);
/* Waits for all answers; fills the report except its facts. If it may not wait, it may be called again, with the report
 * as it was. */
enum status checks_end(struct judge *j) MUST_CHECK;

/* Fills the facts from report and mail (facts.c). The only DNS question is whether the From domain says that it sends
 * no mail. */
enum status facts_fill(struct judge *j) MUST_CHECK;
/* The part of it about authors, signatures and the DNSSEC state of the senders' answers (facts_authors.c). */
enum status facts_fill_authors(struct judge *j) MUST_CHECK;
/* Fills only source, client and tls, which are known at RCPT. */
enum status facts_fill_early(struct judge *j) MUST_CHECK;

#endif
