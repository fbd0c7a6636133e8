// SPDX-License-Identifier: BSD-2-Clause
/*
 * classes.h - recipients whose policies differ: each recipient gets the verdict by the policy for
 * its own address, and recipients with the same outcome form one class.
 *
 * Pure. Everything lives in the arena given.
 */
#ifndef ASSAY_JUDGE_CLASSES_H
#define ASSAY_JUDGE_CLASSES_H

#include "judge/verdict.h"

struct mail_rcpt;

/* Up to 8 classes by outcome and deciding statement; further recipients are grouped by action alone, for which room is
 * reserved. */
#define CLASSES_MAX (8 + POLICY_REJECT)

struct class_of_rcpts {
    struct verdict verdict;
    const char *rcpt; /* the first recipient of the class, or NULL if the mail has none */
    size_t rcpt_count;
};

struct classes {
    struct class_of_rcpts list[CLASSES_MAX];
    size_t count;             /* at least 1 */
    const unsigned char *of;  /* index of each recipient's class; NULL if there are no recipients */
    bool agree;               /* all classes have the same action */
    size_t mildest, severest; /* indexes into list */
};

/* STATUS_NOMEM: *out has one class that defers. */
enum status classes_decide(struct arena *a, const struct facts *f, const struct policy *p,
                           const struct mail_rcpt *rcpts, size_t n, time_t at, const char *paused,
                           struct classes *out) MUST_CHECK;

#endif
