// SPDX-License-Identifier: BSD-2-Clause
// Where our module stands among Unbound's, for each combination that the manual names, and what is refused.
#include "cli/harden/unbound_chain.h"
#include "tests/unit/cm.h"
#include <string.h>

#define ALL "dns64 cachedb subnetcache respip validator iterator dynlib"

static void test_chain(void **state)
{
    (void)state;
    static const struct {
        const char *now, *linked, *chain;
    } cases[] = {
        {"validator iterator", ALL, "dynlib validator iterator"},
        {"dynlib validator iterator", ALL, "dynlib validator iterator"},
        {"subnetcache validator iterator", ALL, "dynlib subnetcache validator iterator"},
        {"respip validator iterator", ALL, "dynlib respip validator iterator"},
        {"validator cachedb iterator", ALL, "dynlib validator cachedb iterator"},
        {"dns64 validator iterator", ALL, "dns64 dynlib validator iterator"},
        {"dynlib dns64 validator iterator", ALL, "dns64 dynlib validator iterator"},
        {"dns64 respip subnetcache validator cachedb iterator", ALL,
         "dns64 dynlib respip subnetcache validator cachedb iterator"},
        {"  respip\tdns64  validator iterator ", ALL, "dns64 dynlib respip validator iterator"},
        {"python validator iterator", ALL, NULL},
        {"python validator iterator", ALL " python", "dynlib python validator iterator"},
        {"python dynlib dns64 validator iterator", ALL " python", "python dns64 dynlib validator iterator"},
        {"iterator", ALL, NULL},
        {"ipsecmod validator iterator", ALL " ipsecmod", NULL},
        {"respip validator iterator", "validator iterator", NULL},
        {"", ALL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new(1 << 20);
        const char *why = NULL, *chain = unbound_chain(a, cases[i].now, cases[i].linked, &why);
        if (cases[i].chain) {
            assert_non_null(chain);
            assert_string_equal(chain, cases[i].chain);
        } else {
            assert_null(chain);
            assert_non_null(why);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chain)};
    return cmocka_run_group_tests_name("unbound_chain", tests, NULL, NULL);
}
