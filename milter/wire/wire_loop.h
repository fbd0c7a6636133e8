// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_loop.h - one thread that serves many MTA connections. It waits only for its descriptors: answers from DNS come
 * from another thread, which wakes it.
 *
 * Limits: an idle connection is closed after WIRE_IDLE_SECONDS (an MTA keeps connections for its next client). One that
 * stalls within a command, or does not read its replies, is closed after WIRE_COMMAND_SECONDS. If DNS takes longer than
 * WIRE_PROGRESS_SECONDS, the MTA is told that we are still working (SMFIR_PROGRESS).
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_LOOP_H
#define ASSAY_MILTER_WIRE_WIRE_LOOP_H

#include "milter/wire/wire_connection.h"
#include <stdint.h>

#define WIRE_IDLE_SECONDS 7210 /* as libmilter's; above the two hours of Postfix and Sendmail */
#define WIRE_COMMAND_SECONDS 300
#define WIRE_PROGRESS_SECONDS 30
#define WIRE_DEAF_MS 20

#define WIRE_LISTENERS 16

struct wire_loop;

/* What a loop asks of its owner, from its own thread. */
struct wire_loop_owner {
    const struct wire_host *host;
    void (*closed)(bool refused); /* a connection has ended */
    /* A message of this session begins to use memory, or ends; octets may be negative. */
    void (*memory)(int64_t octets);
    /* What the session's message uses now, and whether there is one. */
    size_t (*used)(const struct session *s, bool *in_message);
    void (*complain)(const char *what);
    /* A connection waits at this listening socket, unless another loop was faster. It is given to this loop by
     * wire_loop_take(), or to another by wire_loop_give(). false: none can be accepted now; the loop listens again
     * after WIRE_DEAF_MS. */
    bool (*ready)(struct wire_loop *l, int listener);
};

/* Starts the thread. NULL: no memory, descriptor or thread for it. */
struct wire_loop *wire_loop_new(const struct wire_loop_owner *owner);

/* Waits for connections at this listening socket too, which stays the caller's. false: there are WIRE_LISTENERS, or
 * there is no memory. The thread that made the loop. */
bool wire_loop_listen(struct wire_loop *l, int fd);

/* Serves a connection, and closes it. Only from `ready`. */
void wire_loop_take(struct wire_loop *l, int fd, bool refuse);

/* Hands over a connection; the loop closes it. Any thread. */
void wire_loop_give(struct wire_loop *l, int fd, bool refuse);

/* Connections that it serves now. Any thread. */
unsigned wire_loop_load(const struct wire_loop *l);

/* From now on connections without a message are closed, and the others when their message has ended. After `seconds`
 * all are closed. Any thread. */
void wire_loop_stop(struct wire_loop *l, unsigned seconds);

/* Waits for the thread, which has been told to stop. Until it is freed the loop may be asked for its load, and given
 * connections, which it closes when it is freed. */
void wire_loop_join(struct wire_loop *l);

/* The same, and frees. No thread may know the loop any more. NULL is allowed; returns NULL. */
struct wire_loop *wire_loop_free(struct wire_loop *l);

#endif
