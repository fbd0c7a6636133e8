// SPDX-License-Identifier: BSD-2-Clause
/*
 * dmarc_claim.c - claims on reports, in the store.
 *
 * Promises that of several ledgers one sends a report: the one whose statement changed the row. A claim whose ledger
 * died ends after DMARC_RUN_CLAIM_SECONDS. On failure of the store nothing has changed.
 */
#include "feedback/dmarc_claim.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "feedback/dmarc_run.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE (15 * 60)
#define REFUSED_DAYS 30 /* an address that there is none of is left alone so long */

enum status dmarc_claim_open(const struct dmarc_claim *c)
{
    return store_run(
        c->store, &(int64_t){0},
        "INSERT INTO report_out (day, domain, destination, report_id, state, tries, next_try, reason, rows, octets, "
        "claimed_by, changed) VALUES ($1,$2,$3,$4,'new',0,0,'',0,0,'',$5) ON CONFLICT (day, domain, destination) DO "
        "NOTHING",
        "ittti", c->day, c->domain, c->destination, c->report_id, clock_wall());
}

enum status dmarc_claim_look(const struct dmarc_claim *c, struct arena *a, const char **state, const char **reason)
{
    struct store_rows *q =
        store_ask(c->store, "SELECT state, reason FROM report_out WHERE day = $1 AND domain = $2 AND destination = $3",
                  "itt", c->day, c->domain, c->destination);
    *state = *reason = NULL;
    if (store_next(q)) {
        *state = arena_strdup(a, store_text(q, 0));
        *reason = arena_strdup(a, store_text(q, 1));
    }
    return store_done(q);
}

enum status dmarc_claim_take(const struct dmarc_claim *c, bool *ours)
{
    int64_t now = clock_wall(), changed = 0;
    enum status st = store_run(
        c->store, &changed,
        "UPDATE report_out SET state = 'sending', claimed_by = $1, changed = $2, tries = tries + 1 WHERE day = $3 AND "
        "domain = $4 AND destination = $5 AND ((state IN ('new', 'retry') AND next_try <= $6) OR (state = 'sending' "
        "AND changed < $7))",
        "tiittii", c->me, now, c->day, c->domain, c->destination, now, now - DMARC_RUN_CLAIM_SECONDS);
    *ours = st == STATUS_OK && changed == 1;
    return st;
}

enum status dmarc_claim_settle(const struct dmarc_claim *c, const struct dmarc_claim_end *e, const char **state)
{
    int64_t tries = 0, now = clock_wall();
    enum status st = store_ask_number(c->store, 0, &tries,
                                      "SELECT tries FROM report_out WHERE day = $1 AND domain = $2 AND destination = "
                                      "$3",
                                      "itt", c->day, c->domain, c->destination);
    if (st != STATUS_OK)
        return st;
    tries -= e->own_fault && tries > 0;
    *state = strcmp(e->state, "retry") == 0 && tries >= DMARC_RUN_TRIES ? "dead" : e->state;
    int64_t next = now + ((int64_t)FIRST_PAUSE << (tries > 0 && tries < 16 ? tries - 1 : 0));
    return store_run(
        c->store, &(int64_t){0},
        "UPDATE report_out SET state = $1, reason = $2, rows = $3, octets = $4, next_try = $5, changed = $6, mails = "
        "$7, tries = $8 WHERE day = $9 AND domain = $10 AND destination = $11",
        "ttiiiiiiitt", *state, e->reason, e->rows, e->octets, next, now, e->mails, tries, c->day, c->domain,
        c->destination);
}

enum status dmarc_claim_leave_out(const struct dmarc_claim *c, const char *reason, int64_t mails)
{
    return store_run(
        c->store, &(int64_t){0},
        "INSERT INTO report_out (day, domain, destination, report_id, state, tries, next_try, reason, rows, octets, "
        "claimed_by, changed, mails) VALUES ($1,$2,'',$3,'left out',0,0,$4,0,0,'',$5,$6) ON CONFLICT (day, domain, "
        "destination) DO UPDATE SET state = 'left out', reason = excluded.reason, mails = excluded.mails",
        "itttii", c->day, c->domain, c->report_id, reason, clock_wall(), mails);
}

enum status dmarc_claim_left_alone(const struct dmarc_claim *c, const char *address, int64_t per_host, bool asked,
                                   char *room, const char **why)
{
    int64_t dead = 0, today = 0;
    const char *host = strrchr(address, '@');
    char like[LIMIT_DOMAIN + 4];
    *why = NULL;
    room[0] = '\0';
    struct store_rows *q = asked ? NULL
                                 : store_ask(c->store,
                                             "SELECT day, reason FROM report_out WHERE destination = $1 AND state = "
                                             "'refused' AND day >= $2 ORDER BY day DESC LIMIT 1",
                                             "ti", c->destination, c->day - REFUSED_DAYS);
    if (store_next(q)) {
        char day[TIMESTAMP_TEXT];
        snprintf(room, 200, "its address was refused for the report of %s: %.140s",
                 timestamp_day_text(store_number(q, 0), day), store_text(q, 1));
        *why = room;
    }
    enum status st = asked ? STATUS_OK : store_done(q);
    if (st == STATUS_OK && !asked)
        st = store_ask_number(c->store, 0, &dead,
                              "SELECT count(DISTINCT day) FROM report_out WHERE destination = $1 AND state = 'dead' "
                              "AND day >= $2",
                              "ti", c->destination, c->day - 7);
    if (st == STATUS_OK && dead >= DMARC_RUN_DEAD_DAYS)
        *why = "it took no report on three days of the last week";
    snprintf(like, sizeof like, "%%%s", host ? host : "@");
    if (st == STATUS_OK)
        st = store_ask_number(c->store, 0, &today,
                              "SELECT count(*) FROM report_out WHERE day = $1 AND destination LIKE $2 AND state = "
                              "'sent'",
                              "it", c->day, like);
    if (st == STATUS_OK && today >= per_host)
        *why = "as many reports as report.per-host allows went to this host for the day";
    return st;
}

enum status dmarc_claim_bounced(struct store *s, const char *report_id, const char *address, const char *code,
                                bool *noted)
{
    char reason[64], whole_day[LIMIT_DOMAIN * 2 + 64];
    int64_t changed = 0;
    const char *at = strrchr(report_id, '@'), *dot = at;
    while (dot && dot > report_id && *dot != '.')
        dot--;
    snprintf(reason, sizeof reason, "bounced: %.16s", code);
    snprintf(whole_day, sizeof whole_day, "%.*s%s", at ? (int)(dot - report_id) : 0, report_id, at ? at : "");
    enum status st = store_run(s, &changed,
                               "UPDATE report_out SET state = 'refused', reason = $1, changed = $2 WHERE report_id IN "
                               "($3, $4) AND lower(destination) = lower($5) AND state = 'sent'",
                               "tittt", reason, clock_wall(), report_id, whole_day, address);
    *noted = st == STATUS_OK && changed > 0;
    return st;
}

enum status dmarc_claim_count(struct store *s, int64_t day, int64_t *count)
{
    return store_ask_number(s, 0, count,
                            "SELECT count(*) FROM report_out WHERE day = $1 AND state IN ('sent', 'sending', 'retry', "
                            "'dead', 'refused')",
                            "i", day);
}

enum status dmarc_claim_answered(const struct dmarc_claim *c)
{
    return store_run(c->store, &(int64_t){0},
                     "UPDATE report_out SET state = 'answered' WHERE day = $1 AND domain = $2 AND destination = '' AND "
                     "state = 'asked'",
                     "it", c->day, c->domain);
}

enum status dmarc_claim_again(struct store *s, int64_t since, int64_t day, const char *domain)
{
    enum status st = store_begin(s);
    if (st == STATUS_OK)
        st = store_run(
            s, &(int64_t){0},
            "UPDATE report_out SET state = 'new', tries = 0, next_try = 0 WHERE day >= $1 AND (CAST($2 AS BIGINT) = 0 "
            "OR "
            "day = CAST($2 AS BIGINT)) AND ($3 = '' OR domain = $3) AND destination <> '' AND state IN ('suppressed', "
            "'dead', 'refused', 'retry')",
            "iit", since, day, domain ? domain : "");
    if (st == STATUS_OK)
        st = store_run(s, &(int64_t){0},
                       "UPDATE report_out SET state = 'asked' WHERE day >= $1 AND (CAST($2 AS BIGINT) = 0 OR day = "
                       "CAST($2 AS BIGINT)) AND ($3 = '' "
                       "OR domain = $3) AND state = 'left out'",
                       "iit", since, day, domain ? domain : "");
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}
