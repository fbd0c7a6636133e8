// SPDX-License-Identifier: BSD-2-Clause
/* The cache in front: follows TTLs, is bounded, and keeps only what is known. */
#include "tests/unit/cm.h"

#include "dns/dns_cache.h"
#include <stdio.h>

static struct dns_question question(const char *name, enum dns_type type)
{
    struct dns_question q = {.type = type};
    snprintf(q.name, sizeof q.name, "%s", name);
    return q;
}

static void answer_put(struct dns_cache *c, const char *name, enum dns_state state, int64_t expires, size_t octets)
{
    struct dns_question q = question(name, DNS_TXT);
    char *text = calloc(1, octets + 1);
    struct slice rdata = slice_of(text, octets);
    struct dns_result *r = dns_result_new(
        &(struct dns_result){.state = state, .ttl = 1, .expires = expires, .count = 1, .rdata = &rdata, .why = "w"});
    dns_cache_put(c, &q, r, 1000);
    dns_result_drop(r);
    free(text);
}

static bool answer_is_there(struct dns_cache *c, const char *name, enum dns_type type, int64_t now)
{
    struct dns_question q = question(name, type);
    struct dns_result *r = dns_cache_get(c, &q, now);
    dns_result_drop(r);
    return r != NULL;
}

static void until_its_ttl(void **state)
{
    struct dns_cache *c = dns_cache_new(1 << 20);
    answer_put(c, "a.example", DNS_FOUND, 2000, 10);
    assert_true(answer_is_there(c, "a.example", DNS_TXT, 1999));
    assert_false(answer_is_there(c, "a.example", DNS_MX, 1999));
    assert_false(answer_is_there(c, "b.example", DNS_TXT, 1999));
    assert_false(answer_is_there(c, "a.example", DNS_TXT, 2000));
    size_t answers, bytes;
    dns_cache_size(c, &answers, &bytes);
    assert_int_equal(answers, 0);
    assert_int_equal(bytes, 0);
    answer_put(c, "a.example", DNS_FOUND, 2000, 10);
    answer_put(c, "a.example", DNS_NODATA, 3000, 10);
    assert_true(answer_is_there(c, "a.example", DNS_TXT, 2500));
    dns_cache_size(c, &answers, &bytes);
    assert_int_equal(answers, 1);
    dns_cache_free(c);
}

static void only_what_is_known(void **state)
{
    struct dns_cache *c = dns_cache_new(1 << 20);
    answer_put(c, "nx.example", DNS_NXDOMAIN, 5000, 0);
    answer_put(c, "temp.example", DNS_TEMPFAIL, 5000, 0);
    answer_put(c, "bogus.example", DNS_BOGUS, 5000, 0);
    answer_put(c, "zero.example", DNS_FOUND, 1000, 4);
    assert_true(answer_is_there(c, "nx.example", DNS_TXT, 1000));
    assert_false(answer_is_there(c, "temp.example", DNS_TXT, 1000));
    assert_false(answer_is_there(c, "bogus.example", DNS_TXT, 1000));
    assert_false(answer_is_there(c, "zero.example", DNS_TXT, 1000));
    dns_cache_free(c);
}

static void cache_bounded(void **state)
{
    size_t bound = 256 * 1024, answers, bytes;
    struct dns_cache *c = dns_cache_new(bound);
    char name[64];
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        answer_put(c, name, DNS_FOUND, 9000, (size_t)(i % 300));
        assert_true(answer_is_there(c, name, DNS_TXT, 1000));
    }
    dns_cache_size(c, &answers, &bytes);
    assert_true(bytes <= bound);
    assert_in_range(answers, 200, 5000);
    assert_true(answer_is_there(c, "n19999.example", DNS_TXT, 1000));
    assert_false(answer_is_there(c, "n1.example", DNS_TXT, 1000));
    answer_put(c, "huge.example", DNS_FOUND, 9000, 60000);
    assert_false(answer_is_there(c, "huge.example", DNS_TXT, 1000));
    dns_cache_free(c);
    assert_null(dns_cache_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(until_its_ttl), cmocka_unit_test(only_what_is_known),
                                       cmocka_unit_test(cache_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
