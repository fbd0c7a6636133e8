// SPDX-License-Identifier: BSD-2-Clause
/*
 * snapshot.h - every text a policy was read from, in one file, so that a daemon can start with the last policy that was
 * good.
 *
 * Form: a line "assay-policy-snapshot 1 HASH TIME", then for each text "KIND LENGTH PATH" and that many octets and a
 * newline; at the end "end SUM", SUM a 64-bit hash over all before it. KIND: unit, list (its names as kept, one a
 * line), dir (names of files, each ended by NUL). A snapshot that is cut short or changed is not read.
 */
#ifndef ASSAY_POLICY_SNAPSHOT_H
#define ASSAY_POLICY_SNAPSHOT_H

#include "base/buf.h"
#include "policy/map.h"
#include "policy/policy.h"

enum snapshot_kind { SNAPSHOT_UNIT, SNAPSHOT_LIST, SNAPSHOT_DIR };

struct snapshot {
    struct slice text; /* heap, owned */
    struct map paths;  /* KIND digit and path, as they stand in text -> place of the entry */
    const char *main;  /* path of the first unit; in the heap, owned */
    char hash[9];
    time_t made;
};

/* Writes p's texts. */
void snapshot_write(const struct policy *p, struct buf *out);

/* Takes over `text` (heap) and opens it. STATUS_INVALID: none, or damaged; text is freed then. */
enum status snapshot_open(struct snapshot *s, struct slice text) MUST_CHECK;
void snapshot_close(struct snapshot *s);

/* The text kept under a path; STATUS_MISSING when there is none. Points into the snapshot. */
enum status snapshot_get(const struct snapshot *s, enum snapshot_kind kind, const char *path,
                         struct slice *out) MUST_CHECK;

#endif
