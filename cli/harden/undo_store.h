// SPDX-License-Identifier: BSD-2-Clause
/*
 * undo_store.h - stores the originals of changed files in /var/lib/assay-undo (root, mode 0700).
 *
 * One folder a command (harden, next), one folder a set in it, named by a number that grows (000001, ...). A set holds
 * manifest.json, the originals as 0, 1, ... and what was written in their place as 0.after, 1.after, ...:
 * {"v":2,"files":[{"path":..,"existed":..,"exists_after":..,"mode":..,"after":SHA-256 of what was written,
 * "edits":[{"name":..,"was":null or text,"now":..}]}]}. Version 1 had no .after and no edits.
 *
 * Nothing is read from a folder or file of the store that does not belong to root or to whoever runs this, or that
 * others may write to. Earlier versions kept sets below the state folder, which belongs to the daemon's user:
 * undo_adopt() takes over those that only root could change, and names the others.
 */
#ifndef ASSAY_CLI_HARDEN_UNDO_STORE_H
#define ASSAY_CLI_HARDEN_UNDO_STORE_H

#include "cli/harden/edit.h"

struct undo_setting {
    const char *name, *was, *now; /* was NULL: it was not set; now NULL: not known */
    struct undo_setting *next;
};

struct undo_file {
    const char *path;
    bool existed, exists_after;
    bool after_known; /* of a set that was read: `after` is what was written */
    bool several_names;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct slice before, after;
    struct undo_setting *edits;
    char sha[65]; /* of a set that was read: of what was written */
};

struct undo_set {
    struct undo_file files[EDIT_MAX_FILES];
    size_t count;
    unsigned number;
};

/* The folder of a command's sets: STATE-undo/WHAT. NULL: out of memory. */
const char *undo_place(struct arena *a, const char *state, const char *what);

/* Makes the folder where it is missing, and holds it for this process until the descriptor is closed. -1: refused. */
int undo_lock(struct arena *a, const char *keep, const char **why);

/* Takes over the sets that an earlier version kept in STATE/WHAT. *ignored: names what cannot be trusted; NULL if there
 * is nothing. */
enum status undo_adopt(struct arena *a, const char *state, const char *what, const char **ignored,
                       const char **why) MUST_CHECK;

/* Fills in what is on disk: existed, mode, owner, before. A missing file is STATUS_OK with existed false. */
enum status undo_file_read(struct arena *a, const char *path, struct undo_file *c, const char **why) MUST_CHECK;

/* Writes `after` (forward) or `before` in the file's place, or removes it where it is not to be. */
enum status undo_file_replace(struct arena *a, const struct undo_file *c, bool forward, const char **why) MUST_CHECK;

/* Keeps the originals and the manifest, synced. */
enum status undo_keep(struct arena *a, const char *keep, const struct undo_file *c, size_t n,
                      const char **why) MUST_CHECK;

/* The newest set, or the newest with a number below `below` (0: no bound). STATUS_MISSING: there is none. */
enum status undo_load(struct arena *a, const char *keep, unsigned below, struct undo_set *set,
                      const char **why) MUST_CHECK;

/* How a file of a set stands now. */
enum undo_state {
    UNDO_AS_WRITTEN, /* it is what was written */
    UNDO_BACK,       /* it is what it was before */
    UNDO_CHANGED,    /* somebody has changed it since; text is what it holds */
};
enum status undo_state_of(struct arena *a, const struct undo_file *c, enum undo_state *state, struct slice *text,
                          const char **why) MUST_CHECK;

/* Removes the newest set, or that set. */
void undo_forget_newest(struct arena *a, const char *keep);
void undo_forget(struct arena *a, const char *keep, unsigned number);

#endif
