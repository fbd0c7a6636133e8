// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy.h - the one policy file: read it, ask it, print it. Beside it, for other rooms: policy_settings.h (the
 * settings) and policy_live.h (the policy in force of a program that runs on).
 *
 * A struct policy is one reading of the file with all its lists and includes: immutable, so any number of threads may
 * ask it without a lock, and counted (policy_ref, policy_unref). It knows no mail and no DNS packet: callers ask with
 * names and addresses, and get a level, an action and the statement that decided. The language is described in
 * assay-policy(5).
 *
 * Precedence, for one standard and one subject: `always` statements first; then the more specific
 * WHOM (the recipients), then the more specific WHO (the senders: domain before network; longest name, longest prefix;
 * `only` before the same name), then the later line. An exemption wins, unless the statement is more specific than it
 * in WHOM or WHO. No statement at all: POLICY_RECORD.
 */
#ifndef ASSAY_POLICY_POLICY_H
#define ASSAY_POLICY_POLICY_H

#include "base/buf.h"
#include "base/ip.h"
#include "base/standard.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum policy_level { POLICY_IGNORE, POLICY_RECORD, POLICY_FOLLOW, POLICY_REQUIRE };

/* In order of severity: the most severe of a message's actions is done. */
enum policy_action {
    POLICY_DELIVER, /* nothing is done */
    POLICY_TAG,     /* headers only */
    POLICY_QUARANTINE,
    POLICY_HOLD,
    POLICY_DEFER,
    POLICY_REJECT,
};

#define POLICY_TLS_FLOOR 12 /* TLS 1.2, where no version is written: older ones must not be used (RFC 8996) */

enum policy_kind {
    POLICY_RULE,       /* ignore, record, follow, require: of mail */
    POLICY_NAMES_RULE, /* the same levels for names that the resolver is asked for; dnssec only */
    POLICY_EXEMPT,
    POLICY_SUSPEND, /* suspend validation */
    POLICY_TRUST,
    POLICY_OWN,
    POLICY_RELAY,
    POLICY_SUBMISSION,
    POLICY_LISTENER,
    POLICY_LIST,
    POLICY_INCLUDE,
    POLICY_SET,
    POLICY_TITLE,
};

enum policy_party_kind {
    POLICY_PARTY_NONE,
    POLICY_EVERYONE, /* and `every name` */
    POLICY_NETWORK,
    POLICY_DOMAIN,  /* it and all below */
    POLICY_ONLY,    /* it alone */
    POLICY_ADDRESS, /* one recipient */
    POLICY_IN_LIST,
    POLICY_SUBMITTERS, /* `of submission` */
};

struct policy_party {
    enum policy_party_kind kind;
    const char *name; /* canonical domain name, address (domain kept), or the list's name */
    struct ip_net net;
};

/* How mail that comes in by a listener is taken. */
enum policy_listener_manner {
    POLICY_AS_USUAL,      /* by client, port and log-in */
    POLICY_AS_SUBMISSION, /* from our own users */
    POLICY_AS_RELAY,      /* through a relay of ours: the client is the one in the topmost Received line */
    POLICY_AS_UNJUDGED,   /* not looked at: judged before, as what a content filter hands back */
};
const char *policy_listener_manner_name(enum policy_listener_manner m); /* "" of POLICY_AS_USUAL */

struct policy_listener {
    enum policy_listener_manner as;
    const char *mode, *when_unsure; /* instead of the settings of these names; NULL: as they are */
};

/* One statement as written. All texts live as long as the policy. */
struct policy_statement {
    enum policy_kind kind;
    const char *id; /* short and unique within one policy: "L14" (line 14 of the main file), "I2.L5" (second include) */
    const char *file;
    unsigned line;         /* of its first word, from 1 */
    const char *text;      /* canonical form, one line */
    const char *because;   /* NULL if there is none */
    const char *agreed_by; /* of exempt, suspend, trust */
    const char *ref;
    time_t until; /* first second after the `through` day, local time; 0: no end */
    time_t since; /* first second of the `since` day, local time; 0: not said */

    /* Its parts. Parts that a kind does not have are zero. */
    enum policy_level level;   /* of rules */
    enum policy_action action; /* of rules: as written, or the default of the first standard */
    bool action_written;
    bool always, trial, strictly, as_published, own_from;
    bool except_bounces;   /* require dmarc: not of notifications from the null sender */
    bool tightens;         /* stands in a file included with `may tighten` */
    unsigned tls_version;  /* 0, 12, 13 */
    uint32_t standards;    /* bits POLICY_BIT(STANDARD_...) */
    const char *peer_text; /* "text for the peer", or NULL */
    struct policy_party who,
        whom;                 /* `of WHO`, `exempt WHO`, `trust DOMAIN`; `writing to WHOM` (kind NONE: to everybody) */
    struct policy_party via;  /* NETWORK or NONE */
    const char *signed_by;    /* canonical domain name, or NULL */
    const char *name;         /* list: its name; set: the setting; include: the file; title: the title */
    const char *value;        /* list: its file; set: the value; title: the owner */
    const char *const *items; /* own, relay, submission, listener: each name or network or port, in canonical text */
    size_t item_count;
    struct policy_listener listener;
};

/* Whom a statement is about, in canonical words: WHO, `writing to`, `via`, `signed by`. Two exceptions of the same
 * kind, standard and scope are the same exception, agreed anew: reasons and dates are no part of it. unicode: names
 * as U-labels, for people. */
void policy_scope(const struct policy_statement *s, bool unicode, struct buf *out);

#define POLICY_BIT(standard) (UINT32_C(1) << (standard))

/* ---- reading ---- */

struct policy;
struct policy_report; /* what was wrong or doubtful, with places; see below */

/* Reads the file and everything it names. NULL when there is any error; the report (may be NULL) then has them all.
 * A file that `may tighten` and is bad (errors, a FIFO, a device, a link to somebody else's) is left out, with
 * warnings. */
struct policy *policy_load(const char *path, struct policy_report *report);

/* As policy_load, from text; `name` stands for the file in messages. Relative lists and includes are taken from the
 * current directory. */
struct policy *policy_load_text(struct slice text, const char *name, struct policy_report *report);

/* As policy_load, as if one of its files (the main one or one it includes) held `text` instead: to test a change before
 * it is made. Nothing is written. A `file` that the policy does not read changes nothing. */
struct policy *policy_load_with(const char *path, const char *file, struct slice text, struct policy_report *report);

const struct policy *policy_ref(const struct policy *p);
void policy_unref(const struct policy *p); /* NULL is allowed */

/* Short hash of what was read (file, lists, includes): 8 hex digits. In every log line. */
const char *policy_hash(const struct policy *p);
const char *policy_title(const struct policy *p); /* "" if there is none */
const char *policy_owner(const struct policy *p);
time_t policy_loaded_at(const struct policy *p);

/* ---- messages ---- */

enum policy_severity { POLICY_NOTE, POLICY_WARNING, POLICY_ERROR };

struct policy_message {
    enum policy_severity severity;
    const char *file;
    unsigned line, column; /* from 1; line 0: about the file as a whole */
    unsigned length;       /* columns to underline, at least 1 */
    const char *text;      /* what is wrong */
    const char *help;      /* what would be right, or NULL */
    const char *source;    /* the line, made visible and cut to a window round the place, or NULL */
    unsigned caret;        /* columns of `source` before the place */
    unsigned caret_length; /* columns of `source` to underline, at least 1 */
};

struct policy_report *policy_report_new(void);
struct policy_report *policy_report_free(struct policy_report *r);
size_t policy_report_count(const struct policy_report *r, enum policy_severity at_least);
const struct policy_message *policy_report_at(const struct policy_report *r, size_t i); /* NULL at the end */

/* Tells whether the file that was read, with errors or without, says `set log.format json`: a daemon that cannot start
 * says why in the form that its log has. r may be NULL. */
bool policy_report_wants_json(const struct policy_report *r);

/* "FILE:LINE:COL: TEXT; help: HELP", without a line end: for logs. */
void policy_message_line(const struct policy_message *m, struct buf *out);

/* Passes "policy error: LINE" of each error to `say`, the log of the program. */
void policy_report_log_errors(const struct policy_report *r, void (*say)(const char *fmt, ...) PRINTF_LIKE(1, 2));

/* "FILE:LINE:COL: error: TEXT", the line with a caret below, "help: ..." */
void policy_message_print(const struct policy_message *m, struct buf *out);

/* All messages of that severity and above, in their order. r may be NULL. */
void policy_report_print(const struct policy_report *r, enum policy_severity at_least, struct buf *out);

/* ---- asking ---- */

/* Whose statements are asked. A customer's file that may only tighten never takes the place of what the operator asks:
 * of the two answers each outcome gets the more severe action. */
enum policy_whose {
    POLICY_WHOSE_BOTH, /* the customer's where it asks more in some outcome and less in none, else the operator's */
    POLICY_WHOSE_OPERATOR,
    POLICY_WHOSE_CUSTOMER, /* no statement: the recipient's file says nothing of it */
};

struct policy_question {
    enum standard standard;
    bool names;      /* the resolver's question (dnssec of names); else mail */
    const char *who; /* canonical domain name whose name WHO is (table in assay-policy(5)), or NULL */
    /* the client's address, for standards that are also asked of networks (tls, rdns; dmarc where who is NULL: whether
       a statement names the client's network, which is a ground to reject by p=reject), or NULL */
    const struct ip *who_ip;
    const char *rcpt;           /* recipient address as given at RCPT, or NULL: statements "writing to" do not apply */
    time_t at;                  /* the time to judge as of; 0: now */
    const struct ip *client;    /* for `via`; NULL: unknown, then an exemption with via does not apply */
    const char *const *signers; /* canonical domain name with a valid signature on this mail, for `signed by` */
    size_t signer_count;
    enum policy_whose whose;
    bool no_exemptions; /* as if there were none */
    bool own_from; /* the rule of submission (`require own-from of submission`): standard and who are not looked at;
                      none: POLICY_IGNORE */
};

/* Why a statement that applies to the subject did not decide. */
enum policy_beaten_by {
    POLICY_BEATEN_ALWAYS,
    POLICY_BEATEN_WHOM,
    POLICY_BEATEN_WHO,
    POLICY_BEATEN_LATER,
    POLICY_BEATEN_EXEMPTION,
    POLICY_BEATEN_EXPIRED,
    POLICY_BEATEN_EVIDENCE,
    POLICY_BEATEN_MAY_ONLY_TIGHTEN, /* asks no more than the operator does */
    POLICY_BEATEN_NEEDLESS          /* an exemption if nothing above its level is asked */
};

#define POLICY_BEATEN_MAX 16 /* statements that are named as beaten; the best ones, our own limit */
struct policy_beaten {
    const struct policy_statement *statement;
    enum policy_beaten_by why;
};

struct policy_answer {
    enum policy_level level; /* after an exemption */
    /* when what `level` wants is not met: as written, or the standard's default */
    enum policy_action action;
    bool action_written; /* an `otherwise` stands in the statement */
    bool trial;          /* judge, log "would have", act on nothing */
    bool always;
    bool strictly;                            /* names: CNAME targets too */
    bool as_published;                        /* follow dmarc as published */
    bool except_bounces;                      /* require dmarc ... except bounces */
    unsigned tls_version;                     /* 0, 12, 13: lowest version asked for; 0: POLICY_TLS_FLOOR */
    const char *text;                         /* "text for the peer", or NULL */
    const struct policy_statement *statement; /* the one that decided; NULL: none applies */
    const struct policy_statement *also;      /* WHOSE_BOTH: a customer's, which asks more in some outcomes only */
    const struct policy_statement *exemption; /* the one that lowered the level, or NULL */
    const struct policy_statement *expired;   /* an ended exemption that would have, or NULL */
    size_t beaten_count;                      /* the first POLICY_BEATEN_MAX of those that did not decide */
    struct policy_beaten beaten[POLICY_BEATEN_MAX];
};

/* Pure. No allocation. Any thread. */
void policy_ask(const struct policy *p, const struct policy_question *q, struct policy_answer *a);

/* Tells whether any customer's file tightens this policy. */
bool policy_has_customers(const struct policy *p);

/* Tells whether the policy has rules for single recipients. */
bool policy_differs_by_rcpt(const struct policy *p);

/* Tells whether the answer to RCPT may depend on this policy: it follows or requires TLS, has rules for single
 * recipients, or leaves a listener unjudged. Otherwise every recipient is accepted, and the policy is applied at the
 * mail's end. */
bool policy_decides_at_rcpt(const struct policy *p);

/* Tells whether a customer's statement asks more than the operator's do in no outcome, for the senders and the
 * recipient it names: it then does nothing. instead (may be NULL): the operator's statement that asks as much. False
 * where that cannot be told from the statement alone (lists, networks). */
bool policy_tightens_nothing(const struct policy *p, const struct policy_statement *s, enum standard standard,
                             time_t at, const struct policy_statement **instead);

/* The `trust` statement that makes this domain a forwarder for this recipient (NULL: any) from this client (NULL:
 * unknown), or NULL. */
const struct policy_statement *policy_trusted(const struct policy *p, const char *domain, const char *rcpt,
                                              const struct ip *client, time_t at);

/* Tells whether any statement of the policy suspends validation, in force or not. */
bool policy_suspends(const struct policy *p);

/* The `suspend validation` that covers this name now, or NULL. */
const struct policy_statement *policy_suspended(const struct policy *p, const char *domain, time_t at);

/* The exemption from dnssec that covers this name in the resolver's questions now, whether a statement asks more of the
 * name or not; NULL: none. */
const struct policy_statement *policy_exempt_name(const struct policy *p, const char *domain, time_t at);

bool policy_is_own_domain(const struct policy *p, const char *domain); /* itself or below */
bool policy_is_own_network(const struct policy *p, const struct ip *a);
bool policy_is_relay(const struct policy *p, const struct ip *a);
bool policy_is_submission(const struct policy *p, unsigned port, bool authenticated);

/* What the policy says of the MTA's listener of this name (as written; NULL, "": the MTA told none), or NULL. The
 * other two: its mode and its when-unsure, or what is set for all. */
const struct policy_statement *policy_listener(const struct policy *p, const char *name);
bool policy_dry_run(const struct policy *p, const char *listener);
bool policy_defers_unsure(const struct policy *p, const char *listener);

/* Every statement in order; i from 0, NULL at the end. */
const struct policy_statement *policy_statement_at(const struct policy *p, size_t i);

/* A list by its name: how many entries it holds, and its file. STATUS_MISSING if there is no list of that name. */
enum status policy_list(const struct policy *p, const char *name, size_t *entries, const char **file) MUST_CHECK;

/* The entries of a list in the order of its file, as text; *at from 0. false at the end, or if there is no such
 * list. */
#define POLICY_ENTRY_TEXT 256
bool policy_list_next(const struct policy *p, const char *name, size_t *at, char out[POLICY_ENTRY_TEXT]);

/* Whether the list holds the canonical domain or one above it. false if there is no such list. */
bool policy_list_has(const struct policy *p, const char *name, const char *domain);

/* Octets of memory the policy takes beside the texts of its lists (for the bench and for `assay policy status`). */
size_t policy_memory(const struct policy *p, size_t *list_text);

/* The action where the statement says none (the table of standards in assay-policy(5)). own_from: of `require
 * own-from`. */
enum policy_action policy_default_action(enum standard s, enum policy_level l);

/* A day in local time, as the policy writes it: 0 for what is no ISO 8601 date. The first second of the day `days`
 * after it. */
time_t policy_day(struct slice text, int days);
#define POLICY_DAY_TEXT 16
const char *policy_day_text(time_t t, char out[POLICY_DAY_TEXT]); /* "2027-03-31", local time */

/* The rules about one standard (names: of the resolver), in the order they are tried: the first that matches decides.
 * *out is an array of that many that the caller frees. A list is placed where its most specific entry would be. */
size_t policy_order(const struct policy *p, unsigned standard, bool names, const struct policy_statement ***out);

const char *policy_level_name(enum policy_level l);
const char *policy_action_name(enum policy_action a);

#endif
