// SPDX-License-Identifier: BSD-2-Clause
/*
 * source.h - where the policy's texts come from: files on disk, or a snapshot that holds them all.
 *
 * Reading a file is refused, with a reason, if somebody else could control its content: it is not a regular file
 * (FIFOs are opened without blocking, so that no reading waits for a writer), it or its folder is writable by
 * everybody, or it belongs to somebody who is neither root nor us.
 */
#ifndef ASSAY_POLICY_SOURCE_H
#define ASSAY_POLICY_SOURCE_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include <sys/stat.h>
#include <sys/types.h>

/* A folder from which many files are read: its path is resolved once, at the first file, and each file is then opened
 * relative to it (openat). If the folder is replaced meanwhile, the old one is read until source_folder_of() is called
 * again. */
struct source_folder {
    const char *path; /* as the paths of its files have it before their last '/'; the caller's */
    int fd;           /* -1: not opened yet */
    struct stat st;
};

struct source_text {
    struct slice text; /* heap; source_text_release */
    uid_t owner;
    bool any_owner; /* set before reading: any owner is allowed, as for a customer's file */
    uid_t must_own; /* set before reading, with owned_by: the only owner allowed beside root and us */
    bool owned_by;
    struct source_folder *folder; /* set before reading, or NULL; used with any_owner, for the files that lie in it */
    char reason[256];             /* after a failure: the reason, without the path */
    const char *help;             /* static, or NULL */
};

/* Reads the whole of a regular file of at most `most` octets. STATUS_MISSING, STATUS_DENIED, STATUS_INVALID (no regular
 * file), STATUS_LIMIT, STATUS_AGAIN (an error of the system), STATUS_NOMEM; t->reason says it in words. */
enum status source_read(const char *path, size_t most, struct source_text *t) MUST_CHECK;
void source_text_release(struct source_text *t);

/* Nothing is opened before the first reading. */
struct source_folder source_folder_of(const char *path);
void source_folder_close(struct source_folder *f);

/* Tells whether path is a directory. */
bool source_is_dir(const char *path);

/* The names of the files `*.policy` in a directory, sorted by octets, each ended by NUL, one after the other; *count of
 * them. Dot files are skipped. */
enum status source_dir(const char *path, struct buf *names, size_t *count, struct source_text *t) MUST_CHECK;

/* Writes `text` to `path` so that after a crash at any moment either the old or the new content is there: a new file
 * beside it, fsync, rename, fsync of the folder. With that mode. */
enum status source_write(const char *path, struct slice text, unsigned mode, char reason[256]) MUST_CHECK;

#endif
