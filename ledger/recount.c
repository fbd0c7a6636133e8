// SPDX-License-Identifier: BSD-2-Clause
/*
 * recount.c - rebuilds daily totals from records (recount.h).
 *
 * Promises: a day is replaced in one transaction, and only if what it holds differs from what its records give; a day
 * whose records are not all there is left. Records are read outside of the transaction where nothing came in meanwhile,
 * so that on SQLite others wait only while rows are replaced. On PostgreSQL the tables are locked against writers, in
 * the order in which ingest writes them. On failure the day is as it was.
 */
#include "ledger/recount.h"
#include "base/clock.h"
#include "ledger/ingest.h"
#include "ledger/store_lease.h"
#include "ledger/timestamp.h"

#define TRIES 3 /* the last one reads within the transaction */
#define TOTALS                                                                                                         \
    (AGGREGATE_BIT(AGGREGATE_STANDARD_DAY) | AGGREGATE_BIT(AGGREGATE_ORG_DAY) |                                        \
     AGGREGATE_BIT(AGGREGATE_ORG_MISS_DAY) | AGGREGATE_BIT(AGGREGATE_ORG_FAILED_DAY) |                                 \
     AGGREGATE_BIT(AGGREGATE_ORG_GROUP_DAY))

struct counting {
    struct store *store;
    const struct organisation_lists *lists;
    struct aggregate *totals, *sources;
    int64_t day, mails;
};

/* A table's rows of a day as one text each, and how they are deleted. */
static const struct {
    const char *rows, *drop;
    int columns;
} tables[] = {
    {"SELECT standard, result, security, count FROM standard_day WHERE day = $1 AND scope = 'mail'",
     "DELETE FROM standard_day WHERE day = $1 AND scope = 'mail'", 4},
    {"SELECT org, asked, mails, met, explained, untested FROM org_day WHERE day = $1",
     "DELETE FROM org_day WHERE day = $1", 6},
    {"SELECT org, standard, missed, explained, untested FROM org_miss_day WHERE day = $1",
     "DELETE FROM org_miss_day WHERE day = $1", 5},
    {"SELECT org, net, standard, count, strict FROM org_failed_day WHERE day = $1",
     "DELETE FROM org_failed_day WHERE day = $1", 5},
    {"SELECT name, org FROM org_group_day WHERE day = $1", NULL, 2},
};

#define TABLES (sizeof tables / sizeof *tables)

/* The sum of the rows' hashes: the same for the same rows in any order, since the databases sort text differently. */
static enum status add_digest(struct store_rows *r, int columns, uint64_t *sum)
{
    while (store_next(r)) {
        uint64_t h = 1469598103934665603u; /* FNV-1a */
        for (int i = 0; i < columns; i++) {
            for (const char *p = store_text(r, i); p && *p; p++)
                h = (h ^ (unsigned char)*p) * 1099511628211u;
            h = (h ^ 0x1f) * 1099511628211u;
        }
        *sum += h ^ (h >> 29);
    }
    return store_done(r);
}

static enum status digest_of_day(struct counting *k, uint64_t *sum)
{
    enum status st = STATUS_OK;
    *sum = 0;
    for (size_t i = 0; i < TABLES && st == STATUS_OK; i++) {
        *sum = *sum * 31 + i;
        st = add_digest(store_ask(k->store, tables[i].rows, "i", k->day), tables[i].columns, sum);
    }
    return st;
}

static enum status digest_of_sources(struct store *s, uint64_t *sum)
{
    *sum = 0;
    return add_digest(store_ask(s, "SELECT org, net, passed, first_seen, last_seen FROM org_source", ""), 5, sum);
}

/* *mails: of the day. *whole: each of them was counted when it came in, and has its record. */
static enum status day_read(struct counting *k, int64_t *mails, bool *whole)
{
    int64_t from = k->day * TIMESTAMP_DAY, to = from + TIMESTAMP_DAY, records = 0, verdicts = 0;
    enum status st =
        store_ask_number(k->store, 0, mails, "SELECT count(*) FROM mail WHERE t >= $1 AND t < $2", "ii", from, to);
    if (st == STATUS_OK)
        st = store_ask_number(k->store, 0, &records, "SELECT count(record) FROM mail WHERE t >= $1 AND t < $2", "ii",
                              from, to);
    if (st == STATUS_OK)
        st = store_ask_number(k->store, 0, &verdicts,
                              "SELECT sum(count) FROM verdict_hour WHERE hour >= $1 AND hour < $2", "ii", k->day * 24,
                              k->day * 24 + 24);
    *whole = *mails == records && *mails == verdicts;
    return st;
}

/* *whole is false where a record cannot be read. */
static enum status count_records(struct counting *k, bool *whole)
{
    int64_t members = 0, from = k->day * TIMESTAMP_DAY;
    enum status st =
        store_ask_number(k->store, 0, &members, "SELECT count(*) FROM org_group_day WHERE day = $1", "i", k->day);
    if (st != STATUS_OK)
        return st;
    aggregate_reset(k->totals);
    aggregate_set_lists(k->totals, members ? NULL : k->lists);
    struct store_rows *r =
        store_ask(k->store, "SELECT record FROM mail WHERE t >= $1 AND t < $2", "ii", from, from + TIMESTAMP_DAY);
    while (*whole && store_next(r)) {
        const char *text = store_record(r, 0);
        struct record record;
        *whole = text && record_parse(slice_str(text), &record, NULL) == STATUS_OK;
        if (!*whole)
            break;
        ingest_totals(k->totals, &record);
        record_free(&record);
    }
    return store_done(r);
}

static enum status day_replace(struct counting *k)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; i < TABLES && st == STATUS_OK; i++)
        if (tables[i].drop)
            st = store_run(k->store, &(int64_t){0}, tables[i].drop, "i", k->day);
    if (st == STATUS_OK)
        st = aggregate_flush(k->totals, k->store);
    if (st == STATUS_OK) /* members that did not write */
        st = store_run(
            k->store, &(int64_t){0},
            "DELETE FROM org_group_day WHERE day = $1 AND org NOT IN (SELECT org FROM org_day WHERE day = $1)", "i",
            k->day);
    return st;
}

static enum status lock(struct store *s)
{
    return store_is_shared(s) ? store_run(s, &(int64_t){0},
                                          "LOCK TABLE standard_day, org_day, org_miss_day, org_failed_day, "
                                          "org_group_day, org_source IN SHARE ROW EXCLUSIVE MODE",
                                          "")
                              : STATUS_OK;
}

enum outcome { SAME, MENDED, LEFT, AGAIN };

/* Within a transaction: what was read is put in place of what is there, if it differs. */
static enum status day_correct(struct counting *k, bool last_try, enum outcome *what)
{
    int64_t mails = 0;
    uint64_t before = 0, after = 0;
    bool whole = true;
    enum status st = lock(k->store);
    if (st == STATUS_OK)
        st = day_read(k, &mails, &whole);
    *what = !whole ? LEFT : AGAIN;
    if (st != STATUS_OK || !whole || (!last_try && mails != k->mails))
        return st;
    if (last_try)
        st = count_records(k, &whole);
    if (st == STATUS_OK && whole)
        st = digest_of_day(k, &before);
    if (st == STATUS_OK && whole)
        st = day_replace(k);
    if (st == STATUS_OK && whole)
        st = digest_of_day(k, &after);
    *what = !whole ? LEFT : before == after ? SAME : MENDED;
    return st;
}

static enum status one_day(struct counting *k, struct recount *out)
{
    enum outcome what = AGAIN;
    enum status st = STATUS_OK;
    for (int try = 0; try < TRIES && what == AGAIN && st == STATUS_OK; try++) {
        bool whole = true, last = try + 1 == TRIES;
        st = day_read(k, &k->mails, &whole);
        if (st == STATUS_OK && !k->mails)
            return STATUS_OK;
        if (st == STATUS_OK && !last && whole)
            st = count_records(k, &whole);
        if (st == STATUS_OK && (whole || last))
            st = store_begin(k->store);
        if (st != STATUS_OK || (!whole && !last)) {
            what = st == STATUS_OK ? AGAIN : what; /* perhaps a mail came in between two questions */
            continue;
        }
        st = day_correct(k, last, &what);
        if (st == STATUS_OK && what == MENDED)
            st = store_commit(k->store);
        if (st != STATUS_OK || what != MENDED)
            store_rollback(k->store);
    }
    out->days += what == SAME || what == MENDED;
    out->left += what == LEFT;
    if (st == STATUS_OK && what == MENDED)
        out->mended[out->mended_count++] = k->day;
    return st;
}

/* From every record that is there: what they show is the least that must be known. */
static enum status raise_sources(struct counting *k, struct recount *out)
{
    uint64_t before = 0, after = 0;
    enum status st = STATUS_OK;
    struct store_rows *r = store_ask(k->store, "SELECT record FROM mail WHERE record IS NOT NULL", "");
    while (store_next(r)) {
        const char *text = store_record(r, 0);
        struct record record;
        if (!text || record_parse(slice_str(text), &record, NULL) != STATUS_OK)
            continue;
        ingest_totals(k->sources, &record);
        record_free(&record);
    }
    st = store_done(r);
    if (st == STATUS_OK)
        st = store_begin(k->store);
    if (st != STATUS_OK)
        return st;
    st = lock(k->store);
    if (st == STATUS_OK)
        st = digest_of_sources(k->store, &before);
    if (st == STATUS_OK)
        st = aggregate_flush(k->sources, k->store);
    if (st == STATUS_OK)
        st = digest_of_sources(k->store, &after);
    out->sources_mended = before != after;
    if (st == STATUS_OK && out->sources_mended)
        return store_commit(k->store);
    store_rollback(k->store);
    return st;
}

static enum status count_all(struct store *s, const struct organisation_lists *lists, struct recount *out)
{
    struct counting k = {.store = s, .lists = lists, .totals = aggregate_new(), .sources = aggregate_new()};
    int64_t first = 0, last = 0;
    enum status st = k.totals && k.sources ? STATUS_OK : STATUS_NOMEM;
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &first, "SELECT min(t) FROM mail", "");
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &last, "SELECT max(t) FROM mail", "");
    if (st == STATUS_OK && first) {
        aggregate_only(k.totals, TOTALS);
        aggregate_only(k.sources, AGGREGATE_BIT(AGGREGATE_ORG_SOURCE_LEAST));
        int64_t from = timestamp_day(first), to = timestamp_day(last);
        for (k.day = from > to - RECOUNT_DAYS ? from : to - RECOUNT_DAYS + 1; k.day <= to && st == STATUS_OK; k.day++)
            st = one_day(&k, out);
        if (st == STATUS_OK)
            st = raise_sources(&k, out);
    }
    aggregate_free(k.totals);
    aggregate_free(k.sources);
    return st;
}

enum status recount(struct store *s, const struct organisation_lists *lists, struct recount *out)
{
    *out = (struct recount){0};
    enum status st = store_lease_take(s, "recount");
    if (st != STATUS_OK)
        return st;
    st = count_all(s, lists, out);
    store_lease_leave(s);
    return st;
}
