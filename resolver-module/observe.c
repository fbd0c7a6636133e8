// SPDX-License-Identifier: BSD-2-Clause
/*
 * observe.c - the thread between the resolver's workers and the journal.
 *
 * Promises: a worker's hand-over takes some hundred nanoseconds and never waits; nothing that was taken into the queue is lost but by the journal's own
 * bounds; what is recorded comes within `resolver.record-every` (30 s) into the journal; the status file is replaced as a whole. On failure (no
 * folder, no disk) it logs once and tries again every ten seconds; counts stay in memory and are written when it works again.
 */
#include "resolver-module/observe.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "ledger/journal.h"
#include "resolver-module/aside.h"
#include "resolver-module/queue.h"
#include "resolver-module/status.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS 100
#define RETRY_MS 10000
#define SHORT_EVENT 112 /* octets; two lines of the processor's cache with what the queue puts in front */
#define TOLD 64         /* a power of two */

/* Of one worker: only it writes here, so that counting and handing over takes no step that others could contend for. */
struct observe_lane {
    struct queue *events; /* the short ones: nearly all, and few enough octets to stay in the processor's nearer memory */
    atomic_uint_fast64_t states[DECIDE_STATE_COUNT];
    atomic_uint_fast64_t refused, would, dropped;
    uint64_t told[TOLD]; /* hash of zone and state, and the writer's round in which a reason for them was last handed over */
    struct observe_lane *next;
};

struct observe {
    struct observe_options options;
    char *dir;
    char *unbound;
    struct watch_hooks hooks;
    _Atomic(struct observe_lane *) lanes;
    struct observe_lane common; /* of threads without a lane, and all long events; its counters are added to by atomic steps */
    struct zones *zones;
    struct journal *journal;
    char journal_error[160];
    int64_t started_us, retry_ms, record_ms, status_ms;
    uint64_t dropped_recorded;
    bool status_failed;
    atomic_uint_fast64_t swept;
    atomic_uint round; /* of the writer, from 1 */
    atomic_bool wants_names;
    atomic_bool stopping;
    sem_t opened;
    pthread_t thread;
};

/* ---- from the workers ---- */

static struct observe_lane *release_lane(struct observe_lane *l)
{
    queue_free(l->events);
    free(l);
    return NULL;
}

struct observe_lane *observe_lane(struct observe *o)
{
    struct observe_lane *l = calloc(1, sizeof *l);
    if (!l || !(l->events = queue_new(SHORT_EVENT, OBSERVE_QUEUE)))
        return l ? release_lane(l) : NULL;
    l->next = atomic_load(&o->lanes);
    while (!atomic_compare_exchange_weak(&o->lanes, &l->next, l))
        ;
    return l;
}

void observe_expect(const struct observe_lane *lane)
{
    if (lane)
        queue_expect(lane->events);
}

static void add(struct observe *o, const struct observe_lane *lane, atomic_uint_fast64_t *counter, uint64_t n)
{
    if (lane == &o->common)
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    else
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* A zone's record holds one reason, the last. Handing over one in each of the writer's rounds is enough, and keeps a flood of refusals out of the
 * long queue. */
static bool told_of_late(struct observe *o, struct observe_lane *l, const struct zones_event *e)
{
    uint32_t h = UINT32_C(2166136261) ^ e->state;
    for (const char *c = e->zone; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT32_C(16777619);
    uint64_t now = (uint64_t)h << 32 | atomic_load_explicit(&o->round, memory_order_relaxed);
    uint64_t *told = &l->told[(h ^ h >> 16) & (TOLD - 1)];
    bool again = *told == now;
    *told = now;
    return again;
}

static bool push_without_reason(struct observe_lane *lane, const struct zones_event *e, size_t size)
{
    struct zones_event bare;
    memcpy(&bare, e, size);
    bare.has_reason = false;
    return queue_push_alone(lane->events, &bare, size);
}

static bool push(struct observe *o, struct observe_lane *lane, const struct zones_event *e)
{
    size_t size = zones_event_size(e), bare = offsetof(struct zones_event, zone) + strlen(e->zone) + 1;
    if (lane && size <= SHORT_EVENT)
        return queue_push_alone(lane->events, e, size);
    if (lane && e->has_reason && !e->has_name && bare <= SHORT_EVENT && told_of_late(o, lane, e))
        return push_without_reason(lane, e, bare);
    return queue_push(o->common.events, e, size);
}

void observe_event(struct observe *o, struct observe_lane *lane, const struct zones_event *e)
{
    struct observe_lane *l = lane ? lane : &o->common;
    add(o, l, &l->states[e->state], e->weight);
    if (e->refused)
        add(o, l, &l->refused, e->weight);
    if (e->would)
        add(o, l, &l->would, e->weight);
    if (e->state == DECIDE_STATE_FAILED) /* a count only: it says nothing of the zone */
        return;
    if (!push(o, lane, e))
        add(o, l, &l->dropped, e->weight);
}

void observe_swept(struct observe *o, uint64_t entries)
{
    atomic_fetch_add_explicit(&o->swept, entries, memory_order_relaxed);
}

bool observe_wants_names(const struct observe *o)
{
    return atomic_load_explicit(&o->wants_names, memory_order_relaxed);
}

static void add_counts(struct observe_counts *out, const struct observe_lane *l)
{
    for (int i = 0; i < DECIDE_STATE_COUNT; i++)
        out->states[i] += atomic_load_explicit(&l->states[i], memory_order_relaxed);
    out->refused += atomic_load_explicit(&l->refused, memory_order_relaxed);
    out->would += atomic_load_explicit(&l->would, memory_order_relaxed);
    out->dropped += atomic_load_explicit(&l->dropped, memory_order_relaxed);
}

void observe_counts(const struct observe *o, struct observe_counts *out)
{
    *out = (struct observe_counts){.swept = atomic_load_explicit(&o->swept, memory_order_relaxed)};
    add_counts(out, &o->common);
    for (const struct observe_lane *l = atomic_load(&o->lanes); l; l = l->next)
        add_counts(out, l);
}

/* ---- the journal ---- */

static void say(const struct observe *o, const char *text)
{
    if (o->hooks.log)
        o->hooks.log(WATCH_ERROR, text);
}

static void open_journal(struct observe *o)
{
    const struct policy *p = watch_policy(o->options.watch);
    if (!p)
        return;
    struct journal_options jo = {
        .segment_bytes = (size_t)policy_set_number(p, "journal.segment-size"),
        .segment_seconds = (unsigned)policy_set_number(p, "journal.segment-age"),
        .folder_bytes = (uint64_t)policy_set_number(p, "journal.size-cap"),
    };
    const char *error = NULL;
    const char *set = policy_set_text(p, "resolver.journal");
    o->journal = journal_open(set && *set ? set : policy_set_text(p, "journal.dir"), "unbound", &jo, &error);
    policy_unref(p);
    if (o->journal) {
        o->journal_error[0] = '\0';
        return;
    }
    if (!o->journal_error[0]) {
        char line[300];
        snprintf(line, sizeof line, "assay: findings cannot be recorded: %s; answers go on, and it is tried again every ten seconds",
                 error ? error : "no reason given");
        say(o, line);
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
    } known[] = {{1, "A"},   {2, "NS"},   {5, "CNAME"}, {6, "SOA"},     {12, "PTR"},  {15, "MX"},   {16, "TXT"},   {28, "AAAA"},
                 {33, "SRV"}, {43, "DS"},  {46, "RRSIG"}, {48, "DNSKEY"}, {52, "TLSA"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"}, {257, "CAA"}};
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
    const struct policy *p = watch_policy(o->options.watch);
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
    struct observe_counts counts;
    observe_counts(o, &counts);
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

static void write_status(struct observe *o)
{
    struct status_input in = {
        .watch = o->options.watch,
        .zones = o->zones,
        .unbound = o->unbound,
        .started_us = o->started_us,
        .queue_length = queue_length(o->common.events),
        .queue_capacity = queue_capacity(o->common.events),
        .journal_open = o->journal != NULL,
        .journal_error = o->journal_error,
    };
    for (const struct observe_lane *l = atomic_load(&o->lanes); l; l = l->next) {
        in.queue_length += queue_length(l->events);
        in.queue_capacity += queue_capacity(l->events);
    }
    observe_counts(o, &in.counts);
    if (o->journal)
        journal_stats(o->journal, &in.journal);
    struct buf text = BUF_INIT, path = BUF_INIT, temporary = BUF_INIT;
    status_write(&in, &text);
    buf_addc(&text, '\n');
    buf_printf(&path, "%s/status.json", o->dir);
    buf_printf(&temporary, "%s/.status.new", o->dir);
    int fd = open(temporary.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool ok = fd >= 0 && !text.failed && write(fd, text.p, text.n) == (ssize_t)text.n;
    int why = errno;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    if (ok && rename(temporary.p, path.p) != 0)
        ok = false, why = errno;
    if (!ok && !o->status_failed) {
        char line[400];
        snprintf(line, sizeof line, "assay: %s cannot be written: %s; answers go on", path.p, strerror(why));
        say(o, line);
    }
    o->status_failed = !ok;
    buf_release(&text);
    buf_release(&path);
    buf_release(&temporary);
}

/* ---- the thread ---- */

static void take_in_from(struct observe *o, struct queue *queue, int64_t now)
{
    struct zones_event e;
    for (size_t i = queue_capacity(queue) * 4; i > 0 && queue_pop(queue, &e); i--)
        if (!zones_add(o->zones, &e, now))
            add(o, &o->common, &o->common.dropped, e.weight);
}

static void take_in(struct observe *o)
{
    int64_t now = clock_wall_us();
    take_in_from(o, o->common.events, now);
    for (const struct observe_lane *l = atomic_load(&o->lanes); l; l = l->next)
        take_in_from(o, l->events, now);
}

static int64_t record_every_ms(struct observe *o)
{
    const struct policy *p = watch_policy(o->options.watch);
    int64_t seconds = p ? policy_set_number(p, "resolver.record-every") : 0;
    atomic_store(&o->wants_names, p && policy_set_number(p, "resolver.sample-names") != 0);
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

static void *run(void *arg)
{
    struct observe *o = arg;
    open_journal(o);
    o->record_ms = clock_mono_ms() + record_every_ms(o);
    sem_post(&o->opened);
    while (!atomic_load(&o->stopping)) {
        atomic_fetch_add_explicit(&o->round, 1, memory_order_relaxed);
        work(o);
        nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    }
    take_in(o);
    write_journal(o);
    write_status(o);
    journal_close(o->journal); /* its files are this thread's (aside.h) */
    return NULL;
}

static struct observe *release(struct observe *o)
{
    for (struct observe_lane *l = atomic_load(&o->lanes), *next; l; l = next) {
        next = l->next;
        release_lane(l);
    }
    queue_free(o->common.events);
    sem_destroy(&o->opened);
    zones_free(o->zones);
    free(o->dir);
    free(o->unbound);
    free(o);
    return NULL;
}

struct observe *observe_start(const struct observe_options *options)
{
    struct observe *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    sem_init(&o->opened, 0, 0);
    o->options = *options;
    o->hooks = *options->hooks;
    o->dir = strdup(options->dir);
    o->unbound = strdup(options->unbound ? options->unbound : "");
    o->common.events = queue_new(sizeof(struct zones_event), OBSERVE_QUEUE_LONG);
    o->zones = zones_new();
    o->started_us = clock_wall_us();
    if (!o->dir || !o->unbound || !o->common.events || !o->zones)
        return release(o);
    (void)mkdir(o->dir, 0750); /* the packages make it; a private set-up may lack it */
    if (!aside_start(&o->thread, run, o))
        return release(o);
    while (sem_wait(&o->opened) != 0) /* what is wrong with the journal is known when the start ends */
        ;
    return o;
}

struct observe *observe_stop(struct observe *o)
{
    if (!o)
        return NULL;
    atomic_store(&o->stopping, true);
    pthread_join(o->thread, NULL);
    return release(o);
}
