// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_streams.c - a program that was started with closed standard streams: they stay closed to it, and no file gets
 * their numbers. Alone: make check-one T=test_streams. Needs nothing.
 */
#include "base/streams.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first thing that is wrong in a process without the streams of `closed` (bits); 0: nothing. */
static int first_fault(unsigned closed)
{
    char octet = 'x';
    for (int fd = 0; fd < 3; fd++)
        if (closed & 1u << fd)
            close(fd);
    if (!streams_hold())
        return 1;
    int file = open("/dev/null", O_RDWR);
    if (file < 3)
        return 2;
    for (int fd = 0; fd < 3; fd++) {
        if (!(closed & 1u << fd))
            continue;
        errno = 0;
        if ((fd ? write(fd, &octet, 1) : read(fd, &octet, 1)) != -1 || errno != EBADF)
            return 3 + fd;
    }
    return 0;
}

static void closed_streams_stay_closed(void **state)
{
    for (unsigned closed = 0; closed < 8; closed++) {
        int status = -1;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(first_fault(closed));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void open_streams_stay_as_they_are(void **state)
{
    int status = -1, ends[2];
    char octet = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(STDERR_FILENO);
        _exit(streams_hold() && write(STDOUT_FILENO, "y", 1) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(read(ends[0], &octet, 1), 1);
    assert_int_equal(octet, 'y');
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_streams_stay_closed),
        cmocka_unit_test(open_streams_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
