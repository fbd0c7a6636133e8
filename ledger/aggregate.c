// SPDX-License-Identifier: BSD-2-Clause
/*
 * aggregate.c - the sums of a batch.
 *
 * Promises that after aggregate_flush the store's counts have grown by exactly what was added, first_seen never grew
 * and last_seen never shrank, and notes are those with the latest timestamp. A hash table over arena memory; sorted
 * before it is written. On failure the caller rolls back and calls aggregate_reset.
 */
#include "ledger/aggregate.h"
#include "ledger/most_seen.h"
#include "base/arena.h"
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 4096
#define BOUND ((size_t)512 << 20)

struct sum {
    const char *sql;
    unsigned keys, counts, notes;
    bool seen; /* first_seen and last_seen are written */
};

/* clang-format off */
#define FIRST(t) "first_seen = CASE WHEN excluded.first_seen < " t ".first_seen THEN excluded.first_seen ELSE " t ".first_seen END, " \
                 "last_seen = CASE WHEN excluded.last_seen > " t ".last_seen THEN excluded.last_seen ELSE " t ".last_seen END"
#define COUNT(t) "count = " t ".count + excluded.count"
#define LATEST(t, seen, column) column " = CASE WHEN excluded." seen " >= " t "." seen " THEN excluded." column " ELSE " t "." column " END, "

static const struct sum sums[AGGREGATE_SUMS] = {
    [AGGREGATE_HOST] = {"INSERT INTO host (name, mails, names, dropped, lost, first_seen, last_seen) VALUES ($1,$2,$3,$4,$5,$6,$7) "
                    "ON CONFLICT (name) DO UPDATE SET mails = host.mails + excluded.mails, names = host.names + excluded.names, "
                    "dropped = host.dropped + excluded.dropped, lost = host.lost + excluded.lost, " FIRST("host"), 1, 4, 0, true},
    [AGGREGATE_STANDARD_HOUR] = {"INSERT INTO standard_hour (hour, host, scope, standard, result, security, count) VALUES ($1,$2,$3,$4,$5,$6,$7) "
                             "ON CONFLICT (hour, host, scope, standard, result, security) DO UPDATE SET " COUNT("standard_hour"), 6, 1, 0, false},
    [AGGREGATE_STANDARD_DAY] = {"INSERT INTO standard_day (day, scope, standard, result, security, count) VALUES ($1,$2,$3,$4,$5,$6) "
                            "ON CONFLICT (day, scope, standard, result, security) DO UPDATE SET " COUNT("standard_day"), 5, 1, 0, false},
    [AGGREGATE_VERDICT_HOUR] = {"INSERT INTO verdict_hour (hour, host, source, action, would, count) VALUES ($1,$2,$3,$4,$5,$6) "
                            "ON CONFLICT (hour, host, source, action, would) DO UPDATE SET " COUNT("verdict_hour"), 5, 1, 0, false},
    [AGGREGATE_SUBJECT_DAY] = {"INSERT INTO subject_day (subject, scope, standard, day, result, security, count, first_seen, last_seen) VALUES "
                           "($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT (subject, scope, standard, day, result, security) DO UPDATE SET "
                           COUNT("subject_day") ", " FIRST("subject_day"), 6, 1, 0, true},
    [AGGREGATE_OUTCOME_DAY] = {"INSERT INTO outcome_day (day, standard, subject, result, level, action, statement, exemption, expired, trust, policy, "
                           "count, first_seen, last_seen) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) ON CONFLICT (day, standard, "
                           "subject, result, level, action, statement, exemption, expired, trust, policy) DO UPDATE SET "
                           COUNT("outcome_day") ", " FIRST("outcome_day"), 11, 1, 0, true},
    [AGGREGATE_SELECTOR] = {"INSERT INTO selector (domain, selector, algorithm, bits, result, count, first_seen, last_seen) VALUES "
                        "($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (domain, selector, algorithm, bits, result) DO UPDATE SET "
                        COUNT("selector") ", " FIRST("selector"), 5, 1, 0, true},
    [AGGREGATE_SIGNER_DAY] = {"INSERT INTO signer_day (day, domain, passed, signed) VALUES ($1,$2,$3,$4) ON CONFLICT (day, domain) DO UPDATE SET "
                          "passed = signer_day.passed + excluded.passed, signed = signer_day.signed + excluded.signed", 2, 2, 0, false},
    [AGGREGATE_ZONE] = {"INSERT INTO zone (name, state, count, reason, algorithm, bits, first_seen, last_seen) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) "
                    "ON CONFLICT (name, state) DO UPDATE SET " COUNT("zone") ", " LATEST("zone", "last_seen", "reason")
                    LATEST("zone", "last_seen", "algorithm") LATEST("zone", "last_seen", "bits")
                    FIRST("zone"), 2, 1, 3, true},
    [AGGREGATE_DMARC_DOMAIN] = {"INSERT INTO dmarc_domain (day, domain, published, rua, seen) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (day, domain) "
                            "DO UPDATE SET " LATEST("dmarc_domain", "seen", "published")
                            LATEST("dmarc_domain", "seen", "rua")
                            "seen = CASE WHEN excluded.seen > dmarc_domain.seen THEN excluded.seen ELSE dmarc_domain.seen END", 2, 0, 2, true},
    [AGGREGATE_DMARC_ROW] = {"INSERT INTO dmarc_row (day, domain, " DMARC_ROW_NAMES ", count) VALUES "
                         "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16) ON CONFLICT (day, domain, " DMARC_ROW_NAMES
                         ") DO UPDATE SET " COUNT("dmarc_row"), 2 + DMARC_ROW_COLUMNS, 1, 0, false},
    [AGGREGATE_DMARC_BEHIND] = {"INSERT INTO dmarc_behind (day, domain, host, after, count) VALUES ($1,$2,$3,CASE WHEN EXISTS (SELECT 1 FROM report_out o "
                            "WHERE o.day = $1 AND o.domain = $2 AND o.state = 'sent') THEN 1 ELSE 0 END,$4) ON CONFLICT (day, domain, host, after) "
                            "DO UPDATE SET " COUNT("dmarc_behind"), 3, 1, 0, false},
    [AGGREGATE_DMARC_POLICY] = {"INSERT INTO dmarc_policy (day, domain, mark, published) VALUES ($1,$2,$3,$4) ON CONFLICT (day, domain, mark) "
                            "DO NOTHING", 3, 0, 1, false},
    [AGGREGATE_CORRESPONDENT] = {"INSERT INTO correspondent (domain, how, day) VALUES ($1,$2,$3) ON CONFLICT (domain, how, day) DO NOTHING", 3, 0, 0, false},
    [AGGREGATE_ORG_DAY] = {"INSERT INTO org_day (day, org, asked, mails, met, explained, untested) VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT "
                           "(day, org, asked) DO UPDATE SET mails = org_day.mails + excluded.mails, met = org_day.met + excluded.met, "
                           "explained = org_day.explained + excluded.explained, untested = org_day.untested + excluded.untested", 3, 4, 0, false},
    [AGGREGATE_ORG_MISS_DAY] = {"INSERT INTO org_miss_day (day, org, standard, missed, explained, untested) VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT "
                                "(day, org, standard) DO UPDATE SET missed = org_miss_day.missed + excluded.missed, explained = "
                                "org_miss_day.explained + excluded.explained, untested = org_miss_day.untested + excluded.untested", 3, 3, 0, false},
    [AGGREGATE_ORG_FAILED_DAY] = {"INSERT INTO org_failed_day (day, org, net, standard, count, strict) VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT "
                                  "(day, org, net, standard) DO UPDATE SET strict = org_failed_day.strict + excluded.strict, "
                                  COUNT("org_failed_day"), 4, 2, 0, false},
    [AGGREGATE_ORG_SOURCE] = {"INSERT INTO org_source (org, net, passed, first_seen, last_seen) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (org, net) "
                              "DO UPDATE SET passed = org_source.passed + excluded.passed, " FIRST("org_source"), 2, 1, 0, true},
    [AGGREGATE_ORG_SOURCE_LEAST] = {"INSERT INTO org_source (org, net, passed, first_seen, last_seen) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (org, net) "
                              "DO UPDATE SET passed = CASE WHEN excluded.passed > org_source.passed THEN excluded.passed ELSE org_source.passed END, "
                              FIRST("org_source"), 2, 1, 0, true},
    [AGGREGATE_ORG_GROUP_DAY] = {"INSERT INTO org_group_day (day, name, org) VALUES ($1,$2,$3) ON CONFLICT (day, name, org) DO NOTHING", 3, 0, 0, false},
};
/* clang-format on */

struct entry {
    struct entry *next;
    uint64_t hash;
    enum aggregate_sum sum;
    const char *keys[AGGREGATE_KEYS];
    int64_t counts[AGGREGATE_COUNTS];
    const char *notes[AGGREGATE_NOTES];
    int64_t first, last;
};

struct statement {
    struct statement *next;
    const char *sql;
    size_t n;
    struct store_value v[]; /* n of them */
};

struct aggregate {
    struct arena *arena;
    struct statement *first, **last;
    size_t statements;
    struct entry **slots;
    size_t size, count;
    const struct organisation_lists *lists;
    uint32_t only; /* bits of sums; 0: all */
    bool failed;
};

struct aggregate *aggregate_new(void)
{
    struct aggregate *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->arena = arena_new(BOUND);
    t->last = &t->first;
    t->size = SLOTS_FIRST;
    t->slots = calloc(t->size, sizeof *t->slots);
    return t->arena && t->slots ? t : aggregate_free(t);
}

struct aggregate *aggregate_free(struct aggregate *t)
{
    if (t) {
        arena_free(t->arena);
        free(t->slots);
    }
    free(t);
    return NULL;
}

void aggregate_set_lists(struct aggregate *t, const struct organisation_lists *lists)
{
    t->lists = lists;
}

const struct organisation_lists *aggregate_lists(const struct aggregate *t)
{
    return t->lists;
}

void aggregate_only(struct aggregate *t, uint32_t bits)
{
    t->only = bits;
}

void aggregate_reset(struct aggregate *t)
{
    arena_reset(t->arena);
    memset(t->slots, 0, t->size * sizeof *t->slots);
    t->count = t->statements = 0;
    t->first = NULL;
    t->last = &t->first;
    t->failed = false;
}

static uint64_t hash_of(const struct aggregate_entry *e)
{
    uint64_t h = 1469598103934665603u + e->sum;
    for (unsigned i = 0; i < sums[e->sum].keys; i++) {
        for (const char *p = e->keys[i] ? e->keys[i] : ""; *p; p++)
            h = (h ^ (unsigned char)*p) * 1099511628211u;
        h = (h ^ 0x1f) * 1099511628211u;
    }
    return h ^ (h >> 29);
}

static bool entry_same(const struct entry *a, const struct aggregate_entry *b)
{
    if (a->sum != b->sum)
        return false;
    for (unsigned i = 0; i < sums[b->sum].keys; i++)
        if (strcmp(a->keys[i], b->keys[i] ? b->keys[i] : "") != 0)
            return false;
    return true;
}

static void slots_grow(struct aggregate *t)
{
    size_t size = t->size * 4;
    struct entry **slots = calloc(size, sizeof *slots);
    if (!slots)
        return; /* longer chains, no harm */
    for (size_t i = 0; i < t->size; i++)
        for (struct entry *e = t->slots[i], *next; e; e = next) {
            next = e->next;
            e->next = slots[e->hash & (size - 1)];
            slots[e->hash & (size - 1)] = e;
        }
    free(t->slots);
    t->slots = slots;
    t->size = size;
}

static struct entry *entry_find(struct aggregate *t, const struct aggregate_entry *e)
{
    uint64_t h = hash_of(e);
    for (struct entry *at = t->slots[h & (t->size - 1)]; at; at = at->next)
        if (at->hash == h && entry_same(at, e))
            return at;
    struct entry *fresh = ARENA_NEW(t->arena, struct entry);
    if (!fresh)
        return NULL;
    fresh->hash = h;
    fresh->sum = e->sum;
    fresh->first = INT64_MAX;
    fresh->last = INT64_MIN;
    for (unsigned i = 0; i < sums[e->sum].keys; i++) {
        fresh->keys[i] = arena_strdup(t->arena, e->keys[i] ? e->keys[i] : "");
        if (!fresh->keys[i])
            return NULL;
    }
    if (++t->count > t->size)
        slots_grow(t);
    fresh->next = t->slots[h & (t->size - 1)];
    t->slots[h & (t->size - 1)] = fresh;
    return fresh;
}

size_t aggregate_cut(const char *text, size_t most)
{
    while (most && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most;
}

/* Returns e, or *room with shortened keys if they are too long; NULL: out of memory. */
static const struct aggregate_entry *fit(struct aggregate *t, const struct aggregate_entry *e,
                                         struct aggregate_entry *room)
{
    size_t n = 0;
    for (unsigned i = 0; i < sums[e->sum].keys; i++)
        n += e->keys[i] ? strlen(e->keys[i]) : 0;
    if (n <= AGGREGATE_KEYS_OCTETS)
        return e;
    *room = *e;
    for (unsigned i = 0; i < sums[e->sum].keys; i++)
        if (e->keys[i] && strlen(e->keys[i]) > AGGREGATE_KEY_OCTETS) {
            const char *key =
                arena_printf(t->arena, "%.*s", (int)aggregate_cut(e->keys[i], AGGREGATE_KEY_OCTETS), e->keys[i]);
            if (!key)
                return NULL;
            room->keys[i] = key;
        }
    return room;
}

void aggregate_add(struct aggregate *t, const struct aggregate_entry *e)
{
    struct aggregate_entry room, least;
    if (e->sum == AGGREGATE_ORG_SOURCE && t->only & AGGREGATE_BIT(AGGREGATE_ORG_SOURCE_LEAST)) {
        least = *e;
        least.sum = AGGREGATE_ORG_SOURCE_LEAST;
        e = &least;
    }
    if (t->only && !(t->only & AGGREGATE_BIT(e->sum)))
        return;
    e = fit(t, e, &room);
    struct entry *at = e ? entry_find(t, e) : NULL;
    if (!at) {
        t->failed = true;
        return;
    }
    int64_t last = e->until ? e->until : e->moment;
    for (unsigned i = 0; i < sums[e->sum].counts; i++)
        at->counts[i] = e->counts[i] > INT64_MAX - at->counts[i] ? INT64_MAX : at->counts[i] + e->counts[i];
    for (unsigned i = 0; i < sums[e->sum].notes && last >= at->last; i++) {
        const char *note = e->notes[i] ? e->notes[i] : "";
        if (!at->notes[i] || strcmp(at->notes[i], note) != 0)
            at->notes[i] = arena_strdup(t->arena, note);
    }
    at->first = e->moment < at->first ? e->moment : at->first;
    at->last = last > at->last ? last : at->last;
}

void aggregate_dmarc_row(struct aggregate *t, const char *day, const char *domain, const struct dmarc_row *row,
                         int64_t moment)
{
    struct aggregate_entry e = {
        .sum = AGGREGATE_DMARC_ROW, .keys = {day, domain}, .counts = {row->count}, .moment = moment};
    memcpy(e.keys + 2, row->column, sizeof row->column);
    aggregate_add(t, &e);
}

static struct statement *statement_copy(struct aggregate *t, const struct store_value *v, size_t n)
{
    struct statement *own = arena_alloc(t->arena, sizeof *own + n * sizeof *v);
    if (!own)
        return NULL;
    own->n = n;
    for (size_t i = 0; i < n; i++) {
        own->v[i] = v[i];
        if (v[i].text && !(own->v[i].text = arena_strdup(t->arena, v[i].text)))
            return NULL;
    }
    return own;
}

enum status aggregate_statement(struct aggregate *t, struct store *s, const char *sql, const char *types, ...)
{
    struct store_value v[STORE_PARAMETERS];
    size_t n;
    va_list ap;
    va_start(ap, types);
    enum status st = store_collect(s, v, &n, types, ap);
    va_end(ap);
    struct statement *own = st == STATUS_OK ? statement_copy(t, v, n) : NULL;
    if (!own)
        return st == STATUS_OK ? STATUS_NOMEM : st;
    own->sql = sql;
    *t->last = own;
    t->last = &own->next;
    t->statements++;
    return STATUS_OK;
}

size_t aggregate_rows(const struct aggregate *t)
{
    return t->statements + t->count;
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    if (x->sum != y->sum)
        return x->sum < y->sum ? -1 : 1;
    for (unsigned i = 0; i < sums[x->sum].keys; i++) {
        int order = strcmp(x->keys[i], y->keys[i]);
        if (order)
            return order;
    }
    return 0;
}

/* One upsert, its parameters in the order keys, counts, notes, first and last. */
static enum status entry_put(struct store *s, const struct entry *e)
{
    const struct sum *m = &sums[e->sum];
    const char *const *k = e->keys;
    const int64_t *c = e->counts;
    int64_t f = e->first, l = e->last;
    switch (e->sum) {
    case AGGREGATE_HOST:
        return store_run(s, NULL, m->sql, "tiiiiii", k[0], c[0], c[1], c[2], c[3], f, l);
    case AGGREGATE_STANDARD_HOUR:
        return store_run(s, NULL, m->sql, "tttttti", k[0], k[1], k[2], k[3], k[4], k[5], c[0]);
    case AGGREGATE_STANDARD_DAY:
    case AGGREGATE_VERDICT_HOUR:
        return store_run(s, NULL, m->sql, "ttttti", k[0], k[1], k[2], k[3], k[4], c[0]);
    case AGGREGATE_SUBJECT_DAY:
        return store_run(s, NULL, m->sql, "ttttttiii", k[0], k[1], k[2], k[3], k[4], k[5], c[0], f, l);
    case AGGREGATE_OUTCOME_DAY:
        return store_run(s, NULL, m->sql,
                         "ttttttttttt"
                         "iii",
                         k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10], c[0], f, l);
    case AGGREGATE_SELECTOR:
        return store_run(s, NULL, m->sql, "tttttiii", k[0], k[1], k[2], k[3], k[4], c[0], f, l);
    case AGGREGATE_SIGNER_DAY:
        return store_run(s, NULL, m->sql, "ttii", k[0], k[1], c[0], c[1]);
    case AGGREGATE_ZONE:
        return store_run(s, NULL, m->sql, "ttitttii", k[0], k[1], c[0], e->notes[0], e->notes[1], e->notes[2], f, l);
    case AGGREGATE_DMARC_DOMAIN:
        return store_run(s, NULL, m->sql, "tttti", k[0], k[1], e->notes[0], e->notes[1], l);
    case AGGREGATE_DMARC_ROW:
        return store_run(s, NULL, m->sql,
                         "ttttttttttttttt"
                         "i",
                         k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10], k[11], k[12], k[13], k[14],
                         c[0]);
    case AGGREGATE_DMARC_BEHIND:
        return store_run(s, NULL, m->sql, "ttti", k[0], k[1], k[2], c[0]);
    case AGGREGATE_DMARC_POLICY:
        return store_run(s, NULL, m->sql, "tttt", k[0], k[1], k[2], e->notes[0] ? e->notes[0] : "");
    case AGGREGATE_CORRESPONDENT:
        return store_run(s, NULL, m->sql, "ttt", k[0], k[1], k[2]);
    case AGGREGATE_ORG_DAY:
        return store_run(s, NULL, m->sql, "tttiiii", k[0], k[1], k[2], c[0], c[1], c[2], c[3]);
    case AGGREGATE_ORG_MISS_DAY:
        return store_run(s, NULL, m->sql, "tttiii", k[0], k[1], k[2], c[0], c[1], c[2]);
    case AGGREGATE_ORG_FAILED_DAY:
        return store_run(s, NULL, m->sql, "ttttii", k[0], k[1], k[2], k[3], c[0], c[1]);
    case AGGREGATE_ORG_GROUP_DAY:
        return store_run(s, NULL, m->sql, "ttt", k[0], k[1], k[2]);
    case AGGREGATE_ORG_SOURCE:
    case AGGREGATE_ORG_SOURCE_LEAST:
        return store_run(s, NULL, m->sql, "ttiii", k[0], k[1], c[0], f, l);
    case AGGREGATE_SUMS:
        break;
    }
    return STATUS_INVALID;
}

#define NOTED_DAYS 16

/* What most_seen_note() was told in this flush of the present subject: its days come again with each standard. */
struct noted {
    int64_t pass;
    const char *subject, *day[NOTED_DAYS];
    size_t count;
};

static enum status entry_note(struct store *s, const struct entry *e, struct noted *n)
{
    const char *subject = e->keys[0], *day = e->keys[3];
    enum status st = n->subject ? STATUS_OK : most_seen_pass(s, &n->pass);
    if (!n->subject || strcmp(n->subject, subject) != 0)
        n->count = 0;
    n->subject = subject;
    for (size_t i = 0; i < n->count && i < NOTED_DAYS; i++)
        if (strcmp(n->day[i], day) == 0)
            return st;
    n->day[n->count++ % NOTED_DAYS] = day;
    return st == STATUS_OK ? most_seen_note(s, day, n->pass, subject) : st;
}

static enum status entry_note_and_put(struct store *s, const struct entry *e, struct noted *n)
{
    enum status st = e->sum == AGGREGATE_SUBJECT_DAY ? entry_note(s, e, n) : STATUS_OK;
    return st == STATUS_OK ? entry_put(s, e) : st;
}

enum status aggregate_flush(struct aggregate *t, struct store *s)
{
    struct noted noted = {0};
    if (t->failed || arena_failed(t->arena))
        return STATUS_NOMEM;
    struct entry **all = ARENA_ARRAY(t->arena, struct entry *, t->count);
    if (!all)
        return STATUS_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < t->size; i++)
        for (struct entry *e = t->slots[i]; e; e = e->next)
            all[n++] = e;
    qsort(all, n, sizeof *all, by_key);
    enum status st = STATUS_OK;
    for (const struct statement *m = t->first; m && st == STATUS_OK; m = m->next)
        st = store_run_values(s, NULL, m->sql, m->v, m->n);
    for (size_t i = 0; i < n && st == STATUS_OK; i++)
        st = entry_note_and_put(s, all[i], &noted);
    if (st == STATUS_OK)
        aggregate_reset(t);
    return st;
}
