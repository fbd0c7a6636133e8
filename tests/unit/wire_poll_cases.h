// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_poll_cases.h - what wire_poll.h promises, asked of whichever half of wire_poll.c the program is built with.
 */
#ifndef ASSAY_TESTS_UNIT_WIRE_POLL_CASES_H
#define ASSAY_TESTS_UNIT_WIRE_POLL_CASES_H

#include "milter/wire/wire_poll.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 0
#define SOON 2000 /* milliseconds: a bound, never waited for when all is well */

struct pair {
    int poll, ours, theirs; /* a socket that is waited for, and the other side of it */
};

static struct pair pair_new(void)
{
    int fd[2];
    struct pair p = {.poll = wire_poll_new()};

    assert_true(p.poll >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    p.ours = fd[0];
    p.theirs = fd[1];
    return p;
}

static void pair_free(struct pair p)
{
    wire_poll_remove(p.poll, p.ours);
    close(p.ours);
    close(p.theirs);
    close(p.poll);
}

static void nothing_is_reported_before_something_comes(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();

    assert_true(fcntl(p.poll, F_GETFD) & FD_CLOEXEC);
    assert_true(wire_poll_add(p.poll, p.ours, &p));
    assert_int_equal(wire_poll_wait(p.poll, e, 4, AT_ONCE), 0);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, 5), 0);
    pair_free(p);
}

/* Level-triggered: as long as there is something to read. */
static void what_can_be_read_is_reported_until_it_is_read(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();
    char c[2];

    assert_true(wire_poll_add(p.poll, p.ours, &p));
    assert_int_equal(write(p.theirs, "ab", 2), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
        assert_ptr_equal(e[0].owner, &p);
        assert_true(e[0].can_read);
        assert_false(e[0].can_write);
        assert_false(e[0].gone);
        assert_int_equal(read(p.ours, c, 1), 1);
    }
    assert_int_equal(wire_poll_wait(p.poll, e, 4, AT_ONCE), 0);
    pair_free(p);
}

static void writing_is_reported_only_where_it_is_wanted(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();

    assert_true(wire_poll_add(p.poll, p.ours, &p));
    wire_poll_want(p.poll, p.ours, &p, true, true);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_write && !e[0].can_read);
    assert_ptr_equal(e[0].owner, &p);
    wire_poll_want(p.poll, p.ours, &p, true, false);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, AT_ONCE), 0);
    wire_poll_want(p.poll, p.ours, &p, true, true); /* and wanted again */
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    pair_free(p);
}

/* A descriptor is one event, whatever can be done with it. */
static void reading_and_writing_come_together(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();

    assert_true(wire_poll_add(p.poll, p.ours, &p));
    wire_poll_want(p.poll, p.ours, &p, true, true);
    assert_int_equal(write(p.theirs, "a", 1), 1);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_read && e[0].can_write);
    pair_free(p);
}

/* Level-triggered: what nobody wants to read now must not wake its thread again and again. */
static void reading_is_reported_only_where_it_is_wanted(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();

    assert_true(wire_poll_add(p.poll, p.ours, &p));
    assert_int_equal(write(p.theirs, "a", 1), 1);
    wire_poll_want(p.poll, p.ours, &p, false, false);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, AT_ONCE), 0);
    wire_poll_want(p.poll, p.ours, &p, false, true);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_write && !e[0].can_read);
    wire_poll_want(p.poll, p.ours, &p, true, false);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_read && !e[0].can_write);
    pair_free(p);
}

static void a_full_socket_cannot_be_written(void **state)
{
    static char much[65536];
    struct wire_event e[4];
    struct pair p = pair_new();

    fcntl(p.ours, F_SETFL, O_NONBLOCK);
    fcntl(p.theirs, F_SETFL, O_NONBLOCK);
    while (write(p.ours, much, sizeof much) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
    assert_true(wire_poll_add(p.poll, p.ours, &p));
    wire_poll_want(p.poll, p.ours, &p, true, true);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, AT_ONCE), 0);
    while (read(p.theirs, much, sizeof much) > 0)
        ;
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_write);
    pair_free(p);
}

/* The loop learns of the end by a read of no octets, or by `gone`. */
static void the_end_of_the_other_side_is_reported(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();
    char c;

    assert_true(wire_poll_add(p.poll, p.ours, &p));
    assert_int_equal(write(p.theirs, "a", 1), 1);
    close(p.theirs);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_read); /* what was sent before is not lost */
    assert_int_equal(read(p.ours, &c, 1), 1);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_true(e[0].can_read || e[0].gone);
    assert_int_equal(read(p.ours, &c, 1), 0);
    p.theirs = dup(p.ours);
    pair_free(p);
}

static void what_was_removed_is_not_reported(void **state)
{
    struct wire_event e[4];
    struct pair p = pair_new();

    assert_true(wire_poll_add(p.poll, p.ours, &p));
    wire_poll_want(p.poll, p.ours, &p, true, true);
    assert_int_equal(write(p.theirs, "a", 1), 1);
    wire_poll_remove(p.poll, p.ours);
    assert_int_equal(wire_poll_wait(p.poll, e, 4, AT_ONCE), 0);
    assert_true(wire_poll_add(p.poll, p.ours, e)); /* the same number again, of another owner */
    assert_int_equal(wire_poll_wait(p.poll, e, 4, SOON), 1);
    assert_ptr_equal(e[0].owner, e);
    assert_false(e[0].can_write);
    pair_free(p);
}

/* More are ready than were asked for: the others come at the next call. */
static void no_more_than_asked_for(void **state)
{
    struct wire_event e[2];
    struct pair p[3] = {pair_new(), pair_new(), pair_new()};
    bool seen[3] = {false};
    char c;

    for (int i = 0; i < 3; i++) {
        assert_true(wire_poll_add(p[0].poll, p[i].ours, &p[i]));
        assert_int_equal(write(p[i].theirs, "a", 1), 1);
    }
    for (int turn = 0; turn < 2; turn++) {
        int n = wire_poll_wait(p[0].poll, e, 2, SOON);
        assert_in_range(n, 1, 2);
        for (int i = 0; i < n; i++) {
            struct pair *of = e[i].owner;
            seen[of - p] = true;
            assert_int_equal(read(of->ours, &c, 1), 1);
        }
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    for (int i = 0; i < 3; i++)
        pair_free(p[i]);
}

static void a_bad_descriptor_is_refused(void **state)
{
    struct pair p = pair_new();

    close(p.theirs);
    assert_false(wire_poll_add(p.poll, p.theirs, &p));
    assert_int_equal(errno, EBADF);
    p.theirs = dup(p.ours);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_reported_before_something_comes),
        cmocka_unit_test(what_can_be_read_is_reported_until_it_is_read),
        cmocka_unit_test(writing_is_reported_only_where_it_is_wanted),
        cmocka_unit_test(reading_and_writing_come_together),
        cmocka_unit_test(reading_is_reported_only_where_it_is_wanted),
        cmocka_unit_test(a_full_socket_cannot_be_written),
        cmocka_unit_test(the_end_of_the_other_side_is_reported),
        cmocka_unit_test(what_was_removed_is_not_reported),
        cmocka_unit_test(no_more_than_asked_for),
        cmocka_unit_test(a_bad_descriptor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
