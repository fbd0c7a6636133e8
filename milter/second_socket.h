// SPDX-License-Identifier: BSD-2-Clause
/*
 * second_socket.h - further sockets of assay-milter: libmilter supports only one, and the MTA may be configured for
 * another.
 *
 * There are two cases: `assay harden` configured a unix socket in the MTA, and milter.socket now names another; or a
 * reload changes milter.socket: the old one stays open until the restart, so that no mail is deferred. Our own
 * engine listens at each of them. With libmilter a connection is forwarded to libmilter's own socket octet by octet;
 * the milter protocol carries the client's address itself.
 *
 * Limits: SECOND_SOCKETS sockets, SECOND_CONNECTIONS connections over all of them; further clients wait in the queue of
 * listen(2). Threads: second_socket_listen() and second_socket_close() by one thread at a time.
 */
#ifndef ASSAY_MILTER_SECOND_SOCKET_H
#define ASSAY_MILTER_SECOND_SOCKET_H

#include "policy/policy.h"

#define SECOND_SOCKETS 8
#define SECOND_CONNECTIONS 256

/* take: our own engine's function that listens at a descriptor too. NULL: connect_main connects to libmilter's own
 * socket; it returns a descriptor, or -1. Call it before the first second_socket_listen(). */
void second_socket_begin(int (*connect_main)(void), bool (*take)(int listener));

/* Opens each socket that this policy names, unless it is `main_socket` or already open. One that cannot be opened is
 * logged. */
void second_socket_listen(const struct policy *p, const char *main_socket);

/* Ends the thread and removes the sockets. */
void second_socket_close(void);

#endif
