// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_run.c - sends the day's DMARC reports.
 *
 * Promises: a report is sent only by the one whose claim changed the store's row; it is sent at least once where the
 * destination takes it and wants it, and under the same names each time; nothing is sent before its day is over and
 * report.delay has passed. Consent is checked again for each report (removing the record ends them). When our own way
 * of sending fails, no destination is blamed, and after OWN_FAULTS failures in a row the run ends: what is left stays
 * due. Failure of the store ends the run with STATUS_AGAIN; of one destination, only that one.
 */
#include "base/rootfile.h"
#include "base/words.h"
#include "feedback/dmarc_run.h"
#include "base/clock.h"
#include "dns/dns_unbound.h"
#include "feedback/dmarc_claim.h"
#include "feedback/dmarc_late.h"
#include "feedback/dmarc_post.h"
#include "feedback/dmarc_reach.h"
#include "feedback/dmarc_report.h"
#include "feedback/dmarc_rua.h"
#include "ledger/ingest.h"
#include "ledger/store_convert.h"
#include "ledger/timestamp.h"
#include "ledger/value.h"
#include "policy/policy_settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOUND ((size_t)1 << 30)
#define OWN_FAULTS 3        /* in a row: then our own way of sending is broken, and the rest waits */
#define TURNS_DAYS 30       /* looked back at for whose turn it is */
#define POLICIES_OF_A_DAY 8 /* of one domain that get a report each; the rows of more are not reported */

struct domain_day {
    struct domain_day *next;
    int64_t day;
    const char *domain, *published, *rua;
    bool fresh; /* nothing was decided about it yet */
};

struct run {
    struct store *store;
    const struct ledger_config *config;
    const struct dmarc_run_options *o;
    struct dmarc_run_result *result;
    struct arena *list;  /* of the run */
    struct arena *arena; /* of one domain */
    char me[300];
    int own_faults; /* in a row */
    int64_t ceiling_day, ceiling, gone_out;
};

/* A domain's day: one report for each policy that was applied, the last one first. */
struct load {
    struct dmarc_report reports[POLICIES_OF_A_DAY];
    size_t report_count, rows;
    int64_t mails;
    bool all_refused;
};

struct target {
    struct run *run;
    const struct domain_day *at;
    struct dmarc_claim claim; /* its destination is as the owner wrote it */
    const char *address;      /* where it goes */
    const struct load *load;
    struct dns_scope *scope;
    const char *org;
    struct dmarc_run_item item;
    bool served; /* it took a place of DMARC_RUA_MAX */
};

/* ---- what is due ---- */

static int64_t last_day_due(const struct run *r)
{
    return timestamp_day(clock_wall_us() - r->config->delay * TIMESTAMP_SECOND) - 1;
}

/* By day; of a day those first that have waited longest for a report, so that report.per-host and the ceiling leave out
 * others each day. Unless all are asked for, only what is not settled. */
static enum status due(struct run *r, struct domain_day **first)
{
    int64_t last = last_day_due(r), begin = last - DMARC_RUN_DAYS_BACK;
    if (r->o->one_day)
        begin = last = r->o->day;
    else if (r->o->resend)
        begin = last - DMARC_RUN_RESEND_DAYS;
    struct domain_day **tail = first;
    struct store_rows *rows = store_ask(
        r->store,
        "SELECT d.day, d.domain, d.published, d.rua, COALESCE(t.n, 0) FROM dmarc_domain d LEFT JOIN (SELECT day, "
        "domain, count(*) AS n, sum(CASE WHEN state IN ('new', 'retry', 'sending', 'asked') THEN 1 ELSE 0 END) AS open "
        "FROM report_out WHERE day >= $1 AND day <= $2 GROUP BY day, domain) t ON t.day = d.day AND t.domain = "
        "d.domain LEFT JOIN (SELECT domain, max(day) AS day FROM report_out WHERE state = 'sent' AND day >= $3 AND day "
        "<= $2 GROUP BY domain) l ON l.domain = d.domain WHERE d.day >= $1 AND d.day <= $2 AND ($4 = 'all' OR t.n IS "
        "NULL OR t.open > 0) ORDER BY d.day, COALESCE(l.day, 0), d.domain",
        "iiit", begin, last, begin - TURNS_DAYS, r->o->dry_run || r->o->to_dir ? "all" : "open");
    while (store_next(rows)) {
        struct domain_day *d = ARENA_NEW(r->list, struct domain_day);
        if (!d)
            break;
        d->day = store_number(rows, 0);
        d->domain = arena_strdup(r->list, store_text(rows, 1));
        d->published = arena_strdup(r->list, store_text(rows, 2));
        d->rua = arena_strdup(r->list, store_text(rows, 3));
        d->fresh = store_number(rows, 4) == 0;
        *tail = d;
        tail = &d->next;
    }
    enum status st = store_done(rows);
    return st == STATUS_OK && arena_failed(r->list) ? STATUS_NOMEM : st;
}

/* ---- the rows of a domain's day ---- */

/* The report that a row belongs to; NULL: of too many policies. */
static struct dmarc_report *report_of(struct run *r, struct load *l, const char *mark)
{
    for (size_t i = 0; i < l->report_count; i++)
        if (strcmp(l->reports[i].mark, mark) == 0)
            return &l->reports[i];
    if (l->report_count == POLICIES_OF_A_DAY)
        return NULL;
    struct dmarc_report *fresh = &l->reports[l->report_count++];
    *fresh = l->reports[0];
    fresh->mark = arena_strdup(r->arena, mark);
    fresh->row_count = 0;
    fresh->mails = fresh->rows_left_out = 0;
    fresh->published = NULL;
    return fresh;
}

static enum status read_policies(struct run *r, const struct domain_day *d, struct load *l)
{
    struct store_rows *q = store_ask(
        r->store, "SELECT mark, published FROM dmarc_policy WHERE day = $1 AND domain = $2", "it", d->day, d->domain);
    while (store_next(q))
        for (size_t i = 1; i < l->report_count; i++)
            if (strcmp(l->reports[i].mark, store_text(q, 0)) == 0)
                l->reports[i].published = arena_strdup(r->arena, store_text(q, 1));
    enum status st = store_done(q);
    for (size_t i = 1; i < l->report_count; i++)
        if (!l->reports[i].published)
            l->reports[i].published = d->published;
    return st;
}

/* The rows, each to its report, in their order. */
static enum status share_rows(struct run *r, struct load *l, const struct dmarc_row *all,
                              struct dmarc_report *const *to, size_t n)
{
    for (size_t i = 0; i < l->report_count; i++) {
        struct dmarc_report *report = &l->reports[i];
        report->rows = all;
        if (report->row_count == n)
            continue; /* all of them */
        struct dmarc_row *rows = ARENA_ARRAY(r->arena, struct dmarc_row, report->row_count + 1);
        size_t put = 0;
        if (!rows)
            return STATUS_NOMEM;
        for (size_t k = 0; k < n; k++)
            if (to[k] == report)
                rows[put++] = all[k];
        report->rows = rows;
    }
    return STATUS_OK;
}

static enum status read_rows(struct run *r, const struct domain_day *d, struct load *l, size_t room)
{
    char last[INGEST_MARK];
    size_t n = 0;
    struct dmarc_row *all = ARENA_ARRAY(r->arena, struct dmarc_row, room);
    struct dmarc_report **to = ARENA_ARRAY(r->arena, struct dmarc_report *, room);
    if (!all || !to)
        return STATUS_NOMEM;
    ingest_policy_mark(d->published, last);
    l->all_refused = true;
    struct store_rows *q = store_ask(
        r->store,
        "SELECT " DMARC_ROW_NAMES
        ", count FROM dmarc_row WHERE day = $1 AND domain = $2 ORDER BY count DESC, " DMARC_ROW_NAMES " LIMIT $3",
        "iti", d->day, d->domain, (int64_t)room);
    while (n < room && store_next(q) && dmarc_row_read(q, 0, r->arena, n ? &all[n - 1] : NULL, &all[n])) {
        const char *const *column = all[n].column;
        const char *mark = strcmp(column[DMARC_ROW_MARK], last) == 0 ? "" : column[DMARC_ROW_MARK];
        struct dmarc_report *report = to[n] = report_of(r, l, mark);
        l->mails += all[n].count;
        l->all_refused = l->all_refused && strcmp(column[DMARC_ROW_DISPOSITION], "reject") == 0;
        if (report) {
            report->row_count++;
            report->mails += all[n].count;
        }
        n++;
    }
    l->rows = n;
    enum status st = store_done(q);
    if (st == STATUS_OK && arena_failed(r->arena))
        st = STATUS_NOMEM;
    return st == STATUS_OK ? share_rows(r, l, all, to, n) : st;
}

static enum status load_rows(struct run *r, const struct domain_day *d, struct load *l)
{
    int64_t n = 0, mails = 0;
    l->reports[0] = (struct dmarc_report){.day = d->day,
                                          .domain = d->domain,
                                          .published = d->published,
                                          .mark = "",
                                          .from = r->config->from,
                                          .org = r->config->org,
                                          .contact = r->config->contact,
                                          .extra = r->config->extra};
    l->report_count = 1;
    enum status st = store_ask_number(r->store, 0, &n, "SELECT count(*) FROM dmarc_row WHERE day = $1 AND domain = $2",
                                      "it", d->day, d->domain);
    if (st == STATUS_OK && n > DMARC_REPORT_ROWS) /* else they are counted as they are read: of one moment */
        st = store_ask_number(r->store, 0, &mails,
                              "SELECT CAST(sum(count) AS BIGINT) FROM dmarc_row WHERE day = $1 AND domain = $2", "it",
                              d->day, d->domain);
    if (st != STATUS_OK || n == 0)
        return st;
    st = read_rows(r, d, l, n < DMARC_REPORT_ROWS ? (size_t)n : DMARC_REPORT_ROWS);
    if (st == STATUS_OK && l->report_count > 1)
        st = read_policies(r, d, l);
    l->reports[0].rows_left_out = n > (int64_t)l->rows ? n - (int64_t)l->rows : 0;
    l->mails = mails ? mails : l->mails;
    return st;
}

/* ---- one destination ---- */

static void target_notify(struct target *t, const char *state, const char *reason)
{
    struct run *r = t->run;
    t->item.day = t->at->day;
    t->item.domain = t->at->domain;
    t->item.destination = t->address;
    t->item.state = state;
    t->item.reason = reason;
    r->result->sent += strcmp(state, "sent") == 0 || strcmp(state, "written") == 0;
    r->result->failed += strcmp(state, "retry") == 0 || strcmp(state, "dead") == 0 || strcmp(state, "refused") == 0;
    r->result->suppressed += strcmp(state, "suppressed") == 0 || strcmp(state, "unwanted") == 0;
    if (r->o->seen)
        r->o->seen(r->o->context, &t->item);
}

static enum status target_settle(struct target *t, const char *state, const char *reason, bool own_fault)
{
    const struct dmarc_claim_end end = {.state = state,
                                        .reason = reason,
                                        .own_fault = own_fault,
                                        .rows = (int64_t)t->item.rows,
                                        .octets = (int64_t)t->item.octets,
                                        .mails = t->load->mails};
    enum status st = dmarc_claim_settle(&t->claim, &end, &state);
    if (st == STATUS_OK)
        target_notify(t, state, reason);
    return st;
}

static enum status write_file(struct target *t, const struct dmarc_report *report, struct slice gzip, char *why)
{
    char file[DMARC_NAME_MAX], path[4096];
    dmarc_report_file(report, file);
    snprintf(path, sizeof path, "%s/%s", t->run->o->to_dir, file);
    const struct rootfile_rights rights = {.mode = 0644, .uid = ROOTFILE_NOBODY, .gid = (gid_t)-1};
    bool ok = rootfile_write(path, gzip, &rights) == STATUS_OK;
    snprintf(why, DMARC_POST_WHY, "%s", ok ? "" : strerror(errno));
    return ok ? STATUS_OK : STATUS_AGAIN;
}

/* Makes one report and hands it over; why gets words for the log. */
static enum status deliver_one(struct target *t, const struct dmarc_report *report, char *why)
{
    struct run *r = t->run;
    struct buf gzip = BUF_INIT, mail = BUF_INIT;
    size_t rows = 0;
    bool old = policy_set_has(r->config->policy, SETTING_REPORT_RFC7489_TO, strrchr(t->address, '@') + 1);
    enum status st =
        dmarc_report_gzip(report, old ? DMARC_RFC7489 : DMARC_RFC9990, (size_t)r->config->size_max, &gzip, &rows);
    t->item.octets += gzip.n;
    t->item.rows += rows;
    snprintf(why, DMARC_POST_WHY, "%s", st == STATUS_OK ? "" : "the report could not be made");
    if (st == STATUS_OK && r->o->to_dir) {
        st = write_file(t, report, buf_slice(&gzip), why);
    } else if (st == STATUS_OK) {
        st = dmarc_report_mail(report, t->address, buf_slice(&gzip), &mail);
        if (st == STATUS_OK)
            st = dmarc_post(r->config, t->address, buf_slice(&mail), r->o->stop, why);
    }
    buf_release(&gzip);
    buf_release(&mail);
    return st;
}

static enum status deliver(struct target *t, char *why)
{
    enum status st = STATUS_OK;
    t->item.octets = t->item.rows = 0;
    why[0] = '\0';
    for (size_t i = 0; i < t->load->report_count && st == STATUS_OK; i++)
        if (t->load->reports[i].row_count)
            st = deliver_one(t, &t->load->reports[i], why);
    return st;
}

/* Without a claim: what would be done; or the report, into a folder. */
static enum status try_only(struct target *t, enum dmarc_rua_wanted wanted, const char *why)
{
    char text[DMARC_POST_WHY];
    const char *state = NULL, *reason = NULL;
    enum status st = t->run->o->dry_run ? dmarc_claim_look(&t->claim, t->run->arena, &state, &reason) : STATUS_OK;
    t->item.rows = t->load->rows;
    if (st != STATUS_OK)
        return st;
    if (state && strcmp(state, "sent") == 0)
        target_notify(t, "was sent", reason ? reason : "");
    else if (state && !strstr("new retry sending", state))
        target_notify(t, state, reason ? reason : "");
    else if (wanted != DMARC_WANTED)
        target_notify(t, wanted == DMARC_UNWANTED ? "unwanted" : "ask later", why);
    else if (t->run->o->dry_run)
        target_notify(t, "would send", why);
    else
        target_notify(t, deliver(t, text) == STATUS_OK ? "written" : "retry", text[0] ? text : why);
    return STATUS_OK;
}

static enum status hand_over(struct target *t)
{
    struct run *r = t->run;
    char text[DMARC_POST_WHY];
    enum status sent = deliver(t, text);
    bool own_fault = sent != STATUS_OK && sent != STATUS_MISSING && sent != STATUS_LIMIT;
    r->own_faults = own_fault ? r->own_faults + 1 : 0;
    r->gone_out++;
    if (own_fault)
        snprintf(r->result->own_fault, sizeof r->result->own_fault, "%s", text);
    return target_settle(t, sent == STATUS_OK ? "sent" : sent == STATUS_MISSING ? "refused" : "retry", text, own_fault);
}

static enum status target_serve(struct target *t)
{
    struct run *r = t->run;
    const char *why = NULL, *alone = NULL, *host = strrchr(t->address, '@') + 1;
    char room[200];
    bool ours = true, only_try = r->o->dry_run || r->o->to_dir;
    enum status st = only_try ? STATUS_OK : dmarc_claim_take(&t->claim, &ours);
    if (st != STATUS_OK || !ours)
        return st;
    enum dmarc_rua_wanted wanted = DMARC_UNWANTED;
    if (policy_set_has(r->config->policy, SETTING_REPORT_NEVER_TO, host))
        why = "report.never-to names the destination";
    else
        wanted = dmarc_rua_check(t->scope, r->arena, t->at->domain, t->org, &t->address, &why);
    why = why ? why : "";
    t->served = wanted != DMARC_UNWANTED;
    if (only_try)
        return try_only(t, wanted, why);
    st = dmarc_claim_left_alone(&t->claim, t->address, r->config->per_host, r->o->resend, room, &alone);
    if (st != STATUS_OK)
        return st;
    if (wanted == DMARC_ASK_LATER)
        return target_settle(t, "retry", why, false);
    if (wanted == DMARC_UNWANTED || alone)
        return target_settle(t, "suppressed", alone && wanted != DMARC_UNWANTED ? alone : why, false);
    return hand_over(t);
}

/* ---- one domain ---- */

static struct target target_of(struct run *r, const struct domain_day *d, const struct load *l, const char *address)
{
    char id[DMARC_NAME_MAX], file[DMARC_NAME_MAX];
    dmarc_report_id(&l->reports[0], id);
    dmarc_report_file(&l->reports[0], file);
    struct target t = {
        .run = r, .at = d, .load = l, .address = address, .item = {.file = arena_strdup(r->arena, file)}};
    t.claim = (struct dmarc_claim){.store = r->store,
                                   .me = r->me,
                                   .day = d->day,
                                   .domain = d->domain,
                                   .destination = address,
                                   .report_id = arena_strdup(r->arena, id)};
    return t;
}

/* Whether it may go out at all, by report.to and the ceiling. */
static enum status may_go(struct run *r, const struct domain_day *d, const struct load *l, bool asked, bool *goes,
                          char *why)
{
    enum status st = STATUS_OK;
    if (r->ceiling_day != d->day) {
        r->ceiling_day = d->day;
        st = dmarc_reach_ceiling(r->store, r->config, d->day, &r->ceiling);
        if (st == STATUS_OK)
            st = dmarc_claim_count(r->store, d->day, &r->gone_out);
    }
    if (st == STATUS_OK)
        st = dmarc_reach(r->store, r->config, d->day, d->domain, l->all_refused, asked, goes, why);
    if (st == STATUS_OK && *goes && !asked && !r->o->to_dir && r->gone_out >= r->ceiling) {
        *goes = false;
        snprintf(why, DMARC_REACH_WHY, "as many reports as may be for a day went out: %lld (report.ceiling)",
                 (long long)r->ceiling);
    }
    return st;
}

static enum status leave_out(struct run *r, const struct domain_day *d, const struct load *l, const char *first,
                             const char *why)
{
    struct target t = target_of(r, d, l, "");
    t.item.rows = l->rows;
    r->result->left_out++;
    enum status st = r->o->dry_run || r->o->to_dir ? STATUS_OK : dmarc_claim_leave_out(&t.claim, why, l->mails);
    t.address = first;
    if (st == STATUS_OK)
        target_notify(&t, "left out", why);
    return st;
}

/* Rows for all destinations at once: what was not served when a run ends is served by the next. */
static enum status open_claims(struct run *r, const struct domain_day *d, const struct load *l,
                               const struct dmarc_rua *rua)
{
    enum status st = store_begin(r->store);
    for (size_t i = 0; i < rua->count && st == STATUS_OK; i++) {
        struct target t = target_of(r, d, l, rua->address[i]);
        st = dmarc_claim_open(&t.claim);
    }
    if (st == STATUS_OK)
        st = store_commit(r->store);
    if (st != STATUS_OK)
        store_rollback(r->store);
    return st;
}

static bool is_stopped(const struct run *r)
{
    return r->o->stop && r->o->stop();
}

static enum status serve_all(struct run *r, const struct domain_day *d, const struct load *l,
                             const struct dmarc_rua *rua, const char *org)
{
    const bool only_try = r->o->dry_run || r->o->to_dir;
    struct dns_scope *scope =
        r->o->dns ? dns_scope_new(r->o->dns, r->arena, &(struct dns_budget){.lookups = DMARC_RUA_READ}) : NULL;
    enum status st = scope ? STATUS_OK : STATUS_NOMEM;
    int served = 0;
    if (st == STATUS_OK && !only_try)
        st = open_claims(r, d, l, rua);
    for (size_t i = 0; i < rua->count && st == STATUS_OK && r->own_faults < OWN_FAULTS && !is_stopped(r); i++) {
        struct target t = target_of(r, d, l, rua->address[i]);
        t.scope = scope;
        t.org = org;
        if (served == DMARC_RUA_MAX) {
            st =
                only_try ? STATUS_OK : target_settle(&t, "suppressed", "five destinations of the domain get it", false);
            continue;
        }
        st = target_serve(&t);
        served += t.served;
    }
    dns_scope_free(scope);
    return st;
}

static enum status serve_domain(struct run *r, const struct domain_day *d)
{
    char why[DMARC_REACH_WHY];
    struct load l = {.report_count = 0};
    struct dmarc_rua rua;
    const char *state = NULL, *reason;
    bool goes = true;
    enum status st = dmarc_rua_parse(r->arena, slice_str(d->rua), &rua);
    if (st == STATUS_OK && rua.count)
        st = load_rows(r, d, &l);
    if (st != STATUS_OK || l.rows == 0)
        return st;
    struct value *published = value_parse(slice_str(d->published), NULL);
    const char *org = value_text(published, "org");
    struct target whole = target_of(r, d, &l, "");
    dmarc_rua_own_first(&rua, d->domain, org);
    if (!d->fresh)
        st = dmarc_claim_look(&whole.claim, r->arena, &state, &reason);
    bool asked = state && strcmp(state, "asked") == 0;
    if (st == STATUS_OK && (d->fresh || asked || r->o->dry_run || r->o->to_dir))
        st = may_go(r, d, &l, asked || r->o->resend, &goes, why);
    if (st == STATUS_OK && !goes)
        st = leave_out(r, d, &l, rua.address[0], why);
    else if (st == STATUS_OK)
        st = serve_all(r, d, &l, &rua, org);
    if (st == STATUS_OK && asked && goes && r->own_faults < OWN_FAULTS && !is_stopped(r))
        st = dmarc_claim_answered(&whole.claim);
    value_free(published);
    return st;
}

struct dns *dmarc_run_dns(const struct policy *p, char **error)
{
    const char *anchor = dns_anchor_or_system(policy_set_text(p, SETTING_DNS_ANCHOR));
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
    snprintf(reason, sizeof reason, "%lld mail%s %s%s%.800s", (long long)l->mails, words_s(l->mails), l->why,
             l->hosts[0] ? ": " : "", l->hosts);
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
    int64_t last = last_day_due(r), closed = last - DMARC_RUN_DAYS_BACK - 1, since = last - DMARC_LATE_DAYS;
    return r->o->one_day ? dmarc_late_find(r->store, r->o->day, r->o->day, closed, late_seen, r)
                         : dmarc_late_find(r->store, since, last, closed, late_seen, r);
}

enum status dmarc_run(struct store *s, const struct ledger_config *c, const struct dmarc_run_options *o,
                      struct dmarc_run_result *result)
{
    struct run r = {.store = s,
                    .config = c,
                    .o = o,
                    .result = result,
                    .list = arena_new(BOUND),
                    .arena = arena_new(BOUND),
                    .ceiling_day = INT64_MIN};
    struct domain_day *first = NULL;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(r.me, sizeof r.me, "%s/%d", host, (int)getpid());
    bool whole = false;
    enum status st = r.list && r.arena ? store_converted(s, &whole) : STATUS_NOMEM;
    if (st == STATUS_OK && !whole)
        st = STATUS_AGAIN;
    if (st == STATUS_OK && o->resend && !o->dry_run)
        st = dmarc_claim_again(s, last_day_due(&r) - DMARC_RUN_RESEND_DAYS, o->one_day ? o->day : 0, o->domain);
    if (st == STATUS_OK)
        st = due(&r, &first);
    for (struct domain_day *d = first; d && st == STATUS_OK && r.own_faults < OWN_FAULTS && !is_stopped(&r);
         d = d->next) {
        if (!o->domain || strcmp(o->domain, d->domain) == 0)
            st = serve_domain(&r, d);
        arena_reset(r.arena);
    }
    if (st == STATUS_OK && !is_stopped(&r))
        st = find_late(&r);
    arena_free(r.list);
    arena_free(r.arena);
    return st;
}
