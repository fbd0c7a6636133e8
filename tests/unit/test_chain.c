// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_chain.c - the places of the module among Unbound's: which orders let answers bypass it, and the order that is
 * proposed instead (assay-unbound(8), "Order of modules").
 */
#include "tests/unit/cm.h"
#include "resolver-module/chain.h"

static const struct {
    const char *modules, *module, *right;
    enum chain_fault fault;
} wants[] = {
    {"dynlib validator iterator", NULL, "", CHAIN_GOOD},
    {"  dynlib\tvalidator  iterator ", NULL, "", CHAIN_GOOD},
    {"dns64 dynlib respip subnetcache validator cachedb iterator", NULL, "", CHAIN_GOOD},
    {"respip dynlib validator iterator", NULL, "", CHAIN_GOOD},
    {"validator iterator", NULL, "", CHAIN_GOOD},
    {"python dynlib validator python iterator", NULL, "", CHAIN_GOOD},
    {"dynlib iterator", NULL, "", CHAIN_NO_VALIDATOR},
    {"", NULL, "", CHAIN_NO_VALIDATOR},
    {"dynlib validators iterator", NULL, "", CHAIN_NO_VALIDATOR},
    {"validator dynlib iterator", NULL, "dynlib validator iterator", CHAIN_NO_VALIDATOR},
    {"validator iterator dynlib", NULL, "dynlib validator iterator", CHAIN_NO_VALIDATOR},
    {"dynlib dns64 validator iterator", "dns64", "dns64 dynlib validator iterator", CHAIN_DNS64_BEHIND},
    {"subnetcache dynlib validator iterator", "subnetcache", "dynlib subnetcache validator iterator",
     CHAIN_CACHE_BEFORE},
    {"cachedb dynlib validator iterator", "cachedb", "dynlib validator cachedb iterator", CHAIN_CACHE_BEFORE},
    {"subnetcache cachedb dynlib respip validator iterator", "subnetcache",
     "dynlib respip subnetcache validator cachedb iterator", CHAIN_CACHE_BEFORE},
    {"cachedb python dynlib validator iterator", "cachedb", "python dynlib validator cachedb iterator",
     CHAIN_CACHE_BEFORE},
    {"cachedb dynlib ipset validator iterator", "cachedb", "dynlib ipset validator cachedb iterator",
     CHAIN_CACHE_BEFORE},
    {"my-subnetcache dynlib validator iterator", NULL, "", CHAIN_GOOD},
    {"cachedb dynlib a b c d e f g h i j k l validator iterator", "cachedb",
     "dynlib a b c d e f g h i j k l validator cachedb iterator", CHAIN_CACHE_BEFORE},
};

static void test_orders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        struct chain c;
        char said[CHAIN_SAID];
        chain_look(wants[i].modules, &c);
        chain_say(&c, wants[i].modules, said, sizeof said);
        assert_int_equal(c.fault, wants[i].fault);
        assert_string_equal(c.right, wants[i].right);
        assert_string_equal(c.module ? c.module : "", wants[i].module ? wants[i].module : "");
        assert_int_equal(said[0] != '\0', c.fault != CHAIN_GOOD);
        if (c.fault != CHAIN_GOOD)
            assert_non_null(strstr(said, c.right[0] ? c.right : "dynlib validator iterator"));
        if (c.right[0]) { /* what is proposed is in order */
            struct chain again;
            char right[CHAIN_TEXT];
            snprintf(right, sizeof right, "%s", c.right);
            chain_look(right, &again);
            assert_int_equal(again.fault, CHAIN_GOOD);
        }
    }
}

/* More words than Unbound takes, and longer ones than are written: found, but nothing is proposed. */
static void test_limits(void **state)
{
    (void)state;
    char text[3000];
    struct chain c;
    char said[CHAIN_SAID];
    snprintf(text, sizeof text, "%s", "cachedb dynlib validator iterator a b c d e f g h i j k l m n");
    chain_look(text, &c);
    assert_int_equal(c.fault, CHAIN_CACHE_BEFORE);
    assert_string_equal(c.right, "");
    memset(text, 'x', sizeof text);
    snprintf(text + 2900, sizeof text - 2900, "%s", " cachedb dynlib validator iterator");
    chain_look(text, &c);
    assert_int_equal(c.fault, CHAIN_CACHE_BEFORE);
    assert_string_equal(c.right, "");
    chain_say(&c, text, said, sizeof said);
    assert_true(strlen(said) < sizeof said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_orders), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
