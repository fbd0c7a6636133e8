// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail.h - everything known about one message before it is judged: who sent it, on which way, to whom, and its header.
 *
 * The milter fills it from what the MTA tells, `assay verify` from its options. All texts live in the message's arena.
 * Texts marked hostile are as the sender wrote them: show them escaped (base/utf8.h).
 */
#ifndef ASSAY_JUDGE_MAIL_H
#define ASSAY_JUDGE_MAIL_H

#include "base/arena.h"
#include "base/ip.h"
#include "judge/facts.h"
#include "standards/message/format.h"
#include "standards/message/header.h"
#include "standards/message/mailaddr.h"
#include <stdint.h>

struct policy;

struct mail_rcpt {
    const char *address; /* as given at RCPT, without angle brackets; hostile */
    const char *domain;  /* in canonical form; NULL if it has none */
};

/* What the MTA tells about the session's encryption; each is NULL if it does not. All hostile except version and
 * cipher. */
struct mail_tls {
    const char *version; /* "TLSv1.3" */
    const char *cipher;
    unsigned bits;      /* 0: not known */
    const char *verify; /* Sendmail: {verify} */
    const char *cert_subject;
    const char *cert_issuer;
    /* digest of the client's certificate. Sendmail: {cert_fp}; Postfix: by policy delegation */
    const char *cert_fingerprint;
    const char *cert_public_key; /* digest of its public key; Postfix only, by policy delegation */
    bool cert_told;              /* the MTA reports certificates: an empty field means that there was none */
};

struct judge_mail {
    const char *queue_id; /* NULL: the MTA gave none (yet) */
    enum judge_source source;
    struct ip peer;             /* who connected to our MTA; family 0: nobody */
    struct ip client;           /* address that SPF judges; behind a relay, whom it got the mail from */
    bool client_hidden;         /* behind a relay whose Received line could not be read */
    const char *client_why;     /* how the client was found behind a relay, or why it was not; NULL: no relay */
    const char *peer_name;      /* the MTA's name of the peer; hostile */
    const char *helo;           /* as sent; hostile; NULL: none */
    const char *helo_domain;    /* in canonical form; NULL if HELO is not a host name */
    const char *mail_from_text; /* as sent, with what the MTA left of it; hostile */
    struct mailbox mail_from;   /* parsed once, here and nowhere else */
    bool mail_from_bad;         /* it is not a path by RFC 5321: it names no sender */
    bool null_sender;
    bool smtputf8;
    const char *auth_user; /* login of an authenticated client; NULL: none */
    const char *daemon;    /* the MTA's name of the listener */
    const char *mta_name;  /* the MTA's name for itself, canonical; NULL: not told */
    unsigned port;         /* of the listener; 0: not known */
    struct mail_tls tls;
    struct mail_rcpt *rcpts;
    size_t rcpt_count, rcpt_room;
    struct header_list headers;
    struct format_body body;
    uint64_t body_octets;
    struct slice body_head; /* the first octets of the body, if the header shows a sign of a report (report_mail.h) */
    bool to_rua;            /* a published DMARC record names a recipient for reports (report_mail.h) */
    time_t at;              /* time of arrival; everything is judged as of then */
};

void mail_init(struct judge_mail *m, struct arena *a, time_t at);

/* HELO and MAIL FROM as the MTA hands them over. STATUS_NOMEM only: a bad address is noted in the mail. */
enum status mail_set_helo(struct judge_mail *m, struct arena *a, const char *helo) MUST_CHECK;
enum status mail_set_from(struct judge_mail *m, struct arena *a, const char *path, bool smtputf8) MUST_CHECK;

/* Adds a recipient. If it is not a path by RFC 5321 (the MTA accepted it, so it exists here) it has no domain.
 * STATUS_LIMIT: more than LIMIT_RECIPIENTS. */
enum status mail_add_rcpt(struct judge_mail *m, struct arena *a, const char *path) MUST_CHECK;

/* Tells whether mail from the listener of that name is examined at all. What `listener NAME as unjudged` names was
 * judged before: no field of the first judgement must be taken for forged. NULL: the MTA has told no name. */
bool mail_listener_is_judged(const struct policy *p, const char *listener);

/* The source, as far as connection and log-in tell it. no_smtp: the MTA's own command submitted the mail.
 */
enum judge_source mail_source(const struct judge_mail *m, const struct policy *p, bool no_smtp);

/* Message-ID, folds undone, without blanks; empty if there is none. Hostile. */
struct slice mail_message_id(const struct judge_mail *m, struct arena *a);

#endif
