// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_store.c - writes records and the position of each segment to the tables.
 *
 * Promises that position and records change in one transaction, and that a batch changes nothing if another process
 * moved the position meanwhile. On failure the caller drops the batch and tries again later.
 */
#include "base/clock.h"
#include "ledger/ingest_target.h"
#include <string.h>

enum status ingest_place_read(struct store *s, const char *id, struct ingest_place *p)
{
    struct store_rows *r = store_ask(s, "SELECT taken_to, state, records, bad FROM segment WHERE id = $1", "t", id);
    if (store_next(r)) {
        p->at = store_number(r, 0);
        p->done = strcmp(store_text(r, 1), "done") == 0;
        p->records = store_number(r, 2);
        p->bad = store_number(r, 3);
    }
    return store_done(r);
}

enum status ingest_place_make(struct store *s, const char *id, const char *host, const char *writer, const char *name,
                              int64_t at)
{
    return store_run(s, &(int64_t){0},
                     "INSERT INTO segment (id, host, writer, name, taken_to, records, bad, state, changed) VALUES "
                     "($1,$2,$3,$4,$5,0,0,'open',$6) "
                     "ON CONFLICT (id) DO NOTHING",
                     "ttttii", id, host, writer, name, at, clock_wall_us());
}

enum status ingest_place_move(struct store *s, const char *id, int64_t from, const struct ingest_batch *b, bool *moved)
{
    int64_t changed = 0;
    enum status st =
        store_run(s, &changed,
                  "UPDATE segment SET taken_to = $1, records = records + $2, bad = bad + $3, state = $4, changed = $5 "
                  "WHERE id = $6 AND taken_to = $7 AND state <> 'done'",
                  "iiititi", (int64_t)b->to, b->records, b->bad, b->done ? "done" : "open", clock_wall_us(), id, from);
    *moved = changed == 1;
    return st;
}

static enum status ingestion_read_place(struct ingestion *t, off_t after)
{
    struct ingest_place p = {.at = after};
    enum status st = ingest_place_read(t->store, t->id, &p);
    t->at = (off_t)p.at;
    t->records = p.records;
    t->bad = p.bad;
    t->gone = p.done;
    t->placeless = st == STATUS_OK && t->at == after && !t->gone;
    return st;
}

/* Does nothing: the transaction begins in ingestion_commit(), so that other writers of a SQLite file do not wait while
 * lines are read. */
static enum status ingestion_begin(struct ingestion *t)
{
    (void)t;
    return STATUS_OK;
}

static enum status line(struct ingestion *t, const struct record *r, struct slice text, off_t after)
{
    (void)after;
    return ingest_record(t->store, t->aggregate, r, text);
}

static size_t rows(const struct ingestion *t)
{
    return aggregate_rows(t->aggregate);
}

static enum status ingestion_commit(struct ingestion *t, const struct ingest_batch *b)
{
    bool moved = false;
    enum status st = store_begin(t->store); /* connects again where the server was away */
    if (st == STATUS_OK && t->placeless)
        st = ingest_place_make(t->store, t->id, t->host, t->writer, t->file->name, (int64_t)t->at);
    if (st == STATUS_OK)
        st = ingest_place_move(t->store, t->id, (int64_t)t->at, b, &moved);
    t->gone = st == STATUS_OK && !moved;
    if (st == STATUS_OK && moved)
        st = aggregate_flush(t->aggregate, t->store);
    if (st == STATUS_OK && moved)
        st = store_commit(t->store);
    t->placeless &= st != STATUS_OK || !moved;
    return st;
}

static void ingestion_rollback(struct ingestion *t)
{
    store_rollback(t->store);
    aggregate_reset(t->aggregate);
}

const struct ingest_target ingest_into_store = {.batch_octets = INGEST_BATCH_OCTETS,
                                                .place = ingestion_read_place,
                                                .begin = ingestion_begin,
                                                .line = line,
                                                .rows = rows,
                                                .commit = ingestion_commit,
                                                .drop = ingestion_rollback};
