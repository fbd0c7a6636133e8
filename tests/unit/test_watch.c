// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_watch.c - the policy in a running resolver: a change is in force and makes the version go up, a bad file does
 * not, a mend in a file that only the failed policy names does, and so does the second at which an exemption or
 * suspension begins or ends, whichever way the clock goes past it.
 */
#include "tests/unit/policy_folder.h"
#include "base/clock.h"
#include "policy/policy_live.h"
#include "resolver-module/background.h"
#include "resolver-module/watch.h"

/* Tells whether the version comes to differ from `from` within so long. */
#define WAIT 60000 /* until what must come has come, on a computer with much else to do */

static bool goes_up(const struct watch *w, unsigned from, int64_t ms)
{
    for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end; clock_sleep_ms(20))
        if (watch_version(w) != from)
            return true;
    return false;
}

#define POLICY                                                                                                         \
    "set mode enforce\nrequire dnssec of names in a.example\n"                                                         \
    "exempt a.example from dnssec because \"b\" agreed by \"c\" through 2026-12-31\n"

static struct watch *watch_begin(void)
{
    const struct watch_hooks hooks = {NULL};
    assert_true(background_ready());
    return watch_start(in("policy"), folder, folder, &hooks);
}

static void a_boundary_is_noticed_both_ways(void **state)
{
    (void)state;
    const time_t before = 1796000000, after = 1798900000; /* 2026-11-30, 2027-01-02 */
    clock_set_wall(before);
    put_whole("policy", POLICY);
    struct watch *w = watch_begin();
    assert_non_null(w);
    const struct policy *p = watch_policy(w);
    assert_non_null(p);
    policy_unref(p);
    unsigned version = watch_version(w);
    assert_false(goes_up(w, version, 600));
    clock_set_wall(after);
    assert_true(goes_up(w, version, WAIT));
    version = watch_version(w);
    clock_set_wall(before); /* it was wrong, and is put right: the exemption is in force again */
    assert_true(goes_up(w, version, WAIT));
    version = watch_version(w);
    assert_false(goes_up(w, version, 600));
    clock_set_wall(0);
    watch_stop(w);
}

static void a_mend_is_noticed_where_it_is(void **state)
{
    (void)state;
    put_whole("policy", POLICY);
    struct watch *w = watch_begin();
    assert_non_null(w);
    unsigned version = watch_version(w);
    put_whole("more", "requre dnssec of names in b.example\n");
    put_whole("policy", POLICY "include \"more\"\n");
    char error[512] = "";
    enum policy_source source;
    for (int64_t end = clock_mono_ms() + WAIT; clock_mono_ms() < end && !error[0]; clock_sleep_ms(20))
        watch_state(w, &source, error, sizeof error);
    assert_int_equal(source, POLICY_KEPT);
    assert_int_equal(watch_version(w), version);
    assert_non_null(strstr(error, "requre"));
    put_whole("more", "require dnssec of names in b.example\n");
    assert_true(goes_up(w, version, WAIT));
    watch_state(w, &source, error, sizeof error);
    assert_int_equal(source, POLICY_FROM_FILE);
    assert_string_equal(error, "");
    watch_stop(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_boundary_is_noticed_both_ways),
        cmocka_unit_test(a_mend_is_noticed_where_it_is),
    };
    if (folder_make() != 0)
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    (void)folder_remove();
    return rc;
}
