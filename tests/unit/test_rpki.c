// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_rpki.c - routes are read from a table and from TXT records, the most specific one counts, and a route is valid,
 * invalid or not covered as RFC 6811, section 2, says.
 */
#include "tests/unit/cm.h"
#include "check/check.h"
#include "check/origin.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct ip ip_of(const char *text)
{
    struct ip a;
    assert_int_equal(ip_from_text(slice_str(text), &a), STATUS_OK);
    return a;
}

/* The table of this text; NULL: why is set. */
static struct prefix_table *prefix_table_of(const char *text, char why[ORIGIN_WHY])
{
    char path[] = "/tmp/test_rpki.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct prefix_table *t = origin_load(path, why);
    unlink(path);
    return t;
}

static void the_most_specific_route_counts(void **state)
{
    static const struct {
        const char *address, *origins;
    } t[] = {
        {"192.0.2.9", "64500 192.0.2.0/24"},    {"192.0.2.130", "64501 192.0.2.128/25"},
        {"192.0.3.1", "64502 192.0.0.0/16"},    {"198.51.100.1", "64503 198.51.100.0/24, 64504 198.51.100.0/24"},
        {"203.0.113.1", "0 203.0.113.0/24"},    {"10.0.0.1", ""},
        {"2001:db8::1", "64505 2001:db8::/32"}, {"2001:db9::1", ""},
    };
    char why[ORIGIN_WHY];
    struct prefix_table *routes =
        prefix_table_of("# a comment\n192.0.0.0\t16\t64502\n192.0.2.0 24 64500\n192.0.2.128\t25\t64501\n"
                        "198.51.100.0\t24\t64503_64504\n203.0.113.0\t24\t64500,64501\n\n"
                        "2001:db8::\t32\t64505\n",
                        why);
    assert_non_null(routes);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct buf b = BUF_INIT;
        struct ip a = ip_of(t[i].address);
        origin_of(routes, &a, &b);
        assert_string_equal(b.p, t[i].origins);
        buf_release(&b);
    }
    prefix_table_free(routes);
}

static void a_wrong_line_is_named(void **state)
{
    static const char *const wrong[] = {
        "192.0.2.0 33 64500\n",
        "192.0.2.0\n",
        "2001:db8:: 129 1\n",
        "192.0.2.0 24 4294967296\n",
        "x 24 1\n",
        "192.0.2.0 24 AS64500\n",
        "192.0.2.0 -1 64500\n",
        "192.0.2.0 24 64500_x\n",
    };
    char why[ORIGIN_WHY], text[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "192.0.2.0 24 1\n%s", wrong[i]);
        assert_null(prefix_table_of(text, why));
        assert_non_null(strstr(why, ":2: the line should be NETWORK LENGTH ORIGIN"));
    }
    assert_null(origin_load("/nonexistent/routes", why));
    assert_non_null(strstr(why, "No such file"));
}

static void origins_come_from_txt_records_that_cover_the_address(void **state)
{
    static const struct {
        const char *text, *origins;
    } t[] = {
        {"64500 | 192.0.2.0/24 | ZZ | registry | 2020-01-01", "64500 192.0.2.0/24"},
        {"64500 64501|192.0.2.0/24|", "64500 192.0.2.0/24, 64501 192.0.2.0/24"},
        {"64500 | 198.51.100.0/24 |", ""},
        {"64500", ""},
        {"| 192.0.2.0/24", ""},
        {"x | 192.0.2.0/24", ""},
        {"64500 | 192.0.2.1/24", ""},
        {"", ""},
    };
    struct ip a = ip_of("192.0.2.9");
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct buf b = BUF_INIT;
        assert_int_equal(origin_from_txt(slice_str(t[i].text), &a, &b), t[i].origins[0] != '\0');
        assert_string_equal(b.p, t[i].origins);
        buf_release(&b);
    }
}

/* The result of the test for one address of a mail host; the rest of the domain was not asked about. */
static enum check_state address_judge(const char *fields, char evidence[512])
{
    char text[2048];
    struct arena *a = arena_new(1 << 24);
    struct check_report report;
    const char *error = "";
    snprintf(text, sizeof text,
             "assay-facts 1\nsubject domain=a.example time=1700000000 table=1\nhere ipv4=yes ipv6=yes\n"
             "dns a.example. secure 300 SOA ns.a.example. h.a.example. 1 2 3 4 5\n"
             "dns a.example. secure 300 MX 10 mx.a.example.\ndns mx.a.example. secure 300 A 192.0.2.9\n"
             "rpki host=mx.a.example address=192.0.2.9 %s\n",
             fields);
    struct facts *f = facts_read(a, slice_str(text), &error);
    if (!f)
        print_error("%s\n", error);
    assert_non_null(f);
    assert_int_equal(check_judge(a, f, 0, LANGUAGE_EN, &report, &error), STATUS_OK);
    enum check_state s = report.results[CHECK_RPKI].state;
    snprintf(evidence, 512, "%s", report.results[CHECK_RPKI].evidence);
    facts_free(f);
    arena_free(a);
    return s;
}

static void a_route_is_valid_invalid_or_not_covered(void **state)
{
    static const struct {
        const char *fields;
        enum check_state state;
    } t[] = {
        {"roas=\"64500 192.0.2.0/24 24\" origins=\"64500 192.0.2.0/24\"", CHECK_PASS},
        {"roas=\"64500 192.0.0.0/16 24\" origins=\"64500 192.0.2.0/24\"", CHECK_PASS},
        {"roas=\"64500 192.0.0.0/16 16\" origins=\"64500 192.0.2.0/24\"", CHECK_FAIL}, /* longer than allowed */
        {"roas=\"64500 192.0.2.0/24 24\" origins=\"64501 192.0.2.0/24\"", CHECK_FAIL}, /* another origin */
        {"roas=\"64501 192.0.2.0/24 24, 64500 192.0.2.0/24 24\" origins=\"64500 192.0.2.0/24\"", CHECK_PASS},
        {"roas=\"0 192.0.2.0/24 24\" origins=\"0 192.0.2.0/24\"", CHECK_FAIL},           /* RFC 6483, section 4 */
        {"roas=\"64500 192.0.2.0/25 25\" origins=\"64500 192.0.2.0/24\"", CHECK_ADVICE}, /* covers a part: not found */
        {"roas=\"64500 192.0.2.0/25 25, 64501 192.0.2.0/24 24\" origins=\"64500 192.0.2.0/24\"", CHECK_FAIL},
        {"roas=\"64500 192.0.2.0/24 24\" origins=\"64500 192.0.2.0/24, 64501 192.0.2.0/24\"", CHECK_FAIL},
        {"roas=\"64500 192.0.2.0/24 24\"", CHECK_PASS}, /* covered; origin unknown */
        {"roas=\"\" origins=\"64500 192.0.2.0/24\"", CHECK_ADVICE},
        {"roas=\"\"", CHECK_ADVICE},
        {"roas=\"\" why=\"x\"", CHECK_UNTESTED},
        {"roas=\"x y z\" origins=\"64500 192.0.2.0/24\"", CHECK_ADVICE}, /* what cannot be read covers nothing */
    };
    char evidence[512];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        enum check_state s = address_judge(t[i].fields, evidence);
        if (s != t[i].state)
            print_error("%zu: %s: %s\n", i, check_state_name(s), evidence);
        assert_int_equal(s, t[i].state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_route_counts),
        cmocka_unit_test(a_wrong_line_is_named),
        cmocka_unit_test(origins_come_from_txt_records_that_cover_the_address),
        cmocka_unit_test(a_route_is_valid_invalid_or_not_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
