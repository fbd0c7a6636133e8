// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_store_rows.c - rows that are being read while other statements are run: each comes, in its order, and its texts
 * stay until the next one is asked for.
 *
 * On the store that ASSAY_TEST_STORE names too.
 */
#include "tests/unit/ledger_store.h"

#include <string.h>

#define ROWS 1000

static struct ledger_store ledger;
static struct store *s;

static int set_up(void **state)
{
    (void)state;
    if (ledger_store_make(&ledger, -1) != 0 || !(s = ledger_store_open(&ledger)))
        return -1;
    enum status st = store_begin(s);
    for (int i = 0; i < ROWS && st == STATUS_OK; i++) {
        char name[24];
        snprintf(name, sizeof name, "n%04d", i);
        st = store_run(s, NULL, "INSERT INTO ledger_state (name, number) VALUES ($1, $2)", "ti", name, (int64_t)i);
    }
    return st == STATUS_OK && store_commit(s) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    s = store_close(s);
    return ledger_store_remove(&ledger);
}

static struct store_rows *ask_all(void)
{
    return store_ask(s, "SELECT name, number FROM ledger_state WHERE name LIKE 'n%' ORDER BY name", "");
}

static void assert_row(const struct store_rows *r, int n)
{
    char name[24];
    snprintf(name, sizeof name, "n%04d", n);
    assert_string_equal(store_text(r, 0), name);
    assert_int_equal(store_number(r, 1), n);
}

static int64_t number_of(const char *name)
{
    int64_t n = -1;
    assert_int_equal(store_ask_number(s, -1, &n, "SELECT number FROM ledger_state WHERE name = $1", "t", name),
                     STATUS_OK);
    return n;
}

static void one_after_the_other(void **state)
{
    (void)state;
    struct store_rows *r = ask_all();
    int n = 0;
    for (; store_next(r); n++)
        assert_row(r, n);
    assert_int_equal(store_done(r), STATUS_OK);
    assert_int_equal(n, ROWS);
}

static void with_questions_between(void **state)
{
    (void)state;
    struct store_rows *r = ask_all();
    int n = 0;
    for (; store_next(r); n++) {
        if (n % 100 == 3)
            assert_int_equal(number_of(store_text(r, 0)), n);
        assert_row(r, n);
    }
    assert_int_equal(store_done(r), STATUS_OK);
    assert_int_equal(n, ROWS);
}

static void with_changes_between(void **state)
{
    (void)state;
    int n = 0;
    assert_int_equal(store_begin(s), STATUS_OK);
    struct store_rows *r = ask_all();
    for (; store_next(r) && n < 10; n++) {
        assert_int_equal(store_run(s, NULL, "INSERT INTO ledger_state (name, number) VALUES ('copy ' || $1, $2)", "ti",
                                   store_text(r, 0), store_number(r, 1)),
                         STATUS_OK);
        assert_row(r, n);
    }
    assert_int_equal(store_done(r), STATUS_OK); /* the others are not read */
    assert_int_equal(store_commit(s), STATUS_OK);
    assert_int_equal(number_of("copy n0009"), 9);
    assert_int_equal(number_of("copy n0010"), -1);
}

static void two_at_once(void **state)
{
    (void)state;
    struct store_rows *a = ask_all(), *b = NULL;
    for (int n = 0; n < 5; n++) {
        assert_true(store_next(a));
        assert_row(a, n);
    }
    b = ask_all();
    for (int n = 0; n < ROWS - 5; n++) {
        assert_true(store_next(b));
        assert_true(store_next(a));
        assert_row(b, n);
        assert_row(a, n + 5);
    }
    assert_false(store_next(a));
    assert_int_equal(store_done(a), STATUS_OK);
    assert_true(store_next(b));
    assert_row(b, ROWS - 5);
    assert_int_equal(store_done(b), STATUS_OK);
}

static void none_and_null(void **state)
{
    (void)state;
    struct store_rows *r = store_ask(s, "SELECT name FROM ledger_state WHERE name = 'nobody'", "");
    assert_int_equal(number_of("n0001"), 1);
    assert_false(store_next(r));
    assert_false(store_next(r));
    assert_int_equal(store_done(r), STATUS_OK);
    r = store_ask(s, "SELECT NULL, name FROM ledger_state WHERE name LIKE 'n000%' ORDER BY name", "");
    assert_int_equal(number_of("n0001"), 1);
    for (int n = 0; n < 10; n++) {
        assert_true(store_next(r));
        assert_null(store_text(r, 0));
        assert_int_equal(store_number(r, 0), 0);
    }
    assert_int_equal(store_done(r), STATUS_OK);
}

/* A row that cannot be computed: those before it came, and the end says so. The store can be used on. */
static void an_error_behind_rows(void **state)
{
    (void)state;
    const char *sql =
        store_is_shared(s)
            ? "SELECT 100 / (500 - n) FROM generate_series(1, 1000) n"
            : "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) SELECT CASE "
              "WHEN n = 500 THEN abs(n - 500 - 9223372036854775807 - 1) ELSE n END FROM c";
    for (int nested = 0; nested < 2; nested++) {
        int n = 0;
        struct store_rows *r = store_ask(s, sql, "");
        for (; store_next(r); n++)
            if (n == 3 && nested)
                assert_int_equal(number_of("n0007"), 7);
        assert_int_equal(n, 499);
        assert_int_not_equal(store_done(r), STATUS_OK);
        assert_int_equal(number_of("n0007"), 7);
    }
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON(one_after_the_other), ON(with_questions_between), ON(with_changes_between),
        ON(two_at_once),         ON(none_and_null),          ON(an_error_behind_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
