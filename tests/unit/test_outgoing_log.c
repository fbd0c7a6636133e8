// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_outgoing_log.c - what may be logged about domains: one line an hour for each, 20 a minute over all, and what was
 * left out is counted.
 */
#include "outgoing/outgoing_log.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define MINUTE (OUTGOING_LOG_SECONDS * 1000)
#define HOUR (OUTGOING_LOG_DOMAIN_SECONDS * 1000)

static void of_a_domain(void **state)
{
    struct outgoing_log_left left;
    assert_true(outgoing_log_may("one.example", 1000, &left));
    assert_int_equal(left.of_domain, 0);
    for (int i = 1; i <= 5; i++)
        assert_false(outgoing_log_may("one.example", 1000 + i * MINUTE, &left));
    assert_true(outgoing_log_may("two.example", 2000, &left)); /* another domain has a line of its own */
    assert_true(outgoing_log_may("one.example", 1000 + HOUR, &left));
    assert_int_equal(left.of_domain, 5);
    assert_int_equal(left.of_all, 0);
}

static void over_all(void **state)
{
    struct outgoing_log_left left;
    const int64_t now = (int64_t)HOUR * 10;
    char name[32];
    unsigned written = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "d%d.example", i);
        written += outgoing_log_may(name, now, &left);
    }
    assert_int_equal(written, OUTGOING_LOG_BURST);
    assert_true(outgoing_log_may("later.example", now + MINUTE, &left));
    assert_int_equal(left.of_all, 100 - OUTGOING_LOG_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_domain), cmocka_unit_test(over_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
