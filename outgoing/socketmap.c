// SPDX-License-Identifier: BSD-2-Clause
/*
 * socketmap.c - the listener of socketmap.h: requests, connections, threads.
 *
 * Promises one reply to every complete request, in order, and none to anything else (outgoing/netstring.h). Locking: a
 * mutex protects the table of connections; a connection's buffer belongs to its thread. Closing shuts down every
 * connection, so that no thread waits in recv, and then waits until the last thread has ended. If memory runs out only
 * that connection is closed.
 */
#include "outgoing/socketmap.h"
#include "outgoing/netstring.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include "net/listen.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct socketmap {
    struct listen_socket listener;
    int wake[2];
    struct tls_policy *tls_policy;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t gone;
    size_t count;
    int clients[SOCKETMAP_CLIENTS]; /* -1: free */
};

struct client {
    struct socketmap *map;
    size_t place;
};

/* ---- the protocol ---- */

static void wrap(struct buf *reply, const char *word, struct slice text)
{
    buf_printf(reply, "%zu:%s ", strlen(word) + 1 + text.n, word);
    buf_addslice(reply, text);
    buf_addc(reply, ',');
}

/* A key that Postfix could ask for: visible octets. Else it is not found, like any name that is none. */
static bool is_visible(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

/* The map's name before the first blank; *key: what is behind it. No blank: no map. */
static struct slice map_of(struct slice request, struct slice *key)
{
    const char *blank = request.n ? memchr(request.p, ' ', request.n) : NULL;

    *key = SLICE_NULL;
    if (!blank)
        return SLICE_NULL;
    *key = slice_from(request, (size_t)(blank - request.p) + 1);
    return slice_of(request.p, (size_t)(blank - request.p));
}

/* The reply to a request, as netstring. */
static void reply_to(struct tls_policy *o, struct slice request, struct buf *reply)
{
    static const char *const words[] = {"OK", "NOTFOUND", "TEMP"};
    enum tls_policy_answer answer = TLS_POLICY_NOT_FOUND;
    struct slice key, map = map_of(request, &key);
    const bool attributes = slice_eq(map, SLICE_LIT(SOCKETMAP_NAME_ATTRIBUTES));
    char text[SOCKETMAP_REQUEST + 1];
    struct buf policy = BUF_INIT;

    buf_reset(reply);
    if (!attributes && !slice_eq(map, SLICE_LIT(SOCKETMAP_NAME))) {
        wrap(reply, "PERM", SLICE_LIT("the maps here are " SOCKETMAP_NAME " and " SOCKETMAP_NAME_ATTRIBUTES));
        return;
    }
    if (is_visible(key) && key.n <= SOCKETMAP_REQUEST) {
        if (key.n)
            memcpy(text, key.p, key.n);
        text[key.n] = '\0';
        answer = tls_policy_ask(o, &(struct tls_policy_question){.key = text, .attributes = attributes}, &policy);
    }
    if (policy.failed || policy.n > SOCKETMAP_REPLY - 16)
        wrap(reply, "TEMP", SLICE_LIT("out of memory"));
    else
        wrap(reply, words[answer], buf_slice(&policy));
    buf_release(&policy);
}

/* ---- connections ---- */

static bool send_all(int fd, struct slice s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        s = slice_from(s, (size_t)n);
    }
    return true;
}

/* Answers every complete request in the buffer. false: close the connection. */
static bool answer_all(struct socketmap *m, int fd, char *come, size_t *n)
{
    struct buf reply = BUF_INIT;
    struct slice request;
    bool good = true;
    long used;

    while (good && (used = netstring_first(slice_of(come, *n), SOCKETMAP_REQUEST, &request)) > 0) {
        reply_to(m->tls_policy, request, &reply);
        good = !reply.failed && send_all(fd, buf_slice(&reply));
        memmove(come, come + used, *n - (size_t)used);
        *n -= (size_t)used;
    }
    buf_release(&reply);
    return good && used == 0;
}

/* How long the next octets are waited for: `begun` is when the request that has come in part began. False: too late. */
static bool set_patience(int fd, size_t n, int64_t begun)
{
    const int64_t left = n ? begun + SOCKETMAP_PARTIAL * 1000 - clock_mono_ms() : SOCKETMAP_IDLE * 1000;
    const struct timeval t = {.tv_sec = (time_t)(left / 1000), .tv_usec = (suseconds_t)(left % 1000 * 1000)};

    return left > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0;
}

static void serve(struct socketmap *m, int fd)
{
    char come[SOCKETMAP_REQUEST + NETSTRING_FRAME];
    int64_t begun = 0;
    size_t n = 0;

    while (set_patience(fd, n, begun)) {
        ssize_t got =
            recv(fd, come + n, sizeof come - n, 0); /* never full: a request that long was answered or is none */
        if (got <= 0)
            return;
        size_t before = n;
        n += (size_t)got;
        const size_t whole = n;
        if (!answer_all(m, fd, come, &n))
            return;
        if (!before || n < whole) /* what is there now begins another request */
            begun = clock_mono_ms();
    }
}

static void *client_main(void *arg)
{
    struct client *c = arg;
    struct socketmap *m = c->map;

    serve(m, m->clients[c->place]);
    pthread_mutex_lock(&m->lock);
    close(m->clients[c->place]);
    m->clients[c->place] = -1;
    if (m->count-- == SOCKETMAP_CLIENTS)
        (void)!write(m->wake[1], "r", 1); /* there is room again */
    pthread_cond_signal(&m->gone);
    pthread_mutex_unlock(&m->lock);
    free(c);
    return NULL;
}

/* A free place, taken; SOCKETMAP_CLIENTS: none. */
static size_t take_place(struct socketmap *m, int fd)
{
    size_t i = 0;

    pthread_mutex_lock(&m->lock);
    while (i < SOCKETMAP_CLIENTS && m->clients[i] >= 0)
        i++;
    if (i < SOCKETMAP_CLIENTS) {
        m->clients[i] = fd;
        m->count++;
    }
    pthread_mutex_unlock(&m->lock);
    return i;
}

static void greet(struct socketmap *m)
{
    static const struct timeval idle = {.tv_sec = SOCKETMAP_IDLE};
    int fd = accept4(m->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    struct client *c = fd >= 0 ? malloc(sizeof *c) : NULL;
    pthread_t thread;

    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof idle);
    size_t place = c ? take_place(m, fd) : SOCKETMAP_CLIENTS;
    if (place == SOCKETMAP_CLIENTS) {
        free(c);
        close(fd);
        return;
    }
    *c = (struct client){m, place};
    if (quiet_thread_create(&thread, client_main, c) == 0) {
        pthread_detach(thread);
        return;
    }
    pthread_mutex_lock(&m->lock);
    m->clients[place] = -1;
    m->count--; /* wakes the accepting thread: it checks again */
    pthread_mutex_unlock(&m->lock);
    free(c);
    close(fd);
}

/* With all slots in use no connection is accepted: new clients wait in the kernel's queue until one leaves. */
static void *socketmap_main(void *arg)
{
    struct socketmap *m = arg;
    struct pollfd fds[2] = {{.events = POLLIN}, {.fd = m->wake[0], .events = POLLIN}};
    char why = 'r';

    for (;;) {
        pthread_mutex_lock(&m->lock);
        fds[0].fd = m->count < SOCKETMAP_CLIENTS ? m->listener.fd : -1;
        pthread_mutex_unlock(&m->lock);
        fds[0].revents = 0;
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents && (read(m->wake[0], &why, 1) != 1 || why == 'q'))
            break;
        if (fds[0].revents)
            greet(m);
    }
    return NULL;
}

/* ---- opening and closing ---- */

static bool begin(struct socketmap *m)
{
    if (pipe2(m->wake, O_CLOEXEC) != 0)
        return false;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->gone, NULL);
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        m->clients[i] = -1;
    if (quiet_thread_create(&m->thread, socketmap_main, m) == 0)
        return true;
    close(m->wake[0]);
    close(m->wake[1]);
    return false;
}

struct socketmap *socketmap_open(const char *socket, unsigned mode, const char *group, struct tls_policy *o,
                                 const char **error)
{
    struct socketmap *m = calloc(1, sizeof *m);

    *error = "out of memory";
    if (!m)
        return NULL;
    m->tls_policy = o;
    if (listen_open(&m->listener, socket, mode, group, error)) {
        if (begin(m))
            return m;
        listen_close(&m->listener);
        *error = "out of files or threads";
    }
    free(m);
    return NULL;
}

struct socketmap *socketmap_close(struct socketmap *m)
{
    if (!m)
        return NULL;
    (void)!write(m->wake[1], "q", 1);
    pthread_join(m->thread, NULL);
    listen_close(&m->listener);
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        if (m->clients[i] >= 0)
            shutdown(m->clients[i], SHUT_RDWR);
    while (m->count)
        pthread_cond_wait(&m->gone, &m->lock);
    pthread_mutex_unlock(&m->lock);
    close(m->wake[0]);
    close(m->wake[1]);
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->gone);
    free(m);
    return NULL;
}
