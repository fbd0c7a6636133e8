// SPDX-License-Identifier: BSD-2-Clause
/*
 * judge.h - the way from a message to its verdict, with no MTA in it: assay-milter and `assay verify` both go it.
 *
 *     j = judge_new(&host, policy, 0);
 *     fill judge_mail(j): peer, HELO, MAIL FROM, recipients, source
 *     judge_envelope(j)           names are known and somebody wants the mail: DNS is asked, nobody waits
 *     judge_header(j, ...)        each field
 *     judge_headers_end(j)        From is read, signatures are, keys and DMARC's walk are asked for
 *     judge_body(j, ...)          pieces
 *     judge_end(j)                answers are awaited; the report is complete
 *     judge_verdicts(j, paused)   what the policy makes of it, for each class of recipients (may be called again, after
 *                                 judge_report(j)->facts has got unsure_since)
 *     judge_free(j)
 *
 * Ownership: everything handed out lives until judge_free. Threads: one judge belongs to one thread at a time; struct
 * judge_host and what it points to are shared by all. Failure: STATUS_NOMEM when the message's arena is used up
 * (LIMIT_MESSAGE_ARENA), STATUS_LIMIT where a named limit is passed. The mail is then not judged: the caller defers it,
 * or refuses it where judge_refusal() says why it can never be.
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

/* What all messages of a process share. */
struct judge_host {
    struct dns *dns;
    struct quota *quota;     /* what each client network may cost; NULL: no cap */
    const char *name;        /* this host, for the journal and SPF's %{r} */
    const char *authserv_id; /* in Authentication-Results, where the policy sets none */
    /* Whether the ledger has seen the domain sign all its mail (design section 5); NULL: not known. Any thread. */
    bool (*knows_signer)(void *context, const char *domain);
    void *context;
    struct prober *prober;         /* judge/prober.h; NULL: nothing is probed */
    const struct engines *engines; /* NULL: our own SPF and DKIM engines */
};

/* One whom the message is from, or may be taken to be from (RFC 9989 11.5). */
struct judge_author {
    const char *domain; /* NULL: an address without a domain name; dmarc is permerror then */
    struct dmarc_finding dmarc;
};

/* What the engines said of one message. */
struct judge_report {
    bool judged; /* false: the source is one that is not judged; only `format` and `facts.source` are set */
    struct format_finding format;
    struct spf_finding spf;  /* MAIL FROM (of the null sender: postmaster at HELO) */
    struct spf_finding helo; /* the HELO name by itself */
    const struct dkim_signature *dkim;
    size_t dkim_count;
    size_t dkim_fields; /* DKIM-Signature fields in the message, listed or not */
    struct arc_finding arc;
    struct dmarc_finding dmarc;   /* of the message: its one author's, or what the authors' findings come to */
    struct judge_author *authors; /* each author or candidate by itself, in the order of facts.authors */
    size_t author_count;
    bool dmarc_compared; /* dmarc is the RFC 7489 way (set dmarc.psl yes), and there is one From domain: */
    /* what RFC 9989's walk makes of it, for comparison only; nothing is decided by it */
    struct dmarc_finding dmarc_by_walk;
    const struct dmarc_identifier *identifiers; /* what was handed to DMARC, in the order of dmarc.aligned */
    size_t identifier_count;
    struct rdns_finding rdns;
    enum limit_kind spf_limit, rdns_limit; /* of temperror: the bound of ours that kept it from being found out */
    struct facts facts;
    const char *seal_problem;  /* why a mail that should be sealed (`set arc.seal`) was not; NULL: nothing is wrong */
    const char *fleet_problem; /* why no proof for our fleet could be made; NULL: nothing is wrong */
    int64_t waited_ms;         /* in judge_end */
};

struct judge;

/* bound: of the message's arena; 0: LIMIT_MESSAGE_ARENA. The policy is counted. NULL when memory is out. */
struct judge *judge_new(const struct judge_host *host, const struct policy *policy, size_t bound);
struct judge *judge_free(struct judge *j); /* NULL is fine; returns NULL */

struct arena *judge_arena(struct judge *j);
struct judge_mail *judge_mail(struct judge *j);
const struct policy *judge_policy(const struct judge *j);
/* Our name in Authentication-Results: `set authserv-id`, or the host's. */
const char *judge_authserv_id(const struct judge *j);
struct judge_report *judge_report(struct judge *j);
const struct dns_scope *judge_scope(const struct judge *j); /* the trace of all answers; NULL before judge_envelope */
const struct relay_client *judge_relay(const struct judge *j); /* NULL: not behind a relay */

enum status judge_envelope(struct judge *j) MUST_CHECK;
enum status judge_header(struct judge *j, struct slice name, struct slice value) MUST_CHECK;
enum status judge_headers_end(struct judge *j) MUST_CHECK;
/* crlf: the lines of the body are known to end in CRLF. */
void judge_body(struct judge *j, struct slice piece, bool crlf);
enum status judge_end(struct judge *j) MUST_CHECK;

/* Memory for what is said about one recipient before content crosses: emptied and given anew at each call, so that ten
 * thousand recipients cost no more than one. NULL: there is none. */
struct arena *judge_early_arena(struct judge *j);

/* tls, for one recipient, before content crosses. *out lives until judge_early_arena() is called again. paused: why
 * enforcement is off for now, or NULL. */
enum status judge_early(struct judge *j, const char *rcpt, const char *paused, struct verdict *out) MUST_CHECK;
enum status judge_verdicts(struct judge *j, const char *paused, const struct classes **out) MUST_CHECK;

/* Whether somebody still wants the body's octets; false: pieces need not be handed in. */
bool judge_wants_body(const struct judge *j);

#endif
