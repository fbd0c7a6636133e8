// SPDX-License-Identifier: BSD-2-Clause
/*
 * workers.h - the data of each resolver thread, so that judging an answer takes no lock and shares no cache line: the
 * policy in force, with one reference for each change and not for each answer, and a queue for its events
 * (worker_queue.h).
 *
 * A thread is recognised by a thread-local variable: its first call allocates its data, the end of the module releases
 * it. A reload of the resolver ends one `workers` and begins another, while its main thread stays.
 *
 * Threads: workers_policy and workers_event from any, each for itself; new and free while no other runs.
 */
#ifndef ASSAY_RESOLVER_MODULE_WORKERS_H
#define ASSAY_RESOLVER_MODULE_WORKERS_H

#include "resolver-module/worker_queue.h"
#include "resolver-module/watch.h"

struct workers;

/* Neither is owned; both must outlive it. NULL when out of memory. */
struct workers *workers_new(struct watch *watch, struct worker_queues *queues);
struct workers *workers_free(struct workers *w); /* NULL is allowed; returns NULL */

/* The policy in force at watch_version `version` or later; not counted for the caller: good until this thread's next
 * call. An idle thread keeps an old policy until then. NULL: there is no policy, or no memory: everything passes. */
const struct policy *workers_policy(struct workers *w, unsigned version);

/* Queues one event; never waits. */
void workers_event(struct workers *w, const struct zones_event *e);

#endif
