// SPDX-License-Identifier: BSD-2-Clause
/*
 * server.h - libmilter as a server: the socket, the loop, its end.
 */
#ifndef ASSAY_MILTER_SERVER_H
#define ASSAY_MILTER_SERVER_H

#include "base/status.h"

/* Opens the socket ("unix:PATH", "inet:PORT@HOST", "inet6:..."). 0, or an exit code of sysexits.h after one line on
 * stderr: EX_USAGE for a text that is no socket, EX_UNAVAILABLE where another process listens there, EX_CANTCREAT or
 * EX_NOPERM where it cannot be made. */
int server_open(const char *socket);

/* A unix socket is not to be found yet: the path it has until server_show(), for its permissions to be set. NULL for
 * other sockets. */
const char *server_hidden(void);
int server_show(void);

/* Runs until SIGTERM or SIGINT. `reload` is called at SIGHUP, in libmilter's signal thread. 0, or an exit code. */
int server_run(void (*reload)(void));

/* A connection to our own socket, once server_run() has begun; -1: there is none. */
int server_connect(void);

#endif
