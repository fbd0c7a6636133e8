// SPDX-License-Identifier: BSD-2-Clause
/*
 * status.c - writes the module's status as JSON: policy, counters, queue, journal, and the most queried zones of each
 * bad state.
 *
 * Promises: one object, bounded (OBSERVE_TOP zones for each state that is shown); no name that a client asked for is in
 * it, only zone cuts.
 */
#include "resolver-module/status.h"
#include "base/clock.h"
#include "base/json.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include "resolver-module/chain.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct top {
    struct zones_entry *all[ZONES_MAX];
    size_t count;
};

static void zones_collect(struct zones_entry *e, void *arg)
{
    struct top *t = arg;
    if (t->count < ZONES_MAX)
        t->all[t->count++] = e;
}

/* Most asked first. */
static int by_count(const void *a, const void *b)
{
    const struct zones_entry *x = *(struct zones_entry *const *)a, *y = *(struct zones_entry *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->zone, y->zone);
}

static void write_zone(struct json *j, const struct zones_entry *e)
{
    char text[CLOCK_TEXT];
    json_open(j);
    json_str(j, "zone", e->zone[0] ? e->zone : ".");
    if (e->collapsed)
        json_bool(j, "collapsed", true);
    json_int(j, "count", (int64_t)e->count);
    json_int(j, "refused", (int64_t)e->refused);
    if (e->would)
        json_int(j, "would", (int64_t)e->would);
    json_opt(j, "reason", e->reason);
    json_opt(j, "statement", e->statement);
    json_str(j, "first", clock_utc_text((time_t)(e->first_us / 1000000), text));
    json_str(j, "last", clock_utc_text((time_t)(e->last_us / 1000000), text));
    json_end(j);
}

static void write_top(struct json *j, const char *key, const struct top *t, enum decide_state state)
{
    size_t shown = 0;
    json_open_array(j, key);
    for (size_t i = 0; i < t->count && shown < OBSERVE_TOP; i++) {
        if (t->all[i]->state != state)
            continue;
        write_zone(j, t->all[i]);
        shown++;
    }
    json_end(j);
}

/* Exemptions whose zone came out secure at the last look. */
static void write_unneeded(struct json *j, const struct top *t)
{
    json_open_array(j, "unneeded");
    for (size_t i = 0, shown = 0; i < t->count && shown < OBSERVE_TOP; i++)
        if (t->all[i]->state == DECIDE_STATE_SECURE && t->all[i]->unneeded) {
            json_open(j);
            json_str(j, "zone", t->all[i]->zone);
            json_str(j, "statement", t->all[i]->statement);
            json_end(j);
            shown++;
        }
    json_end(j);
}

static void write_policy(struct json *j, struct watch *w)
{
    char error[512], text[CLOCK_TEXT];
    enum policy_source source;
    static const char *const names[] = {"file", "snapshot", "kept"};
    watch_state(w, &source, error, sizeof error);
    const struct policy *p = watch_policy(w);
    json_open_in(j, "policy");
    json_str(j, "hash", p ? policy_hash(p) : NULL);
    json_str(j, "title", p ? policy_title(p) : NULL);
    json_str(j, "mode", p ? policy_set_text(p, SETTING_MODE) : NULL);
    json_str(j, "loaded", p ? clock_utc_text(policy_loaded_at(p), text) : NULL);
    json_str(j, "source", p ? names[source] : "none");
    json_opt(j, "error", error);
    json_int(j, "version", watch_version(w));
    json_bool(j, "can_refuse", watch_can_refuse(w));
    json_bool(j, "paused", watch_paused(w));
    json_end(j);
    policy_unref(p);
}

/* The chain of modules that is at work, and what is wrong with it. */
static void write_modules(struct json *j, const char *modules)
{
    char wrong[CHAIN_SAID];
    struct chain chain;
    if (!modules || !*modules)
        return;
    chain_look(modules, &chain);
    chain_say(&chain, modules, wrong, sizeof wrong);
    json_str(j, "modules", modules);
    json_opt(j, "order", wrong);
}

static void write_counts(struct json *j, const struct status_input *in)
{
    json_open_in(j, "answers");
    for (int s = 0; s < DECIDE_STATE_COUNT; s++)
        json_int(j, decide_state_name((enum decide_state)s), (int64_t)in->counts.states[s]);
    json_int(j, "refused", (int64_t)in->counts.refused);
    json_int(j, "would_refuse", (int64_t)in->counts.would);
    json_end(j);
    json_open_in(j, "queue");
    json_int(j, "length", (int64_t)in->queue_length);
    json_int(j, "capacity", (int64_t)in->queue_capacity);
    json_int(j, "dropped", (int64_t)in->counts.dropped);
    json_end(j);
    json_open_in(j, "journal");
    json_bool(j, "open", in->journal_open);
    json_bool(j, "healthy", in->journal_open && in->journal.healthy);
    json_int(j, "written", (int64_t)in->journal.written);
    json_int(j, "lost", (int64_t)(in->journal.lost + in->journal.dropped + in->journal.refused));
    json_opt(j, "error", in->journal_open ? in->journal.error : in->journal_error);
    json_end(j);
}

void status_write(const struct status_input *in, struct buf *out)
{
    struct json j = JSON_INTO(out);
    char text[CLOCK_TEXT];
    struct top *t = calloc(1, sizeof *t);
    json_open(&j);
    json_int(&j, "v", 1);
    json_str(&j, "now", clock_utc_text(clock_wall(), text));
    json_str(&j, "started", clock_utc_text((time_t)(in->started_us / 1000000), text));
    json_int(&j, "pid", (int64_t)getpid());
    json_opt(&j, "unbound", in->unbound);
    json_str(&j, "assay", ASSAY_VERSION);
    write_modules(&j, in->modules);
    write_policy(&j, in->watch);
    write_counts(&j, in);
    json_int(&j, "judged_again", (int64_t)in->counts.swept);
    json_int(&j, "zones", (int64_t)zones_count(in->zones));
    if (t) {
        zones_each(in->zones, zones_collect, t);
        qsort(t->all, t->count, sizeof t->all[0], by_count);
        write_top(&j, "insecure", t, DECIDE_STATE_INSECURE);
        write_top(&j, "bogus", t, DECIDE_STATE_BOGUS);
        write_top(&j, "indeterminate", t, DECIDE_STATE_INDETERMINATE);
        write_top(&j, "exempt", t, DECIDE_STATE_EXEMPT);
        write_top(&j, "suspended", t, DECIDE_STATE_SUSPENDED);
        write_unneeded(&j, t);
    }
    json_end(&j);
    free(t);
}
