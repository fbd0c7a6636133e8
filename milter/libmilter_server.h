// SPDX-License-Identifier: BSD-2-Clause
/*
 * libmilter_server.h - runs libmilter as a server, for server.c. Threads: the main thread, but for libmilter_connect().
 */
#ifndef ASSAY_MILTER_LIBMILTER_SERVER_H
#define ASSAY_MILTER_LIBMILTER_SERVER_H

#include <stdbool.h>

/* What sigwait(3) calls at SIGHUP, in whichever thread waits for signals. */
void libmilter_on_hangup(void (*reload)(void));

/* Opens the socket, in libmilter's words ("unix:PATH", "inet:PORT@HOST"). false: errno, or 0 if it is no usable
 * address. */
bool libmilter_open(const char *socket);

/* Notes where we listen: the path of a unix socket, or NULL for the address of the one listening descriptor. */
void libmilter_find_address(const char *path);

/* Runs until SIGTERM or SIGINT. false: libmilter failed. */
bool libmilter_run(void);

/* Connects to our own socket, once libmilter_run() has begun. Returns a descriptor, or -1. */
int libmilter_connect(void);

#endif
