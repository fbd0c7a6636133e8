// SPDX-License-Identifier: BSD-2-Clause
/*
 * load.c - reads a policy completely or not at all.
 *
 * Order: the main file and what it includes, statement by statement, where they stand; then the lists, the settings,
 * who is in which list; then the hash and the index; then warnings (lint.c). If there is any error there is no policy,
 * and the report has all errors. A loaded policy never changes.
 */
#include "policy/load.h"
#include "policy/mta_socket.h"
#include "policy/policy_settings.h"
#include "policy/setting_types.h"
#include "base/clock.h"
#include <stdlib.h>
#include <sys/stat.h>

static uint64_t hash_more(uint64_t h, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return (h ^ 0x100) * UINT64_C(0x100000001b3);
}

/* Hashes texts as read and lists as stored, so that the snapshot of a policy has the same hash. Comments count: a new
 * reason is a new policy. */
static void make_hash(struct policy *p)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < p->unit_count; i++)
        h = hash_more(h, p->units[i]->text);
    for (size_t i = 0; i < p->list_count; i++) {
        const struct keyset *k = &p->lists[i]->keys;
        h = hash_more(hash_more(h, slice_str(p->lists[i]->name)), slice_of((const char *)k->octets, k->used));
    }
    h ^= h >> 32;
    for (size_t i = 0; i < 8; i++)
        p->hash[i] = hex[h >> (28 - 4 * i) & 15];
}

/* We listen where the MTA asks, unless the policy says otherwise. */
static void take_mta_sockets(struct loader *ld, const char *path)
{
    static const struct {
        enum setting_id id;
        const char *file;
    } sockets[] = {{SETTING_MILTER_SOCKET, MTA_SOCKET_FILE},
                   {SETTING_POSTFIX_TLS_POLICY_SOCKET, MTA_SOCKET_TLS_POLICY_FILE}};
    struct policy *p = ld->p;
    char text[MTA_SOCKET_MAX];
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        if (!mta_socket_read(path, sockets[i].file, text))
            continue;
        const char *kept = setting_type_kept(p->arena, TYPE_SOCKET, slice_str(text));
        struct setting_value *v = &p->settings[sockets[i].id];
        if (!kept) {
            ld->out_of_memory = true;
            return;
        }
        *(i == 0 ? &p->mta_socket : &p->mta_tls_policy_socket) = kept;
        if (!v->item)
            v->text = kept;
    }
}

static void load_all(struct loader *ld, const char *path, const char *shown, struct slice text)
{
    loader_main(ld, path, shown, text);
    if (!ld->out_of_memory)
        loader_lists(ld);
    if (!ld->out_of_memory)
        loader_resolve(ld);
    take_mta_sockets(ld, path);
    if (!ld->out_of_memory)
        loader_combinations(ld);
    make_hash(ld->p);
    if (!ld->out_of_memory && !arena_failed(ld->p->arena) && !ld->errors && index_build(ld->p) != STATUS_OK)
        ld->out_of_memory = true;
}

/* A title alone says nothing, nor does an include of files that say nothing. */
static bool says_nothing(const struct policy *p)
{
    for (size_t i = 0; i < p->item_count; i++)
        if (p->items[i].s.kind != POLICY_TITLE && p->items[i].s.kind != POLICY_INCLUDE)
            return false;
    return true;
}

/* Reads all by a loader that says from where. */
static struct policy *load_by(struct loader *ld, const char *path, const char *shown, struct slice text)
{
    struct tolerance *tolerance = ld->tolerance;
    struct policy_report *report = ld->report;
    ld->p = policy_new();
    ld->now = clock_wall();
    struct place whole = {.file = shown};
    if (!ld->p) {
        loader_error(ld, &whole, NULL, "out of memory");
        return NULL;
    }
    ld->p->loaded_at = ld->now;
    load_all(ld, path, shown, text);
    if (ld->out_of_memory || arena_failed(ld->p->arena))
        loader_error(ld, &whole, NULL, "out of memory while the policy was read");
    if (!ld->errors && !ld->snapshot && !text.p && says_nothing(ld->p))
        loader_error(ld, &whole, LOADER_BEGIN_WITH, "there is no statement in this file: it is empty or cut short");
    if (policy_set_is(ld->p, SETTING_LOG_FORMAT, "json"))
        report_set_json(report);
    if (tolerance)
        tolerance->again = ld->errors && ld->errors == ld->forgiven;
    if (tolerance)
        tolerance->only_suspensions = ld->bad_suspensions && ld->errors == ld->forgiven + ld->bad_suspensions;
    if (!ld->errors && !ld->snapshot)
        lint(ld->p, report, ld->now);
    report_sort(report);
    if (!ld->errors)
        return ld->p;
    policy_release(ld->p);
    return NULL;
}

struct policy *load_new(const char *path, const char *shown, struct slice text, const struct snapshot *snapshot,
                        struct policy_report *report, struct tolerance *tolerance)
{
    struct loader ld = {.report = report,
                        .snapshot = snapshot,
                        .tolerance = tolerance,
                        .tried = tolerance && !snapshot ? tolerance->tried : NULL};
    return load_by(&ld, path, shown, text);
}

/* The path with its folder made absolute, so that what it includes is found whatever the working directory is later.
 * malloc'ed. */
static char *absolute(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup("."), *whole = NULL;
    char *real = folder ? realpath(folder, NULL) : NULL;
    const char *name = slash ? slash + 1 : path;
    struct buf b = BUF_INIT;
    if (real) {
        buf_printf(&b, "%s%s%s", real, strcmp(real, "/") ? "/" : "", name);
        whole = buf_detach(&b);
    } else {
        whole = strdup(path);
    }
    free(folder);
    free(real);
    return whole;
}

struct policy *policy_load_with(const char *path, const char *file, struct slice text, struct policy_report *report)
{
    struct stat st;
    struct loader_trial trial = {.text = text};
    struct loader ld = {.report = report, .trial = &trial};
    if (stat(file, &st) == 0) {
        trial.device = st.st_dev;
        trial.inode = st.st_ino;
    }
    char *whole = absolute(path);
    struct policy *p = load_by(&ld, whole ? whole : path, path, SLICE_NULL);
    free(whole);
    return p;
}

/* Reports how each customer's file with errors was treated. */
static void tell_bad(const struct tolerance *t, struct policy_report *report)
{
    for (size_t i = 0; i < t->bad.slot_count; i++) {
        const char *path = t->bad.slots[i].key.p;
        struct place at = {.file = path};
        struct slice text;
        if (!t->bad.slots[i].key.n)
            continue;
        bool kept = t->earlier && snapshot_get(t->earlier, SNAPSHOT_UNIT, path, &text) == STATUS_OK;
        report_add(report, POLICY_WARNING, &at, NULL, "this customer's file has errors: %s",
                   kept ? "its earlier version stays in force" : "nothing of it is in force");
    }
}

/* The texts of a policy as a snapshot in memory. */
static bool texts_of(const struct policy *p, struct snapshot *out)
{
    struct buf b = BUF_INIT;
    snapshot_write(p, &b);
    size_t n = b.n;
    char *text = buf_detach(&b);
    return text && snapshot_open(out, slice_of(text, n)) == STATUS_OK;
}

struct policy *load_without_suspensions(const char *path, struct policy_report *report)
{
    struct tolerance t = {.arena = arena_new(64u * 1024 * 1024)};
    char *whole = absolute(path);
    const char *real = whole ? whole : path;
    map_init(&t.bad, 1);
    struct policy *p = load_new(real, path, SLICE_NULL, NULL, NULL, t.arena ? &t : NULL);
    if (!p && t.only_suspensions) {
        t.leaves_suspensions = true;
        p = load_new(real, path, SLICE_NULL, NULL, NULL, &t);
        if (!p && t.again)
            p = load_new(real, path, SLICE_NULL, NULL, NULL, &t);
    }
    struct place at = {.file = path};
    if (p)
        report_add(report, POLICY_WARNING, &at, "mend it: until then this policy is not kept as the last good one",
                   "the 'suspend' statements that are wrong are left out, and the rest is in force");
    map_release(&t.bad);
    arena_free(t.arena);
    free(whole);
    return p;
}

struct policy *load_tolerant(const char *path, const struct policy *before, struct policy_report *report,
                             struct tried *tried)
{
    struct tolerance t = {.arena = arena_new(64u * 1024 * 1024), .tried = tried};
    struct snapshot earlier = {0};
    char *whole = absolute(path);
    const char *real = whole ? whole : path;
    map_init(&t.bad, 1);
    struct policy *p = load_new(real, path, SLICE_NULL, NULL, report, t.arena ? &t : NULL);
    if (!p && t.again && before && texts_of(before, &earlier)) {
        t.earlier = &earlier;
        p = load_new(real, path, SLICE_NULL, NULL, NULL, &t);
    }
    if (!p && t.again) { /* no earlier versions, or they do not fit the policy of today: leave all bad ones out */
        t.earlier = NULL;
        p = load_new(real, path, SLICE_NULL, NULL, NULL, &t);
    }
    if (p)
        tell_bad(&t, report);
    if (earlier.text.p)
        snapshot_close(&earlier);
    free(whole);
    map_release(&t.bad);
    arena_free(t.arena);
    return p;
}

/* A customer's bad file is left out with a warning, as in the daemons: it must not block the administrator's own
 * commands. */
struct policy *policy_load(const char *path, struct policy_report *report)
{
    struct policy *p = load_tolerant(path, NULL, report, NULL);
    if (!p || !report || !policy_report_count(report, POLICY_ERROR))
        return p;
    report_soften(report);
    lint(p, report, clock_wall());
    report_sort(report);
    return p;
}

struct policy *policy_load_text(struct slice text, const char *name, struct policy_report *report)
{
    char *whole = absolute("text");
    char *copy = malloc(text.n + 1);
    if (copy && text.n)
        memcpy(copy, text.p, text.n);
    struct policy *p = copy ? load_new(whole ? whole : "text", name, slice_of(copy, text.n), NULL, report, NULL) : NULL;
    free(whole);
    return p;
}
