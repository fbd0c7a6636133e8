// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_wire_loop.c - the times of our own protocol engine, by a clock that the test sets: 7,210 s for an idle
 * connection, 300 s within a command or for an MTA that takes no answers, SMFIR_PROGRESS every 30 s while DNS is
 * awaited, and the end. Besides: connections and memory are counted, and counted back.
 *
 * wire_loop.c is included, with the test's clock in place of the system's; the loop looks at it every few milliseconds.
 * A time is passed by setting the clock, then waiting until the loop has been round twice.
 */
#include "base/clock.h"
#include "milter/wire/wire_flags.h"
#include "milter/wire/wire_poll.h"
#include "tests/unit/cm.h"
#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* For what must happen, in milliseconds; never waited for when all is well. Once it was waited for in vain, only
 * briefly: the program must not take a quarter of an hour to fail. */
#define BOUND_MS 60000
static int bound_ms = BOUND_MS;

static _Atomic int64_t test_clock;
static atomic_uint rounds;

static int64_t test_now(void)
{
    return atomic_load(&test_clock);
}

static int test_wait(int poll, struct wire_event *events, int most, int ms)
{
    const int n = wire_poll_wait(poll, events, most, ms < 0 || ms > 5 ? 5 : ms);

    atomic_fetch_add(&rounds, 1);
    return n;
}

#define clock_mono_ms test_now
#define wire_poll_wait test_wait
#include "milter/wire/wire_loop.c"

/* ---- a session that waits for DNS as long as the test wants ---- */

struct session {
    bool in_message;
    unsigned ended; /* messages */
};

static atomic_bool pending;
static atomic_uint come;        /* while `pending`: so many messages of each session have all answers */
static atomic_bool silent_rcpt; /* no answer to RCPT is needed */
static atomic_bool refuses;     /* each recipient */
static atomic_bool passes;      /* no client's mail is judged */
static atomic_uint edits;       /* that a message gets at its end */
static char edit[1000] = {[0 ... 998] = 'x'};
static atomic_uint open_sessions, closed_connections, closed_refused, faults, bodies;
static atomic_llong memory;
static struct mta *_Atomic last_mta; /* of the last message that came to its end */

static bool t_negotiate(unsigned long actions, unsigned long steps, unsigned long *use_actions,
                        unsigned long *use_steps)
{
    *use_actions = actions;
    *use_steps = steps & (WIRE_NO_REPLY_HEADER | WIRE_MAY_SKIP);
    return true;
}

static enum mta_answer t_connect(struct mta *mta, const char *host, const struct sockaddr *address,
                                 struct session **out)
{
    if (atomic_load(&passes))
        return MTA_ACCEPT;
    *out = calloc(1, sizeof **out);
    atomic_fetch_add(&open_sessions, 1);
    return MTA_CONTINUE;
}

static enum mta_answer t_helo(struct session *s, const char *name)
{
    return MTA_CONTINUE;
}

static enum mta_answer t_mail(struct mta *mta, struct session *s, const char *const *args)
{
    s->in_message = true;
    return MTA_CONTINUE;
}

static enum mta_answer t_rcpt(struct mta *mta, struct session *s, const char *const *args)
{
    return atomic_load(&refuses) ? MTA_TEMPFAIL : MTA_CONTINUE;
}

static void t_header(struct session *s, const char *name, const char *value)
{
}

static enum mta_answer t_header_end(struct session *s)
{
    return MTA_CONTINUE;
}

static atomic_uint sum; /* of all octets of bodies, in their order */

static enum mta_answer t_body(struct session *s, struct slice piece)
{
    for (size_t i = 0; i < piece.n; i++)
        sum = sum * 31 + (unsigned char)piece.p[i];
    atomic_fetch_add(&bodies, 1);
    return MTA_CONTINUE;
}

static enum mta_answer t_end(struct mta *mta, struct session *s)
{
    last_mta = mta;
    if (atomic_load(&pending) && s->ended >= atomic_load(&come))
        return MTA_PENDING;
    for (unsigned n = atomic_load(&edits); n > 0; n--)
        assert_true(mta->ops->insert_header(mta, "X", edit));
    s->in_message = false;
    s->ended++;
    return MTA_ACCEPT;
}

static void t_abort(struct session *s)
{
    if (s)
        s->in_message = false;
}

static struct session *t_close(struct session *s)
{
    if (s)
        atomic_fetch_sub(&open_sessions, 1);
    free(s);
    return NULL;
}

static bool t_answers_rcpt(void)
{
    return !atomic_load(&silent_rcpt);
}

static const struct mta_callbacks table = {.negotiate = t_negotiate,
                                           .answers_rcpt = t_answers_rcpt,
                                           .connect = t_connect,
                                           .helo = t_helo,
                                           .mail = t_mail,
                                           .rcpt = t_rcpt,
                                           .header = t_header,
                                           .header_end = t_header_end,
                                           .body = t_body,
                                           .end = t_end,
                                           .abort = t_abort,
                                           .close = t_close};
static const struct wire_host host = {.callbacks = &table};

static atomic_int watched_mta = -1; /* its end of a connection; -1: none */
static atomic_bool was_open;        /* when the owner heard of its end */

static void on_closed(bool refused)
{
    struct pollfd p = {.fd = atomic_load(&watched_mta), .events = POLLIN};

    atomic_store(&was_open, p.fd >= 0 && poll(&p, 1, 0) == 0);
    atomic_fetch_add(refused ? &closed_refused : &closed_connections, 1);
}

static void count_memory(int64_t octets)
{
    atomic_fetch_add(&memory, octets);
}

#define A_MAIL 1000

static size_t used(const struct session *s, bool *in_message)
{
    *in_message = s->in_message;
    return s->in_message ? A_MAIL : 0;
}

static void fault_count(const char *what)
{
    atomic_fetch_add(&faults, 1);
}

static const struct wire_loop_owner owner = {
    .host = &host, .closed = on_closed, .memory = count_memory, .used = used, .complain = fault_count};

static int set_up(void **state)
{
    atomic_store(&test_clock, 1000000);
    atomic_store(&pending, false);
    atomic_store(&come, 0);
    atomic_store(&silent_rcpt, false);
    atomic_store(&refuses, false);
    atomic_store(&passes, false);
    atomic_store(&edits, 0);
    atomic_store(&closed_connections, 0);
    atomic_store(&closed_refused, 0);
    atomic_store(&faults, 0);
    atomic_store(&bodies, 0);
    return 0;
}

/* ---- an MTA ---- */

static void turn(void)
{
    const unsigned from = atomic_load(&rounds);

    for (int i = 0; i < bound_ms && atomic_load(&rounds) - from < 3; i++)
        usleep(1000);
    assert_true(atomic_load(&rounds) - from >= 3);
}

/* Lets this much time pass. */
static void pass(int64_t seconds)
{
    turn(); /* what was sent before is taken by the clock of before */
    atomic_fetch_add(&test_clock, seconds * 1000);
    turn();
}

static int connection(struct wire_loop *l, bool refuse)
{
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    wire_loop_give(l, fd[0], refuse);
    return fd[1];
}

static void send_octets(int fd, const void *octets, size_t n)
{
    assert_int_equal(send(fd, octets, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void packet(int fd, char letter, const void *data, size_t n)
{
    const uint32_t length = htonl((uint32_t)n + 1);
    char head[5];

    memcpy(head, &length, 4);
    head[4] = letter;
    send_octets(fd, head, sizeof head);
    if (n)
        send_octets(fd, data, n);
}

#define SEND(fd, letter, data) packet(fd, letter, data, sizeof(data) - 1)

/* The letter of the next answer; 0: the connection was closed. */
static char answer_of(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char head[5], data[4096];
    uint32_t length;

    const int ready = poll(&p, 1, bound_ms);
    bound_ms = ready == 1 ? bound_ms : 500;
    assert_int_equal(ready, 1);
    if (recv(fd, head, sizeof head, 0) != sizeof head)
        return 0;
    memcpy(&length, head, 4);
    length = ntohl(length) - 1;
    assert_true(length <= sizeof data);
    if (length)
        assert_int_equal(recv(fd, data, length, 0), length);
    return head[4];
}

/* Tells whether it is still open and was sent nothing. */
static bool is_quiet(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 0;
}

/* Of an MTA that waits for an answer at connect, at MAIL, and after each body chunk. */
#define STEPS (0x1fffffu & ~(WIRE_NO_REPLY_CONNECT | WIRE_NO_REPLY_MAIL | WIRE_NO_REPLY_BODY))

static void to_helo(int fd)
{
    const uint32_t numbers[] = {htonl(6), htonl(0x1ff), htonl(STEPS)};

    packet(fd, 'O', numbers, sizeof numbers);
    assert_int_equal(answer_of(fd), 'O');
    SEND(fd, 'C', "host\0U");
    assert_int_equal(answer_of(fd), 'c');
    SEND(fd, 'H', "h\0"); /* without an answer */
}

static void to_body(int fd)
{
    SEND(fd, 'M', "<>\0");
    assert_int_equal(answer_of(fd), 'c');
    SEND(fd, 'R', "<b>\0");
    assert_int_equal(answer_of(fd), 'c');
    SEND(fd, 'L', "From\0a@b.example\0");
    SEND(fd, 'N', "");
}

/* Stops a loop whose connections have all ended, and looks at what it counted. */
static void loop_end(struct wire_loop *l)
{
    wire_loop_stop(l, 0);
    wire_loop_free(l);
    assert_int_equal(atomic_load(&open_sessions), 0);
    assert_int_equal(atomic_load(&memory), 0);
}

static void ended(int fd)
{
    assert_int_equal(answer_of(fd), 0);
    close(fd);
}

/* For ends that the test does not see. */
static void closed_are(unsigned count)
{
    for (int i = 0; i < bound_ms && atomic_load(&closed_connections) < count; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&closed_connections), count);
}

/* ---- the cases ---- */

static void idle_7210_seconds(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int silent = connection(l, false), helo = connection(l, false), between = connection(l, false);

    to_helo(helo);
    to_helo(between);
    to_body(between);
    SEND(between, 'E', "");
    assert_int_equal(answer_of(between), 'a');
    pass(7205);
    assert_true(is_quiet(silent));
    assert_true(is_quiet(helo));
    SEND(between, 'M', "<>\0"); /* a command: its time begins again */
    assert_int_equal(answer_of(between), 'c');
    pass(11);
    ended(silent);
    ended(helo);
    assert_true(is_quiet(between));
    pass(7190);
    assert_true(is_quiet(between));
    pass(20);
    ended(between);
    assert_int_equal(atomic_load(&closed_connections), 3);
    assert_int_equal(wire_loop_load(l), 0);
    loop_end(l);
}

/* The time of a command is that from its first octet to its last: an octet now and then does not make it longer. */
static void a_command_300_seconds(void **state)
{
    static const char cut[] = "\0\0\0\x20M<a@b";
    struct wire_loop *l = wire_loop_new(&owner);
    const int slow = connection(l, false), dribble = connection(l, false), whole = connection(l, false);

    to_helo(slow);
    to_helo(dribble);
    to_helo(whole);
    send_octets(slow, cut, sizeof cut - 1);
    send_octets(whole, "\0\0\0\4M", 5);
    for (int i = 0; i < 9; i++) {
        send_octets(dribble, cut + i, 1);
        pass(33);
    }
    assert_true(is_quiet(slow)); /* 297 seconds */
    assert_true(is_quiet(dribble));
    send_octets(whole, "<>\0", 3);
    assert_int_equal(answer_of(whole), 'c');
    send_octets(whole, "\0\0\0\4R", 5); /* another command, with its own 300 seconds */
    pass(9);
    ended(slow);
    ended(dribble);
    pass(280);
    assert_true(is_quiet(whole));
    send_octets(whole, "<b>", 3);
    assert_int_equal(answer_of(whole), 0); /* a length of 4 and no NUL: not the protocol */
    close(whole);
    assert_int_equal(atomic_load(&closed_connections), 3);
    loop_end(l);
}

/* Each half of a command just in time: two such commands take longer than 300 seconds, and neither is too slow. */
static void the_next_command_begins_anew(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);

    to_helo(fd);
    send_octets(fd, "\0\0\0\4M", 5);
    pass(200);
    send_octets(fd, "<>\0\0\0\0\5R", 8); /* the rest of one and the start of the next */
    assert_int_equal(answer_of(fd), 'c');
    pass(200);
    assert_true(is_quiet(fd));
    send_octets(fd, "<b>\0", 4);
    assert_int_equal(answer_of(fd), 'c');
    close(fd);
    loop_end(l);
}

/* Sends body chunks and reads no answer until neither side takes any more; returns how many were sent. */
static unsigned send_until_full(int fd)
{
    unsigned sent = 0;
    int full = 0;

    for (int i = 0; i < 10000000 && full < 20; i++) {
        if (send(fd, "\0\0\0\2Bx", 6, MSG_NOSIGNAL) == 6) { /* a unix socket takes all or nothing of so few */
            sent++;
            full = 0;
        } else {
            turn();
            full++;
        }
    }
    assert_int_equal(full, 20);
    return sent;
}

/* An MTA that sends and never reads: what we keep for it is bounded, and so is its time. */
static void answers_that_are_not_taken(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);

    to_helo(fd);
    to_body(fd);
    send_until_full(fd);
    /* The answers that wait, and those of one read more. */
    assert_in_range(atomic_load(&memory), A_MAIL, A_MAIL + UNSENT_MAX + READ_MAX + PACKET_MAX);
    const unsigned before = atomic_load(&rounds);
    usleep(200000);
    assert_in_range(atomic_load(&rounds) - before, 0, 60); /* the loop sleeps: by itself it wakes each 5 ms here */
    pass(290);
    assert_int_equal(atomic_load(&closed_connections), 0);
    pass(16);
    closed_are(1);
    assert_int_equal(atomic_load(&memory), 0);
    close(fd);
    loop_end(l);
}

/* An MTA that reads late gets each answer, and goes on: nothing is lost while its answers wait. */
static void answers_that_are_taken_late(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);
    const int least = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    to_helo(fd);
    to_body(fd);
    const unsigned sent = send_until_full(fd);
    for (unsigned got = 0; got < sent; got++)
        assert_int_equal(answer_of(fd), 'c');
    turn();
    assert_true(is_quiet(fd));
    assert_int_equal(atomic_load(&bodies), sent);
    SEND(fd, 'E', "");
    assert_int_equal(answer_of(fd), 'a');
    SEND(fd, 'Q', "");
    ended(fd);
    loop_end(l);
}

/* What the MTA sends while DNS is awaited is read afterwards: first what came with the end, then what came later. */
static void commands_sent_during_a_wait(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);

    atomic_store(&pending, true);
    to_helo(fd);
    to_body(fd);
    send_octets(fd, "\0\0\0\1E\0\0\0\4M", 10);
    turn();
    send_octets(fd, "<>\0", 3);
    turn();
    SEND(fd, 'R', "<b>\0");
    turn();
    assert_true(is_quiet(fd));
    atomic_store(&pending, false);
    pass(1);
    assert_int_equal(answer_of(fd), 'a');
    assert_int_equal(answer_of(fd), 'c');
    assert_int_equal(answer_of(fd), 'c');
    SEND(fd, 'Q', "");
    ended(fd);
    loop_end(l);
}

/* DNS has answered: the thread that brings the answers wakes the loop, which need not wait for its next look. */
static void an_answer_wakes_the_loop(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false), gone = connection(l, false);

    atomic_store(&pending, true);
    to_helo(fd);
    to_body(fd);
    last_mta = NULL;
    SEND(fd, 'E', "");
    for (int i = 0; i < bound_ms && !last_mta; i++)
        usleep(1000);
    turn();
    last_mta->arrived(last_mta->context); /* for another of its look-ups: it goes on waiting */
    turn();
    assert_true(is_quiet(fd));
    atomic_store(&pending, false);
    last_mta->arrived(last_mta->context);
    last_mta->arrived(last_mta->context);
    assert_int_equal(answer_of(fd), 'a'); /* the clock stood still */
    last_mta->arrived(last_mta->context); /* too late, for nothing */
    close(gone);
    close(fd);
    loop_end(l);
}

/* The MTA hangs up while DNS is awaited: it is noticed when it is told that we are at work. */
static void hung_up_during_a_wait(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);

    atomic_store(&pending, true);
    to_helo(fd);
    to_body(fd);
    SEND(fd, 'E', "");
    turn();
    close(fd);
    pass(31);
    closed_are(1);
    loop_end(l);
}

/* MTAs that have sent two mails at once and hung up: the first mails' look-ups are overdue all together, the second
 * mails wait again, and then it is noticed that nobody takes the answers. */
static void hung_up_with_another_mail_behind(void **state)
{
    static const char mail[] = "\0\0\0\4M<>\0\0\0\0\5R<b>\0\0\0\0\1N\0\0\0\1E";
    struct wire_loop *l = wire_loop_new(&owner);
    int fd[UNSENT_LINKS];

    atomic_store(&pending, true);
    for (size_t i = 0; i < UNSENT_LINKS; i++) {
        fd[i] = connection(l, false);
        to_helo(fd[i]);
        send_octets(fd[i], mail, sizeof mail - 1);
        send_octets(fd[i], mail, sizeof mail - 1);
    }
    turn();
    for (size_t i = 0; i < UNSENT_LINKS; i++)
        close(fd[i]);
    turn();
    atomic_store(&come, 1);
    pass(1);
    closed_are(UNSENT_LINKS);
    loop_end(l);
}

static void without_descriptors(void **state)
{
    struct rlimit before, none;
    struct wire_loop *l = wire_loop_new(&owner);
    int next = dup(1);

    assert_null(wire_loop_free(NULL));
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    for (int more = 0; more < 3; more++) { /* for the poll, for one of the pipe's ends, for both */
        none.rlim_cur = (rlim_t)(next + more);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        struct wire_loop *failed = wire_loop_new(&owner);
        setrlimit(RLIMIT_NOFILE, &before);
        assert_null(failed);
    }
    assert_int_equal(dup(1), next); /* none was left open */
    close(next);
    loop_end(l);
}

static void progress_every_30_seconds(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);

    atomic_store(&pending, true);
    to_helo(fd);
    to_body(fd);
    SEND(fd, 'E', "");
    pass(29);
    assert_true(is_quiet(fd));
    for (int i = 0; i < 20; i++) { /* for ten minutes; those before its time-out count from the last */
        pass(2);
        assert_int_equal(answer_of(fd), 'p');
        assert_true(is_quiet(fd));
        pass(29);
        assert_true(is_quiet(fd));
    }
    atomic_store(&pending, false);
    pass(1);
    assert_int_equal(answer_of(fd), 'a');
    SEND(fd, 'M', "<>\0");
    assert_int_equal(answer_of(fd), 'c');
    close(fd);
    loop_end(l);
}

/* The others of the same loop are served while one waits for DNS. */
static void a_wait_holds_up_nobody(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int waits = connection(l, false), other = connection(l, false);

    atomic_store(&pending, true);
    to_helo(waits);
    to_body(waits);
    SEND(waits, 'E', "");
    to_helo(other);
    to_body(other);
    SEND(other, 'B', "text");
    assert_int_equal(answer_of(other), 'c');
    assert_true(is_quiet(waits));
    close(waits); /* hung up meanwhile */
    close(other);
    loop_end(l);
}

static void one_above_the_bound(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, true);
    const uint32_t numbers[] = {htonl(6), htonl(0x1ff), htonl(STEPS)};

    packet(fd, 'O', numbers, sizeof numbers);
    assert_int_equal(answer_of(fd), 'O');
    SEND(fd, 'C', "host\0U");
    assert_int_equal(answer_of(fd), 't');
    close(fd);
    loop_end(l);
    assert_int_equal(atomic_load(&closed_refused), 1);
    assert_int_equal(atomic_load(&closed_connections), 0);
}

/* An MTA that sees the end of its connection may connect at once: the one that ended counts no longer. */
static void an_end_counts_before_it_is_seen(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fault = connection(l, false), refused = connection(l, true);

    atomic_store(&watched_mta, fault);
    SEND(fault, '?', "");
    assert_int_equal(answer_of(fault), 0);
    assert_true(atomic_load(&was_open));
    assert_int_equal(atomic_load(&closed_connections), 1);
    assert_int_equal(wire_loop_load(l), 1);
    atomic_store(&watched_mta, refused);
    SEND(refused, '?', "");
    assert_int_equal(answer_of(refused), 0);
    assert_true(atomic_load(&was_open));
    assert_int_equal(atomic_load(&closed_refused), 1);
    assert_int_equal(wire_loop_load(l), 0);
    atomic_store(&watched_mta, -1);
    close(fault);
    close(refused);
    loop_end(l);
}

/* What counts in milter.memory: the mail, macros, and the start of a command; it is given back at the end of each. */
static void memory_is_counted(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);

    to_helo(fd);
    turn();
    assert_int_equal(atomic_load(&memory), 0);
    SEND(fd, 'D', "Mi\0queue\0");
    turn();
    assert_int_equal(atomic_load(&memory), 8); /* names and values with their NULs */
    to_body(fd);
    send_octets(fd,
                "\0\0\0\xff"
                "B1234",
                9);
    turn();
    assert_int_equal(atomic_load(&memory), 8 + A_MAIL + 9);
    close(fd);
    for (int i = 0; i < bound_ms && atomic_load(&memory); i++)
        usleep(1000);
    assert_int_equal(atomic_load(&memory), 0);
    loop_end(l);
}

/* A packet that says it is longer than what was agreed on is known by its start: nothing is kept for it. A header field
 * may be longer than the rest (Postfix sends it in one packet), up to 1 MiB. */
static void octets_as_negotiated(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fits = connection(l, false), above = connection(l, false), field = connection(l, false),
              late = connection(l, false);
    static char body[WIRE_DATA_64K], header[WIRE_DATA_1M];

    to_helo(fits);
    to_body(fits);
    assert_int_equal(fcntl(fits, F_SETFL, 0), 0);
    packet(fits, 'B', body, sizeof body);
    assert_int_equal(answer_of(fits), 'c');
    to_helo(above);
    to_body(above);
    send_octets(above, "\0\1\0\1B", 5); /* one octet more */
    ended(above);
    assert_int_equal(atomic_load(&faults), 1);
    assert_int_equal(atomic_load(&bodies), 1);
    to_helo(late);
    to_body(late);
    send_octets(late, "\0\1\0\1", 4); /* a header field may have them ... */
    turn();
    send_octets(late, "B", 1); /* ... but it is none */
    ended(late);
    assert_int_equal(atomic_load(&faults), 2);
    memset(header, 'x', sizeof header - 1);
    header[1] = 0; /* its name */
    to_helo(field);
    assert_int_equal(fcntl(field, F_SETFL, 0), 0);
    SEND(field, 'M', "<>\0");
    assert_int_equal(answer_of(field), 'c');
    SEND(field, 'R', "<b>\0");
    assert_int_equal(answer_of(field), 'c');
    packet(field, 'L', header, sizeof header);
    SEND(field, 'N', "");
    SEND(field, 'E', "");
    assert_int_equal(answer_of(field), 'a');
    SEND(field, 'M', "<>\0");
    assert_int_equal(answer_of(field), 'c');
    send_octets(field, "\0\x10\0\1", 4);
    ended(field);
    assert_int_equal(atomic_load(&faults), 3);
    close(fits);
    loop_end(l);
}

/* An MTA may write a packet in parts, and parts of two packets at once. Its octets arrive as they were sent; what is
 * kept for it never exceeds a packet, and is given back when the packet is whole. */
static void packets_in_parts(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);
    static char two[2 * (5 + WIRE_DATA_64K)];
    const size_t whole = sizeof two / 2, parts[] = {2, 1, 1, 1, 1, 4096, 1, 4096, 30000, 20000, 20000, 40000, 1, 4096};
    unsigned expected = 0;
    size_t at = 0;

    for (size_t i = 0; i < sizeof two; i++) {
        two[i] = i % whole < 5 ? "\0\1\0\0B"[i % whole] : (char)(i * 7 % 251);
        expected = i % whole < 5 ? expected : expected * 31 + (unsigned char)two[i];
    }
    to_helo(fd);
    to_body(fd);
    turn();
    atomic_store(&sum, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; at += parts[i++]) {
        send_octets(fd, two + at, parts[i]);
        turn();
        const size_t begun = (at + parts[i]) % whole, kept = (size_t)atomic_load(&memory) - A_MAIL;
        assert_true(kept >= begun && kept <= whole && kept <= 2 * begun);
    }
    assert_true(at > whole && at < sizeof two);
    assert_int_equal(answer_of(fd), 'c');
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    send_octets(fd, two + at, sizeof two - at);
    assert_int_equal(answer_of(fd), 'c');
    turn();
    assert_int_equal(atomic_load(&memory), A_MAIL);
    assert_int_equal(atomic_load(&bodies), 2);
    assert_int_equal(atomic_load(&sum), expected);
    close(fd);
    loop_end(l);
}

/* While it stops: who has no mail is sent away at once, a mail may end, and at the end of the time all is over. */
static void the_end(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int idle = connection(l, false), ends = connection(l, false), never = connection(l, false),
              waits = connection(l, false);

    to_helo(idle);
    to_helo(ends);
    to_body(ends);
    to_helo(never);
    to_body(never);
    SEND(never, 'B', "x");
    assert_int_equal(answer_of(never), 'c');
    to_helo(waits);
    to_body(waits);
    atomic_store(&pending, true);
    SEND(waits, 'E', "");
    turn();
    wire_loop_stop(l, 25);
    ended(idle);
    pass(20);
    assert_true(is_quiet(ends));
    assert_true(is_quiet(never));
    assert_true(is_quiet(waits));
    atomic_store(&pending, false);
    pass(1);
    assert_int_equal(answer_of(waits), 'a');
    ended(waits);
    SEND(ends, 'B', "x");
    assert_int_equal(answer_of(ends), 'c');
    SEND(ends, 'E', "");
    assert_int_equal(answer_of(ends), 'a');
    ended(ends);
    atomic_fetch_add(&test_clock, 5000); /* no round may come after it */
    ended(never);
    wire_loop_free(l);
    assert_int_equal(atomic_load(&closed_connections), 4);
    assert_int_equal(atomic_load(&open_sessions), 0);
    assert_int_equal(atomic_load(&memory), 0);
}

/* Mails in flight of which no session knows any more: one that was refused at its recipient, and one of a client whose
 * mail is not judged, where the MTA waits for no answer before their ends. They get those answers. */
static void the_end_of_mails_without_a_session(void **state)
{
    const uint32_t numbers[] = {htonl(6), htonl(0x1ff), htonl(0x1fffff)};
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd[] = {connection(l, false), connection(l, false)};

    atomic_store(&silent_rcpt, true);
    atomic_store(&refuses, true);
    for (int i = 0; i < 2; i++) {
        atomic_store(&passes, i == 1);
        packet(fd[i], 'O', numbers, sizeof numbers);
        assert_int_equal(answer_of(fd[i]), 'O');
        SEND(fd[i], 'C', "host\0U");
        SEND(fd[i], 'H', "h\0");
        SEND(fd[i], 'M', "<>\0");
        SEND(fd[i], 'R', "<b>\0");
        SEND(fd[i], 'L', "From\0a@b.example\0");
        turn();
    }
    wire_loop_stop(l, 25);
    pass(20);
    for (int i = 0; i < 2; i++) {
        assert_true(is_quiet(fd[i]));
        SEND(fd[i], 'N', "");
        SEND(fd[i], 'E', "");
        assert_int_equal(answer_of(fd[i]), i == 1 ? 'a' : 't');
        ended(fd[i]);
    }
    wire_loop_free(l);
    assert_int_equal(atomic_load(&closed_connections), 2);
}

/* The mail has ended, but its MTA has not taken all edits yet: it may do so until the end of the time. */
static void the_end_waits_for_answers_to_be_taken(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);
    const int fd = connection(l, false);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char octets[4096], last[5] = "";
    size_t all = 0;
    ssize_t n;

    atomic_store(&edits, 1000);
    to_helo(fd);
    to_body(fd);
    SEND(fd, 'E', "");
    turn();
    wire_loop_stop(l, 25);
    pass(20);
    while (poll(&p, 1, bound_ms) == 1 && (n = recv(fd, octets, sizeof octets, 0)) > 0) {
        const size_t kept = (size_t)n < sizeof last ? sizeof last - (size_t)n : 0;
        memmove(last, last + sizeof last - kept, kept);
        memcpy(last + kept, octets + n - (sizeof last - kept), sizeof last - kept);
        all += (size_t)n;
    }
    assert_int_equal(all, 1000 * (4 + 1 + 4 + 2 + sizeof edit) + 5);
    assert_memory_equal(last, "\0\0\0\1a", 5);
    close(fd);
    wire_loop_free(l);
    assert_int_equal(atomic_load(&memory), 0);
}

/* Another loop may still accept a connection when the thread of this one has ended, ask it for its load, and give the
 * connection to it: it is closed. */
static void given_after_the_end(void **state)
{
    struct wire_loop *l = wire_loop_new(&owner);

    wire_loop_stop(l, 0);
    wire_loop_join(l);
    assert_int_equal(wire_loop_load(l), 0);
    const int fd = connection(l, false), refused = connection(l, true);
    wire_loop_join(l);
    wire_loop_free(l);
    ended(fd);
    ended(refused);
    assert_int_equal(atomic_load(&closed_connections), 1);
    assert_int_equal(atomic_load(&closed_refused), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(idle_7210_seconds, set_up),
        cmocka_unit_test_setup(a_command_300_seconds, set_up),
        cmocka_unit_test_setup(the_next_command_begins_anew, set_up),
        cmocka_unit_test_setup(answers_that_are_not_taken, set_up),
        cmocka_unit_test_setup(answers_that_are_taken_late, set_up),
        cmocka_unit_test_setup(commands_sent_during_a_wait, set_up),
        cmocka_unit_test_setup(an_answer_wakes_the_loop, set_up),
        cmocka_unit_test_setup(hung_up_during_a_wait, set_up),
        cmocka_unit_test_setup(hung_up_with_another_mail_behind, set_up),
        cmocka_unit_test_setup(without_descriptors, set_up),
        cmocka_unit_test_setup(progress_every_30_seconds, set_up),
        cmocka_unit_test_setup(a_wait_holds_up_nobody, set_up),
        cmocka_unit_test_setup(one_above_the_bound, set_up),
        cmocka_unit_test_setup(an_end_counts_before_it_is_seen, set_up),
        cmocka_unit_test_setup(memory_is_counted, set_up),
        cmocka_unit_test_setup(octets_as_negotiated, set_up),
        cmocka_unit_test_setup(packets_in_parts, set_up),
        cmocka_unit_test_setup(the_end, set_up),
        cmocka_unit_test_setup(given_after_the_end, set_up),
        cmocka_unit_test_setup(the_end_of_mails_without_a_session, set_up),
        cmocka_unit_test_setup(the_end_waits_for_answers_to_be_taken, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
