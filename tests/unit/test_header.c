// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_header.c - the header section: RFC 5322 2.1.1, 2.2, 2.3, 3.6.8, 4.5, and bounds.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "standards/message/header.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define LIT(s) {s, sizeof(s) - 1}

static void field_add(struct header_list *l, const char *name, const char *value)
{
    assert_int_equal(header_list_add(l, slice_str(name), slice_str(value)), STATUS_OK);
}

/* What drops a NUL, or ends a name there, sees a From field. */
static void nul_hides_no_name(void **state)
{
    static const struct slice names[] = {LIT("From\0"), LIT("\0From"), LIT("Fr\0om"), LIT("from\0\0 ")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena *a = arena_new(1 << 20);
        struct header_list l;
        header_list_init(&l, a);
        field_add(&l, "From", " a@x.example");
        assert_int_equal(header_list_add(&l, names[i], SLICE_LIT(" b@x.example")), STATUS_OK);
        assert_int_equal(header_count(&l, "From"), 2);
        assert_int_equal(header_count(&l, "Fro"), 0);
        assert_true(l.flaws & HEADER_BAD_NAME);
        arena_free(a);
    }
}

static void counts_as_any_reader_would(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct header_list l;
    header_list_init(&l, a);
    field_add(&l, "Received", " 1");
    field_add(&l, "From", " a@x.example");
    field_add(&l, "received", " 2");
    field_add(&l, "FROM ", " b@x.example");
    field_add(&l, "RECEIVED", " 3");
    field_add(&l, "From\t", " c@x.example");
    assert_int_equal(header_count(&l, "from"), 3);
    assert_int_equal(header_count(&l, "Received"), 3);
    assert_int_equal(header_count(&l, "Fro"), 0);
    assert_true(slice_eq(header_find(&l, "Received", 2)->value, SLICE_LIT(" 2")));
    assert_int_equal(header_find(&l, "Received", 3)->index, 3);
    assert_int_equal(header_find(&l, "From", 2)->index, 2);
    assert_null(header_find(&l, "Received", 4));
    assert_null(header_find(&l, "Received", 0));
    assert_true(slice_eq(l.fields[3].name, SLICE_LIT("FROM ")));
    assert_int_equal(l.flaws, HEADER_BLANK_COLON);
    arena_free(a);
}

static void notes_flaws(void **state)
{
    static const struct {
        struct slice name, value;
        unsigned flaws;
    } t[] = {
        {LIT("Subject"), LIT(" x"), 0},
        {LIT("Subject"), LIT(" folded\r\n here"), 0},
        {LIT("Subject"), LIT(" folded\n\there"), 0},
        {LIT("Subject"), LIT(""), 0},
        {LIT("X-8bit"), LIT(" \xfc\xe4"), 0},
        {LIT("!#$%&'*+-./0;<=>?@A[\\]^_`{|}~"), LIT(" x"), 0},
        {LIT(""), LIT(" x"), HEADER_BAD_NAME},
        {LIT("  "), LIT(" x"), HEADER_BAD_NAME | HEADER_BLANK_COLON},
        {LIT(" From"), LIT(" x"), HEADER_BAD_NAME},
        {LIT("Fr om"), LIT(" x"), HEADER_BAD_NAME},
        {LIT("Fr\xfcom"), LIT(" x"), HEADER_BAD_NAME},
        {LIT("Fr:om"), LIT(" x"), HEADER_BAD_NAME},
        {LIT("From\x7f"), LIT(" x"), HEADER_BAD_NAME},
        {LIT("From\0"), LIT(" x"), HEADER_BAD_NAME | HEADER_NUL},
        {LIT("From\r\n "), LIT(" x"), HEADER_BAD_NAME | HEADER_BLANK_COLON | HEADER_BARE_CR | HEADER_BARE_LF},
        {LIT("From "), LIT(" x"), HEADER_BLANK_COLON},
        {LIT("Subject"), LIT(" a\0b"), HEADER_NUL},
        {LIT("Subject"), LIT(" a\rb"), HEADER_BARE_CR},
        {LIT("Subject"), LIT(" a\r b"), HEADER_BARE_CR},
        {LIT("Subject"), LIT(" a\r"), HEADER_BARE_CR},
        {LIT("Subject"), LIT(" a\nb"), HEADER_BARE_LF},
        {LIT("Subject"), LIT(" a\r\nb"), HEADER_BARE_LF},
        {LIT("Subject"), LIT(" a\n"), HEADER_BARE_LF},
        {LIT("Subject"), LIT(" a\n\n b"), HEADER_BARE_LF},
        {LIT("Subject"), LIT(" a\r\n \r\n b"), HEADER_EMPTY_FOLD},
        {LIT("Subject"), LIT(" a\n\t"), HEADER_EMPTY_FOLD},
        {LIT("Subject"), LIT(" a\r\r\n b"), HEADER_BARE_CR},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 20);
        struct header_list l;
        header_list_init(&l, a);
        assert_int_equal(header_list_add(&l, t[i].name, t[i].value), STATUS_OK);
        if (l.fields[0].flaws != t[i].flaws)
            fail_msg("case %zu: flaws %x, expected %x", i, l.fields[0].flaws, t[i].flaws);
        assert_int_equal(l.flaws, t[i].flaws);
        assert_true(slice_eq(l.fields[0].name, t[i].name));
        assert_true(slice_eq(l.fields[0].value, t[i].value));
        arena_free(a);
    }
}

static void line_of(size_t octets, unsigned expected)
{
    struct arena *a = arena_new(1 << 20);
    struct header_list l;
    char *value = malloc(octets);
    memset(value, 'x', octets);
    header_list_init(&l, a);
    assert_int_equal(header_list_add(&l, SLICE_LIT("Subject"), slice_of(value, octets - 8)), STATUS_OK);
    assert_int_equal(l.flaws, expected);
    free(value);
    arena_free(a);
}

static void long_lines(void **state)
{
    line_of(998, 0);
    line_of(999, HEADER_LONG_LINE);
}

/* RFC 5322 2.1.1: 998 octets a line, counted from each fold, wherever the folds are. */
static void long_lines_of_a_folded_field(void **state)
{
    for (size_t fold = 1; fold < 40; fold++) {
        for (size_t octets = 990; octets < 1006; octets++) {
            struct arena *a = arena_new(1 << 20);
            struct header_list l;
            char value[1100];
            memset(value, 'x', sizeof value);
            memcpy(value + fold, "\r\n ", 3);
            header_list_init(&l, a);
            assert_int_equal(header_list_add(&l, SLICE_LIT("Subject"), slice_of(value, fold + 2 + octets)), STATUS_OK);
            assert_int_equal(l.flaws, octets > 998 ? HEADER_LONG_LINE : 0);
            arena_free(a);
        }
    }
}

/* RFC 5322 2.2, 3.2.2: behind a line end comes a blank, else it is none; NUL is nowhere. At each place of a value. */
static void odd_octets_at_every_place(void **state)
{
    static const char clean[] = "0123456789\r\n\t0123456789\r\n 0123456789abcdef";
    for (size_t at = 0; at < 40; at++) {
        for (unsigned c = 0; c < 256 && clean[at] >= '0'; c++) {
            struct arena *a = arena_new(1 << 20);
            struct header_list l;
            char value[sizeof clean];
            const bool behind_fold = at > 0 && (clean[at - 1] == '\t' || clean[at - 1] == ' ');
            unsigned expected = c == 0 ? HEADER_NUL : c == '\r' ? HEADER_BARE_CR : c == '\n' ? HEADER_BARE_LF : 0;
            if (behind_fold && (c == '\r' || c == '\n'))
                expected |= HEADER_EMPTY_FOLD;
            memcpy(value, clean, sizeof value);
            value[at] = (char)c;
            header_list_init(&l, a);
            assert_int_equal(header_list_add(&l, SLICE_LIT("Subject"), slice_of(value, sizeof value - 1)), STATUS_OK);
            assert_int_equal(l.flaws, expected);
            arena_free(a);
        }
    }
}

/* What decides is seen beyond every bound that other fields can use up; beyond its own bounds the list says so. */
static void fields_that_decide_pass_the_bounds(void **state)
{
    struct arena *a = arena_new(16 << 20);
    struct header_list l;
    char *big = calloc(1, LIMIT_HEADER_FIELD + 1);
    memset(big, 'x', LIMIT_HEADER_FIELD);
    header_list_init(&l, a);
    for (int i = 0; i < LIMIT_HEADER_FIELDS; i++)
        assert_int_equal(header_list_add(&l, SLICE_LIT("X"), SLICE_LIT("")), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("X"), SLICE_LIT("")), STATUS_LIMIT);
    assert_int_equal(header_list_add(&l, SLICE_LIT(" FROM "), SLICE_LIT(" a@victim.example")), STATUS_LIMIT);
    assert_int_equal(header_list_add(&l, SLICE_LIT("Authentication-Results"), SLICE_LIT(" x")), STATUS_LIMIT);
    assert_int_equal(header_list_add(&l, SLICE_LIT("Assay-Verdict"), SLICE_LIT(" deliver")), STATUS_LIMIT);
    assert_int_equal(header_list_add(&l, SLICE_LIT("Assay-Verdict"), SLICE_LIT(" deliver")), STATUS_LIMIT);
    assert_int_equal(l.count, LIMIT_HEADER_FIELDS + 4);
    assert_int_equal(header_count(&l, "From"), 1);
    assert_int_equal(header_find(&l, "Assay-Verdict", 2)->index, 2);
    assert_true(l.over_limit);
    assert_false(l.blind);

    header_list_init(&l, a); /* the other bound: 1 MiB before From */
    for (int i = 0; i < 4; i++)
        assert_int_equal(header_list_add(&l, SLICE_LIT("X"), slice_of(big, LIMIT_HEADER_FIELD - 4)), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("From"), SLICE_LIT(" a@victim.example")), STATUS_LIMIT);
    assert_int_equal(header_count(&l, "From"), 1);
    assert_false(l.blind);
    for (int i = 0; i < 4; i++)
        assert_int_equal(header_list_add(&l, SLICE_LIT("From"), slice_of(big, LIMIT_HEADER_FIELD - 7)), STATUS_LIMIT);
    assert_true(l.blind);

    header_list_init(&l, a); /* one that is too long is kept as far as it may be */
    assert_int_equal(header_list_add(&l, SLICE_LIT("From"), slice_of(big, LIMIT_HEADER_FIELD)), STATUS_LIMIT);
    assert_int_equal(l.count, 1);
    assert_true(l.blind);

    header_list_init(&l, a);
    for (int i = 0; i < LIMIT_HEADER_FIELDS + HEADER_DECIDING_FIELDS; i++)
        assert_int_equal(header_list_add(&l, SLICE_LIT("To"), SLICE_LIT("")),
                         i < LIMIT_HEADER_FIELDS ? STATUS_OK : STATUS_LIMIT);
    assert_false(l.blind);
    assert_int_equal(header_list_add(&l, SLICE_LIT("To"), SLICE_LIT("")), STATUS_LIMIT);
    assert_true(l.blind);
    free(big);
    arena_free(a);
}

static void a_saved_message_is_read_over_the_bounds(void **state)
{
    struct arena *a = arena_new(16 << 20);
    struct header_list l;
    struct buf text = BUF_INIT;
    struct slice body;
    for (int i = 0; i < LIMIT_HEADER_FIELDS + 10; i++)
        buf_adds(&text, "X-Filler: x\n");
    buf_adds(&text, "From: a@victim.example\nSubject: x\n\nthe body\n");
    header_list_init(&l, a);
    assert_int_equal(header_parse_message(&l, buf_slice(&text), &body), STATUS_LIMIT);
    assert_int_equal(header_count(&l, "From"), 1);
    assert_true(slice_eq_nocase(body, SLICE_LIT("the body\n")));
    buf_release(&text);
    arena_free(a);
}

static void has_limits(void **state)
{
    struct arena *a = arena_new(16 << 20);
    struct header_list l;
    char *big = calloc(1, LIMIT_HEADER_FIELD);
    memset(big, 'x', LIMIT_HEADER_FIELD);
    header_list_init(&l, a);
    assert_int_equal(header_list_add(&l, SLICE_LIT("X"), slice_of(big, LIMIT_HEADER_FIELD - 3)), STATUS_LIMIT);
    assert_true(l.over_limit);
    assert_int_equal(l.count, 0);
    header_list_init(&l, a);
    for (int i = 0; i < 4; i++)
        assert_int_equal(header_list_add(&l, SLICE_LIT("X"), slice_of(big, LIMIT_HEADER_FIELD - 4)), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("X"), SLICE_LIT("x")), STATUS_LIMIT);
    assert_true(l.over_limit);
    header_list_init(&l, a);
    for (int i = 0; i < LIMIT_HEADER_FIELDS; i++)
        assert_int_equal(header_list_add(&l, SLICE_LIT("X"), SLICE_LIT("")), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("X"), SLICE_LIT("")), STATUS_LIMIT);
    assert_int_equal(header_find(&l, "x", LIMIT_HEADER_FIELDS)->index, LIMIT_HEADER_FIELDS);
    header_list_init(&l, a);
    for (unsigned i = 0; i < 300; i++) { /* one name in three forms, and another one between */
        static const char *const forms[] = {"X-Same", "x-sAME ", "X-\0Same"};
        const struct slice form = slice_of(forms[i % 3], i % 3 ? 7 : 6);
        assert_int_equal(header_list_add(&l, form, SLICE_LIT("")), STATUS_OK);
        assert_int_equal(header_list_add(&l, SLICE_LIT("X-Samf"), SLICE_LIT("")), STATUS_OK);
        assert_int_equal(l.fields[2 * i].index, i + 1);
        assert_int_equal(l.fields[2 * i + 1].index, i + 1);
    }
    free(big);
    arena_free(a);
    a = arena_new(16);
    header_list_init(&l, a);
    assert_int_equal(header_list_add(&l, SLICE_LIT("X"), SLICE_LIT("0123456789012345")), STATUS_NOMEM);
    arena_free(a);
}

struct message {
    struct slice text;
    const char *fields; /* name|value| for each */
    struct slice body;
    unsigned flaws;
};

static const struct message messages[] = {
    {LIT("A: 1\r\nB: 2\r\n\r\nbody\r\n"), "A| 1|B| 2|", LIT("body\r\n"), 0},
    {LIT("A: 1\nB: 2\n\nbody\n"), "A| 1|B| 2|", LIT("body\n"), 0},
    {LIT("A: 1\n 2\n\t3\nB:\n\n"), "A| 1\n 2\n\t3|B||", LIT(""), 0},
    {LIT("A: 1\r\n 2\r\n\r\n"), "A| 1\r\n 2|", LIT(""), 0},
    {LIT("From a@b Thu Jan  1 00:00:00 1970\nA: 1\n\nx"), "A| 1|", LIT("x"), 0},
    {LIT("From : <a@b.example>\nA: 1\n\n"), "From | <a@b.example>|A| 1|", LIT(""), HEADER_BLANK_COLON},
    {LIT("From  : <a@b.example>\n\n"), "From  | <a@b.example>|", LIT(""), HEADER_BLANK_COLON},
    {LIT("A: 1\nno field\nB: 2\n\n"), "A| 1|B| 2|", LIT(""), HEADER_BAD_LINE},
    {LIT("A: 1\n: x\n\n"), "A| 1|", LIT(""), HEADER_BAD_LINE},
    {LIT(" From: <first@attack.com>\r\nFrom: <admin@legitimate.com>\r\n\r\n"),
     " From| <first@attack.com>|From| <admin@legitimate.com>|", LIT(""),
     HEADER_FIRST_BLANK | HEADER_BAD_LINE | HEADER_BAD_NAME},
    {LIT("From\r\n : <first@attack.com>\r\nTo: x\r\n\r\n"), "From\r\n | <first@attack.com>|To| x|", LIT(""),
     HEADER_BAD_NAME | HEADER_BLANK_COLON | HEADER_BARE_CR | HEADER_BARE_LF},
    {LIT("From\r\n : <a@b.example>\r\nnTo: x\r\n\r\n"), "From\r\n | <a@b.example>|nTo| x|", LIT(""),
     HEADER_BAD_NAME | HEADER_BLANK_COLON | HEADER_BARE_CR | HEADER_BARE_LF},
    {LIT("A: 1"), "A| 1|", LIT(""), HEADER_NO_END},
    {LIT("A: 1\n"), "A| 1|", LIT(""), HEADER_NO_END},
    {LIT(""), "", LIT(""), HEADER_NO_END},
    {LIT("\nbody"), "", LIT("body"), 0},
    {LIT("\r\nbody"), "", LIT("body"), 0},
    {LIT("A: 1\r\nB: 2\nC: 3\r\n\r\nx"), "A| 1|B| 2\nC: 3|", LIT("x"), HEADER_BARE_LF},
    {LIT("A: 1\r\nB: 2\n C\r\n\r\nx"), "A| 1|B| 2\n C|", LIT("x"), HEADER_BARE_LF},
    {LIT("A: 1\nB: 2\r\nC: 3\n\nx"), "A| 1|B| 2\r|C| 3|", LIT("x"), HEADER_BARE_CR},
    {LIT("A: 1\n \nB: 2\n\n"), "A| 1\n |B| 2|", LIT(""), HEADER_EMPTY_FOLD},
    {LIT("A: 1\nB\n : 2\n\n"), "A| 1|B\n | 2|", LIT(""), HEADER_BAD_NAME | HEADER_BLANK_COLON | HEADER_BARE_LF},
};

static void reads_saved_messages(void **state)
{
    for (size_t i = 0; i < COUNT(messages); i++) {
        const struct message *m = &messages[i];
        struct arena *a = arena_new(1 << 20);
        struct header_list l;
        struct slice body = SLICE_LIT("unset");
        struct buf seen = BUF_INIT;
        char *copy = exact(m->text.p, m->text.n);
        header_list_init(&l, a);
        assert_int_equal(header_parse_message(&l, slice_of(copy, m->text.n), &body), STATUS_OK);
        for (size_t k = 0; k < l.count; k++) {
            buf_addslice(&seen, l.fields[k].name);
            buf_addc(&seen, '|');
            buf_addslice(&seen, l.fields[k].value);
            buf_addc(&seen, '|');
        }
        assert_string_equal(seen.p, m->fields);
        assert_true(slice_eq(body, m->body));
        if (l.flaws != m->flaws)
            fail_msg("message %zu: flaws %x, expected %x", i, l.flaws, m->flaws);
        buf_release(&seen);
        free(copy);
        arena_free(a);
    }
}

static void unfolds(void **state)
{
    struct arena *a = arena_new(1 << 16);
    assert_true(slice_eq(header_unfold(a, SLICE_LIT(" a\r\n b\n\tc ")), SLICE_LIT("a b\tc")));
    assert_int_equal(header_unfold(a, SLICE_LIT(" \r\n ")).n, 0);
    assert_int_equal(header_unfold(a, SLICE_NULL).n, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nul_hides_no_name),
        cmocka_unit_test(counts_as_any_reader_would),
        cmocka_unit_test(notes_flaws),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(long_lines_of_a_folded_field),
        cmocka_unit_test(odd_octets_at_every_place),
        cmocka_unit_test(has_limits),
        cmocka_unit_test(fields_that_decide_pass_the_bounds),
        cmocka_unit_test(a_saved_message_is_read_over_the_bounds),
        cmocka_unit_test(reads_saved_messages),
        cmocka_unit_test(unfolds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
