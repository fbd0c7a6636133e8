// SPDX-License-Identifier: BSD-2-Clause
/*
 * journal.c - the writer: callers on one side, a thread that syncs, closes and counts on the other.
 *
 * Promises what journal.h says. How: `lock` guards the segment in use; JOURNAL_WAIT appends under it with one write(2),
 * and never opens, syncs or renames more than one file under it. JOURNAL_NOWAIT takes no lock at all: it puts the
 * record into the ring, and wakes the thread only when the ring is half full (the thread looks by itself every
 * TICK_MS). Only the thread syncs and closes: full segments are passed to it in `retired`. Records that could not be
 * written are counted in `pending_*`, which becomes a note when writing works again. After fork the process id differs
 * from `owner`: the first call in the child creates its own lock, ring and thread, and leaves the parent's segment
 * alone (the parent holds its lock). On failure of any kind the caller gets a status and the loss is counted; nothing
 * is logged.
 */
#include "base/rootfile.h"
#include "journal/journal.h"
#include "base/clock.h"
#include "journal/journal_queue.h"
#include "journal/journal_segment.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS 200
#define RETIRED_MAX 4
#define FOLDER_LOOK_MS 5000
#define CREATE_TRIES 3

struct journal {
    int dir;
    char *folder;
    char writer[JOURNAL_WRITER_MAX + 1];
    char host[256];
    struct journal_options o;

    _Atomic int64_t owner; /* process id the thread belongs to; -1: being set up */
    pthread_t thread;
    sem_t wake;
    atomic_bool stop;
    struct journal_queue queue;

    pthread_mutex_t lock; /* guards the rest of this block */
    struct segment current;
    struct segment retired[RETIRED_MAX];
    unsigned retired_count;
    uint64_t dropped_seen; /* of `dropped`: in pending_dropped already, or recorded */
    uint64_t pending_dropped, pending_lost;
    char pending_error[96];
    char error[128];

    atomic_bool healthy;
    _Atomic uint64_t written, bytes, dropped, lost, refused, syncs;
    _Atomic uint64_t folder_now;  /* octets in the folder: measured now and then, estimated in between */
    int64_t last_sync, last_look; /* the thread's own */
    _Atomic uint64_t flush_wanted, flush_done;
};

static _Thread_local char error_text[256];

void journal_record(const struct journal *j, struct json *out, const char *kind)
{
    char t[SEGMENT_TIME];
    segment_now(t);
    json_open(out);
    json_int(out, "v", JOURNAL_VERSION);
    json_str(out, "t", t);
    json_str(out, "host", j->host);
    json_str(out, "kind", kind);
}

/* ---- writing, under the lock ---- */

static enum status lose(struct journal *j, const char *what)
{
    j->pending_lost++;
    j->lost++;
    snprintf(j->error, sizeof j->error, "%s", what);
    snprintf(j->pending_error, sizeof j->pending_error, "%s", what);
    atomic_store(&j->healthy, false);
    return STATUS_AGAIN;
}

/* A segment that can be written to, or false with errno. */
static bool ready(struct journal *j)
{
    struct segment *s = &j->current;
    bool full = s->fd >= 0 && (s->broken || (size_t)s->end >= j->o.segment_bytes);
    if (full && j->retired_count < RETIRED_MAX) {
        j->retired[j->retired_count++] = *s;
        *s = SEGMENT_NONE;
        sem_post(&j->wake);
    } else if (full && s->broken) {
        errno = EIO;
        return false;
    }
    if (s->fd >= 0)
        return true;
    for (unsigned i = 0; i < CREATE_TRIES; i++) {
        if (segment_create(s, j->dir, j->writer, j->host))
            return true;
        if (errno != ENOENT && errno != EWOULDBLOCK && errno != EEXIST)
            break;
    }
    return false;
}

static enum status line_append(struct journal *j, struct slice line, bool own)
{
    if (atomic_load(&j->folder_now) + line.n > j->o.folder_bytes)
        return lose(j, "the folder is over its limit");
    if (!ready(j) || !segment_append(&j->current, line))
        return lose(j, strerror(errno));
    atomic_store(&j->healthy, true);
    atomic_fetch_add(&j->folder_now, line.n);
    if (!own) {
        j->written++;
        j->bytes += line.n;
    }
    return STATUS_OK;
}

/* Writes the loss so far as a record. If this record cannot be written either, counting continues. */
static void note_loss(struct journal *j)
{
    uint64_t dropped = j->pending_dropped, lost = j->pending_lost;
    if (!dropped && !lost && !j->pending_error[0])
        return;
    struct buf b = BUF_INIT;
    struct json out = JSON_INTO(&b);
    journal_record(j, &out, "note");
    json_str(&out, "note", "lost");
    json_int(&out, "dropped", (int64_t)dropped);
    json_int(&out, "lost", (int64_t)lost);
    json_opt(&out, "error", j->pending_error);
    json_end(&out);
    buf_addc(&b, '\n');
    uint64_t lost_before = j->lost;
    if (!b.failed && line_append(j, buf_slice(&b), true) == STATUS_OK) {
        j->pending_dropped -= dropped;
        j->pending_lost -= lost;
        j->pending_error[0] = '\0';
    } else {
        j->pending_lost = lost; /* the note itself is not a finding lost */
        j->lost = lost_before;
    }
    buf_release(&b);
}

/* ---- the thread ---- */

static void empty_queue(struct journal *j)
{
    for (struct slice s; (s = journal_queue_take(&j->queue)).p;) {
        pthread_mutex_lock(&j->lock);
        (void)line_append(j, s, false);
        pthread_mutex_unlock(&j->lock);
        free((char *)s.p);
    }
}

static void close_retired(struct journal *j)
{
    struct segment old[RETIRED_MAX];
    unsigned n = 0;
    pthread_mutex_lock(&j->lock);
    int64_t age = (int64_t)j->o.segment_seconds * 1000;
    if (j->current.fd >= 0 && j->retired_count < RETIRED_MAX && clock_mono_ms() - j->current.opened_ms >= age) {
        j->retired[j->retired_count++] = j->current;
        j->current = SEGMENT_NONE;
    }
    while (n < j->retired_count) {
        old[n] = j->retired[n];
        n++;
    }
    j->retired_count = 0;
    pthread_mutex_unlock(&j->lock);
    for (unsigned i = 0; i < n; i++) {
        segment_close(&old[i], j->dir, j->host);
        j->syncs++;
    }
}

/* Only the thread closes descriptors, so the one copied here stays good without the lock. */
static void sync_current(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    struct segment copy = j->current;
    j->current.dirty = false;
    pthread_mutex_unlock(&j->lock);
    j->last_sync = clock_mono_ms();
    if (copy.fd < 0 || !copy.dirty)
        return;
    bool ok = segment_sync(&copy);
    int error = errno;
    j->syncs++;
    if (ok)
        return;
    /* The kernel reports a failed write-back once and drops the pages, so we cannot know what was lost. Record that,
     * and stop using the file. */
    pthread_mutex_lock(&j->lock);
    j->current.broken = true;
    snprintf(j->error, sizeof j->error, "fsync: %s", strerror(error));
    snprintf(j->pending_error, sizeof j->pending_error, "fsync: %s", strerror(error));
    atomic_store(&j->healthy, false);
    pthread_mutex_unlock(&j->lock);
}

static void turn(struct journal *j)
{
    uint64_t wanted = atomic_load(&j->flush_wanted);
    empty_queue(j);
    int64_t now = clock_mono_ms();
    if (now - j->last_look >= FOLDER_LOOK_MS || !atomic_load(&j->healthy)) {
        atomic_store(&j->folder_now, segment_folder_bytes(j->dir));
        j->last_look = now;
    }
    pthread_mutex_lock(&j->lock);
    uint64_t dropped = atomic_load(&j->dropped);
    j->pending_dropped += dropped - j->dropped_seen;
    j->dropped_seen = dropped;
    note_loss(j);
    pthread_mutex_unlock(&j->lock);
    close_retired(j);
    if (wanted != atomic_load(&j->flush_done) || clock_mono_ms() - j->last_sync + TICK_MS >= j->o.sync_ms)
        sync_current(j);
    atomic_store(&j->flush_done, wanted);
}

static void *thread_main(void *arg)
{
    struct journal *j = arg;
    while (!atomic_load(&j->stop)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        while (sem_clockwait(&j->wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
            ;
        turn(j);
    }
    return NULL;
}

/* ---- starting, also in a child ---- */

static bool start_thread(struct journal *j)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&j->thread, NULL, thread_main, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error == 0;
}

/* Creates what each process needs for itself. Called with owner == -1, by one thread only. */
static bool set_up(struct journal *j, bool child)
{
    if (child) {
        /* The parent keeps its segments open and locked; we close our copies of the descriptors. The records in the
         * ring are the parent's, too. */
        if (j->current.fd >= 0)
            close(j->current.fd);
        for (unsigned i = 0; i < j->retired_count; i++)
            close(j->retired[i].fd);
        journal_queue_free(&j->queue);
        j->written = j->bytes = j->dropped = j->lost = j->refused = j->syncs = 0;
        j->pending_dropped = j->pending_lost = j->dropped_seen = 0;
        j->flush_wanted = j->flush_done = 0;
        j->pending_error[0] = '\0';
    }
    j->current = SEGMENT_NONE;
    j->retired_count = 0;
    pthread_mutex_init(&j->lock, NULL);
    sem_init(&j->wake, 0, 0);
    atomic_store(&j->stop, false);
    j->last_sync = j->last_look = clock_mono_ms();
    atomic_store(&j->folder_now, segment_folder_bytes(j->dir));
    return journal_queue_init(&j->queue, j->o.queue_records, j->o.queue_bytes) == STATUS_OK && start_thread(j);
}

static _Atomic int64_t this_process; /* 0: not known, because pthread_atfork() failed */

static void after_fork(void)
{
    atomic_store(&this_process, (int64_t)getpid());
}

static void learn_process(void)
{
    if (pthread_atfork(NULL, NULL, after_fork) == 0)
        after_fork();
}

/* This process's id. Cached, to save a system call for each record. */
static int64_t process_id(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, learn_process);
    const int64_t known = atomic_load_explicit(&this_process, memory_order_relaxed);
    return known ? known : (int64_t)getpid();
}

/* True when thread and ring are this process's. */
static bool mine(struct journal *j)
{
    const int64_t me = process_id();
    for (;;) {
        int64_t owner = atomic_load_explicit(&j->owner, memory_order_acquire);
        if (owner == me)
            return true;
        if (owner == -1) {
            sched_yield();
            continue;
        }
        if (!atomic_compare_exchange_strong(&j->owner, &owner, -1))
            continue;
        bool ok = set_up(j, true);
        atomic_store_explicit(&j->owner, ok ? me : 0, memory_order_release);
        return ok;
    }
}

static struct journal *open_fail(struct journal *j, const char **error, const char *what, const char *where)
{
    snprintf(error_text, sizeof error_text, "journal: %s: %s", where, what);
    if (error)
        *error = error_text;
    if (j && j->dir >= 0)
        close(j->dir);
    if (j)
        free(j->folder);
    free(j);
    return NULL;
}

static bool name_ok(const char *w)
{
    size_t n = strlen(w);
    return n > 0 && n <= JOURNAL_WRITER_MAX && strspn(w, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static void defaults(struct journal *j, const struct journal_options *options)
{
    if (options)
        j->o = *options;
    j->o.segment_bytes = j->o.segment_bytes ? j->o.segment_bytes : (size_t)8 << 20;
    j->o.segment_seconds = j->o.segment_seconds ? j->o.segment_seconds : 60;
    j->o.sync_ms = j->o.sync_ms ? j->o.sync_ms : 1000;
    j->o.folder_bytes = j->o.folder_bytes ? j->o.folder_bytes : (uint64_t)2 << 30;
    j->o.queue_records = j->o.queue_records ? j->o.queue_records : 8192;
    j->o.queue_bytes = j->o.queue_bytes ? j->o.queue_bytes : (size_t)8 << 20;
    if (j->o.host)
        snprintf(j->host, sizeof j->host, "%s", j->o.host);
    else if (gethostname(j->host, sizeof j->host - 1) != 0 || !j->host[0])
        snprintf(j->host, sizeof j->host, "localhost");
    j->o.host = NULL;
}

struct journal *journal_open(const char *dir, const char *writer, const struct journal_options *options,
                             const char **error)
{
    if (!name_ok(writer))
        return open_fail(NULL, error, "a writer's name is 1 to 24 lower-case letters, digits and hyphens", writer);
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return open_fail(NULL, error, strerror(errno), dir);
    j->dir = -1;
    j->folder = strdup(dir);
    if (!j->folder)
        return open_fail(j, error, strerror(errno), dir);
    defaults(j, options);
    snprintf(j->writer, sizeof j->writer, "%s", writer);
    if (mkdir(dir, 0770) != 0 && errno != EEXIST)
        return open_fail(j, error, strerror(errno), dir);
    j->dir = rootfile_folder(dir);
    if (j->dir < 0)
        return open_fail(j, error, strerror(errno), dir);
    if (faccessat(j->dir, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return open_fail(j, error, strerror(errno), dir);
    segment_recover(j->dir, writer);
    atomic_store(&j->healthy, true);
    atomic_store(&j->owner, -1);
    bool ok = set_up(j, false);
    atomic_store(&j->owner, process_id());
    if (!ok) {
        journal_queue_free(&j->queue);
        return open_fail(j, error, "out of memory or threads", dir);
    }
    return j;
}

/* ---- callers ---- */

/* A record that may not be written, because of its length or form: counted, and the caller is told why. */
static enum status count_refused(struct journal *j, enum status s)
{
    j->refused++;
    return s;
}

static enum status write_now(struct journal *j, struct slice record)
{
    char small[8192], *line = record.n < sizeof small ? small : malloc(record.n + 1);
    if (!line) {
        j->lost++;
        return STATUS_NOMEM;
    }
    memcpy(line, record.p, record.n);
    line[record.n] = '\n';
    pthread_mutex_lock(&j->lock);
    enum status s = line_append(j, slice_of(line, record.n + 1), false);
    pthread_mutex_unlock(&j->lock);
    if (line != small)
        free(line);
    return s;
}

enum status journal_write(struct journal *j, struct slice record, enum journal_how how)
{
    if (record.n > JOURNAL_RECORD_MAX)
        return count_refused(j, STATUS_LIMIT);
    if (record.n < 2 || record.p[0] != '{' || record.p[record.n - 1] != '}' || memchr(record.p, '\n', record.n) ||
        memchr(record.p, '\0', record.n))
        return count_refused(j, STATUS_INVALID);
    if (!mine(j)) {
        j->lost++;
        return STATUS_AGAIN;
    }
    if (how == JOURNAL_WAIT)
        return write_now(j, record);
    enum status s = journal_queue_put(&j->queue, record);
    if (s != STATUS_OK) {
        j->dropped++;
        s = STATUS_LIMIT;
    }
    int waiting = 0;
    if (journal_queue_half(&j->queue) && sem_getvalue(&j->wake, &waiting) == 0 && waiting == 0)
        sem_post(&j->wake);
    return s;
}

bool journal_healthy(const struct journal *j)
{
    return atomic_load_explicit(&j->healthy, memory_order_relaxed);
}

const char *journal_folder(const struct journal *j)
{
    return j->folder;
}

void journal_stats(const struct journal *j, struct journal_stats *out)
{
    struct journal *k = (struct journal *)j; /* the lock does not change what the caller sees */
    *out = (struct journal_stats){.written = k->written,
                                  .bytes = k->bytes,
                                  .dropped = k->dropped,
                                  .lost = k->lost,
                                  .refused = k->refused,
                                  .syncs = k->syncs,
                                  .queued = (unsigned)atomic_load(&k->queue.count),
                                  .healthy = journal_healthy(j)};
    if (atomic_load(&k->owner) != process_id())
        return;
    pthread_mutex_lock(&k->lock);
    memcpy(out->error, k->error, sizeof out->error);
    pthread_mutex_unlock(&k->lock);
}

bool journal_flush(struct journal *j, unsigned timeout_ms)
{
    if (!mine(j))
        return false;
    int64_t until = clock_mono_ms() + timeout_ms;
    uint64_t mark = atomic_fetch_add(&j->flush_wanted, 1) + 1;
    while (atomic_load(&j->flush_done) < mark) {
        if (clock_mono_ms() >= until)
            return false;
        sem_post(&j->wake);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return journal_healthy(j);
}

struct journal *journal_close(struct journal *j)
{
    if (!j)
        return NULL;
    if (atomic_load(&j->owner) == process_id()) {
        atomic_store(&j->stop, true);
        sem_post(&j->wake);
        pthread_join(j->thread, NULL);
        turn(j);
        pthread_mutex_lock(&j->lock);
        note_loss(j);
        segment_close(&j->current, j->dir, j->host);
        pthread_mutex_unlock(&j->lock);
        pthread_mutex_destroy(&j->lock);
        sem_destroy(&j->wake);
    } else if (j->current.fd >= 0) {
        close(j->current.fd); /* a child that never wrote: the segment is the parent's */
    }
    journal_queue_free(&j->queue);
    close(j->dir);
    free(j->folder);
    free(j);
    return NULL;
}
