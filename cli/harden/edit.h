// SPDX-License-Identifier: BSD-2-Clause
/*
 * edit.h - a set of changes to configuration files: shown first, done whole or not at all, undone exactly.
 *
 * Changes are proposed one by one; nothing is touched until change_apply(). It keeps each file as it was (octets, mode,
 * owner) in a folder of its own below `keep` with a manifest, and then replaces the files one by one, each by rename.
 * When one cannot be replaced, those already replaced are put back. change_undo() puts back the newest set, and refuses
 * a file that somebody has changed since.
 *
 * Limits: CHANGE_MAX_FILES files of CHANGE_MAX_FILE octets. Symbolic links are followed: the file they lead to is
 * replaced. Threads: one. Errors are one line in *why, in the arena.
 */
#ifndef ASSAY_CLI_HARDEN_EDIT_H
#define ASSAY_CLI_HARDEN_EDIT_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdio.h>
#include <sys/types.h>

#define CHANGE_MAX_FILES 32
#define CHANGE_MAX_FILE (4 * 1024 * 1024)

struct change_set;

struct change_set *change_set_new(struct arena *a);

/* What the file holds once the set is done: as proposed, else as it is. *exists says whether there is such a file; text
 * is empty where not. STATUS_DENIED, STATUS_LIMIT, STATUS_INVALID (no regular file). */
enum status change_text(struct change_set *s, const char *path, struct slice *text, bool *exists,
                        const char **why) MUST_CHECK;

/* Proposes new content. A file that holds just that already is no change. mode is used for a new file only. */
enum status change_propose(struct change_set *s, const char *path, struct slice text, mode_t mode,
                           const char **why) MUST_CHECK;

/* How many files would change. */
size_t change_count(const struct change_set *s);

/* The path of file i of those; NULL at the end. */
const char *change_path(const struct change_set *s, size_t i);

/* A unified diff of all of it. */
enum status change_diff(struct change_set *s, FILE *out, const char **why) MUST_CHECK;

/* Does it. `keep` is made where it is missing (mode 0700). */
enum status change_apply(struct change_set *s, const char *keep, const char **why) MUST_CHECK;

/* Puts the newest set in `keep` back. STATUS_MISSING: there is none. STATUS_INVALID: a file was changed since (force:
 * put it back all the same). done is called for each path put back; may be NULL. */
enum status change_undo(struct arena *a, const char *keep, bool force, void (*done)(const char *path),
                        const char **why) MUST_CHECK;

/* Puts back, of all sets in `keep`, newest first, each file of that part (part says of a path whether it is one)
 * that is as it was left; a file that somebody changed since stays as it is, and its set is kept. STATUS_OK too
 * where nothing is kept. */
enum status change_release(struct arena *a, const char *keep, bool (*part)(const char *path),
                           void (*done)(const char *path), const char **why) MUST_CHECK;

#endif
