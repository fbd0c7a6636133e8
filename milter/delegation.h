// SPDX-License-Identifier: BSD-2-Clause
/*
 * delegation.h - the second ear of assay-milter: Postfix's policy-delegation protocol (SMTPD_POLICY_README).
 *
 * Postfix tells a milter nothing of the client's certificate but its names; to a policy service it tells its digests.
 * So where `set postfix.policy-socket` is set and Postfix asks it in smtpd_sender_restrictions or later ones
 * ("check_policy_service unix:..."), this listener notes the digests of each session, answers DUNNO at once, and the
 * milter finds them by the client's address and port.
 *
 * One thread for all connections; at most DELEGATION_CLIENTS of them, DELEGATION_NOTES sessions noted for
 * DELEGATION_SECONDS. A request over DELEGATION_REQUEST octets, or one that is no request, ends its connection: Postfix
 * then asks again. It never refuses mail.
 */
#ifndef ASSAY_MILTER_DELEGATION_H
#define ASSAY_MILTER_DELEGATION_H

#include "milter/delegation_request.h"

#define DELEGATION_CLIENTS 256
#define DELEGATION_REQUEST 65536
#define DELEGATION_NOTES 4096
#define DELEGATION_SECONDS 900

struct delegation;

/* Listens on "unix:PATH" or "inet:PORT@HOST" and starts the thread. mode and group (NULL: none) are a unix socket's.
 * NULL on failure, with *error one line. */
struct delegation *delegation_open(const char *socket, unsigned mode, const char *group, const char **error);
struct delegation *delegation_close(struct delegation *d); /* NULL is fine; returns NULL */

/* What Postfix told of the session from this address and port. false: nothing. Any thread. */
bool delegation_find(struct delegation *d, const struct ip *client, unsigned port, struct delegation_request *out);

#endif
