// SPDX-License-Identifier: BSD-2-Clause
/*
 * judge.h - judges one message, without an MTA: both assay-milter and `assay verify` use it.
 *
 *     j = judge_new(&host, policy, 0);
 *     fill judge_mail(j): peer, HELO, MAIL FROM, recipients, source
 *     judge_envelope(j)           names are known and a recipient is accepted: asks DNS, does not wait
 *     judge_header(j, ...)        each field
 *     judge_headers_end(j)        reads From and signatures, asks for keys and DMARC records
 *     judge_body(j, ...)          pieces
 *     judge_end(j)                waits for the answers; then the report is complete
 *     judge_verdicts(j, paused)   the verdict for each class of recipients (may be called again, after
 *                                 judge_report(j)->facts has got unsure_since)
 *     judge_free(j)
 *
 * Ownership: everything returned lives until judge_free. Threads: one judge belongs to one thread at a time; struct
 * judge_host and what it points to are shared by all. Failure: STATUS_NOMEM when the message's arena is used up
 * (LIMIT_MESSAGE_ARENA), STATUS_LIMIT if a named limit is exceeded. The mail is then not judged: the caller defers it,
 * or refuses it if judge_refusal() says why it can never be judged.
 */
#ifndef ASSAY_JUDGE_JUDGE_H
#define ASSAY_JUDGE_JUDGE_H

#include "dns/dns.h"
#include "judge/classes.h"
#include "judge/engine.h"
#include "judge/facts.h"
#include "judge/mail.h"
#include "judge/quota.h"
#include "policy/policy.h"
#include "standards/arc/arc_check.h"
#include "standards/dkim/dkim_check.h"
#include "standards/dmarc/dmarc.h"
#include "standards/rdns.h"
#include "standards/spf/spf.h"

/* What all messages in a process share. */
struct judge_host {
    struct dns *dns;
    struct quota *quota;     /* limits each client network's look-ups; NULL: no limit */
    const char *name;        /* this host, for the journal and SPF's %{r} */
    const char *authserv_id; /* in Authentication-Results, unless the policy sets it */
    /* Tells whether the ledger has seen the domain sign all its mail; NULL: not known. Any thread.
     *  */
    bool (*knows_signer)(void *context, const char *domain);
    void *context;
    struct prober *prober;         /* judge/prober.h; NULL: nothing is probed */
    const struct engines *engines; /* NULL: our own SPF and DKIM engines */
};

/* An author of the message, or a possible one (RFC 9989 11.5). */
struct judge_author {
    const char *domain; /* NULL: an address without a domain name; dmarc is permerror then */
    struct dmarc_finding dmarc;
};

/* What the engines said of one message. */
struct judge_report {
    bool judged; /* false: mail from this source is not judged; only `format` and `facts.source` are set */
    struct format_finding format;
    struct spf_finding spf;  /* MAIL FROM (of the null sender: postmaster at HELO) */
    struct spf_finding helo; /* the HELO name by itself */
    const struct dkim_signature *dkim;
    size_t dkim_count;
    size_t dkim_fields; /* number of DKIM-Signature fields in the message, listed or not */
    struct arc_finding arc;
    struct dmarc_finding dmarc;   /* of the message: its one author's, or the combined finding of all authors */
    struct judge_author *authors; /* each author or candidate by itself, in the order of facts.authors */
    size_t author_count;
    bool dmarc_compared; /* dmarc is the RFC 7489 way (set dmarc.psl yes), and there is one From domain: */
    /* the result of RFC 9989's tree walk, for comparison only */
    struct dmarc_finding dmarc_by_walk;
    const struct dmarc_identifier *identifiers; /* what was handed to DMARC, in the order of dmarc.aligned */
    size_t identifier_count;
    struct rdns_finding rdns;
    enum limit_kind spf_limit, rdns_limit; /* for temperror: the bound of ours that kept it from being found out */
    struct facts facts;
    const char *seal_problem;  /* why a mail was not sealed although `set arc.seal` asks for it; NULL: no problem */
    const char *fleet_problem; /* why no fleet proof could be made; NULL: no problem */
    const char *fleet_doubt; /* why the verdict that a relay brought is not believed; NULL: it is, or it brought none */
    int64_t waited_ms;       /* time spent waiting in judge_end */
};

struct judge;

/* bound: size limit of the message's arena; 0: LIMIT_MESSAGE_ARENA. Takes a reference to the policy. NULL if memory ran
 * out. */
struct judge *judge_new(const struct judge_host *host, const struct policy *policy, size_t bound);
struct judge *judge_free(struct judge *j); /* NULL is allowed; returns NULL */

struct arena *judge_arena(struct judge *j);
struct judge_mail *judge_mail(struct judge *j);
const struct policy *judge_policy(const struct judge *j);
/* Our name in Authentication-Results: `set authserv-id`, else the MTA's name for itself, else the host's. */
const char *judge_authserv_id(const struct judge *j);
struct judge_report *judge_report(struct judge *j);
const struct dns_scope *judge_scope(const struct judge *j); /* the trace of all answers; NULL before judge_envelope */
const struct relay_client *judge_relay(const struct judge *j); /* NULL: not behind a relay */

/* For a caller that may not wait, before judge_envelope(): if answers are lacking, judge_end() returns STATUS_AGAIN and
 * judge_waits() is true; call it again after `arrived` was called, or when a look-up may be overdue. Only the call that
 * does not wait fills the report. arrived: by any thread, until judge_free(); it may not call back. */
void judge_no_wait(struct judge *j, void (*arrived)(void *context), void *context);
bool judge_waits(const struct judge *j);

/* Tells whether an answer from DNS has not arrived yet. False before judge_envelope(). */
bool judge_asks_dns(const struct judge *j);

enum status judge_envelope(struct judge *j) MUST_CHECK;
enum status judge_header(struct judge *j, struct slice name, struct slice value) MUST_CHECK;
enum status judge_headers_end(struct judge *j) MUST_CHECK;
/* crlf: the caller knows that the body's lines end in CRLF. */
void judge_body(struct judge *j, struct slice piece, bool crlf);
enum status judge_end(struct judge *j) MUST_CHECK;

/* An arena for the early verdict on one recipient. Each call empties it and returns it again, so that ten thousand
 * recipients use no more memory than one. NULL: out of memory. */
struct arena *judge_early_arena(struct judge *j);

/* The verdict on one recipient before the message is sent: TLS only. *out lives until judge_early_arena() is called
 * again. paused: why enforcement is off for now, or NULL. */
enum status judge_early(struct judge *j, const char *rcpt, const char *paused, struct verdict *out) MUST_CHECK;
enum status judge_verdicts(struct judge *j, const char *paused, const struct classes **out) MUST_CHECK;

/* false: no check needs the rest of the body, so judge_body() need not be called any more. */
bool judge_wants_body(const struct judge *j);

#endif
