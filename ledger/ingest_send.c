// SPDX-License-Identifier: BSD-2-Clause
/*
 * ingest_send.c - sends lines to the inbox of a shared ledger, for a host that may only insert (inbox.h).
 *
 * Promises that every line which is a record gets into the inbox at least once, with its position in its segment; the
 * owner skips lines that it has already, so each record is ingested exactly once. Each batch is one INSERT; if the
 * batch exists already, nothing is added. How far a segment was sent is kept in a file next to it (.sent-ID), because
 * this role cannot read the database; if that file is lost everything is sent again. On failure the position does not
 * move, and the batch is sent again.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "ledger/ingest_target.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_OCTETS ((size_t)1 << 20)
#define NOTE_SECONDS 86400 /* older notes belong to no segment any more */

/* False: an identity that is not ours and must not become part of a file's name: then there is no note. */
static bool note_name(const struct ingestion *t, const char *suffix, char *out, size_t size)
{
    snprintf(out, size, ".sent-%s%s", t->id, suffix);
    return t->id[strspn(t->id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")] == '\0';
}

static enum status send_read_place(struct ingestion *t, off_t after)
{
    char name[sizeof t->id + 16], text[80] = "";
    t->at = after;
    int fd = !note_name(t, "", name, sizeof name) ? -1 : openat(t->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    int64_t at, records, bad;
    if (n > 0 && sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &at, &records, &bad) == 3 && at >= after) {
        t->at = (off_t)at;
        t->records = records;
        t->bad = bad;
    }
    return STATUS_OK;
}

static void keep_place(const struct ingestion *t, const struct ingest_batch *b)
{
    char name[sizeof t->id + 16], fresh[sizeof t->id + 16];
    if (!note_name(t, "", name, sizeof name) || !note_name(t, ".new", fresh, sizeof fresh))
        return;
    (void)unlinkat(t->fd, fresh, 0); /* an existing entry may be a link to another file */
    int fd = openat(t->fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return;
    bool ok = dprintf(fd, "%" PRId64 " %" PRId64 " %" PRId64 "\n", (int64_t)b->to, t->records + b->records,
                      t->bad + b->bad) > 0;
    if (close(fd) == 0 && ok)
        (void)renameat(t->fd, fresh, t->fd, name);
}

static enum status send_begin(struct ingestion *t)
{
    buf_reset(&t->text);
    t->sent_to = t->at;
    return STATUS_OK;
}

/* Octets of the segment that are not a record: only their number is sent, so that positions stay the same. */
static void leave_out(struct ingestion *t, off_t to)
{
    if (to > t->sent_to)
        buf_printf(&t->text, "!%" PRId64 "\n", (int64_t)(to - t->sent_to));
    t->sent_to = to;
}

static enum status line(struct ingestion *t, const struct record *r, struct slice text, off_t after)
{
    (void)r;
    leave_out(t, after - (off_t)text.n - 1);
    buf_add(&t->text, text.p, text.n);
    buf_addc(&t->text, '\n');
    t->sent_to = after;
    return STATUS_OK;
}

static enum status send_commit(struct ingestion *t, const struct ingest_batch *b)
{
    struct buf text = BUF_INIT;
    leave_out(t, b->to);
    base64_encode(&text, buf_slice(&t->text), 0);
    if (t->text.failed || text.failed) {
        buf_release(&text);
        return STATUS_NOMEM;
    }
    enum status st = store_begin(t->store); /* connects again where the server was away */
    if (st == STATUS_OK)
        st = store_run(t->store, &(int64_t){0},
                       "INSERT INTO inbox (segment, at, upto, done, writer, host, name, sent, lines) VALUES "
                       "($1,$2,$3,$4,$5,$6,$7,$8,decode($9,'base64')) ON CONFLICT DO NOTHING",
                       "tiiitttit", t->id, (int64_t)t->at, (int64_t)b->to, (int64_t)b->done, t->writer, t->host,
                       t->file->name, clock_wall_us(), text.p ? text.p : "");
    if (st == STATUS_OK)
        st = store_commit(t->store);
    buf_release(&text);
    if (st == STATUS_OK && !b->done)
        keep_place(t, b);
    return st;
}

static void send_rollback(struct ingestion *t)
{
    store_rollback(t->store);
    buf_reset(&t->text);
}

/* Called before the segment is removed: a segment without a note is sent again, but a note without its segment would
 * stay forever. */
static void finished(struct ingestion *t)
{
    char name[sizeof t->id + 16];
    if (note_name(t, "", name, sizeof name))
        (void)unlinkat(t->fd, name, 0);
}

/* A note remains if a process was killed after it wrote the note, while another one finished the segment. Removing a
 * note that is in use only causes its segment to be sent again. */
static void notes_sweep(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct stat st;
    if (!d && fd >= 0)
        close(fd);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strncmp(e->d_name, ".sent-", 6) == 0 && fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < clock_wall() - NOTE_SECONDS)
            (void)unlinkat(folder, e->d_name, 0);
    if (d)
        closedir(d);
}

const struct ingest_target ingest_into_inbox = {.batch_octets = BATCH_OCTETS,
                                                .sweep = notes_sweep,
                                                .place = send_read_place,
                                                .begin = send_begin,
                                                .line = line,
                                                .commit = send_commit,
                                                .drop = send_rollback,
                                                .finished = finished};
