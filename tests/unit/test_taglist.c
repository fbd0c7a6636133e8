// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_taglist.c - tag=value lists: RFC 6376 3.2.
 */
#include "base/buf.h"
#include "standards/message/taglist.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define LIT(s) {s, sizeof(s) - 1}

struct list_case {
    struct slice in;
    enum status status;
    const char *out; /* of STATUS_OK */
};

static void is_parsed_as_expected(const struct list_case *c)
{
    static struct taglist list;
    struct buf seen = BUF_INIT;
    char *copy = exact(c->in.p, c->in.n);
    enum status s = taglist_parse(slice_of(copy, c->in.n), &list);
    if (s != c->status)
        fail_msg("%s: %s", c->in.p, status_text(s));
    if (s == STATUS_OK) {
        for (size_t k = 0; k < list.count; k++) {
            buf_addc(&seen, '[');
            buf_addslice(&seen, list.tags[k].name);
            buf_addc(&seen, '=');
            buf_addslice(&seen, list.tags[k].value);
            buf_addc(&seen, ']');
        }
        assert_string_equal(seen.p, c->out);
    }
    buf_release(&seen);
    free(copy);
}

static void parses_whole_lists(void **state)
{
    static const struct list_case t[] = {
        {LIT("a=1"), STATUS_OK, "[a=1]"},
        {LIT("a=1;"), STATUS_OK, "[a=1]"},
        {LIT("a=1; "), STATUS_OK, "[a=1]"},
        {LIT(" a = 1 ; b = 2 "), STATUS_OK, "[a=1][b=2]"},
        {LIT("a=1\r\n ;\r\n\tb=2"), STATUS_OK, "[a=1][b=2]"},
        {LIT("a=1;b=2;c=3"), STATUS_OK, "[a=1][b=2][c=3]"},
        {LIT("a=;b="), STATUS_OK, "[a=][b=]"},
        {LIT("a=x=y=="), STATUS_OK, "[a=x=y==]"},
        {LIT("a=x y\r\n z"), STATUS_OK, "[a=x y\r\n z]"},
        {LIT("A=1;a=2"), STATUS_OK, "[A=1][a=2]"},
        {LIT("a_1=2"), STATUS_OK, "[a_1=2]"},
        {LIT("i=j\xc3\xbcrgen@x"), STATUS_OK, "[i=j\xc3\xbcrgen@x]"},
        {LIT(""), STATUS_OK, ""},
        {LIT(" \r\n "), STATUS_OK, ""},
        {LIT("a=1;a=2"), STATUS_INVALID, NULL},
        {LIT("a=1;a=1"), STATUS_INVALID, NULL},
        {LIT("a=1;;b=2"), STATUS_INVALID, NULL},
        {LIT(";a=1"), STATUS_INVALID, NULL},
        {LIT("a=1;;"), STATUS_INVALID, NULL},
        {LIT("a"), STATUS_INVALID, NULL},
        {LIT("=1"), STATUS_INVALID, NULL},
        {LIT("1a=1"), STATUS_INVALID, NULL},
        {LIT("_a=1"), STATUS_INVALID, NULL},
        {LIT("a-b=1"), STATUS_INVALID, NULL},
        {LIT("a b=1"), STATUS_INVALID, NULL},
        {LIT("a=\x01"), STATUS_INVALID, NULL},
        {LIT("a=\x7f"), STATUS_INVALID, NULL},
        {LIT("a=\xff"), STATUS_INVALID, NULL},
        {LIT("a=x\0y"), STATUS_INVALID, NULL},
        {LIT("a\0=x"), STATUS_INVALID, NULL},
        {LIT("a=x\r\ny"), STATUS_INVALID, NULL},
        {LIT("a=x\ry"), STATUS_INVALID, NULL},
        {LIT("a=x\ny"), STATUS_INVALID, NULL},
    };
    for (size_t i = 0; i < COUNT(t); i++)
        is_parsed_as_expected(&t[i]);
}

static void has_a_limit(void **state)
{
    static struct taglist list;
    struct buf text = BUF_INIT;
    for (int i = 0; i < TAGLIST_MAX; i++)
        buf_printf(&text, "t%d=%d;", i, i);
    assert_int_equal(taglist_parse(buf_slice(&text), &list), STATUS_OK);
    assert_true(slice_eq(taglist_find(&list, "t63")->value, SLICE_LIT("63")));
    assert_null(taglist_find(&list, "t64"));
    buf_adds(&text, "x=1");
    assert_int_equal(taglist_parse(buf_slice(&text), &list), STATUS_LIMIT);
    buf_release(&text);
}

static void goes_on_behind_what_is_odd(void **state)
{
    struct taglist_cursor c = TAGLIST_CURSOR(SLICE_LIT("v=X; ;junk; 1=2 ;p=q"));
    struct tag t;
    assert_true(taglist_next(&c, &t) && t.valid && slice_eq(t.name, SLICE_LIT("v")));
    assert_true(taglist_next(&c, &t) && !t.valid && slice_eq(t.name, SLICE_LIT("junk")) && t.value.n == 0);
    assert_true(taglist_next(&c, &t) && !t.valid && slice_eq(t.name, SLICE_LIT("1")));
    assert_true(taglist_next(&c, &t) && t.valid && slice_eq(t.value, SLICE_LIT("q")));
    assert_false(taglist_next(&c, &t));
}

static void gives_pieces(void **state)
{
    struct slice rest = SLICE_LIT("from : to::\r\n subject"), piece;
    assert_true(taglist_piece(&rest, ':', &piece) && slice_eq(piece, SLICE_LIT("from")));
    assert_true(taglist_piece(&rest, ':', &piece) && slice_eq(piece, SLICE_LIT("to")));
    assert_true(taglist_piece(&rest, ':', &piece) && piece.n == 0);
    assert_true(taglist_piece(&rest, ':', &piece) && slice_eq(piece, SLICE_LIT("subject")));
    assert_false(taglist_piece(&rest, ':', &piece));
    rest = SLICE_LIT("a,");
    assert_true(taglist_piece(&rest, ',', &piece) && slice_eq(piece, SLICE_LIT("a")));
    assert_true(taglist_piece(&rest, ',', &piece) && piece.n == 0);
    assert_false(taglist_piece(&rest, ',', &piece));
}

/* VALCHAR is %x21-3A / %x3C-7E, and blanks stand between them; ";" ends the tag. At each place of a long value. */
static void octets_of_values_at_every_place(void **state)
{
    for (size_t at = 1; at < 29; at++) {
        for (unsigned c = 0; c < 256; c++) {
            static struct taglist list;
            char text[] = "a=0123456789012345678901234567";
            text[2 + at - 1] = (char)c;
            const bool inner = at > 1 && at < 28, blank = c == ' ' || c == '\t', line_end = c == '\r' || c == '\n';
            const bool valid = (c > 32 && c < 127) || blank || (line_end && !inner);
            const enum status s = taglist_parse(slice_of(text, sizeof text - 1), &list);
            if (c == ';') /* what follows has no "=" */
                assert_int_equal(s, at < 28 ? STATUS_INVALID : STATUS_OK);
            else
                assert_int_equal(s, valid ? STATUS_OK : STATUS_INVALID);
        }
    }
}

static void squeezes(void **state)
{
    char out[6];
    size_t n = 0;
    assert_int_equal(taglist_squeeze(SLICE_LIT("ab\r\n cd\tef"), out, sizeof out, &n), STATUS_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(out, "abcdef", 6);
    assert_int_equal(taglist_squeeze(SLICE_LIT("a b c d e f g"), out, sizeof out, &n), STATUS_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_whole_lists),
        cmocka_unit_test(has_a_limit),
        cmocka_unit_test(goes_on_behind_what_is_odd),
        cmocka_unit_test(gives_pieces),
        cmocka_unit_test(octets_of_values_at_every_place),
        cmocka_unit_test(squeezes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
