// SPDX-License-Identifier: BSD-2-Clause
/* How much DNS one client network may cost. */
#include "tests/unit/cm.h"

#include "judge/quota.h"
#include <stdio.h>

static struct ip ip(const char *text)
{
    struct ip a;
    assert_int_equal(ip_from_text(slice_str(text), &a), STATUS_OK);
    return a;
}

static void by_network_and_minute(void **state)
{
    struct quota *q = quota_new();
    struct ip a = ip("192.0.2.1"), beside = ip("192.0.2.200"), other = ip("192.0.3.1"), six = ip("2001:db8::1"),
              six2 = ip("2001:db8:0:ff::9");
    assert_true(quota_take(q, &a, 60, 100, 0));
    assert_true(quota_take(q, &a, 60, 100, 0));
    assert_false(quota_take(q, &a, 1, 100, 0));
    assert_false(quota_take(q, &beside, 1, 100, 0));
    assert_true(quota_take(q, &other, 1, 100, 0));
    assert_true(quota_take(q, &a, 1, 0, 0));
    /* 120 - 100 a minute: below 100 after 12 seconds */
    assert_false(quota_take(q, &a, 1, 100, 11999));
    assert_true(quota_take(q, &a, 1, 100, 12001));
    assert_true(quota_take(q, &a, 1, 100, 600000));
    assert_true(quota_take(q, &six, 200, 100, 600000));
    assert_false(quota_take(q, &six2, 1, 100, 600000));
    quota_free(q);
}

static void unknown_clients(void **state)
{
    struct quota *q = quota_new();
    struct ip nobody = {0}, a = ip("192.0.2.1");
    assert_true(quota_take(q, &nobody, 1000, 10, 0));
    assert_true(quota_take(q, &nobody, 1, 10, 0));
    assert_true(quota_take(NULL, &a, 1000, 10, 0));
    assert_true(quota_take(NULL, &a, 1, 10, 0));
    assert_null(quota_free(q));
    assert_null(quota_free(NULL));
}

/* A hundred thousand others that cost little do not displace the one that costs much. */
static void not_washed_out(void **state)
{
    struct quota *q = quota_new();
    struct ip a = ip("192.0.2.1"), other = {.family = 4};
    assert_true(quota_take(q, &a, 500, 100, 0));
    for (uint32_t i = 0; i < 100000; i++) {
        other.octets[0] = 10;
        other.octets[1] = (uint8_t)(i >> 8);
        other.octets[2] = (uint8_t)i;
        other.octets[0] = (uint8_t)(10 + (i >> 16));
        assert_true(quota_take(q, &other, 2, 100, 1));
    }
    assert_false(quota_take(q, &a, 1, 100, 1));
    quota_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_network_and_minute), cmocka_unit_test(unknown_clients),
                                       cmocka_unit_test(not_washed_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
