// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_retention.c - retention, forgetting, and the list of known signers: what must be deleted is, what may stay
 * stays. Days are set by hand (clock_set_wall).
 */
#include "tests/unit/ledger_store.h"

#include "journal/known_signers.h"
#include "ledger/config.h"
#include "ledger/timestamp.h"
#include "ledger/ingest.h"
#include "ledger/retention.h"
#include "ledger/store_engine.h"
#include <pthread.h>
#include <sqlite3.h>
#include "base/buf.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TODAY LEDGER_STORE_TODAY

static struct ledger_store own;
static char path[96];
static struct store *s;
static const char *where; /* PostgreSQL; NULL: SQLite */

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&own, 3600) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/known_signers", own.dir);
    where = getenv("ASSAY_TEST_STORE");
    s = ledger_store_open(&own);
    return s ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(s);
    return ledger_store_remove(&own);
}

static int64_t sql_number(const char *sql)
{
    int64_t n = -1;
    if (store_ask_number(s, -1, &n, sql, "") != STATUS_OK)
        fail_msg("%s: %s", sql, store_error(s));
    return n;
}

/* `count` mails from a domain, `days` ago; signed or aligned by SPF only. */
static void mails(const char *domain, const char *client, int days, int count, bool pass, bool is_signed)
{
    char day[TIMESTAMP_TEXT], line[1200];
    struct aggregate *t = aggregate_new();
    assert_int_equal(store_begin(s), STATUS_OK);
    timestamp_day_text(TODAY - days, day);
    for (int i = 0; i < count; i++) {
        struct record r;
        snprintf(line, sizeof line,
                 "{\"v\":1,\"t\":\"%sT12:00:00Z\",\"host\":\"mx1\",\"kind\":\"mail\",\"id\":\"Q%d\",\"message_id\":\"<%"
                 "d@x>\",\"source\":\"internet\","
                 "\"client\":\"%s\",\"helo\":\"mail.%s\",\"mail_from\":\"%s\",\"from\":\"%s\",\"rcpts\":1,"
                 "\"reference\":\"K3V7QX2M5A\",\"verdict\":{"
                 "\"action\":\"deliver\"},"
                 "\"findings\":[{\"standard\":\"dmarc\",\"subject\":\"%s\",\"record\":\"%s\",\"result\":\"%s\",\"rua\":"
                 "\"mailto:a@%s\",\"spf_aligned\":%s,"
                 "\"dkim_aligned\":%s}]}",
                 day, i, i, client, domain, domain, domain, domain, domain, pass ? "pass" : "fail", domain,
                 pass ? "true" : "false", is_signed ? "true" : "false");
        assert_int_equal(record_parse(slice_str(line), &r, NULL), STATUS_OK);
        assert_int_equal(ingest_record(s, t, &r, slice_str(line)), STATUS_OK);
        record_free(&r);
    }
    assert_int_equal(aggregate_flush(t, s), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
    aggregate_free(t);
}

/* What the reply said finds the mail for 14 days, to the day, by the default of ledger.keep-identity. */
static void references_last_14_days(void **state)
{
    (void)state;
    struct policy *p = policy_load_text(SLICE_LIT("record spf of everyone\n"), "policy", NULL);
    struct ledger_config c;
    int64_t rows;
    assert_non_null(p);
    ledger_config_read(&c, p);
    assert_int_equal(c.keep_identity, 14 * 86400);
    struct retention_keep keep = {c.keep_identity, c.keep_mails, c.keep_days};
    mails("thirteen.example", "192.0.2.7", 13, 1, true, true);
    mails("fifteen.example", "192.0.2.7", 15, 1, true, true);
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), NULL, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM mail WHERE reference = 'K3V7QX2M5A'"), 1);
    assert_int_equal(
        sql_number("SELECT count(*) FROM mail WHERE reference IS NOT NULL AND from_domain = 'thirteen.example'"), 1);
    policy_unref(p);
}

/* As many folders as a setting holds: none is left out. */
static void every_folder_of_journals(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct ledger_config c;
    buf_adds(&text, "record spf of everyone\nset ledger.journals \"");
    for (unsigned i = 10; i < 100; i++)
        buf_printf(&text, "/%u ", i);
    buf_adds(&text, "/last\"\n");
    struct policy *p = policy_load_text(buf_slice(&text), "policy", NULL);
    assert_non_null(p);
    ledger_config_read(&c, p);
    assert_int_equal(c.folder_count, 92); /* and journal.dir */
    assert_string_equal(c.folders[91], "/last");
    policy_unref(p);
    buf_release(&text);
}

static void identities_go_in_time(void **state)
{
    (void)state;
    int64_t rows;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    mails("new.example", "192.0.2.7", 3, 2, true, true);
    mails("old.example", "2001:db8:1:2ff::9", 20, 3, true, true);
    mails("gone.example", "192.0.2.9", 95, 4, true, true);
    mails("long.example", "192.0.2.9", 900, 5, true, true);
    if (retention_run(s, &keep, clock_wall_us(), NULL, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 5);
    assert_int_equal(
        sql_number("SELECT count(*) FROM mail WHERE from_domain = 'new.example' AND client = '192.0.2.7' AND "
                   "queue_id IS NOT NULL AND "
                   "message_id IS NOT NULL AND record IS NOT NULL AND reference = 'K3V7QX2M5A'"),
        2);
    assert_int_equal(
        sql_number(
            "SELECT count(*) FROM mail WHERE from_domain = 'old.example' AND client IS NULL AND "
            "queue_id IS NULL AND message_id IS "
            "NULL AND helo IS NULL AND record IS NULL AND reference IS NULL AND client_net = '2001:db8:1:200::/56'"),
        3);
    assert_int_equal(sql_number("SELECT sum(count) FROM subject_day WHERE subject = 'gone.example'"), 4);
    assert_int_equal(sql_number("SELECT count(*) FROM subject_day WHERE subject = 'long.example'"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_row WHERE domain <> 'new.example'"), 0);
    assert_int_equal(sql_number("SELECT sum(count) FROM dmarc_row WHERE domain = 'new.example'"), 2);
    assert_true(rows > 0);
    if (retention_run(s, &keep, clock_wall_us(), NULL, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_int_equal(rows, 0);
}

static int ticks; /* each is 100 instructions of SQLite's virtual machine; below 0: not counted */

static int tick(void *unused)
{
    (void)unused;
    ticks += ticks >= 0;
    return 0;
}

static bool one_step_is_done(void)
{
    int kept = ticks;
    ticks = -1;
    bool done = sql_number("SELECT count(*) FROM mail WHERE exact = 0") > 0;
    ticks = kept;
    return done;
}

/* The cost of one step where so many mails are old. */
static int cost_of_a_step(int mails)
{
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    int64_t rows, first = (TODAY - 20) * TIMESTAMP_DAY;
    assert_int_equal(store_run(s, NULL, "DELETE FROM mail", ""), STATUS_OK);
    assert_int_equal(
        store_run(s, NULL,
                  "WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2) INSERT "
                  "INTO mail (t, host, queue_id, source, exact, action, would, rcpts) SELECT i, 'mx1', 'Q' || i, "
                  "'internet', 1, 'deliver', 'deliver', 1 FROM n",
                  "ii", first, first + mails - 1),
        STATUS_OK);
    ticks = 0;
    sqlite3_progress_handler(store_sqlite_handle(s), 100, tick, NULL);
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), one_step_is_done, &rows), STATUS_OK);
    sqlite3_progress_handler(store_sqlite_handle(s), 0, NULL, NULL);
    assert_true(rows > 0 && rows < mails);
    return ticks;
}

/* If each step read all that is old, ten times as much would take a hundred times as long, and others wait for each. */
static void a_step_costs_the_same_however_much_is_old(void **state)
{
    (void)state;
    if (where)
        skip();
    int few = cost_of_a_step(3000), many = cost_of_a_step(60000);
    assert_in_range(many, few / 2, few * 2);
}

/* A report that was left out can be asked for within 30 days, so its rows stay; those of others do not. */
static void rows_of_a_left_out_report_stay(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *state;
        int days;
    } reports[] = {{"a-sent.example", "sent", 20},  {"left.example", "left out", 20},
                   {"m-sent.example", "sent", 20},  {"suppressed.example", "suppressed", 30},
                   {"z-sent.example", "sent", 20},  {"left-too-long.example", "left out", 32},
                   {"never-due.example", NULL, 20}, {"given-up.example", "dead", 31}};
    int64_t rows;
    char sql[300];
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        mails(reports[i].domain, "192.0.2.7", reports[i].days, 2, true, true);
        if (!reports[i].state)
            continue;
        snprintf(sql, sizeof sql,
                 "INSERT INTO report_out (day, domain, destination, report_id, state, tries, next_try, reason, rows, "
                 "octets, claimed_by, changed) VALUES (%d, '%s', 'a@%s', 'r', '%s', 0, 0, '', 0, 0, '', 0)",
                 TODAY - reports[i].days, reports[i].domain, reports[i].domain, reports[i].state);
        assert_int_equal(store_run(s, NULL, sql, ""), STATUS_OK);
    }
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), NULL, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_row"), 3);
    assert_int_equal(
        sql_number("SELECT sum(count) FROM dmarc_row WHERE domain IN ('left.example', 'suppressed.example', "
                   "'given-up.example')"),
        6);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_domain WHERE domain = 'left.example'"), 1);
    assert_int_equal(sql_number("SELECT count(*) FROM mail WHERE client IS NOT NULL"), 0);
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), NULL, &rows), STATUS_OK);
    assert_int_equal(rows, 0);
    keep.identity = 13 * 86400; /* somebody wants less to be kept */
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), NULL, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_row"), 0);
}

/* One subject has more rows than a step: those behind it are looked at, too. */
static void one_subject_of_many_rows(void **state)
{
    (void)state;
    static const char many[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO subject_day (subject, scope, standard, day, result, security, count, first_seen, last_seen) "
        "SELECT 'm.example', 'mail', 'spf', $1, 'r' || i, '', 1, 0, 0 FROM n";
    static const char old[] =
        "INSERT INTO subject_day (subject, scope, standard, day, result, security, count, first_seen, last_seen) "
        "VALUES ($1, 'mail', 'spf', $2, 'pass', '', 1, 0, 0)";
    int64_t rows;
    assert_int_equal(store_run(s, NULL, many, "i", (int64_t)TODAY), STATUS_OK);
    for (const char *const *name = (const char *const[]){"a.example", "m.example", "z.example", NULL}; *name; name++)
        assert_int_equal(store_run(s, NULL, old, "ti", *name, (int64_t)(TODAY - 900)), STATUS_OK);
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    assert_int_equal(retention_run(s, &keep, clock_wall_us(), NULL, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM subject_day WHERE subject <> 'm.example' OR result = 'pass'"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM subject_day"), 20000);
}

static void months_come_and_go(void **state)
{
    (void)state;
    static const char partitions[] = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'mail'::regclass";
    int64_t rows;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    if (!where)
        skip();                                  /* SQLite has no partitions */
    assert_int_equal(sql_number(partitions), 7); /* August to January, and the rest */
    mails("a.example", "192.0.2.7", 1, 2, true, true);
    mails("b.example", "192.0.2.7", 75, 3, true, true);
    mails("c.example", "192.0.2.7", 400, 4, true, true);
    assert_int_equal(sql_number("SELECT count(*) FROM mail_202611"), 2);
    assert_int_equal(sql_number("SELECT count(*) FROM mail_202609"), 3);
    assert_int_equal(sql_number("SELECT count(*) FROM mail_default"), 4);
    clock_set_wall((time_t)(TODAY + 45) * 86400);
    if (retention_run(s, &keep, clock_wall_us(), NULL, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 2);
    assert_int_equal(sql_number(partitions), 7); /* October to March */
    assert_int_equal(sql_number("SELECT count(*) FROM pg_class WHERE relname IN ('mail_202608', 'mail_202609')"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM pg_class WHERE relname IN ('mail_202702', 'mail_202703')"), 2);
}

static void what_is_forgotten_is_nowhere(void **state)
{
    (void)state;
    int64_t rows;
    mails("who.example", "192.0.2.7", 1, 2, true, true);
    mails("sub.who.example", "192.0.2.8", 1, 2, true, true);
    mails("somewho.example", "192.0.2.9", 1, 2, true, true);
    assert_int_equal(retention_forget(s, "who.example", false, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 2);
    assert_int_equal(sql_number("SELECT count(*) FROM subject_day"), 1);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_row"), 1);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_domain"), 1);
    assert_int_equal(sql_number("SELECT count(*) FROM signer_day"), 1);
    assert_int_equal(sql_number("SELECT sum(count) FROM standard_day"), 6);
    assert_int_equal(retention_forget(s, "192.0.2.9", false, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_row"), 0);
}

struct listed {
    const char *table, *column;
};
static const struct listed listed[] = {
#define TABLE(t, ...)
#define COLUMN(t, c, k) {#t, #c},
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
};

static bool is_listed(const char *table, const char *column)
{
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        if (strcmp(listed[i].table, table) == 0 && strcmp(listed[i].column, column) == 0)
            return true;
    return false;
}

/* Every column of the schema is marked as naming a subject or not: a new one without a mark fails here. */
static void every_column_is_marked(void **state)
{
    (void)state;
    size_t n = 0;
    if (where)
        skip(); /* the schema is one */
    struct store_rows *r =
        store_ask(s,
                  "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE "
                  "m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'assay_schema'",
                  "");
    for (; store_next(r); n++)
        if (!is_listed(store_text(r, 0), store_text(r, 1)))
            fail_msg("%s.%s has no line in ledger/subjects.def", store_text(r, 0), store_text(r, 1));
    assert_int_equal(store_done(r), STATUS_OK);
    assert_int_equal(n, sizeof listed / sizeof *listed);
}

static bool file_holds(const char *suffix, const char *word)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", own.file, suffix);
    FILE *f = fopen(name, "r");
    if (!f)
        return false;
    struct buf b = BUF_INIT;
    char space[4096];
    for (size_t got; (got = fread(space, 1, sizeof space, f)) > 0;)
        buf_add(&b, space, got);
    fclose(f);
    bool found = memmem(b.p, b.n, word, strlen(word)) != NULL;
    buf_release(&b);
    return found;
}

static void assert_nowhere(const char *word)
{
    static const char *const files[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3 && !where; i++)
        if (file_holds(files[i], word))
            fail_msg("%s is still in ledger.db%s", word, files[i]);
}

/* Not only out of the tables: out of the files. */
static void what_is_forgotten_is_in_no_file(void **state)
{
    (void)state;
    int64_t rows;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    mails("who.example", "192.0.2.7", 1, 50, true, true);
    mails("other.example", "192.0.2.8", 1, 50, true, true);
    static const char *const more[] = {
        "INSERT INTO zone (name, state, reason, algorithm, bits, count, first_seen, last_seen) VALUES ('z.example', "
        "'bogus', 'no DS at Who.Example.', '', 0, 1, 1, 1)",
        "INSERT INTO exception (policy, statement, kind, scope, because, agreed_by, ref, until, day) VALUES ('p', "
        "'L1', "
        "'exemption', 'sub.who.example from dmarc', 'b', 'a', '', 1, 20778)",
        "INSERT INTO report_in (kind, org, report_id, domain, begins, ends, policy, file, taken) VALUES ('dmarc', 'o', "
        "'1', 'other.example', 1, 2, 'p', 'f', 1)",
        "INSERT INTO report_in_row (kind, org, report_id, domain, row, source, result, dkim, spf, header_from, detail, "
        "count) VALUES ('dmarc', 'o', '1', 'other.example', 0, '192.0.2.1', 'none', 'pass', 'pass', 'other.example', "
        "'dkim=who.example/s1:pass', 1)",
    };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        assert_int_equal(store_run(s, &(int64_t){0}, more[i], ""), STATUS_OK);
    assert_int_equal(retention_forget(s, "who.example", true, &rows), STATUS_OK);
    assert_true(rows > 50);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 100);
    assert_int_equal(retention_forget(s, "who.example", false, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 50);
    assert_int_equal(sql_number("SELECT count(*) FROM zone WHERE reason = ''"), 1);
    assert_int_equal(sql_number("SELECT count(*) FROM exception"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in_row"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in"), 1);
    assert_nowhere("who.example");
    assert_nowhere("Who.Example");
    /* Retention: the Message-IDs and queue-ids go from the files too. */
    mails("late.example", "192.0.2.200", 20, 300, true, true);
    if (retention_run(s, &keep, clock_wall_us(), NULL, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_nowhere("192.0.2.200");
    assert_nowhere("<299@x>");
}

static void in_small_steps(void **state)
{
    (void)state;
    int64_t rows;
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    mails("old.example", "192.0.2.7", 20, 3 * RETENTION_STEP + 7, true, true);
    if (retention_run(s, &keep, clock_wall_us(), NULL, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_int_equal(sql_number("SELECT count(*) FROM mail WHERE exact = 0 AND record IS NULL"),
                     3 * RETENTION_STEP + 7);
    assert_int_equal(retention_run(s, &keep, clock_wall_us() + 80 * TIMESTAMP_DAY, NULL, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 0);
}

#define HOUR_US (3600 * TIMESTAMP_SECOND)

static int64_t clock_says(struct retention_time t, bool believe, bool held)
{
    int64_t now = 0;
    bool is_held = false;
    char why[STORE_ERROR] = "";
    assert_int_equal(retention_clock(s, &t, believe, &now, &is_held, why), STATUS_OK);
    assert_int_equal(is_held, held);
    assert_int_equal(why[0] != 0, held);
    return now;
}

static void a_clock_that_jumps_deletes_nothing(void **state)
{
    (void)state;
    int64_t wall = clock_wall_us();
    mails("a.example", "192.0.2.7", 0, 1, true, true);
    struct retention_time t = {.wall = wall, .boot = HOUR_US, .boot_id = 7};
    assert_int_equal(clock_says(t, false, false), wall);
    t.wall += HOUR_US, t.boot += HOUR_US;
    assert_int_equal(clock_says(t, false, false), wall + HOUR_US);
    /* Ten years at once: nothing moves, for seven days of consistent time. */
    t.wall += 3650 * TIMESTAMP_DAY, t.boot += HOUR_US;
    assert_int_equal(clock_says(t, false, true), wall + HOUR_US);
    for (int hour = 0; hour < 7 * 24 - 1; hour++) {
        t.wall += HOUR_US, t.boot += HOUR_US;
        assert_int_equal(clock_says(t, false, true), wall + HOUR_US);
    }
    t.wall += HOUR_US, t.boot += HOUR_US;
    int64_t now = clock_says(t, false, false);
    for (int day = 0; day < 10; day++) { /* then no more than 25 hours for each 24 */
        t.wall += TIMESTAMP_DAY, t.boot += TIMESTAMP_DAY;
        int64_t next = clock_says(t, false, false);
        assert_int_equal(next - now, 25 * HOUR_US);
        now = next;
    }
    assert_int_equal(clock_says(t, true, false), t.wall); /* the admin says that it is right */
    /* Back again: it goes by the wall clock, and nothing is kept back. */
    t.wall -= 3650 * TIMESTAMP_DAY, t.boot += HOUR_US;
    assert_int_equal(clock_says(t, false, false), t.wall);
}

static void a_jump_between_two_starts(void **state)
{
    (void)state;
    int64_t wall = clock_wall_us();
    mails("a.example", "192.0.2.7", 1, 1, true, true);
    /* The first run of this version, with a clock that is wrong from the beginning: the rows in the store show it. */
    clock_says((struct retention_time){wall + 3650 * TIMESTAMP_DAY, HOUR_US, 7}, false, true);
    clock_says((struct retention_time){wall, 2 * HOUR_US, 7}, true, false);
    clock_says((struct retention_time){wall + 2 * TIMESTAMP_DAY, HOUR_US, 8}, false, false); /* off for two days */
    clock_says((struct retention_time){wall + 12 * TIMESTAMP_DAY, HOUR_US, 9}, false, true);
}

/* A clock that was wrong for a while, and is right again: retention goes on at once. */
static void a_clock_that_is_right_again(void **state)
{
    (void)state;
    int64_t wall = clock_wall_us();
    mails("a.example", "192.0.2.7", 0, 1, true, true);
    struct retention_time t = {.wall = wall, .boot = HOUR_US, .boot_id = 7};
    assert_int_equal(clock_says(t, false, false), wall);
    t.wall += 3650 * TIMESTAMP_DAY + HOUR_US, t.boot += HOUR_US;
    assert_int_equal(clock_says(t, false, true), wall);
    t.wall -= 3650 * TIMESTAMP_DAY - HOUR_US, t.boot += HOUR_US;
    assert_int_equal(clock_says(t, false, false), wall + HOUR_US + HOUR_US / 24); /* 25 hours for each 24 */
    /* Behind, from a start on, as a machine is whose clock has no battery, until it asks a time server. */
    t = (struct retention_time){.wall = wall - 3650 * TIMESTAMP_DAY, .boot = HOUR_US, .boot_id = 8};
    assert_int_equal(clock_says(t, false, false), t.wall);
    t.wall = wall + 4 * HOUR_US, t.boot += HOUR_US;
    assert_true(clock_says(t, false, false) <= wall + 3 * HOUR_US);
    /* From there, again ahead: by more than three days it is no time that passed, by less as much counts as passed. */
    t.wall += 4 * TIMESTAMP_DAY, t.boot += HOUR_US;
    assert_true(clock_says(t, false, true) <= wall + 3 * HOUR_US);
    t.wall -= 3 * TIMESTAMP_DAY, t.boot += HOUR_US;
    assert_true(clock_says(t, false, false) <= wall + 5 * HOUR_US);
}

static void what_is_dated_ahead_waits(void **state)
{
    (void)state;
    int64_t waiting;
    mails("now.example", "192.0.2.7", 1, 2, true, true);
    mails("ahead.example", "192.0.2.8", -400, 3, true, true);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 2);
    assert_int_equal(sql_number("SELECT count(*) FROM subject_day WHERE subject = 'ahead.example'"), 0);
    assert_int_equal(ingest_ahead(s, NULL, &waiting), STATUS_OK);
    assert_int_equal(waiting, 3);
    clock_set_wall((time_t)(TODAY + 401) * 86400);
    assert_int_equal(ingest_ahead(s, NULL, &waiting), STATUS_OK);
    assert_int_equal(waiting, 0);
    assert_int_equal(sql_number("SELECT count(*) FROM mail WHERE from_domain = 'ahead.example'"), 3);
    assert_int_equal(sql_number("SELECT sum(count) FROM subject_day WHERE subject = 'ahead.example'"), 3);
}

/* More rows on one day than a step has, and more days behind it. */
static void a_day_of_many_rows(void **state)
{
    (void)state;
    int64_t rows, would;
    assert_int_equal(store_begin(s), STATUS_OK);
    for (int64_t day = TODAY - 2; day <= TODAY; day++)
        for (int i = 0; i < 2 * RETENTION_STEP; i++) {
            char name[40];
            snprintf(name, sizeof name, "%s%d.%s.example", i % 1000 ? "d" : "x.", i, i % 1000 ? "other" : "victim");
            assert_int_equal(
                store_run(s, NULL, "INSERT INTO dmarc_behind VALUES ($1, $2, 'mx1', 0, 1)", "it", day, name),
                STATUS_OK);
        }
    assert_int_equal(store_commit(s), STATUS_OK);
    assert_int_equal(retention_forget(s, "victim.example", true, &would), STATUS_OK);
    assert_int_equal(retention_forget(s, "victim.example", false, &rows), STATUS_OK);
    assert_int_equal(rows, 3 * 2 * RETENTION_STEP / 1000);
    assert_int_equal(would, rows);
    assert_int_equal(sql_number("SELECT count(*) FROM dmarc_behind"),
                     3 * (2 * RETENTION_STEP - 2 * RETENTION_STEP / 1000));
}

/* What only the compressed record names, in more mails of one moment than a step has. */
static void what_only_records_name(void **state)
{
    (void)state;
    int64_t rows, would;
    assert_int_equal(store_begin(s), STATUS_OK);
    for (int i = 0; i < 2 * RETENTION_STEP + 5; i++) {
        char record[200];
        snprintf(record, sizeof record, "{\"id\":\"Q%d\",\"d\":\"%s\"}", i,
                 i % 2 ? "Key.Signer.example" : "key.signer.example.net");
        assert_int_equal(store_run(s, NULL,
                                   "INSERT INTO mail (t, host, source, exact, rcpts, action, would, record) VALUES "
                                   "($1, 'mx1', 'internet', 1, 1, 'deliver', 'deliver', $2)",
                                   "iz", i < 3 ? TODAY * TIMESTAMP_DAY - 5 : TODAY * TIMESTAMP_DAY, record),
                         STATUS_OK);
    }
    assert_int_equal(store_commit(s), STATUS_OK);
    assert_int_equal(retention_forget(s, "signer.example", true, &would), STATUS_OK);
    assert_int_equal(retention_forget(s, "signer.example", false, &rows), STATUS_OK);
    assert_int_equal(rows, RETENTION_STEP + 2);
    assert_int_equal(would, rows);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), RETENTION_STEP + 3);
}

static void an_underscore_is_no_wildcard(void **state)
{
    (void)state;
    int64_t rows;
    mails("x.a_b.example", "192.0.2.7", 1, 1, true, true);
    mails("x.acb.example", "192.0.2.8", 1, 1, true, true);
    assert_int_equal(retention_forget(s, "a_b.example", false, &rows), STATUS_OK);
    assert_int_equal(sql_number("SELECT count(*) FROM mail WHERE from_domain = 'x.acb.example'"), 1);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 1);
}

static void mail_that_names(int at, const char *message_id, const char *record)
{
    assert_int_equal(store_run(s, NULL,
                               "INSERT INTO mail (t, host, source, exact, rcpts, action, would, message_id, record) "
                               "VALUES ($1, 'mx1', 'internet', 1, 1, 'deliver', 'deliver', $2, $3)",
                               "itz", TODAY * TIMESTAMP_DAY + at, message_id, record),
                     STATUS_OK);
}

/* RFC 5890 2.3.2.1: a U-label and its A-label are the same name. */
static void a_name_in_unicode(void **state)
{
    (void)state;
    int64_t rows;
    mail_that_names(1, "<1@m\u00fcnchen.example>", "{\"id\":\"1\"}");
    mail_that_names(2, "<2@x.example>", "{\"d\":\"post.m\u00fcnchen.example\"}");
    mail_that_names(3, "<3@x.example>", "{\"d\":\"\u201cm\u00fcnchen.example\u201d\"}");
    mail_that_names(4, "<4@x.example>", "{\"d\":\"xn--mnchen-3ya.example\"}");
    mail_that_names(5, "<5@\u00fcberm\u00fcnchen.example>", "{\"id\":\"5\"}");
    mail_that_names(6, "<6@x.example>", "{\"d\":\"\u00f6m\u00fcnchen.example\"}");
    assert_int_equal(retention_forget(s, "xn--mnchen-3ya.example", false, &rows), STATUS_OK);
    assert_int_equal(rows, 4);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 2);
}

/* RFC 5895 2: capitals, wide letters, decomposed ones and the full stops of other scripts are mapped before a name is
 * compared. */
static void every_spelling_in_unicode(void **state)
{
    (void)state;
    static const char *const same[] = {"M\u00dcNCHEN.Example",
                                       "POST.M\u00dcNCHEN.EXAMPLE.",
                                       "mu\u0308nchen.example",
                                       "a@MU\u0308NCHEN.example",
                                       "m\u00fcnchen\u3002example",
                                       "\uff4d\u00fcnchen\uff0eexample",
                                       "to: <a@M\u00dcnchen.example>, and others"};
    static const char *const others[] = {"\u00dcBERM\u00dcNCHEN.example",
                                         "M\u00dcNCHEN.example.net",
                                         "M\u00dcNCHEN.examples",
                                         "MUNCHEN.example \u00dc",
                                         "\u00dc..M\u00d6NCHEN.example",
                                         "\u00dc.example",
                                         "\u00dc"};
    char record[120];
    int64_t rows;
    int at = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        snprintf(record, sizeof record, "{\"d\":\"%s\"}", same[i]);
        mail_that_names(++at, "<1@x.example>", record);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(record, sizeof record, "{\"d\":\"%s\"}", others[i]);
        mail_that_names(++at, "<1@x.example>", record);
    }
    mail_that_names(++at, "<1@M\u00dcNCHEN.Example>", "{\"id\":\"1\"}");
    assert_int_equal(retention_forget(s, "xn--mnchen-3ya.example", false, &rows), STATUS_OK);
    assert_int_equal(rows, sizeof same / sizeof *same + 1);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), sizeof others / sizeof *others);
}

/* A letter beyond ASCII makes it another name. */
static void a_longer_name_in_unicode(void **state)
{
    (void)state;
    int64_t rows;
    mail_that_names(1, "<1@\u00fcgone.example>", "{\"id\":\"1\"}");
    mail_that_names(2, "<2@x.example>", "{\"d\":\"gone.example.\u00fcnter\"}");
    mail_that_names(3, "<3@\u00fc.gone.example>", "{\"id\":\"3\"}");
    assert_int_equal(retention_forget(s, "gone.example", false, &rows), STATUS_OK);
    assert_int_equal(rows, 1);
    assert_int_equal(sql_number("SELECT count(*) FROM mail"), 2);
}

static void who_signs_all_its_mail(void **state)
{
    (void)state;
    size_t n;
    char why[STORE_ERROR];
    for (int day = 1; day <= 8; day++) {
        mails("signs.example", "192.0.2.1", day, 5, true, true);
        mails("attacked.example", "192.0.2.2", day, 5, true, true);
        mails("attacked.example", "198.51.100.2", day, 50, false, false); /* forgeries */
        mails("mostly.example", "192.0.2.3", day, 5, true, day != 3);
        mails("unsigned.example", "192.0.2.4", day, 5, true, false);
    }
    for (int day = 1; day <= 3; day++)
        mails("fresh.example", "192.0.2.5", day, 20, true, true);
    for (int day = 1; day <= 8; day++)
        mails("rare.example", "192.0.2.6", day, 2, true, true);
    for (int day = 31; day <= 45; day++)
        mails("past.example", "192.0.2.6", day, 20, true, true);
    assert_int_equal(retention_write_signers(s, path, &n, why), STATUS_OK);
    assert_int_equal(n, 2);
    struct known_signers *k = known_signers_open(path);
    assert_true(known_signers_signs(k, "signs.example"));
    assert_true(known_signers_signs(k, "attacked.example"));
    assert_false(known_signers_signs(k, "mostly.example"));
    assert_false(known_signers_signs(k, "unsigned.example"));
    assert_false(known_signers_signs(k, "fresh.example"));
    assert_false(known_signers_signs(k, "rare.example"));
    assert_false(known_signers_signs(k, "past.example"));
    assert_false(known_signers_signs(k, "sub.signs.example"));
    assert_false(known_signers_signs(k, NULL));
    known_signers_close(k);
}

static void file_put(const char *text)
{
    char fresh[128];
    snprintf(fresh, sizeof fresh, "%s.x", path);
    FILE *f = fopen(fresh, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(fresh, path), 0);
}

static void a_bad_file_leaves_what_was_known(void **state)
{
    (void)state;
    struct known_signers *k = known_signers_open(path);
    assert_non_null(k);
    assert_int_equal(known_signers_count(k), 0);
    file_put("assay-knowledge 1 2\na.example\nb.example\n");
    known_signers_refresh(k);
    assert_int_equal(known_signers_count(k), 2);
    static const char *const bad[] = {"",
                                      "x",
                                      "assay-knowledge 2 1\na\n",
                                      "assay-knowledge 1 3\na\nb\n",
                                      "assay-knowledge 1 1\na\nb\n",
                                      "assay-knowledge 1 2\nb\na\n",
                                      "assay-knowledge 1 2\na\na\n",
                                      "assay-knowledge 1 2\na\nb",
                                      "assay-knowledge 1 99999999999999999999\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        file_put(bad[i]);
        known_signers_refresh(k);
        assert_int_equal(known_signers_count(k), 2);
        assert_true(known_signers_signs(k, "b.example"));
    }
    unlink(path);
    known_signers_refresh(k);
    assert_true(known_signers_signs(k, "a.example"));
    file_put("assay-knowledge 1 0\n");
    known_signers_refresh(k);
    assert_int_equal(known_signers_count(k), 0);
    known_signers_close(k);
    assert_null(known_signers_close(NULL));
}

static void *asker(void *arg)
{
    for (int i = 0; i < 20000; i++)
        if (!known_signers_signs(arg, "a.example"))
            return arg;
    return NULL;
}

static void asked_while_it_changes(void **state)
{
    (void)state;
    file_put("assay-knowledge 1 1\na.example\n");
    struct known_signers *k = known_signers_open(path);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, asker, k), 0);
    for (int i = 0; i < 50; i++) {
        file_put(i % 2 ? "assay-knowledge 1 1\na.example\n" : "assay-knowledge 1 2\na.example\nb.example\n");
        known_signers_refresh(k);
    }
    for (int i = 0; i < 4; i++) {
        void *failed = k;
        pthread_join(t[i], &failed);
        assert_null(failed);
    }
    known_signers_close(k);
}

static void moments(void **state)
{
    (void)state;
    int64_t t = 0, day = 0;
    char text[TIMESTAMP_TEXT];
    assert_true(timestamp_from_record("2026-11-20T23:19:25.123456Z", &t));
    assert_int_equal(t, INT64_C(1795216765123456));
    assert_true(timestamp_from_record("1970-01-01T00:00:00Z", &t));
    assert_int_equal(t, 0);
    static const char *const none[] = {"",
                                       "2026-11-20",
                                       "2026-02-30T00:00:00Z",
                                       "2026-11-20T24:00:00Z",
                                       "2026-11-20T10:00:00",
                                       "2026-11-20T10:00:00Zx",
                                       "2026-11-20 10:00:00Z",
                                       "2026-13-01T00:00:00Z",
                                       "x026-11-20T10:00:00Z"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(timestamp_from_record(none[i], &t));
    assert_false(timestamp_from_record(NULL, &t));
    assert_true(timestamp_day_from_text("2026-11-21", &day));
    assert_int_equal(day, TODAY);
    assert_string_equal(timestamp_day_text(timestamp_week(day), text), "2026-11-16");
    assert_string_equal(timestamp_day_text(timestamp_week(day + 1), text), "2026-11-16");
    assert_string_equal(timestamp_day_text(timestamp_week(day + 2), text), "2026-11-23");
    assert_string_equal(timestamp_day_text(timestamp_month(day), text), "2026-11-01");
    assert_int_equal(timestamp_day(-1), -1);
    assert_true(timestamp_from_person("24h", &t));
    assert_int_equal(t, clock_wall_us() - TIMESTAMP_DAY);
    assert_false(timestamp_from_person("24x", &t));
    assert_false(timestamp_from_person("-3d", &t));
    assert_false(timestamp_from_person("2026-11-20T10:0", &t));
    assert_false(timestamp_from_person("2026-11-20T10:00:75", &t));
    assert_true(timestamp_from_person("2026-11-20 10:00", &t));
    assert_true(timestamp_from_person("yesterday", &t));
    /* Days are UTC's: the same one in every time zone. */
    static const char *const zones[] = {"UTC", "Asia/Tokyo", "XYZ-13", "XYZ+11"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        assert_true(timestamp_day_from_person("2026-11-21", &day));
        assert_int_equal(day, TODAY);
        assert_true(timestamp_day_from_person("yesterday", &day));
        assert_int_equal(day, TODAY - 1);
        assert_true(timestamp_day_from_person("24h", &day));
        assert_int_equal(day, TODAY - 1);
    }
    unsetenv("TZ");
    tzset();
}

/* Nights in which the clock is changed: --since misses no hour, --until leaves none out, and a day ends where the next
 * one begins, whether it has 23, 24 or 25 hours or begins at 01:00. */
static void nights(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *text, *since, *until;
    } t[] = {
        {"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
        {"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999Z"},
        {"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"},
        {"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z"},
        {"Europe/Berlin", "2026-12-31", "2026-12-30T23:00:00Z", "2026-12-31T22:59:59.999999Z"},
        {"America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
        {"America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59.999999Z"},
        {"Asia/Kolkata", "2026-10-25 02:30", "2026-10-24T21:00:00Z", "2026-10-24T21:00:00Z"},
        {"Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T20:59:59.999999Z"},
        {"Africa/Cairo", "2026-04-23", "2026-04-22T22:00:00Z", "2026-04-23T21:59:59.999999Z"},
        {"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
        {"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T09:59:59.999999Z"},
        {"no zone at all", "2026-11-20", "2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int64_t since, until, wanted;
        setenv("TZ", t[i].zone, 1);
        tzset();
        assert_true(timestamp_from_person(t[i].text, &since));
        assert_true(timestamp_from_record(t[i].since, &wanted));
        if (since != wanted)
            fail_msg("%s in %s begins %lld s late", t[i].text, t[i].zone, (long long)(since - wanted) / 1000000);
        assert_true(timestamp_until_from_person(t[i].text, &until));
        assert_true(timestamp_from_record(t[i].until, &wanted));
        if (until != wanted)
            fail_msg("%s in %s ends %lld s late", t[i].text, t[i].zone, (long long)(until - wanted) / 1000000);
    }
    int64_t today, yesterday;
    assert_true(timestamp_from_person("today", &today));
    assert_true(timestamp_until_from_person("yesterday", &yesterday));
    assert_int_equal(yesterday, today - 1);
    unsetenv("TZ");
    tzset();
}

#define ON(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(a_step_costs_the_same_however_much_is_old),
        ON(identities_go_in_time),
        ON(references_last_14_days),
        cmocka_unit_test(every_folder_of_journals),
        ON(rows_of_a_left_out_report_stay),
        ON(one_subject_of_many_rows),
        ON(months_come_and_go),
        ON(what_is_forgotten_is_nowhere),
        ON(an_underscore_is_no_wildcard),
        ON(a_name_in_unicode),
        ON(every_spelling_in_unicode),
        ON(a_longer_name_in_unicode),
        ON(a_day_of_many_rows),
        ON(what_only_records_name),
        ON(every_column_is_marked),
        ON(what_is_forgotten_is_in_no_file),
        ON(in_small_steps),
        ON(a_clock_that_jumps_deletes_nothing),
        ON(a_clock_that_is_right_again),
        ON(a_jump_between_two_starts),
        ON(what_is_dated_ahead_waits),
        ON(who_signs_all_its_mail),
        ON(a_bad_file_leaves_what_was_known),
        ON(asked_while_it_changes),
        ON(moments),
        ON(nights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
