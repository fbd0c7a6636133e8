// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts_fetch.c - the queue, its order, and one fetch.
 *
 * Promises that done() is called exactly once for each job that was taken, without the queue's lock held. Locking: one
 * mutex for the two lists (waiting, running), never held while the web is asked. When a job starts or ends, dispatch()
 * starts every waiting job for which there is room, the oldest first. A failure is the domain's (STS_FETCH_THEIRS)
 * unless we know that we could not ask at all.
 */
#include "outgoing/sts_fetch.h"
#include "base/buf.h"
#include "base/quiet_thread.h"
#include "net/dial.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_PATH "/.well-known/mta-sts.txt" /* RFC 8461 3.3 */
#define FETCH_ARENA (4u * 1024 * 1024)

struct job {
    struct job *next;
    struct sts_fetch *queue;
    char domain[LIMIT_DOMAIN + 1];
    struct ip address[HTTPS_ADDRESSES];
    size_t count;
};

struct sts_fetch {
    struct sts_fetch_config config;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct job *waiting, *running;
    size_t jobs, at_once, threads; /* threads: running jobs, and those that are about to end */
    bool stop;
};

struct sts_fetch *sts_fetch_new(const struct sts_fetch_config *config)
{
    struct sts_fetch *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->config = *config;
    if (!f->config.queue)
        f->config.queue = STS_FETCH_QUEUE;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->ended, NULL);
    return f;
}

/* ---- one fetch ---- */

bool sts_fetch_is_cut_off(const struct ip *addresses, size_t count)
{
    static const char *const anywhere[] = {"192.0.2.1", "2001:db8::1"}; /* RFC 5737, RFC 3849: never asked anything */
    struct ip ip;

    for (size_t i = 0; i < count; i++)
        if (dial_has_route(&addresses[i]))
            return false;
    for (size_t i = 0; i < 2; i++)
        if (ip_from_text(slice_str(anywhere[i]), &ip) == STATUS_OK && dial_has_route(&ip))
            return false;
    return true;
}

static enum sts_fetch_outcome fetch(const struct job *j, struct arena *arena, struct sts_policy *out,
                                    char why[HTTPS_WHY])
{
    const struct sts_fetch_config *config = &j->queue->config;
    char host[LIMIT_DOMAIN + 16];
    struct buf body = BUF_INIT;
    const char *wrong = NULL;

    snprintf(host, sizeof host, "mta-sts.%s", j->domain);
    if (strlen(host) > LIMIT_DOMAIN) {
        snprintf(why, HTTPS_WHY, "its name is too long for a policy host");
        return STS_FETCH_THEIRS;
    }
    struct https_request r = {.host = host,
                              .path = FETCH_PATH,
                              .port = config->port,
                              .addresses = j->address,
                              .address_count = j->count,
                              .ca_file = config->ca_file,
                              .total_ms = config->fetch_ms};
    enum https_outcome got = https_get(&r, &body, why);
    enum sts_fetch_outcome o = got == HTTPS_DONE ? STS_FETCH_DONE : STS_FETCH_THEIRS;
    if (got == HTTPS_INTERNAL ||
        ((got == HTTPS_UNREACHABLE || got == HTTPS_TIMEOUT) && j->count && sts_fetch_is_cut_off(j->address, j->count)))
        o = STS_FETCH_OURS;
    enum status read = o == STS_FETCH_DONE ? sts_policy_read(arena, buf_slice(&body), out, &wrong) : STATUS_INVALID;
    if (o == STS_FETCH_DONE && read != STATUS_OK) {
        snprintf(why, HTTPS_WHY, "%s", wrong);
        o = read == STATUS_NOMEM ? STS_FETCH_OURS : STS_FETCH_THEIRS;
    }
    buf_release(&body);
    return o;
}

static void job_run(const struct job *j)
{
    const struct sts_fetch_config *c = &j->queue->config;
    struct arena *arena = arena_new(FETCH_ARENA);
    struct sts_policy p;
    char why[HTTPS_WHY] = "out of memory";
    enum sts_fetch_outcome o = arena ? fetch(j, arena, &p, why) : STS_FETCH_OURS;

    c->done(c->context, j->domain, o, o == STS_FETCH_DONE ? &p : NULL, why);
    arena_free(arena);
}

/* ---- the queue ---- */

static bool shares_network(const struct job *a, const struct job *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (ip_same_prefix(&a->address[i], &b->address[k], a->address[i].family == 6 ? 48 : 24))
                return true;
    return false;
}

static bool has_room(const struct sts_fetch *f, const struct job *j)
{
    size_t near = 0;

    for (const struct job *r = f->running; r; r = r->next)
        near += shares_network(j, r);
    return near < STS_FETCH_PER_NETWORK;
}

static void unlink_job(struct job **list, const struct job *j)
{
    while (*list && *list != j)
        list = &(*list)->next;
    if (*list)
        *list = j->next;
}

static void *job_main(void *arg);

/* Starts what there is room for. A job for which there is no thread goes to *failed. With the lock held. */
static void dispatch(struct sts_fetch *f, struct job **failed)
{
    for (struct job **at = &f->waiting; *at && f->at_once < STS_FETCH_AT_ONCE && !f->stop;) {
        struct job *j = *at;
        pthread_t thread;
        if (!has_room(f, j)) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        if (quiet_thread_create(&thread, job_main, j) != 0) {
            j->next = *failed;
            *failed = j;
            continue;
        }
        pthread_detach(thread);
        j->next = f->running;
        f->running = j;
        f->at_once++;
        f->threads++;
    }
}

/* Ends jobs that never ran. Without the lock. */
static void give_up(struct sts_fetch *f, struct job *list, const char *why)
{
    while (list) {
        struct job *j = list;
        list = j->next;
        f->config.done(f->config.context, j->domain, STS_FETCH_OURS, NULL, why);
        free(j);
        pthread_mutex_lock(&f->lock);
        f->jobs--;
        pthread_mutex_unlock(&f->lock);
    }
}

static void *job_main(void *arg)
{
    struct job *j = arg, *failed = NULL;
    struct sts_fetch *f = j->queue;

    job_run(j);
    OPENSSL_thread_stop(); /* libcurl's: what it keeps for this thread is gone before sts_fetch_free() returns */
    pthread_mutex_lock(&f->lock);
    unlink_job(&f->running, j);
    f->jobs--;
    f->at_once--;
    dispatch(f, &failed);
    pthread_mutex_unlock(&f->lock);
    free(j);
    give_up(f, failed, "out of threads");
    pthread_mutex_lock(&f->lock);
    f->threads--; /* last: sts_fetch_free waits for it */
    pthread_cond_broadcast(&f->ended);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

enum status sts_fetch_start(struct sts_fetch *f, const char *domain, const struct ip *addresses, size_t count)
{
    struct job *j = calloc(1, sizeof *j), *failed = NULL, **end = &f->waiting;
    enum status s = STATUS_OK;

    if (!j)
        return STATUS_NOMEM;
    j->queue = f;
    snprintf(j->domain, sizeof j->domain, "%s", domain);
    for (; j->count < count && j->count < HTTPS_ADDRESSES; j->count++)
        j->address[j->count] = addresses[j->count];
    pthread_mutex_lock(&f->lock);
    if (f->stop || f->jobs >= f->config.queue) {
        s = STATUS_LIMIT;
    } else {
        while (*end)
            end = &(*end)->next;
        *end = j;
        f->jobs++;
        dispatch(f, &failed);
    }
    pthread_mutex_unlock(&f->lock);
    if (s != STATUS_OK)
        free(j);
    give_up(f, failed, "out of threads");
    return s;
}

struct sts_fetch *sts_fetch_free(struct sts_fetch *f)
{
    struct job *never;

    if (!f)
        return NULL;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    never = f->waiting;
    f->waiting = NULL;
    pthread_mutex_unlock(&f->lock);
    give_up(f, never, "stopped");
    pthread_mutex_lock(&f->lock);
    while (f->threads)
        pthread_cond_wait(&f->ended, &f->lock);
    pthread_mutex_unlock(&f->lock);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->ended);
    free(f);
    return NULL;
}
