// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal.h - writes a program's findings to files so that none is lost. Format: assay-journal(5).
 *
 * A journal is a folder of segments: text files of one JSON record a line. A process writes to a segment of its own
 * (NAME.open, locked by flock), which is closed by size and age: synced, then renamed to NAME.journal. assay-ledger
 * ingests segments and removes them.
 *
 * What is promised:
 *   - journal_write() with JOURNAL_WAIT that returned STATUS_OK is in the kernel: a kill -9 of this process does not
 * lose it. A power cut loses at most what was written since the last sync, and a sync comes at least every `sync_ms`
 * (default one second).
 *   - journal_write() with JOURNAL_NOWAIT never waits for disk or for a lock: the record goes into a bounded queue that
 * the journal's own thread empties. When the queue is full the record is dropped, STATUS_LIMIT returned, and the drop
 * counted; the count itself becomes a record (kind "note", note "lost") as soon as there is room.
 *   - a full or failing disk, or a folder over its bound, never crashes and never blocks: records are lost, counted,
 * and the count is recorded when writing works again. journal_healthy() says so meanwhile, for callers that prefer to
 * defer mail rather than lose evidence.
 *   - journal_close() writes out the queue, syncs and closes the segment.
 *   - after fork() the child may go on using the handle: it gets a thread, a queue and a segment of its own at its
 * first write. What the parent had queued stays the parent's.
 *
 * Threads: every function but journal_open and journal_close may be called from any thread at any time. This header and
 * journal_*.h depend on base only, so that the resolver's module can use them.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_H
#define ASSAY_JOURNAL_JOURNAL_H

#include "base/json.h"
#include "base/slice.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version this program writes ("v" of each record). A reader accepts every version up to its own and leaves newer
 * ones alone. */
#define JOURNAL_VERSION 1

/* Own bounds. A record of a message with 50 recipients and 8 signatures is some 4 kB. */
#define JOURNAL_RECORD_MAX (256 * 1024)
#define JOURNAL_WRITER_MAX 24

struct journal_options {
    const char *host;         /* in every record; NULL: gethostname() */
    size_t segment_bytes;     /* a segment is closed when it is this long; 0: 8 MiB */
    unsigned segment_seconds; /* ... or this old; 0: 60 */
    unsigned sync_ms;         /* longest time without fsync; 0: 1000 */
    uint64_t folder_bytes;    /* bound of the folder, all writers together; 0: 2 GiB */
    unsigned queue_records;   /* JOURNAL_NOWAIT: records, rounded up to a power of two; 0: 8192 */
    size_t queue_bytes;       /* ... and octets; 0: 8 MiB */
};

struct journal;

/* A journal for `writer` ("milter", "unbound": lower-case letters, digits and '-') in folder `dir`, which is made (mode
 * 0770) when only its last part is missing. Segments that a killed process of this writer left open are closed. options
 * may be NULL. The segment itself is made at the first record. NULL on error; *error is then a text that says what and
 * where, good until the thread's next call. */
struct journal *journal_open(const char *dir, const char *writer, const struct journal_options *options,
                             const char **error);

enum journal_how {
    JOURNAL_WAIT,   /* until the kernel has it */
    JOURNAL_NOWAIT, /* never waits */
};

/* Adds one record: a JSON object on one line, no newline (see journal_record). It is copied.
 * STATUS_OK; STATUS_LIMIT: longer than JOURNAL_RECORD_MAX, or the queue is full (JOURNAL_NOWAIT); STATUS_INVALID: no
 * object, or a newline in it; STATUS_AGAIN: could not be written now (disk full, folder over its bound; JOURNAL_WAIT).
 * All but STATUS_OK are counted. */
enum status journal_write(struct journal *j, struct slice record, enum journal_how how) MUST_CHECK;

/* Starts a record into `out`: opens the object and writes "v", "t" (now, microseconds, UTC), "host", "kind". The caller
 * adds its keys, calls json_end() and hands the buffer to journal_write. */
void journal_record(const struct journal *j, struct json *out, const char *kind);

/* False after a record could not be written because of the disk, until one was written again. The journal's thread
 * tries every second by itself, so that a caller that writes nothing while it is false need not. A full queue
 * (JOURNAL_NOWAIT) does not count. */
bool journal_healthy(const struct journal *j);

struct journal_stats {
    uint64_t written; /* records given to the kernel, the journal's own notes left out */
    uint64_t bytes;
    uint64_t dropped; /* JOURNAL_NOWAIT with a full queue */
    uint64_t lost;    /* disk full or failing, folder over its bound */
    uint64_t refused; /* STATUS_INVALID, or too long */
    uint64_t syncs;
    unsigned queued;
    bool healthy;
    char error[128]; /* the last one of the disk; "" if there was none */
};

void journal_stats(const struct journal *j, struct journal_stats *out);
const char *journal_folder(const struct journal *j); /* as it was given; good until journal_close */

/* Waits until all that was queued is written and synced, at most timeout_ms. False: the time was up, or writing fails.
 */
bool journal_flush(struct journal *j, unsigned timeout_ms);

/* Writes out, syncs, closes. NULL is allowed. Returns NULL. */
struct journal *journal_close(struct journal *j);

#endif
