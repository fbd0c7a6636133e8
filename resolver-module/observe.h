// SPDX-License-Identifier: BSD-2-Clause
/*
 * observe.h - what the module saw, from the resolver's workers to the journal and the status file.
 *
 * A worker hands over one event per judged answer and goes on: the queue is bounded and never waits; what does not fit
 * is counted, and the count is recorded. One writer, a thread or a process of its own (aside.h), adds the events up by
 * zone cut and state (zones.h) and every `resolver.record-every` writes what is new into the journal (kind "names",
 * assay-journal(5)), and every few seconds DIR/status.json for `assay resolver status`.
 *
 * A folder that cannot be written costs the record, never an answer: it is logged, tried again every ten seconds, and
 * the loss is counted.
 */
#ifndef ASSAY_RESOLVER_MODULE_OBSERVE_H
#define ASSAY_RESOLVER_MODULE_OBSERVE_H

#include "resolver-module/worker_queue.h"
#include "resolver-module/watch.h"
#include <stdbool.h>

#define OBSERVE_STATUS_SECONDS 2
#define OBSERVE_TOP 50 /* zones of each state named in the status */

struct observe;

struct observe_options {
    const char *dir;     /* status.json is written here */
    const char *unbound; /* version of the resolver, for the status */
    struct watch *watch;
    const struct watch_hooks *hooks;
    bool apart; /* the writer is a process of its own (aside.h), if one can be had */
};

/* Starts the writer. NULL when out of memory or threads. */
struct observe *observe_start(const struct observe_options *options);

bool observe_is_apart(const struct observe *o); /* the writer is a process */

/* Takes in what is queued, writes the journal and the status, ends the writer. NULL is fine; returns NULL. */
struct observe *observe_stop(struct observe *o);

/* Now and then, from one thread: where the writer's process was killed, a thread takes its place. What that process had
 * taken in and not written is lost. */
void observe_look(struct observe *o);

/* Where workers hand over what they saw; lasts until observe_stop. */
struct worker_queues *observe_lanes(const struct observe *o);

#endif
