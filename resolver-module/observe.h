// SPDX-License-Identifier: BSD-2-Clause
/*
 * observe.h - what the module saw, from the resolver's workers to the journal and the status file.
 *
 * A worker hands over one event per judged answer and goes on: the queue is bounded and never waits; what does not fit is counted, and the count is
 * recorded. One thread of its own adds the events up by zone cut and state (zones.h) and every `resolver.record-every` writes what is new into the journal
 * (kind "names", assay-journal(5)), and every few seconds DIR/status.json for `assay resolver status`.
 *
 * A folder that cannot be written costs the record, never an answer: it is logged, tried again every ten seconds, and the loss is counted.
 */
#ifndef ASSAY_RESOLVER_MODULE_OBSERVE_H
#define ASSAY_RESOLVER_MODULE_OBSERVE_H

#include "resolver-module/watch.h"
#include "resolver-module/zones.h"
#include <stdbool.h>
#include <stdint.h>

#define OBSERVE_QUEUE 8192      /* events of one lane, 128 octets each */
#define OBSERVE_QUEUE_LONG 2048 /* ... of all that have a reason, a sampled name or a very long zone; some 2 MB */
#define OBSERVE_STATUS_SECONDS 2
#define OBSERVE_TOP 50      /* zones of each state named in the status */

struct observe;
struct observe_lane;

struct observe_counts {
    uint64_t states[DECIDE_STATE_COUNT];
    uint64_t refused, would, dropped, swept;
};

struct observe_options {
    const char *dir;       /* status.json is written here */
    const char *unbound;   /* version of the resolver, for the status */
    struct watch *watch;
    const struct watch_hooks *hooks;
};

/* Starts the thread. NULL when out of memory or threads. */
struct observe *observe_start(const struct observe_options *options);

/* Takes in what is queued, writes the journal and the status, ends the thread. NULL is fine; returns NULL. */
struct observe *observe_stop(struct observe *o);

/* A lane for one thread that hands over events: nobody else may use it. Lasts until observe_stop. NULL when out of memory: do without. */
struct observe_lane *observe_lane(struct observe *o);

/* An event comes soon: what it will be written to is fetched from memory meanwhile. A hint. */
void observe_expect(const struct observe_lane *lane);

/* Any thread, with its own lane or NULL; never waits. */
void observe_event(struct observe *o, struct observe_lane *lane, const struct zones_event *e);
void observe_swept(struct observe *o, uint64_t entries); /* cached answers marked for another judgement */
void observe_counts(const struct observe *o, struct observe_counts *out);
bool observe_wants_names(const struct observe *o); /* set resolver.sample-names */

#endif
