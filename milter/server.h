// SPDX-License-Identifier: BSD-2-Clause
/*
 * server.h - runs libmilter as a server: opens the socket, runs the loop, ends it.
 */
#ifndef ASSAY_MILTER_SERVER_H
#define ASSAY_MILTER_SERVER_H

#include "base/status.h"

/* Opens the socket ("unix:PATH", "inet:PORT@HOST", "inet6:..."). 0, or an exit code of sysexits.h after one line on
 * stderr: EX_USAGE if the text is not a socket, EX_UNAVAILABLE if another process listens there, EX_CANTCREAT or
 * EX_NOPERM if it cannot be created. */
int server_open(const char *socket);

/* The temporary path of a unix socket, which it has until server_show(), so that the caller can set its permissions.
 * NULL for other sockets. */
const char *server_hidden(void);
int server_show(void);

/* Runs until SIGTERM or SIGINT. At SIGHUP `reload` is called in libmilter's signal thread. 0, or an exit code. */
int server_run(void (*reload)(void));

/* Connects to our own socket, once server_run() has begun. Returns a descriptor, or -1. */
int server_connect(void);

#endif
