// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_target.h - the interface between ingest.c, which reads a folder's segments, and the place they go to. For the
 * ingest files only.
 *
 * Two targets: ingest_store.c writes the contents of the records to the tables; ingest_send.c inserts the lines
 * themselves into the inbox of a shared database, for a host that may only insert (inbox.h).
 */
#ifndef ASSAY_LEDGER_INGEST_TARGET_H
#define ASSAY_LEDGER_INGEST_TARGET_H

#include "base/buf.h"
#include "journal/journal_read.h"
#include "journal/journal_segment.h"
#include "ledger/ingest.h"
#include <sys/types.h>

#define INGEST_BATCH_RECORDS 5000
/* For a store in a file: all other writers wait while a batch is written and synced. The number of rows of the next
 * batch is adjusted so that this takes about so long. A mail is some 30 rows if nothing of it can be added up. */
#define INGEST_BATCH_HELD_MS 120
#define INGEST_ROWS_FIRST 10000
#define INGEST_ROWS_LEAST 1000
#define INGEST_ROWS_MOST 200000
#define INGEST_BATCH_OCTETS ((size_t)32 << 20)

/* A batch as it came out: the segment's octets from taking.at to `to`. */
struct ingest_batch {
    off_t to;
    int64_t records, bad;
    size_t octets;
    bool end;  /* of what the file holds now */
    bool done; /* the segment is closed, and this is its last batch */
};

struct ingestion {
    const struct ingest_target *target;
    struct store *store;
    struct aggregate *aggregate; /* ingest_store.c's */
    struct buf text;             /* ingest_send.c's: the batch, */
    off_t sent_to;               /* and how far it reaches */
    const char *dir;
    int fd;       /* of dir */
    int64_t most; /* rows of the next batch, where the target counts them */
    const struct journal_file *file;
    struct ingest_report *report;
    bool (*stop)(void);

    char id[SEGMENT_ID * 4];
    char host[256], writer[64];
    off_t at;       /* taken so far */
    bool placeless; /* ingest_store.c's: no place in the store yet; the first batch makes it */
    int64_t records, bad;
    char why[240]; /* of the first bad line */
    bool gone;     /* done, or another process has it */
};

struct ingest_target {
    size_t batch_octets;

    /* Where reading the segment stopped: sets at, records, bad, gone. `after`: the position after its heading. */
    enum status (*place)(struct ingestion *t, off_t after);

    /* One batch: begin, each line that is a record, commit. commit may set `gone`: then nothing was taken. If commit
     * was not called or failed, drop is called. */
    enum status (*begin)(struct ingestion *t);
    enum status (*line)(struct ingestion *t, const struct record *r, struct slice line, off_t after);
    size_t (*rows)(const struct ingestion *t); /* that commit would write now; may be NULL */
    enum status (*commit)(struct ingestion *t, const struct ingest_batch *b);
    void (*drop)(struct ingestion *t);

    /* Called before a folder is read (may be NULL): removes what a process that died left in it. */
    void (*sweep)(int folder);

    /* The whole segment is committed; its file is removed next. */
    void (*finished)(struct ingestion *t);
};

extern const struct ingest_target ingest_into_store, ingest_into_inbox;

/* The place of a segment in the store, in the caller's transaction. place_read leaves *at as it is if there is none. */
struct ingest_place {
    int64_t at, records, bad;
    bool done;
};
enum status ingest_place_read(struct store *s, const char *id, struct ingest_place *p) MUST_CHECK;
enum status ingest_place_make(struct store *s, const char *id, const char *host, const char *writer, const char *name,
                              int64_t at) MUST_CHECK;

/* Moves it from where the caller believes it to be; *moved false: it is elsewhere, or done. */
enum status ingest_place_move(struct store *s, const char *id, int64_t from, const struct ingest_batch *b,
                              bool *moved) MUST_CHECK;

#endif
