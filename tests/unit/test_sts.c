// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_sts.c - standards/sts: the record, the policy file and the matching of mail hosts, each case by RFC 8461
 * (section in the case).
 */
#include "tests/unit/cm.h"

#include "base/buf.h"
#include "standards/sts/sts.h"

static const struct {
    const char *what, *txt, *id; /* id NULL: no record */
} records[] = {
    {"3.1 the example", "v=STSv1; id=20160831085700Z;", "20160831085700Z"},
    {"3.1 no final delimiter", "v=STSv1; id=20160831085700Z", "20160831085700Z"},
    {"3.1 no blanks", "v=STSv1;id=a", "a"},
    {"3.1 blanks and tabs round the delimiter", "v=STSv1 \t;\t id=a ; ", "a"},
    {"3.1 32 octets", "v=STSv1; id=abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012345"},
    {"3.1 33 octets", "v=STSv1; id=abcdefghijklmnopqrstuvwxyz0123456", NULL},
    {"3.1 empty id", "v=STSv1; id=;", NULL},
    {"3.1 no id", "v=STSv1;", NULL},
    {"3.1 no id, another field", "v=STSv1; a=b", NULL},
    {"3.1 id with a hyphen", "v=STSv1; id=2016-08", NULL},
    {"3.1 id with a blank", "v=STSv1; id=a b", NULL},
    {"3.1 blanks round the equals sign", "v=STSv1; id = a", NULL},
    {"3.1 version must be first", "id=a; v=STSv1;", NULL},
    {"3.1 version as written (as is)", "v=stsv1; id=a", NULL},
    {"3.1 another version", "v=STSv2; id=a", NULL},
    {"3.1 a longer version", "v=STSv10; id=a", NULL},
    {"3.1 a blank before it", " v=STSv1; id=a", NULL},
    {"3.1 unknown fields are ignored", "v=STSv1; x=y; id=a; z-1._=!:/", "a"},
    {"3.1 the order of others does not matter", "v=STSv1; z=1; id=a", "a"},
    {"3.1 the first of two counts", "v=STSv1; id=a; id=b", "a"},
    {"3.1 a field without value", "v=STSv1; id=a; x=", NULL},
    {"3.1 a field without name", "v=STSv1; id=a; =x", NULL},
    {"3.1 no field at all", "v=STSv1; id=a; x", NULL},
    {"3.1 an empty field", "v=STSv1; ; id=a", NULL},
    {"3.1 two equals signs", "v=STSv1; id=a; x=y=z", NULL},
    {"3.1 a name of 32", "v=STSv1; id=a; abcdefghijklmnopqrstuvwxyz012345=x", "a"},
    {"3.1 a name of 33", "v=STSv1; id=a; abcdefghijklmnopqrstuvwxyz0123456=x", NULL},
    {"3.1 a name that begins with a dot", "v=STSv1; id=a; .x=y", NULL},
    {"3.1 8-bit in a value", "v=STSv1; id=a; x=\xc3\xa4", NULL},
    {"3.1 ID is another field", "v=STSv1; ID=a", NULL},
    {"nothing", "", NULL},
};

static void record_table(void **state)
{
    unsigned failures = 0;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        size_t n = strlen(records[i].txt);
        char *copy = exact(records[i].txt, n), id[STS_ID + 1] = "";
        enum status s = sts_record_id(slice_of(copy, n), id);
        bool right = records[i].id ? s == STATUS_OK && strcmp(id, records[i].id) == 0 : s == STATUS_INVALID;
        if (!right)
            print_error("%s: %s, id \"%s\"\n", records[i].what, status_text(s), id);
        failures += !right;
        free(copy);
    }
    assert_int_equal(failures, 0);
    assert_true(sts_is_record(SLICE_LIT("v=STSv1; nonsense")));
    assert_true(sts_is_record(SLICE_LIT("v=STSv1;")));
    assert_false(sts_is_record(SLICE_LIT("v=STSv1")));
    assert_false(sts_is_record(SLICE_LIT("v=spf1 -all")));
}

#define V "version: STSv1\n"
#define E "mode: enforce\n"
#define A "max_age: 604800\n"
#define M "mx: mx.example.com\n"

static const struct {
    const char *what, *file, *mx; /* mx: its patterns, separated by blanks; NULL: no policy */
    enum sts_mode mode;
    unsigned max_age;
} policies[] = {
    {"3.2 the example", V E "mx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\n" A,
     "mail.example.com *.example.net backupmx.example.com", STS_ENFORCE, 604800},
    {"3.2 CRLF", "version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 86400\r\n", "mx.example.com",
     STS_TESTING, 86400},
    {"3.2 both line ends", "version: STSv1\r\nmode: testing\nmx: mx.example.com\r\nmax_age: 1", "mx.example.com",
     STS_TESTING, 1},
    {"3.2 no line end at the end", V E M "max_age: 5", "mx.example.com", STS_ENFORCE, 5},
    {"3.2 no blank behind the colon", "version:STSv1\nmode:enforce\nmx:mx.example.com\nmax_age:5\n", "mx.example.com",
     STS_ENFORCE, 5},
    {"3.2 several blanks, and behind", "version: \t STSv1 \nmode:  enforce\t\nmx: mx.example.com  \nmax_age: 5 ",
     "mx.example.com", STS_ENFORCE, 5},
    {"3.2 any order", A M E V, "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 upper case in mx", V E A "mx: MX.Example.COM\n", "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 unknown fields", V "x-1.2_3: any: thing = \xc3\xa4 goes\n" E M A, "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 the first mode counts", V E "mode: none\n" M A, "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 a second mode may be nonsense", V E "mode: xyz\n" M A, "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 the first max_age counts", V E M "max_age: 7\nmax_age: 8\n", "mx.example.com", STS_ENFORCE, 7},
    {"3.2 the first version counts", V "version: STSv2\n" E M A, "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 the first version counts, the other way", "version: STSv2\n" V E M A, NULL, 0, 0},
    {"3.2 max_age 0", V E M "max_age: 0\n", "mx.example.com", STS_ENFORCE, 0},
    {"3.2 max_age at its maximum", V E M "max_age: 31557600\n", "mx.example.com", STS_ENFORCE, 31557600},
    {"3.2 max_age beyond", V E M "max_age: 9999999999\n", "mx.example.com", STS_ENFORCE, 31557600},
    {"3.2 max_age of 11 digits", V E M "max_age: 00000000001\n", NULL, 0, 0},
    {"3.2 max_age negative", V E M "max_age: -1\n", NULL, 0, 0},
    {"3.2 max_age empty", V E M "max_age:\n", NULL, 0, 0},
    {"3.2 max_age with a unit", V E M "max_age: 1d\n", NULL, 0, 0},
    {"3.2 no max_age", V E M, NULL, 0, 0},
    {"3.2 no version", E M A, NULL, 0, 0},
    {"3.2 no mode", V M A, NULL, 0, 0},
    {"3.2 no mx", V E A, NULL, 0, 0},
    {"8.3 mode none without mx", V "mode: none\n" A, "", STS_NONE, 604800},
    {"3.2 mode none with mx", V "mode: none\n" M A, "mx.example.com", STS_NONE, 604800},
    {"3.2 mode as written", V "mode: Enforce\n" M A, NULL, 0, 0},
    {"3.2 version as written", "version: stsv1\n" E M A, NULL, 0, 0},
    {"3.2 field names as written", "Version: STSv1\n" E M A, NULL, 0, 0},
    {"3.2 another mode", V "mode: strict\n" M A, NULL, 0, 0},
    {"3.2 a blank before the name", V " mode: enforce\n" M A, NULL, 0, 0},
    {"3.2 a blank before the colon", V "mode : enforce\n" M A, NULL, 0, 0},
    {"3.2 no colon", V E M A "nonsense\n", NULL, 0, 0},
    {"3.2 a comment is no field", "# our policy\n" V E M A, NULL, 0, 0},
    {"3.2 HTML", "<!DOCTYPE html>\n<html></html>\n", NULL, 0, 0},
    {"3.2 every mx is an address: no mx", V E A "mx: [192.0.2.1]\n", NULL, 0, 0},
    {"3.2 an mx that is an address is left out", V E M A "mx: 192.0.2.1\n", "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 in brackets", V E M A "mx: [192.0.2.1]\n", "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 behind a wildcard", V E M A "mx: *.0.2.1\nmx: *.192.0.2.1\n", "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 of IPv6", V E M A "mx: 2001:db8::1\nmx: IPv6:2001:db8::1\n", "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 in octal and hexadecimal", V E M A "mx: 0300.0.02.01\nmx: 0xc0.0.2.0x1\nmx: 0xc0000201\n", "mx.example.com",
     STS_ENFORCE, 604800},
    {"3.2 with a final dot", V E M A "mx: 192.0.2.1.\n", "mx.example.com", STS_ENFORCE, 604800},
    {"3.2 a first label of digits is a name", V E A "mx: 192.example.com\n", "192.example.com", STS_ENFORCE, 604800},
    {"3.2 an mx with a final dot", V E A "mx: mx.example.com.\n", NULL, 0, 0},
    {"3.2 an mx with an underscore", V E A "mx: m_x.example.com\n", NULL, 0, 0},
    {"3.2 an mx of 8-bit letters", V E A "mx: m\xc3\xa4il.example.com\n", NULL, 0, 0},
    {"3.2 the star alone", V E A "mx: *\n", NULL, 0, 0},
    {"3.2 the star with its dot alone", V E A "mx: *.\n", NULL, 0, 0},
    {"3.2 a star within a label", V E A "mx: mx*.example.com\n", NULL, 0, 0},
    {"3.2 a star in the second label", V E A "mx: mx.*.example.com\n", NULL, 0, 0},
    {"3.2 two stars", V E A "mx: *.*.example.com\n", NULL, 0, 0},
    {"3.2 a leading dot", V E A "mx: .example.com\n", NULL, 0, 0},
    {"3.2 two in one line", V E A "mx: a.example b.example\n", NULL, 0, 0},
    {"3.2 one wrong mx spoils the policy", V E A M "mx: -\n", NULL, 0, 0},
    {"3.2 a control character", V E A M "x: a\x01b\n", NULL, 0, 0},
    {"3.2 a bare CR within", V E A M "x: a\rb\n", NULL, 0, 0},
    {"empty lines are passed over", V E "\n" M A "\n\r\n", "mx.example.com", STS_ENFORCE, 604800},
    {"nothing", "", NULL, 0, 0},
};

static bool is_as(const struct sts_policy *p, const char *mx, enum sts_mode mode, unsigned max_age)
{
    struct buf all = BUF_INIT;
    for (size_t i = 0; i < p->mx_count; i++)
        buf_printf(&all, "%s%s", i ? " " : "", p->mx[i]);
    bool same = strcmp(all.p, mx) == 0 && p->mode == mode && p->max_age == max_age;
    buf_release(&all);
    return same;
}

static void policy(void **state)
{
    unsigned failures = 0;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        size_t n = strlen(policies[i].file);
        char *copy = exact(policies[i].file, n);
        struct arena *arena = arena_new(1 << 20);
        struct sts_policy p;
        const char *why;
        enum status s = sts_policy_read(arena, slice_of(copy, n), &p, &why);
        free(copy);
        bool right = policies[i].mx ? s == STATUS_OK && is_as(&p, policies[i].mx, policies[i].mode, policies[i].max_age)
                                    : s == STATUS_INVALID && why;
        if (!right)
            print_error("%s: %s (%s)\n", policies[i].what, status_text(s), why ? why : "");
        failures += !right;
        arena_free(arena);
    }
    assert_int_equal(failures, 0);
}

static void limits(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct buf b = BUF_INIT;
    struct sts_policy p;
    const char *why;
    char id[STS_ID + 1];

    buf_adds(&b, V E A);
    for (int i = 0; i < 2500; i++) /* as many as fit into the file: the bound is in octets */
        buf_printf(&b, "mx: mx%d.example.com\n", i);
    assert_int_equal(sts_policy_read(arena, buf_slice(&b), &p, &why), STATUS_OK);
    assert_int_equal(p.mx_count, 2500);
    assert_string_equal(p.mx[2499], "mx2499.example.com");
    buf_reset(&b);
    buf_adds(&b, V E A M "x: ");
    while (b.n < STS_FILE)
        buf_addc(&b, 'y');
    assert_int_equal(sts_policy_read(arena, buf_slice(&b), &p, &why), STATUS_OK);
    buf_addc(&b, 'y');
    assert_int_equal(sts_policy_read(arena, buf_slice(&b), &p, &why), STATUS_LIMIT);
    assert_int_equal(sts_policy_read(arena, slice_of(V E "\0" A M, sizeof V E A M), &p, &why), STATUS_INVALID);
    buf_reset(&b);
    buf_adds(&b, "v=STSv1; id=a; x=");
    while (b.n <= STS_RECORD)
        buf_addc(&b, 'y');
    assert_int_equal(sts_record_id(buf_slice(&b), id), STATUS_LIMIT);
    buf_release(&b);
    arena_free(arena);
}

static void matching(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool want;
    } t[] = {
        {"mail.example.com", "mail.example.com", true},
        {"mail.example.com", "mail2.example.com", false},
        {"mail.example.com", "x.mail.example.com", false},
        {"mail.example.com", "example.com", false},
        {"*.example.com", "mail.example.com", true}, /* 4.1 */
        {"*.example.com", "example.com", false},
        {"*.example.com", "foo.bar.example.com", false},
        {"*.example.com", "mail.example.org", false},
        {"*.example.com", "mailexample.com", false},
        {"*.example.com", "com", false},
        {"*.com", "example.com", true},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (sts_mx_matches(t[i].pattern, t[i].host) != t[i].want)
            fail_msg("%s and %s", t[i].pattern, t[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_table),
        cmocka_unit_test(policy),
        cmocka_unit_test(limits),
        cmocka_unit_test(matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
