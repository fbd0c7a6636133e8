// SPDX-License-Identifier: BSD-2-Clause
/*
 * server.c - opens the socket, and runs the engine that the policy names: libmilter, or our own (wire/).
 *
 * A unix socket is created under a temporary name and renamed once its permissions are right, so that no MTA finds one
 * that it may not use. An old socket that nobody listens on is left over from a killed process and is removed; one that
 * answers belongs to another process and is left alone. Failure: an exit code, and one line that says what failed and
 * where.
 */
#include "milter/server.h"
#include "milter/libmilter_server.h"
#include "milter/log.h"
#include "milter/wire/wire_server.h"
#include "base/inet_name.h"
#include "net/listen.h"
#include "policy/mta_socket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define HIDDEN MTA_SOCKET_NEW
static char shown[sizeof((struct sockaddr_un *)0)->sun_path]; /* the path of a unix socket; "" for others */
static char hidden[sizeof shown];                             /* the temporary path, until its permissions are right */
static struct listen_socket own = {.fd = -1};                 /* of our own engine; libmilter keeps its own */

/* 0: the path is free; else an exit code. */
static int look_at_unix_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    int fd, rc;

    if (strlen(path) + strlen(HIDDEN) >= sizeof a.sun_path) {
        log_failure("socket path '%s' is too long (at most %zu octets)", path, sizeof a.sun_path - 1 - strlen(HIDDEN));
        return EX_USAGE;
    }
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode)) {
        log_failure("%s exists and is not a socket: give another path or remove it", path);
        return EX_CANTCREAT;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = fd >= 0 ? connect(fd, (struct sockaddr *)&a, sizeof a) : -1;
    if (fd >= 0)
        close(fd);
    if (rc == 0) {
        log_failure("socket %s is in use: another process listens there", path);
        return EX_UNAVAILABLE;
    }
    return 0;
}

static const char *unix_path(const char *socket)
{
    return strncmp(socket, "unix:", 5) == 0 ? socket + 5 : strncmp(socket, "local:", 6) == 0 ? socket + 6 : NULL;
}

/* The socket of our own engine; until its permissions are set, nobody but us may connect. */
static bool open_own(const char *socket)
{
    const char *error;

    errno = 0;
    return listen_open(&own, socket, 0600, NULL, &error) && wire_server_listen(own.fd);
}

int server_open(const char *socket, enum server_engine engine)
{
    const char *path = unix_path(socket);
    char copy[sizeof shown + 256];
    struct inet_name inet;
    int rc;

    if (!path && !inet_name_read(socket, &inet)) {
        log_failure("'%s' is not a socket: write unix:PATH or inet:PORT@HOST", socket);
        return EX_USAGE;
    }
    if (path && (rc = look_at_unix_socket(path)) != 0)
        return rc;
    if (path) {
        snprintf(shown, sizeof shown, "%s", path);
        snprintf(hidden, sizeof hidden, "%s" HIDDEN, path);
    }
    snprintf(copy, sizeof copy, "%s%s", path ? "unix:" : socket, path ? hidden : "");
    if (engine == SERVER_NATIVE ? open_own(copy) : libmilter_open(copy))
        return 0;
    rc = errno;
    log_failure("cannot listen at %s: %s", socket,
                rc == EADDRINUSE          ? "in use by another process"
                : rc == 0 || rc == EINVAL ? "not a usable address"
                                          : strerror(rc));
    return rc == EADDRINUSE ? EX_UNAVAILABLE : rc == EACCES || rc == EPERM ? EX_NOPERM : EX_CANTCREAT;
}

const char *server_hidden(void)
{
    return *hidden ? hidden : NULL;
}

int server_show(void)
{
    if (!*hidden || rename(hidden, shown) == 0) {
        libmilter_find_address(*shown ? shown : NULL);
        own.path[0] = 0; /* server_run() removes it by its new name */
        return 0;
    }
    log_failure("cannot listen at unix:%s: %s", shown, strerror(errno));
    return EX_CANTCREAT;
}

int server_run(const struct server_plan *plan)
{
    int rc;

    libmilter_on_hangup(plan->reload);
    if (plan->engine == SERVER_NATIVE)
        rc = wire_server_run(plan->threads, plan->drain_seconds);
    else
        rc = libmilter_run() ? EX_OK : EX_UNAVAILABLE;
    if (*shown)
        unlink(shown); /* if its folder is not ours, the next start removes it */
    listen_close(&own);
    return rc;
}
