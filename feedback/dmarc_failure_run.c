// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_failure_run.c - finds the failure reports that are due, and sends them.
 *
 * Promises that a mail has one report to a destination: the row of failure_out is written before it is sent, so that
 * one ledger at a time has it; it expires, because a ledger may die before it has sent the report. A report that was
 * never sent is "dead" once its mail is too old. Nothing is written about a destination that may not get one or has
 * reached its daily limit, so a flood of forged mail fills no table. Failure of the store ends the run with
 * STATUS_AGAIN; of one destination, only that one.
 */
#include "base/clock.h"
#include "feedback/dmarc_failure.h"
#include "feedback/dmarc_post.h"
#include "feedback/dmarc_rua.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <string.h>

#define BOUND ((size_t)1 << 28)
#define MAILS 20000 /* looked at by one run */
#define FIRST_PAUSE (15 * 60)
#define LOOKUPS 40 /* of DNS for one mail */

struct due {
    struct due *next;
    int64_t t;
    const char *line;
};

struct failures {
    struct store *store;
    const struct ledger_config *config;
    const struct dmarc_run_options *o;
    struct dmarc_run_result *result;
    struct arena *list, *arena;
    unsigned handed_over;
};

struct failure {
    struct failures *run;
    const struct record *record;
    const char *domain, *address, *key;
    char id[64];
    int64_t day;
};

/* The mails of the last hours whose owner may want a report: the newest first, so that a backlog costs the oldest. */
static enum status find_due(struct failures *f, struct due **first)
{
    int64_t since = clock_wall_us() - DMARC_FAILURE_SECONDS * TIMESTAMP_SECOND;
    struct store_rows *rows =
        store_ask(f->store, "SELECT t, record FROM mail WHERE t >= $1 AND ruf = 1 ORDER BY t DESC LIMIT $2", "ii",
                  since, (int64_t)MAILS);
    struct due **tail = first;
    while (!arena_failed(f->list) && store_next(rows)) {
        struct due *d = ARENA_NEW(f->list, struct due);
        const char *stored = store_record(rows, 1), *line = d && stored ? arena_strdup(f->list, stored) : NULL;
        if (!stored)
            continue;
        if (!line)
            break;
        d->t = store_number(rows, 0);
        d->line = line;
        *tail = d;
        tail = &d->next;
    }
    enum status st = store_done(rows);
    return st == STATUS_OK && arena_failed(f->list) && !*first ? STATUS_NOMEM : st;
}

/* The same for the same mail, whoever makes it; tells nothing of our hosts (FNV-1a). */
static void name_it(const struct record *r, char out[64])
{
    const char *parts[] = {r->host, r->id, r->from};
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < 3; i++)
        for (const char *p = parts[i] ? parts[i] : ""; *p; p++)
            h = (h ^ (unsigned char)*p) * 1099511628211u;
    snprintf(out, 64, "failure.%lld.%016llx", (long long)r->t, (unsigned long long)h);
}

static void failure_notify(struct failure *f, const char *state, const char *reason)
{
    const struct dmarc_run_options *o = f->run->o;
    struct dmarc_run_item item = {
        .day = f->day, .domain = f->domain, .destination = f->address, .state = state, .reason = reason, .file = f->id};
    if (o->seen)
        o->seen(o->context, &item);
}

/* Tells whether this report may go out now and is ours to send. */
static enum status claim(struct failure *f, bool *ours)
{
    struct failures *run = f->run;
    int64_t today = 0, changed = 0, now = clock_wall();
    *ours = false;
    enum status st =
        store_ask_number(run->store, 0, &today, "SELECT count(*) FROM failure_out WHERE day = $1 AND destination = $2",
                         "it", f->day, f->key);
    if (st == STATUS_OK && today < run->config->failure_per_day && !run->o->dry_run)
        st = store_run(run->store, &changed,
                       "INSERT INTO failure_out (destination, report_id, day, domain, state, tries, next_try, reason) "
                       "VALUES ($1,$2,$3,$4,'sending',1,$5,'') ON CONFLICT (destination, report_id) DO NOTHING",
                       "ttiti", f->key, f->id, f->day, f->domain, now + DMARC_FAILURE_CLAIM_SECONDS);
    *ours = st == STATUS_OK && (changed == 1 || (run->o->dry_run && today < run->config->failure_per_day));
    if (st != STATUS_OK || *ours || run->o->dry_run)
        return st;
    st = store_run(run->store, &changed,
                   "UPDATE failure_out SET state = 'sending', tries = tries + 1, next_try = $1 WHERE destination = $2 "
                   "AND report_id = $3 AND state IN ('retry', 'sending') AND next_try <= $4",
                   "itti", now + DMARC_FAILURE_CLAIM_SECONDS, f->key, f->id, now);
    *ours = st == STATUS_OK && changed == 1;
    return st;
}

static enum status failure_settle(struct failure *f, enum status sent, const char *why)
{
    struct failures *run = f->run;
    int64_t tries = 0, now = clock_wall();
    enum status st = store_ask_number(run->store, 0, &tries,
                                      "SELECT tries FROM failure_out WHERE destination = $1 AND report_id = $2", "tt",
                                      f->key, f->id);
    int64_t next = now + ((int64_t)FIRST_PAUSE << (tries > 0 && tries < 16 ? tries - 1 : 0));
    if (st == STATUS_OK)
        st = store_run(run->store, &(int64_t){0},
                       "UPDATE failure_out SET state = $1, next_try = $2, reason = $3 WHERE destination = $4 AND "
                       "report_id = $5",
                       "tittt", sent == STATUS_OK ? "sent" : "retry", next, why, f->key, f->id);
    if (st != STATUS_OK)
        return st;
    run->result->failures += sent == STATUS_OK;
    run->result->failed += sent != STATUS_OK;
    failure_notify(f, sent == STATUS_OK ? "failure sent" : "failure retry", why);
    return STATUS_OK;
}

/* next_try is never before the mail, so anything due that long ago belongs to a mail that is too old. */
static enum status bury(struct store *s)
{
    return store_run(s, &(int64_t){0},
                     "UPDATE failure_out SET state = 'dead' WHERE state IN ('retry', 'sending') AND next_try < $1", "i",
                     clock_wall() - DMARC_FAILURE_SECONDS);
}

static enum status failure_serve(struct failure *f, struct dns_scope *scope, const char *org)
{
    const char *why = NULL;
    char text[200];
    bool ours = false;
    f->key = f->address;
    if (dmarc_ruf_check(scope, f->run->arena, f->domain, org, &f->address, &why) != DMARC_WANTED)
        return STATUS_OK;
    enum status st = claim(f, &ours);
    if (st != STATUS_OK || !ours)
        return st;
    f->run->handed_over++;
    if (f->run->o->dry_run) {
        failure_notify(f, "failure would send", why ? why : "");
        return STATUS_OK;
    }
    struct buf mail = BUF_INIT;
    snprintf(text, sizeof text, "the report could not be made");
    enum status sent =
        dmarc_failure_mail(f->record, f->run->config->from, f->run->config->contact, f->address, f->id, &mail);
    if (sent == STATUS_OK)
        sent = dmarc_post(f->run->config, f->address, buf_slice(&mail), f->run->o->stop, text);
    buf_release(&mail);
    return failure_settle(f, sent, text);
}

static enum status serve_mail(struct failures *run, const struct record *r)
{
    const struct value *dmarc = record_finding(r, "dmarc");
    const char *domain = value_text(dmarc, "record");
    struct dmarc_rua ruf;
    if (!domain || !dmarc_failure_asked(r))
        return STATUS_OK;
    enum status st = dmarc_rua_parse(run->arena, slice_str(value_text(dmarc, "ruf")), &ruf);
    struct dns_scope *scope = st == STATUS_OK && run->o->dns
                                  ? dns_scope_new(run->o->dns, run->arena, &(struct dns_budget){.lookups = LOOKUPS})
                                  : NULL;
    if (!scope)
        return STATUS_NOMEM;
    dmarc_rua_own_first(&ruf, domain, value_text(dmarc, "org"));
    for (size_t i = 0; i < ruf.count && i < DMARC_RUA_MAX && st == STATUS_OK && run->handed_over < DMARC_FAILURE_RUN &&
                       !(run->o->stop && run->o->stop());
         i++) {
        struct failure f = {.run = run,
                            .record = r,
                            .domain = domain,
                            .address = ruf.address[i],
                            .day = timestamp_day(clock_wall_us())};
        name_it(r, f.id);
        st = failure_serve(&f, scope, value_text(dmarc, "org"));
    }
    dns_scope_free(scope);
    return st;
}

enum status dmarc_failure_run(struct store *s, const struct ledger_config *c, const struct dmarc_run_options *o,
                              struct dmarc_run_result *result)
{
    if (!c->failure)
        return STATUS_OK;
    struct failures f = {
        .store = s, .config = c, .o = o, .result = result, .list = arena_new(BOUND), .arena = arena_new(BOUND)};
    struct due *first = NULL;
    enum status st = f.list && f.arena ? find_due(&f, &first) : STATUS_NOMEM;
    for (struct due *d = first; d && st == STATUS_OK && f.handed_over < DMARC_FAILURE_RUN && !(o->stop && o->stop());
         d = d->next) {
        struct record r;
        char why[200];
        if (record_parse(slice_str(d->line), &r, why) != STATUS_OK)
            continue;
        st = serve_mail(&f, &r);
        record_free(&r);
        arena_reset(f.arena);
    }
    arena_free(f.list);
    arena_free(f.arena);
    return st == STATUS_OK && !o->dry_run ? bury(s) : st;
}
