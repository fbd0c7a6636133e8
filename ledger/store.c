// SPDX-License-Identifier: BSD-2-Clause
/*
 * store.c - the part of the store that both databases share: parameters, rows, transactions, closing.
 *
 * Promises that a wrong list of parameters is refused and not sent, and that store_error() describes every failure. A
 * failure inside a transaction undoes nothing: the caller rolls back.
 */
#include "ledger/store.h"
#include "base/clock.h"
#include "ledger/store_engine.h"
#include "ledger/store_stop.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct store_rows {
    struct store *store;
    void *cursor;
    enum status status;
};

bool store_only_adds(const struct store *s)
{
    return s->only_adds;
}

struct store *store_close(struct store *s)
{
    if (s) {
        if (s->in_transaction)
            store_rollback(s);
        record_packer_free(s->packer);
        s->engine->close(s);
        free(s);
    }
    return NULL;
}

bool store_is_shared(const struct store *s)
{
    return s->engine->shared;
}

const char *store_error(const struct store *s)
{
    return s->error;
}

void store_note(struct store *s, const char *error)
{
    snprintf(s->error, sizeof s->error, "%s", error);
}

static struct record_packer *packer(struct store *s)
{
    if (!s->packer)
        s->packer = record_packer_new();
    return s->packer;
}

enum status store_collect(struct store *s, struct store_value v[STORE_PARAMETERS], size_t *n, const char *types,
                          va_list ap)
{
    for (*n = 0; types[*n]; ++*n) {
        if (*n == STORE_PARAMETERS || !strchr("tzi", types[*n])) {
            snprintf(s->error, sizeof s->error, "parameters \"%s\" of a statement", types);
            return STATUS_INVALID;
        }
        v[*n] = (struct store_value){.is_number = types[*n] == 'i'};
        if (v[*n].is_number)
            v[*n].number = va_arg(ap, int64_t);
        else
            v[*n].text = va_arg(ap, const char *);
        if (types[*n] == 'z' && v[*n].text && packer(s))
            v[*n].text = record_pack(s->packer, v[*n].text);
    }
    return STATUS_OK;
}

/* A transaction that lasts too long after the program was told to end is not gone on with. */
static bool is_cut_off(struct store *s)
{
    if (!s->in_transaction || !store_stop_now(s->began_ms))
        return false;
    snprintf(s->error, sizeof s->error, "a transaction was cut off: this program was told to end");
    return true;
}

enum status store_run(struct store *s, int64_t *changed, const char *sql, const char *types, ...)
{
    struct store_value v[STORE_PARAMETERS];
    size_t n;
    va_list ap;
    if (is_cut_off(s))
        return STATUS_AGAIN;
    va_start(ap, types);
    enum status st = store_collect(s, v, &n, types, ap);
    va_end(ap);
    return st == STATUS_OK ? s->engine->run(s, sql, v, n, changed) : st;
}

enum status store_run_values(struct store *s, int64_t *changed, const char *sql, const struct store_value *v, size_t n)
{
    return is_cut_off(s) ? STATUS_AGAIN : s->engine->run(s, sql, v, n, changed);
}

struct store_rows *store_ask_values(struct store *s, const char *sql, const struct store_value *v, size_t n)
{
    struct store_rows *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->store = s;
    r->status = is_cut_off(s) ? STATUS_AGAIN : s->engine->ask(s, sql, v, n, &r->cursor);
    return r;
}

static struct store_rows *rows_ask(struct store *s, const char *sql, const char *types, va_list ap)
{
    struct store_value v[STORE_PARAMETERS];
    size_t n;
    enum status st = store_collect(s, v, &n, types, ap);
    if (st == STATUS_OK)
        return store_ask_values(s, sql, v, n);
    struct store_rows *r = calloc(1, sizeof *r);
    if (r)
        *r = (struct store_rows){.store = s, .status = st};
    return r;
}

struct store_rows *store_ask(struct store *s, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    struct store_rows *r = rows_ask(s, sql, types, ap);
    va_end(ap);
    return r;
}

bool store_next(struct store_rows *r)
{
    return r && r->status == STATUS_OK && r->cursor && r->store->engine->next(r->store, r->cursor, &r->status);
}

const char *store_text(const struct store_rows *r, int column)
{
    return r->store->engine->text(r->cursor, column);
}

const char *store_record(struct store_rows *r, int column)
{
    return packer(r->store) ? record_unpack(r->store->packer, store_text(r, column)) : NULL;
}

int64_t store_number(const struct store_rows *r, int column)
{
    return r->store->engine->number(r->cursor, column);
}

enum status store_done(struct store_rows *r)
{
    if (!r)
        return STATUS_NOMEM;
    enum status st = r->status;
    if (r->cursor)
        r->store->engine->done(r->store, r->cursor);
    free(r);
    return st;
}

enum status store_ask_number(struct store *s, int64_t none, int64_t *out, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    struct store_rows *r = rows_ask(s, sql, types, ap);
    va_end(ap);
    int64_t n = none;
    if (store_next(r) && store_text(r, 0))
        n = store_number(r, 0);
    enum status st = store_done(r);
    if (st == STATUS_OK)
        *out = n;
    return st;
}

enum status store_begin(struct store *s)
{
    enum status st = s->engine->begin(s);
    s->in_transaction = st == STATUS_OK;
    s->began_ms = clock_mono_ms();
    return st;
}

enum status store_commit(struct store *s)
{
    s->ended_ms = 0;
    enum status st = s->engine->commit(s);
    if (st != STATUS_OK)
        return st;
    s->in_transaction = false;
    s->held_ms = (s->ended_ms ? s->ended_ms : clock_mono_ms()) - s->began_ms;
    return st;
}

void store_rollback(struct store *s)
{
    s->engine->rollback(s);
    s->in_transaction = false;
}

int64_t store_held_ms(const struct store *s)
{
    return s->held_ms;
}

enum status store_vacuum(struct store *s)
{
    return s->engine->vacuum(s);
}

void store_go_by_keys(struct store *s, bool on)
{
    if (s->engine->go_by_keys)
        s->engine->go_by_keys(s, on);
}

#define WAY_LEAST_US 10000
#define WAY_MOST_US 120000

void store_give_way(const struct store *s, int64_t took_us)
{
    int64_t us = took_us < WAY_LEAST_US ? WAY_LEAST_US : took_us > WAY_MOST_US ? WAY_MOST_US : took_us;
    if (!s->engine->shared)
        nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

void store_shrink(struct store *s)
{
    if (s->engine->shrink)
        s->engine->shrink(s);
}

void store_write_back(struct store *s)
{
    if (s->engine->write_back)
        s->engine->write_back(s);
}

void store_checkpoint(struct store *s)
{
    if (s->engine->checkpoint)
        s->engine->checkpoint(s);
}

/* The name's own dots and signs are not wildcards: everything but letters, digits and the hyphen is escaped. */
#define NAME_OF(parameter)                                                                                             \
    "%s ~* ('(^|[^[:alnum:]_-])' || regexp_replace(" parameter ", '([^[:alnum:]-])', '\\\\\\1', 'g') || "              \
    "'($|[^[:alnum:]_.:-]|[.:]($|[^[:alnum:]_-]))')"

const char *store_mentions(const struct store *s, const char *column, char *out, size_t size)
{
    if (s->engine->shared)
        snprintf(out, size, "(" NAME_OF("$1") " OR ($3 <> $1 AND " NAME_OF("$3") "))", column, column);
    else
        snprintf(out, size, "mentions(%s, $1)", column);
    return out;
}

bool store_is_damaged(const struct store *s)
{
    return s->damaged;
}

void store_note_damage(struct store *s, const char *error)
{
    s->damaged = true;
    store_note(s, error);
}

enum status store_confirm(struct store *s, const char *sql, const char *text)
{
    return s->engine->confirm ? s->engine->confirm(s, sql, text) : STATUS_OK;
}

enum status store_check(struct store *s)
{
    return s->engine->check ? s->engine->check(s) : STATUS_OK;
}

bool store_is_replaced(const struct store *s)
{
    return s->engine->replaced && s->engine->replaced(s);
}
