// SPDX-License-Identifier: BSD-2-Clause
/*
 * observe.h - carries what the workers saw to the journal and the status file.
 *
 * A worker queues one event per judged answer and continues: the queue is bounded and never blocks; events that do not
 * fit are counted, and the count is recorded. One writer, a thread (background.h), adds the events up by zone cut and
 * state (zones.h) and every `resolver.record-every` writes what is new into the journal (kind "names",
 * assay-journal(5)), and every few seconds DIR/status.json for `assay resolver status`.
 *
 * A folder that cannot be written loses records, never answers: it is logged, tried again every ten seconds, and the
 * loss is counted. A disk that hangs stops only the writer; after OBSERVE_GIVE_UP_MS this is logged. Start, reload and
 * end of the resolver wait at most OBSERVE_END_MS for a writer that hangs, and at most OBSERVE_MOST_MS for one that
 * computes or waits for a processor: it then finishes its work after the reload. What the writer works on is
 * reference-counted, and freed by the last one to release it.
 */
#ifndef ASSAY_RESOLVER_MODULE_OBSERVE_H
#define ASSAY_RESOLVER_MODULE_OBSERVE_H

#include "resolver-module/suspend.h"
#include "resolver-module/watch.h"
#include "resolver-module/worker_queue.h"
#include <stdbool.h>

#define OBSERVE_STATUS_SECONDS 2
#define OBSERVE_TOP 50          /* zones of each state named in the status */
#define OBSERVE_GIVE_UP_MS 5000 /* for one piece of the writer's work, before it counts as hanging */
#define OBSERVE_WAIT_MS 200     /* for which a start waits for a writer that is blocked */
#define OBSERVE_END_MS 400      /* ... and an end */
#define OBSERVE_MOST_MS 900     /* ... and for any writer: no question is answered meanwhile */

struct observe;

struct observe_options {
    const char *dir;     /* status.json is written here */
    const char *unbound; /* version of the resolver, for the status */
    const char *modules; /* ... and its module-config */
    struct watch *watch;
    struct suspend *suspend; /* whose file the writer keeps */
    const struct watch_hooks *hooks;
};

/* Starts the writer. NULL when out of memory. Holds watch and suspend for as long as the writer needs them. */
struct observe *observe_start(const struct observe_options *options);

/* Makes the writer process the queue, write journal and status, and end; waits for that as long as it makes progress,
 * and releases it. NULL is allowed; returns NULL. */
struct observe *observe_stop(struct observe *o);

/* To be called regularly, from one thread: starts the writer if it could not be started because an older one still
 * hung, and logs it when the writer hangs. */
void observe_look(struct observe *o);

/* The queues that workers write events to; valid until observe_stop. */
struct worker_queues *observe_queues(const struct observe *o);

#endif
