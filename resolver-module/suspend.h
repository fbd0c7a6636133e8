// SPDX-License-Identifier: BSD-2-Clause
/*
 * suspend.h - suspensions of validation that end by themselves (RFC 7646 2: "remove the NTA as soon as the domain is
 * again working").
 *
 * While `suspend validation below D` stands, the validator still validates, but its result "bogus" is not enforced
 * below D. So we notice when D validates again. A suspension ends when for a settling time (set
 * resolver.suspension-settles; at least SUSPEND_TTLS times Unbound's val-bogus-ttl, since a bogus answer is not judged
 * again for so long) no answer below D was bogus, of any name and type, and SUSPEND_ANSWERS different questions were
 * answered with secure data, one of them from the network. A zone that nobody asks about stays suspended. If an answer
 * below D is bogus after that, the suspension is in force again, until the statement's own end.
 *
 * What has ended is remembered in a file, until the statement is taken out of the policy. The file is read and written
 * by the writer's thread (suspend_keep): no worker waits for it.
 *
 * Threads: all functions from any thread; a lock is held for some comparisons, and only for names under a suspension. A
 * `struct suspend` has a reference count; whoever holds a reference may use it.
 */
#ifndef ASSAY_RESOLVER_MODULE_SUSPEND_H
#define ASSAY_RESOLVER_MODULE_SUSPEND_H

#include "policy/policy.h"
#include <stdbool.h>
#include <stdint.h>

#define SUSPEND_MAX 64    /* suspensions that are tracked; further ones end only by their date */
#define SUSPEND_ANSWERS 3 /* different secure answers before a suspension ends */
#define SUSPEND_TTLS 2    /* shortest settling time, in lifetimes of a cached bogus answer */

struct suspend;

/* `path`: the file of those that ended. NULL when out of memory. The caller gets one reference. */
struct suspend *suspend_new(const char *path);
struct suspend *suspend_hold(struct suspend *s); /* takes a reference; returns it */
void suspend_release(struct suspend *s);         /* NULL is allowed */

/* An answer below a suspended domain. */
struct suspend_answer {
    bool secure;       /* else bogus */
    bool fetched;      /* from the network, not from the cache */
    uint64_t question; /* a hash of name and type */
};

enum suspend_change {
    SUSPEND_SAME,
    SUSPEND_ENDED, /* ended now */
    SUSPEND_AGAIN, /* had ended, and is in force again now */
};

/* *say is set if a return to force should be logged: once an hour for each suspension. */
enum suspend_change suspend_note(struct suspend *s, const struct policy_statement *st, const struct suspend_answer *a,
                                 int64_t now_ms, int64_t settle_ms, bool *say);

/* Tells whether it has ended by itself. Signature as decide.h wants it. */
bool suspend_ended(const void *s, const struct policy_statement *st);

/* Reads the file, once; writes it where something changed. For one thread, which may wait for the disk. */
void suspend_keep(struct suspend *s);

#endif
