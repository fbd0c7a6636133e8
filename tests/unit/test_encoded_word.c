// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_encoded_word.c - base/encoded_word: RFC 2047's own examples, what is no encoded word and stays, charsets that
 * hide ASCII, limits; and the digits of base/hex.h.
 *
 * Alone: make check-one T=test_encoded_word. Needs nothing but cmocka.
 */
#include "base/encoded_word.h"
#include "base/hex.h"
#include "tests/unit/cm.h"

#define FOLD "\r\n "

static void expect_octets(struct slice in, struct slice want)
{
    struct buf out = BUF_INIT;
    char *copy = exact(in.p, in.n);
    encoded_word_decode_all(&out, slice_of(copy, in.n));
    assert_false(out.failed);
    assert_true(out.n <= in.n);
    if (!slice_eq(buf_slice(&out), want))
        fail_msg("%.*s: \"%.*s\", not \"%.*s\"", SLICE_ARG(in), SLICE_ARG(buf_slice(&out)), SLICE_ARG(want));
    buf_release(&out);
    free(copy);
}

static void expect_text(const char *in, const char *want)
{
    expect_octets(slice_str(in), slice_str(want));
}

/* RFC 2047 8: what is in the header, and what is displayed. */
static void examples_of_the_rfc(void **state)
{
    (void)state;
    expect_text("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>");
    expect_text("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>", "Keld J\xf8rn Simonsen <keld@dkuug.dk>");
    expect_text("=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>", "Andr\xe9 Pirard <PIRARD@vm1.ulg.ac.be>");
    expect_text("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>", "Patrik F\xe4ltstr\xf6m <paf@nada.kth.se>");
    expect_text("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=" FOLD
                "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
                "If you can read this you understand the example.");
    expect_text("(=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)", "(\xed\xe5\xec\xf9 \xef\xe1 \xe9\xec\xe8\xf4\xf0)");
    expect_text("(=?ISO-8859-1?Q?a?=)", "(a)");
    expect_text("(=?ISO-8859-1?Q?a?= b)", "(a b)");
    expect_text("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)");
    expect_text("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)");
    expect_text("(=?ISO-8859-1?Q?a?=" FOLD "   =?ISO-8859-1?Q?b?=)", "(ab)");
    expect_text("(=?ISO-8859-1?Q?a_b?=)", "(a b)");
    expect_text("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)");
}

/* 6.2: only blanks between two encoded words go. */
static void blanks(void **state)
{
    (void)state;
    expect_text("", "");
    expect_text("a =?utf-8?q?b?= c", "a b c");
    expect_text(" =?utf-8?q?b?= ", " b ");
    expect_text("=?utf-8?q?a?= \t=?utf-8?b?Yg==?=" FOLD "=?utf-8?q?c?=", "abc");
    expect_text("=?utf-8?q?a?= - =?utf-8?q?b?=", "a - b");
    expect_text("=?utf-8?q?a?= =?utf-8?x?b?= =?utf-8?q?c?=", "a =?utf-8?x?b?= c");
    expect_text("=?utf-8?q?a?==?utf-8?q?b?=", "ab");
    expect_text("=?utf-8?q?"
                "?= =?utf-8?q?b?=",
                "b"); /* in two, or "?" "?=" would be a trigraph */
    expect_text("x=?utf-8?q?a b?=y", "xa by");
}

/* 4.1 and 4.2: both encodings, in either case; what does not follow them. */
static void encodings(void **state)
{
    (void)state;
    expect_text("=?utf-8?Q?=41=5f=5F_=3D?=", "A__ =");
    expect_text("=?utf-8?q?=4?=", "=4");
    expect_text("=?utf-8?q?=zz=4g=?=", "=zz=4g=");
    expect_text("=?utf-8?q?a?b?=", "a?b");
    expect_text("=?utf-8?B?Zm9v?=", "foo");
    expect_text("=?utf-8?b?Zm 9v?=", "foo");
    expect_text("=?utf-8?b?####?=", "");
    expect_octets(SLICE_LIT("=?utf-8?q?a=00b?="), SLICE_LIT("a\0b"));
    expect_octets(SLICE_LIT("a\0=?utf-8?q?b?="), SLICE_LIT("a\0b"));
}

/* 6.3: what is no encoded word stays as it is. */
static void no_words(void **state)
{
    static const char *const cases[] = {
        "=",
        "=?",
        "=?=",
        "=?=?=",
        "=?utf-8",
        "=?utf-8?",
        "=?utf-8?q",
        "=?utf-8?q?",
        "=?utf-8?q?a",
        "=?utf-8?q?a?",
        "=?utf-8?q?=",
        "=?utf-8?x?a?=",
        "=?utf-8?"
        "?a?=",
        "=?utf-8?qq?a?=",
        "=?ut f?q?a",
        "=?u f?q?a?=b",
        "=?u\tf?q?a?=b",
        "=?utf-8? q?a?=",
        "? =?utf-8?q a?=",
        "=41_a",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_text(cases[i], cases[i]);
    expect_text("=?utf-8?q?a =?utf-8?q?b?=", "a =?utf-8?q?b");
    expect_text("=?utf-8?x?=?utf-8?q?b?=", "=?utf-8?x?b");
}

/* An unknown charset's octets come as they are. UTF-7 (RFC 2152), which hides ASCII, is unpacked. A language (RFC 2231
 * 5) is no part of a charset's name. */
static void charsets(void **state)
{
    struct encoded_word w;
    (void)state;
    expect_text("=?x-nobody-knows?q?a=FFb?=", "a\xff"
                                              "b");
    expect_text("=??q?abcd?=", "abcd");
    expect_octets(SLICE_LIT("=?utf-7?q?a+AEA-b.example?="), SLICE_LIT("a\0@b.example"));
    expect_octets(SLICE_LIT("=?UNICODE-1-1-UTF-7?b?YStBRUEt?="), SLICE_LIT("a\0@"));
    expect_octets(SLICE_LIT("=?utf-7*en?q?+AEA?="), SLICE_LIT("\0@"));
    expect_text("=?utf-7?q?1+-1?=", "11");
    expect_text("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"); /* RFC 2231 5 */
    assert_true(encoded_word_read(SLICE_LIT("=?US-ASCII*EN?Q?Keith_Moore?= <x>"), &w));
    assert_int_equal(w.n, sizeof "=?US-ASCII*EN?Q?Keith_Moore?=" - 1);
    assert_true(slice_eq(w.charset, SLICE_LIT("US-ASCII")));
    assert_true(slice_eq(w.text, SLICE_LIT("Keith_Moore")));
    assert_false(w.base64);
    assert_true(encoded_word_read(SLICE_LIT("=?utf-8?B?Zm9v?="), &w));
    assert_true(w.base64);
    assert_false(encoded_word_read(SLICE_LIT(" =?utf-8?B?Zm9v?="), &w));
}

/* A word of the longest charset and text is one; longer by one it stays. */
static void limits(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct buf set = BUF_INIT, text = BUF_INIT, plain = BUF_INIT;
        buf_adds(&set, "=?");
        for (int i = 0; i < ENCODED_WORD_CHARSET_MAX + more; i++)
            buf_addc(&set, 'c');
        buf_adds(&set, "?q?a?=");
        buf_adds(&text, "=?c?q?");
        for (int i = 0; i < ENCODED_WORD_TEXT_MAX + more; i++) {
            buf_addc(&text, 't');
            buf_addc(&plain, 't');
        }
        buf_adds(&text, "?=");
        expect_octets(buf_slice(&set), more ? buf_slice(&set) : SLICE_LIT("a"));
        expect_octets(buf_slice(&text), more ? buf_slice(&text) : buf_slice(&plain));
        buf_release(&set);
        buf_release(&text);
        buf_release(&plain);
    }
    struct buf bound = BUF_INIT;
    bound.bound = 3;
    encoded_word_decode_all(&bound, SLICE_LIT("=?utf-8?q?ab?= =?utf-8?q?cd?="));
    assert_true(bound.failed);
    assert_true(bound.n <= 3);
    buf_release(&bound);
}

static void hex_digits(void **state)
{
    static const char all[] = "0123456789abcdef", capitals[] = "0123456789ABCDEF";
    (void)state;
    for (int c = -128; c < 128; c++) {
        const char *at = c > 0 ? strchr(all, c) : NULL, *capital = c > 0 ? strchr(capitals, c) : NULL;
        const int want = at ? (int)(at - all) : capital ? (int)(capital - capitals) : -1;
        assert_int_equal(hex_value((char)c), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples_of_the_rfc),
                                       cmocka_unit_test(blanks),
                                       cmocka_unit_test(encodings),
                                       cmocka_unit_test(no_words),
                                       cmocka_unit_test(charsets),
                                       cmocka_unit_test(limits),
                                       cmocka_unit_test(hex_digits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
