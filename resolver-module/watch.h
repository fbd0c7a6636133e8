// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch.h - the policy in force inside a running resolver, kept fresh without a reload of the resolver.
 *
 * A thread of its own looks at the policy's files (main file, includes, lists) four times a second by stat(2), reads them again when one
 * changed, and puts the new policy in force at once; a bad one leaves the old in force and is logged, again every ten minutes while it stays bad. It
 * also notices the second at which an exemption or a suspension ends. After each such change the version goes up first, and then the
 * `changed` hook is called, from the watch thread, so that the caller can have its cached answers judged again.
 *
 * A resolver must resolve: watch_start never fails for want of a policy. Until one can be read, watch_policy gives NULL: pass everything.
 *
 * Threads: all functions but start and stop from any thread, none waits for a reload.
 */
#ifndef ASSAY_RESOLVER_MODULE_WATCH_H
#define ASSAY_RESOLVER_MODULE_WATCH_H

#include "base/status.h"
#include "policy/policy.h"
#include <stdbool.h>

enum watch_log { WATCH_INFO, WATCH_WARNING, WATCH_ERROR };

struct watch_hooks {
    void (*log)(enum watch_log level, const char *line); /* one line, no newline; any thread */
    void (*changed)(void *arg);                          /* the policy, or what it says now, is another; may be NULL */
    void *arg;
};

struct watch;

/* Starts the watch on the policy file; the snapshot of the last good policy is DIR/policy.snapshot, and a pause of enforcement (policy/pause.h) stands
 * in folder `state`. NULL when out of memory or threads. */
struct watch *watch_start(const char *path, const char *dir, const char *state, const struct watch_hooks *hooks);
struct watch *watch_stop(struct watch *w); /* joins the thread; NULL is fine; returns NULL */

/* The policy in force, counted (policy_unref it), or NULL. */
const struct policy *watch_policy(struct watch *w);

/* Goes up with every change. Read it before judging; where it differs after storing, judge again. */
unsigned watch_version(const struct watch *w);

/* What the policy in force can do at all; cheap enough for every query. */
bool watch_can_refuse(const struct watch *w);
bool watch_can_suspend(const struct watch *w);
bool watch_paused(const struct watch *w);     /* enforcement is off for a time */
bool watch_honours_cd(const struct watch *w); /* set resolver.cd honour */

/* Makes the change known that somebody else noticed (a suspension that ended by itself). */
void watch_touch(struct watch *w);

/* For the status: where the policy came from, and what is wrong with the file now ("" where nothing is). */
void watch_state(struct watch *w, enum policy_source *source, char *error, size_t size);

#endif
