// SPDX-License-Identifier: BSD-2-Clause
/*
 * log.c - the milter's log: one line a call, to stderr or syslog; complaints are rate-limited by cause.
 *
 * Promises that each line is written by one write (one over PIPE_BUF by several, but with no other line of this process
 * between them), and is never longer than LOG_MAX. If a line cannot be written, mail is not affected. If nobody reads
 * stderr, its pipe is full: then lines wait for room, together PATIENCE_MS a minute. Without that they are dropped, and
 * the next line says how many were. syslog(3) gives no such choice: it waits for the system's logger.
 */
#include "milter/log.h"
#include "base/clock.h"
#include "base/log_text.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_MAX LOG_TEXT_MAX
#define PROGRAM "assay-milter: " /* before each line that is text */
#define PATIENCE_MS 1000         /* how long lines wait for the reader of stderr ... */
#define PATIENCE_SECONDS 60      /* ... in so many seconds */

static atomic_bool stderr_wanted = true; /* engines are started, and may complain, before the log is open */
static atomic_bool as_json;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int64_t since;
    unsigned written, left_out;
} causes[LOG_CAUSES];

/* The lock is held from poll() to write(), so that no other thread takes the room. */
static struct {
    pthread_mutex_t lock;
    int64_t since; /* monotonic ms: `waited` counts from here */
    int64_t waited;
    unsigned dropped; /* lines, since one was written */
    bool torn;        /* the last line was written in part */
} reader = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_open(bool to_stderr)
{
    stderr_wanted = to_stderr;
    if (!to_stderr)
        openlog("assay-milter", LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void log_as_json(bool json)
{
    as_json = json;
}

bool log_is_json(void)
{
    return as_json;
}

/* Tells whether stderr takes PIPE_BUF octets within that time. One that has failed takes them, too: write() says
 * why. */
static bool stderr_takes(int64_t ms)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    int n;

    do {
        n = poll(&p, 1, (int)ms);
    } while (n < 0 && errno == EINTR);
    return n != 0;
}

static bool wait_for_room(void)
{
    const int64_t now = clock_mono_ms();
    bool room;

    if (now - reader.since >= PATIENCE_SECONDS * 1000) {
        reader.since = now;
        reader.waited = 0;
    }
    if (reader.waited >= PATIENCE_MS)
        return false;
    room = stderr_takes(PATIENCE_MS - reader.waited);
    reader.waited += clock_mono_ms() - now;
    return room;
}

/* false: there was no room for it, or not for all of it. */
static bool write_text(const char *text, size_t n)
{
    while (n) {
        if (!stderr_takes(0) && !wait_for_room())
            return false;
        const ssize_t done = write(STDERR_FILENO, text, n < PIPE_BUF ? n : PIPE_BUF);
        if (done <= 0)
            return true; /* for another reason than room: mail is not affected */
        text += done;
        n -= (size_t)done;
        reader.torn = n > 0;
    }
    return true;
}

/* Once there is room again. false: there is not. */
static bool tell_dropped(void)
{
    struct buf b = BUF_INIT;
    char words[80];
    bool told;

    snprintf(words, sizeof words, "%u lines of this log were dropped, because nobody read them", reader.dropped);
    buf_adds(&b, reader.torn ? "\n" : "");
    buf_adds(&b, as_json ? "" : PROGRAM);
    log_text_add(&b, "assay-milter", LOG_LEVEL_WARNING, words, as_json);
    buf_addc(&b, '\n');
    told = write_text(b.p, b.n);
    buf_release(&b);
    return told;
}

/* The line has its end. */
static void write_line(const char *line, size_t n)
{
    pthread_mutex_lock(&reader.lock);
    if (reader.dropped && tell_dropped())
        reader.dropped = 0;
    if (reader.dropped || !write_text(line, n))
        reader.dropped++;
    pthread_mutex_unlock(&reader.lock);
}

static void log_put(int priority, const char *line)
{
    const char *program = as_json ? "" : PROGRAM;
    const size_t before = strlen(program);
    size_t n = strlen(line);
    char text[LOG_MAX];

    if (!stderr_wanted) {
        syslog(priority, "%s", line);
        return;
    }
    if (n > sizeof text - before - 2)
        n = sizeof text - before - 2;
    memcpy(text, program, before);
    memcpy(text + before, line, n);
    text[before + n] = '\n';
    write_line(text, before + n + 1);
}

/* A line that is not about a mail. */
static void put_words(enum log_level level, const char *unsafe)
{
    static const int priorities[] = {LOG_NOTICE, LOG_WARNING, LOG_ERR};
    struct buf b = BUF_INIT;

    log_text_add(&b, "assay-milter", level, unsafe, as_json);
    log_put(priorities[level],
            b.failed ? "{\"level\":\"warning\",\"message\":\"a log line was lost: out of memory\"}" : b.p);
    buf_release(&b);
}

void log_line(const char *line)
{
    log_put(LOG_INFO, line);
}

void log_say(const char *fmt, ...)
{
    char text[LOG_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put_words(LOG_LEVEL_NOTICE, text);
}

void log_failure(const char *fmt, ...)
{
    char text[LOG_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put_words(LOG_LEVEL_ERROR, text);
}

/* Tells whether a line of this cause may be written; *left_out: how many were suppressed since the last one. */
static bool allowed(enum log_cause cause, unsigned *left_out)
{
    const int64_t now = clock_mono_ms();
    bool ok;

    pthread_mutex_lock(&lock);
    *left_out = 0;
    if (causes[cause].since == 0 || now - causes[cause].since > LOG_SECONDS * 1000) {
        *left_out = causes[cause].left_out;
        causes[cause].since = now;
        causes[cause].written = causes[cause].left_out = 0;
    }
    ok = causes[cause].written < LOG_BURST;
    if (ok)
        causes[cause].written++;
    else
        causes[cause].left_out++;
    pthread_mutex_unlock(&lock);
    return ok;
}

void log_complain(enum log_cause cause, const char *fmt, ...)
{
    char text[LOG_MAX];
    unsigned left_out;
    va_list ap;
    int n = 0;

    if (!allowed(cause, &left_out))
        return;
    if (left_out)
        n = snprintf(text, sizeof text, "(%u like this left out) ", left_out);
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    put_words(LOG_LEVEL_WARNING, text);
}
