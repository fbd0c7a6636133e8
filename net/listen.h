// SPDX-License-Identifier: BSD-2-Clause
/*
 * listen.h - opens a listening socket for Postfix (other than libmilter's), sets its permissions, and removes it again.
 *
 * Threads: the main thread, at start and end.
 */
#ifndef ASSAY_NET_LISTEN_H
#define ASSAY_NET_LISTEN_H

#include <stdbool.h>
#include <sys/un.h>

struct listen_socket {
    int fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* "": no unix socket */
};

/* Listens on "unix:PATH", "PATH" or an inet socket (inet_name.h; without a host: at every address of its family),
 * without waiting in accept. mode and group (NULL: none) are a unix socket's; a socket left over from a kill is
 * replaced, one that somebody listens on is not. false: *error gets one line, good until the next failure. */
bool listen_open(struct listen_socket *l, const char *name, unsigned mode, const char *group, const char **error);

void listen_close(struct listen_socket *l);

#endif
