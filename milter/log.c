// SPDX-License-Identifier: BSD-2-Clause
/*
 * log.c - the milter's log: one line a call, to stderr or syslog; complaints are rate-limited by cause.
 *
 * Promises that a line is never longer than LOG_MAX. If a line cannot be written, mail is not affected, also if nobody
 * reads stderr (base/log_pipe.h). syslog(3) gives no such choice: it waits for the system's logger.
 */
#include "milter/log.h"
#include "base/clock.h"
#include "base/log_pipe.h"
#include "base/log_text.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_MAX LOG_TEXT_MAX

static atomic_bool stderr_wanted = true; /* engines are started, and may complain, before the log is open */
static atomic_bool as_json;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int64_t since;
    unsigned written, left_out;
} causes[LOG_CAUSES];

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

static void log_put(int priority, const char *line)
{
    const char *program = as_json ? "" : "assay-milter: ";
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
    log_pipe_write(STDERR_FILENO, "assay-milter", as_json, text, before + n + 1);
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
