// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_log_pipe.c - a log whose reader has stopped: no line waits for long, and what was dropped is counted.
 */
#include "base/log_pipe.h"
#include "base/clock.h"
#include "tests/unit/cm.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LINES 1000
#define LINE "a line of the log, of some length, which is one of many that nobody reads for a while\n"

static void nobody_reads(void **state)
{
    int fd[2];
    char text[65536 + 4096], expected[100];
    size_t n = 0, written = 0;
    ssize_t got;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
    const int64_t began = clock_mono_ms();
    for (int i = 0; i < LINES; i++)
        log_pipe_write(fd[1], "assay-x", false, LINE, sizeof LINE - 1);
    assert_true(clock_mono_ms() - began < 10000); /* a second, and what the host takes */
    while (n < sizeof text && (got = read(fd[0], text + n, sizeof text - n)) > 0)
        n += (size_t)got;
    for (size_t i = 0; i + sizeof LINE - 1 <= n; i += sizeof LINE - 1, written++)
        assert_memory_equal(text + i, LINE, sizeof LINE - 1);
    assert_int_equal(n % (sizeof LINE - 1), 0);
    assert_true(written > 10 && written < LINES);
    log_pipe_write(fd[1], "assay-x", false, LINE, sizeof LINE - 1);
    got = read(fd[0], text, sizeof text - 1);
    assert_true(got > 0);
    text[got] = 0;
    snprintf(expected, sizeof expected, "assay-x: lines of this log that nobody read, and that were dropped: %zu\n",
             LINES - written);
    assert_memory_equal(text, expected, strlen(expected));
    assert_string_equal(text + strlen(expected), LINE);
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
