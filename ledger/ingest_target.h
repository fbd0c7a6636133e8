// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_target.h - between take.c, which reads a folder's segments, and where they go. For the files of taking in alone.
 *
 * Two targets: take_store.c puts what the records say into the tables; take_send.c lays the lines themselves into the
 * inbox of a shared database, for a host that may only add (inbox.h).
 */
#ifndef ASSAY_LEDGER_INGEST_TARGET_H
#define ASSAY_LEDGER_INGEST_TARGET_H

#include "base/buf.h"
#include "journal/journal_read.h"
#include "journal/journal_segment.h"
#include "ledger/ingest.h"
#include <sys/types.h>

#define TAKE_BATCH_RECORDS 5000
#define TAKE_BATCH_OCTETS ((size_t)32 << 20)

/* A batch as it came out: the segment's octets from taking.at to `to`. */
struct take_batch {
    off_t to;
    int64_t records, bad;
    size_t octets;
    bool end;  /* of what the file holds now */
    bool done; /* the segment is closed, and this is its last batch */
};

struct taking {
    const struct take_target *target;
    struct store *store;
    struct tally *tally; /* take_store.c's */
    struct buf text;     /* take_send.c's: the batch, */
    off_t sent_to;       /* and how far it reaches */
    const char *dir;
    int fd; /* of dir */
    const struct journal_file *file;
    struct take_report *report;
    bool (*stop)(void);

    char id[SEGMENT_ID * 4];
    char host[256], writer[64];
    off_t at; /* taken so far */
    int64_t records, bad;
    char why[240]; /* of the first bad line */
    bool gone;     /* done, or in another's hands */
};

struct take_target {
    size_t batch_octets;

    /* Where the segment was left: sets at, records, bad, gone. `after`: behind its heading. */
    enum status (*place)(struct taking *t, off_t after);

    /* One batch: begin, each line that is a record, commit. commit may set `gone`: then nothing was taken. Where
     * commit was not called or did not succeed, drop is. */
    enum status (*begin)(struct taking *t);
    enum status (*line)(struct taking *t, const struct record *r, struct slice line, off_t after);
    enum status (*commit)(struct taking *t, const struct take_batch *b);
    void (*drop)(struct taking *t);

    /* Before a folder is read (may be NULL): what was left in it by one that died. */
    void (*sweep)(int folder);

    /* All of the segment is taken and committed; its file goes next. */
    void (*finished)(struct taking *t);
};

extern const struct take_target take_into_store, take_into_inbox;

/* The place of a segment in the store, in the caller's transaction. place_read leaves *at as it is where there is none. */
struct take_place {
    int64_t at, records, bad;
    bool done;
};
enum status take_place_read(struct store *s, const char *id, struct take_place *p) MUST_CHECK;
enum status take_place_make(struct store *s, const char *id, const char *host, const char *writer, const char *name,
                            int64_t at) MUST_CHECK;

/* From where the caller believes it to be; *moved false: it is elsewhere, or done. */
enum status take_place_move(struct store *s, const char *id, int64_t from, const struct take_batch *b,
                            bool *moved) MUST_CHECK;

#endif
