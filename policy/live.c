// SPDX-License-Identifier: BSD-2-Clause
/*
 * live.c - the policy that a daemon runs with, and the snapshot of the last good one.
 *
 * Promises: there is always a policy in force once policy_live_open has given one; a reload changes it in one step or
 * not at all; a reference keeps a policy alive as long as needed. The lock is held only while a pointer is copied and
 * its reference count incremented, never while files are read. The snapshot is written after the new policy is in
 * force; that it could not be written is a warning, not a failure. On failure the report has the errors and, last, a
 * line that says what is in force.
 */
#include "policy/load.h"
#include "base/clock.h"
#include "policy/guard.h"
#include "policy/policy_live.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

struct policy_live {
    char *path, *snapshot_path;
    pthread_mutex_t lock;
    const struct policy *now;
    struct tried tried; /* by the last reading */
};

/* ---- what the files look like ---- */

/* All that the last reading looked at: also what only a policy that failed names, so that a mend there is noticed. */
static void begin_reading(struct policy_live *l)
{
    buf_release(&l->tried.paths);
    l->tried = (struct tried){.paths = BUF_INIT};
}

bool policy_live_changed(struct policy_live *l)
{
    return tried_stamp(&l->tried) != l->tried.stamp;
}

/* Tells whether the policy looks like an accident that nobody has accepted. An acceptance is noticed like a change. */
static bool is_kept_out(struct policy_live *l, const struct policy *before, const struct policy *p,
                        struct policy_report *report)
{
    if (guard_is_accepted(p, l->snapshot_path) || !guard_keeps_out(before, p, l->path, report))
        return false;
    struct buf path = BUF_INIT;
    buf_printf(&path, "%s.accept", l->snapshot_path ? l->snapshot_path : "");
    if (l->snapshot_path && !path.failed)
        tried_add(&l->tried, path.p);
    buf_release(&path);
    return true;
}

/* ---- files that are still being written ---- */

static int64_t age_ms(const char *path)
{
    struct stat st;
    struct timespec now;
    if (stat(path, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return INT64_MAX;
    int64_t age = (now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
    return age < -1000 ? INT64_MAX : age; /* ignore a time stamp in the future */
}

bool policy_live_settled(const char *path)
{
    return age_ms(path) >= POLICY_SETTLE_MS;
}

/* Waits until the file has not been written to for that long, or until the deadline. */
static void wait_for_age(const char *path, int64_t ms, int64_t deadline)
{
    while (age_ms(path) < ms && clock_mono_ms() < deadline)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
}

/* Tells whether the file as it stands would be kept out, or says less than what is in force. */
static bool doubtful(const char *path, const struct policy *before)
{
    const struct policy *p = load_tolerant(path, before, NULL, NULL);
    bool yes = !p || (before && (p->item_count < before->item_count || guard_keeps_out(before, p, path, NULL)));
    policy_unref(p);
    return yes;
}

void policy_live_settle(const char *path, const char *snapshot_path)
{
    int64_t deadline = clock_mono_ms() + POLICY_SETTLE_MAX_MS;
    wait_for_age(path, POLICY_SETTLE_MS, deadline);
    if (age_ms(path) >= POLICY_SETTLE_DOUBT_MS)
        return;
    const struct policy *before = policy_load_snapshot(path, snapshot_path, NULL);
    while (age_ms(path) < POLICY_SETTLE_DOUBT_MS && clock_mono_ms() < deadline && doubtful(path, before)) {
        struct tried seen = {.paths = BUF_INIT};
        tried_add(&seen, path);
        while (tried_stamp(&seen) == seen.stamp && age_ms(path) < POLICY_SETTLE_DOUBT_MS && clock_mono_ms() < deadline)
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
        buf_release(&seen.paths);
        wait_for_age(path, POLICY_SETTLE_MS, deadline);
    }
    policy_unref(before);
}

/* ---- the snapshot ---- */

static void keep_snapshot(const struct policy_live *l, const struct policy *p, struct policy_report *r)
{
    struct buf text = BUF_INIT;
    char reason[256] = "out of memory";
    struct place at = {.file = l->snapshot_path};
    if (!l->snapshot_path)
        return;
    snapshot_write(p, &text);
    if (text.failed || source_write(l->snapshot_path, buf_slice(&text), 0640, reason) != STATUS_OK)
        report_add(r, POLICY_WARNING, &at, "without it, a start with a bad policy file is refused",
                   "the policy in force cannot be kept as a snapshot: %s", reason);
    buf_release(&text);
}

/* It may belong to anybody the folder lets write: a daemon that starts as root finds the one it wrote after it had
 * dropped to its own user. */
const struct policy *policy_load_snapshot(const char *path, const char *snapshot_path, struct policy_report *r)
{
    struct source_text t = {.any_owner = true};
    struct snapshot s;
    struct place at = {.file = snapshot_path};
    struct policy *p = NULL;
    if (!snapshot_path)
        return NULL;
    enum status st = source_read(snapshot_path, SIZE_MAX / 4, &t);
    if (st == STATUS_MISSING)
        return NULL;
    if (st != STATUS_OK) {
        report_add(r, POLICY_ERROR, &at, t.help, "cannot read the snapshot of the last good policy: %s", t.reason);
        return NULL;
    }
    if (snapshot_open(&s, t.text) != STATUS_OK) {
        report_add(r, POLICY_ERROR, &at, "remove it", "the snapshot of the last good policy is damaged");
        return NULL;
    }
    p = load_new(s.main, path, SLICE_NULL, &s, NULL, NULL);
    if (p)
        p->loaded_at = s.made;
    else
        report_add(r, POLICY_ERROR, &at, "remove it",
                   "the snapshot of the last good policy cannot be used by this version");
    snapshot_close(&s);
    return p;
}

enum status policy_snapshot_says(const char *path, char hash[9], time_t *loaded)
{
    struct source_text t = {.any_owner = true};
    struct snapshot s;
    enum status st = source_read(path, SIZE_MAX / 4, &t);
    if (st == STATUS_OK)
        st = snapshot_open(&s, t.text);
    if (st != STATUS_OK)
        return st;
    memcpy(hash, s.hash, sizeof s.hash);
    *loaded = s.made;
    snapshot_close(&s);
    return STATUS_OK;
}

static void say_in_force(const struct policy_live *l, const struct policy *p, struct policy_report *r, const char *what)
{
    char when[CLOCK_TEXT];
    struct place at = {.file = l->path};
    report_add(r, POLICY_WARNING, &at, NULL, "%s is in force: policy %s, loaded %s", what, p->hash,
               clock_utc_text(p->loaded_at, when));
}

/* ---- life ---- */

static struct policy_live *new_live(const char *path, const char *snapshot_path)
{
    struct policy_live *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->path = strdup(path);
    l->snapshot_path = snapshot_path ? strdup(snapshot_path) : NULL;
    if (pthread_mutex_init(&l->lock, NULL) != 0 || !l->path || (snapshot_path && !l->snapshot_path))
        return policy_live_close(l);
    return l;
}

struct policy_live *policy_live_close(struct policy_live *l)
{
    if (l) {
        policy_unref(l->now);
        buf_release(&l->tried.paths);
        pthread_mutex_destroy(&l->lock);
        free(l->path);
        free(l->snapshot_path);
        free(l);
    }
    return NULL;
}

struct policy_live *policy_live_open(const char *path, const char *snapshot_path, struct policy_report *report,
                                     enum policy_source *source)
{
    struct policy_live *l = new_live(path, snapshot_path);
    if (!l)
        return NULL;
    begin_reading(l);
    const struct policy *kept = policy_load_snapshot(path, snapshot_path, NULL),
                        *p = load_tolerant(path, kept, report, &l->tried);
    bool whole = p != NULL;
    if (!p && !kept)
        kept = policy_load_snapshot(path, snapshot_path, report); /* again, to report its errors */
    if (!p && !kept)
        p = load_without_suspensions(path, report);
    *source = POLICY_FROM_FILE;
    if (p && kept && is_kept_out(l, kept, p, report)) {
        policy_unref(p);
        p = NULL;
    }
    if (p) {
        policy_unref(kept);
        if (whole)
            keep_snapshot(l, p, report);
    } else if (kept) {
        *source = POLICY_FROM_SNAPSHOT;
        say_in_force(l, kept, report, "the snapshot of the last good policy");
        p = kept;
    } else {
        return policy_live_close(l);
    }
    l->now = p;
    return l;
}

const struct policy *policy_live_get(struct policy_live *l)
{
    pthread_mutex_lock(&l->lock);
    const struct policy *p = policy_ref(l->now);
    pthread_mutex_unlock(&l->lock);
    return p;
}

struct policy *policy_load_as_kept(const char *path, const char *snapshot_path, struct policy_report *report)
{
    const struct policy *kept = policy_load_snapshot(path, snapshot_path, NULL);
    struct policy *p = load_tolerant(path, kept, report, NULL);
    policy_unref(kept);
    return p;
}

bool policy_live_takes_read(const struct policy *p, const char *path, const char *snapshot_path,
                            struct policy_report *report)
{
    char hash[9];
    time_t loaded;
    if (!snapshot_path ||
        (policy_snapshot_says(snapshot_path, hash, &loaded) == STATUS_OK && strcmp(hash, p->hash) == 0))
        return true;
    const struct policy *kept = policy_load_snapshot(path, snapshot_path, NULL);
    bool yes = !(kept && !guard_is_accepted(p, snapshot_path) && guard_keeps_out(kept, p, path, report));
    policy_unref(kept);
    return yes;
}

bool policy_live_takes(const char *path, const char *snapshot_path, struct policy_report *report)
{
    struct policy *p = policy_load_as_kept(path, snapshot_path, report);
    bool yes = p && policy_live_takes_read(p, path, snapshot_path, report);
    policy_unref(p);
    return yes;
}

enum status policy_live_reload(struct policy_live *l, bool force, struct policy_report *report,
                               enum policy_source *source)
{
    begin_reading(l);
    const struct policy *before = l->now, *p = load_tolerant(l->path, before, report, &l->tried);
    if (p && !force && is_kept_out(l, before, p, report)) {
        policy_unref(p);
        p = NULL;
    }
    if (!p) {
        *source = POLICY_KEPT;
        say_in_force(l, before, report, "the policy from before");
        return STATUS_INVALID;
    }
    pthread_mutex_lock(&l->lock);
    l->now = p;
    pthread_mutex_unlock(&l->lock);
    policy_unref(before);
    keep_snapshot(l, p, report);
    *source = POLICY_FROM_FILE;
    return STATUS_OK;
}
