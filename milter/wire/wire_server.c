// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_server.c - starts the loops, and bounds how many connections they accept.
 *
 * All loops wait at the same listening sockets, and a new connection wakes one that has nothing to do (SO_REUSEPORT
 * does not spread the connections of a unix socket, our default). It keeps the connection, unless another loop has
 * fewer: so most mails cost no hand-over from thread to thread. Failure: while no descriptor is left, or too many
 * connections wait for a refusal, new ones stay in the kernel's queue and are tried again; that is logged.
 */
#include "milter/wire/wire_server.h"
#include "milter/callbacks.h"
#include "milter/log.h"
#include "milter/session.h"
#include "milter/wire/wire_limits.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define LOOPS_MAX 256
#define SLACK 2 /* connections that a loop may have more than the least busy one, before it hands over */

static struct {
    atomic_bool stopping;
    pthread_mutex_t lock; /* over listener, listeners, and the loops' being told of them */
    int listener[WIRE_LISTENERS];
    unsigned listeners;
    struct wire_loop *loop[LOOPS_MAX];
    unsigned loops;
    atomic_uint connections, refused;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_closed(bool refused)
{
    atomic_fetch_sub(refused ? &server.refused : &server.connections, 1);
}

static void server_complain(const char *what)
{
    log_complain(LOG_PROTOCOL, "a connection of the MTA is closed: %s", what);
}

static const struct wire_host host = {.callbacks = &callbacks, .memory_is_full = wire_limits_memory_is_full};

static struct wire_loop *least_busy(void)
{
    struct wire_loop *best = server.loop[0];

    for (unsigned i = 1; i < server.loops; i++)
        if (wire_loop_load(server.loop[i]) < wire_loop_load(best))
            best = server.loop[i];
    return best;
}

/* Who serves a connection that this loop accepts. */
static struct wire_loop *server_of(struct wire_loop *self)
{
    struct wire_loop *best = least_busy();

    return wire_loop_load(self) <= wire_loop_load(best) + SLACK ? self : best;
}

/* Tells whether milter.connections is reached. */
static bool is_full(void)
{
    return atomic_load(&server.connections) >= wire_limits_connections();
}

static bool accept_one(struct wire_loop *self, int listener)
{
    struct wire_loop *to;
    int fd;

    if (atomic_load(&server.stopping))
        return false;
    if (is_full() && atomic_load(&server.refused) >= WIRE_REFUSED_MAX) {
        log_complain(LOG_LIMIT, "milter.connections is reached, and %d more wait for a temporary failure",
                     WIRE_REFUSED_MAX);
        return false;
    }
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
        return true;
    if (fd < 0) {
        log_complain(LOG_LIMIT, "no connection can be accepted now: %s", strerror(errno));
        return false;
    }
    if (!wire_limits_peer_may(fd)) {
        close(fd);
        return true;
    }
    const bool refuse = is_full();
    if (refuse)
        log_complain(LOG_LIMIT, "milter.connections is reached (%u): a connection gets a temporary failure",
                     wire_limits_connections());
    atomic_fetch_add(refuse ? &server.refused : &server.connections, 1);
    to = server_of(self);
    if (to == self)
        wire_loop_take(self, fd, refuse);
    else
        wire_loop_give(to, fd, refuse);
    return true;
}

static const struct wire_loop_owner owner = {
    .host = &host,
    .closed = on_closed,
    .memory = wire_limits_count_memory,
    .used = session_used,
    .complain = server_complain,
    .ready = accept_one,
};

bool wire_server_listen(int fd)
{
    bool ok;

    pthread_mutex_lock(&server.lock);
    ok = server.listeners < WIRE_LISTENERS;
    if (ok)
        server.listener[server.listeners++] = fd;
    for (unsigned i = 0; ok && i < server.loops; i++)
        ok = wire_loop_listen(server.loop[i], fd);
    pthread_mutex_unlock(&server.lock);
    return ok;
}

/* Starts the loops; when all are there, they listen. */
static bool loops_begin(unsigned threads)
{
    bool ok = true;

    pthread_mutex_lock(&server.lock);
    for (unsigned i = 0; i < threads && i < LOOPS_MAX; i++) {
        server.loop[server.loops] = wire_loop_new(&owner);
        server.loops += server.loop[server.loops] != NULL;
    }
    for (unsigned i = 0; i < server.loops; i++)
        for (unsigned k = 0; k < server.listeners; k++)
            ok &= wire_loop_listen(server.loop[i], server.listener[k]);
    ok &= server.loops > 0;
    pthread_mutex_unlock(&server.lock);
    return ok;
}

/* Processors that this process may run on: the service may be held to some of them (CPUAffinity=, taskset). A loop
 * more than those would only wait for another's processor. */
static unsigned processors(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
#endif
    return online > 0 ? (unsigned)online : 1;
}

int wire_server_run(unsigned threads, unsigned drain_seconds)
{
    sigset_t set;
    int sig;

    if (!loops_begin(threads ? threads : processors())) {
        log_say("the milter engine cannot start: no thread or descriptor for it");
        return EX_OSERR;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &sig); /* ours (libmilter_server.c), which reloads at SIGHUP */
    atomic_store(&server.stopping, true);
    session_stop();
    for (unsigned i = 0; i < server.loops; i++)
        wire_loop_stop(server.loop[i], drain_seconds);
    /* A loop that still accepts a connection asks the others for their load. */
    for (unsigned i = 0; i < server.loops; i++)
        wire_loop_join(server.loop[i]);
    for (unsigned i = 0; i < server.loops; i++)
        server.loop[i] = wire_loop_free(server.loop[i]);
    return EX_OK;
}
