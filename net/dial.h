// SPDX-License-Identifier: BSD-2-Clause
/*
 * dial.h - connects to another host over TCP, within a time.
 *
 * Threads: any; nothing is shared. Nothing is logged. The caller closes the descriptor, which no program that is
 * started inherits.
 */
#ifndef ASSAY_NET_DIAL_H
#define ASSAY_NET_DIAL_H

#include "base/ip.h"
#include <stdbool.h>
#include <stdint.h>

enum dial_outcome {
    DIAL_DONE,
    DIAL_NO_SOCKET,   /* ours: no descriptor, or no address of a known family */
    DIAL_NO_SOURCE,   /* ours: the source address cannot be used here */
    DIAL_NOT_HERE,    /* ours: a packet filter, no port or address to come from, no room */
    DIAL_UNREACHABLE, /* refused, or no route */
    DIAL_CUT,         /* the host took the connection and reset it at once */
    DIAL_LATE,        /* the deadline came first */
};

/* Connects to one address. source: the address to come from; NULL, or one of another family: the kernel chooses.
 * deadline: by clock_mono_ms(). *fd: the socket, which does not block; -1 unless the outcome is DIAL_DONE. errno says
 * why it failed (DIAL_LATE: ETIMEDOUT). */
enum dial_outcome dial_ip(const struct ip *to, unsigned port, const struct ip *source, int64_t deadline, int *fd);

/* Connects to the first address of a name or of an address in text that answers; port: a number or a service's name.
 * ms: the bound over all of its addresses; the look-up of the name is bounded by the system's resolver. Returns a
 * blocking socket, or -1 with errno (EINVAL: there is no such host or port). */
int dial_host(const char *host, const char *port, unsigned ms);

/* Connects to a socket as a milter's is named: "unix:PATH", "PATH", "inet:PORT@HOST" or "inet6:PORT@HOST" (without
 * "@HOST": this host). ms: as above; a unix socket is not waited for. Returns a blocking socket, or -1 with errno
 * (ENAMETOOLONG: no socket can have this name; EAGAIN: its queue is full). */
int dial_named(const char *name, unsigned ms);

/* Tells whether there is a route to this address; nothing is sent. */
bool dial_has_route(const struct ip *ip);

#endif
