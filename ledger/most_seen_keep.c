// SPDX-License-Identifier: BSD-2-Clause
/*
 * most_seen_keep.c - makes the lists of most_seen.h, in the background.
 *
 * Promises: one walk through subject_day for up to BLOCKS_MOST lists, a few thousand rows at a time and outside of any
 * transaction, so that nobody waits; each block of lists replaced in one transaction. The rows of subject_seen go only
 * with the list that contains what they stand for: what came in after the pass began has a higher number, and stays. On
 * failure the blocks that were written stay, and the next call makes the others.
 */
#include "ledger/most_seen.h"
#include "base/arena.h"
#include "ledger/aggregate.h"
#include "ledger/most_seen_state.h"
#include "ledger/store_lease.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MOST 32
#define DAYS_MOST (BLOCKS_MOST - 8) /* they have up to two blocks each above them, most of them the same */
#define ROWS 5000
#define KEYS_MOST 256 /* standard, scope, result and security: about thirty are there */
#define MEMORY ((size_t)192 << 20)
#define KEY_TEXT (AGGREGATE_KEYS_OCTETS + 1)

static const int64_t spans[] = {64, 8, 1}; /* days; the last one, days alone, is written last */

struct key {
    const char *standard, *scope, *result, *security;
};

struct listed {
    int64_t count;
    char *subject;
};

/* The least of the listed comes first (a heap). */
struct list {
    struct listed *at;
    size_t count;
    int64_t bound; /* of those that are not in it */
};

struct block {
    int64_t days, day;
    struct list list[KEYS_MOST];
    int64_t sum[KEYS_MOST]; /* of the present subject */
};

struct keeping {
    struct store *store;
    struct arena *arena;
    bool (*stop)(void);
    int64_t pass, first, last;
    struct block *blocks[BLOCKS_MOST];
    size_t block_count;
    struct key keys[KEYS_MOST];
    size_t key_count, key_last;
    char subject[KEY_TEXT];
};

enum status most_seen_pass(struct store *s, int64_t *pass)
{
    return store_ask_number(s, 0, pass,
                            store_is_shared(s) ? "SELECT number FROM ledger_state WHERE name = $1 FOR SHARE"
                                               : "SELECT number FROM ledger_state WHERE name = $1",
                            "t", MOST_SEEN_PASS);
}

enum status most_seen_note(struct store *s, const char *day, int64_t pass, const char *subject)
{
    return store_run(s, NULL,
                     "INSERT INTO subject_seen (day, pass, subject) VALUES ($1,$2,$3) ON CONFLICT (day, pass, subject) "
                     "DO NOTHING",
                     "tit", day, pass, subject);
}

/* ---- lists ---- */

static void swap(struct listed *a, struct listed *b)
{
    struct listed kept = *a;
    *a = *b;
    *b = kept;
}

static void sink(struct list *l)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < l->count; i = child) {
        if (child + 1 < l->count && l->at[child + 1].count < l->at[child].count)
            child++;
        if (l->at[i].count <= l->at[child].count)
            return;
        swap(&l->at[i], &l->at[child]);
    }
}

static void rise(struct list *l)
{
    for (size_t i = l->count - 1; i && l->at[i].count < l->at[(i - 1) / 2].count; i = (i - 1) / 2)
        swap(&l->at[i], &l->at[(i - 1) / 2]);
}

static enum status list_add(struct keeping *k, struct list *l, int64_t count)
{
    if (!l->at && !(l->at = ARENA_ARRAY(k->arena, struct listed, MOST_SEEN_LISTED)))
        return STATUS_NOMEM;
    if (l->count == MOST_SEEN_LISTED && count <= l->at[0].count) {
        l->bound = count > l->bound ? count : l->bound;
        return STATUS_OK;
    }
    char *subject = strdup(k->subject);
    if (!subject)
        return STATUS_NOMEM;
    if (l->count < MOST_SEEN_LISTED) {
        l->at[l->count++] = (struct listed){count, subject};
        rise(l);
        return STATUS_OK;
    }
    l->bound = l->at[0].count > l->bound ? l->at[0].count : l->bound;
    free(l->at[0].subject);
    l->at[0] = (struct listed){count, subject};
    sink(l);
    return STATUS_OK;
}

static enum status end_subject(struct keeping *k)
{
    enum status st = STATUS_OK;
    for (size_t b = 0; b < k->block_count; b++)
        for (size_t i = 0; i < k->key_count && st == STATUS_OK; i++)
            if (k->blocks[b]->sum[i]) {
                st = list_add(k, &k->blocks[b]->list[i], k->blocks[b]->sum[i]);
                k->blocks[b]->sum[i] = 0;
            }
    return st;
}

static bool same_key(const struct key *a, const struct key *b)
{
    return strcmp(a->standard, b->standard) == 0 && strcmp(a->result, b->result) == 0 &&
           strcmp(a->security, b->security) == 0 && strcmp(a->scope, b->scope) == 0;
}

/* Most rows have the key of the row before. */
static enum status find_key(struct keeping *k, const struct key *of, size_t *out)
{
    *out = k->key_last;
    if (k->key_count && same_key(&k->keys[k->key_last], of))
        return STATUS_OK;
    for (size_t i = 0; i < k->key_count; i++)
        if (same_key(&k->keys[i], of)) {
            *out = k->key_last = i;
            return STATUS_OK;
        }
    if (k->key_count == KEYS_MOST)
        return STATUS_LIMIT;
    k->keys[k->key_count] = (struct key){arena_strdup(k->arena, of->standard), arena_strdup(k->arena, of->scope),
                                         arena_strdup(k->arena, of->result), arena_strdup(k->arena, of->security)};
    *out = k->key_last = k->key_count++;
    return arena_failed(k->arena) ? STATUS_NOMEM : STATUS_OK;
}

static enum status add_row(struct keeping *k, const char *subject, const struct key *key, int64_t day, int64_t count)
{
    size_t at = 0;
    enum status st = STATUS_OK;
    if (strcmp(subject, k->subject) != 0) {
        st = end_subject(k);
        snprintf(k->subject, sizeof k->subject, "%s", subject);
    }
    if (st == STATUS_OK)
        st = find_key(k, key, &at);
    for (size_t b = 0; b < k->block_count && st == STATUS_OK; b++) {
        struct block *block = k->blocks[b];
        if (day >= block->day && day < block->day + block->days)
            block->sum[at] = count > INT64_MAX - block->sum[at] ? INT64_MAX : block->sum[at] + count;
    }
    return st;
}

/* ---- the walk ---- */

/* Where the last step ended: a whole key of subject_day. */
struct place {
    char subject[KEY_TEXT], scope[KEY_TEXT], standard[KEY_TEXT], result[KEY_TEXT], security[KEY_TEXT];
    int64_t day;
};

static enum status walk_step(struct keeping *k, struct place *p, int64_t *rows)
{
    struct store_rows *r = store_ask(
        k->store,
        "SELECT subject, scope, standard, day, result, security, count FROM subject_day WHERE (subject, scope, "
        "standard, day, result, security) > ($1, $2, $3, $4, $5, $6) AND day >= $7 AND day <= $8 ORDER BY subject, "
        "scope, standard, day, result, security LIMIT $9",
        "tttittiii", p->subject, p->scope, p->standard, p->day, p->result, p->security, k->first, k->last,
        (int64_t)ROWS);
    enum status st = STATUS_OK;
    struct place last = *p;
    for (*rows = 0; st == STATUS_OK && store_next(r); ++*rows) {
        struct key key = {store_text(r, 2), store_text(r, 1), store_text(r, 4), store_text(r, 5)};
        st = add_row(k, store_text(r, 0), &key, store_number(r, 3), store_number(r, 6));
        if (*rows + 1 < ROWS)
            continue;
        snprintf(last.subject, sizeof last.subject, "%s", store_text(r, 0));
        snprintf(last.scope, sizeof last.scope, "%s", key.scope);
        snprintf(last.standard, sizeof last.standard, "%s", key.standard);
        snprintf(last.result, sizeof last.result, "%s", key.result);
        snprintf(last.security, sizeof last.security, "%s", key.security);
        last.day = store_number(r, 3);
    }
    enum status done = store_done(r);
    *p = last;
    return st == STATUS_OK ? done : st;
}

static enum status walk(struct keeping *k)
{
    struct place p = {.day = -1};
    int64_t rows = ROWS;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && rows == ROWS && !(k->stop && k->stop()))
        st = walk_step(k, &p, &rows);
    return st == STATUS_OK ? end_subject(k) : st;
}

/* ---- what is written ---- */

static enum status write_list(struct keeping *k, const struct block *b, size_t at)
{
    const struct key *key = &k->keys[at];
    const struct list *l = &b->list[at];
    enum status st = STATUS_OK;
    for (size_t i = 0; i < l->count && st == STATUS_OK; i++)
        st = store_run(k->store, NULL,
                       "INSERT INTO most_seen (days, day, standard, scope, result, security, subject) VALUES "
                       "($1,$2,$3,$4,$5,$6,$7)",
                       "iittttt", b->days, b->day, key->standard, key->scope, key->result, key->security,
                       l->at[i].subject);
    if (st == STATUS_OK && l->bound)
        st = store_run(k->store, NULL,
                       "INSERT INTO most_seen_bound (days, day, standard, scope, result, security, bound) VALUES "
                       "($1,$2,$3,$4,$5,$6,$7)",
                       "iitttti", b->days, b->day, key->standard, key->scope, key->result, key->security, l->bound);
    return st;
}

static enum status drop_block(struct store *s, int64_t days, int64_t day)
{
    enum status st = store_run(s, &(int64_t){0}, "DELETE FROM most_seen WHERE days = $1 AND day = $2", "ii", days, day);
    if (st == STATUS_OK)
        st = store_run(s, &(int64_t){0}, "DELETE FROM most_seen_bound WHERE days = $1 AND day = $2", "ii", days, day);
    if (st == STATUS_OK)
        st = store_run(s, &(int64_t){0}, "DELETE FROM most_seen_block WHERE days = $1 AND day = $2", "ii", days, day);
    return st;
}

static enum status write_block(struct keeping *k, const struct block *b)
{
    enum status st = store_begin(k->store);
    if (st == STATUS_OK)
        st = drop_block(k->store, b->days, b->day);
    for (size_t i = 0; i < k->key_count && st == STATUS_OK; i++)
        st = write_list(k, b, i);
    if (st == STATUS_OK)
        st = store_run(k->store, &(int64_t){0}, "INSERT INTO most_seen_block (days, day) VALUES ($1,$2)", "ii", b->days,
                       b->day);
    if (st == STATUS_OK && b->days == 1)
        st = store_run(k->store, &(int64_t){0}, "DELETE FROM subject_seen WHERE day = $1 AND pass <= $2", "ii", b->day,
                       k->pass);
    if (st == STATUS_OK)
        st = store_commit(k->store);
    if (st != STATUS_OK)
        store_rollback(k->store);
    else
        store_write_back(k->store);
    return st;
}

/* ---- which ---- */

static enum status add_block(struct keeping *k, int64_t days, int64_t day)
{
    int64_t begins = day - (day % days + days) % days;
    for (size_t i = 0; i < k->block_count; i++)
        if (k->blocks[i]->days == days && k->blocks[i]->day == begins)
            return STATUS_OK;
    if (k->block_count == BLOCKS_MOST)
        return STATUS_LIMIT;
    struct block *b = calloc(1, sizeof *b);
    if (!b)
        return STATUS_NOMEM;
    b->days = days;
    b->day = begins;
    k->blocks[k->block_count++] = b;
    k->first = begins < k->first ? begins : k->first;
    k->last = begins + days - 1 > k->last ? begins + days - 1 : k->last;
    return STATUS_OK;
}

/* As many days as fit, with all blocks that contain them, larger ones first. */
static enum status days_choose(struct keeping *k, const int64_t *days, size_t count, size_t *chosen)
{
    size_t fit = 0;
    for (size_t blocks = 0; fit < count; fit++, blocks++) {
        for (size_t i = 0; spans[i] > 1; i++)
            blocks += !fit || days[fit] / spans[i] != days[fit - 1] / spans[i];
        if (blocks >= BLOCKS_MOST)
            break;
    }
    *chosen = fit;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        for (size_t d = 0; d < fit && st == STATUS_OK; d++)
            st = add_block(k, spans[i], days[d]);
    return st;
}

static void keeping_free(struct keeping *k)
{
    for (size_t b = 0; b < k->block_count; b++) {
        for (size_t i = 0; i < k->key_count; i++)
            for (size_t n = 0; n < k->blocks[b]->list[i].count; n++)
                free(k->blocks[b]->list[i].at[n].subject);
        free(k->blocks[b]);
    }
    arena_free(k->arena);
}

/* A pass over these days, or the first of them. */
static enum status make_lists(struct store *s, const int64_t *days, size_t count, bool (*stop)(void), size_t *made)
{
    struct keeping k = {.store = s, .stop = stop, .first = INT64_MAX, .last = INT64_MIN, .arena = arena_new(MEMORY)};
    enum status st = k.arena ? days_choose(&k, days, count, made) : STATUS_NOMEM;
    if (st == STATUS_OK)
        st = store_ask_number(s, 0, &k.pass, "SELECT number FROM ledger_state WHERE name = $1", "t", MOST_SEEN_PASS);
    if (st == STATUS_OK) /* on PostgreSQL waits for those who write under the present number */
        st = store_run(s, &(int64_t){0}, "UPDATE ledger_state SET number = $1 WHERE name = $2", "it", k.pass + 1,
                       MOST_SEEN_PASS);
    if (st == STATUS_OK)
        st = walk(&k);
    for (size_t b = 0; b < k.block_count && st == STATUS_OK && !(stop && stop()); b++)
        st = write_block(&k, k.blocks[b]);
    keeping_free(&k);
    return st;
}

static enum status read_days(struct store *s, const char *sql, int64_t a, int64_t *days, size_t *count)
{
    struct store_rows *r = store_ask(s, sql, "ii", a, (int64_t)DAYS_MOST);
    for (*count = 0; *count < DAYS_MOST && store_next(r);)
        days[(*count)++] = store_number(r, 0);
    return store_done(r);
}

/* A store of an earlier version: every day that has rows. */
static enum status first_days(struct store *s, int64_t *days, size_t *count)
{
    int64_t from = 0, to = -1;
    enum status st = store_ask_number(s, 0, &from, "SELECT min(day) FROM standard_day", "");
    if (st == STATUS_OK)
        st = store_ask_number(s, -1, &to, "SELECT max(day) FROM standard_day", "");
    *count = 0;
    for (int64_t day = from; day <= to && st == STATUS_OK && *count < DAYS_MOST; day++) {
        int64_t there = 0, listed = 0;
        st = store_ask_number(s, 0, &there, "SELECT count(*) FROM standard_day WHERE day = $1", "i", day);
        if (st == STATUS_OK && there)
            st = store_ask_number(s, 0, &listed, "SELECT count(*) FROM most_seen_block WHERE days = 1 AND day = $1",
                                  "i", day);
        if (there && !listed)
            days[(*count)++] = day;
    }
    return st;
}

static enum status keep_lists(struct store *s, int64_t today, bool (*stop)(void))
{
    int64_t days[DAYS_MOST], ready = 0;
    size_t count = 1, made;
    enum status st =
        store_ask_number(s, 0, &ready, "SELECT number FROM ledger_state WHERE name = $1", "t", MOST_SEEN_READY);
    while (st == STATUS_OK && count && !(stop && stop())) {
        st = ready ? read_days(s, "SELECT DISTINCT day FROM subject_seen WHERE day < $1 ORDER BY day LIMIT $2", today,
                               days, &count)
                   : first_days(s, days, &count);
        if (st == STATUS_OK && count)
            st = make_lists(s, days, count, stop, &made);
        if (st == STATUS_OK && ready)
            return st; /* what came in meanwhile is for the next time */
        if (st == STATUS_OK && !count)
            st =
                store_run(s, &(int64_t){0}, "UPDATE ledger_state SET number = 1 WHERE name = $1", "t", MOST_SEEN_READY);
    }
    return st;
}

enum status most_seen_keep(struct store *s, int64_t today, bool (*stop)(void))
{
    enum status st = store_lease_take(s, "the lists of who was seen most");
    if (st != STATUS_OK)
        return st;
    st = keep_lists(s, today, stop);
    store_lease_leave(s);
    return st;
}
