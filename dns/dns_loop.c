// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_loop.c - epoll, a heap of timers, and meters.
 *
 * How packets are seen (outside_network.c of libunbound 1.17 to 1.26): for each UDP packet a timer is created, then
 * started with the time that the answer may take. When the answer arrives, at a socket that several packets may share,
 * that timer is stopped before anything else is done: so the look-up it belongs to is known. A timer that starts with
 * no time belongs to no packet.
 *
 * On 32 bits our time_t has 64, libunbound's may have 32 (TIME_OF_LIBRARIES): its times are read accordingly.
 *
 * An event or timer may be freed by any callback: each is copied before it is called, and removed from the list of
 * those that epoll has reported.
 *
 * Fails only where memory or file descriptors run out: dns_loop_new and dns_meter_begin return NULL, and libunbound
 * gets no event.
 */
#include "dns/dns_loop.h"
#include "base/array.h"
#include "base/clock.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unbound-event.h>
#include <unistd.h>

#define BATCH 64
#define LOOK_AROUND 256 /* meters that are looked at for one that waits */

struct dns_meter {
    struct dns_meter *next, *previous; /* a ring of all that have not ended */
    unsigned refs;                     /* its look-up, and its events */
    atomic_uint packets, most;
    unsigned armed; /* packets that wait for their answers */
    uint64_t zone;
    bool live;
};

struct event {
    struct ub_event base;
    struct dns_loop *loop;
    struct dns_meter *meter; /* NULL: of no look-up */
    void (*callback)(int, short, void *);
    void *arg;
    int fd;
    short bits;
    bool watched; /* by epoll */
    bool counted; /* a packet's timer */
    bool armed;   /* ... and it waits */
    int64_t due, interval;
    size_t place; /* in the heap, from 1; 0: no timer runs */
};

struct dns_loop {
    struct ub_event_base base;
    void (*woken)(void *arg);
    void *arg;
    int epoll, wake;
    atomic_bool stop;
    struct event **heap;
    size_t timers, room;
    struct epoll_event batch[BATCH];
    int reported;
    struct dns_meter *current; /* whose event is being handled */
    unsigned sent;             /* packets since it began to be */
    struct dns_meter ring;
    unsigned idle; /* live meters that wait for no packet of their own */
};

static struct dns_loop *loop_of(struct ub_event_base *base)
{
    return (struct dns_loop *)base;
}

static struct event *event_of(struct ub_event *ev)
{
    return (struct event *)ev;
}

/* ---- meters ---- */

static struct dns_meter *meter_hold(struct dns_meter *m)
{
    if (m)
        m->refs++;
    return m;
}

static void meter_drop(struct dns_meter *m)
{
    if (m && --m->refs == 0)
        free(m);
}

struct dns_meter *dns_meter_new(struct dns_loop *l, unsigned most, uint64_t zone)
{
    struct dns_meter *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->refs = 1;
    atomic_init(&m->most, most);
    m->zone = zone;
    m->live = true;
    m->next = l->ring.next;
    m->previous = &l->ring;
    m->next->previous = m->previous->next = m;
    l->idle++;
    return m;
}

void dns_meter_start(struct dns_loop *l, struct dns_meter *m)
{
    l->current = m;
    l->sent = 0;
}

unsigned dns_meter_curb(struct dns_meter *m, unsigned more)
{
    unsigned most = atomic_load(&m->packets) + more;
    if (most < atomic_load(&m->most))
        atomic_store(&m->most, most);
    return atomic_load(&m->most);
}

void dns_meter_allow(struct dns_meter *m, unsigned most)
{
    if (most > atomic_load(&m->most))
        atomic_store(&m->most, most);
}

unsigned dns_meter_end(struct dns_loop *l, struct dns_meter *m)
{
    const unsigned packets = atomic_load(&m->packets);
    m->live = false;
    l->idle -= m->armed == 0;
    m->next->previous = m->previous;
    m->previous->next = m->next;
    if (l->current == m && m->refs == 1)
        l->current = NULL;
    meter_drop(m);
    return packets;
}

static bool has_room(const struct dns_meter *m)
{
    return m->live && atomic_load(&m->packets) < atomic_load(&m->most);
}

/* Another look-up that waits for no packet of its own, so for the answer that has just come: one of the same zone if
 * there is one. NULL: none near. */
static struct dns_meter *waiting_one(const struct dns_loop *l, const struct dns_meter *current)
{
    const bool counted = current->live && current->armed == 0;
    struct dns_meter *found = NULL, *m = current->live ? current->next : l->ring.next;
    for (unsigned i = 0; l->idle > counted && i < LOOK_AROUND && m != current; i++, m = m->next) {
        if (m == &l->ring || m->armed || !has_room(m))
            continue;
        if (m->zone == current->zone)
            return m;
        if (!found)
            found = m;
    }
    return found;
}

/* The meter that the next packet is charged to. *full: it may not be sent. */
static struct dns_meter *payer(const struct dns_loop *l, bool *full)
{
    struct dns_meter *m = l->current;
    *full = false;
    if (!m || (l->sent == 0 && has_room(m)))
        return m;
    struct dns_meter *other = waiting_one(l, m);
    if (other)
        return other;
    *full = !has_room(m);
    return m;
}

static void arm(struct event *e)
{
    if (!e->counted) {
        e->counted = true;
        atomic_fetch_add(&e->meter->packets, 1);
        e->loop->sent++;
    }
    e->loop->idle -= e->meter->live && e->meter->armed == 0;
    e->meter->armed++;
    e->armed = true;
}

static void disarm(struct event *e)
{
    if (!e->armed)
        return;
    e->armed = false;
    e->meter->armed--;
    e->loop->idle += e->meter->live && e->meter->armed == 0;
}

/* ---- the heap of timers ---- */

static void heap_put(struct dns_loop *l, size_t place, struct event *e)
{
    l->heap[place] = e;
    e->place = place;
}

static void sift(struct dns_loop *l, size_t at)
{
    struct event *e = l->heap[at];
    for (; at > 1 && l->heap[at / 2]->due > e->due; at /= 2)
        heap_put(l, at, l->heap[at / 2]);
    for (size_t child; (child = at * 2) <= l->timers; at = child) {
        child += child < l->timers && l->heap[child + 1]->due < l->heap[child]->due;
        if (l->heap[child]->due >= e->due)
            break;
        heap_put(l, at, l->heap[child]);
    }
    heap_put(l, at, e);
}

static bool timer_start(struct event *e)
{
    struct dns_loop *l = e->loop;
    e->due = clock_mono_ms() + e->interval;
    if (!e->place) {
        if (l->timers + 1 >= l->room) {
            struct event **heap = array_grow(l->heap, &l->room, 256, sizeof *heap);
            if (!heap)
                return false;
            l->heap = heap;
        }
        heap_put(l, ++l->timers, e);
    }
    sift(l, e->place);
    return true;
}

static void timer_end(struct event *e)
{
    struct dns_loop *l = e->loop;
    size_t at = e->place;
    if (!at)
        return;
    e->place = 0;
    struct event *last = l->heap[l->timers--];
    if (last != e) {
        heap_put(l, at, last);
        sift(l, at);
    }
}

/* ---- libunbound's view of them ---- */

static void forget_reported(const struct event *e)
{
    for (int i = 0; i < e->loop->reported; i++)
        if (e->loop->batch[i].data.ptr == e)
            e->loop->batch[i].data.ptr = NULL;
}

static void add_bits(struct ub_event *ev, short bits)
{
    event_of(ev)->bits |= bits;
}

static void del_bits(struct ub_event *ev, short bits)
{
    event_of(ev)->bits &= (short)~bits;
}

static void set_fd(struct ub_event *ev, int fd)
{
    event_of(ev)->fd = fd;
}

/* Stops an event. A packet's timer that is stopped tells whose answer is being handled. */
static int event_del(struct ub_event *ev)
{
    struct event *e = event_of(ev);
    if (e->armed && e->meter != e->loop->current) {
        e->loop->current = e->meter;
        e->loop->sent = 0;
    }
    disarm(e);
    timer_end(e);
    if (e->watched) {
        forget_reported(e);
        epoll_ctl(e->loop->epoll, EPOLL_CTL_DEL, e->fd, NULL);
        e->watched = false;
    }
    return 0;
}

static void event_free(struct ub_event *ev)
{
    struct event *e = event_of(ev);
    struct dns_loop *l = e->loop;
    disarm(e);
    timer_end(e);
    forget_reported(e);
    if (e->watched)
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, e->fd, NULL);
    if (l->current == e->meter && e->meter && e->meter->refs == 1)
        l->current = NULL;
    meter_drop(e->meter);
    free(e);
}

/* The milliseconds in a struct timeval as libunbound was built with. */
static int64_t milliseconds(const void *time)
{
#if TIME_OF_LIBRARIES == 32
    const int32_t *parts = time;
    return (int64_t)parts[0] * 1000 + (parts[1] + 999) / 1000;
#else
    const struct timeval *t = time;
    return t->tv_sec * 1000 + (t->tv_usec + 999) / 1000;
#endif
}

static int event_add(struct ub_event *ev, struct timeval *time)
{
    struct event *e = event_of(ev);
    disarm(e);
    e->interval = time ? milliseconds(time) : 0;
    if (time && !timer_start(e))
        return -1;
    if (time && e->fd < 0 && e->meter && e->interval > 0)
        arm(e);
    if (e->fd < 0 || !(e->bits & (UB_EV_READ | UB_EV_WRITE)))
        return 0;
    struct epoll_event what = {
        .events = (e->bits & UB_EV_READ ? EPOLLIN : 0u) | (e->bits & UB_EV_WRITE ? EPOLLOUT : 0u), .data.ptr = e};
    if (epoll_ctl(e->loop->epoll, e->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e->fd, &what) != 0)
        return -1;
    e->watched = true;
    return 0;
}

static int timer_add(struct ub_event *ev, struct ub_event_base *base, void (*callback)(int, short, void *), void *arg,
                     struct timeval *time)
{
    event_of(ev)->callback = callback;
    event_of(ev)->arg = arg;
    return event_add(ev, time);
}

static int not_supported(struct ub_event *ev, struct timeval *time)
{
    return -1;
}

static int nothing(struct ub_event *ev)
{
    return -1;
}

static void no_socket(struct ub_event *ev, int bits)
{
}

static struct ub_event_vmt event_table = {
    .add_bits = add_bits,
    .del_bits = del_bits,
    .set_fd = set_fd,
    .free = event_free,
    .add = event_add,
    .del = event_del,
    .add_timer = timer_add,
    .del_timer = event_del,
    .add_signal = not_supported,
    .del_signal = nothing,
    .winsock_unregister_wsaevent = event_free,
    .winsock_tcp_wouldblock = no_socket,
};

static struct ub_event *event_new(struct ub_event_base *base, int fd, short bits, void (*callback)(int, short, void *),
                                  void *arg)
{
    struct dns_loop *l = loop_of(base);
    bool full;
    struct dns_meter *meter = payer(l, &full);
    struct event *e = fd < 0 && full ? NULL : calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->base = (struct ub_event){.magic = UB_EVENT_MAGIC, .vmt = &event_table};
    e->loop = l;
    e->fd = fd;
    e->bits = bits;
    e->callback = callback;
    e->arg = arg;
    e->meter = meter_hold(meter);
    return &e->base;
}

static struct ub_event *no_signal(struct ub_event_base *base, int fd, void (*callback)(int, short, void *), void *arg)
{
    return NULL;
}

static struct ub_event *no_wsaevent(struct ub_event_base *base, void *event, void (*callback)(int, short, void *),
                                    void *arg)
{
    return NULL;
}

static void no_free(struct ub_event_base *base)
{
}

static int no_dispatch(struct ub_event_base *base)
{
    return -1;
}

static int no_exit(struct ub_event_base *base, struct timeval *time)
{
    return -1;
}

static struct ub_event_base_vmt base_table = {
    .free = no_free,
    .dispatch = no_dispatch,
    .loopexit = no_exit,
    .new_event = event_new,
    .new_signal = no_signal,
    .winsock_register_wsaevent = no_wsaevent,
};

/* ---- the loop ---- */

struct ub_event_base *dns_loop_base(struct dns_loop *l)
{
    return &l->base;
}

struct dns_loop *dns_loop_new(void (*woken)(void *arg), void *arg)
{
    struct dns_loop *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->base = (struct ub_event_base){.magic = UB_EVENT_MAGIC, .vmt = &base_table};
    l->woken = woken;
    l->arg = arg;
    l->ring.next = l->ring.previous = &l->ring;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event what = {.events = EPOLLIN, .data.ptr = l};
    if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &what) != 0)
        return dns_loop_free(l);
    return l;
}

struct dns_loop *dns_loop_free(struct dns_loop *l)
{
    if (!l)
        return NULL;
    if (l->wake >= 0)
        close(l->wake);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l->heap);
    free(l);
    return NULL;
}

void dns_loop_wake(struct dns_loop *l)
{
    const uint64_t one = 1;
    while (write(l->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void dns_loop_stop(struct dns_loop *l)
{
    atomic_store(&l->stop, true);
    dns_loop_wake(l);
}

/* Calls libunbound for one event, on behalf of its look-up. */
static void fire(struct dns_loop *l, struct event *e, short bits)
{
    struct dns_meter *meter = meter_hold(e->meter);
    l->current = meter;
    l->sent = 0;
    e->callback(e->fd, bits, e->arg);
    l->current = NULL;
    meter_drop(meter);
}

static void fire_socket(struct dns_loop *l, struct event *e, uint32_t events)
{
    short bits = events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? e->bits & UB_EV_READ : 0;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        bits |= e->bits & UB_EV_WRITE;
    if (!(e->bits & UB_EV_PERSIST))
        event_del(&e->base);
    else if (e->place)
        (void)timer_start(e); /* the time counts from what happened last */
    fire(l, e, bits);
}

/* Those that are due now; what they start is for the next time. */
static void fire_timers(struct dns_loop *l)
{
    const int64_t now = clock_mono_ms();
    for (size_t left = l->timers; left && l->timers && l->heap[1]->due <= now; left--) {
        struct event *e = l->heap[1];
        timer_end(e);
        disarm(e);
        if (e->watched && !(e->bits & UB_EV_PERSIST))
            event_del(&e->base);
        fire(l, e, UB_EV_TIMEOUT);
    }
}

static int wait_ms(const struct dns_loop *l)
{
    if (!l->timers)
        return -1;
    int64_t left = l->heap[1]->due - clock_mono_ms();
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void hear_wake(struct dns_loop *l)
{
    uint64_t count;
    (void)!read(l->wake, &count, sizeof count);
    l->woken(l->arg);
}

void dns_loop_run(struct dns_loop *l)
{
    while (!atomic_load(&l->stop)) {
        l->reported = epoll_wait(l->epoll, l->batch, BATCH, wait_ms(l));
        if (l->reported < 0 && errno != EINTR)
            break;
        for (int i = 0; i < l->reported; i++) {
            void *what = l->batch[i].data.ptr;
            l->batch[i].data.ptr = NULL;
            if (what == l)
                hear_wake(l);
            else if (what)
                fire_socket(l, what, l->batch[i].events);
        }
        l->reported = 0;
        fire_timers(l);
    }
}
