// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_server.c - accepts connections and hands each to the least busy loop.
 *
 * One thread accepts for all loops: SO_REUSEPORT does not spread the connections of a unix socket, our default. It
 * never answers and never reads. Failure: while no descriptor is left, or too many connections wait for a refusal, new
 * ones stay in the kernel's queue and are tried again; that is logged.
 */
#include "milter/wire/wire_server.h"
#include "milter/callbacks.h"
#include "milter/log.h"
#include "milter/session.h"
#include "milter/wire/wire_limits.h"
#include "milter/wire/wire_loop.h"
#include "milter/wire/wire_poll.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define LOOPS_MAX 256
#define ACCEPT_AT_ONCE 64
#define PAUSE_US 20000

static struct {
    pthread_t thread;
    int poll, wake[2];
    atomic_bool stopping;
    pthread_mutex_t lock; /* over listener and listeners */
    int listener[WIRE_LISTENERS];
    unsigned listeners;
    struct wire_loop *loop[LOOPS_MAX];
    unsigned loops;
    atomic_uint connections, refused;
} server = {.poll = -1, .wake = {-1, -1}, .lock = PTHREAD_MUTEX_INITIALIZER};

static void on_closed(bool refused)
{
    atomic_fetch_sub(refused ? &server.refused : &server.connections, 1);
}

static void complain(const char *what)
{
    log_complain(LOG_PROTOCOL, "a connection of the MTA is closed: %s", what);
}

static const struct wire_host host = {.callbacks = &callbacks, .memory_is_full = wire_limits_memory_is_full};

static const struct wire_loop_owner owner = {
    .host = &host,
    .closed = on_closed,
    .memory = wire_limits_count_memory,
    .used = session_used,
    .complain = complain,
};

static struct wire_loop *least_busy(void)
{
    struct wire_loop *best = server.loop[0];

    for (unsigned i = 1; i < server.loops; i++)
        if (wire_loop_load(server.loop[i]) < wire_loop_load(best))
            best = server.loop[i];
    return best;
}

/* Accepts one connection. false: there is none, or none can be accepted now. */
static bool accept_one(int listener)
{
    if (atomic_load(&server.refused) >= WIRE_REFUSED_MAX) {
        log_complain(LOG_LIMIT, "milter.connections is reached, and %d more wait for a temporary failure",
                     WIRE_REFUSED_MAX);
        usleep(PAUSE_US);
        return false;
    }
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        log_complain(LOG_LIMIT, "no connection can be accepted now: %s", strerror(errno));
        usleep(PAUSE_US);
    }
    if (fd < 0)
        return false;
    if (!wire_limits_peer_may(fd)) {
        close(fd);
        return true;
    }
    const bool refuse = atomic_load(&server.connections) >= wire_limits_connections();
    if (refuse)
        log_complain(LOG_LIMIT, "milter.connections is reached (%u): a connection gets a temporary failure",
                     wire_limits_connections());
    atomic_fetch_add(refuse ? &server.refused : &server.connections, 1);
    wire_loop_give(least_busy(), fd, refuse);
    return true;
}

/* An owner that tells the acceptor's wake pipe from its listeners, which are owned by their place. */
static char wake_owner;

static void *accept_all(void *unused)
{
    struct wire_event events[WIRE_LISTENERS + 1];
    char drop[16];

    while (!atomic_load(&server.stopping)) {
        int n = wire_poll_wait(server.poll, events, WIRE_LISTENERS + 1, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].owner == &wake_owner) {
                (void)!read(server.wake[0], drop, sizeof drop);
                continue;
            }
            for (int k = 0; k < ACCEPT_AT_ONCE && accept_one(*(int *)events[i].owner); k++)
                ;
        }
    }
    return unused;
}

bool wire_server_listen(int fd)
{
    bool ok = false;

    pthread_mutex_lock(&server.lock);
    if (server.listeners < WIRE_LISTENERS && (server.poll >= 0 || (server.poll = wire_poll_new()) >= 0)) {
        int *place = &server.listener[server.listeners];
        *place = fd;
        ok = wire_poll_add(server.poll, fd, place);
        server.listeners += ok;
    }
    pthread_mutex_unlock(&server.lock);
    return ok;
}

static bool begin(unsigned threads)
{
    if (server.poll < 0 || pipe2(server.wake, O_CLOEXEC | O_NONBLOCK) != 0 ||
        !wire_poll_add(server.poll, server.wake[0], &wake_owner))
        return false;
    for (unsigned i = 0; i < threads && i < LOOPS_MAX; i++) {
        server.loop[server.loops] = wire_loop_new(&owner);
        server.loops += server.loop[server.loops] != NULL;
    }
    return server.loops && pthread_create(&server.thread, NULL, accept_all, NULL) == 0;
}

static void stop_accepting(void)
{
    atomic_store(&server.stopping, true);
    (void)!write(server.wake[1], "s", 1);
    pthread_join(server.thread, NULL);
}

int wire_server_run(unsigned threads, unsigned drain_seconds)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    sigset_t set;
    int sig;

    if (!begin(threads ? threads : cores > 0 ? (unsigned)cores : 1)) {
        log_say("the milter engine cannot start: no thread or descriptor for it");
        return EX_OSERR;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &sig); /* ours (libmilter_server.c), which reloads at SIGHUP */
    stop_accepting();
    session_stop();
    for (unsigned i = 0; i < server.loops; i++)
        wire_loop_stop(server.loop[i], drain_seconds);
    for (unsigned i = 0; i < server.loops; i++)
        server.loop[i] = wire_loop_free(server.loop[i]);
    close(server.poll);
    close(server.wake[0]);
    close(server.wake[1]);
    return EX_OK;
}
