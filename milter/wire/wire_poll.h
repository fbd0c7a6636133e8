// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_poll.h - waits for many descriptors at once: epoll on Linux, kqueue on the BSDs and macOS. Level-triggered: a
 * descriptor is reported as long as there is something to do.
 *
 * Threads: one waits; others may add descriptors meanwhile.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_POLL_H
#define ASSAY_MILTER_WIRE_WIRE_POLL_H

#include <stdbool.h>

struct wire_event {
    void *owner; /* as given to wire_poll_add() */
    bool can_read, can_write, gone;
};

/* A descriptor, or -1 with errno. Close it by close(2). */
int wire_poll_new(void);

/* Reports the descriptor when it can be read. false: errno says why. */
bool wire_poll_add(int poll, int fd, void *owner);

/* The same for a listening socket that several threads wait for, each with a descriptor of its own: where the system
 * can do so (epoll), a connection wakes one of them. Accept without blocking: another may be faster. */
bool wire_poll_add_listener(int poll, int fd, void *owner);

/* From now on reports when the descriptor can be read, when it can be written, or both. With neither, only the end of
 * the connection may be reported. */
void wire_poll_want(int poll, int fd, void *owner, bool read, bool write);

void wire_poll_remove(int poll, int fd);

/* Waits at most ms milliseconds (-1: without end). Returns how many events there are, at most `most`. */
int wire_poll_wait(int poll, struct wire_event *events, int most, int ms);

#endif
