// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch.h - the policy in force inside a running resolver, kept fresh without a reload of the resolver.
 *
 * Four times a second the policy's files (main file, includes, lists) are looked at by stat(2), read again when one
 * changed, and the new policy is in force at once; a bad one leaves the old in force and is logged, again every ten
 * minutes while it stays bad. Noticed is also the second at which an exemption or a suspension ends. After each such
 * change the version goes up first, and then the `changed` hook is called, so that the caller can have its cached
 * answers judged again.
 *
 * Who looks: a thread of its own (watch_follow), or the caller, whenever it pleases (watch_look), so that a program of
 * one thread stays one. Where the files known so far have more than WATCH_AT_ONCE octets they are not read by the
 * caller: then watch_look starts the thread. (How long a list is that a new policy names for the first time is not
 * known before: it is read at once, some 0.2 s for a million names.)
 *
 * A resolver must resolve: watch_start never fails for want of a policy. Until one can be read, watch_policy gives
 * NULL: pass everything.
 *
 * Threads: all functions but start, stop, follow and look from any thread; none of them waits for a reload.
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
    void (*changed)(void *arg);                          /* the policy, or what it says now, is another; may be NULL */
    void *arg;
};

struct watch;

#define WATCH_AT_ONCE (1024 * 1024) /* a policy of this size is read in some 5 ms */

/* Reads the policy file; the snapshot of the last good policy is DIR/policy.snapshot, and a pause of enforcement
 * (policy/pause.h) stands in folder `state`. NULL when out of memory. */
struct watch *watch_start(const char *path, const char *dir, const char *state, const struct watch_hooks *hooks);
struct watch *watch_stop(struct watch *w); /* joins the thread, if there is one; NULL is fine; returns NULL */

/* Starts the thread. False: there is none to be had, and nobody looks. */
bool watch_follow(struct watch *w);

/* One look, where no thread does it; at most four times a second. For one thread at a time. */
void watch_look(struct watch *w);

/* Where another process follows the same policy: it keeps the snapshot, and no look of this one waits for a disk. */
void watch_leave_snapshot(struct watch *w);

/* In a process that was forked: a thread there, without words and without hooks; the other's watch is as it was. */
bool watch_follow_apart(struct watch *w);

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
