// SPDX-License-Identifier: BSD-2-Clause
/*
 * delegation.c - the listener of delegation.h: sockets, requests, notes.
 *
 * A request (milter/delegation_request.h) ends with an empty line; the answer is "action=DUNNO" and an empty line.
 * Every complete request is answered, nothing else is. Locking: a mutex protects the notes; connections belong to this
 * thread alone.
 */
#include "milter/delegation.h"
#include "base/clock.h"
#include "base/quiet_thread.h"
#include "net/listen.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "action=DUNNO\n\n";

struct note {
    struct delegation_request said;
    int64_t at_ms;
};

struct peer {
    char *octets; /* of the request read so far */
    size_t n;
};

struct delegation {
    struct listen_socket listener;
    int wake[2];
    pthread_t thread;
    struct pollfd fds[DELEGATION_CLIENTS + 2]; /* the listener, the pipe that ends the thread, clients */
    struct peer peers[DELEGATION_CLIENTS + 2];
    size_t count;
    pthread_mutex_t lock;
    struct note notes[DELEGATION_NOTES];
    size_t next;
};

/* ---- notes ---- */

bool delegation_find(struct delegation *d, const struct ip *client, unsigned port, struct delegation_request *out)
{
    int64_t now = clock_mono_ms();
    bool found = false;

    if (!d || !client->family || !port)
        return false;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < DELEGATION_NOTES && !found; i++) {
        const struct note *n = &d->notes[(d->next + DELEGATION_NOTES - 1 - i) % DELEGATION_NOTES];
        if (n->said.port != port || !ip_eq(&n->said.client, client) || now - n->at_ms > DELEGATION_SECONDS * 1000)
            continue;
        *out = n->said;
        found = true;
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

/* Notes what a request says. false: it is not a valid request. */
static bool delegation_receive(struct delegation *d, struct slice request)
{
    struct note note = {.at_ms = clock_mono_ms()};

    if (!delegation_request_read(request, &note.said))
        return false;
    if (note.said.client.family && note.said.port) {
        pthread_mutex_lock(&d->lock);
        d->notes[d->next] = note;
        d->next = (d->next + 1) % DELEGATION_NOTES;
        pthread_mutex_unlock(&d->lock);
    }
    return true;
}

/* ---- connections ---- */

static void peer_drop(struct delegation *d, size_t i)
{
    close(d->fds[i].fd);
    free(d->peers[i].octets);
    d->count--;
    d->fds[i] = d->fds[d->count];
    d->peers[i] = d->peers[d->count];
}

static void greet(struct delegation *d)
{
    int fd = accept4(d->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    char *octets = d->count < DELEGATION_CLIENTS + 2 ? malloc(DELEGATION_REQUEST) : NULL;
    if (!octets) {
        close(fd);
        return;
    }
    d->fds[d->count] = (struct pollfd){.fd = fd, .events = POLLIN};
    d->peers[d->count++] = (struct peer){.octets = octets};
}

/* Answers every complete request in the buffer. false: close the connection. */
static bool answer_all(struct delegation *d, size_t i)
{
    struct peer *p = &d->peers[i];

    for (;;) {
        const char *end = memmem(p->octets, p->n, "\n\n", 2);
        if (!end)
            return p->n < DELEGATION_REQUEST;
        size_t n = (size_t)(end - p->octets) + 1;
        if (!delegation_receive(d, slice_of(p->octets, n)) ||
            send(d->fds[i].fd, answer, sizeof answer - 1, MSG_NOSIGNAL) != sizeof answer - 1)
            return false;
        memmove(p->octets, p->octets + n + 1, p->n - n - 1);
        p->n -= n + 1;
    }
}

static bool listen_to(struct delegation *d, size_t i)
{
    struct peer *p = &d->peers[i];
    ssize_t got = recv(d->fds[i].fd, p->octets + p->n, DELEGATION_REQUEST - p->n, 0);

    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    p->n += (size_t)got;
    return answer_all(d, i);
}

static void *delegation_main(void *arg)
{
    struct delegation *d = arg;

    for (;;) {
        if (poll(d->fds, (nfds_t)d->count, -1) < 0 && errno != EINTR)
            break;
        if (d->fds[1].revents)
            break;
        for (size_t i = d->count; i-- > 2;)
            if (d->fds[i].revents && !listen_to(d, i))
                peer_drop(d, i);
        if (d->fds[0].revents)
            greet(d);
    }
    while (d->count > 2)
        peer_drop(d, d->count - 1);
    return NULL;
}

/* ---- opening and closing ---- */

static bool delegation_begin(struct delegation *d)
{
    if (pipe2(d->wake, O_CLOEXEC) != 0)
        return false;
    d->fds[0] = (struct pollfd){.fd = d->listener.fd, .events = POLLIN};
    d->fds[1] = (struct pollfd){.fd = d->wake[0], .events = POLLIN};
    d->count = 2;
    pthread_mutex_init(&d->lock, NULL);
    if (quiet_thread_create(&d->thread, delegation_main, d) == 0)
        return true;
    close(d->wake[0]);
    close(d->wake[1]);
    return false;
}

struct delegation *delegation_open(const char *name, unsigned mode, const char *group, const char **error)
{
    struct delegation *d = calloc(1, sizeof *d);

    *error = "out of memory";
    if (!d)
        return NULL;
    if (listen_open(&d->listener, name, mode, group, error)) {
        if (delegation_begin(d))
            return d;
        listen_close(&d->listener);
        *error = "out of files or threads";
    }
    free(d);
    return NULL;
}

struct delegation *delegation_close(struct delegation *d)
{
    if (!d)
        return NULL;
    (void)!write(d->wake[1], "", 1);
    pthread_join(d->thread, NULL);
    listen_close(&d->listener);
    close(d->wake[0]);
    close(d->wake[1]);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}
