// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_connection.h - one MTA connection of our own protocol engine: which command may come when, what is handed to the
 * session, and what is answered. No socket, no thread, no clock: octets in, octets out.
 *
 * wire_connection_read() takes all whole packets of what it is given, and leaves the rest to the caller, who gives it
 * again with more behind it. Answers gather in wire_connection_out() until the caller has written them. One thread at a
 * time. Out of memory ends the connection, and the MTA defers the mail.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_CONNECTION_H
#define ASSAY_MILTER_WIRE_WIRE_CONNECTION_H

#include "base/buf.h"
#include "milter/mta.h"

struct wire_connection;

/* What all connections share. */
struct wire_host {
    const struct mta_callbacks *callbacks;
    /* true: there is no memory for another mail, which then gets a temporary failure at MAIL or RCPT. NULL: never. */
    bool (*memory_is_full)(void);
};

enum wire_next {
    WIRE_NEXT_READ,  /* more may be read */
    WIRE_NEXT_WAIT,  /* answers from DNS are awaited: call wire_connection_resume() when they have come */
    WIRE_NEXT_CLOSE, /* write what is left in wire_connection_out(), then close */
};

/* arrived: called by any thread each time an answer from DNS has come for this connection; NULL: callbacks wait by
 * themselves. refuse: there are too many connections; this one gets a temporary failure at connect, the first command
 * that may be answered so. NULL when out of memory. */
struct wire_connection *wire_connection_new(const struct wire_host *host, void (*arrived)(void *context), void *context,
                                            bool refuse);

/* Frees the session too, at whatever stage it is. NULL is allowed; returns NULL. */
struct wire_connection *wire_connection_free(struct wire_connection *c);

/* Takes the whole packets at the start of *in and cuts them off. */
enum wire_next wire_connection_read(struct wire_connection *c, struct slice *in);

/* After WIRE_NEXT_WAIT: tries again to end the message. */
enum wire_next wire_connection_resume(struct wire_connection *c);

/* Tells the MTA that we are still at work, so that its time-out begins again. */
void wire_connection_progress(struct wire_connection *c);

struct buf *wire_connection_out(struct wire_connection *c);

/* The session, to be asked what it uses; NULL: there is none. */
const struct session *wire_connection_session(const struct wire_connection *c);

/* The MTA is in the midst of a mail. There need be no session for it: one that is refused, or not judged, without an
 * answer that the MTA waits for is told so at its end. */
bool wire_connection_in_message(const struct wire_connection *c);

/* Octets that it keeps besides its session's: the macros that the MTA has sent. */
size_t wire_connection_kept(const struct wire_connection *c);

/* Why the connection must be closed, for the log; NULL: the MTA ended it, or memory ran out. */
const char *wire_connection_fault(const struct wire_connection *c);

#endif
