// SPDX-License-Identifier: BSD-2-Clause
/*
 * mail.h - everything known of one message before anything is judged: who sent it, by which way, to whom, and what it
 * looks like.
 *
 * Filled by the milter as the MTA tells it, or by `assay verify` from its options. All texts live in the message's
 * arena. Texts marked hostile are as the sender wrote them: show them escaped (base/utf8.h).
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
    const char *domain;  /* kept; NULL where it has none */
};

/* What the MTA tells of the session's encryption; each NULL where it does not. Hostile but for version and cipher. */
struct mail_tls {
    const char *version; /* "TLSv1.3" */
    const char *cipher;
    unsigned bits;      /* 0: not told */
    const char *verify; /* Sendmail: {verify} */
    const char *cert_subject;
    const char *cert_issuer;
    /* digest of the client's certificate. Sendmail: {cert_fp}; Postfix: by policy delegation */
    const char *cert_fingerprint;
    const char *cert_public_key; /* digest of its public key; Postfix only, by policy delegation */
    bool cert_told;              /* the MTA would have told of a certificate */
};

struct judge_mail {
    const char *queue_id; /* NULL: the MTA gave none (yet) */
    enum judge_source source;
    struct ip peer;   /* who connected to our MTA; family 0: nobody did */
    struct ip client; /* whom address-based standards judge; behind a relay the one it got the mail from. Family 0: not
                         known */
    bool client_hidden;         /* behind a relay whose Received line could not be read */
    const char *client_why;     /* how the client was found behind a relay, or why it was not; NULL: no relay */
    const char *peer_name;      /* the MTA's name of the peer; hostile */
    const char *helo;           /* as sent; hostile; NULL: none */
    const char *helo_domain;    /* kept; NULL where HELO is no host name */
    const char *mail_from_text; /* as sent, with what the MTA left of it; hostile */
    struct mailbox mail_from;   /* parsed once, here and nowhere else */
    bool mail_from_bad;         /* it is no path by RFC 5321: then it counts as nobody's */
    bool null_sender;
    bool smtputf8;
    const char *auth_user; /* login of an authenticated client; NULL: none */
    const char *daemon;    /* the MTA's name of the listener */
    unsigned port;         /* of the listener; 0: not told */
    struct mail_tls tls;
    struct mail_rcpt *rcpts;
    size_t rcpt_count, rcpt_room;
    struct header_list headers;
    struct format_body body;
    uint64_t body_octets;
    time_t at; /* when it came; everything is judged as of then */
};

void mail_init(struct judge_mail *m, struct arena *a, time_t at);

/* HELO and MAIL FROM as the MTA hands them over. STATUS_NOMEM only: what is no address is noted in the mail. */
enum status mail_set_helo(struct judge_mail *m, struct arena *a, const char *helo) MUST_CHECK;
enum status mail_set_from(struct judge_mail *m, struct arena *a, const char *path, bool smtputf8) MUST_CHECK;

/* One more recipient. One that is no path by RFC 5321 (the MTA took it, so it is somebody here) has no domain.
 * STATUS_LIMIT: more than LIMIT_RECIPIENTS. */
enum status mail_add_rcpt(struct judge_mail *m, struct arena *a, const char *path) MUST_CHECK;

/* Whether mail that the listener of that name takes in is looked at at all. What `listener NAME as unjudged` names was
 * judged before: no field of the first judgement must be taken for forged. NULL: the MTA has told no name. */
bool mail_listener_is_judged(const struct policy *p, const char *listener);

/* What can be said of the source from the connection and its log-in alone. no_smtp: the MTA's own command handed it in.
 */
enum judge_source mail_source(const struct judge_mail *m, const struct policy *p, bool no_smtp);

/* Message-ID, folds undone, without blanks; empty where there is none. Hostile. */
struct slice mail_message_id(const struct judge_mail *m, struct arena *a);

#endif
