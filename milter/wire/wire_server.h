// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_server.h - our own engine of the milter protocol as a server: as many loops (wire_loop.h) as `set
 * milter.threads` says, which accept and serve.
 *
 * Bounds, from the policy, also after a reload: beyond `milter.connections` an MTA gets a temporary failure at connect;
 * beyond `milter.memory` at MAIL and RCPT, before the content of a mail is sent. If `milter.peers` names users, only
 * processes of theirs may connect by a unix socket.
 *
 * Threads: the main thread.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_SERVER_H
#define ASSAY_MILTER_WIRE_WIRE_SERVER_H

#include "milter/wire/wire_loop.h"
#include "policy/policy.h"

/* Connections beyond milter.connections that are answered; more wait in the queue of listen(2). */
#define WIRE_REFUSED_MAX 256

/* Accepts connections at this listening socket too, which stays the caller's. false: there are WIRE_LISTENERS, or a
 * loop that runs has no memory for it. */
bool wire_server_listen(int fd);

/* Runs until SIGTERM or SIGINT, then ends what is in flight within drain_seconds. At SIGHUP `reload` is called, by
 * sigwait() in server.c. 0, or an exit code. */
int wire_server_run(unsigned threads, unsigned drain_seconds);

#endif
