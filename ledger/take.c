// SPDX-License-Identifier: BSD-2-Clause
/*
 * take.c - segments into the store, exactly once.
 *
 * Promises what take.h says. The order that makes it so, for each batch, in one transaction: (1) move the segment's
 * place from where this taker believes it is to behind the batch; no row changed means that somebody else was here:
 * roll back, leave the segment; (2) write what the batch says; (3) commit. A segment's file is removed only after the
 * commit that marks it done, and a file whose segment is done already (a taker died in between, or the same segment was
 * copied back) is removed unread. A last line without newline is left: in a segment still open it may yet be finished;
 * in a closed one it is the trace of a kill, counted and dropped. On failure of the store: rolled back, STATUS_AGAIN.
 */
#include "ledger/take.h"
#include "base/clock.h"
#include "ledger/journal_read.h"
#include "ledger/journal_segment.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_RECORDS 5000
#define BATCH_OCTETS ((size_t)32 << 20)

struct taking {
    struct store *store;
    struct tally *tally;
    const char *dir;
    int fd; /* of dir */
    const struct journal_file *file;
    struct take_report *report;
    bool (*stop)(void);

    char id[SEGMENT_ID * 4];
    off_t at; /* taken so far */
    int64_t records, bad;
    char why[240]; /* of the first bad line */
    bool gone;     /* done, or in another's hands */
};

static void trouble(struct take_report *r, const char *dir, const char *name, const char *text)
{
    if (!r->first_trouble[0])
        snprintf(r->first_trouble, sizeof r->first_trouble, "%.120s/%.96s: %.160s", dir, name, text);
}

/* Out of the way, with the reason beside it. */
static void set_aside(struct taking *t, const char *why)
{
    char to[SEGMENT_NAME + 16], note[SEGMENT_NAME + 24];
    int stem = (int)(strlen(t->file->name) - strlen(SEGMENT_CLOSED));
    snprintf(to, sizeof to, "%.*s" SEGMENT_ASIDE, stem, t->file->name);
    snprintf(note, sizeof note, "%s.why", to);
    int fd = openat(t->fd, note, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0) {
        dprintf(fd, "%s\n", why);
        close(fd);
    }
    if (renameat(t->fd, t->file->name, t->fd, to) != 0 && errno != ENOENT)
        trouble(t->report, t->dir, t->file->name, strerror(errno));
    t->report->aside++;
    trouble(t->report, t->dir, t->file->name, why);
}

/* Done with a closed segment: away with it. */
static void finish_file(struct taking *t)
{
    char why[320];
    t->report->segments++;
    if (t->bad) {
        snprintf(why, sizeof why, "%lld lines could not be understood; the first: %s", (long long)t->bad, t->why);
        set_aside(t, why);
    } else if (unlinkat(t->fd, t->file->name, 0) != 0 && errno != ENOENT) {
        trouble(t->report, t->dir, t->file->name, strerror(errno));
    }
}

/* ---- the place kept in the store ---- */

static enum status read_place(struct taking *t, off_t heading)
{
    struct store_rows *r =
        store_ask(t->store, "SELECT taken_to, state, records, bad FROM segment WHERE id = $1", "t", t->id);
    t->at = heading;
    if (store_next(r)) {
        t->at = (off_t)store_number(r, 0);
        t->gone = strcmp(store_text(r, 1), "done") == 0;
        t->records = store_number(r, 2);
        t->bad = store_number(r, 3);
    }
    return store_done(r);
}

static enum status make_place(struct taking *t, const struct record *heading, off_t at)
{
    return store_run(t->store, &(int64_t){0},
                     "INSERT INTO segment (id, host, writer, name, taken_to, records, bad, state, changed) VALUES "
                     "($1,$2,$3,$4,$5,0,0,'open',$6) "
                     "ON CONFLICT (id) DO NOTHING",
                     "ttttii", t->id, heading->host, heading->writer ? heading->writer : "", t->file->name, (int64_t)at,
                     clock_wall_us());
}

static enum status move_place(struct taking *t, off_t to, int64_t records, int64_t bad, bool done)
{
    int64_t changed = 0;
    enum status st =
        store_run(t->store, &changed,
                  "UPDATE segment SET taken_to = $1, records = records + $2, bad = bad + $3, state = $4, changed = $5 "
                  "WHERE id = $6 AND taken_to = $7 AND state <> 'done'",
                  "iiititi", (int64_t)to, records, bad, done ? "done" : "open", clock_wall_us(), t->id, (int64_t)t->at);
    if (st == STATUS_OK && changed != 1)
        t->gone = true;
    return st;
}

/* ---- batches ---- */

struct batch {
    off_t to;
    int64_t records, bad;
    size_t octets;
    bool end;
};

static void note_bad(struct taking *t, struct batch *b, off_t after, const char *why)
{
    b->bad++;
    if (!t->why[0])
        snprintf(t->why, sizeof t->why, "before octet %lld: %.180s", (long long)after, why);
}

static enum status take_lines(struct taking *t, struct journal_lines *l, struct batch *b)
{
    struct slice line;
    struct record r;
    char why[160];
    off_t after;
    uint64_t skipped = l->bad;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && b->records < BATCH_RECORDS && b->octets < BATCH_OCTETS) {
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
        st = take_record(t->store, t->tally, &r, line);
        record_free(&r);
    }
    if (l->bad > skipped)
        note_bad(t, b, b->to, "a line is too long or holds NUL octets");
    return st;
}

static enum status commit_batch(struct taking *t, struct journal_lines *l, struct batch *b)
{
    enum status st = store_begin(t->store);
    if (st == STATUS_OK)
        st = take_lines(t, l, b);
    bool done = b->end && !l->failed && !t->file->open;
    bool nothing = b->to == t->at && !done;
    if (st == STATUS_OK && !nothing)
        st = move_place(t, b->to, b->records, b->bad, done);
    if (st == STATUS_OK && !nothing && !t->gone)
        st = tally_flush(t->tally, t->store);
    if (st == STATUS_OK && !nothing && !t->gone)
        st = store_commit(t->store);
    if (st != STATUS_OK || nothing || t->gone) {
        store_rollback(t->store);
        tally_reset(t->tally);
        return st;
    }
    t->at = b->to;
    t->records += b->records;
    t->bad += b->bad;
    t->report->records += (uint64_t)b->records;
    t->report->bad += (uint64_t)b->bad;
    if (done) {
        t->report->torn += l->torn;
        finish_file(t);
    }
    return STATUS_OK;
}

static enum status take_batches(struct taking *t)
{
    struct journal_lines l;
    enum status st = journal_lines_open(&l, t->dir, t->file->name, t->at);
    if (st == STATUS_INVALID && !t->file->open)
        trouble(t->report, t->dir, t->file->name, "it is shorter than what was taken from it");
    if (st != STATUS_OK)
        return STATUS_OK; /* vanished meanwhile, or not to be read: no trouble of the store */
    for (bool end = false; st == STATUS_OK && !end && !t->gone;) {
        struct batch b = {.to = t->at};
        st = commit_batch(t, &l, &b);
        end = b.end || (t->stop && t->stop());
    }
    if (l.failed)
        trouble(t->report, t->dir, t->file->name, strerror(l.errno_kept));
    journal_lines_close(&l);
    return st;
}

/* Reads the heading; false: this segment is not to be taken now. */
static bool read_heading(struct taking *t, struct record *heading, off_t *after)
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

static enum status take_segment(struct taking *t)
{
    struct record heading;
    off_t after = 0;
    if (!read_heading(t, &heading, &after))
        return STATUS_OK;
    snprintf(t->id, sizeof t->id, "%s", heading.segment);
    t->why[0] = '\0';
    t->gone = false;
    t->records = t->bad = 0;
    enum status st = read_place(t, after);
    if (st == STATUS_OK && t->at == after && !t->gone)
        st = make_place(t, &heading, after);
    record_free(&heading);
    if (st != STATUS_OK)
        return st;
    if (t->gone && !t->file->open) {
        finish_file(t);
        return STATUS_OK;
    }
    return t->gone ? STATUS_OK : take_batches(t);
}

enum status take_folder(struct store *s, const char *dir, bool (*stop)(void), struct take_report *report)
{
    struct taking t = {.store = s, .dir = dir, .report = report, .stop = stop};
    struct journal_file *files = NULL;
    size_t n = 0;
    t.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t.fd >= 0)
        segment_recover(t.fd, NULL);
    enum status st = journal_list(dir, &files, &n);
    if (st != STATUS_OK || t.fd < 0) {
        if (t.fd >= 0)
            close(t.fd);
        return st != STATUS_OK ? st : STATUS_DENIED;
    }
    t.tally = tally_new();
    st = t.tally ? STATUS_OK : STATUS_NOMEM;
    size_t i = 0;
    for (; i < n && st == STATUS_OK && !(stop && stop()); i++) {
        t.file = &files[i];
        st = take_segment(&t);
    }
    for (i = st == STATUS_OK ? i : i - 1; i < n; i++)
        report->waiting += files[i].bytes;
    tally_free(t.tally);
    journal_list_free(files, n);
    close(t.fd);
    return st;
}
