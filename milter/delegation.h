// SPDX-License-Identifier: BSD-2-Clause
/*
 * delegation.h - a server for Postfix's policy-delegation protocol (SMTPD_POLICY_README) inside assay-milter.
 *
 * Postfix tells a milter only the names in the client's certificate, but tells a policy service its digests. So if the
 * policy sets `postfix.policy-socket`, and Postfix asks it in smtpd_sender_restrictions or later ("check_policy_service
 * unix:..."), this server notes the digests of each session and answers DUNNO at once. The milter then finds them by
 * the client's address and port.
 *
 * One thread for all connections; at most DELEGATION_CLIENTS of them, DELEGATION_NOTES sessions noted for
 * DELEGATION_SECONDS. A request over DELEGATION_REQUEST octets, or an invalid one, closes its connection: Postfix then
 * asks again. It never refuses mail.
 */
#ifndef ASSAY_MILTER_DELEGATION_H
#define ASSAY_MILTER_DELEGATION_H

#include "milter/delegation_request.h"

#define DELEGATION_CLIENTS 256
#define DELEGATION_REQUEST 65536
#define DELEGATION_NOTES 4096
#define DELEGATION_SECONDS 900

struct delegation;

/* Listens on "unix:PATH" or "inet:PORT@HOST" and starts the thread. mode and group (NULL: unchanged) apply to a unix
 * socket. NULL on failure; *error is then one line of text. */
struct delegation *delegation_open(const char *socket, unsigned mode, const char *group, const char **error);
struct delegation *delegation_close(struct delegation *d); /* NULL is allowed; returns NULL */

/* What Postfix told about the session from this address and port. false: nothing. Any thread. */
bool delegation_find(struct delegation *d, const struct ip *client, unsigned port, struct delegation_request *out);

#endif
