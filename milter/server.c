// SPDX-License-Identifier: BSD-2-Clause
/*
 * server.c - runs libmilter as a server.
 *
 * libmilter waits for signals in a thread of its own, and stops at SIGHUP (libmilter/signal.c); we need SIGHUP for a
 * reload. A second thread that waits for SIGHUP would get it only sometimes. So we define the function by which
 * libmilter waits, sigwait(3): the dynamic linker prefers the program's definition to the C library's (ELF symbol
 * interposition; the same with a static libmilter). At SIGHUP it calls `reload` and waits again, so that libmilter
 * never sees the signal. Otherwise it does what sigwait(3) says. Nothing else in this program or its libraries calls
 * sigwait.
 *
 * At SIGTERM libmilter's loop would look at its flag only every five seconds; we wake it by a connection to our own
 * socket.
 *
 * A unix socket is created under a temporary name and renamed once its permissions are right, so that no MTA finds one
 * that it may not use. An old socket that nobody listens on is left over from a killed process and is removed; one that
 * answers belongs to another process and is left alone. Failure: an exit code, and one line that says what failed and
 * where.
 */
#include "milter/server.h"
#include "milter/libmilter.h"
#include <errno.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

static void (*on_hangup)(void);
static atomic_bool told_to_stop;
static sem_t stop_ordered;
static struct sockaddr_storage own_address;
static socklen_t own_length;
#define HIDDEN ".new"
static char shown[sizeof((struct sockaddr_un *)0)->sun_path]; /* the path of a unix socket; "" for others */
static char hidden[sizeof shown];                             /* the temporary path, until its permissions are right */

/* Waits for the order to stop, then connects to our own socket until libmilter has noticed. */
static void *wake_listener(void *unused)
{
    while (sem_wait(&stop_ordered) != 0 && errno == EINTR)
        ;
    for (int i = 0; i < 20 && own_length; i++) {
        int fd = socket(own_address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        usleep(20000);
        if (fd < 0)
            break;
        i += connect(fd, (struct sockaddr *)&own_address, own_length) != 0 ? 20 : 0;
        close(fd);
    }
    return unused;
}

/* The thread is created at the start, because there may be no memory when it is needed. */
static void make_waker(void)
{
    pthread_attr_t attr;
    pthread_t t;

    if (sem_init(&stop_ordered, 0, 0) != 0 || pthread_attr_init(&attr) != 0)
        return;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&t, &attr, wake_listener, NULL) != 0)
        own_length = 0; /* it stops all the same, only later */
    pthread_attr_destroy(&attr);
}

/* Our own address: the socket's path, or for an inet socket the address of the one listening descriptor. */
static void find_own_address(void)
{
    struct sockaddr_un *a = (struct sockaddr_un *)(void *)&own_address;

    if (*shown) {
        a->sun_family = AF_UNIX;
        memcpy(a->sun_path, shown, sizeof a->sun_path);
        own_length = sizeof *a;
        return;
    }
    for (int fd = 3; fd < 64; fd++) {
        int listens = 0;
        socklen_t n = sizeof listens;
        own_length = sizeof own_address;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && listens &&
            getsockname(fd, (struct sockaddr *)&own_address, &own_length) == 0)
            return;
    }
    own_length = 0;
}

int server_connect(void)
{
    int fd = own_length ? socket(own_address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    if (fd >= 0 && connect(fd, (struct sockaddr *)&own_address, own_length) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

__attribute__((visibility("default"))) int sigwait(const sigset_t *set, int *sig)
{
    for (;;) {
        int n = sigwaitinfo(set, NULL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n != SIGHUP || !on_hangup) {
            atomic_store(&told_to_stop, true);
            if (on_hangup)
                sem_post(&stop_ordered);
            *sig = n;
            return 0;
        }
        on_hangup();
    }
}

/* 0: the path is free; else an exit code. */
static int look_at_unix_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    int fd, rc;

    if (strlen(path) + strlen(HIDDEN) >= sizeof a.sun_path) {
        fprintf(stderr, "assay-milter: socket path '%s' is too long (at most %zu octets)\n", path,
                sizeof a.sun_path - 1 - strlen(HIDDEN));
        return EX_USAGE;
    }
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode)) {
        fprintf(stderr, "assay-milter: %s exists and is not a socket: give another path or remove it\n", path);
        return EX_CANTCREAT;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = fd >= 0 ? connect(fd, (struct sockaddr *)&a, sizeof a) : -1;
    if (fd >= 0)
        close(fd);
    if (rc == 0) {
        fprintf(stderr, "assay-milter: socket %s is in use: another process listens there\n", path);
        return EX_UNAVAILABLE;
    }
    return 0;
}

static const char *unix_path(const char *socket)
{
    return strncmp(socket, "unix:", 5) == 0 ? socket + 5 : strncmp(socket, "local:", 6) == 0 ? socket + 6 : NULL;
}

int server_open(const char *socket)
{
    struct smfiDesc desc;
    const char *path = unix_path(socket);
    char copy[sizeof shown + 8];
    int rc;

    if (!path && strncmp(socket, "inet:", 5) != 0 && strncmp(socket, "inet6:", 6) != 0) {
        fprintf(stderr, "assay-milter: '%s' is not a socket: write unix:PATH or inet:PORT@HOST\n", socket);
        return EX_USAGE;
    }
    if (path && (rc = look_at_unix_socket(path)) != 0)
        return rc;
    if (path) {
        snprintf(shown, sizeof shown, "%s", path);
        snprintf(hidden, sizeof hidden, "%s" HIDDEN, path);
    }
    snprintf(copy, sizeof copy, "%s%s", path ? "unix:" : socket, path ? hidden : "");
    libmilter_describe(&desc);
    rc = smfi_register(desc) == MI_SUCCESS && smfi_setconn(copy) == MI_SUCCESS ? 0 : EX_SOFTWARE;
    if (rc) {
        fprintf(stderr, "assay-milter: libmilter refused the socket '%s'\n", socket);
        return rc;
    }
    errno = 0;
    if (smfi_opensocket(1) == MI_SUCCESS)
        return 0;
    rc = errno;
    fprintf(stderr, "assay-milter: cannot listen at %s: %s\n", socket,
            rc == EADDRINUSE ? "in use by another process"
            : rc             ? strerror(rc)
                             : "not a usable address");
    return rc == EADDRINUSE ? EX_UNAVAILABLE : rc == EACCES || rc == EPERM ? EX_NOPERM : EX_CANTCREAT;
}

const char *server_hidden(void)
{
    return *hidden ? hidden : NULL;
}

int server_show(void)
{
    if (!*hidden || rename(hidden, shown) == 0) {
        find_own_address();
        return 0;
    }
    fprintf(stderr, "assay-milter: cannot listen at unix:%s: %s\n", shown, strerror(errno));
    return EX_CANTCREAT;
}

int server_run(void (*reload)(void))
{
    make_waker();
    on_hangup = reload;
    int rc = smfi_main() == MI_SUCCESS || atomic_load(&told_to_stop) ? EX_OK : EX_UNAVAILABLE;
    if (*shown)
        unlink(shown); /* if its folder is not ours, the next start removes it */
    return rc;
}
