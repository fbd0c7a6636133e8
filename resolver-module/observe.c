// SPDX-License-Identifier: BSD-2-Clause
/*
 * observe.c - the thread that writes what the workers queued to the journal.
 *
 * Promises: nothing that was queued (worker_queue.h) is lost, except by the journal's own limits, or if the resolver
 * ends while the writer's disk hangs or the machine gives it no time (OBSERVE_MOST_MS); records reach the journal
 * within `resolver.record-every` (30 s); the status file is replaced as a whole. On failure (no folder, no disk) it
 * logs once and tries again every ten seconds; counts stay in memory and are written when it works again.
 */
#include "resolver-module/observe.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "journal/journal.h"
#include "resolver-module/background.h"
#include "resolver-module/status.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS 100
#define RETRY_MS 10000

struct observe {
    atomic_uint users;
    struct watch *watch;
    struct suspend *suspend;
    char *dir;
    char *unbound;
    char *modules;
    struct watch_hooks hooks;
    struct worker_queues *queues;
    struct zones *zones;
    struct journal *journal;
    char journal_error[160];
    int64_t started_us, retry_ms, record_ms, status_ms;
    uint64_t dropped_recorded;
    bool status_failed;

    atomic_bool started; /* the writer was */
    atomic_bool opened;  /* ... and has tried to open the journal */
    atomic_bool stopping;
    atomic_bool ended;
    _Atomic int64_t beat_ms; /* when the writer last finished a piece of work */
    atomic_bool given_up;
    pthread_mutex_t lock; /* for the wake-up */
    pthread_cond_t wake;
};

static struct background_slot slot;

/* ---- the journal ---- */

static void observe_say(const struct observe *o, const char *text)
{
    if (o->hooks.log)
        o->hooks.log(WATCH_ERROR, text);
}

static void open_journal(struct observe *o)
{
    const struct policy *p = watch_policy(o->watch);
    if (!p)
        return;
    struct journal_options jo = {
        .segment_bytes = (size_t)policy_set_number(p, SETTING_JOURNAL_SEGMENT_SIZE),
        .segment_seconds = (unsigned)policy_set_number(p, SETTING_JOURNAL_SEGMENT_AGE),
        .folder_bytes = (uint64_t)policy_set_number(p, SETTING_JOURNAL_SIZE_CAP),
    };
    const char *error = NULL;
    const char *set = policy_set_text(p, SETTING_RESOLVER_JOURNAL);
    o->journal = journal_open(set && *set ? set : policy_set_text(p, SETTING_JOURNAL_DIR), "unbound", &jo, &error);
    policy_unref(p);
    if (o->journal) {
        o->journal_error[0] = '\0';
        return;
    }
    if (!o->journal_error[0]) {
        char line[300];
        snprintf(line, sizeof line,
                 "assay: findings cannot be recorded: %s; answers go on, and it is tried again every ten seconds",
                 error ? error : "no reason given");
        observe_say(o, line);
    }
    snprintf(o->journal_error, sizeof o->journal_error, "%s", error ? error : "cannot be opened");
}

static const char *time_text(int64_t us, char out[40])
{
    char seconds[CLOCK_TEXT];
    clock_utc_text((time_t)(us / 1000000), seconds);
    snprintf(out, 40, "%.19s.%06dZ", seconds, (int)(us % 1000000));
    return out;
}

static void write_types(struct json *j, const struct zones_entry *e)
{
    static const struct {
        uint16_t type;
        const char *name;
    } known[] = {{1, "A"},     {2, "NS"},    {5, "CNAME"},  {6, "SOA"},   {12, "PTR"},   {15, "MX"},
                 {16, "TXT"},  {28, "AAAA"}, {33, "SRV"},   {43, "DS"},   {46, "RRSIG"}, {48, "DNSKEY"},
                 {52, "TLSA"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"}, {257, "CAA"}};
    json_open_array(j, "types");
    for (unsigned i = 0; i < e->type_count; i++) {
        char number[16];
        const char *name = number;
        snprintf(number, sizeof number, "TYPE%u", e->types[i]);
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            if (known[k].type == e->types[i])
                name = known[k].name;
        json_str(j, NULL, name);
    }
    if (e->other_types)
        json_str(j, NULL, "other");
    json_end(j);
}

static void entry_record(struct observe *o, const struct zones_entry *e, struct buf *line)
{
    struct json j = JSON_INTO(line);
    char text[40];
    journal_record(o->journal, &j, "names");
    json_str(&j, "zone", e->zone[0] ? e->zone : ".");
    json_str(&j, "state", decide_state_name((enum decide_state)e->state));
    if (e->collapsed)
        json_bool(&j, "collapsed", true);
    json_opt(&j, "reason", e->reason);
    json_int(&j, "count", (int64_t)e->new_count);
    if (e->new_refused)
        json_int(&j, "refused", (int64_t)e->new_refused);
    if (e->new_would)
        json_int(&j, "would", (int64_t)e->new_would);
    json_str(&j, "first", time_text(e->new_first_us, text));
    json_str(&j, "last", time_text(e->last_us, text));
    write_types(&j, e);
    if (e->algorithm) {
        json_open_array(&j, "algorithm");
        json_int(&j, NULL, e->algorithm);
        json_end(&j);
    }
    if (e->key_bits)
        json_int(&j, "bits", e->key_bits);
    json_opt(&j, "statement", e->statement);
    const struct policy *p = watch_policy(o->watch);
    json_opt(&j, "policy", p ? policy_hash(p) : NULL);
    policy_unref(p);
    if (e->unneeded)
        json_bool(&j, "unneeded", true);
    if (e->sample_count) {
        json_open_array(&j, "samples");
        for (unsigned i = 0; i < e->sample_count; i++)
            json_str(&j, NULL, e->samples[i]);
        json_end(&j);
    }
    json_end(&j);
}

static void record_entry(struct zones_entry *e, void *arg)
{
    struct observe *o = arg;
    struct buf line = BUF_INIT;
    if (e->new_count == 0)
        return;
    entry_record(o, e, &line);
    /* What could not be written stays and comes with the next record. */
    if (!line.failed && journal_write(o->journal, buf_slice(&line), JOURNAL_WAIT) == STATUS_OK)
        zones_written(e);
    buf_release(&line);
}

static void record_drops(struct observe *o)
{
    struct worker_queue_counts counts;
    worker_queue_counts(o->queues, &counts);
    uint64_t dropped = counts.dropped;
    if (dropped == o->dropped_recorded)
        return;
    struct buf line = BUF_INIT;
    struct json j = JSON_INTO(&line);
    journal_record(o->journal, &j, "note");
    json_str(&j, "note", "dropped");
    json_int(&j, "count", (int64_t)(dropped - o->dropped_recorded));
    json_str(&j, "reason", "the queue between the resolver and its journal was full");
    json_end(&j);
    if (journal_write(o->journal, buf_slice(&line), JOURNAL_WAIT) == STATUS_OK)
        o->dropped_recorded = dropped;
    buf_release(&line);
}

static void write_journal(struct observe *o)
{
    if (!o->journal)
        open_journal(o);
    if (!o->journal)
        return;
    zones_each(o->zones, record_entry, o);
    record_drops(o);
}

/* ---- the status ---- */

/* Opens a file of ours for replacing. Anything else under that name (opening a FIFO would wait for a reader) is
 * removed. */
static int open_fresh(const char *path)
{
    struct stat st;
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = open(path, flags, 0644);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && unlink(path) == 0 ? open(path, flags | O_EXCL, 0644) : -1;
}

static void write_status(struct observe *o)
{
    struct status_input in = {
        .watch = o->watch,
        .zones = o->zones,
        .unbound = o->unbound,
        .modules = o->modules,
        .started_us = o->started_us,
        .journal_open = o->journal != NULL,
        .journal_error = o->journal_error,
    };
    worker_queue_fill(o->queues, &in.queue_length, &in.queue_capacity);
    worker_queue_counts(o->queues, &in.counts);
    if (o->journal)
        journal_stats(o->journal, &in.journal);
    struct buf text = BUF_INIT, path = BUF_INIT, temporary = BUF_INIT;
    status_write(&in, &text);
    buf_addc(&text, '\n');
    buf_printf(&path, "%s/status.json", o->dir);
    buf_printf(&temporary, "%s/.status.new", o->dir);
    int fd = open_fresh(temporary.p);
    bool ok = fd >= 0 && !text.failed && write(fd, text.p, text.n) == (ssize_t)text.n;
    int why = errno;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    if (ok && rename(temporary.p, path.p) != 0)
        ok = false, why = errno;
    if (!ok && !o->status_failed) {
        char line[400];
        snprintf(line, sizeof line, "assay: %s cannot be written: %s; answers go on", path.p, strerror(why));
        observe_say(o, line);
    }
    o->status_failed = !ok;
    buf_release(&text);
    buf_release(&path);
    buf_release(&temporary);
}

/* ---- the writer ---- */

struct seen {
    struct zones *zones;
    int64_t now;
};

static bool observe_event(const struct zones_event *e, void *arg)
{
    const struct seen *s = arg;
    return zones_add(s->zones, e, s->now);
}

static void take_in(struct observe *o)
{
    struct seen s = {o->zones, clock_wall_us()};
    worker_queue_take_in(o->queues, observe_event, &s);
}

static int64_t record_every_ms(struct observe *o)
{
    const struct policy *p = watch_policy(o->watch);
    int64_t seconds = p ? policy_set_number(p, SETTING_RESOLVER_RECORD_EVERY) : 0;
    policy_unref(p);
    return (seconds > 0 ? seconds : 30) * 1000;
}

static void work(struct observe *o)
{
    int64_t now = clock_mono_ms();
    take_in(o);
    if (now >= o->record_ms && (o->journal || now >= o->retry_ms)) {
        write_journal(o);
        o->record_ms = now + record_every_ms(o);
        o->retry_ms = now + RETRY_MS;
    }
    if (!o->journal && now >= o->retry_ms) {
        open_journal(o);
        o->retry_ms = now + RETRY_MS;
    }
    if (now >= o->status_ms) {
        write_status(o);
        o->status_ms = now + OBSERVE_STATUS_SECONDS * 1000;
    }
}

static bool wants_names(struct observe *o)
{
    const struct policy *p = watch_policy(o->watch);
    bool wanted = p && policy_set_number(p, SETTING_RESOLVER_SAMPLE_NAMES) != 0;
    policy_unref(p);
    return wanted;
}

static void beat(struct observe *o)
{
    atomic_store(&o->beat_ms, clock_mono_ms());
    if (atomic_exchange(&o->given_up, false))
        observe_say(o, "assay: the disk answers again; findings are recorded");
}

static void nap(struct observe *o)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&o->lock);
    if (!atomic_load(&o->stopping))
        pthread_cond_timedwait(&o->wake, &o->lock, &until);
    pthread_mutex_unlock(&o->lock);
}

static void observe_release(struct observe *o);

static void observe_run(void *arg)
{
    struct observe *o = arg;
    (void)mkdir(o->dir, 0750); /* the packages make it; a private set-up may lack it */
    worker_queue_next_round(o->queues, wants_names(o));
    suspend_keep(o->suspend);
    open_journal(o);
    o->record_ms = clock_mono_ms() + record_every_ms(o);
    atomic_store(&o->opened, true);
    while (!atomic_load(&o->stopping)) {
        beat(o);
        worker_queue_next_round(o->queues, wants_names(o));
        suspend_keep(o->suspend);
        work(o);
        beat(o);
        nap(o);
    }
    take_in(o);
    write_journal(o);
    suspend_keep(o->suspend);
    write_status(o);
    o->journal = journal_close(o->journal); /* its files are this thread's (background.h) */
    atomic_store(&o->ended, true);
    observe_release(o);
}

/* ---- start and stop ---- */

static void observe_release(struct observe *o)
{
    if (atomic_fetch_sub(&o->users, 1) != 1)
        return;
    worker_queue_free(o->queues);
    zones_free(o->zones);
    watch_release(o->watch);
    suspend_release(o->suspend);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o->dir);
    free(o->unbound);
    free(o->modules);
    free(o);
}

static void init_wake(struct observe *o)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &attr);
    pthread_condattr_destroy(&attr);
}

static void start_writer(struct observe *o)
{
    atomic_fetch_add(&o->users, 1);
    atomic_store(&o->beat_ms, clock_mono_ms());
    if (background_start(&slot, observe_run, o))
        atomic_store(&o->started, true);
    else
        atomic_fetch_sub(&o->users, 1);
}

struct observe *observe_start(const struct observe_options *options)
{
    struct observe *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    atomic_store(&o->users, 1);
    init_wake(o);
    o->watch = watch_hold(options->watch);
    o->suspend = suspend_hold(options->suspend);
    o->hooks = *options->hooks;
    o->dir = strdup(options->dir);
    o->unbound = strdup(options->unbound ? options->unbound : "");
    o->modules = strdup(options->modules ? options->modules : "");
    o->queues = worker_queue_new();
    o->zones = zones_new();
    o->started_us = clock_wall_us();
    if (!o->dir || !o->unbound || !o->modules || !o->queues || !o->zones) {
        observe_release(o);
        return NULL;
    }
    atomic_store(&o->beat_ms, clock_mono_ms());
    start_writer(o);
    if (atomic_load(&o->started)) /* so that trouble with the journal is known when the start ends */
        (void)background_await(&slot, &o->opened, OBSERVE_WAIT_MS, OBSERVE_MOST_MS);
    return o;
}

void observe_look(struct observe *o)
{
    if (!atomic_load(&o->started))
        start_writer(o);
    if (clock_mono_ms() - atomic_load(&o->beat_ms) < OBSERVE_GIVE_UP_MS || atomic_exchange(&o->given_up, true))
        return;
    observe_say(o,
                "assay: the disk that findings are recorded on does not answer; the writer is given up until it does, "
                "answers go on, and what does not fit into the queue is counted as dropped");
}

struct observe *observe_stop(struct observe *o)
{
    if (!o)
        return NULL;
    pthread_mutex_lock(&o->lock);
    atomic_store(&o->stopping, true);
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    if (atomic_load(&o->started) && !atomic_load(&o->given_up))
        (void)background_await(&slot, &o->ended, OBSERVE_END_MS, OBSERVE_MOST_MS);
    observe_release(o);
    return NULL;
}

struct worker_queues *observe_queues(const struct observe *o)
{
    return o->queues;
}
