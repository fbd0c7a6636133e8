// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_base.c - arena, buffers, JSON, UTF-8, clock and the words of the standards.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/calendar.h"
#include "base/clock.h"
#include "base/eight.h"
#include "base/json.h"
#include <stdio.h>
#include "base/standard.h"
#include "base/utf8.h"
#include "tests/unit/cm.h"
#include <inttypes.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static void arena_gives_zeroed_and_bounded_memory(void **state)
{
    struct arena *a = arena_new(10000);
    assert_non_null(a);
    unsigned char *p = arena_alloc(a, 5000);
    assert_non_null(p);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(p[i], 0);
    memset(p, 0xff, 5000);
    assert_null(arena_alloc(a, 6000));
    assert_true(arena_failed(a));
    arena_reset(a);
    assert_false(arena_failed(a));
    unsigned char *again = arena_alloc(a, 4000);
    assert_non_null(again);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(again[i], 0);
    assert_null(arena_array(a, SIZE_MAX / 2, 4));
    arena_free(a);
    assert_null(arena_free(NULL));
}

static void arena_text(void **state)
{
    struct arena *a = arena_new(1 << 20);
    for (int i = 0; i < 2000; i++) {
        char *t = arena_printf(a, "%d-%s", i, "x");
        assert_non_null(t);
        assert_int_equal((uintptr_t)t % _Alignof(max_align_t), 0);
    }
    assert_string_equal(arena_strdup(a, "abc"), "abc");
    assert_null(arena_strdup(a, NULL));
    struct slice s = arena_slice(a, slice_of("a\0b", 3));
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b\0", 4);
    arena_free(a);
}

static void buf_grows_and_fails_whole(void **state)
{
    struct buf b = BUF_INIT;
    assert_string_equal(b.p, "");
    b.bound = 10;
    buf_adds(&b, "12345");
    buf_printf(&b, "%d", 678);
    assert_string_equal(b.p, "12345678");
    buf_adds(&b, "901");
    assert_true(b.failed);
    assert_string_equal(b.p, "12345678");
    buf_reset(&b);
    assert_false(b.failed);
    buf_adds(&b, "x");
    char *own = buf_detach(&b);
    assert_string_equal(own, "x");
    free(own);
    buf_release(&b);
    buf_release(&b);
}

static void buf_writes_what_printf_would(void **state)
{
    static const int64_t numbers[] = {0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN};
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char want[32];
        snprintf(want, sizeof want, "%" PRId64, numbers[i]);
        buf_reset(&b);
        buf_add_number(&b, numbers[i]);
        assert_string_equal(b.p, want);
    }
    buf_reset(&b);
    buf_add_texts(&b, "spf", "=", "", "pass");
    assert_string_equal(b.p, "spf=pass");
    b.bound = 10;
    buf_add_texts(&b, ";", "dkim");
    assert_true(b.failed);
    assert_string_equal(b.p, "spf=pass;");
    buf_release(&b);
}

static void json_survives_hostile_text(void **state)
{
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    json_open(&j);
    json_slice(&j, "a", slice_of("q\"\\\n\x01\x7f\xff\0z", 9));
    json_int(&j, "n", -5);
    json_open_array(&j, "l");
    json_str(&j, NULL, "b\xc3\xbc");
    json_bool(&j, NULL, true);
    json_write_null(&j, NULL);
    json_end(&j);
    json_open_in(&j, "o");
    json_end(&j);
    json_opt(&j, "no", "");
    json_end(&j);
    assert_false(b.failed);
    assert_string_equal(b.p, "{\"a\":\"q\\\"\\\\\\n\\u0001\\u007f\xef\xbf\xbd\\u0000z\",\"n\":-5,"
                             "\"l\":[\"b\xc3\xbc\",true,null],\"o\":{}}");
    json_end(&j);
    assert_true(b.failed);
    buf_release(&b);
}

/* What ends a line or turns the writing direction in a terminal, a viewer or JavaScript stands escaped. */
static void json_shows_nothing_hidden(void **state)
{
    static const struct {
        const char *text, *written;
    } t[] = {
        {"\xc2\x85", "\\u0085"},          {"\xc2\x9b", "\\u009b"},
        {"\xe2\x80\xa8", "\\u2028"},      {"\xe2\x80\xa9", "\\u2029"},
        {"\xe2\x80\xae", "\\u202e"},      {"\xe2\x81\xa6", "\\u2066"},
        {"\xe2\x80\x8f", "\\u200f"},      {"\xd8\x9c", "\\u061c"},
        {"\xef\xbb\xbf", "\\ufeff"},      {"\xf3\xa0\x80\x81", "\\udb40\\udc01"},
        {"\xe2\x82\xac", "\xe2\x82\xac"}, {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct buf b = BUF_INIT;
        struct json j = JSON_INTO(&b);
        char expected[40];
        snprintf(expected, sizeof expected, "\"%s\"", t[i].written);
        json_str(&j, NULL, t[i].text);
        assert_string_equal(b.p, expected);
        buf_release(&b);
    }
}

static void utf8_by_rfc_3629(void **state)
{
    static const struct {
        const char *in;
        size_t len;
    } t[] = {
        {"a", 1},
        {"\xc3\xbc", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xe0\x80\x80", 0},
        {"\xed\xa0\x80", 0},
        {"\xf0\x80\x80\x80", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\x80", 0},
        {"\xc3", 0},
        {"\xe2\x82", 0},
        {"\xc3\x28", 0},
        {"", 0},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char *copy = exact(t[i].in, strlen(t[i].in));
        assert_int_equal(utf8_length(slice_of(copy, strlen(t[i].in))), t[i].len);
        free(copy);
    }
    assert_int_equal(utf8_point(slice_str("\xf0\x9f\x98\x80")), 0x1f600);
}

static void visible_text_cannot_move_anything(void **state)
{
    struct buf b = BUF_INIT;
    utf8_add_visible(&b, slice_of("a\x1b[31m\r\n\xe2\x80\xae\xff\\\xc3\xbc\0", 16));
    assert_string_equal(b.p, "a\\x1b[31m\\x0d\\x0a\\u{202e}\\xff\\\\\xc3\xbc\\0");
    buf_release(&b);
}

static void standard_words(void **state)
{
    for (int i = 0; i < STANDARD_COUNT; i++)
        assert_int_equal(standard_from_name(slice_str(standard_name((enum standard)i))), i);
    for (int i = 0; i < RESULT_COUNT; i++)
        assert_int_equal(result_from_name(slice_str(result_name((enum result)i))), i);
    assert_int_equal(standard_from_name(slice_str("DMARC")), STANDARD_DMARC);
    assert_int_equal(standard_from_name(slice_str("dmarcx")), STANDARD_COUNT);
    assert_string_equal(standard_name((enum standard)999), "?");
    assert_string_equal(status_text(STATUS_AGAIN), "temporary failure");
}

/* RFC 3339, 5.7: which days a month has; appendix C: leap years. */
static void a_date_that_is_no_day(void **state)
{
    static const struct {
        const char *date, *fault;
    } cases[] = {
        {"2026-02-28", NULL},
        {"2026-02-29", "February 2026 has 28 days"},
        {"2026-02-30", "February 2026 has 28 days"},
        {"2028-02-29", NULL},
        {"2028-02-30", "February 2028 has 29 days"},
        {"2000-02-29", NULL},
        {"2100-02-29", "February 2100 has 28 days"},
        {"2026-04-30", NULL},
        {"2026-04-31", "April 2026 has 30 days"},
        {"2026-12-31", NULL},
        {"2026-12-32", "December 2026 has 31 days"},
        {"2026-12-00", "the days of a month are numbered from 01"},
        {"2026-13-01", "months are numbered from 01 to 12"},
        {"2026-00-10", "months are numbered from 01 to 12"},
        {"2026-99-99", "months are numbered from 01 to 12"},
        {"2026-2-30", NULL}, /* another form: not judged */
        {"2026/02/30", NULL},
        {"30.02.2026", NULL},
        {"2026-02-30T", NULL},
        {"", NULL},
        {"tomorrow..", NULL},
    };
    char out[CALENDAR_FAULT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *said = calendar_fault(slice_str(cases[i].date), out);
        if (cases[i].fault)
            assert_string_equal(said ? said : cases[i].date, cases[i].fault);
        else
            assert_null(said);
    }
}

static void clock_can_be_fixed(void **state)
{
    char text[CLOCK_TEXT];
    clock_set_wall(1795216765);
    assert_int_equal(clock_wall(), 1795216765);
    assert_string_equal(clock_utc_text(clock_wall(), text), "2026-11-20T23:19:25Z");
    int64_t m = clock_mono_ms();
    assert_true(clock_mono_ms() >= m);
    clock_set_wall(0);
    assert_true(clock_wall() != 1795216765);
}

/* RFC 8259 7: what must be escaped is, at every place of a text; all else stands for itself. */
static void json_octets_at_every_place(void **state)
{
    for (size_t n = 1; n < 20; n++) {
        for (size_t at = 0; at < n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                char text[24], plain[32];
                struct buf b = BUF_INIT;
                struct json j = JSON_INTO(&b);
                memset(text, 'x', n);
                text[at] = (char)c;
                snprintf(plain, sizeof plain, "\"%.*s\"", (int)n, text);
                json_slice(&j, NULL, slice_of(text, n));
                const bool stands = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
                assert_int_equal(strcmp(b.p, plain) == 0, stands);
                for (size_t i = 0; i < b.n; i++)
                    assert_true((unsigned char)b.p[i] >= 0x20 && b.p[i] != 0x7f);
                buf_release(&b);
            }
        }
    }
}

/* Each octet at each place, beside the octets that a carry could come from. */
static void eight_octets_at_once(void **state)
{
    static const unsigned char beside[] = {0, 1, 0x20, 'x', 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < sizeof beside * 8 * 256; i++) {
        const unsigned char other = beside[i / 8 / 256], c = (unsigned char)(i % 256);
        char text[8];
        memset(text, other, sizeof text);
        text[i / 256 % 8] = (char)c;
        const uint64_t eight = eight_at(text);
        for (unsigned limit = 0; limit <= 128; limit++) {
            assert_int_equal(eight_below(eight, limit) != 0, c < limit || other < limit);
            if (limit < 128)
                assert_int_equal(eight_above(eight, limit) != 0, c > limit || other > limit);
        }
        for (unsigned o = 0; o < 256; o++)
            assert_int_equal(eight_have(eight, (unsigned char)o) != 0, c == o || other == o);
    }
}

/* A text that fits into what is there already, and one that does not, at every length. */
static void printf_of_every_length(void **state)
{
    char text[700];
    memset(text, 'y', sizeof text);
    struct arena *a = arena_new(1 << 20);
    for (int n = 0; n < (int)sizeof text; n++) {
        struct buf b = BUF_INIT, bounded = {.p = buf_empty, .bound = 100};
        buf_adds(&b, "start ");
        buf_printf(&b, "%.*s", n, text);
        assert_int_equal(b.n, 6 + n);
        assert_int_equal(strlen(b.p), 6 + n);
        assert_false(b.failed);
        buf_addc(&bounded, 'a');
        buf_printf(&bounded, "%.*s", n, text);
        assert_int_equal(bounded.failed, n > 99);
        assert_int_equal(bounded.n, n > 99 ? 1 : 1 + n);
        assert_int_equal(strlen(bounded.p), bounded.n);
        for (int i = 0; i < 100 && !bounded.failed; i++)
            buf_addc(&bounded, 'z');
        assert_true(bounded.n <= 100);
        const char *made = arena_printf(a, "%.*s", n, text);
        assert_int_equal(strlen(made), n);
        assert_int_equal(memcmp(made, text, (size_t)n), 0);
        arena_reset(a);
        buf_release(&b);
        buf_release(&bounded);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_and_bounded_memory),
        cmocka_unit_test(arena_text),
        cmocka_unit_test(buf_grows_and_fails_whole),
        cmocka_unit_test(buf_writes_what_printf_would),
        cmocka_unit_test(json_survives_hostile_text),
        cmocka_unit_test(json_shows_nothing_hidden),
        cmocka_unit_test(utf8_by_rfc_3629),
        cmocka_unit_test(visible_text_cannot_move_anything),
        cmocka_unit_test(standard_words),
        cmocka_unit_test(a_date_that_is_no_day),
        cmocka_unit_test(clock_can_be_fixed),
        cmocka_unit_test(json_octets_at_every_place),
        cmocka_unit_test(eight_octets_at_once),
        cmocka_unit_test(printf_of_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
