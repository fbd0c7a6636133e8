// SPDX-License-Identifier: BSD-2-Clause
/*
 * smtp_client.h - the unencrypted part of an SMTP session: connect, greeting, EHLO, STARTTLS. The TLS code then takes
 * over the socket: starttls.h with OpenSSL, check/tls_probe.h with octets of its own.
 *
 * One session, one thread. It connects to the address of the request and to no other, sends no MAIL, and ends by its
 * deadline.
 */
#ifndef ASSAY_NET_SMTP_CLIENT_H
#define ASSAY_NET_SMTP_CLIENT_H

#include "net/starttls.h"

#define SMTP_CLIENT_TEXT 1000 /* octets kept of the greeting and of the reply to EHLO; our own limit */

struct smtp_client {
    struct arena *arena;
    int fd;                        /* non-blocking; -1: none */
    int64_t deadline;              /* of clock_mono_ms */
    enum starttls_outcome outcome; /* of what failed */
    const char *reason;            /* words, made visible; never NULL */
    bool connected;                /* the host took the connection */
    const char *banner, *ehlo;     /* the replies, made visible; NULL: none came */
    char in[STARTTLS_MAX_REPLY];
    size_t have;
};

/* Connects and speaks SMTP until the server is ready for TLS. false: outcome and reason say why; close it all the
 * same. Of the request: address, port, source, ehlo, total_ms. */
bool smtp_client_open(struct smtp_client *s, struct arena *arena, const struct starttls_request *r);

void smtp_client_close(struct smtp_client *s);

/* Waits until the socket is ready for these events of poll(2); false, with the outcome set, when time is up. */
bool smtp_client_wait(struct smtp_client *s, short events);

/* Sets outcome and reason ("WHAT: DETAIL", the detail made visible and cut at 200 octets). Returns false. */
bool smtp_client_fail(struct smtp_client *s, enum starttls_outcome outcome, const char *what, struct slice detail);

#endif
