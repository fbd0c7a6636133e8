// SPDX-License-Identifier: BSD-2-Clause
/*
 * direct.c - the sockets of direct.h: UDP first, TCP if the answer was truncated.
 *
 * Promises to return in time whatever the server does, to accept an answer only from the server that was asked (the
 * socket is connected), and to close what it opened. An answer that is not ours is skipped, and waiting goes on.
 */
#include "base/clock.h"
#include "dns/direct.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_MS 3000
#define DEFAULT_TRIES 2

struct exchange {
    struct arena *arena;
    const struct dns_direct_request *q;
    struct dns_direct_answer *out;
    unsigned char question[512];
    size_t length;
    int fd;
    int64_t deadline;
};

static bool exchange_fail(struct exchange *x, enum dns_direct_outcome outcome, const char *why)
{
    x->out->outcome = outcome;
    x->out->why = why;
    return false;
}

static bool wait_for(struct exchange *x, short events)
{
    for (;;) {
        int64_t left = x->deadline - clock_mono_ms();
        struct pollfd p = {.fd = x->fd, .events = events};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0)
            return true;
        if (n == 0)
            return exchange_fail(x, DNS_DIRECT_TIMEOUT, "no answer in time");
        if (errno != EINTR)
            return exchange_fail(x, DNS_DIRECT_INTERNAL, "poll failed");
    }
}

static bool connect_to(struct exchange *x, int kind)
{
    const struct ip *a = &x->q->server;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } to = {0};
    socklen_t size = a->family == 4 ? sizeof to.in : sizeof to.in6;
    in_port_t port = htons((uint16_t)(x->q->port ? x->q->port : 53));
    x->deadline = clock_mono_ms() + (x->q->timeout_ms ? x->q->timeout_ms : DEFAULT_MS);
    if (a->family == 4) {
        to.in.sin_family = AF_INET;
        to.in.sin_port = port;
        memcpy(&to.in.sin_addr, a->octets, 4);
    } else {
        to.in6.sin6_family = AF_INET6;
        to.in6.sin6_port = port;
        memcpy(&to.in6.sin6_addr, a->octets, 16);
    }
    x->fd = socket(a->family == 4 ? AF_INET : AF_INET6, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (x->fd < 0)
        return exchange_fail(x, errno == EAFNOSUPPORT ? DNS_DIRECT_UNREACHABLE : DNS_DIRECT_INTERNAL, "no socket");
    if (connect(x->fd, &to.sa, size) == 0)
        return true;
    if (errno != EINPROGRESS)
        return exchange_fail(x, DNS_DIRECT_UNREACHABLE, "cannot be reached");
    int error = 0;
    size = sizeof error;
    if (!wait_for(x, POLLOUT))
        return false;
    if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error)
        return exchange_fail(x, DNS_DIRECT_UNREACHABLE, "cannot be reached");
    return true;
}

/* A new ID for each try; false: no randomness, or the text asked for is not a domain name. */
static bool new_question(struct exchange *x)
{
    uint16_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        return exchange_fail(x, DNS_DIRECT_INTERNAL, "no randomness");
    x->length = dns_direct_question(x->q->name, x->q->type, id, x->question);
    if (x->q->recursive) {
        x->question[2] |= 0x01; /* RD */
        x->question[3] |= 0x20; /* AD */
    }
    if (x->q->checking_disabled)
        x->question[3] |= 0x10;
    return x->length || exchange_fail(x, DNS_DIRECT_INTERNAL, "not a domain name");
}

static bool read_answer(struct exchange *x, struct slice message, bool *truncated)
{
    struct dns_direct_answer got = {.outcome = DNS_DIRECT_ANSWERED, .tcp = x->out->tcp};
    if (!dns_direct_read(x->arena, message, slice_of((char *)x->question, x->length), &got, truncated))
        return false;
    *x->out = got;
    return true;
}

/* One try over UDP. false: outcome and why say the reason. */
static bool ask_udp(struct exchange *x, bool *truncated)
{
    static _Thread_local unsigned char message[4096];
    if (!new_question(x) || !connect_to(x, SOCK_DGRAM))
        return false;
    if (send(x->fd, x->question, x->length, MSG_NOSIGNAL) != (ssize_t)x->length)
        return exchange_fail(x, DNS_DIRECT_UNREACHABLE, "cannot be reached");
    while (wait_for(x, POLLIN)) {
        ssize_t n = recv(x->fd, message, sizeof message, 0);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return exchange_fail(x, DNS_DIRECT_UNREACHABLE, "cannot be reached");
        if (n > 0 && read_answer(x, slice_of((char *)message, (size_t)n), truncated))
            return true;
    }
    return false;
}

/* n octets, all of them. */
static bool transfer(struct exchange *x, unsigned char *p, size_t n, bool reading)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = reading ? recv(x->fd, p + at, n - at, 0) : send(x->fd, p + at, n - at, MSG_NOSIGNAL);
        if (got > 0) {
            at += (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(x, reading ? POLLIN : POLLOUT))
                return false;
        } else {
            return exchange_fail(x, DNS_DIRECT_MALFORMED, "the server closed the connection");
        }
    }
    return true;
}

static bool ask_tcp(struct exchange *x)
{
    unsigned char head[2];
    bool truncated;
    x->out->tcp = true;
    if (!new_question(x) || !connect_to(x, SOCK_STREAM))
        return false;
    head[0] = (unsigned char)(x->length >> 8);
    head[1] = (unsigned char)x->length;
    if (!transfer(x, head, 2, false) || !transfer(x, x->question, x->length, false) || !transfer(x, head, 2, true))
        return false;
    size_t n = (size_t)head[0] << 8 | head[1];
    unsigned char *message = arena_alloc(x->arena, n + 1);
    if (!message)
        return exchange_fail(x, DNS_DIRECT_INTERNAL, "out of memory");
    if (!transfer(x, message, n, true))
        return false;
    return read_answer(x, slice_of((char *)message, n), &truncated) ||
           exchange_fail(x, DNS_DIRECT_MALFORMED, "not an answer to the question");
}

static void exchange_done(struct exchange *x)
{
    if (x->fd >= 0)
        close(x->fd);
    x->fd = -1;
}

void dns_direct_ask(struct arena *arena, const struct dns_direct_request *q, struct dns_direct_answer *out)
{
    struct exchange x = {.arena = arena, .q = q, .out = out, .fd = -1};
    bool truncated = false, answered = false;
    *out = (struct dns_direct_answer){.outcome = DNS_DIRECT_INTERNAL, .why = "nothing was tried"};
    if (q->server.family != 4 && q->server.family != 6)
        return;
    for (unsigned i = 0; i < (q->tries ? q->tries : DEFAULT_TRIES) && !answered && !q->tcp_only; i++) {
        answered = ask_udp(&x, &truncated);
        exchange_done(&x);
    }
    if (truncated || q->tcp_only) {
        (void)ask_tcp(&x);
        exchange_done(&x);
    }
}
