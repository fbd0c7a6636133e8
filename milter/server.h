// SPDX-License-Identifier: BSD-2-Clause
/*
 * server.h - runs a protocol engine as a server: opens the socket, runs the engine, ends it.
 */
#ifndef ASSAY_MILTER_SERVER_H
#define ASSAY_MILTER_SERVER_H

#include "base/status.h"

enum server_engine {
    SERVER_LIBMILTER,
    SERVER_NATIVE, /* milter/wire/ */
};

/* Opens the socket ("unix:PATH", "inet:PORT@HOST", "inet6:..."). 0, or an exit code of sysexits.h after one line on
 * stderr: EX_USAGE if the text is not a socket, EX_UNAVAILABLE if another process listens there, EX_CANTCREAT or
 * EX_NOPERM if it cannot be created. */
int server_open(const char *socket, enum server_engine engine);

/* The temporary path of a unix socket, which it has until server_show(), so that the caller can set its permissions.
 * NULL for other sockets. */
const char *server_hidden(void);
int server_show(void);

struct server_plan {
    enum server_engine engine;
    unsigned threads, drain_seconds; /* of our own engine; threads 0: as many as cores */
    void (*reload)(void);            /* called at SIGHUP, in the thread that waits for signals */
};

/* Runs until SIGTERM or SIGINT. 0, or an exit code. */
int server_run(const struct server_plan *plan);

#endif
