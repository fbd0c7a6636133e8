// SPDX-License-Identifier: BSD-2-Clause
/*
 * second_socket.h - further places where assay-milter listens: libmilter has one socket, the MTA may ask at another.
 *
 * The unix socket that `assay harden` told the MTA, where milter.socket is set to another; and what a reload changes,
 * beside what was there: the old place stays until the restart, so that no mail is deferred. A connection is passed on
 * to libmilter's own socket, octet by octet; the milter protocol carries the client's address itself.
 *
 * Limits: SECOND_SOCKETS places, SECOND_CONNECTIONS at once over all of them; beyond that a client waits in the queue
 * of listen(2). Threads: second_socket_listen() and second_socket_close() from one at a time.
 */
#ifndef ASSAY_MILTER_SECOND_SOCKET_H
#define ASSAY_MILTER_SECOND_SOCKET_H

#include "policy/policy.h"

#define SECOND_SOCKETS 8
#define SECOND_CONNECTIONS 256

/* How a connection to libmilter's own socket is made: a descriptor, or -1. Before the first second_socket_listen(). */
void second_socket_begin(int (*connect_main)(void));

/* Opens each place that this policy names and where nobody of ours listens yet: neither `main_socket` nor an earlier
 * one. What cannot be opened is a line in the log. */
void second_socket_listen(const struct policy *p, const char *main_socket);

/* Ends the thread and removes the sockets. */
void second_socket_close(void);

#endif
