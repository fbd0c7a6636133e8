// SPDX-License-Identifier: BSD-2-Clause
/*
 * outgoing_log.c - lines on stderr, each one write, and the limits of lines about domains.
 *
 * Locking: one mutex round the table of domains. A line that cannot be written is dropped.
 */
#include "outgoing/outgoing_log.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log_pipe.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char name[LIMIT_DOMAIN + 1];
    int64_t since;
    unsigned left_out;
} domains[OUTGOING_LOG_DOMAINS];
static struct {
    int64_t since;
    unsigned written, left_out;
} all;

static atomic_bool as_json;

void outgoing_log_as_json(bool json)
{
    as_json = json;
}

bool outgoing_log_is_json(void)
{
    return as_json;
}

void outgoing_log(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_pipe_say(STDERR_FILENO, "assay-outgoing", LOG_LEVEL_NOTICE, as_json, fmt, ap);
    va_end(ap);
}

void outgoing_log_failure(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_pipe_say(STDERR_FILENO, "assay-outgoing", LOG_LEVEL_ERROR, as_json, fmt, ap);
    va_end(ap);
}

static void put_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void put_warning(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_pipe_say(STDERR_FILENO, "assay-outgoing", LOG_LEVEL_WARNING, as_json, fmt, ap);
    va_end(ap);
}

static unsigned place_of(const char *domain)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    while (*domain)
        h = (h ^ (unsigned char)*domain++) * 16777619u;
    return h % OUTGOING_LOG_DOMAINS;
}

bool outgoing_log_may(const char *domain, int64_t now_ms, struct outgoing_log_left *left)
{
    bool may;

    pthread_mutex_lock(&lock);
    const unsigned i = place_of(domain);
    const bool known = domains[i].since && strcmp(domains[i].name, domain) == 0;
    if (!all.since || now_ms - all.since >= OUTGOING_LOG_SECONDS * 1000) {
        all.since = now_ms;
        all.written = 0;
    }
    may = !(known && now_ms - domains[i].since < OUTGOING_LOG_DOMAIN_SECONDS * 1000);
    if (!may) {
        domains[i].left_out++;
    } else if (all.written >= OUTGOING_LOG_BURST) {
        all.left_out++;
        may = false;
    } else {
        *left = (struct outgoing_log_left){known ? domains[i].left_out : 0, all.left_out};
        all.written++;
        all.left_out = 0;
        domains[i].since = now_ms;
        domains[i].left_out = 0;
        snprintf(domains[i].name, sizeof domains[i].name, "%s", domain);
    }
    pthread_mutex_unlock(&lock);
    return may;
}

void outgoing_log_domain(const char *domain, const char *what)
{
    struct outgoing_log_left left;
    char before[96] = "";

    if (!outgoing_log_may(domain, clock_mono_ms(), &left))
        return;
    if (left.of_domain || left.of_all)
        snprintf(before, sizeof before, "(left out before: %u about this domain, %u about others) ", left.of_domain,
                 left.of_all);
    put_warning("%sMTA-STS: %s: %s", before, domain, what);
}
