// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal_read.h - reading journals back: which segments a folder has, and the lines of one.
 *
 * Lines are returned unchanged; the caller parses them. A last line without a newline is still being written, or its
 * writer died: it is never returned, and `torn` says that it is there. A line that is too long or holds a NUL octet (a
 * disk that lost power leaves such) is skipped and counted as bad.
 *
 * Threads: a struct journal_lines belongs to one thread at a time.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_READ_H
#define ASSAY_JOURNAL_JOURNAL_READ_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct journal_file {
    char *name; /* in its folder */
    bool open;  /* its writer has not closed it yet */
    uint64_t bytes;
};

/* The segments in a folder, oldest name first (the time stands after the writer's name, which is not compared).
 * STATUS_MISSING: no such folder; STATUS_DENIED: may not be read. Free with journal_list_free. */
enum status journal_list(const char *dir, struct journal_file **files, size_t *count) MUST_CHECK;
void journal_list_free(struct journal_file *files, size_t count);

struct journal_lines {
    int fd;
    char *space;
    size_t filled, at; /* octets in space; where the next line begins */
    off_t base;        /* the file's offset of space[0] */
    bool skipping;     /* within a line that is too long */
    bool end;
    bool torn;   /* at the end: octets without a newline behind the last line */
    bool failed; /* a read failed: errno_kept says why */
    int errno_kept;
    uint64_t bad; /* lines skipped so far */
};

/* Opens dir/name at an offset that journal_lines_next gave out, or 0. STATUS_MISSING, STATUS_DENIED, STATUS_INVALID: no
 * regular file; STATUS_NOMEM. */
enum status journal_lines_open(struct journal_lines *l, const char *dir, const char *name, off_t from) MUST_CHECK;

/* The next line, without its newline; good until the next call. *after: the offset behind it. False at the end. */
bool journal_lines_next(struct journal_lines *l, struct slice *line, off_t *after);

void journal_lines_close(struct journal_lines *l);

#endif
