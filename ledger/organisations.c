// SPDX-License-Identifier: BSD-2-Clause
/*
 * organisations.c - reads the daily totals of organisations and says which meet all that is asked (organisations.h).
 *
 * Promises: the same totals give the same answer on SQLite and PostgreSQL; counts are never negative; organisations
 * with fewer than ORGANISATION_LEAST mails are not even read. Rows are joined here, by name, since the two databases
 * sort text differently.
 */
#include "ledger/organisations.h"
#include "base/array.h"
#include "ledger/stopped.h"
#include "ledger/timestamp.h"
#include "policy/map.h"
#include <stdlib.h>
#include <string.h>

struct asking {
    struct store *store;
    struct arena *arena;
    struct organisations *out;
    struct map by_name;
    size_t size;
};

/* mails: not stopped; of them so many met all, were explained, could not be tested, or were asked nothing. */
static enum organisation_state organisation_judge(int64_t mails, int64_t met, int64_t explained, int64_t untested,
                                                  int64_t not_asked)
{
    int64_t told = mails - untested - not_asked;
    if (mails < ORGANISATION_LEAST)
        return ORGANISATION_TOO_FEW;
    if (told <= 0)
        return untested > 0 ? ORGANISATION_UNTESTED : ORGANISATION_NOT_ASKED;
    if (met * 100 >= told * ORGANISATION_SHARE)
        return ORGANISATION_MEETS;
    return (met + explained) * 100 >= told * ORGANISATION_SHARE ? ORGANISATION_EXPLAINED : ORGANISATION_MISSES;
}

static struct organisation *organisation_find(struct asking *k, const char *name)
{
    const uint64_t *at = name && *name ? map_get(&k->by_name, slice_str(name)) : NULL;
    return at ? &k->out->all[*at] : NULL;
}

static struct organisation *find_or_make(struct asking *k, const char *name, bool *full)
{
    struct organisation *o = organisation_find(k, name);
    if (o || !name || !*name)
        return o;
    if (k->out->count == ORGANISATIONS_MAX) {
        *full = true;
        return NULL;
    }
    if (k->out->count == k->size) {
        struct organisation *more = array_grow(k->out->all, &k->size, 1024, sizeof *more);
        if (!more)
            return NULL;
        k->out->all = more;
    }
    const char *kept = arena_strdup(k->arena, name);
    if (!kept || map_put(&k->by_name, slice_str(kept), k->out->count) != STATUS_OK)
        return NULL;
    o = &k->out->all[k->out->count++];
    *o = (struct organisation){.name = kept};
    return o;
}

static int32_t narrow(int64_t n)
{
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (int32_t)n;
}

/* "dmarc,tls" */
static uint32_t read_asked(const char *text)
{
    uint32_t bits = 0;
    while (text && *text) {
        size_t n = strcspn(text, ",");
        enum standard s = standard_from_name(slice_of(text, n));
        if (s < STANDARD_MAIL_COUNT)
            bits |= UINT32_C(1) << s;
        text += n + (text[n] == ',');
    }
    return bits;
}

static enum status read_mails(struct asking *k, int64_t since, int64_t until)
{
    struct store_rows *r =
        store_ask(k->store,
                  "SELECT org, asked, sum(mails), sum(met), sum(explained), sum(untested) FROM org_day WHERE day >= $1 "
                  "AND day <= $2 AND org IN (SELECT org FROM org_day WHERE day >= $1 AND day <= $2 GROUP BY org HAVING "
                  "sum(mails) >= $3 ORDER BY sum(mails) DESC LIMIT $4) GROUP BY org, asked",
                  "iiii", since, until, (int64_t)ORGANISATION_LEAST, (int64_t)ORGANISATIONS_MAX + 1);
    bool memory = true;
    while (memory && store_next(r)) {
        bool full = false;
        struct organisation *o = find_or_make(k, store_text(r, 0), &full);
        uint32_t asked = read_asked(store_text(r, 1));
        int64_t mails = store_number(r, 2);
        k->out->more += full;
        memory = o || full;
        if (!o)
            continue;
        o->mails += mails;
        o->met += store_number(r, 3);
        o->explained += store_number(r, 4);
        o->untested += store_number(r, 5);
        o->not_asked += asked ? 0 : mails;
        o->asked |= asked;
        for (int s = 0; s < STANDARD_MAIL_COUNT; s++)
            if (asked & UINT32_C(1) << s)
                o->by[s].asked = narrow(o->by[s].asked + mails);
    }
    enum status st = store_done(r);
    return memory ? st : STATUS_NOMEM;
}

static enum status read_misses(struct asking *k, int64_t since, int64_t until)
{
    struct store_rows *r = store_ask(k->store,
                                     "SELECT org, standard, sum(missed), sum(explained), sum(untested) FROM "
                                     "org_miss_day WHERE day >= $1 AND day <= $2 GROUP BY org, standard",
                                     "ii", since, until);
    while (store_next(r)) {
        struct organisation *o = organisation_find(k, store_text(r, 0));
        enum standard s = standard_from_name(slice_str(store_text(r, 1)));
        if (!o || s >= STANDARD_MAIL_COUNT)
            continue;
        o->by[s].missed = narrow(store_number(r, 2));
        o->by[s].explained = narrow(store_number(r, 3));
        o->by[s].untested = narrow(store_number(r, 4));
    }
    return store_done(r);
}

/* What is known of the place that a row is about: an organisation's name in mail from one network. Passes of a network
 * are one sum: where it passed lately, its passes of more than STOPPED_LOOK_BACK_DAYS ago count, too. */
#define DAYS_HERE                                                                                                      \
    "SELECT org, net, count(DISTINCT day) AS days FROM org_failed_day WHERE day > $1 AND day <= $2 AND standard IN "   \
    "('" ORGANISATION_ALL_MAIL "', '" ORGANISATION_SIGNED "') GROUP BY org, net"
#define PASSES "SELECT org, sum(passed) AS passed FROM org_source WHERE last_seen >= $3 GROUP BY org"

static struct stopped_facts facts_of(struct store_rows *r)
{
    return (struct stopped_facts){.failed = true,
                                  .client_known = true,
                                  .days_here = store_number(r, 4),
                                  .passes = store_number(r, 5),
                                  .passes_here = store_number(r, 6)};
}

/* Of the mails of one row (columns as in read_stopped) those that are stopped forgery. */
static int64_t stopped_of(struct store_rows *r)
{
    struct stopped_facts f = facts_of(r);
    if (stopped_judge(&f) == STOPPED_FORGERY)
        return store_number(r, 2);
    f.strict = true;
    return stopped_judge(&f) == STOPPED_FORGERY ? store_number(r, 3) : 0;
}

/* And those that may be forged. */
static int64_t perhaps_of(struct store_rows *r)
{
    const struct stopped_facts f = facts_of(r);
    return stopped_may_be_forged(&f) ? store_number(r, 2) - store_number(r, 3) : 0;
}

/* Takes stopped forgery out again. The order of the tables is that of a CROSS JOIN, which SQLite keeps: of its own
 * accord it read the days of org_failed_day anew for each row of `here`. */
static enum status read_stopped(struct asking *k, int64_t since, int64_t until)
{
    int64_t before = until - STOPPED_LOOK_BACK_DAYS;
    struct store_rows *r = store_ask(
        k->store,
        "WITH here AS (" DAYS_HERE "), passes AS (" PASSES ") SELECT f.org, f.standard, sum(f.count), sum(f.strict), "
        "max(h.days), max(COALESCE(p.passed, 0)), max(COALESCE(o.passed, 0)) FROM org_failed_day f CROSS JOIN here h "
        "LEFT JOIN passes p ON p.org = f.org LEFT JOIN org_source o ON o.org = f.org AND o.net = f.net AND "
        "o.last_seen >= $3 WHERE h.org = f.org AND h.net = f.net AND f.day >= $4 AND f.day <= $2 AND f.standard <> "
        "'" ORGANISATION_SIGNED "' GROUP BY f.org, f.net, f.standard",
        "iiii", before, until, (before + 1) * TIMESTAMP_DAY, since);
    while (store_next(r)) {
        struct organisation *o = organisation_find(k, store_text(r, 0));
        const char *what = store_text(r, 1);
        int64_t n = o && what ? stopped_of(r) : 0;
        enum standard s = what && *what ? standard_from_name(slice_str(what)) : STANDARD_COUNT;
        if (o && what && strcmp(what, ORGANISATION_MISSED_ANY) == 0)
            o->perhaps += perhaps_of(r);
        if (n == 0)
            continue;
        if (strcmp(what, ORGANISATION_ALL_MAIL) == 0) {
            o->stopped += n;
        } else if (s < STANDARD_MAIL_COUNT) {
            o->by[s].asked = narrow(o->by[s].asked - n);
            o->by[s].missed = narrow(o->by[s].missed - n);
        }
    }
    return store_done(r);
}

static void organisation_verdict(struct organisation *o)
{
    int64_t not_missed = o->met + o->explained + o->untested + o->not_asked;
    o->stopped = o->stopped < o->mails ? o->stopped : o->mails;
    o->mails -= o->stopped;
    /* Stopped mail that was asked nothing, or that was excused, is in those counts. */
    if (not_missed > o->mails)
        o->not_asked = o->not_asked > not_missed - o->mails ? o->not_asked - (not_missed - o->mails) : 0;
    o->state = organisation_judge(o->mails, o->met, o->explained, o->untested, o->not_asked);
    for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
        int64_t met = (int64_t)o->by[s].asked - o->by[s].missed - o->by[s].explained - o->by[s].untested;
        switch (organisation_judge(o->by[s].asked, met < 0 ? 0 : met, o->by[s].explained, o->by[s].untested, 0)) {
        case ORGANISATION_MEETS:
            o->meets |= UINT32_C(1) << s;
            break;
        case ORGANISATION_EXPLAINED:
            o->excused |= UINT32_C(1) << s;
            break;
        case ORGANISATION_MISSES:
            o->misses |= UINT32_C(1) << s;
            break;
        default:
            break;
        }
    }
}

enum organisation_state organisation_state_of(const struct organisation *o, enum standard s)
{
    uint32_t bit = s < STANDARD_MAIL_COUNT ? UINT32_C(1) << s : 0;
    return !bit                                  ? o->state
           : o->meets & bit                      ? ORGANISATION_MEETS
           : o->excused & bit                    ? ORGANISATION_EXPLAINED
           : o->misses & bit                     ? ORGANISATION_MISSES
           : !(o->asked & bit)                   ? ORGANISATION_NOT_ASKED
           : o->by[s].asked < ORGANISATION_LEAST ? ORGANISATION_TOO_FEW
                                                 : ORGANISATION_UNTESTED;
}

static int by_mails(const void *a, const void *b)
{
    const struct organisation *x = a, *y = b;
    return x->mails != y->mails ? (x->mails > y->mails ? -1 : 1) : strcmp(x->name, y->name);
}

void organisations_free(struct organisations *o)
{
    free(o->all);
    *o = (struct organisations){0};
}

enum status organisations_ask(struct store *s, struct arena *a, int64_t since_day, int64_t until_day,
                              struct organisations *out)
{
    struct asking k = {.store = s, .arena = a, .out = out};
    *out = (struct organisations){0};
    map_init(&k.by_name, 1);
    enum status st = read_mails(&k, since_day, until_day);
    if (st == STATUS_OK)
        st = read_misses(&k, since_day, until_day);
    if (st == STATUS_OK)
        st = read_stopped(&k, since_day, until_day);
    map_release(&k.by_name);
    for (size_t i = 0; i < out->count; i++)
        organisation_verdict(&out->all[i]);
    if (st == STATUS_OK && out->count)
        qsort(out->all, out->count, sizeof *out->all, by_mails);
    if (st != STATUS_OK)
        organisations_free(out);
    return st;
}
