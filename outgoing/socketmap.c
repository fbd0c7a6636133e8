// SPDX-License-Identifier: BSD-2-Clause
/*
 * socketmap.c - the listener of socketmap.h: connections, the threads that answer, and the room where clients wait.
 *
 * Promises one reply to every complete request, in order, and none to anything else (outgoing/netstring.h).
 *
 * A client has a place, and a thread, until a request of its comes in part. Then it leaves its place and stands in the
 * room, which the accepting thread watches, until the request is whole and there is a place again. So nobody who is
 * slow to ask keeps another from an answer.
 *
 * Locking: a mutex protects the table of places and the list of those who enter the room; the room is the accepting
 * thread's, and a visit belongs to whoever holds it. Closing shuts down every connection, so that no thread waits in
 * recv, and then waits until the last thread has ended. If memory runs out only that connection is closed.
 */
#include "outgoing/socketmap.h"
#include "outgoing/netstring.h"
#include "outgoing/socketmap_reply.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include "net/listen.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REPLIES_AT_ONCE 16384 /* octets of replies to requests that came together, above which they are sent */
#define CROWDED_LOOK 250      /* milliseconds between two looks at who waits while all places are taken */

/* A connection, and what has come of its next request. */
struct visit {
    struct visit *next; /* of those who enter the room */
    int fd;
    bool whole;    /* its request is complete: it waits for a place */
    int64_t begun; /* when the request began, by clock_mono_ms() */
    size_t n;
    char come[SOCKETMAP_REQUEST + NETSTRING_FRAME];
};

struct place {
    int fd;               /* -1: free */
    _Atomic int64_t idle; /* since when nothing was asked, by clock_mono_ms(); 0: it is being answered */
};

struct socketmap {
    struct listen_socket listener;
    int wake[2]; /* written to when a client leaves its place or enters the room, and at the end */
    struct tls_policy *tls_policy;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t gone;
    bool stop;
    size_t count;
    struct place places[SOCKETMAP_CLIENTS];
    struct visit *entering;
    struct visit *room[SOCKETMAP_ROOM]; /* the longest there first */
    size_t room_count;
};

struct client {
    struct socketmap *map;
    size_t place;
    struct visit *visit;
};

/* ---- a client with a place ---- */

/* Who takes nothing for SOCKETMAP_PARTIAL seconds, or all of it too slowly, is given up. */
static bool send_all(int fd, struct buf *replies)
{
    const int64_t until = clock_mono_ms() + SOCKETMAP_PARTIAL * 1000;
    struct slice s = buf_slice(replies);

    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0 || ((size_t)n < s.n && clock_mono_ms() >= until))
            return false;
        s = slice_from(s, (size_t)n);
    }
    buf_reset(replies);
    return true;
}

/* Adds the reply. What there is of earlier replies is sent before one that must be waited for. */
static bool add_reply(struct socketmap *m, int fd, struct slice request, struct buf *replies)
{
    if (!replies->n || !socketmap_reply(m->tls_policy, request, true, replies)) {
        if (!send_all(fd, replies))
            return false;
        socketmap_reply(m->tls_policy, request, false, replies);
    }
    return !replies->failed && (replies->n < REPLIES_AT_ONCE || send_all(fd, replies));
}

/* Answers every complete request that has come. False: close the connection. */
static bool answer_all(struct socketmap *m, struct visit *v)
{
    struct buf replies = BUF_INIT;
    struct slice request;
    size_t done = 0;
    bool good = true;
    long used;

    while ((used = netstring_first(slice_of(v->come + done, v->n - done), SOCKETMAP_REQUEST, &request)) > 0 && good) {
        good = add_reply(m, v->fd, request, &replies);
        done += (size_t)used;
    }
    good = good && send_all(v->fd, &replies) && used == 0;
    buf_release(&replies);
    memmove(v->come, v->come + done, v->n - done);
    v->n -= done;
    return good;
}

enum heard { HEARD_MORE, HEARD_NOTHING, HEARD_END };

/* Never called with a full buffer: a request that long was answered, or is none. HEARD_NOTHING: in good time. */
static enum heard receive(struct visit *v, int flags)
{
    ssize_t got = recv(v->fd, v->come + v->n, sizeof v->come - v->n, flags);

    if (got <= 0)
        return got < 0 && flags && (errno == EAGAIN || errno == EINTR) ? HEARD_NOTHING : HEARD_END;
    v->n += (size_t)got;
    return HEARD_MORE;
}

/* Answers until the client leaves, false, or has sent a request in part, true. */
static bool visit_serve(struct socketmap *m, struct place *at, struct visit *v)
{
    while (answer_all(m, v)) {
        const bool in_part = v->n > 0;
        if (!in_part)
            at->idle = clock_mono_ms();
        const enum heard h = receive(v, in_part ? MSG_DONTWAIT : 0);
        v->begun = clock_mono_ms();
        if (h != HEARD_MORE)
            return h == HEARD_NOTHING;
        at->idle = 0;
    }
    return false;
}

static void *client_main(void *arg)
{
    struct client *c = arg;
    struct socketmap *m = c->map;
    struct place *at = &m->places[c->place];
    struct visit *v = c->visit;
    const bool stays = visit_serve(m, at, v);

    pthread_mutex_lock(&m->lock);
    at->fd = -1;
    m->count--;
    if (stays && !m->stop) {
        v->next = m->entering;
        m->entering = v;
    } else {
        close(v->fd);
        free(v);
    }
    (void)!write(m->wake[1], "r", 1);
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
    while (i < SOCKETMAP_CLIENTS && m->places[i].fd >= 0)
        i++;
    if (i < SOCKETMAP_CLIENTS) {
        m->places[i].fd = fd;
        m->places[i].idle = 0;
        m->count++;
    }
    pthread_mutex_unlock(&m->lock);
    return i;
}

static struct visit *leave(struct visit *v)
{
    close(v->fd);
    free(v);
    return NULL;
}

/* Gives the visit a place and a thread. It is the thread's then, or closed. */
static void seat(struct socketmap *m, struct visit *v)
{
    struct client *c = malloc(sizeof *c);
    size_t place = c ? take_place(m, v->fd) : SOCKETMAP_CLIENTS;
    pthread_t thread;

    v->whole = false;
    if (place < SOCKETMAP_CLIENTS) {
        *c = (struct client){m, place, v};
        if (quiet_thread_create(&thread, client_main, c) == 0) {
            pthread_detach(thread);
            return;
        }
        pthread_mutex_lock(&m->lock);
        m->places[place].fd = -1;
        m->count--;
        pthread_mutex_unlock(&m->lock);
    }
    free(c);
    leave(v);
}

static bool is_full(struct socketmap *m)
{
    pthread_mutex_lock(&m->lock);
    const bool full = m->count == SOCKETMAP_CLIENTS;
    pthread_mutex_unlock(&m->lock);
    return full;
}

/* ---- the room ---- */

static void remove_from_room(struct socketmap *m, size_t i)
{
    memmove(&m->room[i], &m->room[i + 1], (--m->room_count - i) * sizeof *m->room);
}

/* Disconnects who has been longest at a request that is not whole. False: there is nobody. */
static bool make_room(struct socketmap *m)
{
    for (size_t i = 0; i < m->room_count; i++)
        if (!m->room[i]->whole) {
            leave(m->room[i]);
            remove_from_room(m, i);
            return true;
        }
    return false;
}

static void let_in(struct socketmap *m)
{
    pthread_mutex_lock(&m->lock);
    struct visit *v = m->entering, *next;
    m->entering = NULL;
    pthread_mutex_unlock(&m->lock);
    for (; v; v = next) {
        next = v->next;
        if (m->room_count < SOCKETMAP_ROOM || make_room(m))
            m->room[m->room_count++] = v;
        else
            leave(v);
    }
}

/* What has come from one in the room. False: it is to be disconnected. */
static bool visit_hear(struct visit *v, short events)
{
    struct slice request;

    if (!events || v->whole)
        return v->whole || clock_mono_ms() < v->begun + SOCKETMAP_PARTIAL * 1000;
    const enum heard h = receive(v, MSG_DONTWAIT);
    if (h != HEARD_MORE)
        return h == HEARD_NOTHING;
    const long used = netstring_first(slice_of(v->come, v->n), SOCKETMAP_REQUEST, &request);
    v->whole = used > 0;
    return used >= 0;
}

/* fds: of those in the room, in their order. */
static void hear_room(struct socketmap *m, const struct pollfd *fds)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->room_count; i++) {
        struct visit *v = m->room[i];
        if (visit_hear(v, fds[i].revents))
            m->room[kept++] = v;
        else
            leave(v);
    }
    m->room_count = kept;
    for (size_t i = 0; i < m->room_count && !is_full(m);) {
        struct visit *v = m->room[i];
        if (!v->whole) {
            i++;
            continue;
        }
        remove_from_room(m, i);
        seat(m, v);
    }
}

/* ---- the accepting thread ---- */

static void greet(struct socketmap *m)
{
    static const struct timeval idle = {.tv_sec = SOCKETMAP_IDLE}, partial = {.tv_sec = SOCKETMAP_PARTIAL};
    int fd = accept4(m->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    struct visit *v = fd >= 0 ? malloc(sizeof *v) : NULL;

    if (fd < 0) {
        if ((errno == EMFILE || errno == ENFILE) && !make_room(m))
            poll(NULL, 0, 10); /* until a file is closed */
        return;
    }
    if (!v) {
        close(fd);
        return;
    }
    v->fd = fd;
    v->n = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &partial, sizeof partial);
    seat(m, v);
}

/* Others wait in the kernel's queue, or in the room with a whole request. */
static bool others_wait(struct socketmap *m)
{
    struct pollfd queue = {.fd = m->listener.fd, .events = POLLIN};

    for (size_t i = 0; i < m->room_count; i++)
        if (m->room[i]->whole)
            return true;
    return poll(&queue, 1, 0) > 0;
}

/* All places are taken and others wait: who has asked nothing for longest, and SOCKETMAP_CROWDED seconds, goes. */
static void free_idle(struct socketmap *m)
{
    int64_t longest = clock_mono_ms() - SOCKETMAP_CROWDED * 1000;
    struct place *found = NULL;

    if (!is_full(m) || !others_wait(m))
        return;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++) {
        const int64_t idle = m->places[i].idle;
        if (m->places[i].fd >= 0 && idle && idle < longest) {
            longest = idle;
            found = &m->places[i];
        }
    }
    if (found) {
        shutdown(found->fd, SHUT_RD); /* a request that came in this instant is answered all the same */
        found->idle = 0;
    }
    pthread_mutex_unlock(&m->lock);
}

/* When the accepting thread must look again though nothing has come: -1: never. */
static int patience(const struct socketmap *m, bool full)
{
    int64_t now = clock_mono_ms(), left = full ? CROWDED_LOOK : -1;

    for (size_t i = 0; i < m->room_count; i++) {
        const int64_t end = m->room[i]->begun + SOCKETMAP_PARTIAL * 1000 - now;
        if (!m->room[i]->whole && (left < 0 || end < left))
            left = end > 0 ? end : 0;
    }
    return (int)left;
}

/* What woke the accepting thread, taken; false: it must end. */
static bool goes_on(struct socketmap *m, short events)
{
    char octets[256];

    if (events)
        (void)!read(m->wake[0], octets, sizeof octets);
    pthread_mutex_lock(&m->lock);
    const bool stop = m->stop;
    pthread_mutex_unlock(&m->lock);
    return !stop;
}

/* With all places taken no connection is accepted: new clients wait in the kernel's queue until one leaves. */
static void *socketmap_main(void *arg)
{
    struct pollfd fds[2 + SOCKETMAP_ROOM] = {{.events = POLLIN}, {.events = POLLIN}};
    struct socketmap *m = arg;

    fds[1].fd = m->wake[0];
    for (;;) {
        const bool full = is_full(m);
        fds[0].fd = full ? -1 : m->listener.fd;
        for (size_t i = 0; i < m->room_count; i++)
            fds[2 + i] = (struct pollfd){.fd = m->room[i]->whole ? -1 : m->room[i]->fd, .events = POLLIN};
        if (poll(fds, 2 + m->room_count, patience(m, full)) < 0) {
            if (errno != EINTR)
                break;
            continue;
        }
        if (!goes_on(m, fds[1].revents))
            break;
        hear_room(m, fds + 2);
        let_in(m);
        if (fds[0].revents && !is_full(m))
            greet(m);
        free_idle(m);
    }
    return NULL;
}

/* ---- opening and closing ---- */

static bool socketmap_begin(struct socketmap *m)
{
    if (pipe2(m->wake, O_CLOEXEC | O_NONBLOCK) != 0) /* full: it is awake */
        return false;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->gone, NULL);
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        m->places[i].fd = -1;
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
        if (socketmap_begin(m))
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
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_mutex_unlock(&m->lock);
    (void)!write(m->wake[1], "q", 1);
    pthread_join(m->thread, NULL);
    listen_close(&m->listener);
    let_in(m);
    for (size_t i = 0; i < m->room_count; i++)
        leave(m->room[i]);
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < SOCKETMAP_CLIENTS; i++)
        if (m->places[i].fd >= 0)
            shutdown(m->places[i].fd, SHUT_RDWR);
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
