// SPDX-License-Identifier: BSD-2-Clause
/*
 * edit.h - a set of changes to configuration files: shown first, made completely or not at all, and undone later.
 *
 * Changes are proposed one by one; nothing is touched until edit_apply(). It keeps each file as it was and as it will
 * be in a set of its own in the undo store (undo_store.h), and then replaces the files one by one, each by rename. When
 * one cannot be replaced, those already replaced are put back.
 *
 * Limits: EDIT_MAX_FILES files of EDIT_MAX_FILE octets. Symbolic links are followed: the file they lead to is
 * replaced, or made where a link leads to a file that is not there yet. A file with several names (hard links) is
 * written in place. Threads: one. Errors are one line in *why, in the arena.
 */
#ifndef ASSAY_CLI_HARDEN_EDIT_H
#define ASSAY_CLI_HARDEN_EDIT_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdio.h>
#include <sys/types.h>

#define EDIT_MAX_FILES 32
#define EDIT_MAX_FILE (4 * 1024 * 1024)

struct edit;

struct edit *edit_new(struct arena *a);

/* What the file holds once the set is done: as proposed, else as it is. *exists says whether there is such a file; text
 * is empty if not. STATUS_DENIED, STATUS_LIMIT, STATUS_INVALID (no regular file). */
enum status edit_text(struct edit *s, const char *path, struct slice *text, bool *exists, const char **why) MUST_CHECK;

/* Proposes new content. A file that holds just that already is no change. mode is used for a new file only. */
enum status edit_propose(struct edit *s, const char *path, struct slice text, mode_t mode, const char **why) MUST_CHECK;

/* Proposes to remove the file. */
enum status edit_remove(struct edit *s, const char *path, const char **why) MUST_CHECK;

/* Remembers with the file that its setting `name` had the value `was` (NULL: it was not set) and has `now` after the
 * change: what undo needs where the file is edited afterwards. */
void edit_note_setting(struct edit *s, const char *path, const char *name, const char *was, const char *now);

/* How many files would change. */
size_t edit_count(const struct edit *s);

/* The path of file i of those; NULL at the end. */
const char *edit_path(const struct edit *s, size_t i);

/* Tells whether the folders of those files can be written to. STATUS_DENIED, STATUS_MISSING. */
enum status edit_may_write(struct edit *s, const char **why) MUST_CHECK;

/* A unified diff of all of it. */
enum status edit_diff(struct edit *s, FILE *out, const char **why) MUST_CHECK;

/* Makes the changes. STATUS_AGAIN: somebody changed one of the files since it was read; nothing is done then. The
 * caller holds undo_lock(), which keeps two of our own processes apart. `keep` is the undo store's folder for this
 * command; NULL: nothing is kept, and it cannot be undone. */
enum status edit_apply(struct edit *s, const char *keep, const char **why) MUST_CHECK;

#endif
