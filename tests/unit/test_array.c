// SPDX-License-Identifier: BSD-2-Clause
/* test_array.c - an array on the heap or in an arena grows by doubling, keeps what it holds, and no product of counts
 * wraps around. */
#include "base/array.h"
#include "tests/unit/cm.h"
#include <stdint.h>
#include <stdlib.h>

static void doubles_and_keeps(void **state)
{
    (void)state;
    size_t room = 0, count = 0;
    unsigned *all = NULL;
    for (unsigned i = 0; i < 1000; i++) {
        if (count == room) {
            const size_t before = room;
            unsigned *more = array_grow(all, &room, 3, sizeof *more);
            assert_non_null(more);
            assert_int_equal(room, before ? before * 2 : 3);
            all = more;
        }
        all[count++] = i;
    }
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(all[i], i);
    assert_int_equal(room, 1536);
    free(all);
}

static void too_large_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    size_t room = 0;
    char *all = array_grow(NULL, &room, 8, 1);
    assert_non_null(all);
    all[7] = 'x';
    room = SIZE_MAX / 2 + 1;
    assert_null(array_grow(all, &room, 8, 1));
    assert_true(room == SIZE_MAX / 2 + 1);
    room = SIZE_MAX / 16; /* twice as many, of 16 octets each, is more than there are octets */
    assert_null(array_grow(all, &room, 8, 16));
    assert_true(room == SIZE_MAX / 16);
    assert_int_equal(all[7], 'x');
    free(all);
}

static void in_an_arena_doubles_and_keeps(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    size_t room = 0, count = 0;
    unsigned *all = NULL;
    for (unsigned i = 0; i < 1000; i++) {
        if (count == room) {
            const size_t before = room;
            unsigned *more = array_grow_in(a, all, &room, 3, sizeof *more);
            assert_non_null(more);
            assert_ptr_not_equal(more, all);
            assert_int_equal(room, before ? before * 2 : 3);
            for (size_t k = before; k < room; k++)
                assert_int_equal(more[k], 0);
            all = more;
        }
        all[count++] = i + 1;
    }
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(all[i], i + 1);
    assert_int_equal(room, 1536);
    arena_free(a);
}

static void in_an_arena_too_large_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct arena *a = arena_new(4096);
    size_t room = 0;
    char *all = array_grow_in(a, NULL, &room, 8, 1);
    assert_non_null(all);
    all[7] = 'x';
    room = SIZE_MAX / 2 + 1;
    assert_null(array_grow_in(a, all, &room, 8, 1));
    assert_true(room == SIZE_MAX / 2 + 1);
    room = SIZE_MAX / 16;
    assert_null(array_grow_in(a, all, &room, 8, 16));
    assert_true(room == SIZE_MAX / 16);
    assert_true(arena_failed(a));
    assert_int_equal(all[7], 'x');
    arena_free(a);
}

static void in_an_arena_the_bound_of_the_arena_holds(void **state)
{
    (void)state;
    struct arena *a = arena_new(4096);
    size_t room = 0;
    char *all = NULL, *more;
    while ((more = array_grow_in(a, all, &room, 8, 1)) != NULL) {
        all = more;
        all[0] = 'x';
        assert_false(arena_failed(a));
        assert_true(room <= 4096);
    }
    assert_true(arena_failed(a));
    assert_in_range(room, 8, 4096); /* as it was before the one that failed */
    assert_int_equal(all[0], 'x');
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_and_keeps),
        cmocka_unit_test(too_large_is_refused_and_changes_nothing),
        cmocka_unit_test(in_an_arena_doubles_and_keeps),
        cmocka_unit_test(in_an_arena_too_large_is_refused_and_changes_nothing),
        cmocka_unit_test(in_an_arena_the_bound_of_the_arena_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
