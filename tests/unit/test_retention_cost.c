// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_retention_cost.c - no statement of retention or forget reads more where more is kept: writers wait for each.
 *
 * Every table of the schema gets rows that stay and a few that go, by the types and names of its columns, so that a new
 * table is measured, too. Counted are instructions of SQLite's virtual machine, so that a busy machine changes nothing.
 */
// check: slow
#include "tests/unit/ledger_store.h"

#include "base/buf.h"
#include "ledger/most_seen.h"
#include "ledger/retention.h"
#include "ledger/store_engine.h"
#include "ledger/timestamp.h"
#include <sqlite3.h>
#include <string.h>

#define DAY LEDGER_STORE_TODAY
#define OLD_DAYS 1000
#define OLD_ROWS 20
#define FEW 20000 /* above the most rows that a step reads, with as many in the last step as MANY has */
#define MANY 44000
#define ONE_STEP                                                                                                       \
    30000 /* instructions of a step on twice RETENTION_STEP rows; reading what MANY has more takes 50,000 */

static struct ledger_store own;
static struct store *s;

static int set_up(void **state)
{
    (void)state;
    if (getenv("ASSAY_TEST_STORE"))
        return 0;
    if (ledger_store_make(&own, 3600) != 0)
        return -1;
    s = ledger_store_open(&own);
    return s ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (!s)
        return 0;
    s = store_close(s);
    return ledger_store_remove(&own);
}

static void sql(const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(store_sqlite_handle(s), text, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", error, text);
}

/* ---- rows of any table ---- */

static const struct {
    const char *name, *table; /* table NULL: of any */
    long long a_day;          /* what the column counts, in a day; 0: the value is a constant */
    const char *constant;
} values[] = {
    {"day", NULL, 1, NULL},
    {"hour", NULL, 24, NULL},
    {"t", NULL, TIMESTAMP_DAY, NULL},
    {"begins", NULL, 86400, NULL},
    {"ends", NULL, 86400, NULL},
    {"first_seen", NULL, TIMESTAMP_DAY, NULL},
    {"last_seen", NULL, TIMESTAMP_DAY, NULL},
    {"taken", NULL, TIMESTAMP_DAY, NULL},
    {"changed", NULL, TIMESTAMP_DAY, NULL},
    {"until", NULL, 1, NULL},
    {"exact", NULL, 0, "1"},
    {"state", "segment", 0, "'done'"},
    {"kind", "report_in", 0, "'dmarc'"},
    {"kind", "report_in_row", 0, "'dmarc'"},
    {"row", NULL, 0, "1"},
};

static void add_value(const char *table, const char *column, bool is_text, long long day, struct buf *out)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strcmp(values[i].name, column) != 0 || (values[i].table && strcmp(values[i].table, table) != 0))
            continue;
        if (values[i].constant)
            buf_adds(out, values[i].constant);
        else
            buf_printf(out, "%lld%s", day * values[i].a_day, strcmp(column, "t") == 0 ? " + n" : "");
        return;
    }
    buf_printf(out, is_text ? "'%lld-' || n" : "%lld + n", day);
}

/* Rows `from` to `to` of the day. */
static void fill_table(const char *table, long long day, int from, int to)
{
    struct buf names = BUF_INIT, made = BUF_INIT, text = BUF_INIT;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_prepare_v2(store_sqlite_handle(s), "SELECT name, type = 'TEXT' FROM pragma_table_info(?1)",
                                        -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(q, 0);
        buf_printf(&names, "%s\"%s\"", names.n ? ", " : "", name);
        buf_adds(&made, made.n ? ", " : "");
        add_value(table, name, sqlite3_column_int(q, 1), day, &made);
    }
    sqlite3_finalize(q);
    buf_printf(&text,
               "WITH RECURSIVE c(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM c WHERE n < %d) INSERT INTO %s (%s) "
               "SELECT %s FROM c",
               from, to, table, names.p, made.p);
    sql(text.p);
    buf_release(&names);
    buf_release(&made);
    buf_release(&text);
}

/* Mails that retention has cleared: they stay, and have no record. */
static void fill_cleared(int from, int to)
{
    char text[512];
    snprintf(text, sizeof text,
             "WITH RECURSIVE c(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM c WHERE n < %d) INSERT INTO mail (t, host, "
             "source, exact, rcpts, action, would) SELECT (%d - 20) * %lld + n, 'mx1', 'internet', 0, 1, 'deliver', "
             "'deliver' FROM c",
             from, to, DAY, (long long)TIMESTAMP_DAY);
    sql(text);
}

static void tables_fill(long long day, int from, int to)
{
    static const char *const tables[] = {
#define TABLE(t, ...) #t,
#define COLUMN(t, c, k)
#include "ledger/subjects.def"
#undef TABLE
#undef COLUMN
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (sqlite3_table_column_metadata(store_sqlite_handle(s), NULL, tables[i], NULL, NULL, NULL, NULL, NULL,
                                          NULL) == SQLITE_OK &&
            strcmp(tables[i], "ledger_state") != 0 && strcmp(tables[i], "assay_schema") != 0)
            fill_table(tables[i], day, from, to);
}

/* ---- the cost ---- */

struct cost {
    char text[4096];
    int few, many;
};
static struct cost costs[256];
static size_t count;
static bool is_many;

static int on_end(unsigned what, void *unused, void *statement, void *ns)
{
    (void)what;
    (void)unused;
    (void)ns;
    int n = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    size_t i = 0;
    while (i < count && strncmp(costs[i].text, sqlite3_sql(statement), sizeof costs->text - 1) != 0)
        i++;
    if (i == sizeof costs / sizeof *costs)
        return 0;
    if (i == count)
        snprintf(costs[count++].text, sizeof costs->text, "%s", sqlite3_sql(statement));
    int *most = is_many ? &costs[i].many : &costs[i].few;
    *most = n > *most ? n : *most;
    return 0;
}

static void measure(void (*work)(void), bool many)
{
    is_many = many;
    (void)sqlite3_trace_v2(store_sqlite_handle(s), SQLITE_TRACE_PROFILE, on_end, NULL);
    work();
    (void)sqlite3_trace_v2(store_sqlite_handle(s), 0, NULL, NULL);
}

/* Steps differ by how many rows are left for the last one, and by the time that they took. One between the first and
 * the last range may have come with many rows only. */
static void assert_same_cost(void)
{
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        if (!costs[i].few || costs[i].many <= costs[i].few + costs[i].few / 2 + ONE_STEP)
            continue;
        print_error("%d instructions at %d rows, %d at %d: %s\n", costs[i].few, FEW, costs[i].many, MANY,
                    costs[i].text);
        wrong++;
    }
    assert_true(count > 10);
    assert_int_equal(wrong, 0);
}

static void cost_compare(void (*work)(void))
{
    if (!s)
        skip();
    count = 0;
    memset(costs, 0, sizeof costs);
    tables_fill(DAY, 1, FEW);
    fill_cleared(1, FEW);
    tables_fill(DAY - OLD_DAYS, 1, OLD_ROWS);
    measure(work, false);
    tables_fill(DAY, FEW + 1, MANY);
    fill_cleared(FEW + 1, MANY);
    tables_fill(DAY - OLD_DAYS, OLD_ROWS + 1, 2 * OLD_ROWS);
    measure(work, true);
    assert_same_cost();
}

static void retain(void)
{
    struct retention_keep keep = {14 * 86400, 90 * 86400, 800 * 86400};
    int64_t rows = 0;
    if (retention_run(s, &keep, clock_wall_us(), NULL, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_true(rows >= OLD_ROWS * 10);
}

static void retention(void **state)
{
    (void)state;
    cost_compare(retain);
}

static void forget_one(void)
{
    int64_t rows = 0;
    char name[32];
    snprintf(name, sizeof name, "%d-%d", DAY, is_many ? 2 : 1);
    if (retention_forget(s, name, false, &rows) != STATUS_OK)
        fail_msg("%s", store_error(s));
    assert_true(rows >= 10);
}

static void forget_cost(void **state)
{
    (void)state;
    cost_compare(forget_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(retention, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forget_cost, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
