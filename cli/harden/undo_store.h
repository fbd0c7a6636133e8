// SPDX-License-Identifier: BSD-2-Clause
/*
 * undo_store.h - inside of change.h: one file's change, and the folder where originals are kept.
 *
 * Layout of `keep`: one folder a set, named by a number that grows (000001, ...), holding manifest.json and the
 * originals as 0, 1, ... manifest.json:
 * {"v":1,"files":[{"path":..,"existed":..,"mode":..,"uid":..,"gid":..,"after":SHA-256 of what was written}]}.
 */
#ifndef ASSAY_CLI_HARDEN_UNDO_STORE_H
#define ASSAY_CLI_HARDEN_UNDO_STORE_H

#include "cli/harden/edit.h"

struct change {
    const char *path;
    bool existed, exists_after;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct slice before, after;
};

/* Fills in what is on disk: existed, mode, owner, before. A missing file is STATUS_OK with existed false. */
enum status change_read(struct arena *a, const char *path, struct change *c, const char **why) MUST_CHECK;

/* Writes `after` (forward) or `before` in the file's place, or removes it where it is not to be. */
enum status change_replace(struct arena *a, const struct change *c, bool forward, const char **why) MUST_CHECK;

/* Keeps the originals and the manifest, synced. */
enum status change_store(struct arena *a, const char *keep, const struct change *c, size_t n,
                         const char **why) MUST_CHECK;

/* Removes the newest set. */
void change_forget(struct arena *a, const char *keep);

#endif
