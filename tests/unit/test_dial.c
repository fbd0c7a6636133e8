// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dial.c - connecting within a time: who answers, who refuses, who never answers, a source address that is not
 * ours, and that no descriptor is left open.
 */
#include "net/dial.h"
#include "base/clock.h"
#include "tests/unit/cm.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_MS 300
#define BOUND_MS 20000 /* far above SOON_MS on a busy machine, and far below the kernel's own two minutes */

static struct ip loopback(void)
{
    struct ip ip;

    assert_int_equal(ip_from_text(slice_str("127.0.0.1"), &ip), STATUS_OK);
    return ip;
}

/* A socket at a port of its own; listening with that queue, or not at all (-1). */
static int socket_place(int queue, unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    if (queue >= 0)
        assert_int_equal(listen(fd, queue), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* The next descriptor that would be given: the same before and after, if none was left open. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void answered(void **state)
{
    const struct ip to = loopback();
    unsigned port;
    int listener = socket_place(5, &port), fd;
    char text[16];

    assert_int_equal(dial_ip(&to, port, NULL, clock_mono_ms() + BOUND_MS, &fd), DIAL_DONE);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    assert_int_equal(dial_ip(&to, port, &to, clock_mono_ms() + BOUND_MS, &fd), DIAL_DONE);
    close(fd);
    snprintf(text, sizeof text, "%u", port);
    fd = dial_host("127.0.0.1", text, BOUND_MS);
    assert_true(fd >= 0);
    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
    close(listener);
}

static void refused(void **state)
{
    const struct ip to = loopback();
    struct ip other, none = {0};
    unsigned port;
    char text[16];
    int silent = socket_place(-1, &port), fd = 0;
    const int before = next_descriptor();

    assert_int_equal(dial_ip(&to, port, NULL, clock_mono_ms() + BOUND_MS, &fd), DIAL_UNREACHABLE);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(fd, -1);
    snprintf(text, sizeof text, "%u", port);
    assert_int_equal(dial_host("127.0.0.1", text, BOUND_MS), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(ip_from_text(slice_str("192.0.2.1"), &other), STATUS_OK); /* RFC 5737: nobody's, nor ours */
    assert_int_equal(dial_ip(&to, port, &other, clock_mono_ms() + BOUND_MS, &fd), DIAL_NO_SOURCE);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(dial_ip(&none, port, NULL, clock_mono_ms() + BOUND_MS, &fd), DIAL_NO_SOCKET);
    assert_int_equal(dial_host("127.0.0.1", "no such port", BOUND_MS), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(next_descriptor(), before);
    close(silent);
}

/* A listener whose queue is full does not answer at all: the deadline counts, not the kernel's two minutes. */
static void never_answered(void **state)
{
    const struct ip to = loopback();
    unsigned port;
    int listener = socket_place(0, &port), held[8], fd;
    char text[16];
    size_t n = 0;
    enum dial_outcome last = DIAL_DONE;

    while (n < sizeof held / sizeof *held &&
           (last = dial_ip(&to, port, NULL, clock_mono_ms() + SOON_MS, &held[n])) == DIAL_DONE)
        n++;
    assert_int_equal(last, DIAL_LATE);
    const int before = next_descriptor();
    const int64_t began = clock_mono_ms();
    assert_int_equal(dial_ip(&to, port, NULL, began + SOON_MS, &fd), DIAL_LATE);
    assert_int_equal(errno, ETIMEDOUT);
    snprintf(text, sizeof text, "%u", port);
    assert_int_equal(dial_host("127.0.0.1", text, SOON_MS), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(clock_mono_ms() - began >= 2 * SOON_MS);
    assert_true(clock_mono_ms() - began < BOUND_MS);
    assert_int_equal(next_descriptor(), before);
    while (n-- > 0)
        close(held[n]);
    close(listener);
}

static void routes(void **state)
{
    const struct ip to = loopback();
    const int before = next_descriptor();

    assert_true(dial_has_route(&to));
    assert_int_equal(next_descriptor(), before);
}

/* A milter's socket by its name: no queue, no wait and no name too long is taken for an answer. */
static void named(void **state)
{
    char name[600];
    unsigned port;
    const int before = next_descriptor(), listener = socket_place(5, &port);
    (void)state;

    snprintf(name, sizeof name, "inet:%u@127.0.0.1", port);
    const int fd = dial_named(name, BOUND_MS);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(fd);
    close(listener);
    assert_int_equal(dial_named(name, BOUND_MS), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(dial_named("unix:/nonexistent/milter.sock", 0), -1);
    assert_int_equal(errno, ENOENT);
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(dial_named(name, 0), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    memcpy(name, "inet:", 5);
    assert_int_equal(dial_named(name, 0), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(next_descriptor(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answered), cmocka_unit_test(refused),
                                       cmocka_unit_test(never_answered), cmocka_unit_test(routes),
                                       cmocka_unit_test(named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
