// SPDX-License-Identifier: BSD-2-Clause
/*
 * classes.h - recipients whose policies differ (design section 4): each recipient gets the verdict of the policy that
 * is its own, and those with the same outcome are one class.
 *
 * Pure. Everything lives in the arena given.
 */
#ifndef ASSAY_JUDGE_CLASSES_H
#define ASSAY_JUDGE_CLASSES_H

#include "judge/verdict.h"

struct mail_rcpt;

/* Classes by outcome and deciding statement: up to 8; further recipients by action alone, for which room is kept. */
#define CLASSES_MAX (8 + POLICY_REJECT)

struct class_of_rcpts {
    struct verdict verdict;
    const char *rcpt; /* the first recipient of the class, or NULL where the mail has none */
    size_t rcpt_count;
};

struct classes {
    struct class_of_rcpts list[CLASSES_MAX];
    size_t count;             /* at least 1 */
    const unsigned char *of;  /* the class of each recipient, by its place; NULL where there are none */
    bool agree;               /* the actions of all classes are one */
    size_t mildest, severest; /* classes */
};

/* STATUS_NOMEM: *out has one class that defers. */
enum status classes_decide(struct arena *a, const struct facts *f, const struct policy *p,
                           const struct mail_rcpt *rcpts, size_t n, time_t at, const char *paused,
                           struct classes *out) MUST_CHECK;

#endif
