// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch.h - keeps the policy inside a running resolver up to date, without a reload of the resolver.
 *
 * A thread (background.h) checks the policy's files four times a second by stat(2), reads them again when one changed,
 * and puts the new policy in force at once. If it is bad the old one stays in force, and that is logged, again every
 * ten minutes while it stays bad; meanwhile it is read again every few seconds. It also notices when an exemption or a
 * suspension ends. Each such change increments the version.
 *
 * No other thread waits for the policy's disk. watch_start waits for the first reading up to three seconds while it
 * computes, and up to a second while it only waits; after a reload of the resolver the policy that was in force before
 * stays in force. A first policy that still computes after that is not waited for: see watch_unread.
 *
 * A resolver must resolve: watch_start never fails because there is no policy. Until one can be read, watch_policy
 * returns NULL: everything passes.
 *
 * Threads: all functions from any thread; none of them waits for a reload. A watch has a reference count; whoever holds
 * a reference may use it.
 */
#ifndef ASSAY_RESOLVER_MODULE_WATCH_H
#define ASSAY_RESOLVER_MODULE_WATCH_H

#include "base/status.h"
#include "policy/policy.h"
#include "policy/policy_live.h"
#include <stdbool.h>

enum watch_log { WATCH_INFO, WATCH_WARNING, WATCH_ERROR };

struct watch_hooks {
    void (*log)(enum watch_log level, const char *line); /* one line, no newline; any thread */
};

struct watch;

/* Reads the policy file; the snapshot of the last good policy is DIR/policy.snapshot, and a pause of enforcement
 * (policy/pause.h) stands in folder `state`. NULL when out of memory. The caller holds it once. */
struct watch *watch_start(const char *path, const char *dir, const char *state, const struct watch_hooks *hooks);

/* Tells the thread to end, waits for nothing, and releases it. NULL is allowed; returns NULL. */
struct watch *watch_stop(struct watch *w);

struct watch *watch_hold(struct watch *w); /* takes a reference; returns it */
void watch_release(struct watch *w);

/* To be called regularly, from one thread: starts the thread if it could not be started yet, because one from before
 * the reload still hangs. */
void watch_look(struct watch *w);

/* The current policy with a reference (policy_unref it), or NULL. */
const struct policy *watch_policy(struct watch *w);

/* Tells whether the first policy is still being read: what it requires is not known yet, and no answer is given out.
 * False after a minute in any case. */
bool watch_unread(const struct watch *w);

/* Incremented with every change. Read it before judging; if it differs after storing, judge again. */
unsigned watch_version(const struct watch *w);

/* What the current policy can refuse at all; cheap enough for every query. */
bool watch_can_refuse(const struct watch *w);
bool watch_can_suspend(const struct watch *w);
bool watch_paused(const struct watch *w);     /* enforcement is off for a time */
bool watch_honours_cd(const struct watch *w); /* set resolver.cd honour */

/* Reports a change that somebody else noticed (a suspension that ended by itself). */
void watch_touch(struct watch *w);

/* For the status: where the policy came from, and what is wrong with the file now ("" if nothing is). */
void watch_state(struct watch *w, enum policy_source *source, char *error, size_t size);

#endif
