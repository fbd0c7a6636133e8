// SPDX-License-Identifier: BSD-2-Clause
/*
 * store_schema.c - the tables, once for both databases, and the migrations from version to version.
 *
 * Promises: a database is brought to STORE_SCHEMA_VERSION in one transaction, step by step, by the first process;
 * others wait and find it done. A database of a newer version is refused (STATUS_LIMIT) and left alone, so that an old
 * program cannot damage it during a rolling upgrade. On failure nothing has changed. Conventions: days count from
 * 1970-01-01 (UTC), times are microseconds since then; an empty text is "none" in keys. assay-ledger(8) describes the
 * columns.
 */
#include "ledger/store.h"
#include "base/clock.h"
#include "ledger/dmarc_row.h"
#include "ledger/most_seen_state.h"
#include "ledger/store_convert.h"
#include "ledger/timestamp.h"
#include "ledger/store_engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* $KEYED at the end of a statement: the table is its primary key (SQLite: WITHOUT ROWID). $MONTHLY: on PostgreSQL a
 * partition for each month of t, so that retention drops whole months (store_months). */
#define KEYED " $KEYED"

/* A step for PostgreSQL only. */
#define SHARED "-- shared\n"

#define MONTHS_BACK_DAYS 90

static const char *const version_1[] = {
    "CREATE TABLE segment (id TEXT PRIMARY KEY, host TEXT NOT NULL, writer TEXT NOT NULL, name TEXT NOT NULL, taken_to "
    "BIGINT NOT NULL, "
    "records BIGINT NOT NULL, bad BIGINT NOT NULL, state TEXT NOT NULL, changed BIGINT NOT NULL)" KEYED,
    "CREATE TABLE host (name TEXT PRIMARY KEY, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, mails BIGINT NOT "
    "NULL, "
    "names BIGINT NOT NULL, dropped BIGINT NOT NULL, lost BIGINT NOT NULL)" KEYED,
    "CREATE TABLE mail (t BIGINT NOT NULL, host TEXT NOT NULL, queue_id TEXT, message_id TEXT, source TEXT NOT NULL, "
    "client TEXT, "
    "client_net TEXT, exact BIGINT NOT NULL, helo TEXT, mail_from TEXT, from_domain TEXT, rcpts BIGINT NOT NULL, "
    "action TEXT NOT NULL, would TEXT NOT NULL, statement TEXT, policy TEXT, "
    "record TEXT) $MONTHLY",
    "CREATE INDEX mail_t ON mail (t)",
    "CREATE INDEX mail_queue_id ON mail (queue_id) WHERE queue_id IS NOT NULL",
    "CREATE INDEX mail_message_id ON mail (message_id) WHERE message_id IS NOT NULL",
    "CREATE INDEX mail_from_domain ON mail (from_domain, t)",
    "CREATE INDEX mail_exact ON mail (t) WHERE exact = 1",
    "CREATE INDEX mail_acted ON mail (t) WHERE would <> 'deliver'",
    "CREATE TABLE subject_day (subject TEXT NOT NULL, scope TEXT NOT NULL, standard TEXT NOT NULL, day BIGINT NOT "
    "NULL, result TEXT NOT NULL, "
    "security TEXT NOT NULL, count BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, "
    "PRIMARY KEY (subject, scope, standard, day, result, security))" KEYED,
    /* See questions.h. */
    "CREATE INDEX subject_day_not_passed ON subject_day (standard, result, day, subject, scope, security, count) "
    "WHERE result <> 'pass'",
    "CREATE INDEX subject_day_dnssec ON subject_day (security, day, subject, scope, result, count) "
    "WHERE standard = 'dnssec'",
    "CREATE TABLE standard_hour (hour BIGINT NOT NULL, host TEXT NOT NULL, scope TEXT NOT NULL, standard TEXT NOT "
    "NULL, result TEXT NOT NULL, "
    "security TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (hour, host, scope, standard, result, security))" KEYED,
    "CREATE TABLE standard_day (day BIGINT NOT NULL, scope TEXT NOT NULL, standard TEXT NOT NULL, result TEXT NOT "
    "NULL, "
    "security TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (day, scope, standard, result, security))" KEYED,
    "CREATE TABLE verdict_hour (hour BIGINT NOT NULL, host TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL, "
    "would TEXT NOT NULL, "
    "count BIGINT NOT NULL, PRIMARY KEY (hour, host, source, action, would))" KEYED,
    "CREATE TABLE outcome_day (day BIGINT NOT NULL, standard TEXT NOT NULL, subject TEXT NOT NULL, result TEXT NOT "
    "NULL, level TEXT NOT NULL, "
    "action TEXT NOT NULL, statement TEXT NOT NULL, exemption TEXT NOT NULL, expired TEXT NOT NULL, trust TEXT NOT "
    "NULL, policy TEXT NOT NULL, "
    "count BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, "
    "PRIMARY KEY (day, standard, subject, result, level, action, statement, exemption, expired, trust, policy))" KEYED,
    "CREATE INDEX outcome_day_subject ON outcome_day (subject, day)",
    "CREATE TABLE selector (domain TEXT NOT NULL, selector TEXT NOT NULL, algorithm TEXT NOT NULL, bits BIGINT NOT "
    "NULL, result TEXT NOT NULL, "
    "count BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, PRIMARY KEY (domain, selector, "
    "algorithm, bits, result))" KEYED,
    "CREATE TABLE signer_day (day BIGINT NOT NULL, domain TEXT NOT NULL, passed BIGINT NOT NULL, signed BIGINT NOT "
    "NULL, "
    "PRIMARY KEY (day, domain))" KEYED,
    "CREATE TABLE zone (name TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, algorithm TEXT NOT NULL, bits "
    "BIGINT NOT NULL, "
    "count BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, PRIMARY KEY (name, state))" KEYED,
    "CREATE TABLE dmarc_domain (day BIGINT NOT NULL, domain TEXT NOT NULL, published TEXT NOT NULL, rua TEXT NOT NULL, "
    "seen BIGINT NOT NULL, "
    "PRIMARY KEY (day, domain))" KEYED,
    "CREATE TABLE dmarc_row (day BIGINT NOT NULL, domain TEXT NOT NULL, tuple TEXT NOT NULL, count BIGINT NOT NULL, "
    "PRIMARY KEY (day, domain, tuple))" KEYED,
    "CREATE TABLE report_out (day BIGINT NOT NULL, domain TEXT NOT NULL, destination TEXT NOT NULL, report_id TEXT NOT "
    "NULL, state TEXT NOT NULL, "
    "tries BIGINT NOT NULL, next_try BIGINT NOT NULL, reason TEXT NOT NULL, rows BIGINT NOT NULL, octets BIGINT NOT "
    "NULL, "
    "claimed_by TEXT NOT NULL, changed BIGINT NOT NULL, PRIMARY KEY (day, domain, destination))" KEYED,
    "CREATE TABLE report_in (kind TEXT NOT NULL, org TEXT NOT NULL, report_id TEXT NOT NULL, domain TEXT NOT NULL, "
    "begins BIGINT NOT NULL, "
    "ends BIGINT NOT NULL, policy TEXT NOT NULL, file TEXT NOT NULL, taken BIGINT NOT NULL, PRIMARY KEY (kind, org, "
    "report_id, domain))" KEYED,
    "CREATE TABLE report_in_row (kind TEXT NOT NULL, org TEXT NOT NULL, report_id TEXT NOT NULL, domain TEXT NOT NULL, "
    "row BIGINT NOT NULL, "
    "source TEXT NOT NULL, result TEXT NOT NULL, dkim TEXT NOT NULL, spf TEXT NOT NULL, header_from TEXT NOT NULL, "
    "detail TEXT NOT NULL, "
    "count BIGINT NOT NULL, PRIMARY KEY (kind, org, report_id, domain, row))" KEYED,
    NULL,
};

/* What the exceptions of each policy were: outcome_day names them by policy and id only, and a policy changes. The
 * indexes are for the questions how often one was used. */
static const char *const version_2[] = {
    "CREATE TABLE exception (policy TEXT NOT NULL, statement TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL, "
    "because TEXT NOT NULL, agreed_by TEXT NOT NULL, ref TEXT NOT NULL, until BIGINT NOT NULL, day BIGINT NOT NULL, "
    "PRIMARY KEY (policy, statement))" KEYED,
    "CREATE INDEX exception_scope ON exception (scope, kind, policy, statement)",
    "CREATE INDEX outcome_day_exemption ON outcome_day (policy, exemption, standard, count, last_seen) "
    "WHERE exemption <> ''",
    "CREATE INDEX outcome_day_trust ON outcome_day (policy, trust, count, last_seen) WHERE trust <> ''",
    NULL,
};

/* How many mails a sent report contained: what came later is late (dmarc_late.h). 0: not known. */
static const char *const version_3[] = {
    "ALTER TABLE report_out ADD COLUMN mails BIGINT NOT NULL DEFAULT 0",
    NULL,
};

/* Failure reports: one row for each that was claimed (dmarc_failure.h). */
static const char *const version_4[] = {
    "CREATE TABLE failure_out (destination TEXT NOT NULL, report_id TEXT NOT NULL, day BIGINT NOT NULL, domain TEXT "
    "NOT "
    "NULL, state TEXT NOT NULL, tries BIGINT NOT NULL, next_try BIGINT NOT NULL, reason TEXT NOT NULL, "
    "PRIMARY KEY (destination, report_id))" KEYED,
    "CREATE INDEX failure_out_day ON failure_out (day, destination)",
    NULL,
};

/* What hosts that may only add have sent, and who may speak for whom (inbox.h). The index is for failure reports:
 * which mails of the last hours want one (dmarc_failure_run.c). */
static const char *const version_5[] = {
    "CREATE INDEX mail_ruf ON mail (t) WHERE record LIKE '%\"ruf\":\"%'",
    SHARED "CREATE TABLE inbox (segment TEXT NOT NULL, at BIGINT NOT NULL, upto BIGINT NOT NULL, done BIGINT NOT NULL, "
           "role TEXT NOT NULL DEFAULT session_user, writer TEXT NOT NULL, host TEXT NOT NULL, name TEXT NOT NULL, "
           "sent BIGINT NOT NULL, lines BYTEA NOT NULL, refused TEXT, PRIMARY KEY (segment, at, upto, done, role))",
    SHARED "ALTER TABLE inbox ENABLE ROW LEVEL SECURITY",
    SHARED "CREATE POLICY inbox_as_oneself ON inbox FOR INSERT WITH CHECK (role = session_user AND refused IS NULL AND "
           "octet_length(lines) <= 8388608)",
    SHARED "CREATE TABLE inbox_host (role TEXT NOT NULL, host TEXT NOT NULL, PRIMARY KEY (role, host))",
    NULL,
};

/* Which hosts brought mails on a later day than that of the mails: with after = 1 once a report about them had gone
 * out, so that they are in none (dmarc_late.h). */
static const char *const version_6[] = {
    "CREATE TABLE dmarc_behind (day BIGINT NOT NULL, domain TEXT NOT NULL, host TEXT NOT NULL, after BIGINT NOT NULL, "
    "count BIGINT NOT NULL, PRIMARY KEY (day, domain, host, after))" KEYED,
    NULL,
};

/* Numbers of the ledger about itself (retention_clock.c); records whose time has not come yet (ingest_ahead.c); of
 * reports that others sent: whether they are about a domain of ours (0: about others), whether their sender was
 * authenticated (-1: not known), and what is missing of them. */
static const char *const version_7[] = {
    "CREATE TABLE ledger_state (name TEXT PRIMARY KEY, number BIGINT NOT NULL)" KEYED,
    "CREATE TABLE ahead (t BIGINT NOT NULL, number BIGINT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (t, number))" KEYED,
    "ALTER TABLE report_in ADD COLUMN ours BIGINT NOT NULL DEFAULT 1",
    "ALTER TABLE report_in ADD COLUMN authenticated BIGINT NOT NULL DEFAULT -1",
    "ALTER TABLE report_in ADD COLUMN partial TEXT NOT NULL DEFAULT ''",
    NULL,
};

/* Every policy of a domain that was applied on a day (mark: ingest_policy_mark; dmarc_domain has the last one); domains
 * that are no strangers, by day (how: "passed", an aligned pass of DMARC; "written", a user of ours wrote to it); who
 * sent us a report, and how large it was. */
static const char *const version_8[] = {
    "CREATE TABLE dmarc_policy (day BIGINT NOT NULL, domain TEXT NOT NULL, mark TEXT NOT NULL, published TEXT NOT "
    "NULL, PRIMARY KEY (day, domain, mark))" KEYED,
    "CREATE TABLE correspondent (domain TEXT NOT NULL, how TEXT NOT NULL, day BIGINT NOT NULL, PRIMARY KEY (domain, "
    "how, day))" KEYED,
    "CREATE INDEX correspondent_day ON correspondent (day)",
    "INSERT INTO correspondent (domain, how, day) SELECT domain, 'passed', day FROM signer_day WHERE passed > 0",
    "ALTER TABLE report_in ADD COLUMN sender TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE report_in ADD COLUMN octets BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX report_in_sender ON report_in (sender, taken)",
    NULL,
};

/* Daily totals of each organisation that wrote to us (organisations.h). org_day: its mails, by which standards were
 * asked of them; org_miss_day: by standard, those that did not pass; org_failed_day: of mail that may be forged, by the
 * client's network ('' all such mail, 'all' what missed anything, else a standard); org_source: networks that proved to
 * be the organisation's; org_group_day: the lists that it stood in on that day. */
static const char *const version_9[] = {
    "CREATE TABLE org_day (day BIGINT NOT NULL, org TEXT NOT NULL, asked TEXT NOT NULL, mails BIGINT NOT NULL, "
    "met BIGINT NOT NULL, explained BIGINT NOT NULL, untested BIGINT NOT NULL, PRIMARY KEY (day, org, asked))" KEYED,
    "CREATE TABLE org_miss_day (day BIGINT NOT NULL, org TEXT NOT NULL, standard TEXT NOT NULL, missed BIGINT NOT "
    "NULL, explained BIGINT NOT NULL, untested BIGINT NOT NULL, PRIMARY KEY (day, org, standard))" KEYED,
    "CREATE TABLE org_failed_day (day BIGINT NOT NULL, org TEXT NOT NULL, net TEXT NOT NULL, standard TEXT NOT NULL, "
    "count BIGINT NOT NULL, strict BIGINT NOT NULL, PRIMARY KEY (day, org, net, standard))" KEYED,
    "CREATE TABLE org_source (org TEXT NOT NULL, net TEXT NOT NULL, passed BIGINT NOT NULL, first_seen BIGINT NOT "
    "NULL, last_seen BIGINT NOT NULL, PRIMARY KEY (org, net))" KEYED,
    "CREATE TABLE org_group_day (day BIGINT NOT NULL, name TEXT NOT NULL, org TEXT NOT NULL, PRIMARY KEY (day, name, "
    "org))" KEYED,
    NULL,
};

/* Rows of DMARC reports in columns (dmarc_row.h), where they were JSON texts that were keys; which mails' owners want a
 * failure report; the reference that the reply to a refused client bore. Records are stored compressed from now on
 * (record_pack.h). What was there before is brought over in steps (store_convert.c). */
static const char *const version_10[] = {
    "ALTER TABLE dmarc_row RENAME TO dmarc_row_9",
    "CREATE TABLE dmarc_row (day BIGINT NOT NULL, domain TEXT NOT NULL, mark TEXT NOT NULL, source_ip TEXT NOT NULL, "
    "header_from TEXT NOT NULL, envelope_from TEXT NOT NULL, disposition TEXT NOT NULL, dkim TEXT NOT NULL, spf TEXT "
    "NOT NULL, reason TEXT NOT NULL, comment TEXT NOT NULL, signatures TEXT NOT NULL, spf_domain TEXT NOT NULL, "
    "spf_scope TEXT NOT NULL, spf_result TEXT NOT NULL, count BIGINT NOT NULL, "
    "PRIMARY KEY (day, domain, " DMARC_ROW_NAMES "))" KEYED,
    "DROP INDEX mail_ruf",
    "ALTER TABLE mail ADD COLUMN reference TEXT",
    "ALTER TABLE mail ADD COLUMN ruf BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX mail_ruf ON mail (t) WHERE ruf = 1",
    "CREATE INDEX mail_reference ON mail (reference) WHERE reference IS NOT NULL",
    "INSERT INTO ledger_state (name, number) VALUES ('" STORE_CONVERT_STATE "', -9000000000000000000)",
    NULL,
};

/* What `assay check` found (domain_checks.h): the facts of a domain on a day, the last of that day; and what --watch
 * saw of it the last time. */
static const char *const version_11[] = {
    "CREATE TABLE domain_check (day BIGINT NOT NULL, domain TEXT NOT NULL, facts TEXT NOT NULL, "
    "PRIMARY KEY (day, domain))" KEYED,
    "CREATE TABLE domain_watch (domain TEXT PRIMARY KEY, state TEXT NOT NULL)" KEYED,
    NULL,
};

/* What of that the report says of the last month (organisation_states.h). */
static const char *const version_12[] = {
    "CREATE TABLE org_state (org TEXT PRIMARY KEY, mails BIGINT NOT NULL, met BIGINT NOT NULL, explained BIGINT NOT "
    "NULL, untested BIGINT NOT NULL, stopped BIGINT NOT NULL, state TEXT NOT NULL)" KEYED,
    "CREATE TABLE org_state_count (day BIGINT NOT NULL, list TEXT NOT NULL, standard TEXT NOT NULL, state TEXT NOT "
    "NULL, organisations BIGINT NOT NULL, PRIMARY KEY (day, list, standard, state))" KEYED,
    NULL,
};

/* Which totals of lists each page for the world shows (published.h). */
static const char *const version_13[] = {
    "CREATE TABLE published (place TEXT NOT NULL, list TEXT NOT NULL, day BIGINT NOT NULL, organisations BIGINT NOT "
    "NULL, meets BIGINT NOT NULL, PRIMARY KEY (place, list))" KEYED,
    NULL,
};

/* Which subjects were seen most (most_seen.h): the lists of a block of days, the bound for whoever is in none, which
 * blocks have lists, and who was seen since. A new store has nothing to list. */
static const char *const version_14[] = {
    "CREATE TABLE subject_seen (day BIGINT NOT NULL, pass BIGINT NOT NULL, subject TEXT NOT NULL, "
    "PRIMARY KEY (day, pass, subject))" KEYED,
    "CREATE TABLE most_seen (day BIGINT NOT NULL, days BIGINT NOT NULL, standard TEXT NOT NULL, scope TEXT NOT NULL, "
    "result TEXT NOT NULL, security TEXT NOT NULL, subject TEXT NOT NULL, "
    "PRIMARY KEY (day, days, standard, scope, result, security, subject))" KEYED,
    "CREATE TABLE most_seen_bound (day BIGINT NOT NULL, days BIGINT NOT NULL, standard TEXT NOT NULL, scope TEXT NOT "
    "NULL, result TEXT NOT NULL, security TEXT NOT NULL, bound BIGINT NOT NULL, "
    "PRIMARY KEY (day, days, standard, scope, result, security))" KEYED,
    "CREATE TABLE most_seen_block (day BIGINT NOT NULL, days BIGINT NOT NULL, PRIMARY KEY (day, days))" KEYED,
    "INSERT INTO ledger_state (name, number) VALUES ('" MOST_SEEN_PASS "', 1)",
    "INSERT INTO ledger_state (name, number) SELECT '" MOST_SEEN_READY
    "', CASE WHEN EXISTS (SELECT 1 FROM subject_day) "
    "THEN 0 ELSE 1 END",
    NULL,
};

/* Of whom each total was that a page for the world ever showed (published.h). */
static const char *const version_15[] = {
    "CREATE TABLE published_set (mark TEXT NOT NULL, list TEXT NOT NULL, day BIGINT NOT NULL, organisations BIGINT NOT "
    "NULL, meets BIGINT NOT NULL, members TEXT NOT NULL, PRIMARY KEY (mark, list))",
    NULL,
};

static const char *const *const versions[STORE_SCHEMA_VERSION] = {
    version_1, version_2,  version_3,  version_4,  version_5,  version_6,  version_7, version_8,
    version_9, version_10, version_11, version_12, version_13, version_14, version_15};

static enum status run_step(struct store *s, const char *sql)
{
    char text[2048];
    if (strncmp(sql, SHARED, sizeof SHARED - 1) == 0 && !s->engine->shared)
        return STATUS_OK;
    const char *mark = strchr(sql, '$'), *instead = "";
    if (mark && strcmp(mark, "$KEYED") == 0)
        instead = s->engine->shared ? "" : "WITHOUT ROWID";
    else if (mark)
        instead = s->engine->shared ? "PARTITION BY RANGE (t)" : "";
    snprintf(text, sizeof text, "%.*s%s", mark ? (int)(mark - sql) : (int)strlen(sql), sql, instead);
    return store_run(s, &(int64_t){0}, text, "");
}

/* ---- months ---- */

/* The first day of the month `months` after that of `day`. */
static int64_t month_after(int64_t day, int months)
{
    for (; months > 0; months--)
        day = timestamp_month(day) + 31;
    return timestamp_month(day);
}

static enum status make_month(struct store *s, int64_t first)
{
    char name[TIMESTAMP_TEXT], sql[256];
    timestamp_day_text(first, name);
    snprintf(sql, sizeof sql,
             "CREATE TABLE IF NOT EXISTS mail_%.4s%.2s PARTITION OF mail FOR VALUES FROM (%lld) TO (%lld)", name,
             name + 5, (long long)(first * TIMESTAMP_DAY), (long long)(month_after(first, 1) * TIMESTAMP_DAY));
    return store_run(s, &(int64_t){0}, sql, "");
}

enum status store_months(struct store *s, int64_t from_day, int64_t to_day)
{
    if (!s->engine->shared)
        return STATUS_OK;
    for (int64_t month = timestamp_month(from_day); month <= to_day; month = month_after(month, 1)) {
        enum status st = make_month(s, month);
        /* Rows of that month that are in mail_default already keep it from being made: they stay there. So does a race
         * with another host. */
        if (st != STATUS_OK && st != STATUS_INVALID)
            return st;
    }
    return STATUS_OK;
}

enum status store_drop_months(struct store *s, int64_t before)
{
    if (!s->engine->shared)
        return STATUS_OK;
    char names[64][32];
    size_t n = 0;
    struct store_rows *r = store_ask(s,
                                     "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE "
                                     "i.inhparent = 'mail'::regclass "
                                     "AND c.relname LIKE 'mail!_______' ESCAPE '!' ORDER BY c.relname",
                                     "");
    while (n < sizeof names / sizeof *names && store_next(r)) {
        char first[TIMESTAMP_TEXT];
        int64_t day = 0;
        const char *name = store_text(r, 0);
        snprintf(first, sizeof first, "%.4s-%.2s-01", name + 5, name + 9);
        if (timestamp_day_from_text(first, &day) && month_after(day, 1) * TIMESTAMP_DAY <= before)
            snprintf(names[n++], sizeof *names, "%.20s", name);
    }
    enum status st = store_done(r);
    for (size_t i = 0; i < n && st == STATUS_OK; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", names[i]);
        st = store_run(s, &(int64_t){0}, sql, "");
    }
    return st;
}

static enum status present_version(struct store *s, int64_t *version)
{
    int64_t there = 0;
    const char *sql = s->engine->shared ? "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                                          "ON n.oid = c.relnamespace WHERE "
                                          "c.relname = 'assay_schema' AND n.nspname = current_schema()"
                                        : "SELECT count(*) FROM sqlite_master WHERE name = 'assay_schema'";
    enum status st = store_ask_number(s, 0, &there, sql, "");
    *version = 0;
    if (st != STATUS_OK || !there)
        return st;
    return store_ask_number(s, 0, version, "SELECT version FROM assay_schema", "");
}

static enum status upgrade(struct store *s, int64_t from)
{
    enum status st = STATUS_OK;
    if (from == 0)
        st = run_step(s, "CREATE TABLE assay_schema (version BIGINT NOT NULL)");
    if (from == 0 && st == STATUS_OK)
        st = run_step(s, "INSERT INTO assay_schema (version) VALUES (0)");
    for (int64_t v = from; st == STATUS_OK && v < STORE_SCHEMA_VERSION; v++)
        for (const char *const *step = versions[v]; st == STATUS_OK && *step; step++)
            st = run_step(s, *step);
    if (st == STATUS_OK && from == 0)
        st = store_convert_end(s); /* nothing to convert */
    if (st == STATUS_OK && from == 0 && s->engine->shared)
        st = run_step(s, "CREATE TABLE mail_default PARTITION OF mail DEFAULT");
    if (st == STATUS_OK && from == 0)
        st = store_months(s, timestamp_day(clock_wall_us()) - MONTHS_BACK_DAYS,
                          timestamp_day(clock_wall_us()) + STORE_MONTHS_AHEAD_DAYS);
    if (st == STATUS_OK)
        st = store_run(s, &(int64_t){0}, "UPDATE assay_schema SET version = $1", "i", (int64_t)STORE_SCHEMA_VERSION);
    return st;
}

/* Whether this role may make and change the ledger's tables. STATUS_DENIED: not, and the error text says what gives it
 * the right. */
static enum status may_make_tables(struct store *s)
{
    if (!s->engine->shared)
        return STATUS_OK;
    struct store_rows *r =
        store_ask(s,
                  "SELECT current_user, coalesce(current_schema(), ''), "
                  "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)::int, "
                  "coalesce(pg_get_userbyid(c.relowner), current_user), "
                  "coalesce(pg_has_role(c.relowner, 'USAGE'), true)::int "
                  "FROM (SELECT to_regclass('assay_schema') AS id) t LEFT JOIN pg_class c ON c.oid = "
                  "t.id",
                  "");
    bool denied = false;
    if (store_next(r)) {
        const char *role = store_text(r, 0), *schema = store_text(r, 1), *owner = store_text(r, 3);
        denied = !store_number(r, 2) || !store_number(r, 4);
        if (!store_number(r, 2))
            snprintf(s->error, sizeof s->error,
                     "the role %.63s may not make the ledger's tables: let an administrator of the database run: GRANT "
                     "USAGE, CREATE ON SCHEMA %.63s TO %.63s",
                     role, *schema ? schema : "public", role);
        else if (denied)
            snprintf(s->error, sizeof s->error,
                     "the role %.63s may not upgrade the ledger's tables, which belong to %.63s: connect as that role "
                     "(set ledger.store), or let it run: GRANT %.63s TO %.63s",
                     role, owner, owner, role);
    }
    enum status st = store_done(r);
    return denied ? STATUS_DENIED : st;
}

enum status store_migrate(struct store *s, bool may_write)
{
    int64_t version = 0;
    enum status st = present_version(s, &version);
    if (st == STATUS_OK && version > STORE_SCHEMA_VERSION) {
        snprintf(s->error, sizeof s->error,
                 "the ledger is of schema version %d, made by a newer assay-ledger; this one knows up to %d",
                 (int)version, STORE_SCHEMA_VERSION);
        return STATUS_LIMIT;
    }
    if (st != STATUS_OK || version == STORE_SCHEMA_VERSION)
        return st;
    if (!may_write) {
        snprintf(s->error, sizeof s->error,
                 "the ledger is of schema version %d and not yet brought to %d (assay-ledger does it)", (int)version,
                 STORE_SCHEMA_VERSION);
        return STATUS_MISSING;
    }
    st = may_make_tables(s);
    if (st != STATUS_OK)
        return st;
    st = store_begin(s);
    if (st == STATUS_OK && s->engine->shared) /* one at a time; the number means nothing */
        st = store_run(s, &(int64_t){0}, "SELECT pg_advisory_xact_lock(4155535)", "");
    if (st == STATUS_OK)
        st = present_version(s, &version);
    if (st == STATUS_OK && version < STORE_SCHEMA_VERSION)
        st = upgrade(s, version);
    if (st == STATUS_OK)
        st = store_commit(s);
    if (st != STATUS_OK)
        store_rollback(s);
    return st;
}
