// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_loop.c - one thread that serves many MTA connections.
 *
 * All octets that have come are read at once into a buffer that the loop's connections share; only the start of a
 * packet that is not whole is kept for its connection. All answers leave in one write. So an idle connection costs its
 * state alone. Answers of one turn of the loop are sent together at its end, or after a millisecond: the first one
 * wakes the MTA's processor, and those behind it find it awake.
 *
 * Each connection is in one of three lists, by what it waits for: its MTA's next command, the rest of a command (or
 * room for answers), or DNS. The first two are in the order of time, so only their first is looked at.
 *
 * A loop accepts connections itself. Other threads reach it by two lists under its lock (connections that another loop
 * has accepted, and those for which an answer from DNS has come) and a pipe that wakes it. Failure: a connection for
 * which there is no memory is closed, and its MTA defers the mail.
 */
#include "milter/wire/wire_loop.h"
#include "base/clock.h"
#include "milter/wire/wire_command.h"
#include "milter/wire/wire_poll.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_MAX (4 + 1 + WIRE_DATA_1M)
/* Octets that one connection may read before it is another's turn. They keep the others waiting for as long as their
 * digests take, a few milliseconds (tests/bench/bench_beside.py), so large bodies need no threads of their own. */
#define READ_MAX (256 * 1024)
#define CACHE_LINE 64
#define UNSENT_MAX (64 * 1024) /* answers that wait before we read on */
#define UNSENT_LINKS 16        /* connections whose answers wait for the end of the turn */
#define EVENTS 128
#define TICK_MS 250       /* how often time-outs are looked at while DNS is awaited */
#define SLOW_TICK_MS 5000 /* ... else */

enum waits_for { FOR_COMMAND, FOR_REST, FOR_DNS, LISTS };

struct link {
    TAILQ_ENTRY(link) in_list;
    STAILQ_ENTRY(link) in_ready;
    TAILQ_ENTRY(link) in_unsent;
    struct wire_loop *loop;
    struct wire_connection *c;
    int fd;
    enum waits_for list;
    bool refused, watched, wants_write, closing;
    bool deaf;           /* nothing is read from it until the MTA has read our answers */
    bool unsent;         /* in the list of those whose answers are sent soon */
    enum wire_next next; /* what its last step asked for */
    atomic_bool awaits;  /* the end of its message waits for DNS */
    bool ready;          /* in the ready list; under the lock */
    int64_t since, said; /* since when it is in its list; when something was written */
    char *rest;          /* the start of a packet; NULL: none */
    size_t rest_octets, rest_size;
    size_t used; /* memory that was reported for it */
};

TAILQ_HEAD(links, link);
STAILQ_HEAD(ready_links, link);

struct newcomer {
    STAILQ_ENTRY(newcomer) next;
    int fd;
    bool refuse;
};

struct wire_loop {
    const struct wire_loop_owner *owner;
    pthread_t thread;
    bool joined;
    int poll, wake[2];
    atomic_uint load;
    atomic_llong stop_at; /* monotonic ms; 0: runs on */
    pthread_mutex_t lock; /* over the next three */
    STAILQ_HEAD(, newcomer) newcomers;
    struct ready_links ready;
    bool woken;
    struct links list[LISTS];
    struct links unsent; /* their answers are sent at the end of the turn */
    unsigned unsent_count;
    int64_t unsent_since;
    bool stopping;
    int64_t now, swept;
    int64_t listens_at; /* until then no connection is accepted; 0: it listens */
    int listener[WIRE_LISTENERS];
    atomic_uint listeners;
    char *space,
        *octets; /* READ_MAX for what is read, at `octets`, and PACKET_MAX before it for the start of a packet */
};

/* With the lock held. */
static void wake(struct wire_loop *l)
{
    if (!l->woken && write(l->wake[1], "w", 1) == 1)
        l->woken = true;
}

/* By any thread: an answer from DNS has come. */
static void link_dns_arrived(void *context)
{
    struct link *k = context;
    struct wire_loop *l = k->loop;

    if (!atomic_load(&k->awaits))
        return; /* it is looked for at the end of the message */
    pthread_mutex_lock(&l->lock);
    if (!k->ready) {
        k->ready = true;
        STAILQ_INSERT_TAIL(&l->ready, k, in_ready);
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
}

static void put_in_list(struct link *k, enum waits_for list)
{
    struct wire_loop *l = k->loop;

    TAILQ_REMOVE(&l->list[k->list], k, in_list);
    k->list = list;
    k->since = l->now;
    TAILQ_INSERT_TAIL(&l->list[list], k, in_list);
}

static void report_memory(struct link *k, size_t used)
{
    if (used != k->used)
        k->loop->owner->memory((int64_t)used - (int64_t)k->used);
    k->used = used;
}

static void forget_unsent(struct link *k)
{
    if (k->unsent) {
        TAILQ_REMOVE(&k->loop->unsent, k, in_unsent);
        k->loop->unsent_count--;
    }
    k->unsent = false;
}

/* The MTA may connect again as soon as it sees the end, so all is counted back before that. */
static void end_link(struct link *k)
{
    struct wire_loop *l = k->loop;
    const char *fault = wire_connection_fault(k->c);

    if (fault)
        l->owner->complain(fault);
    k->c = wire_connection_free(k->c); /* from here on nothing arrives */
    pthread_mutex_lock(&l->lock);
    if (k->ready)
        STAILQ_REMOVE(&l->ready, k, link, in_ready);
    pthread_mutex_unlock(&l->lock);
    TAILQ_REMOVE(&l->list[k->list], k, in_list);
    forget_unsent(k);
    report_memory(k, 0);
    atomic_fetch_sub(&l->load, 1);
    l->owner->closed(k->refused);
    close(k->fd);
    free(k->rest);
    free(k);
}

static void begin_link(struct wire_loop *l, int fd, bool refuse)
{
    struct link *k = calloc(1, sizeof *k);

    if (k) {
        k->loop = l;
        k->fd = fd;
        k->refused = refuse;
        k->since = k->said = l->now;
        k->c = wire_connection_new(l->owner->host, link_dns_arrived, k, refuse);
    }
    if (!k || !k->c || !wire_poll_add(l->poll, fd, k)) {
        l->owner->complain("there is no memory for a connection, which is closed");
        if (k)
            wire_connection_free(k->c);
        free(k);
        atomic_fetch_sub(&l->load, 1);
        l->owner->closed(refuse);
        close(fd);
        return;
    }
    k->watched = true;
    TAILQ_INSERT_TAIL(&l->list[FOR_COMMAND], k, in_list);
}

/* Writes the answers, as far as the MTA takes them. false: the connection has ended. */
static bool write_out(struct link *k)
{
    struct buf *out = wire_connection_out(k->c);
    size_t at = 0;

    while (at < out->n) {
        ssize_t n = send(k->fd, out->p + at, out->n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (n < 0)
            break;
        at += (size_t)n;
        k->said = k->loop->now;
    }
    if (at == out->n) {
        if (out->size > 4096)
            buf_release(out);
        else
            buf_reset(out);
    } else if (at) {
        memmove(out->p, out->p + at, out->n - at);
        buf_cut(out, out->n - at);
    }
    const bool wants = out->n > 0, deaf = wants && (k->closing || out->n >= UNSENT_MAX);
    if ((wants != k->wants_write || deaf != k->deaf) && k->watched)
        wire_poll_want(k->loop->poll, k->fd, k, !deaf, wants);
    k->wants_write = wants;
    k->deaf = deaf;
    return true;
}

/* Keeps the start of a packet. false: no memory. */
static bool keep_rest(struct link *k, struct slice rest)
{
    char *copy = NULL;

    if (rest.n) {
        copy = malloc(rest.n);
        if (!copy)
            return false;
        memcpy(copy, rest.p, rest.n);
    }
    free(k->rest);
    k->rest = copy;
    k->rest_octets = k->rest_size = rest.n;
    return true;
}

/* The octets of the packet whose start is kept. 0: its length and its letter are not among them yet; if they are,
 * wire_connection_read() has seen that it may be so long. */
static size_t packet_octets(const struct link *k)
{
    const unsigned char *p = (const unsigned char *)k->rest;

    return k->rest_octets > 4 ? 4 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]) : 0;
}

/* Adds what has been read to the start of a packet. Its room doubles, up to the whole packet: MTAs write a packet of
 * 64 kB in small parts (Postfix: 4096 octets), and to copy all of it for each of them cost more than its digest. */
static bool add_to_rest(struct link *k, const char *more, size_t n)
{
    if (k->rest_octets + n > k->rest_size) {
        const size_t most = packet_octets(k), needed = k->rest_octets + n;
        const size_t doubled = k->rest_size * 2 < most ? k->rest_size * 2 : most;
        const size_t size = doubled < needed ? needed : doubled;
        char *room = realloc(k->rest, size);
        if (!room)
            return false;
        k->rest = room;
        k->rest_size = size;
    }
    memcpy(k->rest + k->rest_octets, more, n);
    k->rest_octets += n;
    return true;
}

static bool is_in_message(const struct link *k)
{
    bool in_message = false;
    const struct session *s = wire_connection_session(k->c);

    if (s)
        (void)k->loop->owner->used(s, &in_message);
    return in_message || wire_connection_in_message(k->c);
}

/* Begins to wait for DNS. What has come before `awaits` was set is found by a second try. */
static enum wire_next begin_waiting(struct link *k)
{
    enum wire_next next;

    atomic_store(&k->awaits, true);
    next = wire_connection_resume(k->c);
    if (next == WIRE_NEXT_WAIT)
        put_in_list(k, FOR_DNS);
    else
        atomic_store(&k->awaits, false);
    return next;
}

/* Sends the answers; then what it waits for, and whether it goes on. */
static void send_answers(struct link *k)
{
    struct wire_loop *l = k->loop;

    forget_unsent(k);
    if (!write_out(k)) {
        end_link(k);
        return;
    }
    if ((k->closing && !k->wants_write) || (l->stopping && !is_in_message(k) && !k->wants_write)) {
        end_link(k);
        return;
    }
    if (k->wants_write)
        report_memory(k, k->used + wire_connection_out(k->c)->n);
    if (k->next == WIRE_NEXT_WAIT)
        return;
    if (!k->rest_octets && !k->wants_write)
        put_in_list(k, FOR_COMMAND);
    else if (k->list != FOR_REST) /* its time counts from the command's start */
        put_in_list(k, FOR_REST);
}

static void send_all_answers(struct wire_loop *l)
{
    struct link *k;

    while ((k = TAILQ_FIRST(&l->unsent)))
        send_answers(k);
}

/* After each step. */
static void link_after_step(struct link *k, enum wire_next next)
{
    struct wire_loop *l = k->loop;
    const struct session *s = wire_connection_session(k->c);
    bool in_message = false;
    const size_t used = (s ? l->owner->used(s, &in_message) : 0) + wire_connection_kept(k->c);

    report_memory(k, used + k->rest_size); /* before the MTA knows that there is room again */
    k->next = next;
    k->closing |= next == WIRE_NEXT_CLOSE;
    if (!wire_connection_out(k->c)->n || k->wants_write) {
        send_answers(k);
        return;
    }
    if (!k->unsent)
        TAILQ_INSERT_TAIL(&l->unsent, k, in_unsent);
    l->unsent_count += !k->unsent;
    k->unsent = true;
    if (l->unsent_count == 1)
        l->unsent_since = clock_mono_ms();
    else if (l->unsent_count >= UNSENT_LINKS || clock_mono_ms() != l->unsent_since)
        send_all_answers(l);
}

/* What has been read, with what is kept before it. If nothing has been read, several packets may be kept, from before a
 * wait for DNS; else the start of one, since nothing is read while a whole one is kept. */
static struct slice octets_received(struct link *k, size_t n)
{
    if (!n)
        return slice_of(k->rest, k->rest_octets);
    char *start = k->loop->octets - k->rest_octets;
    if (k->rest_octets)
        memcpy(start, k->rest, k->rest_octets);
    return slice_of(start, k->rest_octets + n);
}

/* Hands octets to the connection: those kept first. n: how many were read. */
static void link_receive(struct link *k, size_t n)
{
    if (n && k->rest_octets + n < packet_octets(k)) {
        if (add_to_rest(k, k->loop->octets, n))
            link_after_step(k, WIRE_NEXT_READ);
        else
            end_link(k);
        return;
    }
    struct slice in = octets_received(k, n);
    const size_t given = in.n;
    enum wire_next next;

    do {
        next = wire_connection_read(k->c, &in);
    } while (next == WIRE_NEXT_WAIT && (next = begin_waiting(k)) == WIRE_NEXT_READ && in.n);
    if (in.n < given && k->list == FOR_REST) /* a command has ended: what is left begins another */
        put_in_list(k, FOR_COMMAND);
    if (next != WIRE_NEXT_CLOSE && !keep_rest(k, in)) {
        end_link(k);
        return;
    }
    link_after_step(k, next);
}

static void read_in(struct link *k)
{
    struct wire_loop *l = k->loop;
    const ssize_t n = k->rest_octets <= PACKET_MAX ? read(k->fd, l->octets, READ_MAX) : 0;

    if (n > 0)
        link_receive(k, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        end_link(k);
}

/* Tries again to end the message; then goes on with what the MTA has sent meanwhile. */
static void resume(struct link *k)
{
    struct wire_loop *l = k->loop;
    enum wire_next next = wire_connection_resume(k->c);

    if (next == WIRE_NEXT_WAIT)
        return; /* it stays in its list */
    atomic_store(&k->awaits, false);
    put_in_list(k, FOR_COMMAND);
    if (next == WIRE_NEXT_READ && !k->watched) {
        if (!wire_poll_add(l->poll, k->fd, k)) {
            end_link(k);
            return;
        }
        k->watched = true;
        k->wants_write = k->deaf = false;
    }
    if (next == WIRE_NEXT_READ && k->rest_octets)
        link_receive(k, 0);
    else
        link_after_step(k, next);
}

/* While DNS is awaited nothing is read: an MTA that sends more, or hangs up, is not listened to until then. */
static void stop_listening(struct link *k)
{
    wire_poll_remove(k->loop->poll, k->fd);
    k->watched = false;
}

static void on_event(const struct wire_event *e)
{
    struct link *k = e->owner;

    if (k->list == FOR_DNS) {
        stop_listening(k);
        return;
    }
    if (e->can_write && k->wants_write) {
        if (!write_out(k)) {
            end_link(k);
            return;
        }
        if (!k->wants_write) {
            link_after_step(k, WIRE_NEXT_READ);
            return; /* it may have ended */
        }
    }
    if (e->can_read && !k->deaf)
        read_in(k);
    else if (e->gone)
        end_link(k);
}

/* Takes what other threads have put into the two lists. */
static void take_handed_over(struct wire_loop *l)
{
    char drop[16];
    struct newcomer *n;
    struct link *k;

    pthread_mutex_lock(&l->lock);
    if (l->woken)
        (void)!read(l->wake[0], drop, sizeof drop);
    l->woken = false;
    while ((n = STAILQ_FIRST(&l->newcomers))) {
        STAILQ_REMOVE_HEAD(&l->newcomers, next);
        pthread_mutex_unlock(&l->lock);
        begin_link(l, n->fd, n->refuse);
        free(n);
        pthread_mutex_lock(&l->lock);
    }
    /* One that becomes ready again meanwhile wakes the loop again. */
    for (size_t left = atomic_load(&l->load); left-- > 0 && (k = STAILQ_FIRST(&l->ready));) {
        STAILQ_REMOVE_HEAD(&l->ready, in_ready);
        k->ready = false;
        pthread_mutex_unlock(&l->lock);
        if (k->list == FOR_DNS)
            resume(k);
        pthread_mutex_lock(&l->lock);
    }
    if (!STAILQ_EMPTY(&l->ready))
        wake(l);
    pthread_mutex_unlock(&l->lock);
}

/* Ends the connections of a list that have been in it for longer than this. */
static void end_overdue(struct wire_loop *l, enum waits_for list, int64_t ms)
{
    struct link *k;

    while ((k = TAILQ_FIRST(&l->list[list])) && l->now - k->since > ms)
        end_link(k);
}

/* Tells the MTA that we are at work, if it has heard nothing for long. false: the connection has ended. */
static bool link_progress(struct link *k)
{
    if (k->loop->now - k->said <= WIRE_PROGRESS_SECONDS * 1000)
        return true;
    wire_connection_progress(k->c);
    k->said = k->loop->now;
    return write_out(k);
}

/* Look-ups may be overdue, and MTAs want to hear that we are at work. Each is put behind the others before its turn: to
 * resume one may end others, and put some back into this list, so none but the first can be known. */
static void sweep_waiting(struct wire_loop *l)
{
    size_t left = 0;
    struct link *k;

    for (k = TAILQ_FIRST(&l->list[FOR_DNS]); k; k = TAILQ_NEXT(k, in_list))
        left++;
    for (; left > 0 && (k = TAILQ_FIRST(&l->list[FOR_DNS])); left--) {
        TAILQ_REMOVE(&l->list[FOR_DNS], k, in_list);
        TAILQ_INSERT_TAIL(&l->list[FOR_DNS], k, in_list);
        if (link_progress(k))
            resume(k);
        else
            end_link(k);
    }
}

/* While stopping: ends the connections without a message whose answers have been taken; at the end of the time all. */
static void sweep_stopping(struct wire_loop *l, bool all)
{
    for (int list = 0; list < LISTS; list++) {
        struct link *after;
        for (struct link *k = TAILQ_FIRST(&l->list[list]); k; k = after) {
            after = TAILQ_NEXT(k, in_list);
            if (all || (list != FOR_DNS && !is_in_message(k) && !k->wants_write))
                end_link(k);
        }
    }
}

static void loop_sweep(struct wire_loop *l)
{
    const int64_t stop_at = atomic_load(&l->stop_at);

    l->swept = l->now;
    end_overdue(l, FOR_COMMAND, WIRE_IDLE_SECONDS * INT64_C(1000));
    end_overdue(l, FOR_REST, WIRE_COMMAND_SECONDS * INT64_C(1000));
    sweep_waiting(l);
    send_all_answers(l); /* before a connection whose message has ended is ended, too */
    if (stop_at) {
        l->stopping = true;
        sweep_stopping(l, l->now >= stop_at);
    }
}

/* ---- new connections ---- */

static bool is_listener(const struct wire_loop *l, const void *owner)
{
    return (uintptr_t)owner >= (uintptr_t)l->listener && (uintptr_t)owner < (uintptr_t)(l->listener + WIRE_LISTENERS);
}

/* Accepts one connection: if more wait, the descriptor is reported again, after what else there is to do. */
static void accept_at(struct wire_loop *l, const int *listener)
{
    if (!l->listens_at && l->owner->ready(l, *listener))
        return;
    for (unsigned i = 0; i < atomic_load(&l->listeners); i++)
        wire_poll_remove(l->poll, l->listener[i]);
    l->listens_at = l->now + WIRE_DEAF_MS;
}

static void listen_again(struct wire_loop *l)
{
    l->listens_at = 0;
    for (unsigned i = 0; i < atomic_load(&l->listeners); i++)
        if (!wire_poll_add_listener(l->poll, l->listener[i], &l->listener[i]))
            l->listens_at = l->now + WIRE_DEAF_MS;
}

static bool is_done(struct wire_loop *l)
{
    bool newcomers;

    if (!l->stopping)
        return false;
    for (int list = 0; list < LISTS; list++)
        if (!TAILQ_EMPTY(&l->list[list]))
            return false;
    pthread_mutex_lock(&l->lock);
    newcomers = !STAILQ_EMPTY(&l->newcomers);
    pthread_mutex_unlock(&l->lock);
    return !newcomers;
}

static void *loop_run(void *loop)
{
    struct wire_loop *l = loop;
    struct wire_event events[EVENTS];

    while (!is_done(l)) {
        const bool fast = !TAILQ_EMPTY(&l->list[FOR_DNS]) || atomic_load(&l->stop_at);
        const int tick = fast ? TICK_MS : SLOW_TICK_MS;
        const int most = l->listens_at && !atomic_load(&l->stop_at) ? WIRE_DEAF_MS : tick;
        int n = wire_poll_wait(l->poll, events, EVENTS, atomic_load(&l->load) || fast || l->listens_at ? most : -1);
        bool woken = false;
        l->now = clock_mono_ms();
        for (int i = 0; i < n; i++) {
            if (is_listener(l, events[i].owner))
                accept_at(l, events[i].owner);
            else if (events[i].owner)
                on_event(&events[i]);
            else
                woken = true;
        }
        if (woken)
            take_handed_over(l);
        send_all_answers(l);
        if (l->listens_at && l->now >= l->listens_at && !atomic_load(&l->stop_at))
            listen_again(l);
        if (l->now - l->swept >= tick || (atomic_load(&l->stop_at) && !l->stopping))
            loop_sweep(l);
    }
    return NULL;
}

/* What is read begins at a cache line: the kernel copies to other places at half the speed. */
static bool open_space(struct wire_loop *l)
{
    l->space = malloc(PACKET_MAX + CACHE_LINE + READ_MAX);
    if (l->space)
        l->octets = l->space + PACKET_MAX + CACHE_LINE - ((uintptr_t)l->space + PACKET_MAX) % CACHE_LINE;
    return l->space;
}

static bool open_descriptors(struct wire_loop *l)
{
    l->poll = wire_poll_new();
    if (l->poll >= 0 && pipe2(l->wake, O_CLOEXEC | O_NONBLOCK) == 0) {
        if (wire_poll_add(l->poll, l->wake[0], NULL))
            return true;
        close(l->wake[0]);
        close(l->wake[1]);
    }
    if (l->poll >= 0)
        close(l->poll);
    return false;
}

/* What wire_loop_new() opened, once its thread has ended or did not start. */
static struct wire_loop *close_loop(struct wire_loop *l)
{
    close(l->poll);
    close(l->wake[0]);
    close(l->wake[1]);
    pthread_mutex_destroy(&l->lock);
    free(l->space);
    free(l);
    return NULL;
}

struct wire_loop *wire_loop_new(const struct wire_loop_owner *owner)
{
    struct wire_loop *l = calloc(1, sizeof *l);

    if (!l || !open_space(l) || !open_descriptors(l)) {
        if (l)
            free(l->space);
        free(l);
        return NULL;
    }
    l->owner = owner;
    l->now = l->swept = clock_mono_ms();
    pthread_mutex_init(&l->lock, NULL);
    STAILQ_INIT(&l->newcomers);
    STAILQ_INIT(&l->ready);
    for (int i = 0; i < LISTS; i++)
        TAILQ_INIT(&l->list[i]);
    TAILQ_INIT(&l->unsent);
    if (pthread_create(&l->thread, NULL, loop_run, l) == 0)
        return l;
    return close_loop(l);
}

bool wire_loop_listen(struct wire_loop *l, int fd)
{
    const unsigned i = atomic_load(&l->listeners);

    if (i >= WIRE_LISTENERS)
        return false;
    l->listener[i] = fd;
    atomic_store(&l->listeners, i + 1);
    return wire_poll_add_listener(l->poll, fd, &l->listener[i]);
}

void wire_loop_take(struct wire_loop *l, int fd, bool refuse)
{
    atomic_fetch_add(&l->load, 1);
    begin_link(l, fd, refuse);
}

void wire_loop_give(struct wire_loop *l, int fd, bool refuse)
{
    struct newcomer *n = malloc(sizeof *n);

    if (!n) {
        l->owner->closed(refuse);
        close(fd);
        return;
    }
    *n = (struct newcomer){.fd = fd, .refuse = refuse};
    atomic_fetch_add(&l->load, 1);
    pthread_mutex_lock(&l->lock);
    STAILQ_INSERT_TAIL(&l->newcomers, n, next);
    wake(l);
    pthread_mutex_unlock(&l->lock);
}

unsigned wire_loop_load(const struct wire_loop *l)
{
    return atomic_load(&l->load);
}

void wire_loop_stop(struct wire_loop *l, unsigned seconds)
{
    atomic_store(&l->stop_at, clock_mono_ms() + seconds * INT64_C(1000));
    pthread_mutex_lock(&l->lock);
    wake(l);
    pthread_mutex_unlock(&l->lock);
}

void wire_loop_join(struct wire_loop *l)
{
    if (!l->joined)
        pthread_join(l->thread, NULL);
    l->joined = true;
}

struct wire_loop *wire_loop_free(struct wire_loop *l)
{
    struct newcomer *n;

    if (!l)
        return NULL;
    wire_loop_join(l);
    while ((n = STAILQ_FIRST(&l->newcomers))) { /* given to it when its thread had ended */
        STAILQ_REMOVE_HEAD(&l->newcomers, next);
        l->owner->closed(n->refuse);
        close(n->fd);
        free(n);
    }
    return close_loop(l);
}
