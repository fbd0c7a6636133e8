// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_engine.h - between store.c and the two databases. For these files alone.
 */
#ifndef ASSAY_LEDGER_STORE_ENGINE_H
#define ASSAY_LEDGER_STORE_ENGINE_H

#include "ledger/record_pack.h"
#include "ledger/store.h"

/* The row of ledger_state that asks for store_rebuild(). */
#define STORE_REBUILD_STATE "rebuild"

struct store_engine {
    bool shared;
    void (*close)(struct store *);
    /* queue: may be sent without waiting; changed is NULL then. */
    enum status (*run)(struct store *, const char *sql, const struct store_value *v, size_t n, int64_t *changed);
    enum status (*ask)(struct store *, const char *sql, const struct store_value *v, size_t n, void **cursor);
    bool (*next)(struct store *, void *cursor, enum status *status);
    const char *(*text)(void *cursor, int column);
    int64_t (*number)(void *cursor, int column);
    void (*done)(struct store *, void *cursor);
    enum status (*begin)(struct store *);
    enum status (*commit)(struct store *);
    void (*rollback)(struct store *);
    enum status (*vacuum)(struct store *);
    void (*go_by_keys)(struct store *, bool on);                               /* may be NULL */
    void (*checkpoint)(struct store *);                                        /* may be NULL */
    void (*write_back)(struct store *);                                        /* may be NULL */
    bool (*replaced)(const struct store *);                                    /* may be NULL */
    void (*shrink)(struct store *);                                            /* may be NULL */
    enum status (*check)(struct store *);                                      /* may be NULL */
    enum status (*confirm)(struct store *, const char *sql, const char *text); /* may be NULL */
};

struct store {
    const struct store_engine *engine;
    void *handle;
    bool in_transaction;
    int64_t began_ms; /* the transaction */
    int64_t ended_ms; /* the last one that was committed: when others could write again */
    int64_t held_ms;
    bool only_adds;
    bool damaged;
    unsigned leases;              /* how often the lease was taken and not left (store_lease.h) */
    const char *lease_work;       /* for what */
    int lease;                    /* SQLite: the file that is locked, or -1 */
    bool busy;                    /* somebody else had it */
    struct record_packer *packer; /* made when it is first needed */
    char error[STORE_ERROR];
};

struct store *store_sqlite_open(const char *path, enum store_mode mode, enum status *status, char *why);
struct sqlite3;
/* From now on SQLite opens no file with a second name beside a database, nor one to write to. */
void store_sqlite_guard(void);
struct sqlite3 *store_sqlite_handle(struct store *s); /* for store_backup.c and store_rebuild.c */
/* A statement that is run by that handle begins now: it is cut off by the time it takes (store_stop.h). */
void store_sqlite_begins(struct store *s);
/* "FILE: is damaged (...): what to do", if the code says so. */
bool store_sqlite_damage(struct store *s, int rc, const char *text, const char *statement);
enum status store_sqlite_status(int rc);
/* Gives the new file mode and owner of the one at `path`. */
bool store_give_rights(int fd, const char *path);
/* Syncs the folder that holds the file: names that were changed there are on disk then. */
bool store_sync_folder(const char *path);
bool store_pg_is_uri(const char *uri, char why[STORE_ERROR]);
struct store *store_pg_open(const char *uri, enum store_mode mode, enum status *status, char *why);

#endif
