// SPDX-License-Identifier: BSD-2-Clause
/*
 * listen.c - opens unix and inet sockets by their names in the policy.
 *
 * Promises that a unix socket that another process listens on is never replaced, and that one of ours has its group and
 * mode before anybody can connect. On failure nothing is left open, and the line says which socket and why.
 */
#include "base/rootfile.h"
#include "net/listen.h"
#include "base/inet_name.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096 /* clients that wait for a place; the kernel may hold fewer (net.core.somaxconn) */

static const char *complaint(const char *socket_name, const char *what)
{
    static char text[PATH_MAX + 128]; /* the last one: its caller ends the program */
    snprintf(text, sizeof text, "%s: %s", socket_name, what);
    return text;
}

/* A socket that nobody listens on is left over from a kill. */
static bool is_left_over(const struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool nobody = fd >= 0 && connect(fd, (const struct sockaddr *)sun, sizeof *sun) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return nobody;
}

static int open_unix(struct listen_socket *l, const char *path, unsigned mode, const char *group)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct group *g = group && *group ? getgrnam(group) : NULL;

    if (strlen(path) >= sizeof sun.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(sun.sun_path, path, strlen(path));
    if (is_left_over(&sun))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct rootfile_rights rights = {.mode = mode, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1},
                                 group_only = {.uid = ROOTFILE_NOBODY, .gid = g ? g->gr_gid : (gid_t)-1};
    if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) != 0 ||
        rootfile_give(path, S_IFSOCK, &rights) != STATUS_OK ||
        (g && rootfile_give(path, S_IFSOCK, &group_only) != STATUS_OK && errno != EPERM)) {
        int e = errno;
        if (fd >= 0)
            close(fd);
        errno = e;
        return -1;
    }
    memcpy(l->path, sun.sun_path, sizeof l->path);
    return fd;
}

static int open_inet(const char *name)
{
    struct inet_name n;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    int fd = -1, on = 1;

    if (inet_name_read(name, &n))
        hints.ai_family = n.family;
    if (!hints.ai_family || getaddrinfo(*n.host ? n.host : NULL, n.port, &hints, &list) != 0) {
        errno = EINVAL;
        return -1;
    }
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, list->ai_addr, list->ai_addrlen) != 0) {
            int e = errno;
            close(fd);
            errno = e;
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

bool listen_open(struct listen_socket *l, const char *name, unsigned mode, const char *group, const char **error)
{
    const char *rest = strchr(name, ':');

    *l = (struct listen_socket){.fd = -1};
    rest = rest ? rest + 1 : name;
    l->fd = strncmp(name, "inet", 4) == 0 ? open_inet(name) : open_unix(l, rest, mode, group);
    if (l->fd >= 0 && listen(l->fd, LISTEN_BACKLOG) == 0)
        return true;
    *error = complaint(name, strerror(errno));
    listen_close(l);
    return false;
}

void listen_close(struct listen_socket *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->path[0])
        unlink(l->path);
    *l = (struct listen_socket){.fd = -1};
}
