// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_run.c - the day's DMARC reports.
 *
 * Promises: a report is sent only by the one whose claim changed the store's row; it is sent at least once where the
 * destination takes it and wants it, and under the same names each time; nothing is sent before its day is over and
 * report.delay has passed. Consent is asked anew for each report (a record that is taken away ends them). Failure of
 * the store ends the run with STATUS_AGAIN; of one destination, only that one.
 */
#include "base/rootfile.h"
#include "feedback/dmarc_run.h"
#include "base/clock.h"
#include "dns/dns_unbound.h"
#include "feedback/dmarc_late.h"
#include "feedback/dmarc_post.h"
#include "feedback/dmarc_report.h"
#include "feedback/dmarc_rua.h"
#include "ledger/timestamp.h"
#include "ledger/value.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOUND ((size_t)1 << 30)
#define FIRST_PAUSE (15 * 60)
#define SYSTEM_ANCHOR "/usr/share/dns/root.key"

struct domain_day {
    struct domain_day *next;
    int64_t day;
    const char *domain, *published, *rua;
};

struct run {
    struct store *store;
    const struct ledger_config *config;
    const struct dmarc_run_options *o;
    struct dmarc_run_result *result;
    struct arena *list;  /* of the run */
    struct arena *arena; /* of one domain */
    char me[300];
};

struct target {
    struct run *run;
    const struct domain_day *at;
    const char *key;     /* as the owner wrote it: the claim's key */
    const char *address; /* where it goes */
    struct dmarc_report *report;
    struct dns_scope *scope;
    const char *org;
    struct dmarc_run_item item;
};

/* ---- what is due ---- */

static int64_t last_day_due(const struct run *r)
{
    return timestamp_day(clock_wall_us() - r->config->delay * TIMESTAMP_SECOND) - 1;
}

static enum status due(struct run *r, struct domain_day **first)
{
    int64_t last = last_day_due(r), begin = last - DMARC_RUN_DAYS_BACK;
    if (r->o->one_day)
        begin = last = r->o->day;
    struct domain_day **tail = first;
    struct store_rows *rows = store_ask(
        r->store,
        "SELECT day, domain, published, rua FROM dmarc_domain WHERE day >= $1 AND day <= $2 ORDER BY day, domain", "ii",
        begin, last);
    while (store_next(rows)) {
        struct domain_day *d = ARENA_NEW(r->list, struct domain_day);
        if (!d)
            break;
        d->day = store_number(rows, 0);
        d->domain = arena_strdup(r->list, store_text(rows, 1));
        d->published = arena_strdup(r->list, store_text(rows, 2));
        d->rua = arena_strdup(r->list, store_text(rows, 3));
        *tail = d;
        tail = &d->next;
    }
    enum status st = store_done(rows);
    return st == STATUS_OK && arena_failed(r->list) ? STATUS_NOMEM : st;
}

static enum status load_rows(struct run *r, const struct domain_day *d, struct dmarc_report *report)
{
    int64_t n = 0;
    enum status st = store_ask_number(r->store, 0, &n, "SELECT count(*) FROM dmarc_row WHERE day = $1 AND domain = $2",
                                      "it", d->day, d->domain);
    if (st == STATUS_OK && n > DMARC_REPORT_ROWS) /* else they are counted as they are read: of one moment */
        st = store_ask_number(r->store, 0, &report->mails,
                              "SELECT CAST(sum(count) AS BIGINT) FROM dmarc_row WHERE day = $1 AND domain = $2", "it",
                              d->day, d->domain);
    if (st != STATUS_OK || n == 0)
        return st;
    bool sum = report->mails == 0;
    size_t room = n < DMARC_REPORT_ROWS ? (size_t)n : DMARC_REPORT_ROWS;
    struct dmarc_report_row *rows = ARENA_ARRAY(r->arena, struct dmarc_report_row, room);
    if (!rows)
        return STATUS_NOMEM;
    struct store_rows *q = store_ask(
        r->store,
        "SELECT tuple, count FROM dmarc_row WHERE day = $1 AND domain = $2 ORDER BY count DESC, tuple LIMIT $3", "iti",
        d->day, d->domain, (int64_t)room);
    while (report->row_count < room && store_next(q)) {
        rows[report->row_count].tuple = arena_strdup(r->arena, store_text(q, 0));
        rows[report->row_count++].count = store_number(q, 1);
        report->mails += sum ? store_number(q, 1) : 0;
    }
    report->rows = rows;
    report->rows_left_out = n - (int64_t)report->row_count;
    st = store_done(q);
    return st == STATUS_OK && arena_failed(r->arena) ? STATUS_NOMEM : st;
}

/* ---- claims ---- */

static enum status claim(struct target *t, bool *ours)
{
    struct run *r = t->run;
    char id[DMARC_NAME_MAX];
    int64_t now = clock_wall(), changed = 0;
    dmarc_report_id(t->report, id);
    enum status st = store_run(
        r->store, &changed,
        "INSERT INTO report_out (day, domain, destination, report_id, state, tries, next_try, reason, rows, octets, "
        "claimed_by, changed) VALUES ($1,$2,$3,$4,'new',0,0,'',0,0,'',$5) ON CONFLICT (day, domain, destination) DO "
        "NOTHING",
        "ittti", t->at->day, t->at->domain, t->key, id, now);
    if (st != STATUS_OK)
        return st;
    st = store_run(
        r->store, &changed,
        "UPDATE report_out SET state = 'sending', claimed_by = $1, changed = $2, tries = tries + 1 WHERE day = $3 AND "
        "domain = $4 AND "
        "destination = $5 AND ((state IN ('new', 'retry') AND next_try <= $6) OR (state = 'sending' AND changed < $7))",
        "tiittii", r->me, now, t->at->day, t->at->domain, t->key, now, now - DMARC_RUN_CLAIM_SECONDS);
    *ours = st == STATUS_OK && changed == 1;
    return st;
}

static void tell(struct target *t, const char *state, const char *reason)
{
    struct run *r = t->run;
    t->item.day = t->at->day;
    t->item.domain = t->at->domain;
    t->item.destination = t->address;
    t->item.state = state;
    t->item.reason = reason;
    r->result->sent += strcmp(state, "sent") == 0 || strcmp(state, "written") == 0;
    r->result->failed += strcmp(state, "retry") == 0 || strcmp(state, "dead") == 0;
    r->result->suppressed += strcmp(state, "suppressed") == 0 || strcmp(state, "unwanted") == 0;
    if (r->o->seen)
        r->o->seen(r->o->context, &t->item);
}

/* The claim's end. A failure is tried again, later each time, until it is dead. */
static enum status settle(struct target *t, const char *state, const char *reason)
{
    struct run *r = t->run;
    int64_t tries = 0, now = clock_wall();
    enum status st = store_ask_number(
        r->store, 0, &tries, "SELECT tries FROM report_out WHERE day = $1 AND domain = $2 AND destination = $3", "itt",
        t->at->day, t->at->domain, t->key);
    if (st != STATUS_OK)
        return st;
    if (strcmp(state, "retry") == 0 && tries >= DMARC_RUN_TRIES)
        state = "dead";
    int64_t next = now + ((int64_t)FIRST_PAUSE << (tries > 0 && tries < 16 ? tries - 1 : 0));
    st =
        store_run(r->store, &(int64_t){0},
                  "UPDATE report_out SET state = $1, reason = $2, rows = $3, octets = $4, next_try = $5, changed = $6, "
                  "mails = $7 WHERE day = $8 AND domain = $9 AND destination = $10",
                  "ttiiiiiitt", state, reason, (int64_t)t->item.rows, (int64_t)t->item.octets, next, now,
                  t->report->mails, t->at->day, t->at->domain, t->key);
    if (st == STATUS_OK)
        tell(t, state, reason);
    return st;
}

/* Why this destination is to be left alone, or NULL. */
static enum status left_alone(struct target *t, const char **why)
{
    struct run *r = t->run;
    int64_t dead = 0, today = 0;
    const char *host = strrchr(t->address, '@');
    char like[LIMIT_DOMAIN + 4];
    snprintf(like, sizeof like, "%%%s", host);
    enum status st = store_ask_number(
        r->store, 0, &dead,
        "SELECT count(DISTINCT day) FROM report_out WHERE destination = $1 AND state = 'dead' AND day >= $2", "ti",
        t->key, t->at->day - 7);
    if (st == STATUS_OK)
        st = store_ask_number(
            r->store, 0, &today,
            "SELECT count(*) FROM report_out WHERE day = $1 AND destination LIKE $2 AND state = 'sent'", "it",
            t->at->day, like);
    *why = dead >= DMARC_RUN_DEAD_DAYS    ? "it took no report on three days of the last week"
           : today >= r->config->per_host ? "as many reports as report.per-host allows went to this host for the day"
                                          : NULL;
    return st;
}

/* ---- one destination ---- */

static bool wants_rfc7489(const struct run *r, const char *address)
{
    const char *host = strrchr(address, '@') + 1, *list = r->config->rfc7489_to;
    size_t n = strlen(host);
    for (const char *p = list; (p = strstr(p, host)); p += n)
        if ((p == list || strchr(" ,\t", p[-1])) && (!p[n] || strchr(" ,\t", p[n])))
            return true;
    return false;
}

static enum status write_file(struct target *t, struct slice gzip, char *why)
{
    char file[DMARC_NAME_MAX], path[4096];
    dmarc_report_file(t->report, file);
    snprintf(path, sizeof path, "%s/%s", t->run->o->to_dir, file);
    const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    bool ok = rootfile_write(path, gzip, &rights) == STATUS_OK;
    snprintf(why, 200, "%s", ok ? "" : strerror(errno));
    return ok ? STATUS_OK : STATUS_AGAIN;
}

/* Makes the report and hands it over; why gets words for the log. */
static enum status deliver(struct target *t, char *why)
{
    struct run *r = t->run;
    struct buf gzip = BUF_INIT, mail = BUF_INIT;
    enum dmarc_form form = wants_rfc7489(r, t->address) ? DMARC_RFC7489 : DMARC_RFC9990;
    enum status st = dmarc_report_gzip(t->report, form, (size_t)r->config->size_max, &gzip, &t->item.rows);
    t->item.octets = gzip.n;
    snprintf(why, 200, "%s", st == STATUS_OK ? "" : "the report could not be made");
    if (st == STATUS_OK && r->o->to_dir) {
        st = write_file(t, buf_slice(&gzip), why);
    } else if (st == STATUS_OK) {
        st = dmarc_report_mail(t->report, t->address, buf_slice(&gzip), &mail);
        if (st == STATUS_OK)
            st = dmarc_post(r->config, t->address, buf_slice(&mail), why);
    }
    buf_release(&gzip);
    buf_release(&mail);
    return st;
}

static void try_only(struct target *t, enum dmarc_rua_wanted wanted, const char *why)
{
    char text[200];
    t->item.rows = t->report->row_count;
    if (wanted != DMARC_WANTED)
        tell(t, wanted == DMARC_UNWANTED ? "unwanted" : "ask later", why);
    else if (t->run->o->dry_run)
        tell(t, "would send", why);
    else
        tell(t, deliver(t, text) == STATUS_OK ? "written" : "retry", text[0] ? text : why);
}

static enum status serve(struct target *t)
{
    const char *why = NULL, *alone = NULL;
    char text[200];
    bool ours = true, only_try = t->run->o->dry_run || t->run->o->to_dir;
    enum status st = only_try ? STATUS_OK : claim(t, &ours);
    if (st != STATUS_OK || !ours)
        return st;
    enum dmarc_rua_wanted wanted = dmarc_rua_check(t->scope, t->run->arena, t->at->domain, t->org, &t->address, &why);
    if (only_try) {
        try_only(t, wanted, why ? why : "");
        return STATUS_OK;
    }
    st = left_alone(t, &alone);
    if (st != STATUS_OK)
        return st;
    if (wanted == DMARC_ASK_LATER)
        return settle(t, "retry", why ? why : "");
    if (wanted == DMARC_UNWANTED || alone)
        return settle(t, "suppressed", alone ? alone : why ? why : "");
    enum status sent = deliver(t, text);
    return settle(t, sent == STATUS_OK ? "sent" : "retry", text);
}

static enum status serve_domain(struct run *r, const struct domain_day *d)
{
    struct dmarc_report report = {.day = d->day,
                                  .domain = d->domain,
                                  .published = d->published,
                                  .from = r->config->from,
                                  .org = r->config->org,
                                  .contact = r->config->contact,
                                  .extra = r->config->extra};
    struct dmarc_rua rua;
    enum status st = dmarc_rua_parse(r->arena, slice_str(d->rua), &rua);
    if (st == STATUS_OK && rua.count)
        st = load_rows(r, d, &report);
    if (st != STATUS_OK || report.row_count == 0)
        return st;
    struct value *published = value_parse(slice_str(d->published), NULL);
    struct dns_scope *scope =
        r->o->dns ? dns_scope_new(r->o->dns, r->arena, &(struct dns_budget){.lookups = DMARC_RUA_MAX}) : NULL;
    if (!scope)
        st = STATUS_NOMEM;
    char file[DMARC_NAME_MAX];
    dmarc_report_file(&report, file);
    for (size_t i = 0; i < rua.count && st == STATUS_OK; i++) {
        struct target t = {.run = r,
                           .at = d,
                           .key = rua.address[i],
                           .address = rua.address[i],
                           .report = &report,
                           .scope = scope,
                           .org = value_text(published, "org"),
                           .item = {.file = file}};
        st = serve(&t);
    }
    dns_scope_free(scope);
    value_free(published);
    return st;
}

struct dns *dmarc_run_dns(const struct policy *p, char **error)
{
    const char *anchor = policy_set_text(p, SETTING_DNS_ANCHOR);
    if (access(anchor, R_OK) != 0)
        anchor = SYSTEM_ANCHOR;
    return dns_unbound_new(&(struct dns_unbound_config){.anchor = anchor,
                                                        .anchor_fixed = true,
                                                        .forward = policy_set_text(p, SETTING_DNS_FORWARD)},
                           error);
}

/* ---- what came too late ---- */

static void late_seen(void *context, const struct dmarc_late *l)
{
    struct run *r = context;
    char reason[1024];
    snprintf(reason, sizeof reason, "%lld mails came after %s%s%.800s", (long long)l->mails,
             l->first ? "the last day on which a first report is made" : "the report was sent", l->hosts[0] ? ": " : "",
             l->hosts);
    struct dmarc_run_item item = {.day = l->day,
                                  .domain = l->domain,
                                  .destination = l->destination,
                                  .state = "late",
                                  .reason = reason,
                                  .file = ""};
    r->result->late += (uint64_t)l->mails;
    if (r->o->seen)
        r->o->seen(r->o->context, &item);
}

static enum status find_late(struct run *r)
{
    int64_t last = last_day_due(r), closed = last - DMARC_RUN_DAYS_BACK - 1;
    int64_t since = last - (r->o->seen ? DMARC_LATE_DAYS : DMARC_RUN_DAYS_BACK);
    return r->o->one_day ? dmarc_late_find(r->store, r->o->day, r->o->day, closed, late_seen, r)
                         : dmarc_late_find(r->store, since, last, closed, late_seen, r);
}

enum status dmarc_run(struct store *s, const struct ledger_config *c, const struct dmarc_run_options *o,
                      struct dmarc_run_result *result)
{
    struct run r = {
        .store = s, .config = c, .o = o, .result = result, .list = arena_new(BOUND), .arena = arena_new(BOUND)};
    struct domain_day *first = NULL;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(r.me, sizeof r.me, "%s/%d", host, (int)getpid());
    enum status st = r.list && r.arena ? due(&r, &first) : STATUS_NOMEM;
    for (struct domain_day *d = first; d && st == STATUS_OK && !(o->stop && o->stop()); d = d->next) {
        st = serve_domain(&r, d);
        arena_reset(r.arena);
    }
    if (st == STATUS_OK)
        st = find_late(&r);
    arena_free(r.list);
    arena_free(r.arena);
    return st;
}
