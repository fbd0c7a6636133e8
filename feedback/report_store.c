// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_store.c - keeps reports of others in the ledger.
 *
 * Promises that a report is stored completely or not at all, and once: its sender's name, identifier, range and domain
 * are its key. On failure the store's error says what is wrong, and nothing has changed.
 */
#include "feedback/report_store.h"
#include "base/clock.h"
#include "ledger/timestamp.h"
#include <stdio.h>

static const char *kind_of(const struct report_in *r)
{
    return r->kind == REPORT_IN_DMARC ? "dmarc" : "tls";
}

/* What nobody has proved is no sender's, or a stranger could use up the day of another. */
static const char *sender_of(const struct report_in *r)
{
    return r->proof == REPORT_IN_PROVED && r->sender ? r->sender : "";
}

/* A repeat has the same sender (in any case), identifier and range. One with the same identifier and another range is
 * another report: its id then gets the range. */
static enum status find_same(struct store *s, const struct report_in *r, const char *domain,
                             struct report_store_about *about)
{
    int64_t same = 0, like = 0;
    snprintf(about->id, sizeof about->id, "%s (%lld-%lld)", r->id, (long long)r->begin, (long long)r->end);
    enum status st =
        store_ask_number(s, 0, &same,
                         "SELECT count(*) FROM report_in WHERE kind = $1 AND lower(org) = lower($2) AND "
                         "(report_id = $3 OR report_id = $4) AND domain = $5 AND begins = $6 AND ends = $7",
                         "tttttii", kind_of(r), r->org, r->id, about->id, domain, r->begin, r->end);
    if (st == STATUS_OK)
        st = store_ask_number(
            s, 0, &like,
            "SELECT count(*) FROM report_in WHERE kind = $1 AND org = $2 AND report_id = $3 AND domain = $4", "tttt",
            kind_of(r), r->org, r->id, domain);
    about->fresh = same == 0;
    if (!like)
        snprintf(about->id, sizeof about->id, "%s", r->id);
    return st;
}

/* Whether its sender's day has room for it. */
static enum status find_room(struct store *s, const struct report_in *r, bool *room)
{
    int64_t today = timestamp_day(clock_wall_us()) * TIMESTAMP_DAY;
    struct store_rows *q =
        store_ask(s,
                  "SELECT count(*), CAST(sum(octets) AS BIGINT) FROM report_in WHERE sender = $1 AND "
                  "taken >= $2 AND authenticated = $3",
                  "tii", sender_of(r), today, (int64_t)r->proof);
    *room = store_next(q) && store_number(q, 0) < REPORT_STORE_DAY_REPORTS &&
            store_number(q, 1) + (int64_t)r->octets <= REPORT_STORE_DAY_OCTETS;
    return store_done(q);
}

/* One domain's head. octets: they count once for a sender's day. */
static enum status write_head(struct store *s, const struct report_in *r, const char *domain, const char *file,
                              struct report_store_about *about, size_t octets)
{
    bool room = true;
    enum status st = find_same(s, r, domain, about);
    if (st == STATUS_OK && about->fresh && r->by_mail)
        st = find_room(s, r, &room);
    if (st != STATUS_OK || !room || !about->fresh)
        return st == STATUS_OK && !room ? STATUS_LIMIT : st;
    return store_run(
        s, &(int64_t){0},
        "INSERT INTO report_in (kind, org, report_id, domain, begins, ends, policy, file, taken, ours, partial, "
        "authenticated, sender, octets) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) ON CONFLICT (kind, "
        "org, report_id, domain) DO NOTHING",
        "ttttiittiititi", kind_of(r), r->org, about->id, domain, r->begin, r->end, r->policy, file, clock_wall_us(),
        (int64_t)about->ours, r->partial ? r->partial : "", (int64_t)r->proof, sender_of(r), (int64_t)octets);
}

enum status report_store_begin(struct store *s, const struct report_in *r, const char *file,
                               struct report_store_about *about)
{
    enum status st = store_begin(s);
    for (size_t i = 0; st == STATUS_OK && i < r->domain_count; i++) {
        about[i].rows = 0;
        about[i].count = 0;
        st = write_head(s, r, r->domains[i], file, &about[i], i ? 0 : r->octets);
    }
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}

enum status report_store_row(struct store *s, const struct report_in *r, struct report_store_about *about,
                             const struct report_in_row *w)
{
    struct report_store_about *to = &about[w->about];
    int64_t row = (int64_t)to->rows++;
    to->count += w->count; /* REPORT_IN_ROWS times REPORT_COUNT_MAX fits */
    if (!to->fresh)
        return STATUS_OK;
    return store_run(s, NULL,
                     "INSERT INTO report_in_row (kind, org, report_id, domain, row, source, result, dkim, spf, "
                     "header_from, detail, count) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
                     "ttttitttttti", kind_of(r), r->org, to->id, r->domains[w->about], row, w->source, w->result,
                     w->dkim, w->spf, w->header_from, w->detail, w->count);
}
