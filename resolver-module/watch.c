// SPDX-License-Identifier: BSD-2-Clause
/*
 * watch.c - keeps the policy inside the resolver up to date.
 *
 * Promises: the policy changes as a whole or not at all (policy_live); a file that is bad, missing or half written
 * leaves the last good policy in force, at start the snapshot in the module's folder; nothing here can make the
 * resolver stop or wait for a disk. The order of a change is: new policy in force, then the version goes up, then it is
 * logged; a thread that judged by the old version and stores its answer afterwards sees the new version and judges
 * again.
 */
#include "resolver-module/watch.h"
#include "base/buf.h"
#include "base/clock.h"
#include "policy/pause.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include "resolver-module/background.h"
#include "resolver-module/decide.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 250
#define AGAIN_MS 5000 /* a bad policy is read again */
#define SHOUT_MS (10 * 60 * 1000)
#define FIRST_IDLE_MS 900    /* how long the resolver's start waits for a disk */
#define FIRST_MOST_MS 3000   /* ... and for a long policy to be read: questions wait in the socket meanwhile */
#define UNREAD_MOST_MS 60000 /* for how long, after that, questions are answered with a failure */
#define AGAIN_IDLE_MS 250    /* ... a reload, which has the policy of before */
#define AGAIN_MOST_MS 500    /* ... and while a large policy is read: no question is answered meanwhile */

struct watch {
    atomic_uint users;
    char *path;
    char *snapshot;
    char *state; /* folder of the file that pauses enforcement */
    struct watch_hooks hooks;
    const struct policy *before; /* in force until there is one of our own; or NULL */
    _Atomic(struct policy_live *) live;
    atomic_uint version;
    atomic_bool can_refuse, can_suspend, honours_cd, paused;
    atomic_bool followed;      /* the thread was started */
    atomic_bool read;          /* ... and has read the policy, or failed to */
    _Atomic int64_t unread_ms; /* clock_mono_ms until when questions are failed, since it is not; 0: they are not */
    atomic_bool stopping;
    time_t ends_seen;     /* when begins and ends were last checked, by the wall clock */
    int64_t unsettled_ms; /* clock_mono_ms at which a change was first seen that is still being written; 0: none */
    int64_t tried_ms;     /* clock_mono_ms of the last reading that failed; 0: it did not */
    int64_t shouted;      /* ... of the last complaint */
    char shouted_of[400];
    pthread_mutex_t lock; /* state below, and the wake-up */
    pthread_cond_t wake;
    enum policy_source source;
    char error[512];
};

static struct background_slot slot;

/* The policy last in force in this process: after a reload of the resolver it stays in force until the file is read. */
static struct {
    pthread_mutex_t lock;
    const struct policy *policy;
    char *path; /* ... read from here */
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void watch_say(struct watch *w, enum watch_log level, const char *text)
{
    if (w->hooks.log)
        w->hooks.log(level, text);
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

static void keep_for_reload(struct watch *w)
{
    const struct policy *p = watch_policy(w);
    pthread_mutex_lock(&last.lock);
    const struct policy *old = last.policy;
    last.policy = p;
    free(last.path);
    last.path = strdup(w->path);
    pthread_mutex_unlock(&last.lock);
    policy_unref(old);
}

static const struct policy *from_before(const char *path)
{
    pthread_mutex_lock(&last.lock);
    bool same = last.policy && last.path && strcmp(last.path, path) == 0;
    const struct policy *p = same ? policy_ref(last.policy) : NULL;
    pthread_mutex_unlock(&last.lock);
    return p;
}

void watch_touch(struct watch *w)
{
    atomic_fetch_add(&w->version, 1);
}

static void watch_remember(struct watch *w, enum policy_source source, const char *error)
{
    pthread_mutex_lock(&w->lock);
    w->source = source;
    snprintf(w->error, sizeof w->error, "%s", error);
    pthread_mutex_unlock(&w->lock);
}

/* Writes the first error of a report on one line, and the number of further ones. */
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

static void watch_complain(struct watch *w, const struct policy_report *r, bool have)
{
    char error[400], line[600];
    int64_t now = clock_mono_ms();
    first_error(r, error, sizeof error);
    snprintf(line, sizeof line, "assay: %s; %s", error,
             have ? "the policy in force stays as it was"
                  : "there is NO policy in force: every answer passes, nothing is judged");
    if (w->tried_ms == 0 || now - w->shouted > SHOUT_MS || strcmp(w->shouted_of, error) != 0) {
        watch_say(w, WATCH_ERROR, line);
        w->shouted = now;
        snprintf(w->shouted_of, sizeof w->shouted_of, "%s", error);
    }
    w->tried_ms = now;
    watch_remember(w, have ? POLICY_KEPT : POLICY_FROM_FILE, error);
}

static void announce(struct watch *w, enum policy_source source)
{
    const struct policy *p = watch_policy(w);
    char line[600];
    snprintf(line, sizeof line, "assay: policy %s of %s in force%s%s%s", policy_hash(p), w->path,
             source == POLICY_FROM_SNAPSHOT ? " (the last good one: the file itself is bad or missing)" : "",
             policy_set_is(p, SETTING_MODE, "dry-run") ? ", mode dry-run: nothing is refused" : "",
             atomic_load(&w->can_refuse) ? "" : ", no statement requires DNSSEC of names");
    watch_say(w, source == POLICY_FROM_SNAPSHOT ? WATCH_ERROR : WATCH_INFO, line);
    policy_unref(p);
}

/* Logs the errors that did not stop the policy: in a customer's file, or in a suspension at a first start. */
static void tell_left_out(struct watch *w, const struct policy_report *r)
{
    char error[400], line[600];
    if (!policy_report_count(r, POLICY_ERROR)) {
        watch_remember(w, POLICY_FROM_FILE, "");
        return;
    }
    first_error(r, error, sizeof error);
    snprintf(line, sizeof line, "assay: %s; what is wrong there is left out, and the rest of the policy is in force",
             error);
    watch_say(w, WATCH_ERROR, line);
    watch_remember(w, POLICY_FROM_FILE, error);
}

/* First reading, and every one until there is a policy at all. */
static void open_policy(struct watch *w)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_FROM_FILE;
    struct policy_live *live = policy_live_open(w->path, w->snapshot, r, &source);
    if (live) {
        atomic_store(&w->live, live);
        take_over(w);
        keep_for_reload(w);
        watch_touch(w);
        announce(w, source);
        char error[400];
        if (source == POLICY_FROM_FILE) {
            tell_left_out(w, r);
        } else {
            first_error(r, error, sizeof error);
            watch_remember(w, source, error);
        }
        w->tried_ms = 0;
    } else {
        watch_complain(w, r, w->before != NULL);
    }
    policy_report_free(r);
}

static void reload_policy(struct watch *w)
{
    struct policy_report *r = policy_report_new();
    enum policy_source source = POLICY_KEPT;
    enum status s = policy_live_reload(atomic_load(&w->live), false, r, &source);
    if (s == STATUS_OK) {
        take_over(w);
        keep_for_reload(w);
        watch_touch(w);
        announce(w, source);
        tell_left_out(w, r);
        w->tried_ms = 0;
    } else {
        watch_complain(w, r, true);
    }
    policy_report_free(r);
}

/* Tells whether an exemption or suspension began or ended since the last check, in either direction: a clock that was
 * ahead may have been set back. */
static bool something_turned(struct watch *w)
{
    const time_t now = clock_wall(), seen = w->ends_seen, from = now < seen ? now : seen, to = now < seen ? seen : now;
    const struct policy *p = watch_policy(w);
    const struct policy_statement *s;
    bool turned = false;
    for (size_t i = 0; p && (s = policy_statement_at(p, i)) != NULL; i++)
        if ((s->kind == POLICY_EXEMPT || s->kind == POLICY_SUSPEND) &&
            ((s->until > from && s->until <= to) || (s->since > from && s->since <= to)))
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
    watch_touch(w);
    watch_say(w, WATCH_WARNING,
              paused ? "assay: enforcement is paused: nothing is refused until it ends"
                     : "assay: the pause has ended: enforcement is on");
}

/* Tells whether the changed file is still being written: it is checked again at the next tick, for at most
 * POLICY_SETTLE_MAX_MS. */
static bool is_being_written(struct watch *w)
{
    int64_t now = clock_mono_ms();
    if (!w->unsettled_ms)
        w->unsettled_ms = now;
    return !policy_live_settled(w->path) && now - w->unsettled_ms < POLICY_SETTLE_MAX_MS;
}

/* Looks for a pause, reloads the policy if its files changed, and notices exemptions that began or ended. A bad policy
 * is read again even if no file changed: the cause may be something that stat(2) does not show, such as the rights of a
 * folder above. */
static void watch_apply_changes(struct watch *w)
{
    struct policy_live *live = atomic_load(&w->live);
    look_for_pause(w);
    bool again = w->tried_ms && clock_mono_ms() - w->tried_ms > AGAIN_MS;
    if (!live && again)
        open_policy(w);
    else if (live && !policy_live_changed(live))
        w->unsettled_ms = 0;
    if (live && (again || (policy_live_changed(live) && !is_being_written(w))))
        reload_policy(w);
    if (something_turned(w)) {
        watch_touch(w);
        watch_say(w, WATCH_INFO,
                  "assay: an exemption or suspension has ended or begun; what it is about is judged again");
    }
}

static void nap(struct watch *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&w->lock);
    if (!atomic_load(&w->stopping))
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
    pthread_mutex_unlock(&w->lock);
}

static void watch_run(void *arg)
{
    struct watch *w = arg;
    open_policy(w);
    look_for_pause(w);
    atomic_store(&w->read, true);
    if (atomic_exchange(&w->unread_ms, 0))
        watch_say(w, WATCH_INFO, "assay: the policy file is read: questions are answered");
    for (nap(w); !atomic_load(&w->stopping); nap(w))
        watch_apply_changes(w);
    watch_release(w);
}

/* ---- start and stop ---- */

void watch_release(struct watch *w)
{
    if (!w || atomic_fetch_sub(&w->users, 1) != 1)
        return;
    policy_live_close(atomic_load(&w->live));
    policy_unref(w->before);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->path);
    free(w->snapshot);
    free(w->state);
    free(w);
}

struct watch *watch_hold(struct watch *w)
{
    atomic_fetch_add(&w->users, 1);
    return w;
}

#define NONE_IN_FORCE "until it can, there is NO policy in force: every answer passes, nothing is judged"

/* Ends the time in which questions are failed, and says so once. */
static void look_for_end_of_unread(struct watch *w)
{
    int64_t until = atomic_load(&w->unread_ms);
    if (until && clock_mono_ms() > until && atomic_compare_exchange_strong(&w->unread_ms, &until, 0))
        watch_say(w, WATCH_ERROR, "assay: the policy file could not be read within a minute; " NONE_IN_FORCE);
}

bool watch_unread(const struct watch *w)
{
    int64_t until = atomic_load_explicit(&w->unread_ms, memory_order_relaxed);
    return until && clock_mono_ms() <= until;
}

void watch_look(struct watch *w)
{
    look_for_end_of_unread(w);
    if (atomic_load(&w->followed))
        return;
    if (background_start(&slot, watch_run, watch_hold(w)))
        atomic_store(&w->followed, true);
    else
        watch_release(w);
}

static struct watch *new_watch(const char *path, const char *dir, const char *state, const struct watch_hooks *hooks)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    struct buf snapshot = BUF_INIT;
    buf_printf(&snapshot, "%s/policy.snapshot", dir);
    atomic_store(&w->users, 1);
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
    if (w->path && w->snapshot && w->state)
        return w;
    watch_release(w);
    return NULL;
}

/* The old thread ends within one sleep interval, unless it hangs. */
static void start_following(struct watch *w, int idle_ms)
{
    for (int64_t end = clock_mono_ms() + idle_ms; !atomic_load(&w->followed) && clock_mono_ms() < end;) {
        watch_look(w);
        if (!atomic_load(&w->followed))
            nanosleep(&(struct timespec){.tv_nsec = 5000000L}, NULL);
    }
}

/* The policy is not read in the time that the resolver's start waits. What the first policy requires must not be given
 * out meanwhile, unless its disk hangs: that must not stop DNS. */
static void start_unread(struct watch *w)
{
    if (w->before) {
        watch_say(
            w, WATCH_WARNING,
            "assay: the policy file is not read yet (it is long, or its disk does not answer); until it is, the policy "
            "of before stays");
    } else if (background_computes(&slot)) {
        watch_say(w, WATCH_WARNING,
                  "assay: the policy file is long and not read yet; until it is, for at most a minute, questions are "
                  "answered SERVFAIL (Extended DNS Error 14, Not Ready)");
        atomic_store(&w->unread_ms, clock_mono_ms() + UNREAD_MOST_MS);
        if (atomic_load(&w->read)) /* just now */
            atomic_store(&w->unread_ms, 0);
    } else {
        watch_say(w, WATCH_ERROR,
                  "assay: the policy file cannot be read now (its disk does not answer); " NONE_IN_FORCE);
    }
}

struct watch *watch_start(const char *path, const char *dir, const char *state, const struct watch_hooks *hooks)
{
    struct watch *w = new_watch(path, dir, state, hooks);
    if (!w)
        return NULL;
    w->before = from_before(path);
    if (w->before) {
        take_over(w);
        watch_remember(w, POLICY_KEPT, "the policy file has not been read since the reload");
        watch_touch(w);
    }
    int idle_ms = w->before ? AGAIN_IDLE_MS : FIRST_IDLE_MS, most_ms = w->before ? AGAIN_MOST_MS : FIRST_MOST_MS;
    start_following(w, idle_ms);
    if (!atomic_load(&w->followed) || !background_await(&slot, &w->read, idle_ms, most_ms))
        start_unread(w);
    return w;
}

struct watch *watch_stop(struct watch *w)
{
    if (!w)
        return NULL;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    watch_release(w);
    return NULL;
}

/* ---- asking ---- */

const struct policy *watch_policy(struct watch *w)
{
    struct policy_live *live = atomic_load(&w->live);
    if (live)
        return policy_live_get(live);
    return w->before ? policy_ref(w->before) : NULL;
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
