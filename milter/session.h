// SPDX-License-Identifier: BSD-2-Clause
/*
 * session.h - the state of one SMTP connection and of the message on its way in it. No libmilter here: what it holds
 * was copied out of callbacks, and tests drive it by hand.
 *
 * Life: session_new at connect, session_mail at each MAIL, session_end at the end of a message, at abort and at the
 * next MAIL, session_free at close. A session belongs to one thread at a time. Every callback gets its session through
 * session_of(), which stops a wrong pointer at the door.
 */
#ifndef ASSAY_MILTER_SESSION_H
#define ASSAY_MILTER_SESSION_H

#include "judge/judge.h"
#include <stdbool.h>
#include <stdint.h>

#define SESSION_MAGIC 0xa55a7e11u

/* Texts of the connection, each a copy on the heap or NULL. */
enum session_text {
    SESSION_PEER_NAME,
    SESSION_HELO,
    SESSION_DAEMON,
    SESSION_TLS_VERSION,
    SESSION_TLS_CIPHER,
    SESSION_TLS_VERIFY,
    SESSION_CERT_SUBJECT,
    SESSION_CERT_ISSUER,
    SESSION_CERT_FINGERPRINT,
    SESSION_AUTH,
    SESSION_TEXTS,
};

struct session {
    uint32_t magic;
    struct ip peer;
    bool no_smtp;       /* the MTA's own command, no client */
    unsigned port;      /* of the listener; 0: not told */
    unsigned peer_port; /* of the client's end; 0: not told */
    unsigned tls_bits;
    char *texts[SESSION_TEXTS];
    struct judge *judge; /* the message on its way; NULL between messages */
    int64_t began_ms;
    uint32_t split; /* which put-off mail this one is a part of; 0: none */
    unsigned split_class;
    unsigned wanted;   /* recipients accepted */
    bool refused_rcpt; /* some were refused by us */
    bool tester;       /* the other end has proved to be `assay doctor` */
    bool testing;      /* the message is its test message */
};

struct session *session_new(void);
struct session *session_free(struct session *s); /* NULL is fine; returns NULL */

/* The session behind a pointer that a callback got, or NULL where it is none of ours. */
struct session *session_of(void *p);

/* Copies a text of the connection; NULL and "" forget it. false: out of memory. */
bool session_set(struct session *s, enum session_text which, const char *text);

/* Begins a message under the policy in force. STATUS_NOMEM, STATUS_AGAIN. */
enum status session_mail(struct session *s, const struct judge_host *host, const struct policy *p, const char *path,
                         bool smtputf8) MUST_CHECK;

/* Forgets the message, if there is one. */
void session_end(struct session *s);

/* The program is to end: session_mail begins no message any more (STATUS_AGAIN); waits until none is on its way, at
 * most `seconds`. false: there still is one, and what it uses must not be freed. */
bool session_drain(unsigned seconds);

#endif
