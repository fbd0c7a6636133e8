// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch.c - keeps the policy in force fresh inside the resolver.
 *
 * Promises: the policy changes as a whole or not at all (policy_live); a file that is bad, missing or half written
 * leaves the last good policy in force, at start the snapshot in the module's folder; nothing here can make the
 * resolver stop or wait. The order of a change is: new policy in force, then the version goes up; whoever judged by the
 * old version and stores its answer after that sees the new version and judges again. Files are compared by device,
 * inode, size, owner and change time to the nanosecond.
 */
#include "resolver-module/watch.h"
#include "base/buf.h"
#include "base/clock.h"
#include "policy/pause.h"
#include "resolver-module/writer_process.h"
#include "resolver-module/decide.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TICK_MS 250
#define SHOUT_MS (10 * 60 * 1000)

struct watch {
    char *path;
    char *snapshot;
    char *state; /* folder of the file that pauses enforcement */
    struct watch_hooks hooks;
    _Atomic(struct policy_live *) live;
    atomic_uint version;
    atomic_bool can_refuse, can_suspend, honours_cd, paused;
    uint64_t seen;     /* fingerprint of the files as last read */
    uint64_t octets;   /* of all of them, as last looked at */
    int64_t looked_ms; /* watch_look */
    time_t ends_seen;  /* ends up to here have been noticed */
    int64_t shouted;   /* clock_mono_ms of the last complaint; 0: none */
    pthread_t thread;
    bool followed; /* the thread runs */
    bool leaves_snapshot;
    pthread_mutex_t lock; /* state below, and the wake-up */
    pthread_cond_t wake;
    bool stopping;
    enum policy_source source;
    char error[512];
};

static void say(struct watch *w, enum watch_log level, const char *text)
{
    if (w->hooks.log)
        w->hooks.log(level, text);
}

/* ---- which files ---- */

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const unsigned char *c = p;
    while (n--)
        h = (h ^ *c++) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t mix_file(struct watch *w, uint64_t h, const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return mix(h, "-", 1);
    w->octets += s.st_size > 0 ? (uint64_t)s.st_size : 0;
    h = mix(h, &s.st_dev, sizeof s.st_dev);
    h = mix(h, &s.st_ino, sizeof s.st_ino);
    h = mix(h, &s.st_size, sizeof s.st_size);
    h = mix(h, &s.st_mtim, sizeof s.st_mtim);
    h = mix(h, &s.st_uid, sizeof s.st_uid);
    return mix(h, &s.st_mode, sizeof s.st_mode);
}

/* A file named in a statement is relative to the file the statement stands in. */
static uint64_t mix_named(struct watch *w, uint64_t h, const struct policy_statement *s, const char *named)
{
    struct buf path = BUF_INIT;
    const char *slash = s->file ? strrchr(s->file, '/') : NULL;
    if (named[0] != '/' && slash)
        buf_add(&path, s->file, (size_t)(slash - s->file) + 1);
    buf_adds(&path, named);
    h = mix_file(w, h, path.p);
    buf_release(&path);
    return h;
}

static uint64_t fingerprint(struct watch *w)
{
    w->octets = 0;
    uint64_t h = mix_file(w, UINT64_C(0xcbf29ce484222325), w->path);
    const struct policy *p = watch_policy(w);
    const struct policy_statement *s;
    const char *last = w->path;
    for (size_t i = 0; p && (s = policy_statement_at(p, i)) != NULL; i++) {
        if (s->file && strcmp(s->file, last) != 0)
            h = mix_file(w, h, last = s->file);
        if (s->kind == POLICY_LIST && s->value)
            h = mix_named(w, h, s, s->value);
        if (s->kind == POLICY_INCLUDE && s->name)
            h = mix_named(w, h, s, s->name);
    }
    policy_unref(p);
    return h;
}

/* ---- changes ---- */

static void take_over(struct watch *w)
{
    const struct policy *p = watch_policy(w);
    if (p) {
        atomic_store(&w->can_refuse, decide_can_refuse(p));
        atomic_store(&w->can_suspend, policy_suspends(p));
        atomic_store(&w->honours_cd, policy_set_is(p, SETTING_RESOLVER_CD, "honour"));
    }
    policy_unref(p);
}

void watch_touch(struct watch *w)
{
    atomic_fetch_add(&w->version, 1);
    if (w->hooks.changed)
        w->hooks.changed(w->hooks.arg);
}

static void remember(struct watch *w, enum policy_source source, const char *error)
{
    pthread_mutex_lock(&w->lock);
    w->source = source;
    snprintf(w->error, sizeof w->error, "%s", error);
    pthread_mutex_unlock(&w->lock);
}

/* The first error of a report on one line, and how many more there are. */
static void first_error(const struct policy_report *r, char *out, size_t size)
{
    const struct policy_message *m;
    size_t errors = policy_report_count(r, POLICY_ERROR);
    for (size_t i = 0; (m = policy_report_at(r, i)) != NULL; i++) {
        if (m->severity != POLICY_ERROR)
            continue;
        snprintf(out, size, "%s:%u:%u: %s%s", m->file ? m->file : "?", m->line, m->column, m->text,
                 errors > 1 ? " (and more)" : "");
        return;
    }
    snprintf(out, size, "the policy could not be read");
}

static void complain(struct watch *w, const struct policy_report *r, bool have)
{
    char error[400], line[600];
    first_error(r, error, sizeof error);
    snprintf(line, sizeof line, "assay: %s; %s", error,
             have ? "the policy in force stays as it was"
                  : "there is NO policy in force: every answer passes, nothing is judged");
    say(w, WATCH_ERROR, line);
    w->shouted = clock_mono_ms();
    remember(w, have ? POLICY_KEPT : POLICY_FROM_FILE, error);
}

static void announce(struct watch *w, enum policy_source source)
{
    const struct policy *p = watch_policy(w);
    char line[600];
    snprintf(line, sizeof line, "assay: policy %s of %s in force%s%s%s", policy_hash(p), w->path,
             source == POLICY_FROM_SNAPSHOT ? " (the last good one: the file itself is bad or missing)" : "",
             policy_set_is(p, SETTING_MODE, "dry-run") ? ", mode dry-run: nothing is refused" : "",
             atomic_load(&w->can_refuse) ? "" : ", no statement requires DNSSEC of names");
    say(w, source == POLICY_FROM_SNAPSHOT ? WATCH_ERROR : WATCH_INFO, line);
    policy_unref(p);
}

/* First reading, and every one until there is a policy at all. */
static void open_policy(struct watch *w)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_FROM_FILE;
    struct policy_live *live = policy_live_open(w->path, w->snapshot, r, &source);
    if (live) {
        if (w->leaves_snapshot)
            policy_live_leave_snapshot(live);
        atomic_store(&w->live, live);
        take_over(w);
        announce(w, source);
        char error[400] = "";
        if (source != POLICY_FROM_FILE)
            first_error(r, error, sizeof error);
        remember(w, source, error);
        watch_touch(w);
    } else {
        complain(w, r, false);
    }
    policy_report_free(r);
    w->seen = fingerprint(w);
}

static void reload_policy(struct watch *w)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_KEPT;
    enum status s = policy_live_reload(atomic_load(&w->live), false, r, &source);
    if (s == STATUS_OK) {
        take_over(w);
        announce(w, source);
        remember(w, source, "");
        w->shouted = 0;
        watch_touch(w);
    } else {
        complain(w, r, true);
    }
    policy_report_free(r);
    w->seen = fingerprint(w);
}

/* Whether an exemption or suspension began or ended since the last look. */
static bool something_turned(struct watch *w)
{
    time_t now = clock_wall(), from = w->ends_seen;
    const struct policy *p = watch_policy(w);
    const struct policy_statement *s;
    bool turned = false;
    for (size_t i = 0; p && (s = policy_statement_at(p, i)) != NULL; i++)
        if ((s->kind == POLICY_EXEMPT || s->kind == POLICY_SUSPEND) &&
            ((s->until > from && s->until <= now) || (s->since > from && s->since <= now)))
            turned = true;
    policy_unref(p);
    w->ends_seen = now;
    return turned;
}

/* `assay pause`: enforcement off for a time. */
static void look_for_pause(struct watch *w)
{
    struct pause p;
    bool paused = pause_read(w->state, clock_wall(), &p) == STATUS_OK;
    if (paused == atomic_exchange(&w->paused, paused))
        return;
    say(w, WATCH_WARNING,
        paused ? "assay: enforcement is paused: nothing is refused until it ends"
               : "assay: the pause has ended: enforcement is on");
    watch_touch(w);
}

/* `bound`: octets that may be read now. False: there is more, and it is to be read elsewhere. */
static bool look(struct watch *w, uint64_t bound)
{
    look_for_pause(w);
    uint64_t now = fingerprint(w);
    bool again = w->shouted && clock_mono_ms() - w->shouted > SHOUT_MS;
    if (now != w->seen || again) {
        if (w->octets > bound)
            return false;
        if (atomic_load(&w->live))
            reload_policy(w);
        else
            open_policy(w);
    }
    if (something_turned(w)) {
        say(w, WATCH_INFO, "assay: an exemption or suspension has ended or begun; what it is about is judged again");
        watch_touch(w);
    }
    return true;
}

static void *run(void *arg)
{
    struct watch *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
        if (w->stopping)
            break;
        pthread_mutex_unlock(&w->lock);
        (void)look(w, UINT64_MAX);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- start and stop ---- */

static void release(struct watch *w)
{
    policy_live_close(atomic_load(&w->live));
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->path);
    free(w->snapshot);
    free(w->state);
    free(w);
}

struct watch *watch_start(const char *path, const char *dir, const char *state, const struct watch_hooks *hooks)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    struct buf snapshot = BUF_INIT;
    buf_printf(&snapshot, "%s/policy.snapshot", dir);
    w->path = strdup(path);
    w->snapshot = buf_detach(&snapshot);
    w->state = strdup(state);
    w->hooks = *hooks;
    w->ends_seen = clock_wall();
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (w->path && w->snapshot && w->state) {
        open_policy(w);
        look_for_pause(w);
        return w;
    }
    release(w);
    return NULL;
}

bool watch_follow(struct watch *w)
{
    return w->followed = w->followed || writer_process_start(&w->thread, run, w);
}

void watch_leave_snapshot(struct watch *w)
{
    w->leaves_snapshot = true;
    if (atomic_load(&w->live))
        policy_live_leave_snapshot(atomic_load(&w->live));
}

bool watch_follow_apart(struct watch *w)
{
    w->hooks = (struct watch_hooks){.log = NULL};
    w->followed = false;
    return watch_follow(w);
}

void watch_look(struct watch *w)
{
    int64_t now = clock_mono_ms();
    if (w->followed || now - w->looked_ms < TICK_MS)
        return;
    w->looked_ms = now;
    if (look(w, WATCH_AT_ONCE) || watch_follow(w))
        return;
    say(w, WATCH_ERROR, "assay: the policy has changed and cannot be read: no thread is to be had");
    w->looked_ms = now + SHOUT_MS;
}

struct watch *watch_stop(struct watch *w)
{
    if (!w)
        return NULL;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    if (w->followed)
        pthread_join(w->thread, NULL);
    release(w);
    return NULL;
}

/* ---- asking ---- */

const struct policy *watch_policy(struct watch *w)
{
    struct policy_live *live = atomic_load(&w->live);
    return live ? policy_live_get(live) : NULL;
}

unsigned watch_version(const struct watch *w)
{
    return atomic_load(&w->version);
}

bool watch_can_refuse(const struct watch *w)
{
    return atomic_load_explicit(&w->can_refuse, memory_order_relaxed);
}

bool watch_can_suspend(const struct watch *w)
{
    return atomic_load_explicit(&w->can_suspend, memory_order_relaxed);
}

bool watch_paused(const struct watch *w)
{
    return atomic_load_explicit(&w->paused, memory_order_relaxed);
}

bool watch_honours_cd(const struct watch *w)
{
    return atomic_load_explicit(&w->honours_cd, memory_order_relaxed);
}

void watch_state(struct watch *w, enum policy_source *source, char *error, size_t size)
{
    pthread_mutex_lock(&w->lock);
    *source = w->source;
    snprintf(error, size, "%s", w->error);
    pthread_mutex_unlock(&w->lock);
}
