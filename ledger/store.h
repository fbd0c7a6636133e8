// SPDX-License-Identifier: BSD-2-Clause
/*
 * store.h - the ledger's database: SQLite in a file, or PostgreSQL, behind one set of calls and one schema
 * (store_schema.c).
 *
 * SQL is written once for both: parameters are $1, $2, ... and appear first in that order; only what both understand is
 * used (INSERT ... ON CONFLICT, plain aggregates). Statements are prepared once each and kept.
 *
 * Status everywhere: STATUS_OK; STATUS_AGAIN: may succeed later (busy, disk full, server away, deadlock: roll back and
 * do the whole transaction again); STATUS_INVALID: the statement is wrong, or the database is not ours; STATUS_DENIED;
 * STATUS_MISSING: no such file (STORE_READ); STATUS_LIMIT: the schema is of a newer version than this program, or a
 * value is longer or larger than this database takes. store_error() then describes it.
 *
 * Threads: a store belongs to one thread at a time. Any number of processes may share a database.
 */
#ifndef ASSAY_LEDGER_STORE_H
#define ASSAY_LEDGER_STORE_H

#include "base/status.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_ERROR 400
#define STORE_PARAMETERS 32

enum store_mode {
    STORE_READ,  /* for queries: the database must exist; nothing is ever written */
    STORE_WRITE, /* created, and upgraded to the current schema, if needed */
};

struct store;

/* where: a file's path, or a libpq URI "postgresql://...". NULL on failure; *status (may be NULL) and why (STORE_ERROR
 * octets) say how. */
struct store *store_open(const char *where, enum store_mode mode, enum status *status, char *why);
struct store *store_close(struct store *s); /* NULL is allowed */

/* Tells whether `where` can be read as the place of a store; that it can be opened is another matter. */
bool store_name_is_valid(const char *where, char why[STORE_ERROR]);

bool store_is_shared(const struct store *s); /* PostgreSQL: other hosts write to it too */

/* STORE_WRITE with a role that may only add to a shared ledger (inbox.h): whatever its schema's version is, as long as
 * it has an inbox. STORE_READ with such a role fails, STATUS_DENIED. */
bool store_only_adds(const struct store *s);
const char *store_error(const struct store *s);
void store_note(struct store *s, const char *error); /* for a caller that has something else to say */

/* Runs a statement that returns no rows. types: one letter for each parameter: t (const char *, NULL: null), i
 * (int64_t), z (as t: a journal's record, which is stored compressed, record_pack.h; one in a statement). *changed (may
 * be NULL): rows changed. Within store_batch a NULL `changed` lets PostgreSQL take statements without waiting for each;
 * a failure then shows at store_commit at the latest. */
enum status store_run(struct store *s, int64_t *changed, const char *sql, const char *types, ...) MUST_CHECK;

/* The parameters of a statement that is run later. */
struct store_value {
    const char *text; /* NULL with is_number false: null */
    int64_t number;
    bool is_number;
};

/* Puts them where store_run_values() takes them from. Texts stay the caller's, but the one of 'z': it is packed here,
 * and good until the next record is. */
enum status store_collect(struct store *s, struct store_value v[STORE_PARAMETERS], size_t *n, const char *types,
                          va_list ap) MUST_CHECK;
enum status store_run_values(struct store *s, int64_t *changed, const char *sql, const struct store_value *v,
                             size_t n) MUST_CHECK;

/* Runs a query. store_next then returns its rows; store_done must follow, whether all rows were read or not. */
struct store_rows;
struct store_rows *store_ask(struct store *s, const char *sql, const char *types, ...);
struct store_rows *store_ask_values(struct store *s, const char *sql, const struct store_value *v, size_t n);
bool store_next(struct store_rows *r);
const char *store_text(const struct store_rows *r, int column); /* NULL: null; valid until the next store_next */
int64_t store_number(const struct store_rows *r, int column);   /* 0: null */
/* A journal's record, unpacked. NULL: null, or damaged. Good until the next one of this store. */
const char *store_record(struct store_rows *r, int column);
enum status
store_done(struct store_rows *r) MUST_CHECK; /* the status of the whole query; NULL (out of memory): STATUS_NOMEM */

/* SQLite: true if the file at the store's path has been replaced or removed. What is written to this store is then
 * lost, and it must be opened again. */
bool store_is_replaced(const struct store *s);

/* True once the database said that its file is damaged (a page, an index, the schema): nothing more should be written
 * to it before a backup is restored. store_error() of the failure says which file, in which statement, and what to do.
 */
bool store_is_damaged(const struct store *s);
void store_note_damage(struct store *s, const char *error); /* another store of the same file found it */

/* SQLite: asks the file at the store's path as another program would, with nothing of it in memory: STATUS_OK if the
 * query, with `text` as its parameter, has a row, STATUS_MISSING if it has none. Another database: STATUS_OK. */
enum status store_confirm(struct store *s, const char *sql, const char *text) MUST_CHECK;

/* SQLite: reads the whole file, and says whether it is damaged (STATUS_INVALID): slow. */
enum status store_check(struct store *s) MUST_CHECK;

/* Reads one number from one row; `none` if there is no row, or if it is null. */
enum status store_ask_number(struct store *s, int64_t none, int64_t *out, const char *sql, const char *types,
                             ...) MUST_CHECK;

/* Transactions do not nest. store_begin locks out other writers on SQLite (waits up to 30 s for them). */
enum status store_begin(struct store *s) MUST_CHECK;
enum status store_commit(struct store *s) MUST_CHECK;
void store_rollback(struct store *s);

/* How long the last transaction that was committed kept other writers of a SQLite file out, in ms: without the wait for
 * the lock before it, and without the checkpoint after it, which keeps nobody out. */
int64_t store_held_ms(const struct store *s);

/* After retention. On SQLite: gives the space back that was freed, in small steps, and empties the write-ahead log, so
 * that what was deleted is in no file any more (if a reader still uses it, the next call tries again); on PostgreSQL:
 * keeps the queries fast. Outside of transactions. */
enum status store_vacuum(struct store *s) MUST_CHECK;

/* While it is on, PostgreSQL reads by an index wherever there is one. For work that goes through tables in steps: its
 * planner would read a whole table for a step that is a small part of it, and so for each step. Outside of
 * transactions. */
void store_go_by_keys(struct store *s, bool on);

/* For a program that writes much and asks little: on SQLite keeps fewer pages in memory. */
void store_shrink(struct store *s);

/* After each step of a long work: on SQLite, where the write-ahead log has grown long, writes its pages into the file,
 * so that it takes little of a nearly full disk. What was deleted may still be read in the log. */
void store_write_back(struct store *s);

/* After the last step on each table: on SQLite empties the write-ahead log, if no reader holds it, so that what was
 * deleted is nowhere. Keeps writers out while it waits for the disk. */
void store_checkpoint(struct store *s);

/* Between two steps of a long deletion, each a transaction of its own that took so many microseconds: on SQLite lets
 * those in who wait for the file: they ask every few milliseconds, and one who took the lock again at once would keep
 * them out until it is done. */
void store_give_way(const struct store *s, int64_t took_us);

/* SQL for "this column's text mentions parameter $1", or on PostgreSQL $3, its form for people (domain_to_unicode): as a
 * whole name, in any case, with names below it (mention.h). */
const char *store_mentions(const struct store *s, const char *column, char *out, size_t size);

/* PostgreSQL keeps mails in a partition for each month: creates those between two days, and drops those that end before
 * a given time. Outside of transactions. On SQLite it does nothing. */
#define STORE_MONTHS_AHEAD_DAYS 62
enum status store_months(struct store *s, int64_t from_day, int64_t to_day) MUST_CHECK;
enum status store_drop_months(struct store *s, int64_t before) MUST_CHECK;

/* The version of the schema that this program knows. store_migrate brings the database to it (in one transaction;
 * several processes may try at once). */
#define STORE_SCHEMA_VERSION 15
enum status store_migrate(struct store *s, bool may_write) MUST_CHECK;

#endif
