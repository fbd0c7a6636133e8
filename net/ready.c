// SPDX-License-Identifier: BSD-2-Clause
/*
 * ready.c - one datagram to the service manager, by the protocol of sd_notify(3).
 *
 * Promises not to wait: a manager that does not read costs the message, not the start. A name that begins with '@' is
 * in Linux's abstract namespace; any other must be an absolute path.
 */
#include "net/ready.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool send_to(const char *name, const char *message)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(name), length = strlen(message);

    if ((*name != '/' && *name != '@') || n < 2 || n >= sizeof to.sun_path) {
        errno = EINVAL;
        return false;
    }
    memcpy(to.sun_path, name, n);
    if (*name == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    bool sent = sendto(fd, message, length, 0, (const struct sockaddr *)&to, size) == (ssize_t)length;
    int why = errno;
    close(fd);
    errno = why;
    return sent;
}

bool ready_tell(void)
{
    const char *name = getenv("NOTIFY_SOCKET");

    if (!name || !*name)
        return true;
    bool sent = send_to(name, "READY=1");
    int why = errno;
    unsetenv("NOTIFY_SOCKET");
    errno = why;
    return sent;
}
