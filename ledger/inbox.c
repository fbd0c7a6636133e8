// SPDX-License-Identifier: BSD-2-Clause
/*
 * inbox.c - ingests the inbox of a shared ledger into its tables.
 *
 * Promises: each line is ingested once, however often and in whatever pieces it was sent: the position of its segment
 * moves in the transaction that ingests it, and lines before that position are skipped. The row is deleted in the same
 * transaction. Lines that a host may not send, or that the database refuses, change nothing and block nobody. Rows are
 * ingested in the order of their positions; a gap between two (a ledger restored from an old backup) is reported, and
 * what comes after it is ingested. On failure the batch is rolled back, and comes again.
 */
#include "ledger/inbox.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/domain.h"
#include "ledger/ingest_target.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row, without its lines. */
struct parcel {
    char role[128], writer[64], host[256], name[SEGMENT_NAME];
    const char *segment; /* whole, however long: it is how the row is found again */
    int64_t at, upto;
    bool done;
};

struct unpacking {
    struct store *store;
    struct aggregate *aggregate;
    struct ingest_report *report;
    struct parcel parcel;
    struct buf lines, segment;
    struct ingest_batch batch;
};

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static void trouble(struct unpacking *u, const char *text)
{
    struct ingest_report *r = u->report;
    if (!r->first_trouble[0])
        snprintf(r->first_trouble, sizeof r->first_trouble, "inbox, from %.100s (role %.60s): %.180s", u->parcel.host,
                 u->parcel.role, text);
}

/* The next row in order, after `last` (NULL: the first). STATUS_MISSING: no more. */
static enum status next_parcel(struct unpacking *u)
{
    struct store_rows *r =
        store_ask(u->store,
                  "SELECT role, segment, writer, host, name, at, upto, done, encode(lines, 'base64') FROM inbox "
                  "WHERE refused IS NULL ORDER BY segment, at, upto, done, role LIMIT 1",
                  "");
    bool have = store_next(r);
    if (have) {
        struct parcel *p = &u->parcel;
        copy(p->role, sizeof p->role, store_text(r, 0));
        buf_reset(&u->segment);
        buf_adds(&u->segment, store_text(r, 1));
        buf_addc(&u->segment, '\0');
        p->segment = u->segment.p;
        copy(p->writer, sizeof p->writer, store_text(r, 2));
        copy(p->host, sizeof p->host, store_text(r, 3));
        copy(p->name, sizeof p->name, store_text(r, 4));
        p->at = store_number(r, 5);
        p->upto = store_number(r, 6);
        p->done = store_number(r, 7) != 0;
        buf_reset(&u->lines);
        base64_decode(&u->lines, slice_str(store_text(r, 8)));
    }
    enum status st = store_done(r);
    return st == STATUS_OK && !have                                    ? STATUS_MISSING
           : st == STATUS_OK && (u->lines.failed || u->segment.failed) ? STATUS_NOMEM
                                                                       : st;
}

/* NULL: this role may send this. */
static enum status why_not(struct unpacking *u, const char **why)
{
    const struct parcel *p = &u->parcel;
    int64_t allowed = 0, foreign = 0;
    enum status st = store_ask_number(
        u->store, 0, &allowed, "SELECT count(*) FROM inbox_host WHERE role = $1 AND host = $2", "tt", p->role, p->host);
    if (st == STATUS_OK)
        st = store_ask_number(u->store, 0, &foreign, "SELECT count(*) FROM segment WHERE id = $1 AND host <> $2", "tt",
                              p->segment, p->host);
    *why = !allowed  ? "this role may not send for this host (assay ledger admit HOST --role ROLE lets it)"
           : foreign ? "its segment is another host's"
           : strlen(p->segment) >= SEGMENT_ID * 4 ? "its segment's name is not valid"
           : p->at < 0 || p->upto < p->at || p->upto > INBOX_PLACE_MAX
               ? "it ends before it begins, or where no file ends"
               : NULL;
    return st;
}

/* "!N": N octets. */
static bool number_of(struct slice line, int64_t *out)
{
    *out = 0;
    for (size_t i = 1; i < line.n && i < 17; i++) {
        if (line.p[i] < '0' || line.p[i] > '9')
            return false;
        *out = *out * 10 + (line.p[i] - '0');
    }
    return *out > 0 && line.n < 17;
}

static enum status take_line(void *arg, struct slice line)
{
    struct unpacking *u = arg;
    struct record r;
    char why[160];
    if (record_parse(line, &r, why) != STATUS_OK) {
        u->batch.bad++;
        return STATUS_OK;
    }
    enum status st = STATUS_OK;
    if (!r.host || strcmp(r.host, u->parcel.host) != 0) {
        u->batch.bad++;
        trouble(u, "a line in another host's name was left out");
    } else {
        u->batch.records += r.kind != RECORD_SEGMENT && r.kind != RECORD_END;
        st = ingest_record(u->store, u->aggregate, &r, line);
    }
    record_free(&r);
    return st;
}

enum status inbox_lines(struct slice text, int64_t at, int64_t from, struct inbox_reader *reader, int64_t *end)
{
    enum status st = STATUS_OK;
    *end = at;
    while (text.n && st == STATUS_OK) {
        const char *newline = memchr(text.p, '\n', text.n);
        if (!newline)
            return STATUS_INVALID;
        struct slice line = slice_of(text.p, (size_t)(newline - text.p));
        int64_t left_out = 0;
        if (line.n && line.p[0] == '!' && !number_of(line, &left_out))
            return STATUS_INVALID;
        if (*end > INBOX_PLACE_MAX - left_out - (int64_t)line.n - 1)
            return STATUS_INVALID;
        *end += left_out ? left_out : (int64_t)line.n + 1;
        if (*end > from && left_out)
            reader->left_out++;
        else if (*end > from)
            st = reader->line(reader->arg, line);
        text = slice_of(newline + 1, text.n - line.n - 1);
    }
    return st;
}

static enum status forget_parcel(struct unpacking *u)
{
    const struct parcel *p = &u->parcel;
    return store_run(u->store, &(int64_t){0},
                     "DELETE FROM inbox WHERE segment = $1 AND at = $2 AND upto = $3 AND done = $4 AND role = $5",
                     "tiiit", p->segment, p->at, p->upto, (int64_t)p->done, p->role);
}

static enum status refuse_parcel(struct unpacking *u, const char *why)
{
    const struct parcel *p = &u->parcel;
    trouble(u, why);
    u->report->aside++;
    store_rollback(u->store);
    aggregate_reset(u->aggregate);
    enum status st = store_begin(u->store);
    if (st == STATUS_OK)
        st = store_run(u->store, &(int64_t){0},
                       /* sent is the host's claim, and the time it is kept counts from it */
                       "UPDATE inbox SET refused = $1, sent = CASE WHEN sent > $2 THEN $2 ELSE sent END WHERE segment "
                       "= $3 AND at = $4 "
                       "AND upto = $5 AND done = $6 AND role = $7",
                       "titiiit", why, clock_wall_us(), p->segment, p->at, p->upto, (int64_t)p->done, p->role);
    return st == STATUS_OK ? store_commit(u->store) : st;
}

/* Ingests its lines and moves its segment's position; *other: another process did it meanwhile. */
static enum status unpack(struct unpacking *u, const char **why, bool *other)
{
    const struct parcel *p = &u->parcel;
    struct ingest_place place = {.at = p->at};
    int64_t end = p->at;
    bool moved = true;
    u->batch = (struct ingest_batch){.done = p->done};
    enum status st = ingest_place_make(u->store, p->segment, p->host, p->writer, p->name, p->at);
    if (st == STATUS_OK)
        st = ingest_place_read(u->store, p->segment, &place);
    if (st != STATUS_OK)
        return st;
    if (p->at > place.at && !place.done)
        trouble(u, "octets before this piece are missing; it is ingested all the same");
    struct inbox_reader reader = {.line = take_line, .arg = u};
    st = place.done ? STATUS_OK : inbox_lines(buf_slice(&u->lines), p->at, place.at, &reader, &end);
    u->batch.bad += reader.left_out;
    if (st == STATUS_INVALID || (st == STATUS_OK && !place.done && end != p->upto)) {
        *why = "its lines do not add up to its place";
        return STATUS_OK;
    }
    bool news = !place.done && (p->upto > place.at || p->done);
    u->batch.to = (off_t)(p->upto > place.at ? p->upto : place.at);
    if (st == STATUS_OK && news)
        st = ingest_place_move(u->store, p->segment, place.at, &u->batch, &moved);
    if (st == STATUS_OK && moved && news)
        st = aggregate_flush(u->aggregate, u->store);
    *other = !moved;
    return st;
}

static enum status take_parcel(struct unpacking *u)
{
    const char *why = NULL;
    char refusal[STORE_ERROR];
    bool other = false;
    enum status st = why_not(u, &why);
    if (st == STATUS_OK && !why)
        st = unpack(u, &why, &other);
    if (st == STATUS_OK && !why && !other)
        st = forget_parcel(u);
    if (st == STATUS_OK && !why && !other)
        st = store_commit(u->store);
    if (st == STATUS_LIMIT) { /* it would fail for ever, and block all rows after it */
        snprintf(refusal, sizeof refusal, "%s", store_error(u->store));
        why = refusal;
    }
    if (why && (st == STATUS_OK || st == STATUS_LIMIT))
        return refuse_parcel(u, why);
    if (st != STATUS_OK || other) {
        store_rollback(u->store);
        aggregate_reset(u->aggregate);
        return st;
    }
    u->report->records += (uint64_t)u->batch.records;
    u->report->bad += (uint64_t)u->batch.bad;
    u->report->segments += u->parcel.done;
    return STATUS_OK;
}

enum status inbox_take(struct store *s, const struct organisation_lists *lists, bool (*stop)(void),
                       struct ingest_report *report)
{
    struct unpacking u = {.store = s, .report = report, .lines = BUF_INIT, .segment = BUF_INIT};
    if (!store_is_shared(s))
        return STATUS_OK;
    enum status st = (u.aggregate = aggregate_new()) ? STATUS_OK : STATUS_NOMEM;
    if (u.aggregate)
        aggregate_set_lists(u.aggregate, lists);
    while (st == STATUS_OK && !(stop && stop())) {
        st = store_begin(s);
        if (st == STATUS_OK) /* one process at a time: two would work on the same row */
            st = store_run(s, &(int64_t){0}, "SELECT pg_advisory_xact_lock(4155536)", "");
        if (st == STATUS_OK)
            st = next_parcel(&u);
        if (st == STATUS_OK)
            st = take_parcel(&u);
        else
            store_rollback(s);
    }
    aggregate_free(u.aggregate);
    buf_release(&u.lines);
    buf_release(&u.segment);
    return st == STATUS_MISSING ? STATUS_OK : st;
}

/* ---- for the owner ---- */

static bool is_role(const char *role)
{
    size_t n = strlen(role);
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)role[i]) && role[i] != '_' && !(i && isdigit((unsigned char)role[i])))
            return false;
    return n > 0 && n < 64; /* PostgreSQL's NAMEDATALEN */
}

static bool is_host(const char *host)
{
    size_t n = strlen(host);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
            return false;
    return n > 0 && n <= LIMIT_DOMAIN;
}

/* Aborts the transaction if the role can do more than intended: by itself, as a member of another, as PUBLIC. */
static void put_check(const char *role, struct buf *out)
{
    buf_printf(out,
               "DO $$ DECLARE it text; BEGIN\n"
               "  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '%s' AND (rolsuper OR rolcreaterole OR rolcreatedb "
               "OR rolbypassrls)) THEN\n"
               "    RAISE EXCEPTION 'the role %s is one of the powerful: make another for this host'; END IF;\n"
               "  IF has_schema_privilege('%s', current_schema(), 'CREATE') THEN\n"
               "    RAISE EXCEPTION 'the role %s may make tables here: REVOKE CREATE ON SCHEMA %% FROM PUBLIC, or from "
               "who it is a "
               "member of', current_schema(); END IF;\n",
               role, role, role, role);
    buf_printf(
        out,
        "  SELECT c.relname INTO it FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND "
        "c.relkind IN ('r', 'p')\n"
        "    AND (has_table_privilege('%s', c.oid, 'SELECT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')\n"
        "      OR (c.relname NOT IN ('inbox', 'exception') AND has_table_privilege('%s', c.oid, 'INSERT'))) LIMIT 1;\n"
        "  IF FOUND THEN RAISE EXCEPTION 'the role %s may do more than add to the inbox, with the table %% at least: "
        "it is its "
        "owner, or a member of a role that may, or PUBLIC may', it; END IF;\n"
        "END $$;\n",
        role, role, role);
}

bool inbox_grant(const char *role, const char *host, struct buf *out, const char **why)
{
    *why = !is_role(role)
               ? "a role's name is of small letters, digits and underscores, at most 63, and begins with a letter"
           : !is_host(host)
               ? "a host's name is of letters, digits, hyphens and dots, as the host itself says it (uname -n)"
               : NULL;
    if (*why)
        return false;
    buf_printf(
        out,
        "-- Lets the role %s add to this ledger for the host %s, and nothing else. To be run by the ledger's owner,\n"
        "-- who must be allowed to make roles (CREATEROLE) where this one is not there yet. Then give it a password "
        "(\\password %s) or a line in pg_hba.conf, and "
        "on\n"
        "-- the host: set ledger.store \"postgresql://%s@SERVER/DATABASE\"\n"
        "-- All of it, or nothing: psql ends at the first error.\n"
        "\\set ON_ERROR_STOP on\n"
        "BEGIN;\n"
        "DO $$ BEGIN\n"
        "  IF to_regclass('inbox') IS NULL THEN\n"
        "    RAISE EXCEPTION 'there is no ledger in the database %%', current_database()\n"
        "      USING HINT = 'Start assay-ledger first where the ledger''s owner is, with set ledger.store of this "
        "database: it makes the tables.'; END IF;\n"
        "  IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = to_regclass('inbox')), 'USAGE') THEN\n"
        "    RAISE EXCEPTION '%% is not the owner of this ledger', current_user\n"
        "      USING HINT = 'Run this as ' || (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = "
        "to_regclass('inbox')) || ': psql -U ...'; END IF;\n"
        "END $$;\n"
        "DO $$ BEGIN\n"
        "  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%s') THEN\n"
        "    IF NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN\n"
        "      RAISE EXCEPTION 'role %s is not there, and %% may not make it', current_user\n"
        "        USING HINT = 'Let an administrator run: CREATE ROLE %s LOGIN (or ALTER ROLE ' || current_user || ' "
        "CREATEROLE), then run this again.'; END IF;\n"
        "    CREATE ROLE %s LOGIN; END IF;\n"
        "  EXECUTE format('GRANT USAGE ON SCHEMA %%I TO %s', current_schema());\n"
        "END $$;\n"
        "-- What the role could do before, if it was there; whatever it can do by way of others ends this, below.\n"
        "DO $$ BEGIN EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %%I FROM %s', current_schema()); END $$;\n"
        "GRANT INSERT ON inbox, exception TO %s;\n"
        "INSERT INTO inbox_host (role, host) VALUES ('%s', '%s') ON CONFLICT DO NOTHING;\n",
        role, host, role, role, role, role, role, role, role, role, role, role, host);
    put_check(role, out);
    buf_adds(out, "COMMIT;\n");
    return !out->failed;
}
