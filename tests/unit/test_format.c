// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_format.c - message-format: RFC 5322 3.6 on how often a field may stand, RFC 9989 11.5 on messages whose author
 * cannot be told, and the header tricks a8 to a19 of spoofers: never another author than every reader sees.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "standards/message/format.h"
#include "tests/unit/cm.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

struct kase {
    const char *header;
    unsigned flaws;
    unsigned remarks;
    const char *from_domain; /* NULL: none */
    const char *domains;     /* all, joined by blanks */
};

#define DATE "Date: Thu, 01 Jan 2026 00:00:00 +0000\n"

static const struct kase cases[] = {
    {DATE "From: a@x.example\n\n", 0, 0, "x.example", "x.example"},
    {"From: a@x.example\n\n", 0, FORMAT_REMARK_NO_DATE, "x.example", "x.example"},
    {DATE "From: a@x.example, b@x.example\nSender: a@x.example\n\n", 0, FORMAT_REMARK_AUTHORS, "x.example",
     "x.example"},
    {DATE "From: a@x.example, b@x.example\n\n", 0, FORMAT_REMARK_AUTHORS | FORMAT_REMARK_NO_SENDER, "x.example",
     "x.example"},
    {DATE "From: G: a@x.example;\n\n", 0, 0, "x.example", "x.example"},
    {DATE "\n", FORMAT_NO_FROM, 0, NULL, ""},
    {DATE "Sender: admin@legitimate.com\n\n", FORMAT_NO_FROM, 0, NULL, ""},
    {DATE "Resent-From: admin@legitimate.com\n\n", FORMAT_NO_FROM, 0, NULL, ""},
    {DATE "From:\n\n", FORMAT_BAD_FROM, 0, NULL, ""},
    {DATE "From: undisclosed:;\n\n", FORMAT_FROM_EMPTY, 0, NULL, ""},
    {DATE "From: a@[192.0.2.1]\n\n", FORMAT_FROM_LITERAL, 0, NULL, ""},
    {DATE "From: a@[192.0.2.1], a@x.example\n\n", FORMAT_FROM_LITERAL, FORMAT_REMARK_AUTHORS | FORMAT_REMARK_NO_SENDER,
     NULL, "x.example"},
    /* a8, a10 */
    {DATE "From: <first@attack.com>\nFrom: <admin@legitimate.com>\n\n", FORMAT_MANY_FROM, 0, NULL,
     "attack.com legitimate.com"},
    {DATE "From: <first@attack.com>\nFrom : <admin@legitimate.com>\n\n", FORMAT_MANY_FROM, FORMAT_REMARK_BLANK_COLON,
     NULL, "attack.com legitimate.com"},
    {DATE "From: a@x.example\nfrom: a@x.example\n\n", FORMAT_MANY_FROM, 0, NULL, "x.example"},
    /* a9, a11, and the other way round: a From field that some readers overlook */
    {" From: <first@attack.com>\nFrom: <admin@legitimate.com>\n" DATE "\n",
     FORMAT_BAD_LINE | FORMAT_MANY_FROM | FORMAT_BAD_FROM, 0, NULL, "attack.com legitimate.com"},
    {"From\n : <first@attack.com>\nFrom: <admin@legitimate.com>\n" DATE "\n",
     FORMAT_BAD_LINE | FORMAT_BARE_LF | FORMAT_MANY_FROM | FORMAT_BAD_FROM, FORMAT_REMARK_BLANK_COLON, NULL,
     "attack.com legitimate.com"},
    {"From\n : <admin@legitimate.com>\nFrom: <any@attack.com>\n" DATE "\n",
     FORMAT_BAD_LINE | FORMAT_BARE_LF | FORMAT_MANY_FROM | FORMAT_BAD_FROM, FORMAT_REMARK_BLANK_COLON, NULL,
     "legitimate.com attack.com"},
    /* a12, a13 */
    {"From\n : <first@attack.com>\nnSender: <admin@legitimate.com>\n" DATE "\n",
     FORMAT_BAD_FROM | FORMAT_BAD_LINE | FORMAT_BARE_LF, FORMAT_REMARK_BLANK_COLON, NULL, "attack.com"},
    /* a14, a18 */
    {DATE "From: <first@attack.com>, <admin@legitimate.com>\nSender: <s@sender.legitimate.com>\n\n",
     FORMAT_FROM_DOMAINS, 0, NULL, "attack.com legitimate.com"},
    {DATE "From: admin@legitimate.com,<second@attack.com>\n\n", FORMAT_FROM_DOMAINS, 0, NULL,
     "legitimate.com attack.com"},
    /* a15, a16, a17, a19 */
    {DATE "From:PGFkbWluQGxlZ2l0aW1hdGUuY29tPg==,<second@attack.com>\n\n", FORMAT_BAD_FROM, 0, NULL,
     "attack.com legitimate.com"},
    {DATE "From: <@attack.com,@any.com:admin@legitimate.com>\n\n", FORMAT_BAD_FROM, 0, NULL,
     "attack.com any.com legitimate.com"},
    {DATE "From: <admin@legitimate.com>\\,<second@attack.com>\n\n", FORMAT_BAD_FROM, 0, NULL,
     "legitimate.com attack.com"},
    {DATE "From: <any@attack.com>admin@legitimate.com\n\n", FORMAT_BAD_FROM, 0, NULL, "attack.com legitimate.com"},
    {DATE "From: admin@legitimate.com>\n\n", FORMAT_BAD_FROM, 0, NULL, "legitimate.com"},
    {DATE "From: admin@legitimate.com <a@attack.com>\n\n", FORMAT_BAD_FROM, 0, NULL, "legitimate.com attack.com"},
    /* singletons */
    {DATE DATE "From: a@x.example\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nSubject: 1\nSUBJECT : 2\n\n", FORMAT_DOUBLED, FORMAT_REMARK_BLANK_COLON, "x.example",
     "x.example"},
    {DATE "From: a@x.example\nSender: a@x.example\nSender: a@x.example\n\n", FORMAT_DOUBLED, 0, "x.example",
     "x.example"},
    {DATE "From: a@x.example\nReply-To: a@x.example\nReply-To: b@x.example\n\n", FORMAT_DOUBLED, 0, "x.example",
     "x.example"},
    {DATE "From: a@x.example\nTo: a@x.example\nTo: b@x.example\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nCc: a@x.example\nCc: b@x.example\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nBcc:\nBcc:\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nMessage-ID: <1@x>\nMessage-Id: <2@x>\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nIn-Reply-To: <1@x>\nIn-Reply-To: <2@x>\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nReferences: <1@x>\nReferences: <2@x>\n\n", FORMAT_DOUBLED, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nReceived: 1\nReceived: 2\nComments: 1\nComments: 2\nKeywords: a\nKeywords: b\nX-A: "
          "1\nX-A: 2\n\n",
     0, 0, "x.example", "x.example"},
    /* lines and octets */
    {DATE "From: a@x.example\nthis is no field\n\n", FORMAT_BAD_LINE, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nSub ject: x\n\n", FORMAT_BAD_LINE, 0, "x.example", "x.example"},
    {DATE "From: a@x.example\nSubject: a\rb\n\n", FORMAT_BARE_CR, 0, "x.example", "x.example"},
    /* a From field behind a CR alone */
    {DATE "From: <a@attack.com>\nSubject: a\rFrom: <b@legitimate.com>\n\n", FORMAT_BARE_CR | FORMAT_MANY_FROM, 0, NULL,
     "attack.com legitimate.com"},
    {DATE "Subject: a\rfrom : <b@legitimate.com>\rX: y\nFrom: <a@attack.com>\n\n", FORMAT_BARE_CR | FORMAT_MANY_FROM, 0,
     NULL, "legitimate.com attack.com"},
    {DATE "Subject: a\r\rFROM: b@legitimate.com\rFrom: c@any.com\nFrom: <a@attack.com>\n\n",
     FORMAT_BARE_CR | FORMAT_MANY_FROM, 0, NULL, "legitimate.com any.com attack.com"},
    {DATE "Subject: a\rFrom: <b@legitimate.com>\n\n", FORMAT_BARE_CR | FORMAT_BAD_FROM, 0, NULL, "legitimate.com"},
    {DATE "Subject: a\rFrom\rFrom x\rXFrom: y\nFrom: <a@attack.com>\n\n", FORMAT_BARE_CR, 0, "attack.com",
     "attack.com"},
    {DATE "From: a@x.example\nSubject: a\n \n b\n\n", 0, FORMAT_REMARK_EMPTY_FOLD, "x.example", "x.example"},
    {DATE "From: a@B\xc3\x9c"
          "CHER.example\n\n",
     0, 0, "xn--bcher-kva.example", "xn--bcher-kva.example"},
};

static void finds(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct kase *k = &cases[i];
        struct arena *a = arena_new(1 << 20);
        struct header_list l;
        struct format_finding f;
        struct buf domains = BUF_INIT;
        char *copy = exact(k->header, strlen(k->header));
        header_list_init(&l, a);
        assert_int_equal(header_parse_message(&l, slice_of(copy, strlen(k->header)), NULL), STATUS_OK);
        format_check(a, &l, &f);
        if (f.flaws != k->flaws || f.remarks != k->remarks)
            fail_msg("%s: flaws %x (expected %x), remarks %x (%x)", k->header, f.flaws, k->flaws, f.remarks,
                     k->remarks);
        assert_int_equal(f.result, k->flaws ? RESULT_FAIL : RESULT_PASS);
        assert_int_equal(f.reason == NULL, k->flaws == 0);
        if (k->from_domain)
            assert_string_equal(f.from_domain, k->from_domain);
        else
            assert_null(f.from_domain);
        for (size_t d = 0; d < f.domain_count; d++)
            buf_printf(&domains, "%s%s", d ? " " : "", f.domains[d]);
        assert_string_equal(domains.p, k->domains);
        buf_release(&domains);
        free(copy);
        arena_free(a);
    }
}

static void names_the_doubled_field_and_the_gravest_flaw(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct header_list l;
    struct format_finding f;
    header_list_init(&l, a);
    assert_int_equal(header_list_add(&l, SLICE_LIT("From"), SLICE_LIT(" a@x.example")), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("subject"), SLICE_LIT(" 1")), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("subject"), SLICE_LIT(" 2")), STATUS_OK);
    format_check(a, &l, &f);
    assert_string_equal(f.doubled, "Subject");
    assert_string_equal(f.reason, "more than one Subject field");
    assert_int_equal(header_list_add(&l, SLICE_LIT("from"), SLICE_LIT(" b@y.example")), STATUS_OK);
    format_check(a, &l, &f);
    assert_string_equal(f.reason, "more than one From field");
    assert_int_equal(f.from_fields, 2);
    arena_free(a);
}

static void looks_at_bodies(void **state)
{
    static const struct {
        const char *a, *b;
        bool lf_lines;
        unsigned flaws;
    } t[] = {
        {"x\r\n", "y\r\n", false, 0},
        {"x\r", "\ny", false, 0},
        {"x\r", "y", false, FORMAT_BARE_CR},
        {"x", "y\r", false, FORMAT_BARE_CR},
        {"x\n", "y\r\n", false, FORMAT_BARE_LF},
        {"x", "\n", false, FORMAT_BARE_LF},
        {"x\n", "y\n", true, 0},
        {"x\r\r\n", "", false, FORMAT_BARE_CR},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 20);
        struct header_list l;
        struct format_finding f;
        struct format_body body = {.nul = false};
        header_list_init(&l, a);
        assert_int_equal(header_list_add(&l, SLICE_LIT("From"), SLICE_LIT(" a@x.example")), STATUS_OK);
        format_body_chunk(&body, slice_str(t[i].a), t[i].lf_lines);
        format_body_chunk(&body, slice_str(t[i].b), t[i].lf_lines);
        format_body_end(&body);
        format_check(a, &l, &f);
        format_add_body(&body, &f);
        assert_int_equal(f.flaws, t[i].flaws);
        assert_int_equal(f.result, t[i].flaws ? RESULT_FAIL : RESULT_PASS);
        format_body_chunk(&body, slice_of("a\0", 2), false);
        format_add_body(&body, &f);
        format_add_body(&body, &f);
        assert_int_equal(f.flaws, t[i].flaws | FORMAT_NUL);
        assert_string_equal(f.reason, "the message holds a NUL octet");
        assert_string_equal(f.from_domain, "x.example");
        arena_free(a);
    }
}

/* The reason names the gravest flaw, of header or body. */
static void body_beside_a_flaw_of_the_header(void **state)
{
    static const struct {
        const char *name, *value, *reason;
    } t[] = {
        {"To", " b@x.example", "the message holds a NUL octet"}, /* doubled: the lesser flaw */
        {"From", " b@y.example", "more than one From field"},
    };
    const struct format_body body = {.nul = true, .bare_cr = true};
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena *a = arena_new(1 << 20);
        struct header_list l;
        struct format_finding f;
        header_list_init(&l, a);
        assert_int_equal(header_list_add(&l, SLICE_LIT("From"), SLICE_LIT(" a@x.example")), STATUS_OK);
        assert_int_equal(header_list_add(&l, SLICE_LIT("To"), SLICE_LIT(" a@x.example")), STATUS_OK);
        assert_int_equal(header_list_add(&l, slice_str(t[i].name), slice_str(t[i].value)), STATUS_OK);
        format_check(a, &l, &f);
        format_add_body(&body, &f);
        assert_string_equal(f.reason, t[i].reason);
        assert_int_equal(f.flaws & (FORMAT_NUL | FORMAT_BARE_CR), FORMAT_NUL | FORMAT_BARE_CR);
        arena_free(a);
    }
}

static void over_limit_fails_but_keeps_the_author(void **state)
{
    struct arena *a = arena_new(16 << 20);
    struct header_list l;
    struct format_finding f;
    char *big = calloc(1, LIMIT_HEADER_FIELD + 1);
    header_list_init(&l, a);
    assert_int_equal(header_list_add(&l, SLICE_LIT("From"), SLICE_LIT(" admin@legitimate.com")), STATUS_OK);
    assert_int_equal(header_list_add(&l, SLICE_LIT("X"), slice_of(big, LIMIT_HEADER_FIELD)), STATUS_LIMIT);
    format_check(a, &l, &f);
    assert_int_equal(f.flaws, FORMAT_OVER_LIMIT);
    assert_string_equal(f.from_domain, "legitimate.com");
    free(big);
    arena_free(a);
}

static void flaws_have_names(void **state)
{
    for (unsigned bit = 1; bit <= FORMAT_OVER_LIMIT; bit <<= 1)
        assert_string_not_equal(format_flaw_name(bit), "?");
    for (unsigned bit = 1; bit <= FORMAT_REMARK_EMPTY_FOLD; bit <<= 1)
        assert_string_not_equal(format_remark_name(bit), "?");
    assert_string_equal(format_flaw_name(0), "?");
    assert_string_equal(format_remark_name(1u << 30), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(names_the_doubled_field_and_the_gravest_flaw),
        cmocka_unit_test(looks_at_bodies),
        cmocka_unit_test(body_beside_a_flaw_of_the_header),
        cmocka_unit_test(over_limit_fails_but_keeps_the_author),
        cmocka_unit_test(flaws_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
