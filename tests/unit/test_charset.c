// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_charset.c - UTF-8 in another character set, cut anywhere.
 */
#include "cli/charset.h"
#include "tests/unit/cm.h"

static const struct {
    const char *name, *text, *expected;
} cases[] = {
    {"ISO-8859-1", "plain", "plain"},
    {"ISO-8859-1", "d\xc3\xa9j\xc3\xa0 vu", "d\xe9j\xe0 vu"},
    {"ISO-8859-1", "\xe2\x82\xac 5", "? 5"},     /* the euro sign has no place there */
    {"ISO-8859-15", "\xe2\x82\xac 5", "\xa4 5"}, /* and here it has */
    {"ISO-8859-1",
     "a\xf0\x9f\x93\xa7"
     "b",
     "a?b"}, /* beyond the basic plane */
    {"ISO-8859-1",
     "\xc3"
     "x\xa9y",
     "?x?y"}, /* no UTF-8 */
    {"ISO-8859-1",
     "\xf0\x9f"
     "\xc3\xa9",
     "??\xe9"}, /* a character cut off by another */
};

static void converted_whole_and_octet_by_octet(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step <= 16; step++) {
            struct charset *c = charset_new(cases[i].name);
            struct buf out = BUF_INIT;
            struct slice rest = slice_str(cases[i].text);
            assert_non_null(c);
            while (rest.n) {
                size_t n = rest.n < step ? rest.n : step;
                charset_add(c, slice_of(rest.p, n), &out);
                rest = slice_from(rest, n);
            }
            assert_string_equal(out.p, cases[i].expected);
            buf_release(&out);
            charset_free(c);
        }
    }
}

static void a_character_set_that_nobody_knows(void **state)
{
    assert_null(charset_new("no such character set"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converted_whole_and_octet_by_octet),
        cmocka_unit_test(a_character_set_that_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
