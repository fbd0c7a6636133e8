// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_pg.c - the store in PostgreSQL, by libpq.
 *
 * Promises the same answers as store_sqlite.c. Statements without rows are sent in libpq's pipeline mode inside a
 * transaction, and their results are read in blocks of PIPELINE, so that ingesting does not wait for a round trip per
 * row. A failure among them is reported by the next statement that waits, at the latest by store_commit, and the caller
 * must then roll back. STATUS_AGAIN stands for a server that is not available, a deadlock or a failed serialisation;
 * the next store_begin connects again. Rows come one by one (libpq's single-row mode), so that a question about all
 * mails needs no more memory than one about ten; those that are still on their way when the next statement is sent are
 * kept until they are asked for. A statement is waited for in short steps: one that is cut off (store_stop.h) is
 * cancelled at the server, and if that does not help the connection is closed. A server that cannot be reached any more
 * is noticed within half a minute (TCP keep-alive) if the URI does not say otherwise. Passwords in the URI never reach
 * an error text.
 */
#include "base/clock.h"
#include "ledger/store_engine.h"
#include "ledger/store_lease.h"
#include "ledger/store_stop.h"
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KEPT 128 /* prepared statements; one more takes the place of the one that was not used for longest */
#define PIPELINE 256
#define LOOK_MS 100 /* while an answer is waited for: whether to end */

/* A server whose host vanished, or to which a firewall forgot the way, answers nothing, not even that: without these
 * TCP gives it two hours, or a quarter of one for what was sent. Own; together some 20 s, in seconds and milliseconds.
 * The server's side is asked for the same, so that a session of ours that it cannot reach holds no lock for hours. */
#define ALIVE_IDLE "10"
#define ALIVE_INTERVAL "5"
#define ALIVE_COUNT "2"
#define ALIVE_UNACKNOWLEDGED "20000"
#define SESSION                                                                                                        \
    "-c client_min_messages=warning -c timezone=UTC -c tcp_keepalives_idle=" ALIVE_IDLE                                \
    " -c tcp_keepalives_interval=" ALIVE_INTERVAL " -c tcp_keepalives_count=" ALIVE_COUNT

struct kept {
    char *sql;
    const char *asked; /* the pointer it was asked by last: constant texts are found without comparing all of them */
    uint64_t used;     /* the largest number was used last */
};

struct pg {
    PGconn *connection;
    char *uri;
    char place[128];        /* for people: host and database only */
    struct kept kept[KEPT]; /* statement i is prepared under the name "s<i>" */
    uint64_t uses;
    unsigned queued; /* sent, result not read yet */
    enum status queue_status;
    bool by_keys;           /* store_go_by_keys() */
    struct cursor *arrives; /* its rows are on their way, and nothing else can be sent; or NULL */
};

struct cursor {
    PGresult *result; /* the present row, or several */
    int row;          /* of it */
    PGresult *rest;   /* what keep_rows() has taken in */
    enum status end;  /* what the server said behind the last row */
};

static enum status status_of_state(const char *state)
{
    if (!state || strncmp(state, "08", 2) == 0 || strncmp(state, "40", 2) == 0 || strncmp(state, "53", 2) == 0 ||
        strncmp(state, "57", 2) == 0 || strncmp(state, "55", 2) == 0)
        return STATUS_AGAIN; /* connection, rollback, resources, shut-down, lock */
    if (strncmp(state, "28", 2) == 0 || strcmp(state, "42501") == 0 || strncmp(state, "25", 2) == 0)
        return STATUS_DENIED;
    if (strncmp(state, "22", 2) == 0 || strncmp(state, "54", 2) == 0)
        return STATUS_LIMIT; /* data, program limits */
    return STATUS_INVALID;
}

static enum status pg_report(struct store *s, const PGresult *r)
{
    struct pg *p = s->handle;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!text || !*text)
        text = PQerrorMessage(p->connection);
    int n = (int)strcspn(text, "\n");
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    bool damaged = state && (strcmp(state, "XX001") == 0 || strcmp(state, "XX002") == 0);
    const char *role = state && strcmp(state, "42501") == 0 ? PQuser(p->connection) : NULL;
    snprintf(s->error, sizeof s->error, "%s: %s%.63s%s%.*s%s", p->place, role ? "role " : "", role ? role : "",
             role ? ": " : "", n > 200 ? 200 : n, text,
             damaged ? " (the database is damaged: restore a backup of it, pg_restore)" : "");
    s->damaged |= damaged;
    if (PQstatus(p->connection) != CONNECTION_OK)
        return STATUS_AGAIN;
    return status_of_state(state);
}

static void cancel(PGconn *c)
{
    char words[256];
    PGcancel *k = PQgetCancel(c);
    if (k)
        (void)PQcancel(k, words, sizeof words);
    PQfreeCancel(k);
}

/* The next result, as PQgetResult gives it. to_the_end: never cut off. */
static PGresult *next_result(PGconn *c, bool to_the_end)
{
    int64_t began = clock_mono_ms();
    bool cancelled = false;
    while (PQstatus(c) == CONNECTION_OK && PQisBusy(c)) {
        struct pollfd f = {.fd = PQsocket(c), .events = (short)(POLLIN | (PQflush(c) > 0 ? POLLOUT : 0))};
        if (poll(&f, 1, LOOK_MS) > 0 && !PQconsumeInput(c))
            break;
        if (to_the_end || !store_stop_now(began))
            continue;
        if (cancelled) /* it had as long again */
            (void)shutdown(PQsocket(c), SHUT_RDWR);
        else
            cancel(c);
        cancelled = true;
        began = clock_mono_ms();
    }
    return PQgetResult(c);
}

/* The result of the one statement that was sent (`sent`: what the function that sends it returned). */
static PGresult *only_result(PGconn *c, int sent, bool to_the_end)
{
    PGresult *last = NULL, *r;
    while (sent && (r = next_result(c, to_the_end)) != NULL) {
        bool failed = last && PQresultStatus(last) == PGRES_FATAL_ERROR;
        PQclear(failed ? r : last);
        last = failed ? last : r;
        if (PQstatus(c) != CONNECTION_OK)
            break;
    }
    return last;
}

static bool went_well(const PGresult *r)
{
    ExecStatusType t = PQresultStatus(r);
    return t == PGRES_COMMAND_OK || t == PGRES_TUPLES_OK || t == PGRES_SINGLE_TUPLE || t == PGRES_PIPELINE_SYNC;
}

/* ---- rows that are on their way ---- */

/* The next result of the cursor: a row, or behind the last one what became of the statement. */
static PGresult *arrive(struct store *s)
{
    struct pg *p = s->handle;
    struct cursor *c = p->arrives;
    PGresult *r = next_result(p->connection, false), *more;
    if (PQresultStatus(r) == PGRES_SINGLE_TUPLE)
        return r;
    c->end = went_well(r) ? STATUS_OK : pg_report(s, r);
    p->arrives = NULL;
    while (r && (more = next_result(p->connection, false)) != NULL)
        PQclear(more);
    return r;
}

static bool add_row(PGresult *all, const PGresult *row)
{
    int at = PQntuples(all);
    bool ok = all != NULL;
    for (int i = 0; i < PQnfields(row) && ok; i++) {
        bool null = PQgetisnull(row, 0, i);
        ok = PQsetvalue(all, at, i, null ? NULL : PQgetvalue(row, 0, i), null ? -1 : PQgetlength(row, 0, i));
    }
    return ok;
}

/* Before another statement: the rows that are left are taken into memory. The present one stays where it is, since its
 * texts may be that statement's parameters. */
static void keep_rows(struct store *s)
{
    struct pg *p = s->handle;
    struct cursor *c = p->arrives;
    if (!c)
        return;
    bool ok = true;
    c->rest = PQcopyResult(c->result, PG_COPYRES_ATTRS);
    while (p->arrives) {
        PGresult *r = arrive(s);
        ok = (!p->arrives || add_row(c->rest, r)) && ok;
        PQclear(r);
    }
    if (!ok)
        c->end = STATUS_NOMEM;
}

/* Reads the results of everything that was sent. */
static enum status drain(struct store *s)
{
    struct pg *p = s->handle;
    keep_rows(s);
    if (PQpipelineStatus(p->connection) == PQ_PIPELINE_OFF)
        return STATUS_OK;
    if (!PQpipelineSync(p->connection))
        p->queue_status = pg_report(s, NULL);
    for (bool synced = false; !synced && PQstatus(p->connection) == CONNECTION_OK;) {
        PGresult *r = next_result(p->connection, false);
        if (!r)
            continue; /* between the results of two statements */
        synced = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        if (!went_well(r) && PQresultStatus(r) != PGRES_PIPELINE_ABORTED && p->queue_status == STATUS_OK)
            p->queue_status = pg_report(s, r);
        PQclear(r);
    }
    if (PQstatus(p->connection) != CONNECTION_OK)
        p->queue_status = STATUS_AGAIN;
    else
        PQexitPipelineMode(p->connection);
    p->queued = 0;
    return p->queue_status;
}

static enum status plain(struct store *s, const char *sql)
{
    struct pg *p = s->handle;
    keep_rows(s);
    PGresult *r = only_result(p->connection, PQsendQuery(p->connection, sql), strcmp(sql, "ROLLBACK") == 0);
    enum status st = went_well(r) ? STATUS_OK : pg_report(s, r);
    PQclear(r);
    return st;
}

static struct kept *kept_find(struct pg *p, const char *sql)
{
    for (size_t i = 0; i < KEPT; i++)
        if (p->kept[i].asked == sql && strcmp(p->kept[i].sql, sql) == 0)
            return &p->kept[i];
    for (size_t i = 0; i < KEPT; i++)
        if (p->kept[i].sql && strcmp(p->kept[i].sql, sql) == 0)
            return &p->kept[i];
    return NULL;
}

static void free_kept(struct kept *k)
{
    free(k->sql);
    *k = (struct kept){0};
}

/* Returns a free place; if there is none, that of the statement that was not used for longest, which the server
 * forgets. NULL after an error. */
static struct kept *kept_place(struct store *s, enum status *status)
{
    struct pg *p = s->handle;
    struct kept *oldest = &p->kept[0];
    char sql[48];
    for (size_t i = 0; i < KEPT; i++) {
        if (!p->kept[i].sql)
            return &p->kept[i];
        if (p->kept[i].used < oldest->used)
            oldest = &p->kept[i];
    }
    snprintf(sql, sizeof sql, "DEALLOCATE s%zu", (size_t)(oldest - p->kept));
    *status = plain(s, sql);
    if (*status != STATUS_OK)
        return NULL;
    free_kept(oldest);
    return oldest;
}

static struct kept *pg_keep(struct store *s, const char *sql, size_t n, enum status *status)
{
    struct pg *p = s->handle;
    char name[24];
    *status = drain(s);
    struct kept *k = *status == STATUS_OK ? kept_place(s, status) : NULL;
    if (!k)
        return NULL;
    if (!(k->sql = strdup(sql))) {
        *status = STATUS_NOMEM;
        snprintf(s->error, sizeof s->error, "out of memory");
        return NULL;
    }
    snprintf(name, sizeof name, "s%zu", (size_t)(k - p->kept));
    PGresult *r = only_result(p->connection, PQsendPrepare(p->connection, name, sql, (int)n, NULL), false);
    *status = went_well(r) ? STATUS_OK : pg_report(s, r);
    PQclear(r);
    if (*status == STATUS_OK)
        return k;
    free_kept(k);
    return NULL;
}

/* The name of the prepared statement; NULL after an error. */
static const char *prepared(struct store *s, const char *sql, size_t n, char name[24], enum status *status)
{
    struct pg *p = s->handle;
    struct kept *k = kept_find(p, sql);
    if (!k && !(k = pg_keep(s, sql, n, status)))
        return NULL;
    k->asked = sql;
    k->used = ++p->uses;
    snprintf(name, 24, "s%zu", (size_t)(k - p->kept));
    return name;
}

struct texts {
    const char *v[STORE_PARAMETERS];
    char numbers[STORE_PARAMETERS][24];
};

static const char *const *as_texts(struct texts *t, const struct store_value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].is_number)
            snprintf(t->numbers[i], sizeof t->numbers[i], "%" PRId64, v[i].number);
        t->v[i] = v[i].is_number ? t->numbers[i] : v[i].text;
    }
    return t->v;
}

static enum status pg_run(struct store *s, const char *sql, const struct store_value *v, size_t n, int64_t *changed)
{
    struct pg *p = s->handle;
    struct texts t;
    char name[24];
    enum status st = STATUS_AGAIN;
    if (!p->connection || !prepared(s, sql, n, name, &st))
        return st;
    keep_rows(s);
    if (!changed && s->in_transaction) {
        if (PQpipelineStatus(p->connection) == PQ_PIPELINE_OFF && !PQenterPipelineMode(p->connection))
            return pg_report(s, NULL);
        if (!PQsendQueryPrepared(p->connection, name, (int)n, as_texts(&t, v, n), NULL, NULL, 0))
            return pg_report(s, NULL);
        return ++p->queued >= PIPELINE ? drain(s) : STATUS_OK;
    }
    st = drain(s);
    if (st != STATUS_OK)
        return st;
    PGresult *r = only_result(
        p->connection, PQsendQueryPrepared(p->connection, name, (int)n, as_texts(&t, v, n), NULL, NULL, 0), false);
    st = went_well(r) ? STATUS_OK : pg_report(s, r);
    if (changed)
        *changed = strtoll(PQcmdTuples(r), NULL, 10);
    PQclear(r);
    return st;
}

static enum status pg_ask(struct store *s, const char *sql, const struct store_value *v, size_t n, void **cursor)
{
    struct pg *p = s->handle;
    struct texts t;
    char name[24];
    enum status st = STATUS_AGAIN;
    if (!p->connection || !prepared(s, sql, n, name, &st))
        return st;
    st = drain(s);
    if (st != STATUS_OK)
        return st;
    struct cursor *c = calloc(1, sizeof *c);
    if (!c)
        return STATUS_NOMEM;
    *cursor = c;
    c->row = -1;
    if (!PQsendQueryPrepared(p->connection, name, (int)n, as_texts(&t, v, n), NULL, NULL, 0))
        return pg_report(s, NULL);
    (void)PQsetSingleRowMode(p->connection); /* otherwise all rows come as one result, which is as good */
    p->arrives = c;
    c->result = arrive(s);
    return c->end;
}

static bool pg_next(struct store *s, void *cursor, enum status *status)
{
    const struct pg *p = s->handle;
    struct cursor *c = cursor;
    if (++c->row < PQntuples(c->result))
        return true;
    PGresult *more = p->arrives == c ? arrive(s) : c->rest;
    c->rest = NULL;
    if (PQntuples(more) > 0) {
        PQclear(c->result);
        c->result = more;
        c->row = 0;
        return true;
    }
    PQclear(more);
    *status = c->end;
    return false;
}

static const char *pg_text(void *cursor, int column)
{
    struct cursor *c = cursor;
    return PQgetisnull(c->result, c->row, column) ? NULL : PQgetvalue(c->result, c->row, column);
}

static int64_t pg_number(void *cursor, int column)
{
    const char *v = pg_text(cursor, column);
    return v ? strtoll(v, NULL, 10) : 0;
}

static void pg_done(struct store *s, void *cursor)
{
    const struct pg *p = s->handle;
    struct cursor *c = cursor;
    while (p->arrives == c) /* to cancel it would end the transaction */
        PQclear(arrive(s));
    PQclear(c->result);
    PQclear(c->rest);
    free(c);
}

static void pg_forget(struct pg *p)
{
    for (size_t i = 0; i < KEPT; i++)
        free_kept(&p->kept[i]);
    if (p->arrives)
        p->arrives->end = STATUS_AGAIN;
    p->arrives = NULL;
    p->queued = 0;
    p->queue_status = STATUS_OK;
}

/* Nor joins that read their tables from the beginning. */
#define BY_KEYS "SET enable_seqscan = off; SET enable_mergejoin = off; SET enable_hashjoin = off"
#define BY_CHOICE "RESET enable_seqscan; RESET enable_mergejoin; RESET enable_hashjoin"

static enum status connect_it(struct store *s)
{
    struct pg *p = s->handle;
    /* What stands before the URI is what holds where that says nothing. */
    static const char *const keys[] = {"keepalives_idle",
                                       "keepalives_interval",
                                       "keepalives_count",
                                       "tcp_user_timeout",
                                       "dbname",
                                       "connect_timeout",
                                       "application_name",
                                       "options",
                                       NULL};
    const char *values[] = {ALIVE_IDLE,     ALIVE_INTERVAL, ALIVE_COUNT, ALIVE_UNACKNOWLEDGED, p->uri, "10",
                            "assay-ledger", SESSION,        NULL};
    pg_forget(p);
    PQfinish(p->connection);
    p->connection = PQconnectdbParams(keys, values, 1);
    if (!p->connection || PQstatus(p->connection) != CONNECTION_OK) {
        const char *m = p->connection ? PQerrorMessage(p->connection) : "out of memory";
        int n = (int)strcspn(m, "\n");
        snprintf(s->error, sizeof s->error, "%s: %.*s", p->place, n > 220 ? 220 : n, m);
        return strstr(m, "authentication failed") || strstr(m, "permission denied for database") ? STATUS_DENIED
                                                                                                 : STATUS_AGAIN;
    }
    return p->by_keys ? plain(s, BY_KEYS) : STATUS_OK;
}

/* A failure shows at the next statement. */
static void go_by_keys(struct store *s, bool on)
{
    struct pg *p = s->handle;
    if (p->by_keys != on && PQstatus(p->connection) == CONNECTION_OK)
        (void)plain(s, on ? BY_KEYS : BY_CHOICE);
    p->by_keys = on;
}

static enum status pg_begin(struct store *s)
{
    struct pg *p = s->handle;
    if (PQstatus(p->connection) != CONNECTION_OK) {
        enum status st = connect_it(s);
        if (st == STATUS_OK && (st = store_lease_renew(s)) != STATUS_OK) {
            PQfinish(p->connection); /* the next one asks again */
            p->connection = NULL;
        }
        if (st != STATUS_OK)
            return st;
    }
    p->queue_status = STATUS_OK;
    return plain(s, "BEGIN");
}

static enum status pg_commit(struct store *s)
{
    enum status st = drain(s);
    if (st != STATUS_OK)
        return st;
    /* COMMIT of a failed transaction "succeeds" as ROLLBACK: only its command tag shows it. */
    struct pg *p = s->handle;
    PGresult *r = only_result(p->connection, PQsendQuery(p->connection, "COMMIT"), true);
    st = !went_well(r) ? pg_report(s, r) : strcmp(PQcmdStatus(r), "COMMIT") == 0 ? STATUS_OK : STATUS_AGAIN;
    PQclear(r);
    return st;
}

static void rollback(struct store *s)
{
    struct pg *p = s->handle;
    char kept[STORE_ERROR];
    memcpy(kept, s->error, sizeof kept);
    if (PQstatus(p->connection) == CONNECTION_OK) {
        (void)drain(s);
        (void)plain(s, "ROLLBACK");
    }
    p->queue_status = STATUS_OK;
    memcpy(s->error, kept, sizeof kept);
}

/* PostgreSQL frees space by itself (autovacuum). But index-only scans (questions.h) need an up-to-date visibility map,
 * and autovacuum comes late to a table that grows by a few percent a day. */
static enum status vacuum(struct store *s)
{
    return plain(s, "VACUUM (ANALYZE) subject_day");
}

static void close_it(struct store *s)
{
    struct pg *p = s->handle;
    if (s->leases && PQstatus(p->connection) == CONNECTION_OK) /* the server may end the session a little later */
        (void)plain(s, "SELECT pg_advisory_unlock_all()");
    pg_forget(p);
    PQfinish(p->connection);
    free(p->uri);
    free(p);
}

static const struct store_engine engine = {.shared = true,
                                           .close = close_it,
                                           .run = pg_run,
                                           .ask = pg_ask,
                                           .next = pg_next,
                                           .text = pg_text,
                                           .number = pg_number,
                                           .done = pg_done,
                                           .begin = pg_begin,
                                           .commit = pg_commit,
                                           .rollback = rollback,
                                           .vacuum = vacuum,
                                           .go_by_keys = go_by_keys};

/* Host and database of the URI, without user and password. */
static void name_place(struct pg *p)
{
    char *error = NULL;
    const char *host = "local", *db = "";
    PQconninfoOption *options = PQconninfoParse(p->uri, &error);
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0 && o->val)
            host = o->val;
        if (strcmp(o->keyword, "dbname") == 0 && o->val)
            db = o->val;
    }
    snprintf(p->place, sizeof p->place, "postgresql %.60s/%.50s", host, db);
    PQconninfoFree(options);
    PQfreemem(error);
}

/* libpq's own words, unless they repeat the URI, which may have a password. */
bool store_pg_is_uri(const char *uri, char why[STORE_ERROR])
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &error);
    if (!options)
        snprintf(why, STORE_ERROR, "%s", error && !strstr(error, uri) ? error : "libpq cannot read this URI");
    why[strcspn(why, "\n")] = '\0';
    PQconninfoFree(options);
    PQfreemem(error);
    return options != NULL;
}

struct store *store_pg_open(const char *uri, enum store_mode mode, enum status *status, char *why)
{
    (void)mode;
    struct store *s = calloc(1, sizeof *s);
    struct pg *p = calloc(1, sizeof *p);
    if (!s || !p || !(p->uri = strdup(uri))) {
        free(s);
        free(p);
        *status = STATUS_NOMEM;
        snprintf(why, STORE_ERROR, "out of memory");
        return NULL;
    }
    s->engine = &engine;
    s->handle = p;
    name_place(p);
    *status = connect_it(s);
    if (*status == STATUS_OK && mode == STORE_READ)
        *status = plain(s, "SET default_transaction_read_only = on");
    if (*status == STATUS_OK)
        return s;
    snprintf(why, STORE_ERROR, "%s", s->error);
    return store_close(s);
}
