// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_store_stop.c - a program that is told to end does not wait for a store: a statement, a transaction, and the wait
 * for another writer are cut off, nothing of them is stored, and what is short is not touched.
 *
 * On the store that ASSAY_TEST_STORE names too.
 */
#include "tests/unit/ledger_store.h"

#include "ledger/store_stop.h"
#include <string.h>
#include <unistd.h>

#define WELL_WITHIN_MS 60000 /* of what would take hours */

static struct ledger_store ledger;
static struct store *s, *other;
static bool told;

static bool told_stop(void)
{
    return told;
}

static int set_up(void **state)
{
    (void)state;
    told = false;
    store_stop_when(told_stop);
    if (ledger_store_make(&ledger, -1) != 0)
        return -1;
    s = ledger_store_open(&ledger);
    other = ledger_store_open(&ledger);
    return s && other ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    told = false;
    s = store_close(s);
    other = store_close(other);
    return ledger_store_remove(&ledger);
}

static enum status state_put(const char *name)
{
    return store_run(s, &(int64_t){0}, "INSERT INTO ledger_state (name, number) VALUES ($1, 1)", "t", name);
}

static int64_t state_count(const char *name)
{
    int64_t n = -1;
    assert_int_equal(store_ask_number(other, 0, &n, "SELECT count(*) FROM ledger_state WHERE name = $1", "t", name),
                     STATUS_OK);
    return n;
}

static const char *endless(void)
{
    return store_is_shared(s) ? "SELECT pg_sleep(36000) IS NULL"
                              : "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < "
                                "100000000000000) SELECT count(*) FROM c";
}

static void a_statement(void **state)
{
    (void)state;
    int64_t n, began = clock_mono_ms();
    told = true;
    assert_int_equal(store_ask_number(s, 0, &n, endless(), ""), STATUS_AGAIN);
    assert_in_range(clock_mono_ms() - began, STORE_STOP_MS, WELL_WITHIN_MS);
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_put("before"), STATUS_OK);
    assert_int_equal(store_ask_number(s, 0, &n, endless(), ""), STATUS_AGAIN);
    store_rollback(s);
    assert_int_equal(state_count("before"), 0);
    /* The store can be used on, and short statements end as ever. */
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_put("after"), STATUS_OK);
    assert_int_equal(store_commit(s), STATUS_OK);
    assert_int_equal(state_count("after"), 1);
}

static void a_transaction(void **state)
{
    (void)state;
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_put("a"), STATUS_OK);
    usleep(STORE_STOP_MS * 1100);
    assert_int_equal(state_put("b"), STATUS_OK); /* nobody told it to end */
    told = true;
    assert_int_equal(state_put("c"), STATUS_AGAIN);
    assert_non_null(strstr(store_error(s), "cut off"));
    store_rollback(s);
    assert_int_equal(state_count("a") + state_count("b") + state_count("c"), 0);
    told = false;
    assert_int_equal(store_begin(s), STATUS_OK);
    assert_int_equal(state_put("d"), STATUS_OK);
    usleep(STORE_STOP_MS * 1100);
    told = true;
    assert_int_equal(store_commit(s), STATUS_OK); /* never cut off */
    assert_int_equal(state_count("d"), 1);
}

static void the_wait_for_another_writer(void **state)
{
    (void)state;
    assert_int_equal(store_begin(other), STATUS_OK);
    assert_int_equal(store_run(other, &(int64_t){0}, "INSERT INTO ledger_state (name, number) VALUES ('held', 1)", ""),
                     STATUS_OK);
    told = true;
    int64_t began = clock_mono_ms();
    enum status st = store_begin(s);
    if (st == STATUS_OK) /* PostgreSQL waits at the row */
        st = state_put("held");
    assert_int_equal(st, STATUS_AGAIN);
    assert_in_range(clock_mono_ms() - began, STORE_STOP_MS - 100, 20000); /* SQLite's wait would be 30 s */
    store_rollback(s);
    assert_int_equal(store_commit(other), STATUS_OK);
    assert_int_equal(state_count("held"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_statement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_wait_for_another_writer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
