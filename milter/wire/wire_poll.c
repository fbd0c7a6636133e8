// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_poll.c - waits for many descriptors at once, by epoll or kqueue.
 *
 * Promises nothing but the kernel's own order of events. Failure: as the system call's; a wait that a signal interrupts
 * has no events.
 */
#include "milter/wire/wire_poll.h"
#include <errno.h>
#include <stddef.h>

#define EVENTS_MAX 256

#ifdef __linux__
#include <sys/epoll.h>

int wire_poll_new(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

bool wire_poll_add(int poll, int fd, void *owner)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = owner};
    return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e) == 0;
}

bool wire_poll_add_listener(int poll, int fd, void *owner)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = owner};
    return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e) == 0 || errno == EEXIST;
}

void wire_poll_want(int poll, int fd, void *owner, bool read, bool write)
{
    struct epoll_event e = {.events = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u), .data.ptr = owner};
    (void)epoll_ctl(poll, EPOLL_CTL_MOD, fd, &e);
}

void wire_poll_remove(int poll, int fd)
{
    epoll_ctl(poll, EPOLL_CTL_DEL, fd, NULL);
}

int wire_poll_wait(int poll, struct wire_event *events, int most, int ms)
{
    struct epoll_event found[EVENTS_MAX];
    int n = epoll_wait(poll, found, most < EVENTS_MAX ? most : EVENTS_MAX, ms);

    for (int i = 0; i < n; i++)
        events[i] = (struct wire_event){.owner = found[i].data.ptr,
                                        .can_read = found[i].events & EPOLLIN,
                                        .can_write = found[i].events & EPOLLOUT,
                                        .gone = found[i].events & (EPOLLHUP | EPOLLERR)};
    return n < 0 ? 0 : n;
}

#else
#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

int wire_poll_new(void)
{
    int poll = kqueue();

    if (poll >= 0)
        fcntl(poll, F_SETFD, FD_CLOEXEC);
    return poll;
}

static bool change(int poll, int fd, short filter, unsigned short flags, void *owner)
{
    struct kevent e;

    EV_SET(&e, (uintptr_t)fd, filter, flags, 0, 0, owner);
    return kevent(poll, &e, 1, NULL, 0, NULL) == 0;
}

bool wire_poll_add(int poll, int fd, void *owner)
{
    return change(poll, fd, EVFILT_READ, EV_ADD, owner);
}

bool wire_poll_add_listener(int poll, int fd, void *owner)
{
    return wire_poll_add(poll, fd, owner);
}

void wire_poll_want(int poll, int fd, void *owner, bool read, bool write)
{
    (void)change(poll, fd, EVFILT_READ, read ? EV_ADD : EV_DELETE, owner);
    (void)change(poll, fd, EVFILT_WRITE, write ? EV_ADD : EV_DELETE, owner);
}

void wire_poll_remove(int poll, int fd)
{
    change(poll, fd, EVFILT_READ, EV_DELETE, NULL);
    change(poll, fd, EVFILT_WRITE, EV_DELETE, NULL);
}

int wire_poll_wait(int poll, struct wire_event *events, int most, int ms)
{
    struct kevent found[EVENTS_MAX];
    const struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    int n = kevent(poll, NULL, 0, found, most < EVENTS_MAX ? most : EVENTS_MAX, ms < 0 ? NULL : &limit), count = 0;

    for (int i = 0; i < n; i++) {
        int at = 0; /* reading and writing are two events here, and one for the caller */
        while (at < count && events[at].owner != found[i].udata)
            at++;
        if (at == count)
            events[count++] = (struct wire_event){.owner = found[i].udata};
        events[at].can_read |= found[i].filter == EVFILT_READ;
        events[at].can_write |= found[i].filter == EVFILT_WRITE;
        events[at].gone |= found[i].flags & EV_ERROR;
    }
    return count;
}

#endif
