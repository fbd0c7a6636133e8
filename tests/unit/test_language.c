// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_language.c - texts, numbers, shares, days and plurals in each language, without any locale.
 */
#include "base/language.h"
#include "tests/unit/cm.h"
#include <locale.h>
#include <stdlib.h>

static void numbers_as_the_language_writes_them(void **state)
{
    (void)state;
    char t[LANGUAGE_FORM];
    assert_string_equal(language_number(LANGUAGE_EN, 0, t), "0");
    assert_string_equal(language_number(LANGUAGE_EN, 999, t), "999");
    assert_string_equal(language_number(LANGUAGE_EN, 1234567, t), "1,234,567");
    assert_string_equal(language_number(LANGUAGE_NL, 12345, t), "12.345");
    assert_string_equal(language_number(LANGUAGE_DE, 1000, t), "1.000");
    assert_string_equal(language_number(LANGUAGE_FR, 1000, t), "1\xe2\x80\xaf"
                                                               "000");
    assert_string_equal(language_number(LANGUAGE_EN, INT64_MIN, t), "-9,223,372,036,854,775,808");
    assert_string_equal(language_number(LANGUAGE_FR, INT64_MIN, t), "-9\xe2\x80\xaf"
                                                                    "223\xe2\x80\xaf"
                                                                    "372\xe2\x80\xaf"
                                                                    "036\xe2\x80\xaf"
                                                                    "854\xe2\x80\xaf"
                                                                    "775\xe2\x80\xaf"
                                                                    "808");
}

static void all_and_none_are_said_only_where_it_is_so(void **state)
{
    (void)state;
    char t[LANGUAGE_FORM];
    assert_string_equal(language_share(LANGUAGE_EN, 1, 1000000, t), "1%");
    assert_string_equal(language_share(LANGUAGE_EN, 999999, 1000000, t), "99%");
    assert_string_equal(language_share(LANGUAGE_EN, 0, 7, t), "0%");
    assert_string_equal(language_share(LANGUAGE_EN, 7, 7, t), "100%");
    assert_string_equal(language_share(LANGUAGE_EN, 0, 0, t), "\xe2\x80\x93");
    assert_string_equal(language_share(LANGUAGE_DE, 1, 2, t), "50\xc2\xa0%");
}

static void days_with_leap_years(void **state)
{
    (void)state;
    char t[LANGUAGE_FORM];
    assert_string_equal(language_day(LANGUAGE_EN, 0, t), "1 January 1970");
    assert_string_equal(language_day(LANGUAGE_NL, 20778, t), "21 november 2026");
    assert_string_equal(language_day(LANGUAGE_DE, 11016, t), "29. Februar 2000");
    assert_string_equal(language_day(LANGUAGE_FR, 20667, t), "2 ao\xc3\xbbt 2026");
    assert_string_equal(language_day(LANGUAGE_FR, 20666, t), "1er ao\xc3\xbbt 2026");
    assert_string_equal(language_day(LANGUAGE_EN, -1, t), "31 December 1969");
}

static void the_way_it_is_written(void **state)
{
    (void)state;
    for (int l = 0; l <= LANGUAGE_COUNT; l++) /* none of ours yet is written from right to left */
        assert_string_equal(language_direction((enum language)l), "ltr");
}

static void plurals(void **state)
{
    (void)state;
    assert_string_equal(language_plural(LANGUAGE_EN, 0, "one", "many"), "many");
    assert_string_equal(language_plural(LANGUAGE_FR, 0, "one", "many"), "one");
    assert_string_equal(language_plural(LANGUAGE_FR, 2, "one", "many"), "many");
    assert_string_equal(language_plural(LANGUAGE_DE, 1, "one", "many"), "one");
}

static void the_users_language_by_the_environment(void **state)
{
    (void)state;
    enum language l;
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    setenv("LANG", "de_AT.UTF-8@euro", 1);
    assert_int_equal(language_of_user(), LANGUAGE_DE);
    setenv("LC_MESSAGES", "fr", 1);
    assert_int_equal(language_of_user(), LANGUAGE_FR);
    setenv("LC_ALL", "C", 1);
    assert_int_equal(language_of_user(), LANGUAGE_EN);
    assert_false(language_from_name("tlh", &l));
    assert_false(language_from_name("", &l));
    assert_string_equal(language_text(LANGUAGE_DE, "Are we safe?"), "Sind wir sicher?");
    assert_string_equal(language_text(LANGUAGE_FR, "no such text"), "no such text");
    assert_string_equal(setlocale(LC_ALL, NULL), "C"); /* none was changed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_as_the_language_writes_them),
        cmocka_unit_test(all_and_none_are_said_only_where_it_is_so),
        cmocka_unit_test(days_with_leap_years),
        cmocka_unit_test(the_way_it_is_written),
        cmocka_unit_test(plurals),
        cmocka_unit_test(the_users_language_by_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
