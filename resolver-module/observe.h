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

#define OBSERVE_QUEUE 4096  /* events; some 2 MB */
#define OBSERVE_STATUS_SECONDS 2
#define OBSERVE_TOP 50      /* zones of each state named in the status */

struct observe;

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

/* Any thread; never waits. */
void observe_event(struct observe *o, const struct zones_event *e);
void observe_swept(struct observe *o, uint64_t entries); /* cached answers marked for another judgement */
void observe_counts(const struct observe *o, struct observe_counts *out);
bool observe_wants_names(const struct observe *o); /* set resolver.sample-names */

#endif
