// SPDX-License-Identifier: BSD-2-Clause
/*
 * dial.c - TCP connections that are made within a time.
 *
 * Promises to return by the deadline, with no descriptor left open on failure and errno saying why. The socket does not
 * block while it connects, so that the kernel's own time-out (two minutes) never counts.
 */
#include "net/dial.h"
#include "base/inet_name.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_MOST 320 /* a host name (RFC 1035 3.1: 253), and a port */

static socklen_t to_sockaddr(const struct ip *a, unsigned port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == 4) {
        struct sockaddr_in *sin = (struct sockaddr_in *)out;
        sin->sin_family = AF_INET;
        sin->sin_port = htons((uint16_t)port);
        memcpy(&sin->sin_addr, a->octets, 4);
        return sizeof *sin;
    }
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons((uint16_t)port);
    memcpy(&sin6->sin6_addr, a->octets, 16);
    return sizeof *sin6;
}

/* Closes it; errno stays what it was. */
static void dial_drop(int fd)
{
    const int error = errno;

    close(fd);
    errno = error;
}

/* Waits until the connection is there or has failed. */
static enum dial_outcome await(int fd, int64_t deadline)
{
    int error = 0;
    socklen_t size = sizeof error;

    for (;;) {
        const int64_t left = deadline - clock_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        const int n = left > 0 ? poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX) : 0;
        if (n > 0)
            break;
        if (n < 0 && errno != EINTR)
            return DIAL_NO_SOCKET;
        if (n == 0) {
            errno = ETIMEDOUT;
            return DIAL_LATE;
        }
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return DIAL_NO_SOCKET;
    errno = error;
    /* A SYN that is refused is ECONNREFUSED. */
    return error == 0 ? DIAL_DONE : error == ECONNRESET ? DIAL_CUT : DIAL_UNREACHABLE;
}

/* Errors of this computer: a packet filter, no address or port to come from, no room. */
static bool is_ours(int error)
{
    return error == EPERM || error == EACCES || error == EADDRNOTAVAIL || error == ENETDOWN || error == ENOBUFS ||
           error == ENOMEM || error == EAGAIN;
}

static enum dial_outcome connect_by(int fd, const struct sockaddr *to, socklen_t n, int64_t deadline)
{
    if (connect(fd, to, n) == 0)
        return DIAL_DONE;
    if (errno == EINPROGRESS || errno == EINTR)
        return await(fd, deadline);
    return is_ours(errno) ? DIAL_NOT_HERE : DIAL_UNREACHABLE;
}

enum dial_outcome dial_ip(const struct ip *to, unsigned port, const struct ip *source, int64_t deadline, int *fd)
{
    struct sockaddr_storage sa;
    enum dial_outcome outcome = DIAL_NO_SOURCE;
    socklen_t n;

    *fd = -1;
    errno = EAFNOSUPPORT;
    if (to->family != 4 && to->family != 6)
        return DIAL_NO_SOCKET;
    const int s = socket(to->family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return DIAL_NO_SOCKET;
    if (!source || source->family != to->family || (n = to_sockaddr(source, 0, &sa), bind(s, (void *)&sa, n) == 0)) {
        n = to_sockaddr(to, port, &sa);
        outcome = connect_by(s, (struct sockaddr *)&sa, n, deadline);
    }
    if (outcome == DIAL_DONE)
        *fd = s;
    else
        dial_drop(s);
    return outcome;
}

static bool make_blocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

int dial_host(const char *host, const char *port, unsigned ms)
{
    const int64_t deadline = clock_mono_ms() + ms;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int fd = -1;

    errno = EINVAL;
    if (getaddrinfo(host, port, &hints, &list) != 0) {
        errno = EINVAL;
        return -1;
    }
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next) {
        fd = socket(i->ai_family, i->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, i->ai_protocol);
        if (fd < 0 || (connect_by(fd, i->ai_addr, i->ai_addrlen, deadline) == DIAL_DONE && make_blocking(fd)))
            continue;
        dial_drop(fd);
        fd = -1;
    }
    const int error = errno;
    freeaddrinfo(list);
    errno = error;
    return fd;
}

static int dial_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof sun.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(sun.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0 && make_blocking(fd))
        return fd;
    if (fd >= 0)
        dial_drop(fd);
    return -1;
}

int dial_named(const char *name, unsigned ms)
{
    struct inet_name n;
    const char *rest = strchr(name, ':');

    if (strncmp(name, "inet", 4) != 0)
        return dial_unix(rest ? rest + 1 : name);
    if (!inet_name_read(name, &n)) {
        errno = strlen(name) > NAME_MOST ? ENAMETOOLONG : EINVAL;
        return -1;
    }
    return dial_host(*n.host ? n.host : "localhost", n.port, ms);
}

bool dial_has_route(const struct ip *ip)
{
    struct sockaddr_storage sa;
    const socklen_t n = to_sockaddr(ip, 443, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool good = fd >= 0 && connect(fd, (struct sockaddr *)&sa, n) == 0;

    if (fd >= 0)
        close(fd);
    return good;
}
