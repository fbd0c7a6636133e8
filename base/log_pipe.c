// SPDX-License-Identifier: BSD-2-Clause
/*
 * log_pipe.c - writes the lines of a daemon's log to a descriptor whose reader may have stopped.
 *
 * Promises that a line is written by one write(2), one over PIPE_BUF by several, but with no other line of this process
 * between them. poll() is asked before each: a pipe or socket that is full would block write(). Failure: the line is
 * dropped and counted.
 */
#include "base/log_pipe.h"
#include "base/clock.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS 1000    /* how long lines wait for the reader ... */
#define PATIENCE_SECONDS 60 /* ... in so many seconds */

/* The lock is held from poll() to write(), so that no other thread takes the room. */
static struct {
    pthread_mutex_t lock;
    int64_t since; /* monotonic ms: `waited` counts from here */
    int64_t waited;
    unsigned dropped; /* lines, since one was written */
    bool torn;        /* the last line was written in part */
} reader = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Tells whether PIPE_BUF octets can be written within that time. A pipe that has failed takes them, too: write() then
 * says why. */
static bool has_room(int fd, int64_t ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n;

    do {
        n = poll(&p, 1, (int)ms);
    } while (n < 0 && errno == EINTR);
    return n != 0;
}

static bool wait_for_room(int fd)
{
    const int64_t now = clock_mono_ms();
    bool room;

    if (now - reader.since >= PATIENCE_SECONDS * 1000) {
        reader.since = now;
        reader.waited = 0;
    }
    if (reader.waited >= PATIENCE_MS)
        return false;
    room = has_room(fd, PATIENCE_MS - reader.waited);
    reader.waited += clock_mono_ms() - now;
    return room;
}

/* false: there was no room for it, or not for all of it. */
static bool write_parts(int fd, const char *text, size_t n)
{
    while (n) {
        if (!has_room(fd, 0) && !wait_for_room(fd))
            return false;
        const ssize_t done = write(fd, text, n < PIPE_BUF ? n : PIPE_BUF);
        if (done <= 0)
            return true; /* for another reason than room: the line is lost, and nobody can be told */
        text += done;
        n -= (size_t)done;
        reader.torn = n > 0;
    }
    return true;
}

/* Once there is room again. false: there is not. */
static bool tell_dropped(int fd, const char *program, bool json)
{
    struct buf b = BUF_INIT;
    char words[80];
    bool told;

    snprintf(words, sizeof words, "lines of this log that nobody read, and that were dropped: %u", reader.dropped);
    buf_adds(&b, reader.torn ? "\n" : "");
    if (!json)
        buf_add_list(&b, (const char *const[]){program, ": ", NULL});
    log_text_add(&b, program, LOG_LEVEL_WARNING, words, json);
    buf_addc(&b, '\n');
    told = write_parts(fd, b.p, b.n);
    buf_release(&b);
    return told;
}

void log_pipe_write(int fd, const char *program, bool json, const char *line, size_t n)
{
    pthread_mutex_lock(&reader.lock);
    if (reader.dropped && tell_dropped(fd, program, json))
        reader.dropped = 0;
    if (reader.dropped || !write_parts(fd, line, n))
        reader.dropped++;
    pthread_mutex_unlock(&reader.lock);
}

void log_pipe_say(int fd, const char *program, enum log_level level, bool json, const char *fmt, va_list ap)
{
    char *words = NULL; /* whole: a password is found before anything is cut off */
    struct buf line = BUF_INIT;

    if (vasprintf(&words, fmt, ap) < 0)
        words = NULL;
    if (!json) {
        buf_adds(&line, program);
        buf_adds(&line, ": ");
    }
    log_text_add(&line, program, level, words ? words : "a line was lost: out of memory", json);
    buf_adds(&line, "\n");
    if (!line.failed)
        log_pipe_write(fd, program, json, line.p, line.n);
    buf_release(&line);
    free(words);
}
