// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_octet_scan.c - the vector forms find what the scalar references find, at every length and place; and the
 * references follow RFC 5322 2.3 (CR and LF only together) and RFC 6376 3.4.4 (white space).
 */
#include "base/octet_scan.h"
#include "tests/unit/cm.h"

static void flaws_by_rfc_5322(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        bool last_cr;
        unsigned found;
    } cases[] = {
        {"", 0, true, 0},
        {"a\r\nb\r\n", 6, false, 0},
        {"a\r", 2, false, 0},
        {"\n", 1, true, 0},
        {"\n", 1, false, OCTET_SCAN_BARE_LF},
        {"a", 1, true, OCTET_SCAN_BARE_CR},
        {"\r\r\n", 3, false, OCTET_SCAN_BARE_CR},
        {"a\0b", 3, false, OCTET_SCAN_NUL},
        {"0123456789abcde\r\n0123456789abcde", 32, false, 0},
        {"0123456789abcde\rx0123456789abcd\n", 32, false, OCTET_SCAN_BARE_CR | OCTET_SCAN_BARE_LF},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *p = exact(cases[i].text, cases[i].n);
        assert_int_equal(octet_scan_flaws(p, cases[i].n, cases[i].last_cr), cases[i].found);
        for (const struct octet_scan_form *f = octet_scan_forms; f->name; f++)
            if (!f->is_here || f->is_here())
                assert_int_equal(f->flaws(p, cases[i].n, cases[i].last_cr), cases[i].found);
        assert_int_equal(octet_scan_flaws_scalar(p, cases[i].n, cases[i].last_cr), cases[i].found);
        free(p);
    }
}

static void canonical_by_rfc_6376(void **state)
{
    static const struct {
        const char *text;
        size_t simple, relaxed;
    } cases[] = {
        {"", 0, 0},
        {"a b\r\nc d\r\n", 10, 10},
        {"a  b\r\n", 6, 1},
        {"a \r\n", 4, 1},
        {"a \n", 2, 1},
        {"a\tb", 3, 1},
        {"a\nb", 1, 1},
        {"a b ", 4, 3},
        {"\na", 0, 0},
        {"0123456789 bcdef\nx", 16, 16},
        {"0123456789 bcde\r\n0 23456789\tbcdef", 33, 27},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        char *p = exact(cases[i].text, n);
        assert_int_equal(octet_scan_canonical(p, n, false), cases[i].simple);
        assert_int_equal(octet_scan_canonical(p, n, true), cases[i].relaxed);
        assert_int_equal(octet_scan_canonical_scalar(p, n, false), cases[i].simple);
        assert_int_equal(octet_scan_canonical_scalar(p, n, true), cases[i].relaxed);
        free(p);
    }
}

/* One octet in `rare` is one that matters, the others are text. */
static void octets_fill(char *p, size_t n, uint32_t *random, uint32_t rare)
{
    static const char odd[] = {'\r', '\n', '\0', ' ', '\t', '\x8d', '\r', '\n'};

    for (size_t i = 0; i < n; i++) {
        *random = *random * 1664525u + 1013904223u;
        p[i] = (*random >> 8) % rare == 0 ? odd[*random >> 29] : 'x';
        if (p[i] == '\n' && i > 0 && *random & 1u << 20)
            p[i - 1] = '\r';
    }
}

static void equal_at_every_length_and_place(void **state)
{
    uint32_t random = 1;

    for (size_t round = 0; round < 40000; round++) {
        size_t n = round % 100;
        char *p = malloc(n ? n : 1);
        octets_fill(p, n, &random, round % 3 == 0 ? 2 : round % 3 == 1 ? 12 : 60);
        bool cr = round & 1;
        for (const struct octet_scan_form *f = octet_scan_forms; f->name; f++) {
            if (f->is_here && !f->is_here())
                continue;
            assert_int_equal(f->flaws(p, n, cr), octet_scan_flaws_scalar(p, n, cr));
            assert_int_equal(f->canonical(p, n, false), octet_scan_canonical_scalar(p, n, false));
            assert_int_equal(f->canonical(p, n, true), octet_scan_canonical_scalar(p, n, true));
        }
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flaws_by_rfc_5322),
        cmocka_unit_test(canonical_by_rfc_6376),
        cmocka_unit_test(equal_at_every_length_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
