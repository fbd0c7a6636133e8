// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_report_store.c - reports of others in the ledger: all of one or nothing is seen, however large it is and whoever
 * dies while it is written; nobody holds the ledger for longer than a step.
 *
 * On SQLite, or on the store that ASSAY_TEST_STORE names (an empty database of its own: tests/system/ledger/run).
 */
#include "tests/unit/ledger_store.h"

#include "feedback/report_store.h"
#include <stdio.h>

#define ROWS (REPORT_STORE_STEP * 3 + 7)
#define NOON 43200

static struct ledger_store own;
static struct store *s, *other;
static struct report_store_about about[2];
static const char *domains[] = {"example.org", "example.net"};
static struct report_in report = {.kind = REPORT_IN_TLS,
                                  .org = "Receiver",
                                  .id = "one",
                                  .policy = "",
                                  .domains = domains,
                                  .domain_count = 2,
                                  .begin = 1795046400,
                                  .end = 1795132799,
                                  .proof = REPORT_IN_UNKNOWN};

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&own, NOON) != 0)
        return -1;
    s = ledger_store_open(&own);
    other = ledger_store_open(&own);
    about[0].ours = about[1].ours = true;
    return s && other ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    s = store_close(s);
    other = store_close(other);
    return ledger_store_remove(&own);
}

static int64_t sql_number(const char *sql)
{
    int64_t n = -1;
    if (store_ask_number(other, 0, &n, sql, "") != STATUS_OK)
        fail_msg("%s: %s", sql, store_error(other));
    return n;
}

/* As all queries ask. */
static int64_t mails_seen(void)
{
    return sql_number(
        "SELECT COALESCE(sum(w.count), 0) FROM report_in i JOIN report_in_row w ON w.kind = i.kind AND w.org = "
        "i.org AND w.report_id = i.report_id AND w.domain = i.domain WHERE i.ours = 1");
}

static void write_rows(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct report_in_row row = {.about = i % 2,
                                          .source = "192.0.2.1",
                                          .result = "pass",
                                          .dkim = "",
                                          .spf = "",
                                          .header_from = domains[i % 2],
                                          .detail = "",
                                          .count = 2};
        assert_int_equal(report_store_row(s, &report, about, &row), STATUS_OK);
    }
}

static void report_begin(void)
{
    if (report_store_begin(s, &report, "file", about) != STATUS_OK)
        fail_msg("%s", store_error(s));
}

static void all_or_nothing_is_seen(void **state)
{
    (void)state;
    report_begin();
    write_rows(ROWS);
    assert_int_equal(mails_seen(), 0);
    assert_int_equal(store_begin(other), STATUS_OK); /* others write meanwhile */
    store_rollback(other);
    assert_true(sql_number("SELECT count(*) FROM report_in_row") >= REPORT_STORE_STEP * 3);
    assert_int_equal(report_store_end(s, &report, about), STATUS_OK);
    assert_int_equal(mails_seen(), ROWS * 2);
    assert_int_equal(about[0].rows + about[1].rows, ROWS);
    report_begin();
    assert_false(about[0].fresh || about[1].fresh);
    write_rows(ROWS);
    assert_int_equal(report_store_end(s, &report, about), STATUS_OK);
    assert_int_equal(mails_seen(), ROWS * 2);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in"), 2);
}

static void a_broken_one_is_taken_back(void **state)
{
    static const size_t at[] = {0, 1, REPORT_STORE_STEP, REPORT_STORE_STEP + 1, ROWS};
    (void)state;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        report_begin();
        write_rows(at[i]);
        report_store_drop(s, &report, about);
        assert_int_equal(sql_number("SELECT count(*) FROM report_in"), 0);
        assert_int_equal(sql_number("SELECT count(*) FROM report_in_row"), 0);
    }
}

/* Whoever wrote it died: its connection is closed without a word. */
static void one_that_was_left_begins_anew(void **state)
{
    (void)state;
    report_begin();
    write_rows(ROWS);
    struct report_store_about left[2] = {about[0], about[1]};
    s = store_close(s);
    s = ledger_store_open(&own);
    assert_int_equal(mails_seen(), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in WHERE ours < 0"), 2);
    assert_int_equal(report_store_begin(s, &report, "file", about), STATUS_AGAIN); /* perhaps it is still at it */
    assert_non_null(strstr(store_error(s), "another program"));
    clock_set_wall(clock_wall() + REPORT_STORE_LEFT_SECONDS + 1);
    report_begin();
    write_rows(10);
    assert_int_equal(report_store_end(s, &report, about), STATUS_OK);
    assert_int_equal(mails_seen(), 20);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in_row"), 10);
    report_store_drop(s, &report, left); /* should it live after all: nothing of the other's is taken back */
    assert_int_equal(mails_seen(), 20);
}

/* Two at once, the first of which was taken for dead: what is seen is one of them, whole. */
static void the_slow_one_gives_up(void **state)
{
    (void)state;
    report_begin();
    write_rows(ROWS);
    clock_set_wall(clock_wall() + REPORT_STORE_LEFT_SECONDS + 1);
    struct report_store_about second[2] = {{.ours = true}, {.ours = true}};
    assert_int_equal(report_store_begin(other, &report, "file", second), STATUS_OK);
    assert_int_equal(report_store_end(other, &report, second), STATUS_OK);
    assert_int_equal(report_store_end(s, &report, about), STATUS_AGAIN);
    report_store_drop(s, &report, about);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in WHERE ours = 1"), 2);
    assert_int_equal(sql_number("SELECT count(*) FROM report_in_row"), 0);
}

#define ON(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {ON(all_or_nothing_is_seen), ON(a_broken_one_is_taken_back),
                                       ON(one_that_was_left_begins_anew), ON(the_slow_one_gives_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
