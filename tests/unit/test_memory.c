// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_memory.c - what is remembered from one delivery attempt to the next: first times, values, ends, and that the
 * table stays bounded.
 */
#include "milter/memory.h"
#include "tests/unit/cm.h"
#include <stdio.h>

static void first_time_is_kept(void **state)
{
    struct memory *m = memory_new();
    const char *a[] = {"unsure", "x", NULL}, *b[] = {"unsure", NULL, "x"}, *c[] = {"unsurex", "", NULL};

    (void)state;
    assert_int_equal(memory_first(m, a, 3, 1000, 100), 0);
    assert_int_equal(memory_first(m, a, 3, 1050, 100), 1000);
    assert_int_equal(memory_first(m, b, 3, 1050, 100), 0); /* other parts are another key */
    assert_int_equal(memory_first(m, c, 3, 1050, 100), 0);
    assert_int_equal(memory_first(m, a, 3, 1099, 100), 1000);
    assert_int_equal(memory_first(m, a, 3, 1100, 100), 0); /* it has expired, and starts again */
    assert_int_equal(memory_first(m, a, 3, 1101, 100), 1100);
    memory_free(m);
}

static void values_are_kept(void **state)
{
    struct memory *m = memory_new();
    const char *a[] = {"split", "from", "to"}, *b[] = {"split", "fromt", "o"};

    (void)state;
    assert_int_equal(memory_get(m, a, 3, 10), 0);
    memory_put(m, a, 3, 10, 100, 77);
    assert_int_equal(memory_get(m, a, 3, 11), 77);
    assert_int_equal(memory_get(m, b, 3, 11), 0);
    memory_put(m, a, 3, 12, 100, 78);
    assert_int_equal(memory_get(m, a, 3, 111), 78);
    assert_int_equal(memory_get(m, a, 3, 112), 0);
    assert_true(memory_random(m) != 0);
    memory_free(m);
}

static void stays_bounded(void **state)
{
    struct memory *m = memory_new();
    unsigned kept = 0;

    (void)state;
    for (unsigned i = 0; i < 4 * MEMORY_ENTRIES; i++) {
        char text[16];
        const char *key[] = {text};
        snprintf(text, sizeof text, "%u", i);
        memory_put(m, key, 1, 10, 100 + (time_t)(i / 16), i + 1);
    }
    for (unsigned i = 0; i < 4 * MEMORY_ENTRIES; i++) {
        char text[16];
        const char *key[] = {text};
        snprintf(text, sizeof text, "%u", i);
        uint64_t v = memory_get(m, key, 1, 11);
        assert_true(v == 0 || v == i + 1);
        kept += v != 0;
    }
    assert_true(kept <= MEMORY_ENTRIES);
    assert_true(kept > MEMORY_ENTRIES / 2);
    memory_free(m);
    assert_null(memory_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_time_is_kept),
        cmocka_unit_test(values_are_kept),
        cmocka_unit_test(stays_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
