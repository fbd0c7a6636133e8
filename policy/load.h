// SPDX-License-Identifier: BSD-2-Clause
/*
 * load.h - one reading of a policy: the file, what it includes, the lists it names.
 */
#ifndef ASSAY_POLICY_LOAD_H
#define ASSAY_POLICY_LOAD_H

#include "policy/model.h"
#include "policy/snapshot.h"
#include "policy/source.h"

struct loader {
    struct policy *p;
    struct policy_report *report;
    const struct snapshot *snapshot; /* NULL: from disk */
    time_t now;
    size_t errors;
    bool out_of_memory;
};

void loader_error(struct loader *ld, const struct place *at, const char *help, const char *fmt, ...) PRINTF_LIKE(4, 5);
void loader_warn(struct loader *ld, const struct place *at, const char *help, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Reads a text from disk or the snapshot. `kind`: a unit's text or a list's. */
enum status loader_read(struct loader *ld, enum snapshot_kind kind, const char *path, size_t most,
                        struct source_text *t) MUST_CHECK;

/* `name` as seen from the file `from`: itself when absolute. In the policy's arena; NULL without memory. */
const char *loader_path(struct loader *ld, const char *from, const char *name);

/* Reads the main file and all it includes, statement by statement. `text` (heap, taken over) stands for the file where
 * its p is not NULL. */
void loader_main(struct loader *ld, const char *path, const char *shown, struct slice text);

/* Reads all lists, checks and stores all settings, ties statements to lists, gathers what is ours. */
void loader_lists(struct loader *ld);
void loader_resolve(struct loader *ld);

/* A policy from a path, a text, or a snapshot; NULL on errors. load_new never gives a policy that was not wholly read.
 */
struct policy *load_new(const char *path, const char *shown, struct slice text, const struct snapshot *snapshot,
                        struct policy_report *report);

#endif
