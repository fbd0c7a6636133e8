// SPDX-License-Identifier: BSD-2-Clause
/*
 * session.h - the state of one SMTP connection and of its current message. No libmilter here: callbacks copy data into
 * it, and tests fill it by hand.
 *
 * Life: session_new at connect, session_mail at each MAIL, session_end at the end of a message, at abort and at the
 * next MAIL, session_free at close. A session belongs to one thread at a time. Every callback gets its session through
 * session_of(), which rejects a wrong pointer.
 */
#ifndef ASSAY_MILTER_SESSION_H
#define ASSAY_MILTER_SESSION_H

#include "judge/judge.h"
#include <stdbool.h>
#include <stdint.h>

#define SESSION_MAGIC 0xa55a7e11u

/* Texts of the connection: each is a copy on the heap, or NULL. */
enum session_text {
    SESSION_PEER_NAME,
    SESSION_HELO,
    SESSION_DAEMON,
    SESSION_MTA_NAME,
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
    bool no_smtp;       /* mail from the MTA's own command: no client */
    unsigned port;      /* port of the listener; 0: not known */
    unsigned peer_port; /* port of the client; 0: not known */
    unsigned tls_bits;
    char *texts[SESSION_TEXTS];
    size_t text_octets;  /* in all of them */
    struct judge *judge; /* the current message; NULL between messages */
    int64_t began_ms;
    uint32_t split; /* which deferred mail this one is a part of; 0: none */
    unsigned split_class;
    unsigned wanted;   /* recipients that we accepted */
    bool refused_rcpt; /* we refused some recipients */
    bool cut;          /* the mail has more recipients than we keep */
    bool tester;       /* the client has proved to be `assay doctor` */
    bool testing;      /* the current message is doctor's test message */
};

struct session *session_new(void);
struct session *session_free(struct session *s); /* NULL is allowed; returns NULL */

/* Checks the pointer that a callback got: the session, or NULL if the pointer is not ours. */
struct session *session_of(void *p);

/* Copies a text of the connection; NULL and "" delete it. false: out of memory. */
bool session_set(struct session *s, enum session_text which, const char *text);

/* Begins a message under the current policy. STATUS_NOMEM, STATUS_AGAIN. */
enum status session_mail(struct session *s, const struct judge_host *host, const struct policy *p, const char *path,
                         bool smtputf8) MUST_CHECK;

/* Forgets the message, if there is one. */
void session_end(struct session *s);

/* Octets of the connection's texts, and in the arena of the current message. */
size_t session_used(const struct session *s, bool *in_message);

/* For the end of the program: from now on session_mail begins no message (STATUS_AGAIN). */
void session_stop(void);

/* The same; waits at most `seconds` until
 * no message is being judged. false: there still is one, and what it uses must not be freed. */
bool session_drain(unsigned seconds);

#endif
