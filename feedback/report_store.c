// SPDX-License-Identifier: BSD-2-Clause
/*
 * report_store.c - keeps reports of others in the ledger.
 *
 * Promises that a report is seen completely or not at all, and once: its sender's name, identifier, range and domain
 * are its key; and that no transaction has more than REPORT_STORE_STEP rows, or waits for the report's reader. The
 * heads are unfinished until all rows are there, and each step says that somebody is at it. On failure the store's
 * error says what is wrong.
 */
#include "feedback/report_store.h"
#include "base/arena.h"
#include "base/clock.h"
#include "ledger/timestamp.h"
#include <stdio.h>
#include <stdlib.h>

#define WAITING_MEMORY ((size_t)16 << 20) /* a row has at most some 7 KB */

struct report_store_rows {
    struct arena *arena;
    size_t count;
    struct report_in_row row[REPORT_STORE_STEP];
};

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
    enum status st = store_ask_number(
        s, 0, &same,
        "SELECT count(*) FROM report_in WHERE kind = $1 AND lower(org) = lower($2) AND "
        "(report_id = $3 OR report_id = $4) AND domain = $5 AND begins = $6 AND ends = $7 AND ours >= 0",
        "tttttii", kind_of(r), r->org, r->id, about->id, domain, r->begin, r->end);
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &like,
                              "SELECT count(*) FROM report_in WHERE kind = $1 AND org = $2 AND report_id = $3 AND "
                              "domain = $4 AND ours >= 0",
                              "tttt", kind_of(r), r->org, r->id, domain);
    about->fresh = same == 0;
    if (!like)
        snprintf(about->id, sizeof about->id, "%s", r->id);
    return st;
}

/* Whether the same report was begun and not finished; *left: whoever did it is gone. */
static enum status find_unfinished(struct store *s, const struct report_in *r, const char *domain, const char *id,
                                   bool *there, bool *left)
{
    int64_t taken = 0;
    enum status st = store_ask_number(s, -1, &taken,
                                      "SELECT taken FROM report_in WHERE kind = $1 AND org = $2 AND report_id = $3 AND "
                                      "domain = $4 AND ours < 0",
                                      "tttt", kind_of(r), r->org, id, domain);
    *there = taken >= 0;
    int64_t ago = clock_wall_us() - taken;
    *left = *there && (ago > REPORT_STORE_LEFT_SECONDS * INT64_C(1000000) || ago < -INT64_C(1000000));
    return st;
}

/* Removes an unfinished report's rows, a step at a time, and then its head. */
static enum status remove_unfinished(struct store *s, const struct report_in *r, const char *domain, const char *id)
{
    int64_t changed = 1;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && changed > 0) {
        int64_t began = clock_mono_ms();
        st = store_run(s, &changed,
                       "DELETE FROM report_in_row WHERE (kind, org, report_id, domain, row) IN (SELECT kind, org, "
                       "report_id, domain, row FROM report_in_row WHERE kind = $1 AND org = $2 AND report_id = $3 AND "
                       "domain = $4 AND EXISTS (SELECT 1 FROM report_in i WHERE i.kind = $1 AND i.org = $2 AND "
                       "i.report_id = $3 AND i.domain = $4 AND i.ours < 0) LIMIT $5)",
                       "tttti", kind_of(r), r->org, id, domain, (int64_t)REPORT_STORE_STEP);
        store_give_way(s, (clock_mono_ms() - began) * 1000);
    }
    return st != STATUS_OK ? st
                           : store_run(s, &changed,
                                       "DELETE FROM report_in WHERE kind = $1 AND org = $2 AND report_id = $3 AND "
                                       "domain = $4 AND ours < 0",
                                       "tttt", kind_of(r), r->org, id, domain);
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
    bool room = true, unfinished = false, left = false;
    enum status st = find_same(s, r, domain, about);
    if (st == STATUS_OK && about->fresh)
        st = find_unfinished(s, r, domain, about->id, &unfinished, &left);
    if (st == STATUS_OK && unfinished) {
        store_rollback(s);
        if (left)
            st = remove_unfinished(s, r, domain, about->id);
        store_note(s, "another program is reading this report: try again later");
        return st == STATUS_OK && left ? STATUS_MISSING : st == STATUS_OK ? STATUS_AGAIN : st;
    }
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
        (int64_t)REPORT_STORE_UNFINISHED, r->partial ? r->partial : "", (int64_t)r->proof, sender_of(r),
        (int64_t)octets);
}

static enum status write_heads(struct store *s, const struct report_in *r, const char *file,
                               struct report_store_about *about)
{
    enum status st = store_begin(s);
    for (size_t i = 0; st == STATUS_OK && i < r->domain_count; i++) {
        about[i].rows = 0;
        about[i].count = 0;
        st = write_head(s, r, r->domains[i], file, &about[i], i ? 0 : r->octets);
    }
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}

static void waiting_free(struct report_store_about *about)
{
    if (about[0].rows_waiting)
        arena_free(about[0].rows_waiting->arena);
    free(about[0].rows_waiting);
    about[0].rows_waiting = NULL;
}

static enum status no_memory(struct store *s)
{
    store_note(s, "out of memory");
    return STATUS_NOMEM;
}

enum status report_store_begin(struct store *s, const struct report_in *r, const char *file,
                               struct report_store_about *about)
{
    struct report_store_rows *waiting = calloc(1, sizeof *waiting);
    about[0].rows_waiting = waiting;
    if (!waiting || !(waiting->arena = arena_new(WAITING_MEMORY))) {
        waiting_free(about);
        return no_memory(s);
    }
    enum status st = STATUS_MISSING; /* one that somebody left was removed: from the beginning */
    for (size_t i = 0; i <= r->domain_count && st == STATUS_MISSING; i++)
        st = write_heads(s, r, file, about);
    if (st != STATUS_OK)
        waiting_free(about);
    return st == STATUS_MISSING ? STATUS_AGAIN : st;
}

/* For each head: finished, or somebody is still at it. */
static enum status mark_heads(struct store *s, const struct report_in *r, const struct report_store_about *about,
                              bool finished)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; i < r->domain_count && st == STATUS_OK; i++) {
        int64_t changed = 1;
        if (about[i].fresh)
            st = store_run(s, &changed,
                           "UPDATE report_in SET ours = $1, taken = $2 WHERE kind = $3 AND org = $4 AND report_id = $5 "
                           "AND domain = $6 AND ours < 0",
                           "iitttt", finished ? (int64_t)about[i].ours : REPORT_STORE_UNFINISHED, clock_wall_us(),
                           kind_of(r), r->org, about[i].id, r->domains[i]);
        if (st == STATUS_OK && !changed) {
            store_note(s, "another program has begun to read this report anew: try again later");
            st = STATUS_AGAIN;
        }
    }
    return st;
}

static enum status write_row(struct store *s, const struct report_in *r, const struct report_store_about *to,
                             const struct report_in_row *w, int64_t number)
{
    return store_run(s, NULL,
                     "INSERT INTO report_in_row (kind, org, report_id, domain, row, source, result, dkim, spf, "
                     "header_from, detail, count) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
                     "ttttitttttti", kind_of(r), r->org, to->id, r->domains[w->about], number, w->source, w->result,
                     w->dkim, w->spf, w->header_from, w->detail, w->count);
}

/* Writes the rows that wait; the last step finishes the heads with them. */
static enum status write_step(struct store *s, const struct report_in *r, struct report_store_about *about, bool last)
{
    struct report_store_rows *waiting = about[0].rows_waiting;
    int64_t began = clock_mono_ms();
    enum status st = store_begin(s);
    if (st == STATUS_OK)
        st = mark_heads(s, r, about, last);
    for (size_t i = 0; i < waiting->count && st == STATUS_OK; i++) {
        struct report_store_about *to = &about[waiting->row[i].about];
        st = write_row(s, r, to, &waiting->row[i], (int64_t)to->rows++);
    }
    if (st == STATUS_OK)
        st = store_commit(s);
    waiting->count = 0;
    arena_reset(waiting->arena);
    if (st == STATUS_OK && !last)
        store_give_way(s, (clock_mono_ms() - began) * 1000);
    return st;
}

static bool keep_row(struct report_store_rows *waiting, const struct report_in_row *w)
{
    struct report_in_row *to = &waiting->row[waiting->count++];
    *to = *w;
    to->source = arena_strdup(waiting->arena, w->source);
    to->result = arena_strdup(waiting->arena, w->result);
    to->dkim = arena_strdup(waiting->arena, w->dkim);
    to->spf = arena_strdup(waiting->arena, w->spf);
    to->header_from = arena_strdup(waiting->arena, w->header_from);
    to->detail = arena_strdup(waiting->arena, w->detail);
    return !arena_failed(waiting->arena);
}

enum status report_store_row(struct store *s, const struct report_in *r, struct report_store_about *about,
                             const struct report_in_row *w)
{
    struct report_store_rows *waiting = about[0].rows_waiting;
    about[w->about].count += w->count; /* REPORT_IN_ROWS times REPORT_COUNT_MAX fits */
    if (!about[w->about].fresh) {
        about[w->about].rows++;
        return STATUS_OK;
    }
    enum status st = waiting->count < REPORT_STORE_STEP ? STATUS_OK : write_step(s, r, about, false);
    if (st == STATUS_OK && !keep_row(waiting, w))
        st = no_memory(s);
    return st;
}

enum status report_store_end(struct store *s, const struct report_in *r, struct report_store_about *about)
{
    bool fresh = false;
    for (size_t i = 0; i < r->domain_count; i++)
        fresh = fresh || about[i].fresh;
    enum status st = fresh ? write_step(s, r, about, true) : STATUS_OK;
    if (st == STATUS_OK)
        waiting_free(about);
    return st;
}

void report_store_drop(struct store *s, const struct report_in *r, struct report_store_about *about)
{
    char kept[STORE_ERROR];
    snprintf(kept, sizeof kept, "%s", store_error(s));
    store_rollback(s);
    for (size_t i = 0; i < r->domain_count; i++)
        if (about[i].fresh && remove_unfinished(s, r, r->domains[i], about[i].id) != STATUS_OK)
            break;
    waiting_free(about);
    store_note(s, kept);
}
