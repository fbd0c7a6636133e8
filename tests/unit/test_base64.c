// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_base64.c - RFC 4648 section 10's vectors, lines of mail (RFC 2045 6.8), that what was encoded comes back, and
 * decoding piece by piece.
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

struct sunk {
    struct buf octets;
    const char *read;
    unsigned calls, most; /* how often it was called; after how many calls it stops */
};

static bool sink(void *context, const char *octets, size_t n, const char *read)
{
    struct sunk *s = context;
    assert_true(n <= BASE64_PIECE / 4 * 3);
    assert_true(!s->read || read > s->read);
    assert_true(!s->read || read - s->read <= BASE64_PIECE);
    buf_add(&s->octets, octets, n);
    s->read = read;
    return ++s->calls < s->most;
}

/* Piece by piece it is the same; skipped characters count as read; the sink can stop it, and '=' ends it. */
static void into_a_sink(void **state)
{
    (void)state;
    for (size_t n = 0; n < 4 * BASE64_PIECE; n += 1021) {
        struct buf text = BUF_INIT, whole = BUF_INIT;
        struct sunk all = {.most = 100};
        for (size_t i = 0; i < n; i++)
            buf_addc(&text, i % 7 == 3 ? '\n' : (char)('A' + i % 26));
        base64_decode(&whole, buf_slice(&text));
        assert_true(base64_decode_to(buf_slice(&text), sink, &all));
        assert_int_equal(all.calls, (n + BASE64_PIECE - 1) / BASE64_PIECE);
        assert_int_equal(all.octets.n, whole.n);
        if (n) {
            assert_memory_equal(all.octets.p, whole.p, whole.n);
            assert_ptr_equal(all.read, text.p + n);
        }
        buf_release(&all.octets);
        buf_release(&whole);
        buf_release(&text);
    }
    struct buf blanks = BUF_INIT;
    struct sunk none = {.most = 100}, stopped = {.most = 2}, ended = {.most = 100};
    for (size_t i = 0; i < 3 * BASE64_PIECE; i++)
        buf_addc(&blanks, ' ');
    assert_true(base64_decode_to(buf_slice(&blanks), sink, &none));
    assert_int_equal(none.calls, 3);
    assert_int_equal(none.octets.n, 0);
    assert_false(base64_decode_to(buf_slice(&blanks), sink, &stopped));
    assert_int_equal(stopped.calls, 2);
    assert_true(base64_decode_to(SLICE_LIT("Zm9v=YmFy"), sink, &ended));
    assert_int_equal(ended.octets.n, 3);
    assert_memory_equal(ended.octets.p, "foo", 3);
    buf_release(&none.octets);
    buf_release(&stopped.octets);
    buf_release(&ended.octets);
    buf_release(&blanks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(lines_and_octets),
                                       cmocka_unit_test(into_a_sink)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
