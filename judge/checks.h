// SPDX-License-Identifier: BSD-2-Clause
/*
 * checks.h - running the engines over one message, and turning what they said into facts. For judge.c alone.
 *
 * checks_start_* ask DNS and never wait; checks_end waits. Each may be called once, in this order. What an engine could
 * not do for want of memory is STATUS_NOMEM; what it could not find out is in its finding.
 */
#ifndef ASSAY_JUDGE_CHECKS_H
#define ASSAY_JUDGE_CHECKS_H

#include "judge/forged.h"
#include "judge/judge.h"
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
    bool sealing;               /* `set arc.seal` wants this mail sealed, and the body's hash is being made */
    struct dkim_bodyhash *body; /* for the fleet's proof; NULL: nobody needs it */
    int body_number;
    struct classes classes;
};

/* The client's address is known: SPF, reverse name. */
void checks_start_client(struct judge *j);
/* The header section is complete: From, DMARC's walk, keys. */
enum status checks_start_header(struct judge *j) MUST_CHECK;
/* Whether an SPF pass says anything: a record that lets everybody send, or more addresses than the policy takes, proves
 * nothing of the sender. */
bool checks_spf_counts(const struct judge *j, const struct spf_finding *f);
/* All answers; fills the report but for its facts. */
enum status checks_end(struct judge *j) MUST_CHECK;

/* Report and mail -> facts (facts.c). Asks DNS at most whether the From domain says that it sends nothing. */
enum status facts_fill(struct judge *j) MUST_CHECK;
/* Of it: authors, signatures and the DNSSEC state of the senders' answers (facts_authors.c). */
enum status facts_fill_authors(struct judge *j) MUST_CHECK;
/* Only source, client and tls: what is known at RCPT. */
enum status facts_fill_early(struct judge *j) MUST_CHECK;

#endif
