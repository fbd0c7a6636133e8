// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest.c - ingests segments into the store or its inbox, exactly once.
 *
 * Promises what ingest.h says. For each batch the target does this in one transaction: (1) move the segment's position
 * from where this process believes it is to the end of the batch; if it is elsewhere, another process was here: drop
 * the batch, leave the segment; (2) write the contents of the batch; (3) commit. A segment's file is removed only after
 * the commit that marks it done, and a file whose segment is marked done already (a process died in between, or the
 * segment was copied back) is removed unread. A last line without a newline is left: in an open segment it may still be
 * completed; in a closed one its writer was killed, and it is counted and dropped. On failure of the store: dropped,
 * STATUS_AGAIN.
 */
#include "base/clock.h"
#include "base/words.h"
#include "base/rootfile.h"
#include "ledger/ingest_target.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void trouble(struct ingest_report *r, const char *dir, const char *name, const char *text)
{
    if (!r->first_trouble[0])
        snprintf(r->first_trouble, sizeof r->first_trouble, "%.120s/%.96s: %.160s", dir, name, text);
}

/* Moves a bad segment out of the way, and writes the reason next to it. */
static void set_aside(struct ingestion *t, const char *why)
{
    char to[SEGMENT_NAME + 16], note[SEGMENT_NAME + 24];
    int stem = (int)(strlen(t->file->name) - strlen(SEGMENT_CLOSED));
    snprintf(to, sizeof to, "%.*s" SEGMENT_ASIDE, stem, t->file->name);
    snprintf(note, sizeof note, "%s.why", to);
    (void)unlinkat(t->fd, note, 0); /* an existing entry may be a link to another file */
    int fd = openat(t->fd, note, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0) {
        dprintf(fd, "%s\n", why);
        close(fd);
    }
    if (renameat(t->fd, t->file->name, t->fd, to) != 0 && errno != ENOENT)
        trouble(t->report, t->dir, t->file->name, strerror(errno));
    t->report->aside++;
    trouble(t->report, t->dir, t->file->name, why);
}

/* Removes a closed segment that is done, if another program would find it so in the store's file: one that is damaged,
 * or has been replaced, does not have what we believe to have written. */
static enum status finish_file(struct ingestion *t)
{
    char why[320];
    if (store_is_replaced(t->store)) { /* the commit went to a file that has been replaced */
        trouble(t->report, t->dir, t->file->name, "the store's file was replaced: it stays, and is ingested again");
        return STATUS_OK;
    }
    enum status st = store_confirm(t->store, "SELECT 1 FROM segment WHERE id = $1 AND state = 'done'", t->id);
    if (st == STATUS_MISSING) {
        trouble(t->report, t->dir, t->file->name, "the store's file does not have what was written to it: it stays");
        return STATUS_OK;
    }
    if (st != STATUS_OK)
        return st;
    t->report->segments++;
    if (t->target->finished)
        t->target->finished(t);
    if (t->bad) {
        snprintf(why, sizeof why, "%lld line%s could not be understood; the first: %s", (long long)t->bad,
                 words_s(t->bad), t->why);
        set_aside(t, why);
    } else if (unlinkat(t->fd, t->file->name, 0) != 0 && errno != ENOENT) {
        trouble(t->report, t->dir, t->file->name, strerror(errno));
    }
    return STATUS_OK;
}

/* ---- batches ---- */

static void note_bad(struct ingestion *t, struct ingest_batch *b, off_t after, const char *why)
{
    b->bad++;
    if (!t->why[0])
        snprintf(t->why, sizeof t->why, "before octet %lld: %.180s", (long long)after, why);
}

static bool has_room(const struct ingestion *t, const struct ingest_batch *b)
{
    if (b->records >= INGEST_BATCH_RECORDS || b->octets >= t->target->batch_octets)
        return false;
    return !t->target->rows || store_is_shared(t->store) || (int64_t)t->target->rows(t) < t->most;
}

static enum status ingest_lines(struct ingestion *t, struct journal_lines *l, struct ingest_batch *b)
{
    struct slice line;
    struct record r;
    char why[160];
    off_t after;
    uint64_t skipped = l->bad;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && has_room(t, b)) {
        if (!journal_lines_next(l, &line, &after)) {
            b->end = true;
            break;
        }
        b->to = after;
        b->octets += line.n;
        if (record_parse(line, &r, why) != STATUS_OK) {
            note_bad(t, b, after, why);
            continue;
        }
        b->records += r.kind != RECORD_SEGMENT && r.kind != RECORD_END;
        st = t->target->line(t, &r, line, after);
        record_free(&r);
    }
    if (l->bad > skipped)
        note_bad(t, b, b->to, "a line is too long or holds NUL octets");
    return st;
}

/* Others wait for a batch, so the next one is sized by how long this one, of so many rows, kept them out. */
static void size_next(struct ingestion *t, int64_t rows)
{
    int64_t held = store_held_ms(t->store);
    if (held > INGEST_BATCH_HELD_MS && rows > INGEST_ROWS_LEAST)
        t->most = rows * INGEST_BATCH_HELD_MS / held;
    else if (held < INGEST_BATCH_HELD_MS / 2 && rows >= t->most)
        t->most *= 2;
    t->most = t->most < INGEST_ROWS_LEAST ? INGEST_ROWS_LEAST : t->most > INGEST_ROWS_MOST ? INGEST_ROWS_MOST : t->most;
}

static enum status commit_batch(struct ingestion *t, struct journal_lines *l, struct ingest_batch *b)
{
    enum status st = t->target->begin(t);
    if (st == STATUS_OK)
        st = ingest_lines(t, l, b);
    int64_t rows = t->target->rows ? (int64_t)t->target->rows(t) : 0;
    b->done = b->end && !l->failed && !t->file->open;
    bool nothing = b->to == t->at && !b->done;
    if (st == STATUS_OK && !nothing)
        st = t->target->commit(t, b);
    if (st != STATUS_OK || nothing || t->gone) {
        t->target->drop(t);
        return st;
    }
    if (rows && !store_is_shared(t->store))
        size_next(t, rows);
    t->at = b->to;
    t->records += b->records;
    t->bad += b->bad;
    t->report->records += (uint64_t)b->records;
    t->report->bad += (uint64_t)b->bad;
    if (b->done) {
        t->report->torn += l->torn;
        st = finish_file(t);
    }
    return st;
}

static enum status ingest_batches(struct ingestion *t)
{
    struct journal_lines l;
    enum status st = journal_lines_open(&l, t->dir, t->file->name, t->at);
    if (st == STATUS_INVALID && !t->file->open)
        trouble(t->report, t->dir, t->file->name, "it is shorter than what was taken from it");
    if (st != STATUS_OK)
        return STATUS_OK; /* it vanished meanwhile, or cannot be read: not a problem of the store */
    for (bool end = false; st == STATUS_OK && !end && !t->gone;) {
        struct ingest_batch b = {.to = t->at};
        st = commit_batch(t, &l, &b);
        end = b.end || (t->stop && t->stop());
        if (st == STATUS_OK && !end) /* those who wait for the file have a turn before the next batch */
            store_give_way(t->store, 0);
    }
    if (l.failed)
        trouble(t->report, t->dir, t->file->name, strerror(l.errno_kept));
    journal_lines_close(&l);
    return st;
}

/* Reads the heading; false: this segment cannot be ingested now. */
static bool read_heading(struct ingestion *t, struct record *heading, off_t *after)
{
    struct journal_lines l;
    struct slice line;
    char why[160] = "it does not begin with a heading line";
    enum status st = journal_lines_open(&l, t->dir, t->file->name, 0);
    if (st != STATUS_OK) {
        if (st != STATUS_MISSING)
            trouble(t->report, t->dir, t->file->name, status_text(st));
        return false;
    }
    bool ok = journal_lines_next(&l, &line, after) && (st = record_parse(line, heading, why)) == STATUS_OK;
    if (ok && (heading->kind != RECORD_SEGMENT || !heading->segment || strlen(heading->segment) >= sizeof t->id)) {
        record_free(heading);
        ok = false;
    }
    bool failed = l.failed;
    journal_lines_close(&l);
    if (st == STATUS_LIMIT)
        t->report->newer++;
    else if (!ok && !failed && !t->file->open)
        set_aside(t, why);
    return ok;
}

static enum status ingest_segment(struct ingestion *t)
{
    struct record heading;
    off_t after = 0;
    if (!read_heading(t, &heading, &after))
        return STATUS_OK;
    snprintf(t->id, sizeof t->id, "%s", heading.segment);
    t->why[0] = '\0';
    t->gone = false;
    t->records = t->bad = 0;
    snprintf(t->host, sizeof t->host, "%s", heading.host ? heading.host : "");
    snprintf(t->writer, sizeof t->writer, "%s", heading.writer ? heading.writer : "");
    record_free(&heading);
    enum status st = t->target->place(t, after);
    if (st != STATUS_OK)
        return st;
    if (t->gone && !t->file->open)
        return finish_file(t);
    return t->gone ? STATUS_OK : ingest_batches(t);
}

enum status ingest_folder(struct store *s, const struct organisation_lists *lists, const char *dir, bool (*stop)(void),
                          struct ingest_report *report)
{
    struct ingestion t = {.store = s, .dir = dir, .report = report, .stop = stop, .text = BUF_INIT};
    t.most = INGEST_ROWS_FIRST;
    t.target = store_only_adds(s) ? &ingest_into_inbox : &ingest_into_store;
    struct journal_file *files = NULL;
    size_t n = 0;
    t.fd = rootfile_folder(dir);
    if (t.fd >= 0)
        segment_recover(t.fd, NULL);
    if (t.fd >= 0 && t.target->sweep)
        t.target->sweep(t.fd);
    enum status st = journal_list(dir, &files, &n);
    if (st != STATUS_OK || t.fd < 0) {
        if (t.fd >= 0)
            close(t.fd);
        return st != STATUS_OK ? st : STATUS_DENIED;
    }
    t.aggregate = aggregate_new();
    st = t.aggregate ? STATUS_OK : STATUS_NOMEM;
    if (t.aggregate)
        aggregate_set_lists(t.aggregate, lists);
    size_t i = 0;
    for (; i < n && st == STATUS_OK && !(stop && stop()); i++) {
        t.file = &files[i];
        st = ingest_segment(&t);
    }
    report->refused = st == STATUS_DENIED;
    /* The store refused, not the folder. The right can be granted later, so the caller tries again. */
    if (report->refused)
        st = STATUS_AGAIN;
    for (i = st == STATUS_OK ? i : i - 1; i < n; i++)
        report->waiting += files[i].bytes;
    aggregate_free(t.aggregate);
    buf_release(&t.text);
    journal_list_free(files, n);
    close(t.fd);
    return st;
}
