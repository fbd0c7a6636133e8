// SPDX-License-Identifier: BSD-2-Clause
/*
 * sys/event.h - kqueue for a machine without it: as much of FreeBSD's kqueue(2) as milter/wire/wire_poll.c asks for,
 * over poll(2), so that its BSD half is compiled and tried on Linux too.
 *
 * As the manual has it: reading and writing are filters of their own, each reported by an event of its own; a filter
 * that is added again is changed; to delete one that is not there is ENOENT; without EV_CLEAR an event comes as long as
 * its condition holds; the end of the other side is EV_EOF and counts as readable and as writable.
 * Threads: one. At most FILTERS_MAX filters.
 */
#ifndef ASSAY_TESTS_KQUEUE_SYS_EVENT_H
#define ASSAY_TESTS_KQUEUE_SYS_EVENT_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void *udata;
};

#define EV_SET(e, a, b, c, d, f, g)                                                                                    \
    (*(e) = (struct kevent){.ident = (a), .filter = (b), .flags = (c), .fflags = (d), .data = (f), .udata = (g)})

#define FILTERS_MAX 64

struct filter {
    int queue;
    struct kevent asked;
};

static struct filter filters[FILTERS_MAX];
static size_t filter_count;

/* A descriptor of its own, that nothing else is done with. */
static int kqueue(void)
{
    return dup(0);
}

static int filter_change(int queue, const struct kevent *e)
{
    size_t i = 0;

    while (i < filter_count &&
           (filters[i].queue != queue || filters[i].asked.ident != e->ident || filters[i].asked.filter != e->filter))
        i++;
    if (e->flags & EV_DELETE) {
        if (i == filter_count) {
            errno = ENOENT;
            return -1;
        }
        filters[i] = filters[--filter_count];
        return 0;
    }
    if (fcntl((int)e->ident, F_GETFD) < 0)
        return -1; /* EBADF */
    if (i == FILTERS_MAX) {
        errno = ENOMEM;
        return -1;
    }
    filters[i] = (struct filter){queue, *e};
    filter_count += i == filter_count;
    return 0;
}

static int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int most,
                  const struct timespec *limit)
{
    struct pollfd asked[FILTERS_MAX];
    int n = 0;

    for (int i = 0; i < change_count; i++)
        if (filter_change(queue, &changes[i]) < 0)
            return -1;
    if (most == 0)
        return 0;
    for (size_t i = 0; i < filter_count; i++)
        asked[i] = (struct pollfd){.fd = filters[i].queue == queue ? (int)filters[i].asked.ident : -1,
                                   .events = filters[i].asked.filter == EVFILT_READ ? POLLIN : POLLOUT};
    if (poll(asked, filter_count, limit ? (int)(limit->tv_sec * 1000 + limit->tv_nsec / 1000000) : -1) < 0)
        return -1;
    for (size_t i = 0; i < filter_count && n < most; i++)
        if (asked[i].revents != 0) {
            events[n] = filters[i].asked;
            events[n++].flags = asked[i].revents & (POLLHUP | POLLERR) ? EV_EOF : 0;
        }
    return n;
}

#endif
