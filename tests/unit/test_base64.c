// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_base64.c - RFC 4648 section 10's vectors, lines of mail (RFC 2045 6.8), and that what was encoded comes back.
 */
#include "base/base64.h"
#include "tests/unit/cm.h"

static void vectors(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text = BUF_INIT, back = BUF_INIT;
        base64_encode(&text, slice_str(cases[i][0]), 0);
        assert_int_equal(text.n, strlen(cases[i][1]));
        assert_memory_equal(text.p, cases[i][1], text.n);
        base64_decode(&back, buf_slice(&text));
        assert_int_equal(back.n, strlen(cases[i][0]));
        assert_memory_equal(back.p, cases[i][0], back.n);
        buf_release(&text);
        buf_release(&back);
    }
}

static void lines_and_octets(void **state)
{
    (void)state;
    char octets[1000];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (char)(i * 37 + i / 256);
    for (size_t n = 0; n <= sizeof octets; n += 19) {
        char *in = exact(octets, n);
        struct buf text = BUF_INIT, back = BUF_INIT;
        base64_encode(&text, slice_of(in, n), BASE64_MAIL_LINE);
        size_t column = 0;
        for (size_t i = 0; i < text.n; i++) {
            column = text.p[i] == '\n' ? 0 : column + 1;
            assert_true(column <= BASE64_MAIL_LINE);
        }
        assert_true(n == 0 || text.p[text.n - 1] == '\n');
        base64_decode(&back, buf_slice(&text));
        assert_int_equal(back.n, n);
        assert_memory_equal(back.p, in, n);
        buf_release(&text);
        buf_release(&back);
        free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(lines_and_octets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
