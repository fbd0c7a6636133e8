// SPDX-License-Identifier: BSD-2-Clause
/*
 * second_socket.c - listens on further sockets, and hands them to our own engine, or forwards their connections to
 * libmilter's socket.
 *
 * Promises that each direction has one buffer and reads no more than the other side accepts, that the end of one side
 * is passed on once everything is written, and that a socket which cannot be opened does not affect the others. One
 * thread, started with the first socket; it waits in poll() only.
 */
#include "milter/second_socket.h"
#include "milter/log.h"
#include "net/listen.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER 16384

/* One direction: what was read from `from` and is still to be written to `to`. */
struct half {
    size_t at, end;
    bool ended, passed_on;
    char octets[BUFFER];
};

struct passage {
    int fd[2];           /* the MTA's side, libmilter's side */
    struct half half[2]; /* from fd[i] to fd[!i] */
};

static struct {
    struct listen_socket socket[SECOND_SOCKETS];
    char name[SECOND_SOCKETS][160];
    _Atomic size_t count;
    struct passage *passage[SECOND_CONNECTIONS];
    size_t passages;
    pthread_t thread;
    int (*connect_main)(void);
    bool (*take)(int listener); /* our own engine's; NULL: connections are forwarded */
    bool running;
    int wake[2];
    atomic_bool ending;
} all = {.wake = {-1, -1}};

static void end_passage(size_t i)
{
    close(all.passage[i]->fd[0]);
    close(all.passage[i]->fd[1]);
    free(all.passage[i]);
    all.passage[i] = all.passage[--all.passages];
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    int to = all.connect_main();
    struct passage *p = to >= 0 ? malloc(sizeof *p) : NULL;
    if (!p) {
        close(fd);
        if (to >= 0)
            close(to);
        return;
    }
    fcntl(to, F_SETFL, fcntl(to, F_GETFL) | O_NONBLOCK);
    p->fd[0] = fd;
    p->fd[1] = to;
    for (int i = 0; i < 2; i++) {
        p->half[i].at = p->half[i].end = 0;
        p->half[i].ended = p->half[i].passed_on = false;
    }
    all.passage[all.passages++] = p;
}

/* false: the connection has ended. */
static bool move(struct passage *p, int i)
{
    struct half *h = &p->half[i];
    if (h->at == h->end && !h->ended) {
        ssize_t n = read(p->fd[i], h->octets, sizeof h->octets);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        h->at = 0;
        h->end = n > 0 ? (size_t)n : 0;
        h->ended = n == 0;
    }
    while (h->at < h->end) {
        ssize_t n = send(p->fd[!i], h->octets + h->at, h->end - h->at, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        h->at += (size_t)n;
    }
    if (h->ended && !h->passed_on)
        h->passed_on = shutdown(p->fd[!i], SHUT_WR) == 0 || errno == ENOTCONN;
    return !(p->half[0].passed_on && p->half[1].passed_on);
}

static short wanted(const struct passage *p, int i)
{
    const struct half *in = &p->half[i], *out = &p->half[!i];
    return (short)((in->at == in->end && !in->ended ? POLLIN : 0) | (out->at < out->end ? POLLOUT : 0));
}

static void *pass_on(void *unused)
{
    struct pollfd set[1 + SECOND_SOCKETS + 2 * SECOND_CONNECTIONS];
    while (!atomic_load(&all.ending)) {
        size_t listeners = atomic_load(&all.count), n = 0, passages = all.passages;
        set[n++] = (struct pollfd){.fd = all.wake[0], .events = POLLIN};
        for (size_t i = 0; i < listeners; i++)
            set[n++] = (struct pollfd){.fd = passages < SECOND_CONNECTIONS ? all.socket[i].fd : -1, .events = POLLIN};
        size_t first = n;
        for (size_t i = 0; i < passages; i++)
            for (int side = 0; side < 2; side++) {
                short events = wanted(all.passage[i], side);
                set[n++] = (struct pollfd){.fd = events ? all.passage[i]->fd[side] : -1, .events = events};
            }
        if (poll(set, (nfds_t)n, -1) < 0 && errno != EINTR)
            break;
        char drop[64];
        if (set[0].revents && read(all.wake[0], drop, sizeof drop) < 0 && errno != EAGAIN)
            break;
        for (size_t i = passages; i-- > 0;)
            if ((set[first + 2 * i].revents || set[first + 2 * i + 1].revents) &&
                !(move(all.passage[i], 0) && move(all.passage[i], 1)))
                end_passage(i);
        for (size_t i = 0; i < listeners && all.passages < SECOND_CONNECTIONS; i++)
            if (set[1 + i].revents)
                accept_one(all.socket[i].fd);
    }
    return unused;
}

static bool start_thread(void)
{
    if (all.running)
        return true;
    if (pipe2(all.wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    all.running = pthread_create(&all.thread, NULL, pass_on, NULL) == 0;
    return all.running;
}

static void listen_at(const struct policy *p, const char *name, const char *main_socket)
{
    const char *error = "out of memory";
    size_t n = atomic_load(&all.count);
    if (!name || !*name || strcmp(name, main_socket) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (strcmp(all.name[i], name) == 0)
            return;
    unsigned mode = (unsigned)strtoul(policy_set_text(p, SETTING_MILTER_SOCKET_MODE), NULL, 8);
    if (n == SECOND_SOCKETS || strlen(name) >= sizeof all.name[n]) {
        log_say("not listening at %s too: restart assay-milter", name);
        return;
    }
    if (!listen_open(&all.socket[n], name, mode, policy_set_text(p, SETTING_MILTER_SOCKET_GROUP), &error)) {
        log_say("cannot listen at %s too: %s", name, error);
        return;
    }
    if (all.take ? !all.take(all.socket[n].fd) : !start_thread()) {
        listen_close(&all.socket[n]);
        log_say("cannot listen at %s too: %s", name, all.take ? "too many sockets" : "no thread for it");
        return;
    }
    memcpy(all.name[n], name, strlen(name) + 1);
    atomic_store(&all.count, n + 1);
    if (all.running)
        (void)!write(all.wake[1], "n", 1);
    log_say("listens at %s too", name);
}

void second_socket_begin(int (*connect_main)(void), bool (*take)(int listener))
{
    all.connect_main = connect_main;
    all.take = take;
}

void second_socket_listen(const struct policy *p, const char *main_socket)
{
    listen_at(p, policy_mta_socket(p), main_socket);
    listen_at(p, policy_set_text(p, SETTING_MILTER_SOCKET), main_socket);
}

void second_socket_close(void)
{
    if (all.running) {
        atomic_store(&all.ending, true);
        (void)!write(all.wake[1], "e", 1);
        pthread_join(all.thread, NULL);
    }
    for (size_t i = 0; i < atomic_load(&all.count); i++)
        listen_close(&all.socket[i]);
}
