// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts_fetch.h - the queue of MTA-STS policies to be fetched (RFC 8461 3.3), and the threads that fetch them.
 *
 * A job is one domain's policy. At most STS_FETCH_AT_ONCE jobs run, each on a thread of its own that lives as long as
 * the job, and at most STS_FETCH_PER_NETWORK to one network (/24, /48), so that silent hosts of one operator delay
 * nobody else. Others wait in the order in which they came. Any thread may start a job.
 */
#ifndef ASSAY_OUTGOING_STS_FETCH_H
#define ASSAY_OUTGOING_STS_FETCH_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/status.h"
#include "net/https.h"
#include "standards/sts/sts.h"

#define STS_FETCH_QUEUE 4096 /* jobs that wait or run; more are STATUS_LIMIT */
#define STS_FETCH_AT_ONCE 64
#define STS_FETCH_PER_NETWORK 2

enum sts_fetch_outcome {
    STS_FETCH_DONE,
    STS_FETCH_THEIRS, /* the domain's fault: its host, its certificate, its answer. RFC 8461 3.3: as if no policy */
    STS_FETCH_OURS,   /* we could not ask: no route to anywhere, no memory, no threads, no certificates of ours */
};

struct sts_fetch_config {
    const char *ca_file;
    unsigned port, fetch_ms; /* as in https.h */
    size_t queue;            /* tests: instead of STS_FETCH_QUEUE; 0: that */
    /* Called by the job's thread, or by sts_fetch_free for jobs that never ran. policy lives until it returns; NULL
     * unless STS_FETCH_DONE. why: words about a failure. */
    void (*done)(void *context, const char *domain, enum sts_fetch_outcome outcome, const struct sts_policy *policy,
                 const char *why);
    void *context;
};

struct sts_fetch;

struct sts_fetch *sts_fetch_new(const struct sts_fetch_config *config); /* NULL: out of memory */

/* Waits for the jobs that run; those that wait end as STS_FETCH_OURS. NULL is allowed; returns NULL. */
struct sts_fetch *sts_fetch_free(struct sts_fetch *f);

/* Queues a job: domain is canonical, at most HTTPS_ADDRESSES addresses of its policy host. done() is called once unless
 * this fails; by this very call if there is no thread, so hold no lock. STATUS_LIMIT: the queue is full; STATUS_NOMEM.
 */
enum status sts_fetch_start(struct sts_fetch *f, const char *domain, const struct ip *addresses,
                            size_t count) MUST_CHECK;

/* Tells whether we have no network at all: no route to these addresses, nor to any other place. Nothing is sent. */
bool sts_fetch_is_cut_off(const struct ip *addresses, size_t count);

#endif
