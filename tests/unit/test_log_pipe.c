// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_log_pipe.c - a log whose reader has stopped: no line waits for long, what was dropped is counted, and a line
 * that was written in part is ended.
 */
#include "base/log_pipe.h"
#include "base/clock.h"
#include "tests/unit/cm.h"
#include <fcntl.h>
#include <limits.h>
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

/* A line is longer than what a pipe takes at once (PIPE_BUF), and its reader stops in the middle: what was written of
 * it gets an end, so that the next line begins as one. */
static void a_line_in_part(void **state)
{
    static const char told[] = "\nassay-x: lines of this log that nobody read, and that were dropped: 1\n" LINE;
    char line[6000], text[2 * PIPE_BUF] = {0};
    int fd[2];

    (void)state;
    if (sysconf(_SC_PAGESIZE) != PIPE_BUF)
        skip(); /* a pipe has room by pages */
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(fcntl(fd[1], F_SETPIPE_SZ, 2 * PIPE_BUF), 2 * PIPE_BUF);
    assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(write(fd[1], text, PIPE_BUF), PIPE_BUF); /* half of its room */
    log_pipe_write(fd[1], "assay-x", false, line, sizeof line);
    assert_int_equal(read(fd[0], text, sizeof text), 2 * PIPE_BUF);
    assert_memory_equal(text + PIPE_BUF, line, PIPE_BUF);
    log_pipe_write(fd[1], "assay-x", false, LINE, sizeof LINE - 1);
    assert_int_equal(read(fd[0], text, sizeof text), sizeof told - 1);
    assert_memory_equal(text, told, sizeof told - 1);
    log_pipe_write(fd[1], "assay-x", false, LINE, sizeof LINE - 1); /* all is as before */
    assert_int_equal(read(fd[0], text, sizeof text), sizeof LINE - 1);
    assert_memory_equal(text, LINE, sizeof LINE - 1);
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_reads), cmocka_unit_test(a_line_in_part)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
