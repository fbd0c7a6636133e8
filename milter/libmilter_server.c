// SPDX-License-Identifier: BSD-2-Clause
/*
 * libmilter_server.c - runs libmilter as a server.
 *
 * libmilter waits for signals in a thread of its own, and stops at SIGHUP (libmilter/signal.c); we need SIGHUP for a
 * reload. A second thread that waits for SIGHUP would get it only sometimes. So we define the function by which
 * libmilter waits, sigwait(3): the dynamic linker prefers the program's definition to the C library's (ELF symbol
 * interposition; the same with a static libmilter). At SIGHUP it calls `reload` and waits again, so that libmilter
 * never sees the signal. Otherwise it does what sigwait(3) says. Our own engine waits by the same function. Nothing
 * else in this program or its libraries calls sigwait.
 *
 * At SIGTERM libmilter's loop would look at its flag only every five seconds; we wake it by a connection to our own
 * socket. Failure: false, with errno where the system set it.
 */
#include "milter/libmilter_server.h"
#include "milter/ending.h"
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
#include <sys/un.h>
#include <unistd.h>

static void (*on_hangup)(void);
static atomic_bool told_to_stop;
static sem_t stop_ordered;
static struct sockaddr_storage own_address;
static socklen_t own_length;

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

void libmilter_find_address(const char *path)
{
    struct sockaddr_un *a = (struct sockaddr_un *)(void *)&own_address;

    if (path) {
        a->sun_family = AF_UNIX;
        snprintf(a->sun_path, sizeof a->sun_path, "%s", path);
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

int libmilter_connect(void)
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
            ending_within(ENDING_SECONDS, 0);
            if (on_hangup)
                sem_post(&stop_ordered);
            *sig = n;
            return 0;
        }
        on_hangup();
    }
}

void libmilter_on_hangup(void (*reload)(void))
{
    on_hangup = reload;
}

bool libmilter_open(const char *socket)
{
    struct smfiDesc desc;
    char *copy = strdup(socket);
    bool ok;

    libmilter_describe(&desc);
    ok = copy && smfi_register(desc) == MI_SUCCESS && smfi_setconn(copy) == MI_SUCCESS;
    free(copy);
    errno = 0;
    return ok && smfi_opensocket(1) == MI_SUCCESS;
}

bool libmilter_run(void)
{
    make_waker();
    return smfi_main() == MI_SUCCESS || atomic_load(&told_to_stop);
}
