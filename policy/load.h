// SPDX-License-Identifier: BSD-2-Clause
/*
 * load.h - one reading of a policy: the file, what it includes, the lists it names.
 */
#ifndef ASSAY_POLICY_LOAD_H
#define ASSAY_POLICY_LOAD_H

#include "policy/model.h"
#include "policy/snapshot.h"
#include "policy/source.h"

/* What helps somebody who has no policy yet. */
#define LOADER_BEGIN_WITH "start from first-day.policy, in share/assay/policies"

/* How to go on in spite of errors in customers' files: one customer's mistake must not block everybody's policy. Such a
 * file is taken as it was in `earlier`, or left out. */
struct tolerance {
    const struct snapshot *earlier; /* NULL: there is none */
    struct arena *arena;
    struct map bad;      /* paths of tightening files that failed: their earlier text is taken, or nothing */
    bool again;          /* all errors were in such files: load again */
    struct tried *tried; /* NULL: not needed */
    /* Statements `suspend` that are wrong. To leave one out loosens nothing, so at a first start, if there is no policy
     * to go on with, the rest is better than none. */
    bool leaves_suspensions; /* leave them out */
    bool only_suspensions;   /* all other errors were in customers' files */
};

/* The files, lists and folders that a reading looked at, whether or not it came to a policy, and what they looked like
 * just before. */
struct tried {
    struct buf paths; /* each ended by NUL; if it failed (no memory), the rest is not watched */
    uint64_t stamp;
};

struct loader {
    struct policy *p;
    struct policy_report *report;
    const struct snapshot *snapshot; /* NULL: from disk */
    time_t now;
    size_t errors;
    size_t forgiven;             /* of them, in files that may only tighten */
    size_t bad_suspensions;      /* of them, in statements `suspend` */
    struct tolerance *tolerance; /* NULL: every error counts */
    bool out_of_memory;
    const struct loader_trial *trial; /* NULL: all files as they are */
    struct tried *tried;              /* NULL: not needed */
    struct source_folder *folder;     /* the folder of an include whose files are being read, or NULL */
};

/* A change that is tried: the file with this device and inode contains `text`. */
struct loader_trial {
    dev_t device;
    ino_t inode;
    struct slice text;
};

/* The text of one of the policy's files: on trial, from the snapshot, or from disk. */
enum status loader_unit(const struct loader *ld, const struct snapshot *from, const char *path,
                        struct source_text *t) MUST_CHECK;

void loader_error(struct loader *ld, const struct place *at, const char *help, const char *fmt, ...) PRINTF_LIKE(4, 5);
void loader_warn(struct loader *ld, const struct place *at, const char *help, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Notes that this path is about to be read from disk. */
void loader_tries(const struct loader *ld, const char *path);
void tried_add(struct tried *t, const char *path);

/* The stamp as it would be now. */
uint64_t tried_stamp(const struct tried *t);

/* Counts the errors since `before` as the tightening file's own, and remembers it. */
void loader_forgive(struct loader *ld, const char *path, size_t before);

/* Tells whether a tightening file has failed in an earlier pass. */
bool loader_failed(const struct loader *ld, const char *path);

/* Reads a text from disk or a snapshot (NULL: disk). `kind`: a unit's text or a list's. */
enum status loader_read(const struct snapshot *from, enum snapshot_kind kind, const char *path, size_t most,
                        struct source_text *t) MUST_CHECK;

/* Where a unit, and the lists it names, come from. */
const struct snapshot *loader_source(const struct loader *ld, const struct unit *u);

/* `name` as seen from the file `from`: itself when absolute. In the policy's arena; NULL without memory. */
const char *loader_path(struct loader *ld, const char *from, const char *name);

/* Reads the main file and all it includes, statement by statement. `text` (heap, taken over) stands for the file where
 * its p is not NULL. */
void loader_main(struct loader *ld, const char *path, const char *shown, struct slice text);

/* Reads all lists, checks and stores all settings, ties statements to lists, gathers what is ours. */
void loader_lists(struct loader *ld);
void loader_resolve(struct loader *ld);
void loader_combinations(struct loader *ld);             /* combinations.c: settings that need others */
void listener_apply(struct loader *ld, uint32_t number); /* listener.c */

/* A policy from a path, a text, or a snapshot; NULL on errors. load_new never gives a policy that was not wholly read.
 */
struct policy *load_new(const char *path, const char *shown, struct slice text, const struct snapshot *snapshot,
                        struct policy_report *report, struct tolerance *tolerance);

/* policy_load for a daemon that has no policy at all: statements `suspend` that are wrong are left out, and the report
 * says so. NULL if anything else is wrong. */
struct policy *load_without_suspensions(const char *path, struct policy_report *report);

/* policy_load for daemons. `before` (may be NULL) has the earlier texts of customers' files; see struct tolerance.
 * `tried` (may be NULL) gets all that was looked at. */
struct policy *load_tolerant(const char *path, const struct policy *before, struct policy_report *report,
                             struct tried *tried);

#endif
