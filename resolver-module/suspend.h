// SPDX-License-Identifier: BSD-2-Clause
/*
 * suspend.h - suspensions of validation that end by themselves (RFC 7646 2: "remove the NTA as soon as the domain is
 * again working").
 *
 * While `suspend validation below D` stands, the validator goes on validating, and only its word "bogus" is not acted
 * on below D. So it is seen when D validates again: when for a settling time (set resolver.suspension-settles) answers
 * below D came out secure and none came out bogus, the suspension has ended, for good: it is remembered in a file in
 * the module's folder, until the statement is taken out of the policy.
 *
 * Threads: all functions from any thread; a lock is held for some comparisons, and only for names under a suspension.
 */
#ifndef ASSAY_RESOLVER_MODULE_SUSPEND_H
#define ASSAY_RESOLVER_MODULE_SUSPEND_H

#include "policy/policy.h"
#include <stdbool.h>
#include <stdint.h>

#define SUSPEND_MAX 64 /* suspensions that are followed; more are let end by their date only */

struct suspend;

/* `path`: the file of those that ended. NULL when out of memory. */
struct suspend *suspend_new(const char *path);
struct suspend *suspend_free(struct suspend *s);

/* An answer below a suspended domain came out so. True when that ends the suspension, now. */
bool suspend_note(struct suspend *s, const struct policy_statement *st, bool secure, int64_t now_ms, int64_t settle_ms);

/* Whether it has ended by itself. Signature as decide.h wants it. */
bool suspend_ended(const void *s, const struct policy_statement *st);

#endif
