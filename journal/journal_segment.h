// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal_segment.h - one file of a journal while it is written, and the folder around it.
 *
 * Names: WRITER-YYYYMMDDThhmmssZ-XXXXXXXX.open while a process has it locked, .journal when closed. The first line
 * bears the identity (128 random bits) by which assay-ledger takes it in exactly once, whatever its name; the last line
 * of a segment that was closed in order bears the number of records.
 *
 * Threads: a segment belongs to whoever holds the journal's lock; segment_sync may run beside segment_append.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_SEGMENT_H
#define ASSAY_JOURNAL_JOURNAL_SEGMENT_H

#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SEGMENT_ID 33
#define SEGMENT_NAME 96
#define SEGMENT_OPEN ".open"
#define SEGMENT_CLOSED ".journal"
#define SEGMENT_ASIDE ".bad" /* set aside by the taker, with NAME.bad.why beside it */

struct segment {
    int fd; /* -1: none */
    char name[SEGMENT_NAME];
    char id[SEGMENT_ID];
    off_t end; /* of the last whole record */
    uint64_t records;
    int64_t opened_ms; /* monotonic */
    bool broken;       /* a part of a record could not be taken back: close it, use it no more */
    bool dirty;        /* written since the last sync */
};

#define SEGMENT_NONE ((struct segment){.fd = -1})

/* Now, as "2026-11-20T23:19:25.123456Z". */
#define SEGMENT_TIME 32
void segment_now(char out[SEGMENT_TIME]);

/* Makes, locks and heads a new segment in folder `dir` (an open directory). errno says why not. */
bool segment_create(struct segment *s, int dir, const char *writer, const char *host);

/* Appends one line (its newline included). What was written of a line that did not fit is taken back. errno says why
 * not. */
bool segment_append(struct segment *s, struct slice line);

/* fdatasync. */
bool segment_sync(const struct segment *s);

/* Writes the closing line, syncs, renames, syncs the folder, unlocks. s is SEGMENT_NONE after. */
void segment_close(struct segment *s, int dir, const char *host);

/* Closes what dead writers left open: files of `writer` (NULL: of all) that nobody has locked. Returns how many. */
unsigned segment_recover(int dir, const char *writer);

/* Octets of all files in the folder; 0 when it cannot be read. */
uint64_t segment_folder_bytes(int dir);

#endif
