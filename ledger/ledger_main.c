// SPDX-License-Identifier: BSD-2-Clause
/*
 * ledger_main.c - assay-ledger: ingests journals, deletes old data, tells the milter which domains sign, sends DMARC
 * reports.
 *
 * Promises to end within 5 s of SIGTERM or SIGINT and to lose nothing by it: work that takes longer is aborted, and
 * repeated after the next start. No record waits for other work, which runs in a thread of its own. SIGHUP reloads the
 * policy; if the new one is bad, the current one stays in force.
 *
 * It never gives up. While the store is not available, journals wait on disk, and it retries at growing intervals of at
 * most a minute. It logs one line when the store is lost, one when it is back, and its progress while it catches up. A
 * damaged store gets no records until it is restored; they wait on disk.
 *
 * Logs to stderr. Exit: 0; EX_USAGE, EX_CONFIG (policy), with -1 also EX_TEMPFAIL (the store is not available, or
 * retention is not done) and EX_DATAERR (the store is not ours).
 */
#include "base/clock.h"
#include "base/words.h"
#include "base/options.h"
#include "base/log_pipe.h"
#include "base/streams.h"
#include "feedback/reports_config.h"
#include "ledger/config.h"
#include "feedback/dmarc_failure.h"
#include "ledger/exceptions.h"
#include "ledger/inbox.h"
#include "ledger/timestamp.h"
#include "ledger/ingest.h"
#include "ledger/most_seen.h"
#include "ledger/retention.h"
#include "ledger/store_backup.h"
#include "ledger/organisation_states.h"
#include "ledger/organisations.h"
#include "ledger/store_convert.h"
#include "ledger/store_lease.h"
#include "ledger/store_rebuild.h"
#include "ledger/store_stop.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define TAKE_EVERY_MS 500
#define KNOWN_SIGNERS_EVERY_MS 60000
#define RETENTION_EVERY_MS 3600000
#define REPORTS_EVERY_MS 300000
#define LISTS_EVERY_MS 3600000
#define STATES_EVERY_MS 600000
#define BUSY_EVERY_MS 60000 /* while another program holds the store's lease */
#define PROGRESS_EVERY_MS 30000
#define AHEAD_EVERY_MS 3600000
#define PAUSE_MAX_MS 60000
#define CONVERT_FOR_MS 3000 /* per round, during an upgrade */
#define DAMAGED_EVERY_MS 3600000
#define END_WITHIN_S 4

static volatile sig_atomic_t ending, reload;
static _Atomic bool as_json;     /* `set log.format json`: one object per line and nothing else */
static bool once_only;           /* -1 */
static int64_t converting_until; /* 0: no time limit */

/* The work besides ingesting. It runs in a thread that opens the store for itself, so that no record waits for it. The
 * thread owns this struct while `running`, otherwise service_serve() does. */
struct keeper {
    const struct policy *policy; /* a reference of its own: a reload does not wait for the thread */
    struct ledger_config config;
    struct store *store;
    struct dns *dns; /* opened when the first report is due */
    int64_t knowledge_due, tidy_due, reports_due, states_due, lists_due;
    bool states_old; /* records came in since the states of organisations were written */
    bool reports_off_said, held_said, busy_said, retention_failed;
    uint64_t late_said; /* mails too late for their report, as last logged */
    bool lost, damaged; /* the store: lost_text says how */
    char lost_text[STORE_ERROR];
    pthread_t thread;
    bool running;
    atomic_bool done; /* set last by the thread */
};

struct service {
    const char *policy_path, *state_dir;
    struct policy_live *live;
    const struct policy *policy;
    struct ledger_config config;
    struct store *store;
    bool away;           /* the store, as last logged */
    struct stat damaged; /* the store's file when it was found damaged; st_ino 0: not damaged */
    int64_t damaged_due; /* when it is checked again */
    char trouble[400];   /* of a folder, as last logged */
    int64_t pause_ms, progress_due;
    struct keeper keeper;
    bool states_old;                  /* passed to the keeper at its next start */
    struct organisation_lists *lists; /* of the policy in force */
    bool exceptions_kept;             /* those of the policy in force, in this store */
    int64_t ahead_said, ahead_due;    /* how many records are dated ahead, as last logged; when to log it again */
    int hold;                         /* store_hold() */
    bool converted;                   /* no row of an earlier version is left in the store */
    bool rebuilt;                     /* its file need not be rebuilt, or cannot be */
};

/* The last resort, for a wait that no flag interrupts: the system's resolver, a disk that does not answer, a connection
 * attempt. Exits as after kill -9: what was not committed is done again after the next start. */
static void on_end_overdue(int s)
{
    static const char text[] = "assay-ledger: ended in the middle of a slow operation: what was not stored is done "
                               "again after the next start\n";
    static const char json[] = "{\"program\":\"assay-ledger\",\"level\":\"notice\",\"message\":\"ended in the middle "
                               "of a slow operation: what was not stored is done again after the next start\"}\n";
    ssize_t n = as_json ? write(STDERR_FILENO, json, sizeof json - 1) : write(STDERR_FILENO, text, sizeof text - 1);
    (void)s;
    (void)n;
    _exit(once_only ? EX_TEMPFAIL : EX_OK);
}

static void on_end(int s)
{
    (void)s;
    if (!ending)
        (void)alarm(END_WITHIN_S);
    ending = 1;
}

static void on_reload(int s)
{
    (void)s;
    reload = 1;
}

static bool service_is_ending(void)
{
    return ending;
}

/* ---- the log: stderr ---- */

static void service_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void service_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_pipe_say(STDERR_FILENO, "assay-ledger", LOG_LEVEL_NOTICE, as_json, fmt, ap);
    va_end(ap);
}

static void say_failure(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void say_failure(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_pipe_say(STDERR_FILENO, "assay-ledger", LOG_LEVEL_ERROR, as_json, fmt, ap);
    va_end(ap);
}

/* For people: each message with its line of the policy and a caret. In a log of JSON: one object per message. */
static void print_report(const struct policy_report *r)
{
    struct buf b = BUF_INIT;
    const struct policy_message *m;
    if (!as_json) {
        policy_report_print(r, POLICY_NOTE, &b);
        fwrite(b.p, 1, b.n, stderr);
    }
    for (size_t i = 0; as_json && (m = policy_report_at(r, i)) != NULL; i++) {
        buf_reset(&b);
        policy_message_line(m, &b);
        if (m->severity == POLICY_ERROR)
            say_failure("policy error: %s", b.n ? b.p : "out of memory");
        else
            service_say("policy: %s", b.n ? b.p : "out of memory");
    }
    buf_release(&b);
}

/* Finds the log's format for messages before open_policy(), which only the owner of the folder may call. */
static void find_log_format(const char *policy)
{
    struct policy_report *r = policy_report_new();
    policy_unref(policy_load(policy, r));
    as_json = policy_report_wants_json(r);
    policy_report_free(r);
}

/* ---- policy ---- */

static void use_policy(struct service *s)
{
    char *store = s->store ? strdup(s->config.store) : NULL;
    policy_unref(s->policy);
    s->policy = policy_live_get(s->live);
    as_json = policy_set_is(s->policy, SETTING_LOG_FORMAT, "json");
    ledger_config_read(&s->config, s->policy);
    if (store && strcmp(store, s->config.store) != 0)
        s->store = store_close(s->store);
    free(store);
    organisation_lists_free(s->lists);
    s->lists = organisation_lists_new(s->policy);
    if (!s->lists)
        service_say("out of memory: the totals by list are not kept");
    s->exceptions_kept = false;
    service_say("policy %s, store %s", policy_hash(s->policy),
                strncmp(s->config.store, "postgres", 8) == 0 ? "PostgreSQL" : s->config.store);
}

static bool open_policy(struct service *s)
{
    char snapshot[4096];
    enum policy_source source;
    struct policy_report *r = policy_report_new();
    snprintf(snapshot, sizeof snapshot, "%s/policy.ledger", s->state_dir);
    policy_live_settle(s->policy_path, snapshot);
    s->live = policy_live_open(s->policy_path, snapshot, r, &source);
    as_json = policy_report_wants_json(r);
    if (s->live && source == POLICY_FROM_SNAPSHOT) {
        const struct policy *p = policy_live_get(s->live);
        as_json = policy_set_is(p, SETTING_LOG_FORMAT, "json");
        policy_unref(p);
    }
    if (!s->live || source == POLICY_FROM_SNAPSHOT)
        print_report(r);
    if (s->live && source == POLICY_FROM_SNAPSHOT)
        say_failure("%s is not usable: running on the last good policy", s->policy_path);
    policy_report_free(r);
    if (s->live)
        use_policy(s);
    return s->live != NULL;
}

static void reload_policy(struct service *s)
{
    enum policy_source source;
    struct policy_report *r = policy_report_new();
    char snapshot[4096];
    reload = 0;
    snprintf(snapshot, sizeof snapshot, "%s/policy.ledger", s->state_dir);
    policy_live_settle(s->policy_path, snapshot);
    if (policy_live_reload(s->live, false, r, &source) != STATUS_OK) {
        print_report(r);
        say_failure("%s is not usable: the policy in force stays", s->policy_path);
    } else {
        use_policy(s);
    }
    policy_report_free(r);
}

/* ---- the store ---- */

static enum status lost_store(struct service *s, enum status st, const char *why)
{
    const bool damaged = s->store && store_is_damaged(s->store) && !store_is_shared(s->store);
    if (damaged && s->damaged.st_ino)
        s->damaged_due = clock_mono_ms() + DAMAGED_EVERY_MS;
    else if ((!s->away || damaged) && !ending)
        say_failure("the store is not available, journals wait: %s", why);
    if (damaged && !s->damaged.st_ino && stat(s->config.store, &s->damaged) == 0)
        s->damaged_due = clock_mono_ms() + DAMAGED_EVERY_MS;
    s->away = true;
    s->store = store_close(s->store);
    s->pause_ms = s->pause_ms ? s->pause_ms * 2 : 1000;
    s->pause_ms = s->pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : s->pause_ms;
    return st;
}

/* A damaged file is used again once another file has replaced it, or once all its pages can be read, which is checked
 * every hour. */
static bool waits_for_restore(struct service *s)
{
    struct stat st;
    if (!s->damaged.st_ino)
        return false;
    if (stat(s->config.store, &st) != 0 || st.st_ino != s->damaged.st_ino || st.st_dev != s->damaged.st_dev) {
        s->damaged = (struct stat){0};
        return false;
    }
    return clock_mono_ms() < s->damaged_due;
}

static enum status need_store(struct service *s)
{
    char why[STORE_ERROR] = "";
    enum status st = STATUS_OK;
    if (s->store)
        return STATUS_OK;
    if (waits_for_restore(s))
        return STATUS_INVALID;
    s->store = store_open(s->config.store, STORE_WRITE, &st, why);
    if (!s->store)
        return lost_store(s, st, why);
    if (s->damaged.st_ino) {
        st = store_check(s->store);
        if (st != STATUS_OK)
            return lost_store(s, st, store_error(s->store));
        s->damaged = (struct stat){0};
    }
    s->exceptions_kept = s->converted = s->rebuilt = false;
    s->states_old = true;
    if (s->hold >= 0)
        close(s->hold);
    s->hold = store_is_shared(s->store) ? -1 : store_hold(s->config.store);
    if (store_only_adds(s->store))
        service_say(
            "this role may only add to the ledger: records go into the ledger's inbox, and the host that owns the "
            "ledger ingests them");
    return STATUS_OK;
}

/* Stores the exceptions of this policy before the records that name them by id are ingested. */
static enum status keep_exceptions(struct service *s)
{
    if (s->exceptions_kept)
        return STATUS_OK;
    enum status st = exceptions_keep(s->store, s->policy);
    s->exceptions_kept = st == STATUS_OK;
    return st == STATUS_OK ? st : lost_store(s, st, store_error(s->store));
}

/* Called only after work on the store succeeded: opening it succeeds on a full disk, too. */
static void found_store(struct service *s)
{
    if (s->away)
        service_say("the store is back");
    s->away = false;
    s->pause_ms = 0;
}

/* ---- work ---- */

static void say_progress(struct service *s, const struct ingest_report *r)
{
    if (strcmp(r->first_trouble, s->trouble) != 0 && r->first_trouble[0])
        service_say("%s", r->first_trouble);
    snprintf(s->trouble, sizeof s->trouble, "%s", r->first_trouble);
    if (r->waiting && clock_mono_ms() >= s->progress_due) {
        service_say("catching up: %" PRIu64 " record%s ingested, %.1f MB left", r->records,
                    words_s((int64_t)r->records), (double)r->waiting / 1e6);
        s->progress_due = clock_mono_ms() + PROGRESS_EVERY_MS;
    }
    if (r->torn || r->bad || r->newer)
        service_say("unfinished lines: %" PRIu64 ", unreadable lines: %" PRIu64
                    "; segments that need a newer version: %" PRIu64,
                    r->torn, r->bad, r->newer);
}

/* Logs when the first record is kept back, then at most once an hour, and only if the number changed: with a slow clock
 * every record is kept back. */
static void say_ahead(struct service *s, int64_t ahead)
{
    if (ahead == 0)
        s->ahead_said = 0;
    if (ahead == s->ahead_said || (s->ahead_said && clock_mono_ms() < s->ahead_due))
        return;
    service_say("%" PRId64 "%s record%s dated more than an hour ahead: kept back until that time comes", ahead,
                ahead == INGEST_AHEAD_COUNTED ? " or more" : "", ahead == 1 ? " is" : "s are");
    s->ahead_said = ahead;
    s->ahead_due = clock_mono_ms() + AHEAD_EVERY_MS;
}

static enum status take_all(struct service *s)
{
    struct ingest_report r = {0};
    if (store_is_replaced(s->store)) {
        service_say("%s was replaced by another file: it is opened again", s->config.store);
        return lost_store(s, STATUS_AGAIN, "its file was replaced");
    }
    for (size_t i = 0; i < s->config.folder_count && !ending; i++) {
        enum status st = ingest_folder(s->store, s->lists, s->config.folders[i], service_is_ending, &r);
        if (st == STATUS_DENIED && !r.first_trouble[0])
            snprintf(r.first_trouble, sizeof r.first_trouble, "%s: may not be read", s->config.folders[i]);
        if (st == STATUS_MISSING && i == 0 && !r.first_trouble[0]) /* journal.dir; the others need not be there */
            snprintf(r.first_trouble, sizeof r.first_trouble, "%s: there is no such folder (yet)",
                     s->config.folders[i]);
        if (st == STATUS_AGAIN || st == STATUS_INVALID || st == STATUS_LIMIT)
            return lost_store(s, st, store_error(s->store));
    }
    enum status st = store_only_adds(s->store) ? STATUS_OK : inbox_take(s->store, s->lists, service_is_ending, &r);
    int64_t ahead = 0;
    if (st == STATUS_OK && !store_only_adds(s->store))
        st = ingest_ahead(s->store, s->lists, &ahead);
    say_ahead(s, ahead);
    if (st != STATUS_OK)
        return lost_store(s, st, store_error(s->store));
    if (r.newer && s->trouble[0] == '\0')
        snprintf(r.first_trouble, sizeof r.first_trouble, "segments of a newer version wait for an upgrade");
    else if (r.newer)
        snprintf(r.first_trouble, sizeof r.first_trouble, "%s", s->trouble);
    r.newer = 0;
    s->states_old |= r.records > 0;
    say_progress(s, &r);
    return STATUS_OK;
}

/* ---- an upgrade ---- */

static bool stop_converting(void)
{
    return ending || (converting_until && clock_mono_ms() >= converting_until);
}

/* Rebuilds the file of an earlier version in steps; records are ingested between them. all: until it is done. */
static void rebuild(struct service *s, bool all)
{
    bool wanted = false, done = false;
    if (s->rebuilt)
        return;
    converting_until = all ? 0 : clock_mono_ms() + CONVERT_FOR_MS;
    enum status st = store_rebuild(s->store, stop_converting, &wanted, &done);
    if (st == STATUS_AGAIN && store_is_busy(s->store) && !all)
        return; /* a command holds the lease: tries again in the next round */
    if (st != STATUS_OK && !ending)
        service_say("the ledger works on as it is: %s", store_error(s->store));
    s->rebuilt = st != STATUS_OK || done || !wanted;
    if (st != STATUS_OK || !done)
        return;
    service_say("the ledger's file was rebuilt: from now on it shrinks when data are deleted");
    s->store = store_close(s->store);
    (void)need_store(s);
}

/* Converts rows of an earlier version in steps; records are ingested between them. all: until it is done. */
static void convert(struct service *s, bool all)
{
    int64_t left = 0;
    bool done = false;
    if (s->converted)
        return;
    enum status st = store_converted(s->store, &done);
    converting_until = all ? 0 : clock_mono_ms() + CONVERT_FOR_MS;
    if (st == STATUS_OK && !done)
        st = store_lease_take(s->store, "an upgrade");
    if (st == STATUS_AGAIN && store_is_busy(s->store) && !all)
        return; /* a command holds the lease, and converts what it needs: tries again in the next round */
    if (st == STATUS_OK && !done) {
        st = store_convert(s->store, &(struct store_convert){.stop = stop_converting});
        store_lease_leave(s->store);
    }
    if (st == STATUS_OK && !done)
        st = store_converted(s->store, &done);
    if (st == STATUS_OK && !done)
        st = store_convert_left(s->store, &left);
    if (st != STATUS_OK && !ending)
        service_say("the ledger's upgrade waits: %s", store_error(s->store));
    else if (st == STATUS_OK && !done && clock_mono_ms() >= s->progress_due) {
        service_say("bringing the ledger to schema version %d: %" PRId64 " row%s still to convert",
                    STORE_SCHEMA_VERSION, left, words_s(left));
        s->progress_due = clock_mono_ms() + PROGRESS_EVERY_MS;
    }
    s->converted = st == STATUS_OK && done;
}

static bool open_dns(struct keeper *k)
{
    char *error = NULL;
    k->dns = dmarc_run_dns(k->policy, &error);
    if (!k->dns)
        service_say("no DNS, so no DMARC reports: %s", error ? error : "out of memory");
    free(error);
    return k->dns != NULL;
}

static void send_reports(struct keeper *k)
{
    const char *why;
    if (!reports_config_usable(&k->config, &why)) {
        if (!k->reports_off_said)
            service_say("%s", why);
        k->reports_off_said = true;
        return;
    }
    if (!k->dns && !open_dns(k))
        return;
    struct dmarc_run_result result = {0};
    struct dmarc_run_options o = {.dns = k->dns, .stop = service_is_ending};
    enum status st = dmarc_run(k->store, &k->config, &o, &result);
    if (st == STATUS_OK)
        st = dmarc_failure_run(k->store, &k->config, &o, &result);
    if (result.failures)
        service_say("DMARC failure reports: %u sent", result.failures);
    if (result.sent || result.failed || result.left_out)
        service_say("DMARC reports: %u sent, %u to be tried again, %u not wanted, %u domain%s left out (assay ledger "
                    "suppressed)",
                    result.sent, result.failed, result.suppressed, result.left_out, words_s(result.left_out));
    if (result.own_fault[0])
        service_say("DMARC reports cannot be sent from here, and wait: %s", result.own_fault);
    if (result.late != k->late_said && result.late)
        service_say("DMARC reports: %" PRIu64
                    " mail%s came too late for a report (assay ledger dmarc-reports says which)",
                    result.late, words_s((int64_t)result.late));
    k->late_said = result.late;
    if (st == STATUS_AGAIN) {
        k->lost = true;
        snprintf(k->lost_text, sizeof k->lost_text, "%s", store_error(k->store));
    }
}

static bool is_usable(const struct keeper *k)
{
    return k->store && !ending && !store_is_damaged(k->store);
}

/* Logs why a long task was not done, and returns in how many ms it is due again. That another program holds the lease
 * is logged once. */
static int64_t end_long_work(struct keeper *k, enum status st, const char *what, int64_t every_ms)
{
    bool busy = st == STATUS_AGAIN && store_is_busy(k->store);
    if (st != STATUS_OK && !ending && !(busy && k->busy_said))
        service_say(busy ? "%s must wait: %s" : "%s: %s", what, store_error(k->store));
    k->busy_said = busy;
    return busy ? BUSY_EVERY_MS : every_ms;
}

static enum status run_retention(struct keeper *k)
{
    const struct retention_keep keep = {k->config.keep_identity, k->config.keep_mails, k->config.keep_days};
    const struct retention_time t = retention_time_read();
    char why[STORE_ERROR];
    int64_t count_from, rows;
    bool held;
    enum status st = retention_clock(k->store, &t, false, &count_from, &held, why);
    if (st != STATUS_OK)
        return st;
    if (held && !k->held_said)
        service_say("retention: %s", why);
    if (!held && k->held_said)
        service_say("retention: the clock is right again: it goes on");
    k->held_said = held;
    return held ? STATUS_OK : retention_run(k->store, &keep, count_from, service_is_ending, &rows);
}

static void housekeeping(struct keeper *k, bool now)
{
    char why[STORE_ERROR];
    size_t known;
    int64_t clock = clock_mono_ms();
    if (is_usable(k) && (now || clock >= k->knowledge_due)) {
        if (retention_write_signers(k->store, k->config.knowledge, &known, why) != STATUS_OK && !ending)
            service_say("known signers: %s", why);
        k->knowledge_due = clock + KNOWN_SIGNERS_EVERY_MS;
    }
    if (is_usable(k) && (now || clock >= k->lists_due)) {
        enum status st = most_seen_keep(k->store, timestamp_day(clock_wall_us()), service_is_ending);
        k->lists_due = clock + end_long_work(k, st, "the lists of who was seen most", LISTS_EVERY_MS);
    }
    if (is_usable(k) && (now || clock >= k->tidy_due)) {
        enum status st = run_retention(k);
        /* If the store is busy, another program does this work. */
        k->retention_failed = st != STATUS_OK && !(st == STATUS_AGAIN && store_is_busy(k->store));
        k->tidy_due = clock + end_long_work(k, st, "retention", RETENTION_EVERY_MS);
    }
    if (is_usable(k) && k->states_old && (now || clock >= k->states_due)) {
        if (organisation_states_keep(k->store, k->policy) != STATUS_OK && !ending)
            service_say("the states of organisations, which views show, are not updated yet: %s",
                        store_error(k->store));
        else
            k->states_old = false;
        k->states_due = clock + STATES_EVERY_MS;
    }
    if (is_usable(k) && (now || clock >= k->reports_due)) {
        send_reports(k);
        k->reports_due = clock + REPORTS_EVERY_MS;
    }
}

/* ---- the keeper ---- */

static bool is_due(const struct keeper *k)
{
    int64_t clock = clock_mono_ms();
    return clock >= k->knowledge_due || clock >= k->lists_due || clock >= k->tidy_due || clock >= k->reports_due ||
           (k->states_old && clock >= k->states_due);
}

/* Gives the keeper the policy in force. */
static void keeper_brief(struct service *s)
{
    struct keeper *k = &s->keeper;
    k->lost = k->damaged = false;
    k->states_old |= s->states_old;
    s->states_old = false;
    if (k->policy == s->policy)
        return;
    policy_unref(k->policy);
    k->policy = policy_live_get(s->live);
    ledger_config_read(&k->config, k->policy);
    k->dns = dns_close(k->dns); /* its settings may have changed */
    k->reports_off_said = false;
}

static void keep_house(struct keeper *k, bool now)
{
    housekeeping(k, now);
    k->damaged = store_is_damaged(k->store);
    if (k->damaged)
        snprintf(k->lost_text, sizeof k->lost_text, "%s", store_error(k->store));
}

static void *keeper_thread(void *arg)
{
    struct keeper *k = arg;
    char why[STORE_ERROR];
    k->store = store_open(k->config.store, STORE_WRITE, NULL, why);
    if (k->store) { /* else ingesting fails, too, and logs it */
        store_shrink(k->store);
        keep_house(k, false);
    }
    k->store = store_close(k->store);
    atomic_store(&k->done, true);
    return NULL;
}

/* What the keeper found out about the store holds for ingesting, too. */
static void keeper_result(struct service *s)
{
    const struct keeper *k = &s->keeper;
    if (k->damaged)
        store_note_damage(s->store, k->lost_text);
    else if (k->lost)
        (void)lost_store(s, STATUS_AGAIN, k->lost_text);
}

static void keeper_join(struct keeper *k)
{
    if (k->running)
        (void)pthread_join(k->thread, NULL);
    k->running = false;
}

/* Starts the keeper if work is due, and collects its result once it is done. once: does all work now, on the open
 * store. */
static void keeper_look(struct service *s, bool once)
{
    struct keeper *k = &s->keeper;
    if (once) {
        keeper_brief(s);
        k->store = s->store;
        keep_house(k, true);
        k->store = NULL;
        keeper_result(s);
        return;
    }
    if (k->running && atomic_load(&k->done)) {
        keeper_join(k);
        keeper_result(s);
    }
    k->states_old |= !k->running && s->states_old;
    if (k->running || ending || !s->store || store_is_damaged(s->store) || !is_due(k))
        return;
    keeper_brief(s);
    atomic_store(&k->done, false);
    k->running = pthread_create(&k->thread, NULL, keeper_thread, k) == 0;
    if (!k->running)
        service_say("cannot start the thread for retention and reports: they wait");
}

static void keeper_free(struct keeper *k)
{
    keeper_join(k);
    dns_close(k->dns);
    policy_unref(k->policy);
}

static void wait_ms(int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    while (!ending && !reload && clock_mono_ms() < until)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
}

static int service_serve(struct service *s, bool once)
{
    s->keeper.tidy_due = clock_mono_ms() + 60000;
    s->keeper.reports_due = clock_mono_ms() + 30000;
    while (!ending) {
        if (reload)
            reload_policy(s);
        enum status st = need_store(s);
        if (st == STATUS_OK)
            st = keep_exceptions(s);
        if (st == STATUS_OK)
            st = take_all(s);
        if (st == STATUS_OK)
            found_store(s);
        if (st == STATUS_OK && !store_only_adds(s->store))
            convert(s, once);
        if (st == STATUS_OK && s->converted && !s->keeper.running && !store_only_adds(s->store))
            rebuild(s, once);
        if (st == STATUS_OK && s->store && s->converted && !store_only_adds(s->store))
            keeper_look(s, once); /* the owner does it, if this host may only insert */
        if (s->store && store_is_damaged(s->store))
            st = lost_store(s, STATUS_INVALID, store_error(s->store));
        if (once)
            return st == STATUS_OK                             ? (s->keeper.retention_failed ? EX_TEMPFAIL : EX_OK)
                   : st == STATUS_AGAIN || st == STATUS_DENIED ? EX_TEMPFAIL
                                                               : EX_DATAERR;
        wait_ms(s->pause_ms ? s->pause_ms : TAKE_EVERY_MS);
    }
    return EX_OK;
}

struct options {
    const char *policy, *state;
    bool once, version;
};

#define OPTIONS_OF struct options
static const struct option_row rows[] = {
    OPTIONS_FLAG('1', "once", once, "ingest what is there now, and exit"),
    OPTIONS_TEXT('P', "policy", "FILE", policy, "the policy file (default " ASSAY_SYSCONFDIR "/policy)"),
    OPTIONS_TEXT('S', "state", "DIR", state,
                 "the folder for what is kept across a restart (default " ASSAY_STATEDIR ")"),
    OPTIONS_FLAG('V', "version", version, "print the version and exit"),
};

static const struct options_spec command_line = {
    .synopsis = "[OPTION...]",
    .text = "Ingests what assay-milter and the resolver's module found into the ledger, deletes old data, and sends "
            "DMARC reports. See assay-ledger(8).",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
};

/* Started as root, it becomes the owner of its folder before it reads or writes anything there. */
static bool become_owner(const char *folder, const char *policy)
{
    struct stat st;
    if (geteuid() != 0 || stat(folder, &st) != 0 || st.st_uid == 0)
        return true;
    find_log_format(policy);
    const struct passwd *pw = getpwuid(st.st_uid);
    gid_t gid = pw ? pw->pw_gid : st.st_gid;
    bool groups = pw ? initgroups(pw->pw_name, gid) == 0 : setgroups(0, NULL) == 0;
    if (groups && setresgid(gid, gid, gid) == 0 && setresuid(st.st_uid, st.st_uid, st.st_uid) == 0)
        return true;
    say_failure("cannot become the owner of %s: %s", folder, strerror(errno));
    return false;
}

int main(int argc, char **argv)
{
    struct options o = {.policy = ASSAY_SYSCONFDIR "/policy", .state = ASSAY_STATEDIR};
    int operands, rc = !streams_hold()
                           ? EX_OSERR
                           : options_start(&command_line, "assay-ledger", argc, argv, &o, &operands, stdout, stderr);
    if (rc >= 0)
        return rc;
    if (o.version)
        return printf("assay-ledger %s\n", ASSAY_VERSION) < 0;
    struct service s = {.policy_path = o.policy, .state_dir = o.state, .hold = -1};
    signal(SIGPIPE, SIG_IGN);
    once_only = o.once;
    store_stop_when(service_is_ending);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_end_overdue}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_end}, NULL);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_end}, NULL);
    sigaction(SIGHUP, &(struct sigaction){.sa_handler = on_reload}, NULL);
    if (!become_owner(s.state_dir, s.policy_path))
        return EX_NOPERM;
    if (!open_policy(&s)) {
        say_failure("there is no usable policy");
        return EX_CONFIG;
    }
    rc = service_serve(&s, o.once);
    keeper_free(&s.keeper);
    store_close(s.store);
    organisation_lists_free(s.lists);
    policy_unref(s.policy);
    policy_live_close(s.live);
    return rc;
}
